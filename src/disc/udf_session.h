/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Discs that have UDF and no ISO 9660: what the probe says of them, and what becomes of their head when a
 * session is appended.
 *
 * Such a volume counts as one session. On an image file the next one begins behind the file's end: nothing of
 * what is there is touched but the head. On a medium that the volume fills, it begins behind the last block
 * that the volume's own map of free space has as used: that nothing counts beyond it, the import checks.
 *
 * The new head is that of ISO 9660, without a volume recognition sequence (ECMA-167 2/8.3) and without the
 * partition table that mkudffs makes for Windows: systems prefer UDF, and would go on showing the old tree.
 * The anchor at 256 and all it leads to stay where they are: the old volume is listed as a session of its
 * own, and can be looked at and gone back to. */
#pragma once

#include "disc/sessions.h"

/* A probe of a disc without a primary volume descriptor. 1 = it has UDF, and report says all but the
 * fingerprint; 0 = it hasn't; or -errno. head: HEAD_BYTES. */
int udf_session_probe(const struct source *source, const uint8_t *head, struct disc_report *report,
		      struct reason *why);
/* The volume that the session at start is, as one of ISO 9660 would be told. limit: sectors that can be read,
 * 0 = all. 1, 0 or -errno. */
int udf_session_read(const struct source *source, uint64_t start, uint64_t limit, struct volume *ret,
		     struct reason *why);
/* A volume whose anchor stands at 256 while the head speaks of another one: with a session at start or behind
 * it. 1, 0 or -errno. */
int udf_session_before(const struct source *source, uint64_t start, struct volume *ret, struct reason *why);
/* What it is known by: its anchor, volume descriptor sequence and integrity descriptor, which changes with
 * each use. ret_at: where its anchor is. 0 or -errno. */
int udf_session_identity(const struct source *source, uint64_t *ret_at, uint8_t ret[16 * SECTOR],
			 struct reason *why);
/* Takes from the head what would lead systems to the old UDF volume. */
void udf_session_leave(uint8_t *head);
/* Is that the partition table of mkudffs: one partition that begins with the disc, of Windows' kind, and no
 * program to boot? */
bool udf_session_table(const uint8_t *head);
