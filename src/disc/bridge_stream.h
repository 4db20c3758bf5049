/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session with its UDF bridge as it goes out: the front, libisofs' part, the tail, zeroes, the sums of what
 * libisofs' own don't cover, and the anchor as its last sector. See bridge.h. */
#pragma once

#include "disc/bridge.h"
#include "disc/bridge_sums.h"
#include "disc/session_stream.h"

struct bridge_stream {
	struct bridge *bridge; /* borrowed, like inner */
	struct session_stream *inner;
	uint8_t *front; /* BRIDGE_SECTORS of them */
	uint64_t inner_sectors;
	uint64_t sectors; /* in all */
	uint64_t at;	  /* sector that goes out next, from the session's start */
	struct bridge_sums sums;
	struct range_summing summing[BRIDGE_RANGES];
	uint8_t block[SECTOR];
	size_t used; /* of block */
	struct reason broken;
};

struct bridge_wish {
	uint32_t start;		/* of the session, sector */
	uint64_t inner_sectors; /* of libisofs' part */
	uint32_t dirs;		/* sectors of that before the first file */
	uint64_t sectors;	/* of the session with all padding */
	bool absolute;		/* the volume size counts from sector 0: on sequential media */
	bool first;		/* sector 256 of the medium lies in this session's front, and is free */
	const char *label;
	int64_t time_ns;
	uint64_t set; /* random */
};

/* bridge: placed and located; inner: open, nothing read. Close it always. 0, -EIO, -ENOMEM. */
int bridge_stream_open(struct bridge_stream *stream, struct bridge *bridge, struct session_stream *inner,
		       const struct bridge_wish *wish, struct reason *why);
void bridge_stream_close(struct bridge_stream *stream);
/* Returns size, or less where it broke off. */
int bridge_stream_read(struct bridge_stream *stream, uint8_t *buffer, int size);

/* The first HEAD_SECTORS of a session by those of libisofs' part, whose descriptors get the size: how many
 * these are; 0: they aren't where they should be. ret is zeroed. */
uint32_t bridge_put_start(uint8_t *inner, uint32_t size, uint8_t *ret);

/* What libisofs made for the head of the session at start becomes that of a bridge: the volume's size is what
 * it is with the tail, a recognition sequence follows, and the checksum is made anew. late: that sector is
 * to lead to the session, so the head's last sector holds what is to stand there; see head.h. 0: none. 0 or
 * -EIO. */
int bridge_make_head(uint8_t *head, uint32_t start, uint64_t sectors, uint32_t late, struct reason *why);
