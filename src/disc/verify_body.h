/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads one file's content from the medium and sums it up. */
#pragma once

#include "disc/source.h"
#include "model/node.h"
#include "wire/verify_verbs.h"

#include <libisofs/libisofs.h>

/* What came of the reading. */
struct body_found {
	uint64_t lba;	  /* where it begins */
	uint64_t size;	  /* bytes */
	uint32_t how;	  /* 0: all of it was read; else enum damaged_how */
	uint64_t bad_lba; /* where it can't be read */
	uint8_t md5[MD5_LENGTH];
	uint8_t sha256[VERIFY_SUM_BYTES]; /* where it was asked for */
	bool told;			  /* that it's damaged */
};

struct body_reader {
	const struct source *source;
	uint8_t *buffer; /* BODY_BUFFER sectors */
	bool sha256;	 /* that sum, too */
	/* Called after each piece; 0, or -errno, which ends it. */
	int (*step)(void *self, uint64_t sectors);
	void *self;
};

#define BODY_BUFFER 256u

/* Fills how, bad_lba and the sums of ret. The first sector that can't be read ends it, since each one costs a
 * drive many seconds. 0, or -errno: -ENOMEDIUM, -ESTALE, what step gave. */
int verify_body(const struct body_reader *reader, const struct iso_file_section *sections, size_t count,
		struct body_found *ret, struct reason *why);
