/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_volume.h"

#include "disc/udf_name.h"
#include "disc/udf_tag.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ANCHOR_AT	256u
#define SEQUENCE_BLOCKS 1024u /* of one extent: 16 is usual */
#define POINTER_LIMIT	16u   /* extents of a sequence, and of integrity descriptors */
#define MAP_TABLE_AT	440u  /* ECMA-167 3/10.6 */
#define SPARING_TABLES	4u
#define SPARES_AT	56u
#define SPARE_FREE	0xfffffff0u /* this and above: not in use, UDF 2.2.12 */
#define PIECES_LIMIT	(1u << 20)

/* One partition descriptor, ECMA-167 3/10.5. */
struct extent_of_partition {
	uint32_t number;
	uint32_t start;
	uint32_t blocks;
	uint32_t sequence; /* number of the descriptor: the highest one counts */
	uint32_t bitmap_bytes, bitmap_at;
};

/* What a volume descriptor sequence says, ECMA-167 3/8.4. */
struct sequence {
	struct udf_volume *volume;
	struct reason *why;
	uint8_t logical[SECTOR];
	bool has_logical;
	uint32_t logical_number;
	uint32_t set_size; /* volumes that belong together */
	struct extent_of_partition partitions[UDF_PARTITIONS];
	uint32_t count;
};

/* ---- the sequence ---- */

static void take_partition(struct sequence *sequence, const uint8_t *block)
{
	struct extent_of_partition found = { .number = get_le16(block + 22),
					     .start = get_le32(block + 188),
					     .blocks = get_le32(block + 192),
					     .sequence = get_le32(block + 16),
					     /* UDF 2.3.3: the partition header descriptor */
					     .bitmap_bytes = get_le32(block + 56 + 8) & 0x3fffffff,
					     .bitmap_at = get_le32(block + 56 + 12) };
	uint32_t i = 0;

	while (i < sequence->count && sequence->partitions[i].number != found.number)
		i++;
	if (i == UDF_PARTITIONS || (i < sequence->count && sequence->partitions[i].sequence > found.sequence))
		return;
	sequence->partitions[i] = found;
	if (i == sequence->count)
		sequence->count++;
}

static void take_descriptor(struct sequence *sequence, const uint8_t *block, uint32_t tag)
{
	uint32_t number = get_le32(block + 16);

	if (tag == UDF_TAG_PRIMARY)
		sequence->set_size = get_le16(block + 58);
	else if (tag == UDF_TAG_PARTITION)
		take_partition(sequence, block);
	else if (tag == UDF_TAG_LOGICAL && (!sequence->has_logical || number >= sequence->logical_number)) {
		memcpy(sequence->logical, block, SECTOR);
		sequence->has_logical = true;
		sequence->logical_number = number;
	}
}

/* One extent. 1: it goes on at *at; 0: that was all. */
static int read_extent(struct sequence *sequence, uint32_t *at, uint32_t *blocks)
{
	uint32_t first = *at, count = *blocks;

	for (uint32_t i = 0; i < count && i < SEQUENCE_BLOCKS; i++) {
		const uint8_t *block =
		    udf_space_read(&sequence->volume->space, (uint64_t)first + i, sequence->why);
		uint32_t tag = block ? udf_tag_read(block, SECTOR) : 0;

		if (!block)
			return -sequence->why->err;
		if (tag == 0 || tag == UDF_TAG_TERMINATOR)
			return 0;
		if (tag == UDF_TAG_POINTER) {
			*blocks = get_le32(block + 20) / SECTOR;
			*at = get_le32(block + 24);
			return 1;
		}
		take_descriptor(sequence, block, tag);
	}
	return 0;
}

static int read_sequence(struct sequence *sequence, uint32_t at, uint32_t blocks)
{
	int more = 1;

	for (uint32_t i = 0; more > 0 && i < POINTER_LIMIT; i++)
		more = read_extent(sequence, &at, &blocks);
	return more < 0 ? more : sequence->has_logical && sequence->count > 0;
}

/* ---- partition maps ---- */

static const struct extent_of_partition *find_partition(const struct sequence *sequence, uint32_t number)
{
	for (uint32_t i = 0; i < sequence->count; i++)
		if (sequence->partitions[i].number == number)
			return &sequence->partitions[i];
	return NULL;
}

static int damaged(struct sequence *sequence, const char *what)
{
	return reason_set(sequence->why, EBADMSG, "the UDF file system is damaged: %s", what);
}

static int set_extent(struct sequence *sequence, struct udf_partition *partition, uint32_t number)
{
	const struct extent_of_partition *found = find_partition(sequence, number);

	if (!found)
		return damaged(sequence, "a partition isn't described");
	partition->number = number;
	partition->start = found->start;
	partition->blocks = found->blocks;
	/* A metadata partition isn't the one that the blocks are counted in: it lies in another, which comes
	 * first (UDF 2.2.10). */
	if (sequence->volume->bitmap_bytes == 0) {
		sequence->volume->bitmap =
		    (struct udf_address){ found->bitmap_at, sequence->volume->space.count };
		sequence->volume->bitmap_bytes = found->bitmap_bytes;
	}
	return 0;
}

/* UDF 2.2.12. 1 = taken, 0 = it isn't one. */
static int read_spares(struct sequence *sequence, struct udf_partition *partition, uint32_t lba,
		       uint32_t size)
{
	struct udf_space *space = &sequence->volume->space;
	AUTO_FREE uint8_t *table = NULL;
	uint32_t count, blocks = (uint32_t)sectors_of(min_u64(size, SPARES_AT + 8u * 65535u));

	table = malloc((size_t)(blocks + 1) * SECTOR);
	if (!table)
		return reason_set(sequence->why, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < blocks; i++) {
		struct reason ignored = { 0 };
		const uint8_t *block = udf_space_read(space, (uint64_t)lba + i, &ignored);

		if (!block)
			return 0; /* there are several copies */
		memcpy(table + (size_t)i * SECTOR, block, SECTOR);
	}
	if (blocks == 0 || udf_tag_location(table) != lba || !udf_entity_is(table + 16, "*UDF Sparing Table"))
		return 0;
	count = get_le16(table + 48);
	for (uint32_t i = 0; i < count && SPARES_AT + 8 * (i + 1) <= blocks * SECTOR; i++) {
		const uint8_t *at = table + SPARES_AT + (size_t)8 * i;
		struct udf_spare *spare = get_le32(at) >= SPARE_FREE ? NULL : vec_push(&partition->spares);

		if (get_le32(at) >= SPARE_FREE)
			continue;
		if (!spare)
			return reason_set(sequence->why, ENOMEM, "out of memory");
		*spare = (struct udf_spare){ get_le32(at), get_le32(at + 4) };
	}
	udf_partition_sort(partition);
	return 1;
}

/* UDF 2.2.9. */
static int set_sparable(struct sequence *sequence, struct udf_partition *partition, const uint8_t *map)
{
	uint32_t tables = map[42], size = get_le32(map + 44);
	int got = 0;

	partition->kind = UDF_MAP_SPARABLE;
	partition->packet = get_le16(map + 40);
	if (partition->packet == 0 || tables == 0 || tables > SPARING_TABLES)
		return damaged(sequence, "a sparable partition can't be right");
	for (uint32_t i = 0; got == 0 && i < tables; i++)
		got = read_spares(sequence, partition, get_le32(map + 48 + (size_t)4 * i), size);
	return got < 0 ? got : got > 0 ? 0 : damaged(sequence, "there's no table of spare packets");
}

/* UDF 2.2.10; its files are read when all partitions are known. */
static void set_metadata(struct udf_partition *partition, const uint8_t *map)
{
	partition->kind = UDF_MAP_METADATA;
	partition->files[0] = get_le32(map + 40);
	partition->files[1] = get_le32(map + 44);
	partition->start = 0;
	partition->blocks = 0;
}

static int take_second_kind(struct sequence *sequence, struct udf_partition *partition, const uint8_t *map)
{
	int got = set_extent(sequence, partition, get_le16(map + 38));

	if (udf_entity_is(map + 4, "*UDF Virtual Partition"))
		return reason_set(sequence->why, EMEDIUMTYPE,
				  "the disc was written in packets on write-once media (UDF with a virtual "
				  "partition, VAT): not supported");
	if (got < 0)
		return got;
	if (udf_entity_is(map + 4, "*UDF Sparable Partition"))
		return set_sparable(sequence, partition, map);
	if (!udf_entity_is(map + 4, "*UDF Metadata Partition"))
		return reason_set(sequence->why, EMEDIUMTYPE,
				  "a UDF partition of an unknown kind: not supported");
	set_metadata(partition, map);
	return 0;
}

/* ECMA-167 3/10.7. */
static int take_maps(struct sequence *sequence)
{
	struct udf_space *space = &sequence->volume->space;
	const uint8_t *table = sequence->logical + MAP_TABLE_AT;
	uint32_t length = get_le32(sequence->logical + 264), count = get_le32(sequence->logical + 268),
		 at = 0;
	int got = 0;

	if (length > SECTOR - MAP_TABLE_AT || count == 0 || count > UDF_PARTITIONS)
		return damaged(sequence, "the table of its partitions");
	for (; got == 0 && space->count < count; at += table[at + 1]) {
		struct udf_partition *partition = &space->partitions[space->count];

		if (length - at < 6 || table[at + 1] < 6 || table[at + 1] > length - at)
			return damaged(sequence, "the table of its partitions");
		partition->kind = UDF_MAP_PLAIN;
		if (table[at] == 1)
			got = set_extent(sequence, partition, get_le16(table + at + 4));
		else if (table[at] == 2 && table[at + 1] == 64)
			got = take_second_kind(sequence, partition, table + at);
		else
			got = damaged(sequence, "a partition of an unknown kind");
		space->count++;
	}
	return got;
}

/* ---- the metadata partition's file ---- */

struct pieces {
	struct udf_partition *partition;
	struct reason *why;
};

static int take_piece(void *self, const struct extent *extent)
{
	struct pieces *pieces = (struct pieces *)self;
	struct udf_partition *partition = pieces->partition;
	struct udf_piece *piece;

	/* No holes, and whole blocks: else its block numbers would mean nothing. */
	if (extent->offset != partition->blocks * SECTOR || extent->length % SECTOR ||
	    extent->origin % SECTOR || partition->blocks + extent->length / SECTOR > UINT32_MAX ||
	    partition->pieces.count == PIECES_LIMIT)
		return reason_set(pieces->why, EBADMSG, "the file of its metadata isn't whole");
	piece = vec_push(&partition->pieces);
	if (!piece)
		return reason_set(pieces->why, ENOMEM, "out of memory");
	*piece = (struct udf_piece){ (uint32_t)partition->blocks, (uint32_t)(extent->length / SECTOR),
				     (uint32_t)(extent->origin / SECTOR) };
	partition->blocks += piece->count;
	return 0;
}

static int read_metadata_file(struct udf_space *space, struct udf_partition *partition, uint32_t which,
			      struct reason *why)
{
	static const uint32_t kinds[] = { UDF_FILE_METADATA, UDF_FILE_METADATA_MIRROR };
	struct udf_address at = { partition->files[which], partition->below };
	struct pieces pieces = { partition, why };
	struct udf_icb icb;
	int got = udf_icb_read(space, at, &icb, why);

	vec_clear(&partition->pieces);
	partition->blocks = 0;
	if (got == 0 && icb.file_type != kinds[which])
		got = reason_set(why, EBADMSG, "what should be the file of its metadata is another one");
	return got < 0 ? got : udf_icb_extents(space, &icb, take_piece, &pieces, why);
}

static int open_metadata(struct sequence *sequence, struct udf_partition *partition)
{
	struct udf_space *space = &sequence->volume->space;
	struct reason first = { 0 }, second = { 0 };
	uint32_t below = 0;

	while (below < space->count && (space->partitions[below].kind == UDF_MAP_METADATA ||
					space->partitions[below].number != partition->number))
		below++;
	if (below == space->count)
		return damaged(sequence, "the partition below that of its metadata is missing");
	partition->below = below;
	if (read_metadata_file(space, partition, 0, &first) == 0 ||
	    read_metadata_file(space, partition, 1, &second) == 0)
		return 0;
	return reason_set(sequence->why, first.err, "the UDF file system is damaged: %s", first.text);
}

static int open_all_metadata(struct sequence *sequence)
{
	struct udf_space *space = &sequence->volume->space;
	int got = 0;

	for (uint32_t i = 0; got == 0 && i < space->count; i++)
		if (space->partitions[i].kind == UDF_MAP_METADATA)
			got = open_metadata(sequence, &space->partitions[i]);
	return got;
}

/* ---- from the logical volume to its root ---- */

/* ECMA-167 3/8.8: the last of the integrity descriptors counts. */
static void read_integrity(struct udf_volume *volume, uint32_t at, uint32_t blocks)
{
	struct reason ignored = { 0 };

	for (uint32_t i = 0, links = 0; i < blocks && i < SEQUENCE_BLOCKS; i++) {
		const uint8_t *block = udf_space_read(&volume->space, (uint64_t)at + i, &ignored);

		if (!block || udf_tag_read(block, SECTOR) != UDF_TAG_INTEGRITY)
			return;
		volume->integrity = (uint64_t)at + i;
		volume->open = get_le32(block + 28) == 0;
		volume->time = udf_time(block + 16) / NS_PER_SEC;
		if (get_le32(block + 32) == 0 || ++links > POINTER_LIMIT)
			continue;
		blocks = get_le32(block + 32) / SECTOR;
		at = get_le32(block + 36);
		i = UINT32_MAX;
	}
}

/* ECMA-167 4/14.1; the last of a chain counts. */
static int find_root(struct sequence *sequence)
{
	struct udf_volume *volume = sequence->volume;
	struct udf_address at = { get_le32(sequence->logical + 248 + 4),
				  get_le16(sequence->logical + 248 + 8) };
	uint32_t length = get_le32(sequence->logical + 248);

	for (uint32_t i = 0; i < POINTER_LIMIT && length; i++) {
		const uint8_t *block;
		uint64_t lba, run;

		if (udf_space_map(&volume->space, at, 1, &lba, &run, sequence->why) < 0)
			return -sequence->why->err;
		block = udf_space_read(&volume->space, lba, sequence->why);
		if (!block)
			return -sequence->why->err;
		if (udf_tag_read(block, SECTOR) != UDF_TAG_FILE_SET || udf_tag_location(block) != at.block)
			break;
		volume->root = (struct udf_address){ get_le32(block + 404), get_le16(block + 408) };
		length = get_le32(block + 448) & 0x3fffffff;
		at = (struct udf_address){ get_le32(block + 452), get_le16(block + 456) };
		if (!length)
			return 0;
	}
	return damaged(sequence, "its file set can't be found");
}

/* A look at it tells discs of a kind that isn't supported. */
static int check_root(struct sequence *sequence)
{
	struct udf_volume *volume = sequence->volume;
	struct udf_icb root;
	int got = udf_icb_read(&volume->space, volume->root, &root, sequence->why);

	return got == 0 && !S_ISDIR(root.attr.mode) ? damaged(sequence, "its root isn't a directory") : got;
}

static int check_logical(struct sequence *sequence)
{
	uint32_t block_size = get_le32(sequence->logical + 212);

	if (block_size != SECTOR)
		return reason_set(sequence->why, EMEDIUMTYPE,
				  "the UDF file system has blocks of %" PRIu32
				  " bytes: only 2048 are supported",
				  block_size);
	if (sequence->set_size > 1)
		return reason_set(sequence->why, EMEDIUMTYPE,
				  "this is one of a set of %" PRIu32 " volumes: sets are not supported",
				  sequence->set_size);
	if (!udf_entity_is(sequence->logical + 216, "*OSTA UDF Compliant"))
		return reason_set(sequence->why, EMEDIUMTYPE,
				  "a volume of ECMA-167, but not UDF: not supported");
	return 0;
}

static int open_logical(struct sequence *sequence)
{
	struct udf_volume *volume = sequence->volume;
	const uint8_t *logical = sequence->logical;
	int got = check_logical(sequence);

	if (got == 0)
		got = take_maps(sequence);
	if (got == 0)
		got = open_all_metadata(sequence);
	if (got == 0)
		got = find_root(sequence);
	if (got == 0)
		got = check_root(sequence);
	if (got < 0)
		return got;
	volume->revision = get_le16(logical + 216 + 24);
	volume->ours = udf_entity_is(logical + 272, UDF_IMPLEMENTATION);
	udf_dstring(logical + 84, 128, volume->label, sizeof volume->label);
	read_integrity(volume, get_le32(logical + 436), get_le32(logical + 432) / SECTOR);
	return 1;
}

/* ---- the anchor ---- */

/* The sequence at one of its two places. 1, 0 (none there, or unreadable) or -errno. */
static int try_sequence(struct udf_volume *volume, const uint8_t *extent, struct reason *why)
{
	struct reason failed = { 0 };
	AUTO_FREE struct sequence *sequence = calloc(1, sizeof *sequence);
	uint32_t blocks = get_le32(extent) / SECTOR, at = get_le32(extent + 4);
	int got;

	if (!sequence)
		return reason_set(why, ENOMEM, "out of memory");
	sequence->volume = volume;
	sequence->why = &failed;
	got = read_sequence(sequence, at, blocks);
	if (got <= 0)
		return got == -ENOMEM ? reason_set(why, ENOMEM, "out of memory") : 0;
	sequence->why = why;
	volume->sequence = at;
	volume->sequence_blocks = (uint32_t)min_u64(blocks, SEQUENCE_BLOCKS);
	return open_logical(sequence);
}

/* ECMA-167 3/10.2. */
static int try_anchor(struct udf_volume *volume, uint64_t lba, struct reason *why)
{
	struct reason ignored = { 0 };
	const uint8_t *block = NULL;
	uint8_t anchor[32];
	int got;

	if (lba < volume->space.source->sectors)
		block = udf_space_read(&volume->space, lba, &ignored);
	if (!block || udf_tag_read(block, SECTOR) != UDF_TAG_ANCHOR || udf_tag_location(block) != lba)
		return 0;
	memcpy(anchor, block, sizeof anchor);
	volume->anchor = lba;
	got = try_sequence(volume, anchor + 16, why);
	return got ? got : try_sequence(volume, anchor + 24, why);
}

int udf_volume_open(struct udf_volume *volume, const struct source *source, uint64_t session, uint64_t limit,
		    struct reason *why)
{
	uint64_t last = (limit ? min_u64(limit, source->sectors) : source->sectors) - 1;
	/* ECMA-167 3/8.4.2.1: two of 256, N - 256 and N; discs that weren't closed have it at 512 (UDF 6.11).
	 */
	const uint64_t places[] = { ANCHOR_AT, last, last - ANCHOR_AT, 2 * ANCHOR_AT };
	int got;

	*volume = (struct udf_volume){ 0 };
	got = udf_space_open(&volume->space, source, limit, why);
	if (got < 0 || source->sectors == 0)
		return got;
	if (session)
		return try_anchor(volume, session + ANCHOR_AT, why);
	for (size_t i = 0; got == 0 && i < sizeof places / sizeof places[0]; i++)
		got = try_anchor(volume, places[i], why);
	return got;
}

void udf_volume_close(struct udf_volume *volume)
{
	udf_space_close(&volume->space);
}
