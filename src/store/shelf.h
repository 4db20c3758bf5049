/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a disc while it isn't here: kept in its own database at each mount and commit, as one JSON
 * document (meta, "shelf"), so that the catalogue can list it and an offline mount can tell what still fits.
 *
 * Not thread-safe: whoever holds the tree's lock, or a connection of his own. */
#pragma once

#include "base/vec.h"
#include "store/db.h"
#include "wire/drive_verbs.h"

struct shelf {
	char path[PATH_LIMIT]; /* where it was seen last: a drive or an image file */
	bool is_drive;
	int64_t seen;		     /* seconds since 1970: mounted or unmounted last */
	bool older;		     /* an older session was asked for: not a disc of its own */
	char superseded[48];	     /* empty, or the id of what became of the disc: a later state of it */
	char label[LABEL_LIMIT + 1]; /* of the newest session */
	struct verb_disc disc;	     /* but for closed_why all that a probe told */
	VEC(struct verb_session) sessions;
	struct verb_drive drive; /* profile, flags and room of a disc that was in a drive */
	uint64_t host_free;	 /* sectors that an image file could still grow by; UINT64_MAX: no limit */
	uint32_t format;	 /* of the base: enum tree_format */
	/* Of the base: names of regular files, directories but for the root, bytes of regular files. */
	uint64_t nodes, files, folders, bytes;
};

/* 0 or -errno. In the open transaction. */
int shelf_store(struct db *db, const struct shelf *shelf);
/* Into an empty ret. 1 = found, 0 = none (an older discfs), or -errno. */
int shelf_load(struct db *db, struct shelf *ret);
void shelf_clear(struct shelf *shelf);
/* Only when it was used. */
int shelf_touch(struct db *db);
int shelf_supersede(struct db *db, const char *by);
/* nodes, files and bytes as the rows have them: takes a second for some million. */
int shelf_count(struct db *db, struct shelf *shelf);
/* Is the second what became of the first, by sessions that another program appended? */
bool shelf_continues(const struct shelf *before, const struct shelf *now);
