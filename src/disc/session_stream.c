/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/session_stream.h"

#include "disc/tree_mend.h"

#include <libburn/libburn.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PEEK_LEAST  32u	       /* blocks that session_stream_peek must be able to give */
#define VOLUME_SIZE 80u	       /* offset in a descriptor */
#define DESCRIPTOR  16u	       /* block of a session, ECMA-119 6.7.1 */
#define TREE_MOST   (1u << 21) /* blocks, 4 GiB: far more than names that fit any medium here */

static const char *const endings[] = {
	"Image is most likely damaged. Calculated/written tree end address mismatch.",
	"Image is most likely damaged. Calculated/written image end address mismatch.",
};

/* Each of the two endings is expected once. */
static bool is_expected(void *self, const char *text)
{
	struct session_stream *stream = (struct session_stream *)self;

	for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (strcmp(text, endings[i]) == 0 && !(stream->endings & 1u << i)) {
			stream->endings |= 1u << i;
			return true;
		}
	if (!stream->laid_out)
		(void)sscanf(text, "Calculated and written ECMA-119 tree end differ: %lu <> %lu",
			     &stream->laid_out, &stream->written);
	return false;
}

/* An error is kept for session_stream_failed: who knows more of it, because a body couldn't be read, speaks
 * first. */
static void hear(struct session_stream *stream)
{
	iso_lib_messages_but(is_expected, stream, EIO, &stream->said);
}

static int read_source(struct session_stream *stream, uint8_t *buffer, int size)
{
	struct burn_source *source = stream->source;

	return source->read ? source->read(source, buffer, size) : source->read_xt(source, buffer, size);
}

/* Up to a number of blocks from the session's start; fewer where the source ends before. */
static int read_ahead(struct session_stream *stream, uint32_t blocks, struct reason *why)
{
	size_t length = (size_t)blocks * SECTOR;
	uint8_t *grown = realloc(stream->ahead, length);
	int got = (int)SECTOR;

	if (!grown)
		return reason_set(why, ENOMEM, "out of memory");
	stream->ahead = grown;
	while (stream->ahead_length < length && got == (int)SECTOR) {
		got = read_source(stream, grown + stream->ahead_length, (int)SECTOR);
		if (got == (int)SECTOR)
			stream->ahead_length += SECTOR;
	}
	return got < 0 ? reason_set(why, EIO, "libisofs broke off while it wrote the directories") : 0;
}

static int open_tags(struct session_stream *stream, const struct tree_bounds *bounds, IsoImage *image,
		     struct reason *why)
{
	char name[] = "isofs.ca";
	AUTO_FREE char *value = NULL;
	size_t length = 0;

	if (iso_node_lookup_attr((IsoNode *)iso_image_get_root(image), name, &length, &value, 0) != 1)
		length = 0;
	return session_tags_open(&stream->tags, stream->start, bounds->tag, (const uint8_t *)value, length,
				 why);
}

static int mend(struct session_stream *stream, const struct tree_bounds *bounds, IsoImage *image,
		struct reason *why)
{
	uint32_t blocks = (uint32_t)(stream->ahead_length / SECTOR);
	uint8_t *mended;
	int got;

	if (stream->laid_out != bounds->tag + 1ul || stream->written >= stream->laid_out ||
	    stream->written <= bounds->root)
		return reason_set(
		    why, EIO,
		    "libisofs laid out the directories wrongly, and that can't be mended: %lu sectors "
		    "reserved, %lu written",
		    stream->laid_out - bounds->start, stream->written - bounds->start);
	stream->inserted = (uint32_t)(stream->laid_out - stream->written);
	got = tree_mend(bounds, stream->ahead, blocks, stream->inserted, &mended, why);
	if (got < 0)
		return got;
	free(stream->ahead);
	stream->ahead = mended;
	stream->ahead_length += (size_t)stream->inserted * SECTOR;
	stream->changed = true;
	return 0;
}

/* Volume space size of both kinds of descriptors, in both byte orders (ECMA-119 8.4.8, 8.5.8). */
static void make_absolute(struct session_stream *stream)
{
	for (uint8_t *at = stream->ahead + (size_t)DESCRIPTOR * SECTOR;
	     (size_t)(at - stream->ahead) < stream->ahead_length && memcmp(at + 1, "CD001", 5) == 0;
	     at += SECTOR)
		if (at[0] == 1 || at[0] == 2) {
			uint32_t end = get_le32(at + VOLUME_SIZE) + stream->start;

			put_le32(at + VOLUME_SIZE, end);
			put_be32(at + VOLUME_SIZE + 4, end);
		}
	stream->changed = true;
}

/* The checksums of what was read ahead; those of the rest follow while it passes. */
static int renew_tags(struct session_stream *stream, const struct tree_bounds *bounds, IsoImage *image,
		      struct reason *why)
{
	int got = open_tags(stream, bounds, image, why);

	for (uint32_t i = DESCRIPTOR; got == 0 && i < bounds->root - stream->start; i++)
		if (session_tags_is_superblock(stream->ahead + (size_t)i * SECTOR))
			stream->tags.superblock = stream->start + i;
	for (; got == 0 && (size_t)stream->blocks * SECTOR < stream->ahead_length; stream->blocks++)
		got = session_tags_pass(&stream->tags, stream->start + stream->blocks,
					stream->ahead + (size_t)stream->blocks * SECTOR, why);
	stream->block_used = SECTOR;
	return got;
}

/* The message about a wrong layout is sent between the block of the tree's tag and the one that follows as
 * it's written. Where blocks are missing, the place of the tag by the layout lies behind that block: when it
 * has been read, the message is there. */
int session_stream_open(struct session_stream *stream, struct burn_source *source, IsoImage *image,
			uint32_t start, bool absolute, struct reason *why)
{
	struct tree_bounds bounds = { 0 };
	int got;

	stream->source = source;
	stream->start = start;
	got = read_ahead(stream, DESCRIPTOR + 1, why);
	if (got == 0 && stream->ahead_length <= (size_t)DESCRIPTOR * SECTOR)
		got = reason_set(why, EIO, "libisofs broke off before the first descriptor");
	if (got == 0)
		got = tree_bounds_read(stream->ahead + (size_t)DESCRIPTOR * SECTOR, start, &bounds, why);
	if (got == 0 && bounds.tag - start >= TREE_MOST)
		got = reason_set(why, EFBIG, "the directories alone would take %" PRIu32 " sectors",
				 bounds.tag - start);
	if (got == 0)
		got = read_ahead(stream, (uint32_t)max_u64(bounds.tag - start + 1, PEEK_LEAST), why);
	if (got == 0)
		hear(stream);
	/* A body that can't be read may have been said before; that is told at the end. */
	if (got == 0 && stream->laid_out)
		got = mend(stream, &bounds, image, why);
	if (got < 0 && stream->said.err)
		got = reason_set(why, stream->said.err, "%s", stream->said.text);
	if (got == 0 && absolute)
		make_absolute(stream);
	if (got == 0 && stream->area) {
		memcpy(stream->ahead, stream->area, (size_t)DESCRIPTOR * SECTOR);
		stream->changed = true;
	}
	return got == 0 && stream->changed ? renew_tags(stream, &bounds, image, why) : got;
}

uint32_t session_stream_peek(const struct session_stream *stream, uint32_t blocks, uint8_t *data)
{
	uint32_t have = (uint32_t)min_u64(blocks, stream->ahead_length / SECTOR);

	memcpy(data, stream->ahead, (size_t)have * SECTOR);
	return have;
}

void session_stream_close(struct session_stream *stream)
{
	session_tags_close(&stream->tags);
	free(stream->ahead);
	stream->ahead = NULL;
}

/* What was read ahead, then the rest. */
static int read_on(struct session_stream *stream, uint8_t *buffer, int size)
{
	size_t take = min_u64((uint64_t)size, stream->ahead_length - stream->ahead_used);
	int got;

	if (take > 0)
		memcpy(buffer, stream->ahead + stream->ahead_used, take);
	stream->ahead_used += take;
	if ((int)take == size)
		return size;
	free(TAKE(stream->ahead));
	got = read_source(stream, buffer + take, size - (int)take);
	return got < 0 ? (int)take : (int)take + got;
}

/* The next block, with its sums right. */
static bool next_block(struct session_stream *stream)
{
	const struct session_tags *tags = &stream->tags;
	bool is_new = stream->ahead_used == stream->ahead_length;
	uint32_t lba = stream->start + stream->blocks;

	if (stream->broken.err || read_on(stream, stream->block, (int)SECTOR) != (int)SECTOR)
		return false;
	stream->block_used = 0;
	if (!is_new)
		return true;
	stream->blocks++;
	return lba > tags->end || session_tags_pass(&stream->tags, lba, stream->block, &stream->broken) == 0;
}

int session_stream_read(struct session_stream *stream, uint8_t *buffer, int size)
{
	int done = 0;

	if (!stream->changed)
		return read_on(stream, buffer, size);
	while (done < size) {
		size_t take;

		if (stream->block_used == SECTOR && !next_block(stream))
			break;
		take = min_u64((uint64_t)(size - done), SECTOR - stream->block_used);
		memcpy(buffer + done, stream->block + stream->block_used, take);
		stream->block_used += take;
		done += (int)take;
	}
	return done;
}

bool session_stream_failed(struct session_stream *stream, struct reason *why)
{
	const struct reason *first = &stream->said;

	hear(stream);
	if (!first->err)
		first = &stream->broken;
	if (first->err)
		return reason_set(why, first->err, "%s", first->text) < 0;
	if (stream->inserted)
		return false;
	for (unsigned i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (stream->endings & 1u << i)
			return reason_set(why, EIO, "%s", endings[i]) < 0;
	return stream->laid_out && reason_set(why, EIO, "libisofs laid out the directories wrongly") < 0;
}
