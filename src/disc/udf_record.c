/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_record.h"

#include "disc/udf_icb.h"
#include "disc/udf_tag.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#define REVISION	0x0102
#define DESCRIPTOR	512u	     /* bytes of most of them */
#define SEQUENCE_BLOCKS 16u	     /* ECMA-167 3/10.2.2: at least */
#define INTEGRITY_BYTES (8u * 1024u) /* UDF 2.2.4.6: at least */
#define DOMAIN		"*OSTA UDF Compliant"
#define CLASS_UNIX	4 /* UDF 6.3 */
#define SYSTEM_LINUX	5
#define FILE_FIXED	176u /* bytes of a file entry before its attributes */
#define NOT_THERE	0xffffffffu

static void put_le16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put_le64(uint8_t *at, uint64_t value)
{
	put_le32(at, (uint32_t)value);
	put_le32(at + 4, (uint32_t)(value >> 32));
}

/* ECMA-167 3/7.2; covered: bytes of the descriptor, tag and all. */
static void put_tag(uint8_t *at, enum udf_tag tag, uint32_t location, uint32_t covered)
{
	uint8_t sum = 0;

	memset(at, 0, UDF_TAG_LENGTH);
	put_le16(at, tag);
	put_le16(at + 2, 2); /* the version, of NSR02 */
	put_le16(at + 8, udf_crc(at + UDF_TAG_LENGTH, covered - UDF_TAG_LENGTH));
	put_le16(at + 10, covered - UDF_TAG_LENGTH);
	put_le32(at + 12, location);
	for (unsigned i = 0; i < UDF_TAG_LENGTH; i++)
		sum = (uint8_t)(sum + at[i]);
	at[4] = sum;
}

/* ECMA-167 1/7.4, with the suffixes of UDF 2.1.5.3. */
static void put_entity(uint8_t *at, const char *name)
{
	at[0] = 0;
	memcpy(at + 1, name, strlen(name));
}

static void put_domain(uint8_t *at)
{
	put_entity(at, DOMAIN);
	put_le16(at + 24, REVISION);
}

static void put_implementation(uint8_t *at)
{
	put_entity(at, UDF_IMPLEMENTATION);
	at[24] = CLASS_UNIX;
	at[25] = SYSTEM_LINUX;
}

/* ECMA-167 1/7.2.1, UDF 2.1.2. */
static void put_charset(uint8_t *at)
{
	static const char name[] = "OSTA Compressed Unicode";

	at[0] = 0;
	memcpy(at + 1, name, sizeof name - 1);
}

/* ECMA-167 1/7.2.12: padded with zeroes, its length in the last byte. */
static void put_string(uint8_t *at, size_t size, const char *text)
{
	uint8_t ident[UDF_IDENT_MOST];
	size_t length;
	bool changed;

	memset(at, 0, size);
	if (!text[0])
		return;
	length = udf_ident(text, strlen(text), 0, ident, &changed);
	length = min_u64(length, size - 1);
	if (ident[0] == 16 && length % 2 == 0)
		length--;
	memcpy(at, ident, length);
	at[size - 1] = (uint8_t)length;
}

/* ECMA-167 1/7.3: local time, which is that of Greenwich. */
static void put_time(uint8_t *at, int64_t ns)
{
	int64_t seconds = ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);
	uint32_t us = (uint32_t)((ns - seconds * NS_PER_SEC) / 1000);
	time_t when = (time_t)seconds;
	struct tm tm;

	memset(at, 0, UDF_TIME_LENGTH);
	if (!gmtime_r(&when, &tm) || tm.tm_year < 1 - 1900 || tm.tm_year > 9999 - 1900)
		return;
	put_le16(at, 1u << 12);
	put_le16(at + 2, (uint32_t)(tm.tm_year + 1900));
	at[4] = (uint8_t)(tm.tm_mon + 1);
	at[5] = (uint8_t)tm.tm_mday;
	at[6] = (uint8_t)tm.tm_hour;
	at[7] = (uint8_t)tm.tm_min;
	at[8] = (uint8_t)(tm.tm_sec > 59 ? 59 : tm.tm_sec);
	at[9] = (uint8_t)(us / 10000);
	at[10] = (uint8_t)(us / 100 % 100);
	at[11] = (uint8_t)(us % 100);
}

/* extent_ad, ECMA-167 3/7.1. */
static void put_extent(uint8_t *at, uint32_t length, uint32_t lba)
{
	put_le32(at, length);
	put_le32(at + 4, lba);
}

/* long_ad of one sector (ECMA-167 4/14.14.2); in its use the number of the node, UDF 2.3.4.3. */
static void put_address(uint8_t *at, uint32_t lba, uint32_t node)
{
	put_le32(at, SECTOR);
	put_le32(at + 4, lba);
	put_le32(at + 12, node);
}

/* ---- the volume ---- */

void udf_record_recognition(uint8_t blocks[RECOGNITION * SECTOR])
{
	static const char *const names[] = { "BEA01", "NSR02", "TEA01" };

	memset(blocks, 0, (size_t)RECOGNITION * SECTOR);
	for (size_t i = 0; i < RECOGNITION; i++) {
		memcpy(blocks + i * SECTOR + 1, names[i], 5);
		blocks[i * SECTOR + 6] = 1;
	}
}

void udf_record_anchor(uint32_t at, uint32_t start, uint8_t block[SECTOR])
{
	memset(block, 0, SECTOR);
	put_extent(block + 16, SEQUENCE_BLOCKS * SECTOR, start + BRIDGE_SEQUENCE);
	put_extent(block + 24, SEQUENCE_BLOCKS * SECTOR, start + BRIDGE_RESERVE);
	put_tag(block, UDF_TAG_ANCHOR, at, DESCRIPTOR);
}

bool udf_record_is_anchor(const uint8_t *block, uint32_t at)
{
	return udf_record_anchor_at(block) == at && at != 0;
}

uint32_t udf_record_anchor_at(const uint8_t *block)
{
	return udf_tag_read(block, SECTOR) == UDF_TAG_ANCHOR ? udf_tag_location(block) : 0;
}

/* ECMA-167 3/10.1, UDF 2.2.2. */
static void put_primary(const struct udf_facts *facts, uint8_t *at)
{
	char set[33 + 32];

	snprintf(set, sizeof set, "%08x%08x%s", (uint32_t)(facts->set >> 32), (uint32_t)facts->set,
		 facts->label);
	put_string(at + 24, 32, facts->label);
	put_le16(at + 56, 1); /* first of one volume */
	put_le16(at + 58, 1);
	put_le16(at + 60, 2); /* interchange levels */
	put_le16(at + 62, 3);
	put_le32(at + 64, 1); /* character sets: CS0 */
	put_le32(at + 68, 1);
	put_string(at + 72, 128, set);
	put_charset(at + 200);
	put_charset(at + 264);
	put_time(at + 376, facts->time_ns);
	put_implementation(at + 388);
}

/* Implementation use volume descriptor, UDF 2.2.7. */
static void put_use(const struct udf_facts *facts, uint8_t *at)
{
	put_entity(at + 20, "*UDF LV Info");
	put_le16(at + 44, REVISION);
	at[46] = CLASS_UNIX;
	at[47] = SYSTEM_LINUX;
	put_charset(at + 52);
	put_string(at + 116, 128, facts->label);
	put_implementation(at + 352);
}

/* ECMA-167 3/10.5, UDF 2.2.12. */
static void put_partition(const struct udf_facts *facts, uint8_t *at)
{
	put_le16(at + 20, 1); /* volume space has been allocated */
	put_entity(at + 24, "+NSR02");
	put_le32(at + 184, 1); /* read only */
	put_le32(at + 192, facts->end);
	put_implementation(at + 196);
}

/* ECMA-167 3/10.6, UDF 2.2.4. */
static void put_logical(const struct udf_facts *facts, uint8_t *at)
{
	put_charset(at + 20);
	put_string(at + 84, 128, facts->label);
	put_le32(at + 212, SECTOR);
	put_domain(at + 216);
	put_address(at + 248, facts->file_set, 0);
	put_le32(at + 264, 6); /* one map: type 1, its length, volume 1, partition 0 */
	put_le32(at + 268, 1);
	put_implementation(at + 272);
	put_extent(at + 432, INTEGRITY_BYTES, facts->start + BRIDGE_INTEGRITY);
	at[440] = 1;
	at[441] = 6;
	put_le16(at + 442, 1);
}

/* ECMA-167 3/10.10, UDF 2.2.6. */
static void put_integrity(const struct udf_facts *facts, uint8_t *at)
{
	put_time(at + 16, facts->time_ns);
	put_le32(at + 28, 1);	       /* closed */
	put_le64(at + 40, facts->end); /* nodes have the number of their sector: the next that is free */
	put_le32(at + 72, 1);	       /* partitions */
	put_le32(at + 76, 46);	       /* bytes of use */
	put_le32(at + 84, facts->end);
	put_implementation(at + 88);
	put_le32(at + 120, facts->files);
	put_le32(at + 124, facts->dirs);
	put_le16(at + 128, REVISION);
	put_le16(at + 130, REVISION);
	put_le16(at + 132, REVISION);
}

static void put_sequence(const struct udf_facts *facts, uint32_t lba, uint8_t *at)
{
	static const struct {
		enum udf_tag tag;
		void (*put)(const struct udf_facts *facts, uint8_t *at);
		uint32_t covered;
	} parts[] = {
		{ UDF_TAG_PRIMARY, put_primary, DESCRIPTOR },
		{ UDF_TAG_USE, put_use, DESCRIPTOR },
		{ UDF_TAG_PARTITION, put_partition, DESCRIPTOR },
		{ UDF_TAG_LOGICAL, put_logical, 446 },
		{ UDF_TAG_UNALLOCATED, NULL, 24 },
		{ UDF_TAG_TERMINATOR, NULL, DESCRIPTOR },
	};

	for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++, at += SECTOR) {
		if (parts[i].put) {
			put_le32(at + 16, i + 1); /* volume descriptor sequence number */
			parts[i].put(facts, at);
		}
		put_tag(at, parts[i].tag, lba + i, parts[i].covered);
	}
}

void udf_record_volume(const struct udf_facts *facts, uint8_t *front)
{
	uint8_t *integrity = front + (size_t)BRIDGE_INTEGRITY * SECTOR;

	memset(front + (size_t)BRIDGE_SEQUENCE * SECTOR, 0,
	       (size_t)(BRIDGE_SECTORS - BRIDGE_SEQUENCE) * SECTOR);
	put_sequence(facts, facts->start + BRIDGE_SEQUENCE, front + (size_t)BRIDGE_SEQUENCE * SECTOR);
	put_sequence(facts, facts->start + BRIDGE_RESERVE, front + (size_t)BRIDGE_RESERVE * SECTOR);
	put_integrity(facts, integrity);
	put_tag(integrity, UDF_TAG_INTEGRITY, facts->start + BRIDGE_INTEGRITY, 134);
	put_tag(integrity + SECTOR, UDF_TAG_TERMINATOR, facts->start + BRIDGE_INTEGRITY + 1, DESCRIPTOR);
	udf_record_anchor(facts->start + BRIDGE_ANCHOR, facts->start, front + (size_t)BRIDGE_ANCHOR * SECTOR);
}

/* ECMA-167 4/14.1, UDF 2.3.2. */
void udf_record_file_set(const struct udf_facts *facts, uint8_t blocks[2 * SECTOR])
{
	memset(blocks, 0, (size_t)2 * SECTOR);
	put_time(blocks + 16, facts->time_ns);
	put_le16(blocks + 28, 3); /* interchange levels */
	put_le16(blocks + 30, 3);
	put_le32(blocks + 32, 1); /* character sets: CS0 */
	put_le32(blocks + 36, 1);
	put_charset(blocks + 48);
	put_string(blocks + 112, 128, facts->label);
	put_charset(blocks + 240);
	put_string(blocks + 304, 32, facts->label);
	put_address(blocks + 400, facts->root, 0);
	put_domain(blocks + 416);
	put_tag(blocks, UDF_TAG_FILE_SET, facts->file_set, DESCRIPTOR);
	put_tag(blocks + SECTOR, UDF_TAG_TERMINATOR, facts->file_set + 1, DESCRIPTOR);
}

/* ---- nodes ---- */

/* ECMA-167 4/14.6.6. */
static uint8_t type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return UDF_FILE_DIRECTORY;
	case S_IFBLK:
		return UDF_FILE_BLOCK;
	case S_IFCHR:
		return UDF_FILE_CHARACTER;
	case S_IFIFO:
		return UDF_FILE_FIFO;
	case S_IFSOCK:
		return UDF_FILE_SOCKET;
	case S_IFLNK:
		return UDF_FILE_SYMLINK;
	}
	return UDF_FILE_REGULAR;
}

/* ECMA-167 4/14.9.5: five bits each for others, group, owner. Who may write may change attributes and delete,
 * which are the owner's. */
static uint32_t permissions_of(uint32_t mode)
{
	uint32_t ret = 0;

	for (unsigned who = 0; who < 3; who++)
		ret |= (mode >> (3 * who) & 7) << (5 * who);
	return ret | (mode & S_IWUSR ? 0x18u << 10 : 0);
}

/* ECMA-167 4/14.6.8. */
static uint32_t flags_of(const struct udf_file *file)
{
	uint32_t mode = file->attr->mode;

	return (file->embedded ? 3u : 0u) | (mode & S_ISUID ? 1u << 6 : 0) | (mode & S_ISGID ? 1u << 7 : 0) |
	       (mode & S_ISVTX ? 1u << 8 : 0);
}

/* An attribute space with a device specification (ECMA-167 4/14.10.1, 4/14.10.7; UDF 3.3.4.4). */
static uint32_t put_device(const struct udf_file *file, uint8_t *at)
{
	enum { HEADER = 24, SPECIFICATION = 24 + 32 };

	put_le32(at + 16, NOT_THERE); /* no attributes of implementations or applications */
	put_le32(at + 20, NOT_THERE);
	put_tag(at, UDF_TAG_ATTRIBUTES, file->at, HEADER);
	put_le32(at + HEADER, 12);
	at[HEADER + 4] = 1;
	put_le32(at + HEADER + 8, SPECIFICATION);
	put_le32(at + HEADER + 12, 32);
	put_le32(at + HEADER + 16, major(file->attr->rdev));
	put_le32(at + HEADER + 20, minor(file->attr->rdev));
	put_implementation(at + HEADER + 24);
	return HEADER + SPECIFICATION;
}

uint32_t udf_record_file(const struct udf_file *file, uint8_t block[SECTOR])
{
	const struct node_attr *attr = file->attr;
	uint32_t attributes = 0;

	memset(block, 0, SECTOR);
	put_le16(block + 20, 4); /* strategy: one direct entry */
	put_le16(block + 24, 1);
	block[27] = type_of(attr->mode);
	put_le16(block + 34, flags_of(file));
	put_le32(block + 36, attr->uid);
	put_le32(block + 40, attr->gid);
	put_le32(block + 44, permissions_of(attr->mode));
	put_le16(block + 48, (uint32_t)min_u64(file->links, 0xffff));
	put_le64(block + 56, file->size);
	put_le64(block + 64, file->embedded ? 0 : sectors_of(file->size));
	put_time(block + 72, attr->atime_ns);
	put_time(block + 84, attr->mtime_ns);
	put_time(block + 96, attr->ctime_ns);
	put_le32(block + 108, 1); /* checkpoint */
	put_implementation(block + 128);
	put_le64(block + 160, file->id);
	if (S_ISBLK(attr->mode) || S_ISCHR(attr->mode))
		attributes = put_device(file, block + FILE_FIXED);
	put_le32(block + 168, attributes);
	return FILE_FIXED + attributes;
}

void udf_record_file_end(uint32_t at, uint32_t length, uint8_t block[SECTOR])
{
	put_le32(block + 172, length);
	put_tag(block, UDF_TAG_FILE, at, FILE_FIXED + get_le32(block + 168) + length);
}

void udf_record_extent(uint32_t lba, uint32_t length, uint8_t ret[8])
{
	put_extent(ret, length, lba);
}

uint32_t udf_record_name(uint32_t at, uint32_t icb, uint32_t id, bool is_dir, const uint8_t *ident,
			 size_t ident_length, uint8_t *ret)
{
	uint32_t size = udf_fid_bytes(ident_length);

	memset(ret, 0, size);
	put_le16(ret + 16, 1); /* file version number */
	ret[18] = (uint8_t)((is_dir ? 0x02 : 0) | (ident_length ? 0 : 0x08));
	ret[19] = (uint8_t)ident_length;
	put_address(ret + 20, icb, id);
	if (ident_length)
		memcpy(ret + UDF_FID_BYTES, ident, ident_length);
	put_tag(ret, UDF_TAG_NAME, at, size);
	return size;
}

/* Kinds of path components, ECMA-167 4/14.16.1. */
enum { COMPONENT_ROOT = 2, COMPONENT_PARENT, COMPONENT_SELF, COMPONENT_NAME };

static size_t put_component(const uint8_t *text, size_t length, uint8_t *ret, size_t room)
{
	uint8_t ident[UDF_IDENT_MOST];
	uint32_t kind = length == 1 && text[0] == '.'		    ? COMPONENT_SELF
			: length == 2 && memcmp(text, "..", 2) == 0 ? COMPONENT_PARENT
								    : COMPONENT_NAME;
	size_t size = 0;
	bool changed;

	if (kind == COMPONENT_NAME)
		size = length <= NAME_LIMIT ? udf_ident_component((const char *)text, length, ident, &changed)
					    : 0;
	if ((kind == COMPONENT_NAME && size == 0) || 4 + size > room)
		return 0;
	memset(ret, 0, 4);
	ret[0] = (uint8_t)kind;
	ret[1] = (uint8_t)size;
	memcpy(ret + 4, ident, size);
	return 4 + size;
}

size_t udf_record_target(const uint8_t *target, size_t length, uint8_t *ret, size_t room)
{
	size_t used = 0, at = 0;

	if (length && target[0] == '/') {
		if (room < 4)
			return 0;
		memset(ret, 0, 4);
		ret[0] = COMPONENT_ROOT;
		used = 4;
	}
	while (at < length) {
		const uint8_t *slash = memchr(target + at, '/', length - at);
		size_t part = slash ? (size_t)(slash - target) - at : length - at;
		size_t size = part ? put_component(target + at, part, ret + used, room - used) : 0;

		if (part && size == 0)
			return 0;
		used += size;
		at += part + 1;
	}
	return used;
}
