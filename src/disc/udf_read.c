/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_read.h"

#include "disc/udf_dir.h"
#include "disc/udf_volume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NODE_CAP      20000000u
#define DIR_BYTES     (UINT64_C(256) << 20)
#define LINK_BYTES    UINT64_C(65536)
#define WARNINGS_MOST 100u
#define IS_DIRECTORY  0x80000000u /* beside a known inode number */

/* A directory whose children are still to be read. */
struct pending {
	struct udf_icb *icb; /* owned */
	char *path;	     /* owned: for messages */
	uint64_t ino;
	uint32_t depth;
};

struct reading {
	struct udf_volume volume;
	const struct tree_sink *sink;
	void *self;
	struct reason *why;
	VEC(struct pending) ahead; /* the next one last */
	struct {
		uint32_t *slots; /* two by two: sector of a file entry, ino; 0 = free */
		size_t room, count;
	} seen;
	VEC(struct udf_entry) entries; /* of the directory at hand */
	struct blob content;
	uint64_t next_ino, names;
	uint32_t warnings, streams;
};

static void reading_clear(struct reading *reading)
{
	vec_each (&reading->ahead, at) {
		free(at->icb);
		free(at->path);
	}
	vec_clear(&reading->ahead);
	vec_clear(&reading->entries);
	blob_clear(&reading->content);
	free(reading->seen.slots);
	udf_volume_close(&reading->volume);
}

static void warn(struct reading *reading, const char *path, const char *what)
{
	char text[400];

	snprintf(text, sizeof text, "%.300s: %s", path, what);
	if (reading->warnings++ < WARNINGS_MOST)
		reading->sink->warning(reading->self, text);
}

/* Says which file it was about. */
static int name_it(struct reading *reading, const char *path, const struct reason *failed)
{
	return reason_set(reading->why, failed->err, "%.200s: %s", path[0] ? path : "/", failed->text);
}

/* Of a damaged tree that is shown all the same. what: NULL, or what the reason leads to. */
static int lose(struct reading *reading, const char *path, const char *what, const struct reason *failed)
{
	char text[400];

	if (!reading->sink->lost || reading->volume.space.budget == 0 || failed->err == ENOMEM ||
	    failed->err == ENOMEDIUM || failed->err == ESTALE)
		return reason_set(reading->why, failed->err, "%.200s: %s%s", path[0] ? path : "/",
				  what ? what : "", failed->text);
	snprintf(text, sizeof text, "%.200s: %s%.150s", path[0] ? path : "/", what ? what : "", failed->text);
	return reading->sink->lost(reading->self, text);
}

static int no_memory(struct reading *reading)
{
	return reason_set(reading->why, ENOMEM, "out of memory");
}

/* ---- file entries that came before: further names of them are hard links ---- */

static uint32_t *slot_of(const struct reading *reading, uint32_t lba)
{
	size_t mask = reading->seen.room - 1, slot = (lba * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;

	while (reading->seen.slots[2 * slot] && reading->seen.slots[2 * slot] != lba)
		slot = (slot + 1) & mask;
	return reading->seen.slots + 2 * slot;
}

static int grow_seen(struct reading *reading)
{
	size_t old = reading->seen.room;
	uint32_t *slots = reading->seen.slots;

	reading->seen.room = old ? 2 * old : 1024;
	reading->seen.slots = calloc(2 * reading->seen.room, sizeof *slots);
	for (size_t i = 0; reading->seen.slots && i < old; i++)
		if (slots[2 * i])
			memcpy(slot_of(reading, slots[2 * i]), slots + 2 * i, 2 * sizeof *slots);
	free(slots);
	return reading->seen.slots ? 0 : no_memory(reading);
}

static int remember(struct reading *reading, uint64_t lba, uint64_t ino)
{
	uint32_t *slot;

	if (2 * (reading->seen.count + 1) > reading->seen.room && grow_seen(reading) < 0)
		return -ENOMEM;
	slot = slot_of(reading, (uint32_t)lba);
	slot[0] = (uint32_t)lba;
	slot[1] = (uint32_t)ino;
	reading->seen.count++;
	return 0;
}

static uint32_t recall(const struct reading *reading, uint64_t lba)
{
	return reading->seen.room ? slot_of(reading, (uint32_t)lba)[1] : 0;
}

/* ---- sending one node ---- */

static int send_extent(void *self, const struct extent *extent)
{
	struct reading *reading = (struct reading *)self;

	return reading->sink->extent(reading->self, extent);
}

static int push_directory(struct reading *reading, const struct udf_icb *icb, const char *path,
			  uint32_t depth)
{
	struct pending *pending = vec_push(&reading->ahead);

	if (!pending)
		return no_memory(reading);
	*pending = (struct pending){ malloc(sizeof *icb), strdup(path), icb->attr.ino, depth };
	if (!pending->icb || !pending->path)
		return no_memory(reading);
	*pending->icb = *icb;
	return 0;
}

/* What has no like here is left out. NULL, or why. */
static const char *why_unusable(struct reading *reading, struct udf_icb *icb, char *target,
				struct verb_node *node, struct reason *failed)
{
	struct blob *content = &reading->content;

	if (!(icb->attr.mode & S_IFMT))
		return "left out: a file of a kind that there isn't here";
	if (icb->lacks_device)
		return "left out: a device without its numbers";
	if (!S_ISLNK(icb->attr.mode))
		return NULL;
	if (udf_icb_content(&reading->volume.space, icb, LINK_BYTES, content, failed) < 0 || failed->err)
		return NULL;
	node->target = (const uint8_t *)target;
	node->target_length = icb->attr.size = udf_link_target(content, target, TARGET_LIMIT);
	return node->target_length ? NULL : "left out: a symbolic link to nothing";
}

static int send_again(struct reading *reading, struct verb_node *node, uint32_t ino)
{
	node->again = 1;
	node->attr.ino = ino;
	node->attr.nlink = 1;
	node->attr.mode = S_IFREG;
	return reading->sink->node(reading->self, node);
}

static int ignore_extent(void *self, const struct extent *extent)
{
	return 0;
}

/* Of a damaged tree: a file is shown where it's known where all of its content is. */
static int check_extents(struct reading *reading, const struct udf_icb *icb, struct reason *failed)
{
	return reading->sink->lost && S_ISREG(icb->attr.mode)
		   ? udf_icb_extents(&reading->volume.space, icb, ignore_extent, reading, failed)
		   : 0;
}

static int send_new(struct reading *reading, struct verb_node *node, struct udf_icb *icb, const char *path,
		    uint32_t depth)
{
	struct reason failed = { 0 };
	char target[TARGET_LIMIT];
	const char *unusable = why_unusable(reading, icb, target, node, &failed);
	int got;

	if (failed.err || check_extents(reading, icb, &failed) < 0)
		return lose(reading, path, NULL, &failed);
	if (unusable) {
		warn(reading, path, unusable);
		return 0;
	}
	if (reading->next_ino >= NODE_CAP)
		return reason_set(reading->why, EMEDIUMTYPE, "more than %u files: refused", NODE_CAP);
	reading->streams += icb->has_streams;
	icb->attr.ino = ++reading->next_ino;
	icb->attr.nlink = S_ISDIR(icb->attr.mode) ? 2 : 1;
	node->attr = icb->attr;
	got = remember(reading, icb->lba, icb->attr.ino | (S_ISDIR(icb->attr.mode) ? IS_DIRECTORY : 0));
	if (got == 0)
		got = reading->sink->node(reading->self, node);
	if (got == 0 && S_ISREG(icb->attr.mode))
		got = udf_icb_extents(&reading->volume.space, icb, send_extent, reading, &failed);
	if (failed.err)
		return name_it(reading, path, &failed);
	return got == 0 && S_ISDIR(icb->attr.mode) ? push_directory(reading, icb, path, depth) : got;
}

/* ---- directories ---- */

static int compare_entries(const void *left, const void *right)
{
	const struct udf_entry *a = *(const struct udf_entry *const *)left,
			       *b = *(const struct udf_entry *const *)right;
	int order = strcmp(a->name, b->name);

	return order ? order : a < b ? -1 : a > b;
}

/* Two of one name, which a sound disc hasn't: the later ones get a number. */
static void rename_twin(struct udf_entry *entry, uint32_t number)
{
	char mark[16];
	size_t length = (size_t)snprintf(mark, sizeof mark, "~%" PRIu32, number), keep = entry->name_length;

	while (keep + length > NAME_LIMIT || (keep && (entry->name[keep] & 0xc0) == 0x80))
		keep--;
	memcpy(entry->name + keep, mark, length + 1);
	entry->name_length = keep + length;
}

/* Until there are no equal names: a new one may be somebody else's. */
static int tell_twins_apart(struct reading *reading, const char *path)
{
	size_t count = reading->entries.count;
	AUTO_FREE struct udf_entry **sorted = calloc(count + 1, sizeof *sorted);
	uint32_t number = 1;
	bool again = true;

	if (!sorted)
		return no_memory(reading);
	while (again) {
		again = false;
		for (size_t i = 0; i < count; i++)
			sorted[i] = &reading->entries.items[i];
		if (count)
			qsort(sorted, count, sizeof(struct udf_entry *), compare_entries);
		for (size_t i = 1; i < count; i++) {
			if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
				continue;
			again = true;
			warn(reading, path, "has a name twice: one of them is shown with a number");
			rename_twin(sorted[i++], ++number);
		}
	}
	return 0;
}

/* UDF 2.3.13: the file system's own file, which has the blocks that can't be used for content. */
static bool is_bookkeeping(const struct pending *dir, const struct udf_entry *entry)
{
	return dir->depth == 0 && entry->hidden &&
	       (strcmp(entry->name, "Non-Allocatable Space") == 0 ||
		strcmp(entry->name, "Non-Allocatable List") == 0);
}

static const char names_lost[] = "some or all of its names are lost: ";

/* Once for each directory. */
static int lose_names(struct reading *reading, const struct pending *dir, bool *told, struct reason *failed)
{
	int got = *told ? 0 : lose(reading, dir->path, names_lost, failed);

	*told = true;
	*failed = (struct reason){ 0 };
	return got;
}

static int load_entries(struct reading *reading, const struct pending *dir)
{
	struct reason failed = { 0 };
	bool told = false;
	size_t at = 0;
	int got;

	reading->entries.count = 0;
	got = udf_icb_content(&reading->volume.space, dir->icb, DIR_BYTES, &reading->content, &failed);
	while (got >= 0 || reading->sink->lost) {
		struct udf_entry *entry = NULL;

		if (failed.err) {
			got = lose_names(reading, dir, &told, &failed);
			if (got < 0)
				return got;
		}
		entry = vec_push(&reading->entries);
		if (!entry)
			return no_memory(reading);
		got = udf_dir_next(&reading->content, &at, entry, &failed);
		if (got <= 0)
			reading->entries.count--;
		if (got < 0 && reading->sink->lost)
			udf_dir_skip(&reading->content, &at);
		if (got == 0)
			return tell_twins_apart(reading, dir->path);
		if (++reading->names > NODE_CAP)
			return reason_set(reading->why, EMEDIUMTYPE, "more than %u files: refused", NODE_CAP);
		if (got > 0 && is_bookkeeping(dir, entry)) {
			reading->entries.count--;
		} else if (got > 0 && (entry->name_length == 0 || entry->icb_length == 0)) {
			warn(reading, dir->path, "an entry without a name or a file is left out");
			reading->entries.count--;
		}
	}
	return lose(reading, dir->path, names_lost, &failed);
}

static int send_entry(struct reading *reading, const struct pending *dir, const struct udf_entry *entry)
{
	struct verb_node node = { .parent = dir->ino,
				  .name = entry->name,
				  .name_length = entry->name_length };
	struct reason failed = { 0 };
	struct udf_icb icb;
	uint64_t lba, run;
	uint32_t known;
	char path[400];

	snprintf(path, sizeof path, "%.140s/%s", dir->path, entry->name);
	if (udf_space_map(&reading->volume.space, entry->icb, 1, &lba, &run, &failed) < 0)
		return lose(reading, path, NULL, &failed);
	known = recall(reading, lba);
	if (known & IS_DIRECTORY)
		reason_set(&failed, EBADMSG, "this directory is in another place, too: damaged");
	else if (known)
		return send_again(reading, &node, known);
	else if (udf_icb_read(&reading->volume.space, entry->icb, &icb, &failed) == 0 &&
		 dir->depth >= TREE_DEPTH_LIMIT)
		reason_set(&failed, EMEDIUMTYPE, "directories are nested deeper than %u: refused",
			   TREE_DEPTH_LIMIT);
	if (failed.err)
		return lose(reading, path, NULL, &failed);
	return send_new(reading, &node, &icb, path, dir->depth + 1);
}

static int read_directory(struct reading *reading)
{
	struct pending dir = reading->ahead.items[--reading->ahead.count];
	int got = load_entries(reading, &dir);

	for (size_t i = 0; got == 0 && i < reading->entries.count; i++)
		got = send_entry(reading, &dir, &reading->entries.items[i]);
	free(dir.icb);
	free(dir.path);
	return got;
}

static int read_all(struct reading *reading)
{
	struct verb_node node = { 0 };
	struct reason failed = { 0 };
	struct udf_icb icb;
	int got;

	if (udf_icb_read(&reading->volume.space, reading->volume.root, &icb, &failed) < 0)
		return name_it(reading, "/", &failed);
	if (!S_ISDIR(icb.attr.mode))
		return reason_set(reading->why, EBADMSG, "the root of the UDF file system isn't a directory");
	got = send_new(reading, &node, &icb, "", 0);
	while (got == 0 && reading->ahead.count)
		got = read_directory(reading);
	return got;
}

static void tell_oddities(struct reading *reading)
{
	char text[100];

	if (reading->volume.open)
		warn(reading, "the UDF file system",
		     "was left in the middle of changes (its integrity is open): something may be missing");
	snprintf(text, sizeof text, "%" PRIu32 " files have named streams, which are left out",
		 reading->streams);
	if (reading->streams)
		warn(reading, "the UDF file system", text);
}

int udf_read_tree(const struct source *source, uint64_t session, uint64_t limit, const struct tree_sink *sink,
		  void *self, struct verb_imported *ret, struct reason *why)
{
	CLEANUP(reading_clear) struct reading reading = { .sink = sink, .self = self, .why = why };
	int got = udf_volume_open(&reading.volume, source, session, limit, why);

	if (got == 0)
		return reason_set(why, EMEDIUMTYPE, "the disc has no UDF tree");
	reading.volume.space.lenient = sink->lost != NULL;
	if (sink->lost && limit) /* what is cut off is EIO when it's read */
		reading.volume.space.limit = limit;
	if (got > 0)
		got = read_all(&reading);
	if (got < 0)
		return reason_set(why, -got, "the import broke off: %s", strerror(-got));
	tell_oddities(&reading);
	*ret = (struct verb_imported){ .nodes = reading.next_ino,
				       .format = FORMAT_UDF,
				       .warnings = reading.warnings };
	snprintf(ret->label, sizeof ret->label, "%s", reading.volume.label);
	return 0;
}
