/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/burn_feed.h"

#include "base/fault.h"

#include <string.h>

static bool at_middle(const struct burn_feed *feed, uint64_t sent, uint64_t size)
{
	return sent <= feed->size / 2 && sent + size > feed->size / 2;
}

static int feed_read(struct burn_source *source, unsigned char *buffer, int size)
{
	struct burn_feed *feed = (struct burn_feed *)source->data;
	uint64_t sent = feed->sent;
	int take;

	if (sent >= feed->size)
		return 0;
	if (feed->failed || feed->stop || size <= 0)
		return -1;
	size = (int)min_u64((uint64_t)size, feed->size - sent);
	take = sent < feed->inner_size ? (int)min_u64((uint64_t)size, feed->inner_size - sent) : 0;
	if ((at_middle(feed, sent, (uint64_t)size) && fault_point(FAULT_BURN_MIDDLE) < 0) ||
	    (take > 0 && feed->read(feed->from, buffer, take) != take)) {
		feed->failed = true;
		return -1;
	}
	memset(buffer + take, 0, (size_t)(size - take));
	feed->sent = sent + (uint64_t)size;
	return size;
}

static off_t feed_get_size(struct burn_source *source)
{
	return (off_t)((struct burn_feed *)source->data)->size;
}

static int feed_set_size(struct burn_source *source, off_t size)
{
	return 1;
}

static int feed_cancel(struct burn_source *source)
{
	return 1;
}

static void feed_free(struct burn_source *source)
{
	source->data = NULL;
}

struct burn_source *burn_feed_source(struct burn_feed *feed)
{
	struct burn_source *source = calloc(1, sizeof *source);

	if (!source)
		return NULL;
	source->refcount = 1;
	source->version = 1;
	source->read_xt = feed_read;
	source->get_size = feed_get_size;
	source->set_size = feed_set_size;
	source->cancel = feed_cancel;
	source->free_data = feed_free;
	source->data = feed;
	return source;
}
