/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/adopt.h"

#include "base/log.h"
#include "commit/damage.h"
#include "model/cost.h"
#include "proc/import.h"
#include "store/journal.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

struct adopt {
	struct tree *tree;
	struct node_counts counts;
	uint64_t carried;    /* sectors: see tree.h */
	VEC(uint32_t) links; /* by ino - 1: names of a file, 2 + subdirectories of a directory */
	VEC(uint8_t) is_dir; /* by ino - 1 */
	struct damage damage;
};

static int adopt_name(struct adopt *adopt, uint64_t ino, uint64_t parent, const char *name, size_t length,
		      uint32_t mode)
{
	return rows_name_put(&adopt->tree->db, parent, name, length, 0, ino, mode >> 12);
}

static int adopt_node(void *self, struct node *node, uint64_t parent, const char *name, size_t length,
		      struct reason *why)
{
	struct adopt *adopt = self;
	bool dir = S_ISDIR(node->attr.mode);
	uint32_t *links = vec_push(&adopt->links);
	uint8_t *is_dir = vec_push(&adopt->is_dir);
	int ret;

	if (!links || !is_dir)
		return reason_set(why, ENOMEM, "out of memory while importing the disc");
	*links = node->attr.nlink = dir ? 2 : 1;
	*is_dir = dir;
	node->parent = parent ? parent : ROOT_INO;
	if (dir && parent)
		adopt->links.items[parent - 1]++;
	node_count(&adopt->counts, node, 1);
	adopt->carried += cost_body(node);
	ret = rows_node_put(&adopt->tree->db, node, 0);
	if (ret == 0 && parent)
		ret = adopt_name(adopt, node->attr.ino, parent, name, length, node->attr.mode);
	return ret < 0 ? reason_set(why, -ret, "the disc's tree can't be stored in %s", adopt->tree->db.path)
		       : 0;
}

static int adopt_link(void *self, uint64_t ino, uint64_t parent, const char *name, size_t length,
		      struct reason *why)
{
	struct adopt *adopt = self;
	struct node_attr attr;
	int ret = rows_node_attr(&adopt->tree->db, ino, &attr);

	if (ret > 0)
		ret = adopt_name(adopt, ino, parent, name, length, attr.mode);
	if (ret < 0)
		return reason_set(why, -ret, "the disc's tree can't be stored in %s", adopt->tree->db.path);
	adopt->links.items[ino - 1]++;
	return 0;
}

static int adopt_lost(void *self, const char *text, struct reason *why)
{
	struct adopt *adopt = self;

	return damage_add(&adopt->damage, text);
}

static int adopt_doubt(void *self, const char *text, struct reason *why)
{
	struct adopt *adopt = self;

	return damage_add_doubt(&adopt->damage, text);
}

static int store_links(struct adopt *adopt)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < adopt->links.count; i++)
		if (adopt->links.items[i] != (adopt->is_dir.items[i] ? 2 : 1))
			ret = db_run_ints(&adopt->tree->db, QUERY_LINKS_SET, (int64_t)i + 1,
					  adopt->links.items[i]);
	return ret;
}

static int store_facts(struct adopt *adopt, const struct disc *disc, const struct verb_imported *imported)
{
	struct tree *tree = adopt->tree;
	int ret = store_links(adopt);

	tree->next_ino = adopt->links.count + 1;
	tree->counts = adopt->counts;
	tree->carried_sectors = adopt->carried;
	tree->costs.fresh.base = 0;
	if (ret == 0)
		ret = db_meta_put_blob(&tree->db, "fingerprint", disc->probe.disc.fingerprint,
				       FINGERPRINT_SIZE);
	if (ret == 0)
		ret = db_meta_put_int(&tree->db, "format", imported->format);
	if (ret == 0)
		ret = damage_store(&tree->db, &adopt->damage);
	if (ret == 0)
		ret = db_meta_put_int(&tree->db, "carried_sectors", (int64_t)adopt->carried);
	if (ret == 0)
		ret = db_meta_put_int(&tree->db, "udf_base", 0);
	if (ret == 0)
		ret = dir_costs_count(tree);
	return ret < 0 ? ret : tree_flush_locked(tree);
}

/* The root of a blank disc belongs to whoever mounts it. */
static int adopt_blank(struct adopt *adopt, struct reason *why)
{
	struct node root = {
		.attr = { .ino = ROOT_INO, .mode = S_IFDIR | 0755, .uid = getuid(), .gid = getgid() }
	};

	root.attr.atime_ns = root.attr.mtime_ns = root.attr.ctime_ns = tree_now_ns();
	return adopt_node(adopt, &root, 0, "", 0, why);
}

/* The worker reads what is in the drive, whatever that is by now. */
static int check_there(struct disc *disc, struct reason *why)
{
	uint8_t sector[SECTOR];
	uint64_t at = (disc->probe.disc.base + 16) * SECTOR;
	int ret = disc->is_drive ? disc_read(&disc->tree.disc, sector, sizeof sector, at) : 0;

	if (ret == -EAGAIN) /* somebody wants to burn, and waits for the end of this */
		ret = -EBUSY;
	return ret < 0 ? reason_set(why, -ret, "the disc that is mounted can't be read: %s", strerror(-ret))
		       : 0;
}

/* The head as it once was: what isn't in the copy is as it was. */
static int read_copy(struct disc *disc, const struct verb_session *session, struct blob *ret)
{
	uint8_t *head AUTO_FREE = calloc(HEAD_SECTORS, SECTOR);
	int got;

	if (!head)
		return -ENOMEM;
	got = disc_read(&disc->tree.disc, head, HEAD_BYTES, 0);
	if (got == 0)
		got = disc_read(&disc->tree.disc, head + (size_t)16 * SECTOR,
				(size_t)session->copied * SECTOR, session->copy * SECTOR);
	return got < 0 ? got : blob_set(ret, head, HEAD_BYTES) < 0 ? -ENOMEM : 1;
}

/* What stands for the descriptors of a session: a copy on the disc, or, of one that began with the head,
 * what the history kept. 1, 0 = they're still there, or -errno. */
static int find_head(struct disc *disc, const struct verb_session *session, struct blob *ret)
{
	bool hidden;

	if (session->copy)
		return read_copy(disc, session, ret);
	if (session->start)
		return 0;
	{
		WITH_LOCK(&disc->lock);
		hidden = disc->probe.sessions.count == 0 || disc->probe.sessions.items[0].start != 0;
	}
	if (!hidden)
		return 0;
	WITH_LOCK(&disc->tree.lock);
	return history_first_head(&disc->tree.db, ret);
}

/* Of the session that was asked for. The newest one's is the head that is there. */
static int base_head(struct disc *disc, struct blob *ret)
{
	uint32_t wanted = disc->wish.wanted;

	if (!wanted || wanted > disc->probe.sessions.count)
		return 0;
	return disc->probe.sessions.items[wanted - 1].copy
		   ? read_copy(disc, &disc->probe.sessions.items[wanted - 1], ret)
		   : 0;
}

static int fill(struct adopt *adopt, struct disc *disc, bool blank, struct reason *why)
{
	struct import_sink sink = { .node = adopt_node,
				    .link = adopt_link,
				    .lost = disc->wish.damaged ? adopt_lost : NULL,
				    .doubt = adopt_doubt };
	struct verb_imported imported = { 0 };
	const struct verb_disc *medium = &disc->probe.disc;
	struct blob head CLEANUP(blob_clear) = { 0 };
	int ret = blank ? 0 : base_head(disc, &head);

	if (ret > 0)
		sink.head = &head;
	if (ret >= 0)
		ret = db_begin(&adopt->tree->db);
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be written", adopt->tree->db.path);
	if (blank)
		ret = adopt_blank(adopt, why);
	else
		ret = import_run(disc->fd, disc->path, medium->base, medium->recorded,
				 disc_import_format(disc), &sink, adopt, &imported, why);
	if (ret < 0)
		return ret;
	ret = store_facts(adopt, disc, &imported);
	return ret < 0 ? reason_set(why, -ret, "%s can't be written", adopt->tree->db.path) : 0;
}

uint32_t adopt_format(const struct disc *disc, const struct verb_session *session)
{
	if (session->formats & FORMAT_BIT(disc->wanted_format))
		return disc->wanted_format;
	return tree_format_best(session->formats);
}

static int fill_past(struct adopt *adopt, struct disc *disc, const struct verb_session *session,
		     struct reason *why)
{
	struct blob head CLEANUP(blob_clear) = { 0 };
	struct import_sink sink = { .node = adopt_node, .link = adopt_link };
	struct verb_imported imported = { 0 };
	struct db *db = &adopt->tree->db;
	int ret = check_there(disc, why);

	if (ret == 0)
		ret = find_head(disc, session, &head);
	if (ret > 0)
		sink.head = &head;
	if (ret >= 0)
		ret = db_begin(db);
	if (ret == 0)
		ret = import_run(disc->fd, disc->path, session->copy ? 0 : session->start,
				 atomic_load(&adopt->tree->disc.limit) / SECTOR, adopt_format(disc, session),
				 &sink, adopt, &imported, why);
	if (ret == 0)
		ret = check_there(disc, why);
	if (ret == 0)
		ret = store_links(adopt);
	if (ret == 0)
		ret = db_meta_put_int(db, "next_ino", (int64_t)adopt->links.count + 1);
	if (ret == 0)
		ret = db_commit(db);
	return ret < 0 ? reason_set(why, -ret, "%s can't be written", db->path) : 0;
}

int adopt_session(struct disc *disc, const struct verb_session *session, struct tree *tree,
		  struct reason *why)
{
	struct adopt adopt = { .tree = tree };
	int ret;

	WITH_LOCK(&tree->lock);
	db_allow_spill(&tree->db, true);
	ret = fill_past(&adopt, disc, session, why);
	db_allow_spill(&tree->db, false);
	if (ret < 0)
		db_rollback(&tree->db);
	vec_clear(&adopt.links);
	vec_clear(&adopt.is_dir);
	return ret;
}

static int adopt_base(struct disc *disc, bool blank, struct reason *why)
{
	struct adopt adopt = { .tree = &disc->tree };
	int ret;

	WITH_LOCK(&disc->tree.lock);
	db_allow_spill(&disc->tree.db, true);
	ret = fill(&adopt, disc, blank, why);
	db_allow_spill(&disc->tree.db, false);
	if (ret < 0)
		db_rollback(&disc->tree.db);
	damage_clear(&adopt.damage);
	vec_clear(&adopt.links);
	vec_clear(&adopt.is_dir);
	return ret;
}

int adopt_disc(struct disc *disc, struct reason *why)
{
	return adopt_base(disc, disc->probe.disc.state == DISC_BLANK, why);
}

int adopt_nothing(struct disc *disc, struct reason *why)
{
	return adopt_base(disc, true, why);
}
