/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One session's check: what its parts share. verify_tree.h looks at descriptors and directories,
 * verify_bridge.h at UDF's, verify_files.h at the content of files; verify.h is all of it. */
#pragma once

#include "disc/iso_import.h"
#include "disc/own_sums.h"
#include "disc/verify.h"
#include "disc/verify_udf.h"

/* A name of a file. */
struct entry {
	IsoNode *node;		     /* borrowed; NULL: of UDF */
	const struct udf_body *file; /* borrowed; NULL: of ISO 9660 */
	uint64_t lba, size;
	bool plain; /* one row of sectors: place and size tell which body it is */
};

/* One session's check. */
struct checking {
	struct verify *verify;
	const struct verb_session *session;
	uint64_t own_start; /* of its own descriptors */
	uint64_t start;	    /* of what its sums cover, see volume.h */
	bool head;	    /* there is a copy of them in blocks 0..31 */
	struct iso_import import;
	struct udf_files files; /* of a session whose tree is UDF's */
	VEC(struct entry) entries;
	VEC(struct body_found) fresh; /* read for this session */
	struct reason failed;	      /* of the import by its own descriptors */
	bool has_sums;		      /* the root tells of sums of files */
	struct sums_place sums;
	bool tree_told; /* that it's damaged */
	uint64_t lost;	/* the last sector told of that can't be read, or NO_SECTOR */
	struct verb_checked result;
	struct verb_progress progress;
	uint64_t told_ms;	/* when of the progress */
	const struct entry *at; /* what is being read */
	struct reason *why;
};

void checking_clear(struct checking *checking);
/* Counts a damage of the session and tells it. self: the checking. 0 or -errno. */
int checking_damaged(void *self, struct verb_damaged *damaged);
/* One that isn't a file's. */
int checking_tell(struct checking *checking, uint32_t what, uint32_t how, uint64_t lba, const char *text);
/* One of a file, by its name. */
int checking_tell_file(struct checking *checking, const struct entry *entry, uint32_t how, uint64_t lba);
/* So many sectors more were read: said now and then. self: the checking. 0 or -errno. */
int checking_progress(void *self, uint64_t sectors);
