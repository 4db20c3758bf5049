/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/bridge_base.h"

#include "disc/bridge_stream.h"
#include "disc/udf_dir.h"
#include "disc/udf_tag.h"
#include "disc/udf_volume.h"
#include "disc/volume.h"
#include "model/udf_ident.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIR_BYTES (UINT64_C(1) << 31) /* of one directory's content */
#define SAME	  1u		      /* all that it lists is what the plan has there */

struct inheriting {
	struct bridge *bridge;
	struct udf_volume volume;
	uint64_t base; /* start of the base session */
	uint8_t *same; /* by directory: SAME */
	VEC(struct udf_entry) entries;
	struct blob content;
};

static void inheriting_clear(struct inheriting *inheriting)
{
	udf_volume_close(&inheriting->volume);
	vec_clear(&inheriting->entries);
	blob_clear(&inheriting->content);
	free(inheriting->same);
}

/* The volume of that very session, and not of one before it; by the reserve sequence, where the main one is
 * lost. */
static bool open_at(struct udf_volume *volume, const struct source *source, uint64_t start)
{
	struct reason ignored = { 0 };

	return udf_volume_open(volume, source, start, 0, &ignored) > 0 && volume->ours &&
	       (volume->sequence == start + BRIDGE_SEQUENCE || volume->sequence == start + BRIDGE_RESERVE);
}

bool bridge_is_at(const struct source *source, uint64_t start)
{
	struct udf_volume volume;
	bool there = open_at(&volume, source, start);

	udf_volume_close(&volume);
	return there;
}

uint64_t bridge_start_of(const struct source *source, uint64_t session)
{
	return session >= BRIDGE_SECTORS && !bridge_is_at(source, session) &&
		       bridge_is_at(source, session - BRIDGE_SECTORS)
		   ? session - BRIDGE_SECTORS
		   : session;
}

/* The volume's descriptors have been made for all of the session: its size is that of UDF's partition. */
int bridge_read_start(const struct source *source, uint64_t start, uint8_t ret[HEAD_BYTES],
		      struct reason *why)
{
	AUTO_FREE uint8_t *inner = malloc(HEAD_BYTES);
	struct udf_volume volume;
	uint64_t end = 0;
	int got;

	if (!inner)
		return reason_set(why, ENOMEM, "out of memory");
	if (open_at(&volume, source, start))
		end = volume.space.partitions[0].blocks;
	udf_volume_close(&volume);
	if (end <= start || end > UINT32_MAX)
		return reason_set(why, EIO, "its UDF doesn't tell how large it is");
	got = source_read(source, volume_behind_front(start), HEAD_SECTORS, inner, why);
	if (got < 0)
		return got;
	memset(ret, 0, HEAD_BYTES);
	return bridge_put_start(inner, (uint32_t)end, ret) ? 0
							   : reason_set(why, EIO, "it has no descriptors");
}

static int compare_entries(const void *left, const void *right)
{
	return strcmp(((const struct udf_entry *)left)->name, ((const struct udf_entry *)right)->name);
}

/* All entries of the directory recorded at icb, in byte order. False: they can't be read. */
static bool list(struct inheriting *inheriting, uint32_t icb)
{
	AUTO_FREE struct udf_icb *dir = malloc(sizeof *dir);
	struct reason ignored = { 0 };
	struct udf_entry entry = { 0 }, *at;
	size_t next = 0;
	int got = dir ? udf_icb_read(&inheriting->volume.space, (struct udf_address){ icb, 0 }, dir, &ignored)
		      : -ENOMEM;

	inheriting->entries.count = 0;
	blob_clear(&inheriting->content);
	if (got < 0 || dir->file_type != UDF_FILE_DIRECTORY ||
	    udf_icb_content(&inheriting->volume.space, dir, DIR_BYTES, &inheriting->content, &ignored) < 0)
		return false;
	while ((got = udf_dir_next(&inheriting->content, &next, &entry, &ignored)) > 0) {
		at = vec_push(&inheriting->entries);
		if (!at)
			return false;
		*at = entry;
	}
	if (inheriting->entries.count)
		qsort(inheriting->entries.items, inheriting->entries.count, sizeof entry, compare_entries);
	return got == 0;
}

/* The file entry that the base has for a name; 0: none that may be inherited. Names that aren't recorded as
 * they are don't count: what they became depends on others. */
static uint32_t find_entry(const struct inheriting *inheriting, const char *name, size_t length)
{
	struct udf_entry key = { 0 };
	const struct udf_entry *found;
	uint8_t ident[UDF_IDENT_MOST];
	bool changed;

	(void)udf_ident(name, length, 0, ident, &changed);
	if (changed || !inheriting->entries.count)
		return 0;
	memcpy(key.name, name, length);
	found =
	    bsearch(&key, inheriting->entries.items, inheriting->entries.count, sizeof key, compare_entries);
	return found && found->icb.partition == 0 && found->icb_length ? found->icb.block : 0;
}

/* Where the base has what was there under another path: the entry is followed name by name. */
static uint32_t find_path(struct inheriting *inheriting, const char *path)
{
	uint32_t icb = inheriting->volume.root.block;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 0 || length > NAME_LIMIT || !list(inheriting, icb))
			return 0;
		icb = find_entry(inheriting, path, length);
		if (!icb)
			return 0;
		path += length + (path[length] == '/');
	}
	return icb;
}

/* A damaged file entry would be damaged in all sessions to come. Those of 100,000 files keep a drive busy for
 * as long as it writes them: there it's verify that finds them. */
static bool is_sound(struct inheriting *inheriting, uint32_t icb)
{
	struct udf_space *space = &inheriting->volume.space;
	struct reason ignored = { 0 };
	const uint8_t *block = space->source->is_drive ? NULL : udf_space_read(space, icb, &ignored);

	return space->source->is_drive ||
	       (block && udf_tag_read(block, SECTOR) == UDF_TAG_FILE && udf_tag_location(block) == icb);
}

/* Of a renamed directory what is in it is as it was. */
static void take_moved(struct inheriting *inheriting)
{
	struct bridge *bridge = inheriting->bridge;

	for (size_t i = 0; i < bridge->plan->names.count; i++) {
		const struct plan_name *name = &bridge->plan->names.items[i];
		const struct plan_node *node = &bridge->plan->nodes.items[name->node];
		bool is_dir = S_ISDIR(node->node.attr.mode);

		if (!name->was || bridge->icb[name->node] || bridge->fate[name->node] != FATE_FRESH)
			continue;
		bridge->icb[name->node] = find_path(inheriting, name->was);
		if (bridge->icb[name->node] && node->kept && !is_dir &&
		    is_sound(inheriting, bridge->icb[name->node]))
			bridge->fate[name->node] = FATE_INHERITED;
	}
}

/* Files are inherited at once; of directories the place is kept until it's known what is below them. */
static void take_dir(struct inheriting *inheriting, uint32_t dir)
{
	struct bridge *bridge = inheriting->bridge;
	uint32_t matched = 0, wanted = 0;

	for (uint32_t i = 0; i < plan_index_count(&bridge->index, dir); i++) {
		uint32_t name = plan_index_at(&bridge->index, dir, i);
		const struct plan_name *from = &bridge->plan->names.items[name];
		uint32_t node = from->node, icb;

		if (bridge->fate[node] == FATE_LEFT_OUT)
			continue;
		wanted++;
		icb = from->kept ? find_entry(inheriting, from->name, strlen(from->name)) : 0;
		if (!icb || (bridge->icb[node] && bridge->icb[node] != icb))
			continue;
		bridge->icb[node] = icb;
		if (S_ISDIR(bridge->plan->nodes.items[node].node.attr.mode)) {
			matched++;
		} else if (bridge->plan->nodes.items[node].kept && is_sound(inheriting, icb)) {
			bridge->fate[node] = FATE_INHERITED;
			matched++;
		}
	}
	if (matched == wanted && wanted == inheriting->entries.count)
		inheriting->same[dir] = SAME;
}

/* Directories come before what is in them, so from the last to the first: is all below it inherited? */
static void settle(struct inheriting *inheriting)
{
	struct bridge *bridge = inheriting->bridge;

	for (uint32_t dir = (uint32_t)bridge->plan->nodes.count; dir-- > 0;) {
		const struct plan_node *node = &bridge->plan->nodes.items[dir];

		if (!S_ISDIR(node->node.attr.mode))
			continue;
		if (inheriting->same[dir] && node->kept && bridge->icb[dir])
			bridge->fate[dir] = FATE_INHERITED;
		else if (dir)
			inheriting->same[bridge->plan->names.items[node->first_name].parent] = 0;
	}
}

int bridge_inherit(struct bridge *bridge, const struct source *source, uint64_t base, struct reason *why)
{
	CLEANUP(inheriting_clear) struct inheriting inheriting = { .bridge = bridge, .base = base };
	uint32_t nodes = (uint32_t)bridge->plan->nodes.count;

	inheriting.same = calloc(nodes + 1, sizeof *inheriting.same);
	if (!inheriting.same)
		return reason_set(why, ENOMEM, "out of memory");
	if (!open_at(&inheriting.volume, source, base))
		return 0;
	bridge->icb[0] = inheriting.volume.root.block;
	take_moved(&inheriting);
	for (uint32_t i = 0; i < nodes; i++)
		if (S_ISDIR(bridge->plan->nodes.items[i].node.attr.mode) && bridge->icb[i] &&
		    list(&inheriting, bridge->icb[i]))
			take_dir(&inheriting, i);
	settle(&inheriting);
	return 0;
}
