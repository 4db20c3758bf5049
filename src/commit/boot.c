/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/boot.h"

#include "base/log.h"
#include "model/cost.h"
#include "store/held.h"
#include "store/links.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

#define RECORD_AT    17u /* sector of a session: behind its primary descriptor, El Torito 1.0, section 2 */
#define TABLE_MOST   (32u << 20) /* bytes of an image that libisofs puts a table into */
#define CATALOG_COST 2u		 /* sectors: the record and the catalogue */

void boot_images_clear(struct boot_images *images)
{
	vec_each (&images->list, image)
		text_clear(&image->path);
	vec_clear(&images->list);
}

static int no_memory(struct reason *why)
{
	return reason_set(why, ENOMEM, "out of memory");
}

static int unreadable(int err, struct reason *why)
{
	if (err == -EAGAIN)
		return reason_set(why, EBUSY, "the drive burns, and can't be asked before that has ended");
	return reason_set(
	    why, -err,
	    "the disc's boot catalogue can't be read (%s): discfsctl boot --none goes on without it",
	    strerror(-err));
}

/* ---- what the disc has ---- */

/* Does the image say of itself where it is? Then it has a table. */
static bool has_table(const uint8_t *sector, const struct boot_entry *entry, struct boot_table *ret)
{
	boot_table_get(sector, ret);
	return entry->media == 0 && ret->lba == entry->lba && ret->length >= BOOT_TABLE_END &&
	       ret->length <= TABLE_MOST;
}

/* A loader that is led by such a table to an older session's tree boots that one: it's recorded again, with
 * another table, so that it reads the newest. The head's descriptor is always the newest. */
static bool is_stale(bool sequential, const struct boot_table *table)
{
	return sequential || table->descriptor != 16;
}

static int add_entry(struct disc *disc, bool sequential, const struct boot_entry *entry,
		     struct boot_images *ret)
{
	uint8_t sector[SECTOR];
	struct boot_table table;
	struct boot_image *image = vec_push(&ret->list);

	if (!image)
		return -ENOMEM;
	*image = (struct boot_image){ .entry = *entry };
	/* One that can't be read is none that could be recorded again. */
	if (disc_read(&disc->tree.disc, sector, sizeof sector, (uint64_t)entry->lba * SECTOR) < 0 ||
	    !has_table(sector, entry, &table))
		return 0;
	image->table = true;
	image->again = is_stale(sequential, &table);
	image->size = table.length;
	return 0;
}

static int read_entries(struct disc *disc, struct boot_images *ret)
{
	struct boot_entry entries[BOOT_IMAGES_MOST];
	uint8_t block[SECTOR];
	uint64_t base;
	uint32_t count, at;
	bool sequential;
	int got;

	{
		WITH_LOCK(&disc->lock);
		sequential = disc_is_sequential(&disc->probe);
		if (disc->offline || disc->probe.disc.state == DISC_BLANK)
			return 0;
		base = disc->probe.disc.base;
	}
	if ((base + RECORD_AT + 1) * SECTOR > atomic_load(&disc->tree.disc.limit))
		return 0;
	got = disc_read(&disc->tree.disc, block, sizeof block, (base + RECORD_AT) * SECTOR);
	if (got < 0 || !boot_record_read(block, &at))
		return got;
	got = disc_read(&disc->tree.disc, block, sizeof block, (uint64_t)at * SECTOR);
	count = got == 0 ? boot_catalog_read(block, entries) : 0;
	ret->catalog = at;
	for (uint32_t i = 0; got == 0 && i < count; i++)
		got = add_entry(disc, sequential, &entries[i], ret);
	return got;
}

/* Which file of the base that is. */
static int find_file(struct disc *disc, struct boot_image *image)
{
	struct node base CLEANUP(node_clear) = { 0 };
	struct db *db = &disc->tree.db;
	uint32_t gen;
	int got = boot_find_file(db, image->entry.lba, &image->ino);

	if (got > 0)
		got = rows_node_get(db, image->ino, 0, &base, &gen);
	if (got > 0)
		image->size = base.attr.size;
	if (got > 0 && rows_path(db, image->ino, 0, &image->path) < 0)
		image->ino = 0;
	return got < 0 ? got : 0;
}

/* libisofs takes a file that lies where the catalogue does for the catalogue, and records its own one under
 * that name: with other headers above the same entries, without what it doesn't know, in 2048 bytes, once for
 * each name. So the session gets a catalogue without a name, where libisofs can make that anew: it doesn't
 * take any image for an emulated medium, nor any segment. */
static int find_catalog(struct disc *disc, struct boot_images *images)
{
	uint64_t ino;
	int got;

	vec_each (&images->list, image)
		if (image->entry.media || image->entry.load_segment >> 12 == 8)
			return 0;
	got = images->list.count ? boot_find_file(&disc->tree.db, images->catalog, &ino) : 0;
	images->anew = got > 0;
	return got < 0 ? got : 0;
}

int boot_look(struct disc *disc, struct boot_images *ret, struct reason *why)
{
	int got = read_entries(disc, ret);

	if (got < 0)
		return unreadable(got, why);
	WITH_LOCK(&disc->tree.lock);
	vec_each (&ret->list, image) {
		got = find_file(disc, image);
		if (got < 0)
			return unreadable(got, why);
	}
	got = find_catalog(disc, ret);
	return got < 0 ? unreadable(got, why) : 0;
}

/* ---- what the next session gets ---- */

/* The node at the path, as seen up to gen. 1 = found, 0 = none, or -errno. */
static int find_path(struct db *db, const char *path, uint32_t gen, uint64_t *ret_ino, uint64_t *ret_parent)
{
	int got = 1;

	*ret_ino = *ret_parent = ROOT_INO;
	for (const char *at = path; got > 0 && *at;) {
		size_t length = strcspn(at, "/");

		if (length) {
			*ret_parent = *ret_ino;
			got = rows_name_get(db, *ret_parent, at, length, gen, ret_ino, NULL);
		}
		at += length + (at[length] == '/');
	}
	return got;
}

/* Needs the tree's lock. 1 = the name won't be burned, 0 = it will, or there's none, -errno. */
static int is_litter(struct held *held, uint64_t parent, const char *name, size_t length)
{
	struct db *db = &held->tree->db;
	uint64_t now, base = 0;
	int got = rows_name_get(db, parent, name, length, 0, &base, NULL);

	if (got >= 0)
		got = rows_name_get(db, parent, name, length, GEN_NEWEST, &now, NULL);
	return got > 0 && now != base ? held_name(held, parent, name, length, base) : got < 0 ? got : 0;
}

/* What is frozen has no litter; of what is staged now it's not yet parted. 1, 0 = all its names are such, or
 * -errno. */
static int is_burned(struct tree *tree, uint64_t ino, uint32_t gen)
{
	struct held held CLEANUP(held_clear) = { .tree = tree };
	struct links names CLEANUP(links_clear) = { 0 };
	int got = gen == GEN_NEWEST ? rows_names_of(&tree->db, ino, gen, links_keep, &names) : 0;
	size_t litter = 0;

	for (size_t i = 0; got >= 0 && i < names.list.count; i++) {
		const struct link_name *name = &names.list.items[i];

		got = is_litter(&held, name->parent, link_name_bytes(&names, name), name->length);
		litter += got > 0;
		got = got == -ENOENT ? 0 : got; /* it's in a directory that is gone */
	}
	return got < 0 ? got : litter == 0 || litter < names.list.count;
}

/* The file that was ino at that path: where it is now, or what has its name. 1, 0 = it's gone, or -errno. */
static int follow(struct tree *tree, uint64_t ino, const char *path, uint32_t gen, struct node *ret)
{
	struct db *db = &tree->db;
	uint64_t parent;
	uint32_t of;
	int got = rows_node_get(db, ino, gen, ret, &of);

	if (got <= 0 || !ret->attr.nlink) {
		node_clear(ret);
		*ret = (struct node){ 0 };
		if (got >= 0)
			got = find_path(db, path, gen, &ino, &parent);
		if (got > 0)
			got = rows_node_get(db, ino, gen, ret, &of);
	}
	if (got > 0)
		got = S_ISREG(ret->attr.mode) && ret->attr.size > 0;
	return got > 0 ? is_burned(tree, ino, gen) : got;
}

static bool takes_table(uint64_t size)
{
	return size >= BOOT_TABLE_END && size <= TABLE_MOST;
}

static int keep(struct disc *disc, uint32_t gen, struct boot_image *image, bool *anew)
{
	struct node base CLEANUP(node_clear) = { 0 }, now CLEANUP(node_clear) = { 0 };
	struct db *db = &disc->tree.db;
	/* a single sector is what a loader for a BIOS begins with, however long it is */
	bool changed, whole = image->entry.load_size == boot_blocks(image->size) &&
			      image->entry.load_size > SECTOR / 512;
	uint32_t of;
	int got = image->ino ? rows_node_get(db, image->ino, 0, &base, &of) : 0;

	if (got > 0)
		got = follow(&disc->tree, image->ino, image->path.data ? image->path.data : "", gen, &now);
	if (got <= 0) {
		image->ino = 0;
		image->again = false;
		text_clear(&image->path);
		return got;
	}
	changed = !extent_map_equal(&base.map, &now.map) || base.attr.size != now.attr.size;
	image->staged = changed;
	image->table = image->table && takes_table(now.attr.size);
	image->again = image->table && (image->again || changed);
	*anew |= image->again || changed;
	image->ino = now.attr.ino;
	image->size = now.attr.size;
	if (whole)
		image->entry.load_size = (uint16_t)min_u64(boot_blocks(now.attr.size), BOOT_LOAD_MOST);
	text_clear(&image->path);
	return rows_path(db, image->ino, gen, &image->path);
}

/* How the image is found at boot, when it's staged. */
static void make_entry(uint8_t platform, uint32_t load_size, uint64_t size, struct boot_entry *ret)
{
	*ret = (struct boot_entry){
		.platform = platform,
		.bootable = true,
		.load_size = (uint16_t)(load_size ? load_size : boot_default_load(platform, size)),
	};
}

static int take_wish(struct disc *disc, uint32_t gen, enum boot_slot slot, const struct boot_wish *wish,
		     struct boot_images *ret, struct reason *why)
{
	struct node node CLEANUP(node_clear) = { 0 };
	const char *path = wish->path.data ? wish->path.data : "";
	struct boot_image *image;
	int got = follow(&disc->tree, wish->ino, path, gen, &node);

	if (got == 0)
		return reason_set(why, ENOENT,
				  "the boot image \"%.300s\" is gone, empty or held back: attach another "
				  "(discfsctl boot PATH), or keep what the disc has (discfsctl boot --keep)",
				  path);
	if (got > 0 && wish->table && !takes_table(node.attr.size))
		return reason_set(
		    why, ERANGE,
		    "the boot image \"%.300s\" is too small or too large now for a boot information "
		    "table: attach it again without one, or another",
		    path);
	image = got > 0 ? vec_push(&ret->list) : NULL;
	if (!image)
		return got < 0 ? reason_set(why, -got, "the staged tree can't be read: %s", strerror(-got))
			       : no_memory(why);
	*image = (struct boot_image){
		.ino = node.attr.ino,
		.size = node.attr.size,
		.staged = true,
		.table = wish->table,
		.again = wish->table,
	};
	make_entry(boot_slot_platform(slot), wish->load_size, node.attr.size, &image->entry);
	got = rows_path(&disc->tree.db, image->ino, gen, &image->path);
	return got < 0 ? reason_set(why, -got, "the staged tree can't be read: %s", strerror(-got)) : 0;
}

static bool is_replaced(const struct boot_wishes *wishes, const struct boot_entry *entry)
{
	for (size_t slot = BOOT_SLOT_BIOS; slot < BOOT_SLOTS; slot++)
		if (wishes->slots[slot].set && boot_slot_platform((enum boot_slot)slot) == entry->platform)
			return true;
	return wishes->none;
}

/* The first entry is the one that every BIOS knows: an image for it comes first. */
static int decide(struct disc *disc, uint32_t gen, const struct boot_wishes *wishes, struct boot_images *base,
		  struct boot_images *ret, struct reason *why)
{
	int got = 0;

	if (wishes->slots[BOOT_SLOT_BIOS].ino)
		got = take_wish(disc, gen, BOOT_SLOT_BIOS, &wishes->slots[BOOT_SLOT_BIOS], ret, why);
	vec_each (&base->list, old) {
		struct boot_image *image = NULL;

		if (got < 0 || is_replaced(wishes, &old->entry))
			continue;
		image = vec_push(&ret->list);
		if (!image)
			return no_memory(why);
		*image = *old;
		image->path = (struct text){ 0 };
		text_add_bytes(&image->path, old->path.data, old->path.length);
		got = keep(disc, gen, image, &ret->anew);
		if (got < 0 || image->path.failed)
			return unreadable(got < 0 ? got : -ENOMEM, why);
	}
	if (got == 0 && wishes->slots[BOOT_SLOT_EFI].ino)
		got = take_wish(disc, gen, BOOT_SLOT_EFI, &wishes->slots[BOOT_SLOT_EFI], ret, why);
	if (got == 0 && ret->list.count > BOOT_IMAGES_MOST)
		got = reason_set(why, ERANGE,
				 "the disc has so many boot images that there is no place for another: keep "
				 "what it has (discfsctl boot --keep), or go on without (--none)");
	return got;
}

static int load_wishes(struct disc *disc, uint32_t gen, struct boot_wishes *ret, struct reason *why)
{
	int got;

	WITH_LOCK(&disc->tree.lock);
	if (gen == GEN_NEWEST) /* what can't be flushed isn't told of */
		(void)tree_flush_locked(&disc->tree);
	got = boot_wishes_load(&disc->tree.db, gen, ret);
	return got < 0 ? reason_set(why, -got, "%s can't be read", disc->tree.db.path) : got;
}

int boot_decide(struct disc *disc, uint32_t gen, struct boot_images *ret, struct reason *why)
{
	struct boot_images base CLEANUP(boot_images_clear) = { 0 };
	struct boot_wishes wishes CLEANUP(boot_wishes_clear) = { 0 };
	int got = load_wishes(disc, gen, &wishes, why);

	ret->anew = got > 0;
	if (got >= 0 && !wishes.none)
		got = boot_look(disc, &base, why);
	if (got < 0)
		return got;
	ret->anew |= base.anew;
	WITH_LOCK(&disc->tree.lock);
	return decide(disc, gen, &wishes, &base, ret, why);
}

int boot_send(struct boot_images *images, struct burn *burn, struct reason *why)
{
	vec_each (&images->list, image) {
		int ret =
		    images->anew
			? burn_boot(burn, &(struct verb_boot){ image->entry, image->ino, image->again }, why)
			: 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- what is staged ---- */

static int check_kind(const char *path, uint32_t mode, struct reason *why)
{
	if (S_ISDIR(mode))
		return reason_set(why, EISDIR, "%s is a directory: a boot image is a file", path);
	if (S_ISLNK(mode))
		return reason_set(why, ELOOP, "%s is a symbolic link: name the file itself", path);
	return S_ISREG(mode) ? 0 : reason_set(why, EINVAL, "%s is no file", path);
}

static int check_node(const char *path, const struct node *node, const struct boot_request *request,
		      struct reason *why)
{
	uint64_t size = node->attr.size;
	int ret = check_kind(path, node->attr.mode, why);

	if (ret < 0)
		return ret;
	if (node->zf.length)
		return reason_set(why, EMEDIUMTYPE, "%s is stored in compressed form (zisofs)", path);
	if (size == 0)
		return reason_set(why, ENODATA, "%s is empty", path);
	if (size > BOOT_SIZE_MOST || (request->table && size > BOOT_TABLE_END && !takes_table(size)))
		return reason_set(why, EFBIG, "%s is too large for a boot image%s", path,
				  request->table ? " with a table: 32 MiB at most" : "");
	if (request->load_size > min_u64(BOOT_LOAD_MOST, boot_blocks(size)) ||
	    (request->table && !takes_table(size)))
		return reason_set(
		    why, ERANGE,
		    "%s is too small for what is asked of it, or asks for more than %u blocks to be loaded",
		    path, BOOT_LOAD_MOST);
	return 0;
}

/* Needs the tree's lock. The name must be one that is burned. */
static int check_litter(struct tree *tree, uint64_t parent, const char *path, struct reason *why)
{
	struct held held CLEANUP(held_clear) = { .tree = tree };
	const char *name = strrchr(path, '/');
	int got;

	name = name ? name + 1 : path;
	got = is_litter(&held, parent, name, strlen(name));
	if (got > 0)
		return reason_set(why, EOPNOTSUPP, "%s is litter (-o exclude=), which isn't burned", path);
	return got < 0 ? reason_set(why, -got, "%s can't be looked up", path) : 0;
}

/* Needs the tree's lock. */
static int find_request(struct tree *tree, const struct boot_request *request, struct boot_wish *ret,
			struct reason *why)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint64_t ino = request->ino, parent = 0;
	uint32_t gen;
	int got = tree_flush_locked(tree);

	if (got == 0 && !request->path)
		got = rows_path(&tree->db, ino, GEN_NEWEST, &ret->path);
	if (got == 0 && request->path)
		text_add(&ret->path, "%s", request->path + strspn(request->path, "/"));
	if (ret->path.failed)
		got = -ENOMEM;
	if (got == 0)
		got = find_path(&tree->db, ret->path.data ? ret->path.data : "", GEN_NEWEST, &ino, &parent);
	if (got > 0)
		got = rows_node_get(&tree->db, ino, GEN_NEWEST, &node, &gen);
	if (got <= 0)
		return reason_set(why, got < 0 ? -got : ENOENT, "%s: %s",
				  ret->path.data ? ret->path.data : "?", strerror(got < 0 ? -got : ENOENT));
	ret->ino = ino;
	got = check_node(ret->path.length ? ret->path.data : "/", &node, request, why);
	return got < 0 ? got : check_litter(tree, parent, ret->path.data, why);
}

int boot_attach(struct disc *disc, const struct boot_request *request, struct reason *why)
{
	struct boot_wish wish = { .load_size = request->load_size, .table = request->table };
	struct tree *tree = &disc->tree;
	int ret;

	{
		WITH_LOCK(&tree->lock);
		ret = find_request(tree, request, &wish, why);
	}
	if (ret == 0)
		ret = boot_stage(tree, request->slot, &wish);
	text_clear(&wish.path);
	if (ret < 0)
		return reason_set(why, -ret, "the boot image can't be staged: %s", strerror(-ret));
	boot_measure(disc);
	return 0;
}

int boot_detach(struct disc *disc, enum boot_slot slot)
{
	int ret = boot_stage(&disc->tree, slot, &(struct boot_wish){ 0 });

	boot_measure(disc);
	return ret;
}

/* Will the disc boot once a commit that is under way has ended? What can't be read may. */
static bool boots_something(struct disc *disc)
{
	struct boot_images base CLEANUP(boot_images_clear) = { 0 };
	struct boot_wishes frozen CLEANUP(boot_wishes_clear) = { 0 };
	struct tree *tree = &disc->tree;

	if (read_entries(disc, &base) < 0 || base.list.count)
		return true;
	WITH_LOCK(&tree->lock);
	return boot_wishes_load(&tree->db, tree->gen - 1, &frozen) != 0;
}

int boot_reset(struct disc *disc, bool none)
{
	int ret = none && boots_something(disc) ? boot_stage_none(&disc->tree) : boot_unstage(&disc->tree);

	boot_measure(disc);
	return ret;
}

/* ---- room ---- */

/* An image that lies on the disc already, and must be recorded again. */
static uint64_t wish_cost(struct tree *tree, const struct boot_wish *wish)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint32_t gen;

	if (!wish->ino || !wish->table || rows_node_get(&tree->db, wish->ino, GEN_NEWEST, &node, &gen) <= 0 ||
	    cost_body(&node))
		return 0;
	return sectors_of(node.attr.size);
}

void boot_measure(struct disc *disc)
{
	struct boot_images base CLEANUP(boot_images_clear) = { 0 };
	struct boot_wishes wishes CLEANUP(boot_wishes_clear) = { 0 };
	struct tree *tree = &disc->tree;
	uint64_t sectors = 0;

	(void)read_entries(disc, &base); /* of what can't be read nothing is known */
	vec_each (&base.list, image)
		sectors += image->again ? sectors_of(image->size) : 0;
	WITH_LOCK(&tree->lock);
	if (boot_wishes_load(&tree->db, GEN_NEWEST, &wishes) > 0)
		for (size_t i = 0; i < BOOT_SLOTS; i++)
			sectors += wish_cost(tree, &wishes.slots[i]);
	if (base.list.count || boot_wishes_count(&wishes))
		sectors += CATALOG_COST;
	atomic_store(&tree->boot_sectors, sectors);
}
