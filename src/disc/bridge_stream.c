/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/bridge_stream.h"

#include "disc/session_tags.h"
#include "wire/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTOR  16u /* sector of a session, ECMA-119 6.7.1 */
#define VOLUME_SIZE 80u /* ECMA-119 8.4.8, 8.5.8, in both byte orders */
#define MOST	    8u	/* descriptors that libisofs writes */

static bool is_descriptor(const uint8_t *block)
{
	return memcmp(block + 1, "CD001", 5) == 0;
}

/* Sets the size in the descriptors that begin there; how many there are, 0 where that can't be. */
static uint32_t size_descriptors(uint8_t *blocks, uint32_t size)
{
	for (uint32_t i = 0; i < MOST && is_descriptor(blocks + (size_t)i * SECTOR); i++) {
		uint8_t *block = blocks + (size_t)i * SECTOR;

		if (block[0] == 1 || block[0] == 2) {
			put_le32(block + VOLUME_SIZE, size);
			put_be32(block + VOLUME_SIZE + 4, size);
		}
		if (block[0] == 255)
			return i + 1;
	}
	return 0;
}

uint32_t bridge_put_start(uint8_t *inner, uint32_t size, uint8_t *ret)
{
	uint32_t count = size_descriptors(inner + (size_t)DESCRIPTOR * SECTOR, size);

	/* The system area, too: on sequential media each session brings it along. */
	memcpy(ret, inner, (size_t)(DESCRIPTOR + count) * SECTOR);
	udf_record_recognition(ret + (size_t)(DESCRIPTOR + count) * SECTOR);
	return count;
}

static int make_front(struct bridge_stream *stream, const struct bridge_wish *wish, struct reason *why)
{
	uint8_t *blocks = calloc(1, HEAD_BYTES); /* a small session has fewer */
	uint32_t count = 0, end = wish->start + (uint32_t)wish->sectors;

	if (!blocks)
		return reason_set(why, ENOMEM, "out of memory");
	if (session_stream_peek(stream->inner, HEAD_SECTORS, blocks) > DESCRIPTOR)
		count =
		    bridge_put_start(blocks, wish->absolute ? end : (uint32_t)wish->sectors, stream->front);
	free(blocks);
	if (count == 0)
		return reason_set(why, EIO, "libisofs' descriptors aren't where they should be");
	udf_record_volume(&stream->bridge->facts, stream->front);
	if (wish->first)
		udf_record_anchor(BRIDGE_ANCHOR, wish->start,
				  stream->front + (size_t)(BRIDGE_ANCHOR - wish->start) * SECTOR);
	return 0;
}

static int open_sums(struct bridge_stream *stream, const struct bridge_wish *wish, struct reason *why)
{
	struct range_sums *ranges = stream->sums.ranges;
	const uint32_t inner = wish->start + BRIDGE_SECTORS, tail = inner + (uint32_t)wish->inner_sectors;
	int got = 0;

	stream->sums.start = wish->start;
	ranges[RANGE_FRONT] = (struct range_sums){ .first = wish->start, .sectors = BRIDGE_SECTORS };
	ranges[RANGE_DIRS] = (struct range_sums){ .first = inner, .sectors = wish->dirs };
	ranges[RANGE_TAIL] =
	    (struct range_sums){ .first = tail,
				 .sectors = wish->start + (uint32_t)wish->sectors - BRIDGE_SUMS_BACK - tail };
	for (size_t i = 0; got == 0 && i < BRIDGE_RANGES; i++)
		got = range_summing_open(&stream->summing[i], &ranges[i], why);
	return got;
}

int bridge_stream_open(struct bridge_stream *stream, struct bridge *bridge, struct session_stream *inner,
		       const struct bridge_wish *wish, struct reason *why)
{
	struct udf_facts *facts = &bridge->facts;
	int got;

	*stream = (struct bridge_stream){ .bridge = bridge,
					  .inner = inner,
					  .front = calloc(BRIDGE_SECTORS, SECTOR),
					  .inner_sectors = wish->inner_sectors,
					  .sectors = wish->sectors,
					  .used = SECTOR };
	if (!stream->front)
		return reason_set(why, ENOMEM, "out of memory");
	facts->end = wish->start + (uint32_t)wish->sectors;
	facts->time_ns = wish->time_ns;
	facts->set = wish->set;
	strncpy(facts->label, wish->label, sizeof facts->label - 1);
	got = open_sums(stream, wish, why);
	return got < 0 ? got : make_front(stream, wish, why);
}

void bridge_stream_close(struct bridge_stream *stream)
{
	free(stream->front);
	stream->front = NULL;
	for (size_t i = 0; i < BRIDGE_RANGES; i++)
		range_summing_close(&stream->summing[i]);
}

/* Sums up a sector that goes out. */
static void pass(struct bridge_stream *stream, uint64_t at, const uint8_t *block)
{
	const uint64_t lba = stream->sums.start + at;

	for (size_t i = 0; i < BRIDGE_RANGES; i++) {
		const struct range_sums *range = &stream->sums.ranges[i];

		if (lba >= range->first && lba - range->first < range->sectors)
			range_summing_add(&stream->summing[i], lba, block);
	}
}

static bool make_record(struct bridge_stream *stream)
{
	bool good = true;

	for (size_t i = 0; i < BRIDGE_RANGES; i++)
		good &= range_summing_end(&stream->summing[i]);
	if (good && bridge_sums_put(&stream->sums, (uint32_t)(stream->bridge->facts.end - BRIDGE_SUMS_BACK),
				    stream->block) == 0)
		return true;
	reason_set(&stream->broken, EIO, "the sums of UDF can't be computed");
	return false;
}

static bool make_block(struct bridge_stream *stream, uint64_t at)
{
	uint64_t tail = BRIDGE_SECTORS + stream->inner_sectors;

	if (at < BRIDGE_SECTORS) {
		memcpy(stream->block, stream->front + at * SECTOR, SECTOR);
		return true;
	}
	if (at < tail)
		return session_stream_read(stream->inner, stream->block, (int)SECTOR) == (int)SECTOR;
	if (at < tail + stream->bridge->sectors)
		return bridge_next(stream->bridge, stream->block, &stream->broken) == 0;
	if (at == stream->sectors - BRIDGE_SUMS_BACK)
		return make_record(stream);
	memset(stream->block, 0, SECTOR);
	if (at == stream->sectors - 1)
		udf_record_anchor((uint32_t)(stream->bridge->facts.end - 1), stream->bridge->facts.start,
				  stream->block);
	return at < stream->sectors;
}

/* The next sector. */
static bool next_block(struct bridge_stream *stream)
{
	bool good = make_block(stream, stream->at);

	stream->used = 0;
	if (good)
		pass(stream, stream->at, stream->block);
	stream->at++;
	return good;
}

/* Whole sectors of libisofs' part needn't be copied twice. */
static int read_inner(struct bridge_stream *stream, uint8_t *buffer, int size)
{
	uint64_t tail = BRIDGE_SECTORS + stream->inner_sectors;
	uint64_t left = stream->used == SECTOR && stream->at >= BRIDGE_SECTORS && stream->at < tail
			    ? tail - stream->at
			    : 0;
	int sectors = (int)min_u64(left, (uint64_t)size / SECTOR);
	int got = sectors ? session_stream_read(stream->inner, buffer, sectors * (int)SECTOR) : 0;

	for (int i = 0; i < got / (int)SECTOR; i++)
		pass(stream, stream->at + (uint64_t)i, buffer + (size_t)i * SECTOR);
	stream->at += (uint64_t)got / SECTOR;
	return got;
}

int bridge_stream_read(struct bridge_stream *stream, uint8_t *buffer, int size)
{
	int done = 0;

	while (done < size) {
		int got = read_inner(stream, buffer + done, size - done);
		size_t take;

		done += got;
		if (got % (int)SECTOR != 0)
			break;
		if (got > 0)
			continue;
		if (stream->used == SECTOR && (stream->broken.err || !next_block(stream)))
			break;
		take = (size_t)min_u64((uint64_t)(size - done), SECTOR - stream->used);
		memcpy(buffer + done, stream->block + stream->used, take);
		stream->used += take;
		done += (int)take;
	}
	return done;
}

int bridge_make_head(uint8_t *head, uint32_t start, uint64_t sectors, uint32_t late, struct reason *why)
{
	uint32_t count = size_descriptors(head + (size_t)DESCRIPTOR * SECTOR, start + (uint32_t)sectors);
	uint32_t from = DESCRIPTOR + count, to = from + RECOGNITION;
	uint8_t tag[SECTOR];

	if (count == 0)
		return reason_set(why, EIO, "libisofs' descriptors aren't where they should be");
	memcpy(tag, head + (size_t)from * SECTOR, SECTOR);
	udf_record_recognition(head + (size_t)from * SECTOR);
	memcpy(head + (size_t)to * SECTOR, tag, SECTOR);
	if (late)
		udf_record_anchor(late, start, head + (size_t)(HEAD_SECTORS - 1) * SECTOR);
	return session_tags_move(head, to, why);
}
