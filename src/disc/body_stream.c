/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/body_stream.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>

#define READ_AHEAD (512u * 1024u) /* libisofs asks for 2048 bytes at a time */
/* ISO_IMAGE_FS_ID of libisofs' fsource.h, what imported nodes have: the number that comes with it is the
 * serial number that the new session records, and decides alone what is a hard link (iso_node_cmp_flag). */
#define IMAGE_FS_ID 2u

struct body {
	struct body_context *context;
	uint32_t node;
	uint64_t at;	 /* next byte to hand out */
	uint8_t *buffer; /* while open */
	size_t room;
	uint64_t start; /* of the buffer, in the file */
	size_t filled;
};

static const struct node *node_of(const struct body *body)
{
	return &body->context->plan->nodes.items[body->node].node;
}

static int fail(const struct body *body, int err, const char *what)
{
	struct body_context *context = body->context;
	char path[200];

	plan_path(context->plan, body->node, path, sizeof path);
	WITH_LOCK(&context->lock);
	reason_set(&context->failed, err, "%s: %s: %s", path, what, strerror(err));
	return (int)ISO_FILE_READ_ERROR;
}

static void set_current(struct body_context *context, uint32_t node)
{
	WITH_LOCK(&context->lock);
	context->current = node;
}

bool body_context_failed(struct body_context *context, struct reason *why)
{
	WITH_LOCK(&context->lock);
	if (!context->failed.err)
		return false;
	reason_set(why, context->failed.err, "%s", context->failed.text);
	return true;
}

uint32_t body_context_current(struct body_context *context)
{
	WITH_LOCK(&context->lock);
	return context->current;
}

static int body_open(IsoStream *stream)
{
	struct body *body = (struct body *)stream->data;
	uint64_t size = node_of(body)->attr.size;

	if (body->buffer)
		return (int)ISO_FILE_ALREADY_OPENED;
	body->room = (size_t)min_u64(READ_AHEAD, max_u64(size, 1));
	body->buffer = malloc(body->room);
	if (!body->buffer)
		return (int)ISO_OUT_OF_MEM;
	body->at = body->start = 0;
	body->filled = 0;
	set_current(body->context, body->node);
	return 1;
}

static int body_close(IsoStream *stream)
{
	struct body *body = (struct body *)stream->data;

	free(body->buffer);
	body->buffer = NULL;
	set_current(body->context, NO_NAME);
	return 1;
}

static off_t body_get_size(IsoStream *stream)
{
	return (off_t)node_of((const struct body *)stream->data)->attr.size;
}

/* Only what libisofs reads while it lays the session out still lies on a drive's disc: see commit/fill.h. */
static int read_drive(const struct body *body, const struct extent *piece, uint8_t *data)
{
	uint64_t first = piece->origin / SECTOR, skipped = piece->origin % SECTOR;
	uint32_t count = (uint32_t)sectors_of(skipped + piece->length);
	AUTO_FREE uint8_t *sectors = malloc((size_t)count * SECTOR);
	struct reason why = { 0 };

	if (!sectors)
		return fail(body, ENOMEM, "can't read it from the disc");
	if (source_read(body->context->source, first, count, sectors, &why) < 0)
		return fail(body, why.err, "can't read it from the disc");
	memcpy(data, sectors + skipped, piece->length);
	return 0;
}

/* One piece of the map, whole. */
static int read_piece(const struct body *body, const struct extent *piece, uint8_t *data)
{
	const struct body_context *context = body->context;
	bool from_disc = piece->kind == EXTENT_DISC;
	int64_t got;

	if (piece->kind != EXTENT_DISC && piece->kind != EXTENT_SPOOL) {
		memset(data, 0, piece->length);
		return 0;
	}
	if (from_disc && !range_within(piece->origin, piece->length, context->medium_limit))
		return fail(body, EIO, "its content lies beyond what is recorded");
	if (from_disc && context->source->is_drive)
		return read_drive(body, piece, data);
	got = fd_pread_full(from_disc ? context->source->fd : context->spool, data, piece->length,
			    piece->origin);
	if (got < 0)
		return fail(body, (int)-got,
			    from_disc ? "can't read it from the disc" : "can't read it from the spool");
	if ((uint64_t)got != piece->length)
		return fail(body, EIO,
			    from_disc ? "the disc ends inside of it" : "the spool ends inside of it");
	return 0;
}

static int fill(struct body *body)
{
	const struct node *node = node_of(body);
	uint64_t left = min_u64(body->room, node->attr.size - body->at);

	body->start = body->at;
	body->filled = 0;
	while (left > 0) {
		struct extent piece;
		int got;

		extent_map_piece(&node->map, body->start + body->filled, left, &piece);
		got = read_piece(body, &piece, body->buffer + body->filled);
		if (got < 0)
			return got;
		body->filled += piece.length;
		left -= piece.length;
	}
	return 0;
}

static int body_read(IsoStream *stream, void *data, size_t count)
{
	struct body *body = (struct body *)stream->data;
	uint64_t size = node_of(body)->attr.size;
	size_t done = 0;

	if (!body->buffer)
		return (int)ISO_FILE_NOT_OPENED;
	while (done < count && body->at < size) {
		uint64_t offset = body->at - body->start;
		size_t take;
		int got;

		if (offset >= body->filled) {
			got = fill(body);
			if (got < 0)
				return got;
			offset = 0;
		}
		take = (size_t)min_u64(count - done, body->filled - offset);
		memcpy((uint8_t *)data + done, body->buffer + offset, take);
		body->at += take;
		done += take;
	}
	return (int)done;
}

static int body_is_repeatable(IsoStream *stream)
{
	return 1;
}

static void body_get_id(IsoStream *stream, unsigned int *fs_id, dev_t *dev_id, ino_t *ino_id)
{
	const struct body *body = (const struct body *)stream->data;

	*fs_id = IMAGE_FS_ID;
	*dev_id = 0;
	*ino_id = (ino_t)body->context->serial_first + body->node;
}

/* What gets a table of its own is the same as nothing else. */
static uint32_t own_of(const struct body *body)
{
	return body->context->plan->nodes.items[body->node].tabled ? body->node + 1 : 0;
}

/* Bodies that are recorded once: as extent_map_equal, but an order. */
static int body_compare(IsoStream *left, IsoStream *right)
{
	const struct node *a = node_of((const struct body *)left->data);
	const struct node *b = node_of((const struct body *)right->data);
	uint32_t own = own_of((const struct body *)left->data),
		 other = own_of((const struct body *)right->data);

	if (own != other)
		return own < other ? -1 : 1;
	if (a->attr.size != b->attr.size)
		return a->attr.size < b->attr.size ? -1 : 1;
	return extent_map_compare(&a->map, &b->map);
}

static void body_free(IsoStream *stream)
{
	struct body *body = (struct body *)stream->data;

	free(body->buffer);
	free(body);
}

static int body_update_size(IsoStream *stream)
{
	return 1;
}

static IsoStream *body_get_input(IsoStream *stream, int flag)
{
	return NULL;
}

static IsoStreamIface body_class = {
	.version = 4,
	.type = { 'u', 's', 'e', 'r' },
	.open = body_open,
	.close = body_close,
	.get_size = body_get_size,
	.read = body_read,
	.is_repeatable = body_is_repeatable,
	.get_id = body_get_id,
	.free = body_free,
	.update_size = body_update_size,
	.get_input_stream = body_get_input,
	.cmp_ino = body_compare,
};

int body_stream_new(struct body_context *context, uint32_t node, IsoStream **ret)
{
	AUTO_FREE struct body *body = calloc(1, sizeof *body);
	IsoStream *stream = calloc(1, sizeof *stream);

	if (!body || !stream) {
		free(stream);
		return -ENOMEM;
	}
	body->context = context;
	body->node = node;
	stream->class = &body_class;
	stream->refcount = 1;
	stream->data = TAKE(body);
	*ret = stream;
	return 0;
}
