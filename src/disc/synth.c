/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/synth.h"

#include "disc/udf_session.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define DESCRIPTORS_AT 16u	   /* blocks from the image's start */
#define ROOT_AT	       20u	   /* behind at most 3 descriptors */
#define SECTION_MOST   0xfffff800u /* bytes of one extent: whole sectors below 4 GiB */
#define RECORD_MOST    256u
#define NAME_DIGITS    8u
#define SERIAL_FIRST   2u /* 1 is the root until all are known */

/* A growing directory: records don't cross a sector's end (ECMA-119 6.8.1.1). */
struct building {
	struct synth *synth;
	size_t used; /* bytes from SYNTH_START */
	size_t room;
	uint32_t sums; /* entries of the checksum array */
};

void synth_clear(struct synth *synth)
{
	free(synth->data);
	synth->data = NULL;
}

uint32_t synth_number(const char *name)
{
	char *end;
	unsigned long number = strlen(name) == NAME_DIGITS ? strtoul(name, &end, 16) : 0;

	return number && *end == '\0' ? (uint32_t)number : 0;
}

static int make_room(struct building *building, size_t bytes)
{
	size_t room = building->room ? building->room : (size_t)64 * SECTOR;
	uint8_t *data;

	while (room < building->used + bytes)
		room *= 2;
	if (room == building->room)
		return 0;
	data = realloc(building->synth->data, room);
	if (!data)
		return -ENOMEM;
	memset(data + building->room, 0, room - building->room);
	building->synth->data = data;
	building->room = room;
	return 0;
}

/* Both byte orders, as ECMA-119 7.3.3 wants them. */
static uint8_t *put_both(uint8_t *at, uint32_t value)
{
	put_le32(at, value);
	put_be32(at + 4, value);
	return at + 8;
}

static uint8_t *put_entry_head(uint8_t *at, const char *signature, uint8_t length, uint8_t version)
{
	at[0] = (uint8_t)signature[0];
	at[1] = (uint8_t)signature[1];
	at[2] = length;
	at[3] = version;
	return at + 4;
}

/* The fixed part of a directory record; the system use area follows, the length comes last. */
static uint8_t *put_record(uint8_t *record, uint32_t lba, uint32_t length, uint8_t flags, const char *name,
			   size_t name_length)
{
	memset(record, 0, RECORD_MOST);
	put_both(record + 2, lba);
	put_both(record + 10, length);
	record[18] = 100; /* some year: times are set on the node */
	record[19] = record[20] = 1;
	record[25] = flags;
	record[28] = record[31] = 1; /* volume sequence number */
	record[32] = (uint8_t)name_length;
	memcpy(record + 33, name, name_length);
	return record + 33 + name_length + (name_length % 2 == 0);
}

static uint8_t *put_px(uint8_t *at, uint32_t mode, uint32_t links, uint32_t serial)
{
	at = put_entry_head(at, "PX", 44, 1);
	at = put_both(at, mode);
	at = put_both(at, links);
	at = put_both(at, 0);
	at = put_both(at, 0);
	return put_both(at, serial);
}

/* Appends a record that ends at end, with its length filled in. */
static int append(struct building *building, uint8_t *record, const uint8_t *end)
{
	size_t length = (size_t)(end - record);
	size_t left;

	length += length % 2;
	record[0] = (uint8_t)length;
	left = SECTOR - building->used % SECTOR;
	if (make_room(building, length + left) < 0)
		return -ENOMEM;
	if (length > left)
		building->used += left;
	memcpy(building->synth->data + building->used, record, length);
	building->used += length;
	return 0;
}

static uint8_t *put_extras(uint8_t *at, const struct node *node)
{
	if (S_ISLNK(node->attr.mode)) { /* a stand-in target; the real one is set on the node */
		at = put_entry_head(at, "SL", 8, 1);
		memcpy(at, "\0\0\1x", 4);
		at += 4;
	}
	if (S_ISBLK(node->attr.mode) || S_ISCHR(node->attr.mode)) {
		at = put_entry_head(at, "PN", 20, 1);
		at = put_both(at, (uint32_t)(node->attr.rdev >> 32));
		at = put_both(at, (uint32_t)node->attr.rdev);
	}
	if (node->zf.length == 12) {
		at = put_entry_head(at, "ZF", 16, node->zf.data[0] == 'P' ? 2 : 1);
		memcpy(at, node->zf.data, 12);
		at += 12;
	}
	return at;
}

/* All records of one name: more than one where the body has several sections, or one of 4 GiB and more. */
static int append_file(struct building *building, const struct node *node, uint32_t links, uint32_t serial,
		       uint32_t number)
{
	uint8_t record[RECORD_MOST];
	char name[NAME_DIGITS + 1];
	uint64_t done = 0;
	uint8_t *at;

	snprintf(name, sizeof name, "%08X", number);
	while (S_ISREG(node->attr.mode) && done < node->attr.size) {
		struct extent piece;
		bool last;

		extent_map_piece(&node->map, done, min_u64(node->attr.size - done, SECTION_MOST), &piece);
		last = done + piece.length == node->attr.size;
		at = put_record(record, (uint32_t)(piece.origin / SECTOR), (uint32_t)piece.length,
				last ? 0 : 0x80, name, NAME_DIGITS);
		done += piece.length;
		if (last)
			break;
		if (append(building, record, at) < 0)
			return -ENOMEM;
	}
	if (!S_ISREG(node->attr.mode))
		at = put_record(record, 0, 0, 0, name, NAME_DIGITS);
	at = put_px(at, node->attr.mode, links, serial);
	return append(building, record, put_extras(at, node));
}

static bool belongs(const struct plan_node *at)
{
	const struct node *node = &at->node;

	if (S_ISREG(node->attr.mode))
		return node->attr.size > 0 && !at->tabled &&
		       extent_map_is_on_disc(&node->map, node->attr.size);
	return !S_ISDIR(node->attr.mode) && at->names > 1;
}

/* Records come in the order of plan->names, which is the order of their numbers: libisofs inserts into sorted
 * lists, at the front when they come sorted. */
static int append_all(struct building *building, struct plan *plan)
{
	for (size_t i = 0; i < plan->names.count; i++) {
		struct plan_name *name = &plan->names.items[i];
		struct plan_node *at = &plan->nodes.items[name->node];

		if (!belongs(at))
			continue;
		name->reference = ++building->synth->records;
		if (at->reference == 0)
			at->reference = name->reference;
		if (append_file(building, &at->node, at->names, at->reference + SERIAL_FIRST,
				name->reference) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Boot images that have no file are found by records, too, and get no name in the tree. */
static int append_boots(struct building *building, struct plan *plan)
{
	vec_each (&plan->boots, boot) {
		const struct extent extent = { .kind = EXTENT_DISC,
					       .length = boot_entry_bytes(&boot->entry),
					       .origin = (uint64_t)boot->entry.lba * SECTOR };
		struct node node CLEANUP(node_clear) = { .attr = { .mode = S_IFREG | 0444 } };

		if (boot->node != NO_NAME)
			continue;
		node.attr.size = extent.length;
		boot->reference = ++building->synth->records;
		if (extent_map_set(&node.map, &extent) < 0 ||
		    append_file(building, &node, 1, boot->reference + SERIAL_FIRST, boot->reference) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Attribute "isofs.ca" of the root (susp_aaip_isofs_names.txt): where the checksum array is. */
static uint8_t *put_checksum_attr(uint8_t *at, uint32_t array_at, uint32_t count)
{
	uint8_t *head = at;

	at = put_entry_head(at, "AL", 0, 1);
	*at++ = 0;
	memcpy(at, "\0\3\4ca", 5); /* component: its name, with the short form of "isofs." */
	at += 5;
	memcpy(at, "\0\24\4", 3); /* component: 20 bytes of value */
	at += 3;
	put_be32(at, SYNTH_START);
	at[4] = 4;
	put_be32(at + 5, array_at);
	at[9] = 4;
	put_be32(at + 10, count);
	memcpy(at + 14, "\1\20MD5", 5);
	at += 19;
	head[2] = (uint8_t)(at - head);
	return at;
}

static uint8_t *put_er(uint8_t *at, const char *id)
{
	size_t length = strlen(id);

	at = put_entry_head(at, "ER", (uint8_t)(8 + length), 1);
	at[0] = (uint8_t)length;
	at[1] = at[2] = 0;
	at[3] = 1;
	memcpy(at + 4, id, length);
	return at + 4 + length;
}

static int append_dots(struct building *building)
{
	uint8_t record[RECORD_MOST];
	uint8_t *at = put_record(record, SYNTH_START + ROOT_AT, 0, 2, "\0", 1);

	memcpy(at, "SP\7\1\276\357\0", 7);
	at = put_px(at + 7, S_IFDIR | 0755, 2, 1);
	at = put_er(at, "IEEE_1282");
	at = put_er(at, "AAIP_0200");
	at = put_checksum_attr(at, 0, 0);
	if (append(building, record, at) < 0)
		return -ENOMEM;
	at = put_record(record, SYNTH_START + ROOT_AT, 0, 2, "\1", 1);
	return append(building, record, put_px(at, S_IFDIR | 0755, 2, 1));
}

/* Now that they're known: the directory's length, the place of the checksum array, the highest serial number.
 */
static void finish_root(struct building *building, uint32_t length, uint32_t array_at, uint32_t serial)
{
	uint8_t *self = building->synth->data + (size_t)ROOT_AT * SECTOR;
	uint8_t *parent = self + self[0];
	uint8_t record[RECORD_MOST];
	uint8_t *at = record;

	put_both(self + 10, length);
	put_both(parent + 10, length);
	at = put_checksum_attr(at, array_at, building->sums);
	memcpy(self + 34 + 7 + 44 + 2 * 17, record, (size_t)(at - record));
	put_both(self + 34 + 7 + 36, serial);
}

/* Index 0 is the session's, 1.. the files', the last one that of the array. */
static int append_checksums(struct building *building, const struct plan *plan)
{
	size_t bytes = ((size_t)building->synth->records + 2) * MD5_LENGTH;
	uint8_t *array;

	if (make_room(building, bytes + SECTOR) < 0)
		return -ENOMEM;
	array = building->synth->data + building->used;
	for (size_t i = 0; i < plan->names.count; i++) {
		const struct plan_name *name = &plan->names.items[i];
		const struct blob *md5 = &plan->nodes.items[name->node].node.md5;

		if (name->reference && md5->length == MD5_LENGTH)
			memcpy(array + (size_t)name->reference * MD5_LENGTH, md5->data, MD5_LENGTH);
	}
	bytes -= MD5_LENGTH;
	if (EVP_Digest(array, bytes, array + bytes, NULL, EVP_md5(), NULL) != 1)
		return -EIO;
	building->sums = building->synth->records + 2;
	building->used += (size_t)round_up(bytes + MD5_LENGTH, SECTOR);
	return 0;
}

static void put_blank_primary(uint8_t *block)
{
	memset(block, 0, SECTOR);
	memcpy(block, "\1CD001\1", 7);
	memset(block + 8, ' ', 64);
	memset(block + 190, ' ', 623);
	block[120] = block[123] = block[124] = block[127] = 1;
	block[128 + 1] = block[128 + 2] = SECTOR >> 8;
	block[881] = 1;
}

/* Of a UDF volume, whose name may have letters that are none in ISO 9660: as in other names, what is written
 * anyway is read back everywhere. */
static void put_label(uint8_t *block, const char *label)
{
	memset(block + 40, ' ', VOLUME_LABEL);
	memcpy(block + 40, label, strlen(label));
}

/* The base's own descriptor carries its volume's names on; its El Torito record leads libisofs to the boot
 * catalogue on the medium, unless that isn't to be carried on. */
static int put_descriptors(struct building *building, const struct synth_base *from, struct reason *why)
{
	uint8_t *block = building->synth->data + (size_t)DESCRIPTORS_AT * SECTOR;
	uint8_t next[SECTOR];
	struct volume base;
	int got = from->has_base ? volume_read(from->source, from->volume, &base, why) : 0;

	bool has_descriptor = got > 0;

	if (from->has_base && got == 0)
		got = udf_session_read(from->source, from->volume, 0, &base, why);
	if (got < 0 || (from->has_base && got == 0))
		return reason_set(why, EIO, "the base session's descriptor isn't there any more");
	put_blank_primary(block);
	if (has_descriptor)
		memcpy(block, base.block, SECTOR);
	else if (from->has_base)
		put_label(block, base.label);
	put_both(block + 80, building->synth->blocks);
	memset(block + 156, 0, 34);
	put_record(next, SYNTH_START + ROOT_AT, SECTOR, 2, "\0", 1);
	next[0] = 34;
	memcpy(block + 156, next, 34);
	block += SECTOR;
	if (has_descriptor && !from->boot_anew) {
		uint32_t catalog;

		got = source_read(from->source, from->volume + 17, 1, next, why);
		if (got < 0)
			return got;
		if (boot_record_read(next, &catalog)) {
			memcpy(block, next, SECTOR);
			block += SECTOR;
		}
	}
	memcpy(block, "\377CD001\1", 7);
	return 0;
}

static int build(struct building *building, struct plan *plan)
{
	uint32_t end, array_at;
	int got;

	building->used = (size_t)ROOT_AT * SECTOR;
	if (make_room(building, SECTOR) < 0 || append_dots(building) < 0 || append_all(building, plan) < 0 ||
	    append_boots(building, plan) < 0)
		return -ENOMEM;
	building->used = (size_t)round_up(building->used, SECTOR);
	end = (uint32_t)(building->used / SECTOR);
	array_at = SYNTH_START + end;
	got = append_checksums(building, plan);
	if (got < 0)
		return got;
	building->synth->serials = building->synth->records + SERIAL_FIRST + 1;
	finish_root(building, (end - ROOT_AT) * SECTOR, array_at,
		    building->synth->serials + (uint32_t)plan->nodes.count);
	building->synth->blocks = (uint32_t)(building->used / SECTOR);
	return 0;
}

int synth_make(struct plan *plan, const struct synth_base *base, struct synth *ret, struct reason *why)
{
	struct building building = { .synth = ret };
	int got;

	*ret = (struct synth){ 0 };
	got = build(&building, plan);
	if (got < 0)
		return reason_set(why, -got, "can't lay out the references to old files: %s", strerror(-got));
	return put_descriptors(&building, base, why);
}
