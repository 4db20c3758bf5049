/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing twice: a staged body whose bytes are on the disc already refers to them there, and staged bodies
 * that are the same are burned once.
 *
 * When. Between freeze and fill, on the conductor's thread: the frozen bytes can't change any more (who
 * writes gets other space in the spool), the disc can still be read, and plan, size and room follow from what
 * is left. It may be left off at any point: rows that were changed already are right, a thaw keeps them, and
 * the next commit goes on from there.
 *
 * Which. A body that shares its size with nothing else costs one look into the index of the base's sizes, and
 * nothing is read. Then, each step only for what the one before has left:
 *  1. bodies of equal size, staged or in the base;
 *  2. of those that are larger than 64 KiB, the ones that begin alike;
 *  3. SHA-256 of the staged bodies, and their MD5 where the base has one of that size, read in the order of
 * the spool. Where the disc records MD5s (libisofs does), another MD5 is another content: nothing is read of
 * it. Of other old bodies the SHA-256 is kept once it was computed (table digest), until they leave the base;
 *  4. what is left of the old bodies is read now, whole, in the order in which it lies on the disc, and its
 * SHA-256 compared. So nothing ever refers to an old copy that couldn't be read just before, whoever says
 * what it once held: someone who copies a file anew since the disc decays gets it anew. One that can't be
 * read isn't used. A body that is partly on the disc still is compared with what the base has of the same
 * file, in the parts that were written.
 *
 * What comes of it. The frozen row gets the extents of the old body, or those of the first of the equal
 * staged bodies. The worker refers to the former in place and records the latter once: they have equal maps
 * (disc/ body_stream.h). Each keeps its own serial number, so nothing becomes a hard link that wasn't one.
 * Verification compares the bytes of those that are burned, name by name; those that refer to the old place
 * were read here.
 *
 * Old copies are those of the base, and what it had before later sessions took or replaced it (table former):
 * so a file that is copied back from an older session costs nothing. What lies in a session that doesn't
 * count, or behind what is recorded, has no rows. The boot catalogue isn't used, since libisofs writes it
 * anew and takes each file at its place for it.
 */
#pragma once

#include "commit/fill.h"

struct dedupe_saved {
	uint64_t
	    files; /* of the frozen generation that aren't burned, since their bytes are there or burned once
		    */
	uint64_t sectors; /* that they would have taken */
};

/* gen: the frozen generation. 0, or -ECANCELED, -ESTALE, -ENOMEDIUM, -ENOMEM, or -errno with why; a thaw must
 * follow then. */
int dedupe_generation(struct disc *disc, uint32_t gen, const struct fill_progress *progress,
		      struct dedupe_saved *ret, struct reason *why);
