/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/check.h"

#include "base/log.h"
#include "base/text.h"
#include "commit/tabled.h"
#include "model/cost.h"
#include "model/xattr_set.h"
#include "proc/import.h"
#include "store/body.h"
#include "store/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define COMPARE_BYTES (1u << 20)
#define BAD_LIMIT     1000u /* names; then it is given up */

struct check {
	struct disc *disc;
	struct tree *tree;
	uint32_t gen;
	uint64_t limit;		  /* sectors */
	VEC(uint64_t) inos;	  /* ours, by the import's ino - 1 */
	uint64_t names;		  /* that came */
	int64_t landed;		  /* rows stored of them */
	uint64_t done_bytes;	  /* compared */
	uint8_t *planned, *found; /* COMPARE_BYTES each */
	struct verb_front front;  /* as it went out */
	struct tabled tabled;	  /* its boot images */
	uint64_t bad;		  /* names that are not as they were staged */
	struct reason first;	  /* of them */
	const struct check_progress *progress;
};

static int differs(struct check *check, uint64_t parent, const char *name, size_t length, const char *what,
		   struct reason *why)
{
	struct text path AUTO_TEXT = { 0 };

	WITH_LOCK(&check->tree->lock);
	if (rows_path_of_name(&check->tree->db, parent, name, length, check->gen, &path) < 0)
		text_add_bytes(&path, name, length);
	return reason_set(why, EBADMSG,
			  VERIFICATION_FAILED "%s of \"%.300s\" is not on the disc as it was staged", what,
			  path.data ? path.data : "");
}

/* What is wrong with one name says nothing about the others: all are looked at, and told in the log. */
static int note_bad(struct check *check, const struct reason *bad, struct reason *why)
{
	if (check->bad++ == 0)
		check->first = *bad;
	log_error("%s", bad->text);
	return check->bad < BAD_LIMIT ? 0 : reason_set(why, bad->err, "%s", bad->text);
}

static int end_bad(const struct check *check, struct reason *why)
{
	unsigned long long more = check->bad - 1;

	if (check->bad < 2)
		return reason_set(why, check->first.err, "%s", check->first.text);
	return reason_set(why, check->first.err, "%.400s; and %llu more %s bad: the log names %s",
			  check->first.text, more, more == 1 ? "is" : "are", more == 1 ? "it" : "them");
}

/* Rock Ridge keeps the parts of a target (RRIP 4.1.3): a doubled slash or one at the end isn't among them. */
static void target_parts(const struct blob *target, struct text *ret)
{
	const char *data = (const char *)target->data;

	for (size_t i = 0; i < target->length; i++)
		if (data[i] != '/' || i == 0 || (i + 1 < target->length && data[i + 1] != '/'))
			text_add_bytes(ret, data + i, 1);
}

static bool same_target(const struct node *planned, const struct node *found)
{
	struct text a AUTO_TEXT = { 0 };
	struct text b AUTO_TEXT = { 0 };

	target_parts(&planned->target, &a);
	target_parts(&found->target, &b);
	return !a.failed && !b.failed && a.length == b.length &&
	       (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* libisofs writes a boot catalogue anew in each session, and dates it now; any other old body stays in its
 * place. */
static bool is_rewritten(const struct node *planned, const struct node *found)
{
	return S_ISREG(planned->attr.mode) && planned->attr.size &&
	       extent_map_is_on_disc(&planned->map, planned->attr.size) &&
	       !extent_map_equal(&planned->map, &found->map);
}

/* What of the attributes is different, or NULL. */
static const char *attr_difference(const struct node *planned, const struct node *found)
{
	const struct node_attr *a = &planned->attr, *b = &found->attr;

	if (a->mode != b->mode)
		return "the mode";
	if (a->uid != b->uid || a->gid != b->gid)
		return "the owner";
	if (node_time_on_disc(a->mtime_ns) != b->mtime_ns && !is_rewritten(planned, found))
		return "the time";
	if (!S_ISDIR(a->mode) && !S_ISLNK(a->mode) && a->size != b->size)
		return "the size";
	if ((S_ISCHR(a->mode) || S_ISBLK(a->mode)) && a->rdev != b->rdev)
		return "the device number";
	if (!same_target(planned, found))
		return "the target";
	if (!xattr_set_equal(&planned->xattrs, &found->xattrs))
		return "the extended attributes";
	return NULL;
}

/* The bytes as they were staged against those at the new place, read from the medium rather than the page
 * cache. */
static int compare_body(struct check *check, const struct node *planned, const struct node *found)
{
	uint64_t size = planned->attr.size;
	struct tabled_body body = { 0 };
	int ret = 0;

	for (uint64_t offset = 0; ret == 0 && offset < size; offset += COMPARE_BYTES) {
		size_t length = (size_t)min_u64(COMPARE_BYTES, size - offset);

		ret = body_read_map(check->tree, &planned->map, check->planned, length, offset);
		if (ret == 0)
			ret = body_read_map(check->tree, &found->map, check->found, length, offset);
		if (ret == 0)
			tabled_piece(&body, check->planned, check->found, length, offset);
		if (ret == 0 && memcmp(check->planned, check->found, length) != 0)
			ret = -EBADMSG;
		check->done_bytes += length;
		if (ret == 0 && check->progress->step(check->progress->self, check->done_bytes, NULL, 0))
			ret = -ECANCELED;
	}
	if (ret == 0 && size &&
	    !tabled_is_right(&check->tabled, &body, found->map.items[0].origin / SECTOR, size))
		ret = -EBADMSG;
	return ret;
}

/* Fractions of seconds have no place in a session; ours stay in the database. A time that loses its fraction
 * by itself makes programs that compare all of it (backup, build) take every file as changed. */
static int64_t landed_time(int64_t planned_ns, int64_t found_ns)
{
	bool same_second = node_time_on_disc(planned_ns) == found_ns && planned_ns >= found_ns &&
			   planned_ns - found_ns < NS_PER_SEC;

	return same_second ? planned_ns : found_ns;
}

static int store_landed(struct check *check, const struct node *planned, const struct node *found)
{
	struct blob map CLEANUP(blob_clear) = { 0 };
	sqlite3_stmt *stmt;
	int ret = extent_map_pack(&found->map, &map);

	if (ret < 0)
		return ret;
	WITH_LOCK(&check->tree->lock);
	ret = db_begin(&check->tree->db);
	stmt = ret == 0 ? db_query(&check->tree->db, QUERY_LANDED_PUT) : NULL;
	if (!stmt)
		return ret < 0 ? ret : -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)planned->attr.ino);
	sqlite3_bind_int64(stmt, 2, landed_time(planned->attr.atime_ns, found->attr.atime_ns));
	sqlite3_bind_int64(stmt, 3, landed_time(planned->attr.mtime_ns, found->attr.mtime_ns));
	sqlite3_bind_int64(stmt, 4, landed_time(planned->attr.ctime_ns, found->attr.ctime_ns));
	db_bind_blob(stmt, 5, &found->md5);
	db_bind_blob(stmt, 6, &map);
	check->landed++;
	return db_run(&check->tree->db, stmt);
}

/* The publication goes by what was found: all of it must have lasted. */
static int keep_landed(struct check *check, struct reason *why)
{
	int64_t stored;
	int ret;

	WITH_LOCK(&check->tree->lock);
	ret = tree_flush_locked(check->tree);
	stored = ret == 0 ? db_int(&check->tree->db, QUERY_LANDED_COUNT) : ret;
	if (stored == check->landed)
		return 0;
	return reason_set(why, stored < 0 ? (int)-stored : EIO, "what was verified can't be stored in %s",
			  check->tree->db.path);
}

/* Which of our nodes stands under that name in the frozen tree. */
static int find_planned(struct check *check, uint64_t parent, const char *name, size_t length,
			uint64_t *ret_ino, struct node *ret, uint32_t *ret_gen)
{
	int found = 1;

	WITH_LOCK(&check->tree->lock);
	*ret_ino = ROOT_INO;
	if (parent)
		found = rows_name_get(&check->tree->db, parent, name, length, check->gen, ret_ino, NULL);
	if (found > 0 && ret)
		found = rows_node_get(&check->tree->db, *ret_ino, check->gen, ret, ret_gen);
	return found;
}

/* A body of the base that had to be recorded anew, since ISO 9660 can't refer to where it was. For a drive it
 * was brought to the spool before, which made it look staged. */
static int count_carried(struct check *check, const struct node *planned, uint32_t gen)
{
	struct node base CLEANUP(node_clear) = { 0 };
	uint32_t base_gen;
	int found;

	if (gen == 0) {
		check->disc->carried_files += cost_body(planned) > 0;
		return 0;
	}
	WITH_LOCK(&check->tree->lock);
	found = rows_node_get(&check->tree->db, planned->attr.ino, 0, &base, &base_gen);
	if (found > 0 && cost_body(&base) && base.attr.size == planned->attr.size &&
	    base.attr.mtime_ns == planned->attr.mtime_ns)
		check->disc->carried_files++;
	return found < 0 ? found : 0;
}

static int check_body(struct check *check, const struct node *planned, const struct node *found, uint32_t gen)
{
	int ret = 0;

	if (S_ISREG(planned->attr.mode) && !extent_map_equal(&planned->map, &found->map)) {
		if (planned->attr.size && !extent_map_is_on_disc(&found->map, found->attr.size))
			return -EBADMSG;
		ret = check->progress->names_only ? 0 : compare_body(check, planned, found);
		if (ret == 0 && planned->attr.size)
			ret = count_carried(check, planned, gen);
	} else if (gen == 0) {
		return 0; /* as it was before, and where it was before */
	}
	return ret < 0 ? ret : store_landed(check, planned, found);
}

static int check_node(void *self, struct node *node, uint64_t parent, const char *name, size_t length,
		      struct reason *why)
{
	struct check *check = self;
	struct node planned CLEANUP(node_clear) = { 0 };
	uint64_t our_parent = parent ? check->inos.items[parent - 1] : 0;
	uint64_t *ino = vec_push(&check->inos);
	struct reason bad = { 0 };
	uint32_t gen = 0;
	const char *what;
	int ret;

	if (!ino)
		return reason_set(why, ENOMEM, "out of memory while verifying");
	ret = find_planned(check, our_parent, name, length, ino, &planned, &gen);
	if (ret <= 0)
		return ret < 0 ? reason_set(why, -ret, "the staged tree can't be read")
			       : differs(check, our_parent, name, length, "a name", why);
	check->names += parent != 0;
	if (check->progress->step(check->progress->self, check->done_bytes, name, length))
		return reason_set(why, ECANCELED, "cancelled while it was verified");
	what = attr_difference(&planned, node);
	if (what) {
		differs(check, our_parent, name, length, what, &bad);
		return note_bad(check, &bad, why);
	}
	ret = check_body(check, &planned, node, gen);
	if (ret == -ECANCELED)
		return reason_set(why, ECANCELED, "cancelled while it was verified");
	if (ret == -EBADMSG)
		differs(check, our_parent, name, length, "the content", &bad);
	else if (ret < 0)
		reason_set(&bad, -ret, "\"%.*s\" can't be read back: %s", (int)length, name, strerror(-ret));
	if (ret < 0 && ret != -EBADMSG && ret != -EIO) /* the disc is gone, or memory is short */
		return reason_set(why, -ret, "%s", bad.text);
	return ret < 0 ? note_bad(check, &bad, why) : 0;
}

static int check_link(void *self, uint64_t ino, uint64_t parent, const char *name, size_t length,
		      struct reason *why)
{
	struct check *check = self;
	uint64_t our_parent = check->inos.items[parent - 1], ours;
	int ret = find_planned(check, our_parent, name, length, &ours, NULL, NULL);

	if (ret < 0)
		return reason_set(why, -ret, "the staged tree can't be read");
	check->names++;
	if (ret == 0 || ours != check->inos.items[ino - 1])
		return differs(check, our_parent, name, length, "a hard link", why);
	return 0;
}

static int check_complete(struct check *check, uint64_t names, struct reason *why)
{
	if (check->names == names)
		return 0;
	return reason_set(why, EBADMSG, VERIFICATION_FAILED "the session holds %llu names, %llu were staged",
			  (unsigned long long)check->names, (unsigned long long)names);
}

static int count_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	++*(uint64_t *)self;
	return 0;
}

/* Names of the frozen tree: every directory that the import showed, listed. */
static int count_planned(struct check *check, uint64_t *ret)
{
	int err = 0;

	*ret = 0;
	for (size_t i = 0; err == 0 && i < check->inos.count; i++) {
		WITH_LOCK(&check->tree->lock);
		err = rows_name_list(&check->tree->db, check->inos.items[i], check->gen, count_name, ret);
	}
	return err;
}

static int run(struct check *check, uint64_t start, struct reason *why)
{
	const struct import_sink sink = {
		.node = check_node, .link = check_link, .own = true, .front = check->front
	};
	struct verb_imported imported;
	uint64_t names;
	int ret, boot;

	{
		WITH_LOCK(&check->tree->lock);
		ret = tree_change_begin(check->tree);
		if (ret == 0)
			ret = db_run(&check->tree->db, db_query(&check->tree->db, QUERY_LANDED_CLEAR));
	}
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be written", check->tree->db.path);
	boot = tabled_open(&check->tabled, &check->tree->disc, start);
	ret = import_run(check->disc->fd, check->disc->path, start, check->limit, FORMAT_ROCK_RIDGE, &sink,
			 check, &imported, why);
	if (ret < 0) /* which knows better why nothing can be read */
		return ret;
	if (boot < 0)
		return reason_set(why, -boot, "the session's boot catalogue can't be read: %s",
				  strerror(-boot));
	if (check->bad)
		return end_bad(check, why);
	ret = count_planned(check, &names);
	if (ret < 0)
		return reason_set(why, -ret, "the staged tree can't be read");
	ret = check_complete(check, names, why);
	return ret < 0 ? ret : keep_landed(check, why);
}

/* Who reads the reason learns that what was burned can't be relied on, whatever came between. */
static int not_verified(int err, struct reason *why)
{
	struct reason cause = *why;

	if (cause.err == ECANCELED ||
	    strncmp(cause.text, VERIFICATION_FAILED, strlen(VERIFICATION_FAILED)) == 0)
		return err;
	why->err = 0;
	return reason_set(why, -err, VERIFICATION_FAILED "%s", cause.err ? cause.text : strerror(-err));
}

int check_session(struct disc *disc, uint32_t gen, uint64_t start, uint64_t limit,
		  const struct verb_front *front, const struct check_progress *progress, struct reason *why)
{
	struct check check = {
		.disc = disc, .tree = &disc->tree, .gen = gen, .limit = limit, .progress = progress
	};
	uint64_t old_limit = disc->tree.disc.limit;
	disc->carried_files = 0;
	int ret;

	if (front)
		check.front = *front;
	check.planned = malloc(COMPARE_BYTES);
	check.found = malloc(COMPARE_BYTES);
	if (!check.planned || !check.found) {
		ret = reason_set(why, ENOMEM, "out of memory while verifying");
	} else {
		posix_fadvise(disc->fd, (off_t)(start * SECTOR), (off_t)((limit - start) * SECTOR),
			      POSIX_FADV_DONTNEED);
		disc->tree.disc.limit = max_u64(old_limit, limit * SECTOR);
		atomic_store(&disc->tree.disc.direct, true);
		ret = run(&check, start, why);
		atomic_store(&disc->tree.disc.direct, false);
		disc->tree.disc.limit = old_limit;
	}
	free(check.planned);
	free(check.found);
	vec_clear(&check.inos);
	return ret < 0 ? not_verified(ret, why) : 0;
}
