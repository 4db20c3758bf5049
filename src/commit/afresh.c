/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/afresh.h"

#include "base/log.h"
#include "base/vec.h"
#include "commit/adopt.h"
#include "commit/boot.h"
#include "store/changes.h"
#include "store/staged.h"
#include "wire/session_advice.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define FLUSH_EVERY 20000 /* names: what is changed and not committed is in memory */
#define BEGUN	    1
#define DONE	    2

struct clearing {
	struct tree *tree;
	uint64_t removed; /* names */
};

struct listed {
	uint64_t ino;
	bool is_dir;
	char *name; /* owned */
	size_t length;
};

typedef VEC(struct listed) listing;

static void listing_clear(listing *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i].name);
	vec_clear(names);
}

static int keep(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	struct listed *at = vec_push((listing *)self);

	if (!at)
		return -ENOMEM;
	*at = (struct listed){ ino, type == DT_DIR, malloc(length), length };
	if (!at->name)
		return -ENOMEM;
	memcpy(at->name, name, length);
	return 0;
}

static int clear_dir(struct clearing *clearing, uint64_t dir);

/* As rm -r does it, so that all accounts are right. */
static int remove_name(struct clearing *clearing, uint64_t dir, const struct listed *name)
{
	int ret = name->is_dir ? clear_dir(clearing, name->ino) : 0;

	if (ret == 0)
		ret =
		    (name->is_dir ? tree_rmdir : tree_unlink)(clearing->tree, dir, name->name, name->length);
	if (ret == 0)
		tree_forget(clearing->tree, name->ino);
	if (ret == 0 && ++clearing->removed % FLUSH_EVERY == 0)
		ret = tree_flush(clearing->tree);
	return ret;
}

static int clear_dir(struct clearing *clearing, uint64_t dir)
{
	CLEANUP(listing_clear) listing names = { 0 };
	int ret = tree_list(clearing->tree, dir, keep, &names);

	for (size_t i = 0; ret == 0 && i < names.count; i++)
		ret = remove_name(clearing, dir, &names.items[i]);
	return ret;
}

/* The base that it was done for, and how far. */
static int put_mark(struct disc *disc, const char *key, uint8_t how)
{
	struct db *db = &disc->tree.db;
	uint8_t mark[FINGERPRINT_SIZE + 1];
	int ret;

	memcpy(mark, disc->probe.disc.fingerprint, FINGERPRINT_SIZE);
	mark[FINGERPRINT_SIZE] = how;
	WITH_LOCK(&disc->tree.lock);
	ret = tree_flush_locked(&disc->tree);
	if (ret == 0)
		ret = db_begin(db);
	if (ret == 0)
		ret = db_meta_put_blob(db, key, mark, sizeof mark);
	return ret < 0 ? ret : db_commit(db);
}

/* 0: none for this base; or -errno. */
static int get_mark(struct disc *disc, const char *key)
{
	struct blob mark CLEANUP(blob_clear) = { 0 };
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = db_meta_blob(&disc->tree.db, key, &mark);
	if (ret <= 0)
		return ret;
	return mark.length == FINGERPRINT_SIZE + 1 &&
		       memcmp(mark.data, disc->probe.disc.fingerprint, FINGERPRINT_SIZE) == 0
		   ? mark.data[FINGERPRINT_SIZE]
		   : 0;
}

int afresh_has_no_base(struct disc *disc)
{
	int mark = get_mark(disc, "base_unread");

	return mark < 0 ? mark : mark > 0;
}

/* What is missing at the end of an image would be zeroes once something is recorded behind it. */
static bool is_cut(const struct disc *disc)
{
	return !disc->is_drive && disc->image_sectors < disc->probe.disc.recorded;
}

int afresh_without_base(struct disc *disc, const struct reason *failed, struct reason *why)
{
	char advice[160];
	int ret;

	if (is_cut(disc)) {
		session_advice(disc->probe.sessions.items, disc->probe.sessions.count,
			       (uint32_t)disc->probe.sessions.count, disc->image_sectors, advice,
			       sizeof advice);
		return reason_set(why, EROFS,
				  "%s can't be started afresh: it is cut off (it has %llu of %llu sectors), "
				  "and nothing can be added to it. Begin another image with discfsctl "
				  "create%s%s",
				  disc->path, (unsigned long long)disc->image_sectors,
				  (unsigned long long)disc->probe.disc.recorded, advice[0] ? "; " : "",
				  advice);
	}
	ret = adopt_nothing(disc, why);
	if (ret < 0)
		return ret;
	ret = put_mark(disc, "base_unread", DONE);
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be written: %s", disc->tree.db.path, strerror(-ret));
	log_notice("what is on the disc can't be read (%s): it's started afresh without it", failed->text);
	return 0;
}

static int refuse(struct disc *disc, const char *what, int err, struct reason *why)
{
	return reason_set(why, err, "%s can't be started afresh: %s", disc->path, what);
}

/* Whatever was staged otherwise would be gone, too. */
static int check(struct disc *disc, int mark, const struct changes_count *staged, struct reason *why)
{
	if (disc->read_only)
		return refuse(disc, disc->read_only_why, EROFS, why);
	if (mark == 0 && staged->added + staged->modified + staged->deleted + staged->renamed > 0)
		return refuse(disc,
			      "work is staged for it already. Mount it without base=blank, commit or discard "
			      "that, and try again",
			      ENOTEMPTY, why);
	if (mark == BEGUN && staged->added + staged->modified + staged->renamed > 0)
		return refuse(disc,
			      "that was begun before and cut off, and other work is staged since. Mount it "
			      "without base=blank, and delete or discard what you want",
			      ENOTEMPTY, why);
	return 0;
}

static int clear_all(struct disc *disc)
{
	struct clearing clearing = { .tree = &disc->tree };
	int ret = put_mark(disc, "afresh", BEGUN);

	if (ret == 0)
		ret = clear_dir(&clearing, ROOT_INO);
	if (ret == 0)
		ret = boot_reset(disc, true);
	if (ret == 0)
		ret = put_mark(disc, "afresh", DONE);
	if (ret == 0)
		ret = tree_sync(&disc->tree);
	if (ret == 0 && clearing.removed)
		log_notice(
		    "%s is started afresh: its %llu files and directories are staged as deleted, and stay "
		    "in its older sessions",
		    disc->path, (unsigned long long)clearing.removed);
	return ret;
}

/* Everything may have been discarded since, and other work be staged now. */
static int still_holds(struct disc *disc)
{
	CLEANUP(staged_names_clear) struct staged_names names = { 0 };
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = staged_names_collect(&disc->tree, GEN_NEWEST, &names);
	for (size_t i = 0; ret == 0 && i < names.list.count; i++)
		ret = names.list.items[i].base && names.list.items[i].now != names.list.items[i].base;
	return ret;
}

static int is_empty(struct disc *disc)
{
	int64_t nodes;

	WITH_LOCK(&disc->tree.lock);
	nodes = db_int(&disc->tree.db, QUERY_COUNT_NODES);
	return nodes < 0 ? (int)nodes : nodes <= 1;
}

/* 0, BEGUN or DONE; or -errno. An empty base needs nothing. */
static int how_far(struct disc *disc, struct changes_count *ret_staged)
{
	int ret = changes_count(&disc->tree, ret_staged);
	int mark = ret < 0 ? ret : is_empty(disc);

	if (mark != 0)
		return mark < 0 ? mark : DONE;
	mark = get_mark(disc, "afresh");
	if (mark != DONE)
		return mark;
	ret = still_holds(disc);
	return ret > 0 ? DONE : ret;
}

int afresh_begin(struct disc *disc, struct reason *why)
{
	struct changes_count staged = { 0 };
	int mark = how_far(disc, &staged);
	int ret;

	if (mark < 0)
		return reason_set(why, -mark, "what is staged can't be read: %s", strerror(-mark));
	ret = check(disc, mark, &staged, why);
	if (ret < 0 || mark == DONE)
		return ret;
	ret = clear_all(disc);
	return ret < 0
		   ? reason_set(why, -ret, "that everything is deleted can't be staged: %s", strerror(-ret))
		   : 0;
}
