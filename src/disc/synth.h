/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ISO 9660 image that exists only in memory: a flat directory of records whose extents lie on the real
 * medium.
 *
 * libisofs references old data in place only for files that it imported. So every body that lies wholly on
 * the disc gets a record here; the image is laid over the medium at blocks that no medium has (SYNTH_START),
 * imported, and its nodes are moved to their real names. A file with several names gets one record for each,
 * with the same serial number, which makes them hard links again; symlinks and devices with several names
 * come along for that reason alone. New bodies get serial numbers too, above those of the records, and
 * libisofs numbers whatever has none above these: it counts on from the highest that it imported, which is
 * the root's. MD5s that the disc records for old bodies are handed on in a checksum array, as libisofs itself
 * stores them. */
#pragma once

#include "base/reason.h"
#include "disc/plan.h"
#include "disc/source.h"

#define SYNTH_START 0xf0000000u

struct synth {
	uint8_t *data; /* owned: blocks from SYNTH_START on */
	uint32_t blocks;
	uint32_t records; /* numbered from 1, in the order of their names */
	uint32_t serials; /* the first that no record has; the plan's nodes have that many from here on */
};

/* The base session, whose descriptor and El Torito record are taken over. */
struct synth_base {
	const struct source *source;
	uint64_t volume; /* where it starts */
	bool has_base;	 /* there is one */
	bool boot_anew;	 /* the plan has its own boot images: that record isn't */
};

/* Gives references to plan (see there). Clear it always. */
int synth_make(struct plan *plan, const struct synth_base *base, struct synth *ret, struct reason *why);
void synth_clear(struct synth *synth);
/* The number of a record by its name, 0 for any other name. */
uint32_t synth_number(const char *name);
