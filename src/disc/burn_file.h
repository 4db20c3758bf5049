/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a session to a file of its own, to be burned later by any program; no medium is touched.
 *
 * The file holds the session's sectors. When the session is the first of an overwriteable medium, sectors
 * 0..31 come before them, left empty for the head. What was written is synced, read back from the disk, and
 * compared with what went out. */
#pragma once

#include "disc/burn.h"

/* file: empty, open for reading and writing. progress counts each sector twice: written and read back. */
int burn_to_file(const struct burn_request *request, int file, struct reason *why);
/* Bytes of the file before the session. */
uint64_t burn_file_origin(const struct verb_job *job);
