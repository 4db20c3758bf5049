/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks 0..31 of a medium that can be overwritten: they say which session is in force. */
#pragma once

#include "base/reason.h"

#include <stdint.h>

/* Opens the image file at path for writing after making sure that it's the file of fd. Returns a descriptor
 * or -errno. */
int head_open_image(const char *path, int fd, struct reason *why);
/* Both: warning is filled where all went well but for block 256. 0 or -errno.
 *
 * Writes those of the disc in a drive, after making sure that it has the ones of before (or these already, or
 * what a write from one to the other leaves when it is cut off); reads them back. -ESTALE: another disc. */
int head_write_medium(const char *path, const uint8_t *head, const uint8_t *before, struct reason *warning,
		      struct reason *why);
/* Writes them, 16..31 last and in one piece, and waits until they're on the disk. head: HEAD_BYTES.
 * Idempotent. */
int head_write(const char *path, int fd, const uint8_t *head, struct reason *warning, struct reason *why);
