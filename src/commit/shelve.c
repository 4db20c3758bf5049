/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/shelve.h"

#include "base/log.h"
#include "store/catalog.h"

#include <errno.h>
#include <string.h>

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

	if (found <= 0 || before.nodes == 0 || before.format != ret->format ||
	    memcmp(before.disc.fingerprint, ret->disc.fingerprint, FINGERPRINT_SIZE) != 0)
		return shelf_count(db, ret);
	ret->nodes = before.nodes;
	ret->files = before.files;
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
	disc->base_nodes = shelf.nodes;
	return 0;
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
