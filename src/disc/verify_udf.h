/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to read of a UDF session: the names of its files, and where their content lies. It records no
 * sums. */
#pragma once

#include "base/vec.h"
#include "disc/source.h"

#include <libisofs/libisofs.h>

/* One name of a file. */
struct udf_body {
	char *path;
	struct iso_file_section *sections;
	size_t count;
	uint64_t lba, size; /* size: of what is recorded */
	bool plain;	    /* whole sectors in one row that hold nothing else, and all of its content */
};

struct udf_files {
	VEC(struct udf_body) items;
};

/* lost is told in a sentence of what can't be found. 0, or -errno with why: of the root, or there's no disc
 * any more. */
int verify_udf_collect(const struct source *source, uint64_t session, struct udf_files *ret,
		       int (*lost)(void *self, const char *text), void *self, struct reason *why);
void udf_files_clear(struct udf_files *files);
