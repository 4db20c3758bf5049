/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/catalog.h"

#include "base/log.h"
#include "store/rows.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BRIEF 8u

void catalog_clear(struct catalog *catalog)
{
	vec_each (&catalog->discs, disc)
		shelf_clear(&disc->shelf);
	vec_clear(&catalog->discs);
}

static void db_path(const struct catalog *catalog, const char *id, char *ret, size_t room)
{
	snprintf(ret, room, "%s/%s/overlay.db", catalog->root, id);
}

int catalog_open_db(const struct catalog *catalog, const struct catalog_disc *disc, struct db *ret,
		    struct reason *why)
{
	char path[PATH_LIMIT + 64];

	db_path(catalog, disc->id, path, sizeof path);
	return db_open_reader(ret, path, why);
}

/* One sentence for all that may be wrong inside a database. */
static int unreadable(const struct catalog_disc *disc, const struct db *db, int err, struct reason *why)
{
	return reason_set(why, err,
			  "%s is damaged or can't be read (discfsctl catalog forget --force %s gives it up)",
			  db->path, disc->id);
}

static void load(const struct catalog *catalog, struct catalog_disc *disc)
{
	struct db db CLEANUP(db_close) = { 0 };
	int found = catalog_open_db(catalog, disc, &db, &disc->unreadable);

	if (found < 0)
		return;
	found = shelf_load(&db, &disc->shelf);
	if (found < 0)
		unreadable(disc, &db, -found, &disc->unreadable);
	disc->known = found > 0;
}

static int add_disc(struct catalog *catalog, const char *id)
{
	char path[PATH_LIMIT + 64];
	struct catalog_disc *disc;

	db_path(catalog, id, path, sizeof path);
	if (id[0] == '.' || strlen(id) >= sizeof disc->id || access(path, F_OK) < 0)
		return 0;
	disc = vec_push(&catalog->discs);
	if (!disc)
		return -ENOMEM;
	*disc = (struct catalog_disc){ 0 };
	snprintf(disc->id, sizeof disc->id, "%s", id);
	load(catalog, disc);
	return 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_discs(struct catalog *catalog, struct reason *why)
{
	DIR *dir CLEANUP(close_dir) = opendir(catalog->root);
	const struct dirent *entry;
	int ret = 0;

	if (!dir)
		return errno == ENOENT
			   ? 0
			   : reason_set(why, errno, "%s can't be read: %s", catalog->root, strerror(errno));
	while (ret == 0 && (entry = readdir(dir)))
		ret = add_disc(catalog, entry->d_name);
	return ret < 0 ? reason_set(why, -ret, "out of memory") : 0;
}

static int by_last_seen(const void *a, const void *b)
{
	const struct catalog_disc *left = a, *right = b;

	if (left->shelf.seen != right->shelf.seen)
		return left->shelf.seen < right->shelf.seen ? 1 : -1;
	return strcmp(left->id, right->id);
}

static size_t alike(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	return length;
}

static void shorten_ids(struct catalog *catalog)
{
	catalog->brief_width = BRIEF;
	vec_each (&catalog->discs, disc) {
		size_t needed = BRIEF;

		vec_each (&catalog->discs, other)
			if (other != disc && alike(disc->id, other->id) >= needed)
				needed = alike(disc->id, other->id) + 1;
		/* A copy that went its own way has the same hexadecimal digits, and "-2" behind them. */
		if (needed > strcspn(disc->id, "-"))
			needed = strlen(disc->id);
		snprintf(disc->brief, sizeof disc->brief, "%.*s", (int)needed, disc->id);
		if ((int)strlen(disc->brief) > catalog->brief_width)
			catalog->brief_width = (int)strlen(disc->brief);
	}
}

/* Who may not take the root's lock isn't told. */
static void see_mounted(struct catalog *catalog)
{
	struct reason why = { 0 };
	int lock AUTO_CLOSE = catalog->discs.count ? state_lock_root(catalog->root, &why) : -1;

	vec_each (&catalog->discs, disc)
		disc->mounted = lock >= 0 && state_is_taken(catalog->root, disc->id);
}

int catalog_open(struct catalog *catalog, const char *root, struct reason *why)
{
	int ret;

	*catalog = (struct catalog){ 0 };
	if ((size_t)snprintf(catalog->root, sizeof catalog->root, "%s", root) >= sizeof catalog->root)
		return reason_set(why, ENAMETOOLONG, "the state directory's name is too long");
	ret = add_discs(catalog, why);
	if (ret < 0)
		return ret;
	if (catalog->discs.count)
		qsort(catalog->discs.items, catalog->discs.count, sizeof *catalog->discs.items, by_last_seen);
	shorten_ids(catalog);
	see_mounted(catalog);
	return 0;
}

const char *catalog_name(const struct catalog_disc *disc)
{
	return disc->shelf.label[0] ? disc->shelf.label : disc->brief;
}

/* What became of the disc counts, not what it was. */
static bool is_called(const struct catalog_disc *disc, const char *word)
{
	return disc->known && !disc->shelf.older && !disc->shelf.superseded[0] &&
	       strcmp(disc->shelf.label, word) == 0;
}

static bool begins(const struct catalog_disc *disc, const char *word)
{
	return strncmp(disc->id, word, strlen(word)) == 0;
}

static int tell_several(struct catalog *catalog, const char *word,
			bool (*fits)(const struct catalog_disc *disc, const char *word), struct reason *why)
{
	reason_set(why, ENOTUNIQ, "'%s' may be any of these discs:", word);
	vec_each (&catalog->discs, disc) {
		size_t used = strlen(why->text);

		if (fits(disc, word))
			snprintf(why->text + used, sizeof why->text - used, " %s (%s)", disc->brief,
				 disc->shelf.label[0] ? disc->shelf.label : "no label");
	}
	return -ENOTUNIQ;
}

int catalog_find(struct catalog *catalog, const char *word, struct catalog_disc **ret, struct reason *why)
{
	struct catalog_disc *called = NULL, *begun = NULL;
	unsigned calls = 0, beginnings = 0;

	vec_each (&catalog->discs, disc) {
		if (strcmp(disc->id, word) == 0) {
			*ret = disc;
			return 0;
		}
		if (*word && is_called(disc, word)) {
			called = disc;
			calls++;
		}
		if (*word && begins(disc, word)) {
			begun = disc;
			beginnings++;
		}
	}
	if (calls > 1)
		return tell_several(catalog, word, is_called, why);
	if (calls == 0 && beginnings > 1)
		return tell_several(catalog, word, begins, why);
	*ret = called ? called : begun;
	return *ret ? 0
		    : reason_set(why, ENOENT, "%s knows no disc that is called '%s' or whose id begins so",
				 catalog->root, word);
}

static int add_spooled(void *self, struct node *node, uint32_t gen)
{
	uint64_t *sum = self;

	*sum += extent_map_spooled(&node->map);
	return 0;
}

static void close_tree(struct tree **tree)
{
	if (!*tree)
		return;
	if ((*tree)->db.handle)
		db_close(&(*tree)->db);
	free(*tree);
}

/* A tree of which only the rows are looked at. */
static struct tree *open_tree(const struct catalog *catalog, const struct catalog_disc *disc,
			      struct reason *why)
{
	struct tree *tree CLEANUP(close_tree) = calloc(1, sizeof *tree);
	int64_t gen;

	if (!tree) {
		reason_set(why, ENOMEM, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&tree->lock, NULL);
	pthread_mutex_init(&tree->account, NULL);
	if (catalog_open_db(catalog, disc, &tree->db, why) < 0)
		return NULL;
	gen = db_int(&tree->db, QUERY_MAX_GEN);
	tree->gen = gen > 0 ? (uint32_t)gen : 1;
	return TAKE(tree);
}

int catalog_look_staged(const struct catalog *catalog, struct catalog_disc *disc, struct reason *why)
{
	struct tree *tree CLEANUP(close_tree) = NULL;
	int64_t cut_off;
	int ret;

	if (disc->unreadable.err) {
		*why = disc->unreadable;
		return -why->err;
	}
	tree = open_tree(catalog, disc, why);
	if (!tree)
		return -why->err;
	db_reads_begin(&tree->db); /* one state of things, whatever the mount does meanwhile */
	ret = changes_count(tree, &disc->staged);
	if (ret == 0)
		ret = rows_node_staged(&tree->db, add_spooled, &disc->staged_bytes);
	cut_off = ret < 0 ? ret : db_int(&tree->db, QUERY_JOURNAL_COUNT);
	db_reads_end(&tree->db);
	disc->cut_off = cut_off > 0 && !disc->mounted;
	return cut_off < 0 ? unreadable(disc, &tree->db, (int)-cut_off, why) : 0;
}

bool catalog_is_staged(const struct catalog_disc *disc)
{
	return disc->cut_off || changes_any(&disc->staged) > 0;
}

int catalog_forget(const struct catalog *catalog, const struct catalog_disc *disc, struct reason *why)
{
	struct state state;
	int ret = state_open_id(&state, catalog->root, disc->id, why);

	if (ret == 0)
		ret = state_remove(&state, why);
	state_close(&state);
	return ret;
}

/* Whatever is in it, if only a time that was changed and changed back: 1, 0, or -errno. */
static int holds_work(const struct catalog *catalog, const struct catalog_disc *disc, struct reason *why)
{
	struct db db CLEANUP(db_close) = { 0 };
	int ret = catalog_open_db(catalog, disc, &db, why);

	return ret < 0 ? ret : (int)db_int(&db, QUERY_STAGED_ANY);
}

static int mark_superseded(const struct state *state, const char *by, struct reason *why)
{
	struct db db CLEANUP(db_close) = { 0 };
	char path[PATH_LIMIT + 128];
	int ret;

	snprintf(path, sizeof path, "%s/overlay.db", state->path);
	ret = db_open(&db, path, why);
	if (ret == 0)
		ret = db_begin(&db);
	return ret < 0 ? ret : shelf_supersede(&db, by);
}

/* Nobody else has it: it's locked. */
static int supersede(const struct catalog *catalog, const struct catalog_disc *disc, struct state *state,
		     const char *by, struct reason *why)
{
	int work = holds_work(catalog, disc, why);

	if (work == 0)
		return state_remove(state, why);
	if (work < 0)
		return work;
	log_notice("work that was staged for this disc before another program wrote to it is kept in %s "
		   "(discfsctl catalog show %s)",
		   state->path, disc->brief);
	return mark_superseded(state, by, why);
}

void catalog_supersede(const struct state *mine, const struct shelf *now)
{
	struct catalog catalog CLEANUP(catalog_clear) = { 0 };
	struct reason why = { 0 };

	if (catalog_open(&catalog, mine->root, &why) < 0)
		log_warning("%s", why.text);
	vec_each (&catalog.discs, disc) {
		struct state state;

		if (!disc->known || strcmp(disc->id, mine->id) == 0 || !shelf_continues(&disc->shelf, now))
			continue;
		if (state_open_id(&state, mine->root, disc->id, &why) == 0 &&
		    supersede(&catalog, disc, &state, mine->id, &why) < 0)
			log_warning("%s", why.text);
		state_close(&state);
	}
}
