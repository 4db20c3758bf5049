/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on the medium: blank or not, which sessions, where the next one may begin.
 *
 * Sizes. The head (blocks 16..31 of an overwriteable medium or image file) records an absolute volume size:
 * sectors from 0. A session's own descriptor records sectors from the session's start (libisofs, genisoimage
 * -C); a few writers record the absolute end there, so both readings are tried and the one that leads to a
 * next session, or stays within the medium, is taken.
 *
 * Order. The head says which session is in force: switching it is the last write of a commit. Ours tell of
 * all before them (lineage.h), and the head is a copy of the newest one's descriptor. Without that, sessions
 * form a chain from 32 where the head was kept free from the start (libisofs on overwriteable media), or from
 * 0. Where a link of the chain is destroyed, they're looked for at multiples of 32. A complete session of our
 * own behind the volume that the head describes was never published (the writer died before the head) and
 * doesn't count; one of another writer (genisoimage -C -M, appended with dd) does: then it is the base,
 * although the head doesn't know it.
 *
 * Damage. A session whose descriptors can't be read is listed with its number and place, as broken. A volume
 * that is cut off, or has lost its head, is an error that names the sessions which can be read, unless one of
 * them is asked for, or what is left is enough (job->damaged).
 *
 * Fingerprint: SHA-256 over blocks 0..31 (missing bytes as zeroes) and, when the base isn't the head's
 * session, the base's start as 8 bytes little-endian and blocks base+16..base+31. Where the base has UDF
 * only: see udf_session.h. */
#pragma once

#include "base/vec.h"
#include "disc/volume.h"
#include "wire/verbs.h"

/* Volume sizes may count padding (150 sectors against the read-ahead of drives) that a copy of the disc has
 * lost. */
#define PAD_SLACK 150u

struct disc_report {
	struct verb_disc disc;
	VEC(struct verb_session) sessions; /* oldest first */
	bool head_is_first;		   /* what the head shows is the session that begins at 0 */
};

/* Adds one. 0, -ENOMEM or -EMEDIUMTYPE (too many). */
int disc_report_add(struct disc_report *report, const struct source *source, const struct volume *volume,
		    uint64_t sectors, struct reason *why);
/* Do the boot sectors in a head describe the disc as a partitioned hard disk? */
bool sessions_partitioned(const uint8_t *head);
/* wanted 0: the newest is the base. Else makes the session of that number the base, to be looked at only. */
int disc_report_choose(struct disc_report *report, const struct source *source, uint32_t wanted,
		       struct reason *why);

/* Of an image file or of an overwriteable medium in a drive. job->wanted: number of the session to be the
 * base, 0 = the one in force; asking for one makes the disc read-only. 0, or -EINVAL (empty), -EMEDIUMTYPE
 * (not ISO 9660, or of a kind that isn't supported), -EIO, -ENOENT (no session of that number). Clear it
 * always.
 */
int sessions_probe(const struct source *source, const struct verb_job *job, struct disc_report *ret,
		   struct reason *why);
void disc_report_clear(struct disc_report *report);
/* What a session is known by, whoever writes the head: its place and its own first HEAD_BYTES. 0 or -EIO. */
int sessions_print(const uint8_t *blocks, uint64_t start, uint8_t ret[FINGERPRINT_SIZE]);
/* The newest one's; zeroes where there's none, or it can't be read. */
void disc_report_print(struct disc_report *report, const struct source *source);
/* Loads what libcrypto needs for its sums. 0 or -EIO. */
int sessions_prepare(void);
/* head: HEAD_BYTES. base_blocks: 16 sectors from base+16, or NULL when base is 0. 0 or -EIO. */
int sessions_fingerprint(const uint8_t *head, uint64_t base, const uint8_t *base_blocks,
			 uint8_t ret[FINGERPRINT_SIZE]);
