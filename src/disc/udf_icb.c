/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_icb.h"

#include "disc/udf_tag.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

/* ICB tag, ECMA-167 4/14.6; offsets from the descriptor's begin. */
enum { AT_STRATEGY = 16 + 4, AT_FILE_TYPE = 16 + 11, AT_FLAGS = 16 + 18 };
/* What both kinds of file entry have at the same place. */
enum { AT_UID = 36, AT_GID = 40, AT_PERMISSIONS = 44, AT_SIZE = 56 };

#define FLAG_SETUID 0x40u
#define FLAG_SETGID 0x80u
#define FLAG_STICKY 0x100u

#define STRATEGY_DIRECT 4u
#define NOBODY		UINT32_MAX

/* Kinds of allocation descriptors, ECMA-167 4/14.6.8. */
enum { DESCRIPTORS_SHORT = 0, DESCRIPTORS_LONG = 1, DESCRIPTORS_NONE = 3 };
/* The top two bits of an extent's length, ECMA-167 4/14.14.1.1. */
enum { EXTENT_RECORDED = 0, EXTENT_ALLOCATED = 1, EXTENT_ABSENT = 2, EXTENT_MORE_DESCRIPTORS = 3 };

#define CHAIN_LIMIT   65536u	 /* allocation extents of one file */
#define EXTENT_LIMIT  (1u << 20) /* pieces of one file */
#define SIZE_LIMIT    (UINT64_C(1) << 62)
#define EA_DEVICE     12u /* ECMA-167 4/14.10.7 */
#define ALLOCATION_AT 24u /* ECMA-167 4/14.5 */

/* Where the two kinds differ: ECMA-167 4/14.9 and 4/14.17. */
static const struct entry_layout {
	uint32_t tag, atime, mtime, ctime, streams, ea_length, length, attributes;
} layouts[] = {
	{ UDF_TAG_FILE, 72, 84, 96, 0, 168, 172, 176 },
	{ UDF_TAG_EXTENDED_FILE, 80, 92, 116, 152, 208, 212, 216 },
};

static const struct {
	uint32_t file_type;
	uint32_t mode;
} types[] = {
	{ UDF_FILE_UNKNOWN, S_IFREG }, { UDF_FILE_DIRECTORY, S_IFDIR }, { UDF_FILE_REGULAR, S_IFREG },
	{ UDF_FILE_BLOCK, S_IFBLK },   { UDF_FILE_CHARACTER, S_IFCHR }, { UDF_FILE_FIFO, S_IFIFO },
	{ UDF_FILE_SOCKET, S_IFSOCK }, { UDF_FILE_SYMLINK, S_IFLNK },	{ UDF_FILE_REALTIME, S_IFREG },
};

static uint32_t mode_of(uint32_t file_type, uint32_t permissions, uint32_t flags)
{
	/* Execute, write, read as in POSIX; the bits for changing attributes and deleting have no like. */
	uint32_t mode = (permissions & 7) | (permissions >> 5 & 7) << 3 | (permissions >> 10 & 7) << 6;

	mode |= flags & FLAG_SETUID ? S_ISUID : 0;
	mode |= flags & FLAG_SETGID ? S_ISGID : 0;
	mode |= flags & FLAG_STICKY ? S_ISVTX : 0;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].file_type == file_type)
			return mode | types[i].mode;
	return mode;
}

/* Extended attributes in the entry itself, ECMA-167 4/14.10: only that of devices has a place here. */
static bool find_device(const uint8_t *area, uint32_t length, uint64_t *ret)
{
	uint32_t at = 24, size;

	if (udf_tag_read(area, length) != UDF_TAG_ATTRIBUTES)
		return false;
	for (; at <= length && length - at >= 12; at += size) {
		size = get_le32(area + at + 8);
		if (size < 12 || size > length - at)
			return false;
		if (get_le32(area + at) == EA_DEVICE && size >= 24) {
			*ret = makedev(get_le32(area + at + 16), get_le32(area + at + 20));
			return true;
		}
	}
	return false;
}

static int read_layout(const struct entry_layout *layout, struct udf_icb *icb, struct reason *why)
{
	const uint8_t *block = icb->block;
	uint32_t attributes = get_le32(block + layout->ea_length), flags = get_le16(block + AT_FLAGS);

	icb->body_length = get_le32(block + layout->length);
	if (!range_within(layout->attributes, attributes, SECTOR) ||
	    !range_within(layout->attributes + attributes, icb->body_length, SECTOR))
		return reason_set(why, EBADMSG, "its file entry at sector %" PRIu64 " is damaged", icb->lba);
	icb->body_at = layout->attributes + attributes;
	icb->descriptors = flags & 7;
	icb->file_type = block[AT_FILE_TYPE];
	icb->size = get_le64(block + AT_SIZE);
	icb->has_owner = get_le32(block + AT_UID) != NOBODY;
	icb->has_streams = layout->streams && (get_le32(block + layout->streams) & 0x3fffffff);
	icb->attr.mode = mode_of(icb->file_type, get_le32(block + AT_PERMISSIONS), flags);
	icb->attr.uid = icb->has_owner ? get_le32(block + AT_UID) : geteuid();
	icb->attr.gid = get_le32(block + AT_GID) != NOBODY ? get_le32(block + AT_GID) : getegid();
	icb->attr.atime_ns = udf_time(block + layout->atime);
	icb->attr.mtime_ns = udf_time(block + layout->mtime);
	icb->attr.ctime_ns = udf_time(block + layout->ctime);
	if (S_ISREG(icb->attr.mode))
		icb->attr.size = icb->size;
	if (S_ISBLK(icb->attr.mode) || S_ISCHR(icb->attr.mode))
		icb->lacks_device = !find_device(block + layout->attributes, attributes, &icb->attr.rdev);
	/* Extended descriptors (2) aren't allowed in UDF, 2.3.10. */
	if (icb->size >= SIZE_LIMIT ||
	    (icb->descriptors > DESCRIPTORS_LONG && icb->descriptors != DESCRIPTORS_NONE))
		return reason_set(why, EBADMSG, "its file entry at sector %" PRIu64 " can't be right",
				  icb->lba);
	return 0;
}

/* Files that nobody owns belong to whoever reads them, who must be able to change them. */
static void give_away(struct node_attr *attr)
{
	attr->mode |= S_ISDIR(attr->mode) ? S_IRWXU : S_ISREG(attr->mode) ? S_IRUSR | S_IWUSR : 0;
}

int udf_icb_read(struct udf_space *space, struct udf_address at, struct udf_icb *ret, struct reason *why)
{
	const uint8_t *block;
	uint64_t run;
	uint32_t tag, strategy;
	int got;

	memset(ret, 0, offsetof(struct udf_icb, block));
	ret->at = at;
	got = udf_space_map(space, at, 1, &ret->lba, &run, why);
	block = got < 0 ? NULL : udf_space_read(space, ret->lba, why);
	if (!block)
		return -why->err;
	memcpy(ret->block, block, SECTOR);
	tag = udf_tag_read(block, SECTOR);
	strategy = get_le16(block + AT_STRATEGY);
	if (tag == UDF_TAG_INDIRECT ||
	    ((tag == UDF_TAG_FILE || tag == UDF_TAG_EXTENDED_FILE) && strategy != STRATEGY_DIRECT))
		return reason_set(why, EMEDIUMTYPE,
				  "the disc keeps the versions of its files (UDF strategy %" PRIu32
				  "), as packet writing to write-once discs does: not supported",
				  strategy);
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		if (layouts[i].tag != tag || udf_tag_location(block) != at.block)
			continue;
		got = read_layout(&layouts[i], ret, why);
		if (got == 0 && !ret->has_owner)
			give_away(&ret->attr);
		return got;
	}
	return reason_set(why, EBADMSG, "there's no file entry at sector %" PRIu64 ": damaged", ret->lba);
}

/* ---- where the content lies ---- */

struct extents {
	struct udf_space *space;
	const struct udf_icb *icb;
	int (*each)(void *self, const struct extent *extent);
	void *self;
	struct reason *why;
	struct extent pending; /* what continues it becomes part of it */
	uint64_t offset;       /* in the file */
	uint32_t pieces;
};

static int flush(struct extents *extents)
{
	struct extent ready = extents->pending;

	extents->pending.length = 0;
	if (ready.length == 0)
		return 0;
	if (++extents->pieces > EXTENT_LIMIT)
		return reason_set(extents->why, EMEDIUMTYPE, "it is in more than %u pieces", EXTENT_LIMIT);
	return extents->each(extents->self, &ready);
}

static int add_piece(struct extents *extents, uint64_t offset, uint64_t length, uint64_t origin)
{
	struct extent *pending = &extents->pending;
	int got = 0;

	if (pending->length && pending->offset + pending->length == offset &&
	    pending->origin + pending->length == origin) {
		pending->length += length;
		return 0;
	}
	got = flush(extents);
	*pending = (struct extent){ offset, length, origin, EXTENT_DISC };
	return got;
}

/* An extent of the file, which may be in several pieces on the medium. */
static int add_recorded(struct extents *extents, struct udf_address at, uint64_t length)
{
	uint64_t left = min_u64(length, extents->icb->size - extents->offset), offset = extents->offset;
	int got = 0;

	while (got == 0 && left > 0) {
		uint64_t lba, run, bytes;

		got = udf_space_map(extents->space, at, sectors_of(left), &lba, &run, extents->why);
		if (got < 0)
			return got;
		bytes = min_u64(left, run * SECTOR);
		got = add_piece(extents, offset, bytes, lba * SECTOR);
		at.block += (uint32_t)run;
		offset += bytes;
		left -= bytes;
	}
	return got;
}

/* ECMA-167 4/14.14.1 and 4/14.14.2: short ones mean the partition that the file entry is in. */
static struct udf_address descriptor_address(const struct extents *extents, const uint8_t *at)
{
	bool is_short = extents->icb->descriptors == DESCRIPTORS_SHORT;

	return (struct udf_address){ get_le32(at + 4),
				     is_short ? extents->icb->at.partition : get_le16(at + 8) };
}

/* One area of descriptors. 1: it goes on at *next. 0: that was all. */
static int add_area(struct extents *extents, const uint8_t *area, uint32_t length, struct udf_address *next)
{
	uint32_t size = extents->icb->descriptors == DESCRIPTORS_SHORT ? 8 : 16;

	for (uint32_t at = 0; length - at >= size && extents->offset < extents->icb->size; at += size) {
		uint32_t bytes = get_le32(area + at) & 0x3fffffff, kind = get_le32(area + at) >> 30;
		int got = 0;

		/* ECMA-167 4/12: a length of 0 ends them. */
		if (bytes == 0)
			return 0;
		*next = descriptor_address(extents, area + at);
		if (kind == EXTENT_MORE_DESCRIPTORS)
			return 1;
		if (kind == EXTENT_RECORDED)
			got = add_recorded(extents, *next, bytes);
		if (got < 0)
			return got;
		extents->offset += min_u64(bytes, extents->icb->size - extents->offset);
	}
	return 0;
}

/* ECMA-167 4/14.5: descriptors that didn't fit into the entry. area: a sector of room, as the space's own
 * buffer may be reused. */
static int add_chain(struct extents *extents, struct udf_address at, uint8_t *area)
{
	int more = 1;

	for (uint32_t links = 0; more > 0; links++) {
		uint64_t lba, run;
		uint32_t length;
		const uint8_t *block;

		if (links == CHAIN_LIMIT)
			return reason_set(extents->why, EBADMSG,
					  "its allocation descriptors lead in circles");
		if (udf_space_map(extents->space, at, 1, &lba, &run, extents->why) < 0)
			return -extents->why->err;
		block = udf_space_read(extents->space, lba, extents->why);
		if (!block)
			return -extents->why->err;
		memcpy(area, block, SECTOR);
		length = get_le32(area + 20);
		if (udf_tag_read(area, SECTOR) != UDF_TAG_ALLOCATION || udf_tag_location(area) != at.block ||
		    length > SECTOR - ALLOCATION_AT)
			return reason_set(extents->why, EBADMSG,
					  "its allocation descriptors at sector %" PRIu64 " are damaged",
					  lba);
		more = add_area(extents, area + ALLOCATION_AT, length, &at);
	}
	return more;
}

int udf_icb_extents(struct udf_space *space, const struct udf_icb *icb,
		    int (*each)(void *self, const struct extent *extent), void *self, struct reason *why)
{
	struct extents extents = { .space = space, .icb = icb, .each = each, .self = self, .why = why };
	struct udf_address next = { 0 };
	uint8_t area[SECTOR];
	int got;

	if (icb->descriptors == DESCRIPTORS_NONE) {
		if (icb->size > icb->body_length)
			return reason_set(why, EBADMSG,
					  "its file entry at sector %" PRIu64 " holds less than its content",
					  icb->lba);
		got = icb->size ? add_piece(&extents, 0, icb->size, icb->lba * SECTOR + icb->body_at) : 0;
	} else {
		got = add_area(&extents, icb->block + icb->body_at, icb->body_length, &next);
		if (got > 0)
			got = add_chain(&extents, next, area);
	}
	return got < 0 ? got : flush(&extents);
}

/* ---- content in memory ---- */

struct content {
	struct udf_space *space;
	uint8_t *data;
	struct reason *why;
};

static int take_content(void *self, const struct extent *extent)
{
	struct content *content = (struct content *)self;

	for (uint64_t done = 0; done < extent->length;) {
		uint64_t from = extent->origin + done, within = from % SECTOR;
		uint64_t bytes = min_u64(SECTOR - within, extent->length - done);
		const uint8_t *block = udf_space_read(content->space, from / SECTOR, content->why);

		if (!block && (!content->space->lenient || content->why->err != EIO))
			return -content->why->err;
		if (block)
			memcpy(content->data + extent->offset + done, block + within, bytes);
		done += bytes;
	}
	return 0;
}

int udf_icb_content(struct udf_space *space, const struct udf_icb *icb, uint64_t limit, struct blob *ret,
		    struct reason *why)
{
	struct content content = { space, NULL, why };
	int got;

	blob_clear(ret);
	if (icb->size > limit || icb->size > space->limit * SECTOR)
		return reason_set(why, EBADMSG, "%" PRIu64 " bytes are more than it can have", icb->size);
	if (icb->size == 0)
		return 0;
	content.data = calloc(1, icb->size);
	if (!content.data)
		return reason_set(why, ENOMEM, "out of memory");
	got = udf_icb_extents(space, icb, take_content, &content, why);
	if (got < 0 && (!space->lenient || got == -ENOMEDIUM || got == -ESTALE)) {
		free(content.data);
		return got;
	}
	ret->data = content.data;
	ret->length = icb->size;
	return 0;
}
