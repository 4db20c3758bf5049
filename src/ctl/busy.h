/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who keeps a mount from being unmounted: asked before anything is done that can't be taken back. */
#pragma once

#include "base/text.h"
#include "ctl/target.h"

/* Programs have files open there or stand in it, or something is mounted below it. For root the kernel
 * decides; others see their own processes only. Names go to *ret_who, as many as are known. */
bool busy_mount(const struct target *target, struct text *ret_who);
