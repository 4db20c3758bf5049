/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a plan's tree together in a libisofs image that has imported the plan's synthesised references. */
#pragma once

#include "disc/body_stream.h"
#include "disc/synth.h"

/* image: its root holds the synthesised records and nothing else; afterwards it holds the plan's tree. */
int iso_tree_build(IsoImage *image, const struct synth *synth, struct body_context *context,
		   struct reason *why);
