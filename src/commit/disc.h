/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disc that is mounted: its medium, what the probe said, its state directory, and the tree over both. */
#pragma once

#include "model/session_formats.h"
#include "proc/probe.h"
#include "store/state.h"
#include "store/tree.h"

struct disc_options {
	const char *source;		/* as given */
	const char *state_root;		/* NULL: the default */
	const char *spool_dir;		/* NULL: where it was, or with the rest of the state */
	uint64_t spool_limit;		/* bytes, 0 = none */
	bool read_only;			/* asked for */
	bool offline;			/* source is an id or a label of the catalogue */
	uint32_t session;		/* number of the one to be shown, 0 = the newest */
	uint32_t import;		/* enum tree_format: the tree to be shown */
	struct session_formats formats; /* of the sessions to be burned */
	bool damaged;			/* what can be read of a damaged disc is enough */
	bool afresh;			/* the tree begins empty: see afresh.h */
	const struct litter *litter;	/* borrowed, as long as the disc is open; NULL: none */
};

/* What became of a commit that was cut off, as this mount found out. */
struct recovered {
	int err;	   /* 0: its session is in force */
	char message[480]; /* empty: there was none */
	uint64_t session, start, sectors;
};

struct disc {
	char path[PATH_LIMIT]; /* absolute; "offline:ID" */
	int fd;		       /* the medium; an image file is held with flock */
	bool offline;	       /* there is none: see offline.h */
	struct recovered recovered;
	_Atomic bool state_lost; /* see lost_state.h */
	char missing[96];	 /* then how it's called */
	bool shelved;		 /* the catalogue knows it as it is */
	bool is_drive;
	bool is_away; /* while it's opened: its newest session was burned from a file, see away.h */
	struct probe_wish
	    wish; /* what every probe must know: the session asked for, and those known to be bad */
	bool read_only;
	char read_only_why[256];
	struct probe probe;	/* replaced by each publication, under lock */
	uint64_t image_sectors; /* of the image file with this probe: padding may be missing at its end */
	uint32_t format;	/* enum tree_format of the base */
	struct session_formats formats;
	uint32_t wanted_format; /* the one asked for, or FORMAT_AUTO */
	uint64_t base_nodes, base_files, base_folders;
	uint64_t carried_files;	     /* of the base, that the newest commit had to record anew */
	char label[LABEL_LIMIT + 1]; /* of the base's volume */
	char
	    staged_at[PATH_LIMIT]; /* empty, or another image that this one is a copy of: see shelve_origin */
	struct state state;
	struct tree tree;
	pthread_mutex_t lock; /* probe, label, format, base_…, staged_at */
};

/* Opens the medium, finds its state, imports what isn't known yet, and puts right what a crash left. 0 or
 * -errno: -ENOENT, -EMEDIUMTYPE (not a disc), -EBUSY (mounted already), … with why. On failure nothing stays
 * open. */
int disc_open(struct disc *disc, const struct disc_options *options, struct reason *why);
void disc_close(struct disc *disc);
/* A drive's disc takes sessions one behind the other, and has no head that says which one counts. */
bool disc_is_sequential(const struct probe *probe);
/* Sectors from the beginning of the medium up to which a session may reach; 0: no limit. */
uint64_t disc_limit(const struct probe *probe);
/* Which of its trees is to be imported: enum tree_format. */
uint32_t disc_import_format(const struct disc *disc);
/* Is what the base has where the session's own trees have it, and as they have it? */
bool disc_is_inheritable(const struct disc *disc);
/* What the next session will have, once the base's format is known. */
void disc_update_formats(struct disc *disc);
/* Asks what is on the medium now. */
int disc_probe(const struct disc *disc, struct probe *ret, struct reason *why);
/* A session that begins there must never be the base: it was broken off, or isn't what was to be written.
 * Kept with the staged work. 0 or -errno. */
int disc_add_bad_session(struct disc *disc, uint64_t start);
/* Nothing was recorded of the one that began there, and another begins there now. */
int disc_forget_bad_session(struct disc *disc, uint64_t start);
/* The kernel must forget what it knew of the medium from a sector on, and of its head. */
void disc_renew_caches(struct disc *disc, uint64_t start);
/* Asks the probe again. -ESTALE when it isn't the disc that the tree was made from. */
int disc_check_same(struct disc *disc, struct probe *ret, struct reason *why);
/* The new state of the medium after a session was published. Takes the probe. */
void disc_set_probe(struct disc *disc, struct probe *probe);
/* For offline.c. */
int disc_state_root(const struct disc_options *options, char *ret, size_t room, struct reason *why);
int disc_open_tree(struct disc *disc, const struct disc_options *options, struct reason *why);
void disc_set_read_only(struct disc *disc, const char *why);
/* The medium can't be read while a session is burned, so nobody may try. */
bool disc_burns_blind(const struct disc *disc);
/* What the host's file system lets an image file grow. Called now and then. */
void disc_update_room(struct disc *disc);
