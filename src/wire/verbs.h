/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every message between the daemon (or discfsctl) and a worker: its fields and limits.
 *
 * Each verb has one struct, one put_* (build) and one get_* (read and check the format). get_* return false
 * on anything malformed; whether the numbers make sense for this disc (ranges within the medium, names,
 * types) is for the receiver to check. Strings inside the structs point into the message that was read.
 *
 *   role probe:   JOB(source)                      -> SESSION*, DISC | FAILED
 *   role import:  JOB(source)                      -> (NODE XATTR* EXTENT*)*, IMPORTED | FAILED      (WARNING
 * any time) role burn:    JOB(source, spool[, file]), (NODE XATTR* EXTENT*)*, PLAN_END
 *                                                  -> PLANNED | FAILED
 *                 GO | end of link (cancel)        -> PROGRESS*, WRITTEN | FAILED
 *                 CANCEL, any time after GO        -> FAILED, when the medium is in order
 *   roles drive and probe of a drive: drive_verbs.h; role verify: verify_verbs.h
 *   role head:    JOB(source), HEAD                -> WRITTEN | FAILED
 *                 of a drive: a second HEAD, of what must be there now
 *   role sync:    JOB() with the mountpoint as path -> WRITTEN | FAILED
 * The descriptors in parentheses go with JOB, in this order. Afterwards the worker exits with 0; any other
 * end is a crash, which the daemon reports as such. */
#pragma once

#include "base/reason.h"
#include "model/boot.h"
#include "model/node.h"
#include "model/tree_format.h"
#include "wire/msg.h"

enum verb {
	VERB_JOB = 1,
	VERB_FAILED,
	VERB_WARNING,
	VERB_SESSION,
	VERB_DISC,
	VERB_NODE,
	VERB_XATTR,
	VERB_EXTENT,
	VERB_IMPORTED,
	VERB_PLAN_END,
	VERB_PLANNED,
	VERB_GO,
	VERB_PROGRESS,
	VERB_WRITTEN,
	VERB_HEAD,
	VERB_DRIVE, /* from here on: drive_verbs.h */
	VERB_TRACK,
	VERB_SPEED,
	VERB_TASK,
	VERB_LOST,   /* of an import of a damaged disc */
	VERB_CANCEL, /* of a burn that is under way */
	VERB_VERIFY, /* from here on: verify_verbs.h */
	VERB_DAMAGED,
	VERB_CHECKED,
	VERB_SUM,
	VERB_BOOT /* of a plan */
};

#define LABEL_LIMIT  32u /* bytes of a volume identifier (ECMA-119 8.4.7) */
#define PATH_LIMIT   4096u
#define WHY_LIMIT    479u
#define WAS_LIMIT    (TREE_DEPTH_LIMIT * (NAME_LIMIT + 1)) /* bytes of any path in a tree */
#define HEAD_SECTORS 32u /* blocks 0..31: system area and volume descriptors of an overwriteable medium */
#define HEAD_BYTES   (HEAD_SECTORS * 2048u)
/* In the last of these blocks, which nobody reads there, stands what belongs into block 256 or the medium's
 * last one, as its tag says: the anchor of the session's UDF (ECMA-167 3/10.2), whose first byte is then 2.
 * So whoever writes a head, a new one or the old one back, writes that one. */
#define HEAD_ANCHOR	   (31u * 2048u)
#define ANCHOR_BLOCK	   256u
#define ANCHOR_WINDOW	   32u /* sectors around an anchor that are written at once to a disc: BD-RE's cluster */
#define FINGERPRINT_SIZE   32u /* SHA-256 */
#define BAD_SESSIONS_LIMIT 16u
#define XATTR_LIMIT	   65536u /* bytes of a value */

/* The first sectors of a session, up to its first file: descriptors, directories and path tables of all its
 * trees; and the last ones, where UDF has its tree. */
struct verb_front {
	uint32_t sectors; /* 0: nothing is known of them */
	uint32_t tail;	  /* from the session's start; 0: there's none */
	uint32_t tail_sectors;
	uint8_t sha256[FINGERPRINT_SIZE];
};

/* The job: which medium and which session on it. All addresses in sectors. */
struct verb_job {
	char path[PATH_LIMIT]; /* the source's absolute path; the descriptor that goes along is the same file
				*/
	uint64_t session;  /* import: start of the session to read (0: by the head). burn: start of the base
			      session */
	uint64_t nwa;	   /* burn: where the new session begins */
	uint64_t recorded; /* burn: sectors that an image file must have, or something of it is lost */
	uint64_t
	    limit; /* burn: sectors of the medium, the new session must end below. import: readable sectors */
	bool has_base; /* burn: session is valid (the disc isn't blank) */
	char label[LABEL_LIMIT +
		   1];		 /* burn: volume id of the new session; empty: keep the base's, or "DISC" */
	uint32_t format;	 /* import: enum tree_format */
	bool own;		 /* import: a session that was just written, with sums that must agree */
	struct verb_front front; /* import: of that session, must agree, too */
	bool damaged;		 /* probe, import: what can't be read is left out, and told */
	bool is_drive;		 /* the source is a drive, the descriptor its block device */
	bool sequential;	 /* burn: the medium takes sessions one behind the other, and has no head */
	bool finalize;		 /* burn: nothing can be appended afterwards */
	bool simulate;		 /* burn: with the laser off */
	bool stream;		 /* burn: stream recording, without the drive's defect management */
	bool to_file;		 /* burn: the session goes to a file, and the medium is only read */
	bool joliet;		 /* burn: beside ISO 9660 with Rock Ridge */
	bool udf;		 /* burn: the same, see disc/bridge.h */
	bool udf_links;		 /* burn: with symbolic links in it */
	bool inherit;		 /* burn: what is marked as kept is in the base session as it was imported */
	bool boot_anew;	     /* burn: its boot images are those of the plan; else the base's are carried on */
	uint32_t speed_kbps; /* burn: 0 = as fast as it goes */
	uint32_t wanted;     /* probe: number of the session to take for the base, 0 = the last good one */
	/* probe: starts of sessions that are known to be bad and don't count */
	uint32_t bad_count;
	uint64_t bad[BAD_SESSIONS_LIMIT];
};

/* Why a role gave up. */
struct verb_failed {
	uint32_t err; /* positive errno */
	char text[480];
};

struct verb_session {
	uint32_t number;  /* from 1 */
	uint64_t start;	  /* sector */
	uint64_t sectors; /* volume space size */
	int64_t time;	  /* volume creation or modification, seconds since 1970; 0 unknown */
	uint32_t formats; /* set of enum tree_format: what it carries */
	char label[LABEL_LIMIT + 1];
	uint64_t copy; /* where a copy of its sectors from 16 on stands that counts; 0: they do themselves */
	uint32_t copied; /* how many, up to 16 */
	bool broken;	 /* its descriptors or its root directory can't be read */
};

enum disc_state { DISC_BLANK = 1, DISC_APPENDABLE = 2, DISC_CLOSED = 3 };

/* What is in the drive, or what the image file is. */
struct verb_disc {
	uint32_t state;	   /* enum disc_state */
	char profile[16];  /* "cd", "dvd", …, "custom", or "image" for a file that nobody gave a capacity */
	uint64_t capacity; /* sectors; 0: as far as the host's file system lets the file grow */
	uint64_t recorded; /* sectors that the base session and everything before it take up */
	uint64_t nwa;	   /* next writable address */
	uint64_t base;	   /* start of the base session as import wants it: 0 = by the head */
	uint32_t formats;  /* set of enum tree_format: what the base session carries */
	bool bridge;	   /* the base session has a UDF tree of ours, whose file entries can be used on */
	bool anchor_stale; /* sector 256 isn't what was to be written there with the head */
	uint32_t sessions; /* how many SESSION messages came before */
	uint8_t fingerprint[FINGERPRINT_SIZE]; /* SHA-256: see source.h */
	uint8_t print[FINGERPRINT_SIZE];       /* of the newest session (sessions_print); zeroes: none */
	char closed_why[200];		       /* why nothing can be appended, when state is DISC_CLOSED */
};

/* One name of one node. Parents come before their children; the root comes first with an empty name and
 * parent 0. A node with several names comes once per name, with the same ino, one after another or far apart:
 * XATTR and EXTENT follow its first NODE only. In an import inos are counted by the worker from 1 (the root)
 * without gaps; in a plan they're the daemon's. */
struct verb_node {
	uint64_t parent;
	const char *name; /* not terminated; 1..255 bytes, no '/' or NUL */
	size_t name_length;
	struct node_attr attr;
	const uint8_t *target; /* symlinks: 1..4095 bytes, not terminated */
	size_t target_length;
	const uint8_t *md5; /* NULL or MD5_LENGTH bytes */
	const uint8_t *zf;  /* NULL, or the payload of a SUSP ZF entry */
	size_t zf_length;
	uint8_t again; /* 1: a further name of a node that came already */
	/* In a plan: the base has this very name in this very directory, and the node as it is. */
	uint8_t name_kept;
	uint8_t node_kept;
	/* Where the base has a directory, or a node that is kept, when it isn't under a kept name: its path
	 * there without a slash at the begin, not terminated; length 0: nowhere. */
	const char *was;
	size_t was_length;
};

struct verb_xattr {	  /* of the newest NODE */
	const char *name; /* not terminated, 1..255 bytes, with its namespace; ACLs as in xattr_set.h */
	size_t name_length;
	const uint8_t *value;
	size_t value_length;
};

struct verb_boot {		 /* a boot image of the session, in the order of the catalogue */
	struct boot_entry entry; /* its address counts where it has no file */
	uint64_t ino;		 /* 0: none; it lies on the disc, and stays there */
	bool table;		 /* it's recorded with a boot information table */
};

struct verb_imported {
	uint64_t nodes;
	uint32_t format; /* enum tree_format */
	uint32_t warnings;
	char label[LABEL_LIMIT + 1];
};

struct verb_planned {
	uint64_t start;	   /* sector where the session's descriptors begin minus 16 */
	uint64_t sectors;  /* exact size with padding: what will be written from start on */
	uint64_t new_data; /* bytes of file bodies among them */
	uint8_t fingerprint[FINGERPRINT_SIZE]; /* what probe will tell once the new head is written */
	uint8_t print[FINGERPRINT_SIZE]; /* and as that of the newest session, whoever writes the head */
	const uint8_t *head;		 /* the new blocks 0..31, HEAD_BYTES (NULL on media without a head) */
	size_t head_length;
	const char *no_udf; /* why the session doesn't get it though it was asked for; not terminated */
	size_t no_udf_length;
};

struct verb_progress {
	uint64_t done; /* sectors */
	uint64_t total;
	const char *file; /* a path in the session, not terminated; may be empty */
	size_t file_length;
};

struct verb_written {
	uint64_t start;
	uint64_t sectors;
	struct verb_front front; /* of a burn: as they went out */
};

struct verb_head { /* blocks 0..31 to be written, HEAD_BYTES */
	const uint8_t *data;
	size_t length;
};

/* What a sentence about a damaged tree tells. */
enum loss {
	LOSS_PART = 1, /* something of it is missing */
	LOSS_DOUBT     /* nothing is, as far as can be told, but it may not be what was recorded */
};

void put_job(struct msg *msg, const struct verb_job *job);
bool get_job(struct msg *msg, struct verb_job *ret);
void put_failed(struct msg *msg, const struct reason *why);
bool get_failed(struct msg *msg, struct verb_failed *ret);
void put_warning(struct msg *msg, const char *text);
bool get_warning(struct msg *msg, char *ret, size_t room);
void put_lost(struct msg *msg, enum loss loss, const char *text);
bool get_lost(struct msg *msg, enum loss *ret_loss, char *ret, size_t room);
void put_session(struct msg *msg, const struct verb_session *session);
bool get_session(struct msg *msg, struct verb_session *ret);
void put_disc(struct msg *msg, const struct verb_disc *disc);
bool get_disc(struct msg *msg, struct verb_disc *ret);
void put_node(struct msg *msg, const struct verb_node *node);
bool get_node(struct msg *msg, struct verb_node *ret);
void put_xattr(struct msg *msg, const struct verb_xattr *xattr);
bool get_xattr(struct msg *msg, struct verb_xattr *ret);
void put_extent(struct msg *msg, const struct extent *extent);
bool get_extent(struct msg *msg, struct extent *ret);
void put_boot(struct msg *msg, const struct verb_boot *boot);
bool get_boot(struct msg *msg, struct verb_boot *ret);
void put_imported(struct msg *msg, const struct verb_imported *imported);
bool get_imported(struct msg *msg, struct verb_imported *ret);
void put_empty(struct msg *msg, enum verb verb); /* PLAN_END, GO, CANCEL */
void put_planned(struct msg *msg, const struct verb_planned *planned);
bool get_planned(struct msg *msg, struct verb_planned *ret);
void put_progress(struct msg *msg, const struct verb_progress *progress);
bool get_progress(struct msg *msg, struct verb_progress *ret);
void put_written(struct msg *msg, const struct verb_written *written);
bool get_written(struct msg *msg, struct verb_written *ret);
void put_head(struct msg *msg, const struct verb_head *head);
bool get_head(struct msg *msg, struct verb_head *ret);
