/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/damage.h"

#include "base/log.h"
#include "store/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NAMES_KEPT 50u

static int name_it(struct damage *damage, const char *word, const char *text)
{
	uint64_t named = damage->count + damage->doubts;

	if (named <= NAMES_KEPT) {
		log_warning("%s: %s%s", word, text,
			    named == NAMES_KEPT ? " (further ones aren't shown)" : "");
		text_add_visible(&damage->names, text, strlen(text));
		text_add(&damage->names, "\n");
	}
	return damage->names.failed ? -ENOMEM : 0;
}

int damage_add(struct damage *damage, const char *text)
{
	damage->count++;
	return name_it(damage, "lost", text);
}

int damage_add_doubt(struct damage *damage, const char *text)
{
	damage->doubts++;
	return name_it(damage, "damaged", text);
}

void damage_clear(struct damage *damage)
{
	text_clear(&damage->names);
	*damage = (struct damage){ 0 };
}

int damage_store(struct db *db, const struct damage *damage)
{
	int ret = db_meta_put_int(db, "lost", (int64_t)damage->count);

	if (ret == 0)
		ret = db_meta_put_int(db, "doubts", (int64_t)damage->doubts);
	return ret == 0 && damage->names.length
		   ? db_meta_put_blob(db, "lost_names", damage->names.data, damage->names.length)
		   : ret;
}

int damage_load(struct db *db, struct damage *ret)
{
	CLEANUP(blob_clear) struct blob names = { 0 };
	int64_t count = 0, doubts = 0;
	int got = db_meta_int(db, "lost", &count);

	damage_clear(ret);
	if (got >= 0)
		got = db_meta_int(db, "doubts", &doubts);
	if (got >= 0 && (count > 0 || doubts > 0))
		got = db_meta_blob(db, "lost_names", &names);
	if (got < 0)
		return got;
	ret->count = (uint64_t)count;
	ret->doubts = (uint64_t)doubts;
	if (names.length)
		text_add(&ret->names, "%.*s", (int)names.length, (const char *)names.data);
	return ret->names.failed ? -ENOMEM : 0;
}

int damage_end(struct db *db)
{
	int ret = db_meta_put_int(db, "lost", 0);

	return ret < 0 ? ret : db_meta_put_int(db, "doubts", 0);
}

static int count_lost(struct disc *disc, uint64_t *ret, uint64_t *ret_doubts)
{
	CLEANUP(damage_clear) struct damage damage = { 0 };
	int got;

	WITH_LOCK(&disc->tree.lock);
	got = damage_load(&disc->tree.db, &damage);
	*ret = damage.count;
	*ret_doubts = damage.doubts;
	return got;
}

int damage_look_again(struct disc *disc, bool wanted, struct reason *why)
{
	struct changes_count staged;
	uint64_t lost, doubts;
	int ret = count_lost(disc, &lost, &doubts);

	if (ret == 0 && !lost && !doubts)
		return 0;
	if (ret == 0)
		ret = changes_count(&disc->tree, &staged);
	if (ret == 0 && changes_any(&staged) + staged.litter == 0)
		ret = tree_drop(&disc->tree);
	else if (ret == 0 && lost && !wanted)
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
	uint64_t lost, doubts;
	int ret = count_lost(disc, &lost, &doubts);

	if (ret < 0)
		return reason_set(why, -ret, "%s can't be read: %s", disc->tree.db.path, strerror(-ret));
	if ((!lost && !doubts) || forced)
		return 0;
	if (!lost)
		return reason_set(
		    why, EUCLEAN,
		    "the disc is damaged: its tree isn't as it was recorded (see discfsctl status), and the "
		    "new "
		    "session would take that over. Clean the disc and mount it again; or take what you need "
		    "from an older session (discfsctl restore), and commit with --damaged");
	return reason_set(
	    why, EUCLEAN,
	    "the disc is damaged, and %" PRIu64 " of its directories and files couldn't be read (see "
	    "discfsctl status): the new session wouldn't have them. Clean the disc and mount it again, "
	    "or commit with --damaged",
	    lost);
}
