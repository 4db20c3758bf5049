/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sectors of a session as they shall go out: libisofs' own, with its directories mended where it laid
 * them out wrongly (see tree_mend.h), and on sequential media with the volume size counted from sector 0.
 *
 * That size: libisofs counts from the session's start. Linux (fs/isofs/rock.c) takes it for the end of the
 * volume and drops Rock Ridge when a continuation area lies behind it, on each session but the first.
 *
 * Whether it did shows when it has written them. So they're read ahead, before anybody is told that the
 * session can be burned. A session that is all right goes through unchanged; a changed one has its checksums
 * made anew. One thread at a time. */
#pragma once

#include "disc/iso_lib.h"
#include "disc/session_tags.h"

struct burn_source;

struct session_stream {
	struct burn_source *source; /* borrowed */
	uint32_t start;
	const uint8_t *area; /* 16 sectors to begin with instead of libisofs'; NULL: they're its own */
	uint8_t *ahead;	     /* what was read ahead, NULL when it's gone out */
	size_t ahead_length;
	size_t ahead_used;
	uint32_t inserted; /* blocks; 0: nothing was wrong */
	bool changed;
	/* Only when changed. */
	struct session_tags tags;
	uint32_t blocks; /* that have gone through tags */
	uint8_t block[SECTOR];
	size_t block_used;
	struct reason broken;
	/* What libisofs said. */
	unsigned long laid_out; /* end of its directories as they should be, 0: nothing said */
	unsigned long written;	/* and as they came */
	unsigned endings;	/* bits: which of its two complaints at the end */
	struct reason said;	/* the first error of another kind */
};

/* Reads ahead, and changes what must be. image: what source was made of; stream->area: set before. 0, -EIO,
 * -ENOMEM. Close it always.
 */
int session_stream_open(struct session_stream *stream, struct burn_source *source, IsoImage *image,
			uint32_t start, bool absolute, struct reason *why);
/* Copies the first blocks as they'll go out, at most as many as there are directories; before anything was
 * read. Returns how many.
 */
uint32_t session_stream_peek(const struct session_stream *stream, uint32_t blocks, uint8_t *data);
void session_stream_close(struct session_stream *stream);
/* Returns size, or less where it broke off. */
int session_stream_read(struct session_stream *stream, uint8_t *buffer, int size);
/* True when libisofs complained about anything that isn't mended; fills why. */
bool session_stream_failed(struct session_stream *stream, struct reason *why);
