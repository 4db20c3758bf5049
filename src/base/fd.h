/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File descriptors: whole reads and writes, and the standard ones. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Where the caller closed a standard descriptor, the next file that is opened would take its place, and get
 * what is printed: whatever is read or written there fails (EBADF) instead. 0 or -errno. */
int fd_keep_standard(void);
/* Reads up to length bytes at offset; fewer only at the end of the file. Returns the count or -errno. */
int64_t fd_pread_full(int fd, void *data, size_t length, uint64_t offset);
/* Makes the names in a directory last. 0 or -errno. */
int fd_sync_dir(const char *path);
/* Writes all of it. Returns 0 or -errno. */
int fd_pwrite_full(int fd, const void *data, size_t length, uint64_t offset);
