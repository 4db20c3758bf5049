/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a session bootable by the images that its plan names.
 *
 * libisofs writes the boot record and the catalogue. The catalogue gets no name in the tree: nobody staged
 * one, and none is needed. */
#pragma once

#include "disc/iso_lib.h"
#include "disc/plan.h"

/* image: with the plan's tree in it. references: by number - 1; those of boot images that have no file are
 * taken from there. */
int iso_boot_attach(IsoImage *image, const struct plan *plan, IsoNode **references, struct reason *why);
