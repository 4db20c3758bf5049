/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 of some bytes, and their MD5 where that is asked for too, in one go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u
#define MD5_BYTES    16u

struct digest {
	void *sha256, *md5; /* NULL: not wanted */
};

/* 0 or -ENOMEM. Clear it always. */
int digest_begin(struct digest *digest, bool with_md5);
int digest_add(struct digest *digest, const void *data, size_t length);
/* ret_md5 may be NULL. 0 or -EIO. */
int digest_end(struct digest *digest, uint8_t ret_sha256[SHA256_BYTES], uint8_t ret_md5[MD5_BYTES]);
void digest_clear(struct digest *digest);
