/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads recorded bytes of the medium: a bounds-checked pread, nothing that interprets them. Thread-safe.
 *
 * Of a drive the kernel's block layer reads, and keeps what was read. What it doesn't know of, since it was
 * burned after the device was opened, the drive is asked for itself. */
#pragma once

#include "base/reason.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct disc_reader {
	int fd;			/* borrowed */
	_Atomic uint64_t limit; /* bytes that the base session and all before it take up */
	bool is_drive;
	_Atomic bool direct; /* verification: what the medium holds, not what the kernel remembers */
};

/* Reads exactly length bytes at origin (bytes). 0, or -EIO beyond the recorded part or when the medium can't
 * be read. */
int disc_read(const struct disc_reader *disc, void *data, size_t length, uint64_t origin);
