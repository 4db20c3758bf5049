/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages about the check of a whole disc, in the manner of verbs.h.
 *
 *   role verify:  JOB(source), SESSION*, SUM*, VERIFY  -> ((PROGRESS | DAMAGED | SUM)* CHECKED)* | FAILED
 * One CHECKED for each SESSION, in the order in which they were asked for. What two sessions have in common
 * is read with the first of them. SUM is what is known of a body that the disc has no sum of, or what came
 * out when it was read now and nothing was known. */
#pragma once

#include "wire/verbs.h"

#define VERIFY_SESSIONS_LIMIT 4096u	/* on one disc */
#define DAMAGES_LIMIT	      100000u	/* told; further ones are only counted */
#define VERIFY_NAMES_LIMIT    20000000u /* in one session */
#define DAMAGED_PATH_LIMIT    36000u	/* TREE_DEPTH_LIMIT names, and slashes */
#define NO_SECTOR	      UINT64_MAX
#define DAMAGE_TEXT	      200u
#define VERIFY_SUM_BYTES      32u /* SHA-256 */

struct verb_verify {
	uint32_t sessions; /* how many messages came before */
	/* blocks 0..31 are a copy of the newest session's descriptors: it's the first asked for */
	bool head;
	/* sessions lead to each other from sector 32 on; the last asked for is the oldest */
	bool chain;
	uint32_t sums; /* how many messages came before */
	bool learn;    /* tell SUM of whatever has none */
};

/* A body by its place. */
struct verb_sum {
	uint64_t lba;
	uint64_t bytes;
	uint8_t sha256[VERIFY_SUM_BYTES];
};

enum damaged_what {
	DAMAGED_FILE = 1,    /* path tells which */
	DAMAGED_HEAD,	     /* blocks 0..31, where they are a copy */
	DAMAGED_DESCRIPTORS, /* of the session */
	DAMAGED_TREE, /* directories and path tables, or all that can be told is that they can't be read */
	DAMAGED_SUMS, /* the recorded sums of the files */
	DAMAGED_TAG,  /* the sum at the session's end */
	DAMAGED_UDF,  /* UDF's descriptors and anchors */
	DAMAGED_UDF_TREE, /* file entries and names */
	DAMAGED_UDF_SUMS  /* the recorded sums of both */
};

enum damaged_how {
	DAMAGED_UNREADABLE = 1, /* lba */
	DAMAGED_DIFFERS,	/* isn't what was recorded */
	DAMAGED_CUT		/* lba and what follows is beyond the medium's end */
};

struct verb_damaged {
	uint32_t session; /* number */
	uint32_t what;	  /* enum damaged_what */
	uint32_t how;	  /* enum damaged_how */
	uint64_t lba;	  /* NO_SECTOR: none in particular */
	const char *path; /* DAMAGED_FILE: not terminated, begins with '/' */
	size_t path_length;
	char text[DAMAGE_TEXT]; /* the same for people */
};

/* What came of a session. Files are names of files; bytes are those that were read for this session, each
 * body once. */
struct verb_checked {
	uint32_t session; /* number */
	bool imported;	  /* there was a tree to go by */
	bool summed;	  /* descriptors and tree have sums, good or bad */
	uint64_t good_files, good_bytes;
	uint64_t unsummed_files, unsummed_bytes; /* can be read, and nothing is recorded to compare with */
	uint64_t damaged_files, damaged_bytes;	 /* of whole files */
	uint64_t shared_files;			 /* of all these: the body was read with a session before */
	uint64_t damages;			 /* of any kind, told or not */
	uint64_t again_files; /* of the damaged ones: the body was damaged in a newer session, too */
};

void put_verify(struct msg *msg, const struct verb_verify *verify);
bool get_verify(struct msg *msg, struct verb_verify *ret);
void put_sum(struct msg *msg, const struct verb_sum *sum);
bool get_sum(struct msg *msg, struct verb_sum *ret);
void put_damaged(struct msg *msg, const struct verb_damaged *damaged);
bool get_damaged(struct msg *msg, struct verb_damaged *ret);
void put_checked(struct msg *msg, const struct verb_checked *checked);
bool get_checked(struct msg *msg, struct verb_checked *ret);
