/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/damage.h"

#include "base/log.h"
#include "store/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NAMES_KEPT 50u

int damage_add(struct damage *damage, const char *text)
{
	damage->count++;
	if (damage->count <= NAMES_KEPT) {
		log_warning("lost: %s%s", text,
			    damage->count == NAMES_KEPT ? " (further ones aren't shown)" : "");
		text_add(&damage->names, "%s\n", text);
	}
	return damage->names.failed ? -ENOMEM : 0;
}

void damage_clear(struct damage *damage)
{
	text_clear(&damage->names);
	*damage = (struct damage){ 0 };
}

int damage_store(struct db *db, const struct damage *damage)
{
	int ret = db_meta_put_int(db, "lost", (int64_t)damage->count);

	return ret == 0 && damage->count
		   ? db_meta_put_blob(db, "lost_names", damage->names.data, damage->names.length)
		   : ret;
}

int damage_load(struct db *db, struct damage *ret)
{
	CLEANUP(blob_clear) struct blob names = { 0 };
	int64_t count = 0;
	int got = db_meta_int(db, "lost", &count);

	damage_clear(ret);
	if (got >= 0 && count > 0)
		got = db_meta_blob(db, "lost_names", &names);
	if (got < 0)
		return got;
	ret->count = (uint64_t)count;
	if (names.length)
		text_add(&ret->names, "%.*s", (int)names.length, (const char *)names.data);
	return ret->names.failed ? -ENOMEM : 0;
}

int damage_end(struct db *db)
{
	return db_meta_put_int(db, "lost", 0);
}

static int count_lost(struct disc *disc, uint64_t *ret)
{
	CLEANUP(damage_clear) struct damage damage = { 0 };
	int got;

	WITH_LOCK(&disc->tree.lock);
	got = damage_load(&disc->tree.db, &damage);
	*ret = damage.count;
	return got;
}

int damage_look_again(struct disc *disc, bool wanted, struct reason *why)
{
	struct changes_count staged;
	uint64_t lost;
	int ret = count_lost(disc, &lost);

	if (ret == 0 && !lost)
		return 0;
	if (ret == 0)
		ret = changes_count(&disc->tree, &staged);
	if (ret == 0 && staged.added + staged.modified + staged.deleted + staged.renamed == 0)
		ret = tree_drop(&disc->tree);
	else if (ret == 0 && !wanted)
		return reason_set(
		    why, EUCLEAN,
		    "%s: only a part of it could be read, and work is staged on that: mount it with -o "
		    "damaged",
		    disc->path);
	return ret < 0 ? reason_set(why, -ret, "%s can't be read: %s", disc->tree.db.path, strerror(-ret))
		       : 0;
}

int damage_allows(struct disc *disc, bool forced, struct reason *why)
{
	uint64_t lost;
	int ret = count_lost(disc, &lost);

	if (ret < 0)
		return reason_set(why, -ret, "%s can't be read: %s", disc->tree.db.path, strerror(-ret));
	if (!lost || forced)
		return 0;
	return reason_set(
	    why, EUCLEAN,
	    "the disc is damaged, and %" PRIu64 " of its directories and files couldn't be read (see "
	    "discfsctl status): the new session wouldn't have them. Clean the disc and mount it again, "
	    "or commit with --damaged",
	    lost);
}
