/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/shelve.h"

#include "base/log.h"
#include "store/catalog.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What is known without the database. */
static int take_facts(struct disc *disc, struct shelf *ret)
{
	const struct probe *probe = &disc->probe;

	memcpy(ret->path, disc->path, sizeof ret->path);
	ret->host_free = atomic_load(&disc->tree.room.host_free);
	WITH_LOCK(&disc->lock);
	ret->is_drive = probe->is_drive;
	ret->older = disc->wish.wanted && disc->wish.wanted < probe->sessions.count;
	memcpy(ret->label, disc->label, sizeof ret->label);
	ret->disc = probe->disc;
	ret->drive = probe->facts.drive;
	for (size_t i = 0; i < probe->sessions.count; i++) {
		struct verb_session *session = vec_push(&ret->sessions);

		if (!session)
			return -ENOMEM;
		*session = probe->sessions.items[i];
	}
	return 0;
}

/* The rows of the base are counted once. */
static int take_sizes(struct db *db, struct shelf *ret)
{
	struct shelf before CLEANUP(shelf_clear) = { 0 };
	int found = shelf_load(db, &before);

	if (found <= 0 || before.nodes == 0 || (before.nodes > 1 && !before.files && !before.folders) ||
	    before.format != ret->format ||
	    memcmp(before.disc.fingerprint, ret->disc.fingerprint, FINGERPRINT_SIZE) != 0)
		return shelf_count(db, ret);
	ret->nodes = before.nodes;
	ret->files = before.files;
	ret->folders = before.folders;
	ret->bytes = before.bytes;
	return 0;
}

static int begin(struct tree *tree)
{
	int ret = tree_flush_locked(tree);

	return ret < 0 ? ret : db_begin(&tree->db);
}

/* A full disk is no reason not to mount. */
static void store(struct disc *disc, const struct shelf *shelf)
{
	struct tree *tree = &disc->tree;
	int ret;

	WITH_LOCK(&tree->lock);
	ret = begin(tree);
	if (ret == 0)
		ret = shelf_store(&tree->db, shelf);
	if (ret == 0)
		ret = db_commit(&tree->db);
	else
		db_rollback(&tree->db);
	disc->shelved = ret == 0;
	if (ret < 0)
		log_warning("what the catalogue tells of this disc can't be written to %s: %s", tree->db.path,
			    strerror(-ret));
}

int shelve_disc(struct disc *disc, struct reason *why)
{
	struct shelf shelf CLEANUP(shelf_clear) = { 0 };
	int64_t format = 0;
	int ret = take_facts(disc, &shelf);

	{
		WITH_LOCK(&disc->tree.lock);
		if (ret == 0)
			ret = db_meta_int(&disc->tree.db, "format", &format);
		shelf.format = (uint32_t)format;
		if (ret >= 0)
			ret = take_sizes(&disc->tree.db, &shelf);
	}
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be read", disc->tree.db.path);
	if (!disc->offline)
		store(disc, &shelf);
	WITH_LOCK(&disc->lock);
	disc->format = shelf.format;
	disc_update_formats(disc);
	disc->base_nodes = shelf.nodes;
	disc->base_files = shelf.files;
	disc->base_folders = shelf.folders;
	return 0;
}

/* A path that leads nowhere, or to the same file, is an earlier name of this one. */
static bool is_another(const char *path, const char *own)
{
	struct stat there, here;

	return stat(path, &there) == 0 && stat(own, &here) == 0 &&
	       (there.st_dev != here.st_dev || there.st_ino != here.st_ino);
}

/* 1 = work is staged, and *ret says where that was done as far as known; 0 = none, or -errno. Needs
 * tree->lock.
 */
static int origin_get(struct disc *disc, struct blob *ret)
{
	struct shelf before CLEANUP(shelf_clear) = { 0 };
	struct db *db = &disc->tree.db;
	int staged = (int)db_int(db, QUERY_STAGED_ANY);
	int found = staged > 0 ? db_meta_blob(db, "staged_at", ret) : staged;

	if (found < 0 || staged == 0 || ret->length)
		return found < 0 ? found : staged;
	found = shelf_load(db, &before);
	if (found > 0)
		found = blob_set(ret, before.path, strlen(before.path));
	return found < 0 ? found : staged;
}

/* Needs tree->lock. It's worth no error: the next mount doesn't know, that's all. */
static void origin_put(struct disc *disc, const char *path)
{
	struct blob known CLEANUP(blob_clear) = { 0 };
	struct db *db = &disc->tree.db;

	if (db_meta_blob(db, "staged_at", &known) >= 0 && known.length == strlen(path) &&
	    memcmp(known.data, path, known.length) == 0)
		return;
	if (begin(&disc->tree) == 0 && db_meta_put_blob(db, "staged_at", path, strlen(path)) == 0)
		db_commit(db);
}

void shelve_origin(struct disc *disc)
{
	struct blob origin CLEANUP(blob_clear) = { 0 };
	char path[PATH_LIMIT] = "";
	bool copied;

	if (disc->is_drive || disc->offline)
		return;
	{
		WITH_LOCK(&disc->tree.lock);
		if (origin_get(disc, &origin) > 0 && origin.length < sizeof path)
			memcpy(path, origin.data, origin.length);
		copied = path[0] && is_another(path, disc->path);
		origin_put(disc, copied ? path : disc->path);
	}
	if (!copied)
		return;
	log_notice("%s is a copy of %s: what was staged there shows here too, until one of the two gets a "
		   "session",
		   disc->path, path);
	WITH_LOCK(&disc->lock);
	memcpy(disc->staged_at, path, sizeof path);
}

void shelve_origin_here(struct disc *disc)
{
	{
		WITH_LOCK(&disc->lock);
		disc->staged_at[0] = '\0';
	}
	if (disc->is_drive)
		return;
	WITH_LOCK(&disc->tree.lock);
	origin_put(disc, disc->path);
}

void shelve_supersede(struct disc *disc)
{
	struct shelf shelf CLEANUP(shelf_clear) = { 0 };

	if (take_facts(disc, &shelf) == 0)
		catalog_supersede(&disc->state, &shelf);
}

void shelve_seen(struct disc *disc)
{
	struct tree *tree = &disc->tree;

	if (!disc->shelved || tree->broken)
		return;
	WITH_LOCK(&tree->lock);
	if (begin(tree) == 0)
		shelf_touch(&tree->db); /* and tree_close commits it */
}
