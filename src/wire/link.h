/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of the socket between daemon and worker: messages in packets, descriptors alongside, deadlines.
 *
 * Messages are gathered into packets of up to LINK_PACKET bytes (SOCK_SEQPACKET) and leave with link_flush,
 * or when the packet is full; so 100,000 small messages cost some hundred system calls. One thread per end.
 */
#pragma once

#include "base/reason.h"
#include "wire/msg.h"

#define LINK_PACKET 128000u
#define LINK_FDS    4 /* descriptors that may go with one packet */

struct link {
	int fd; /* owned; -1 = closed */
	struct {
		uint8_t *data;
		size_t length;
	} out;
	struct {
		uint8_t *data;
		size_t length;
		size_t at;
		int fds[LINK_FDS]; /* received, not yet taken: -1 where none */
	} in;
	int timeout_ms; /* for one receive or a blocked send; -1 = for ever */
};

/* Takes the descriptor. 0 or -ENOMEM. */
int link_open(struct link *link, int fd);
void link_close(struct link *link);
/* Two connected descriptors, close-on-exec. */
int link_pair(int ret_fds[2]);

/* Queues one message and clears it. 0, -EMSGSIZE (the message is bad), -ENOMEM, -EPIPE, -ETIMEDOUT. */
int link_send(struct link *link, struct msg *msg);
/* Sends one message with descriptors (borrowed) in a packet of its own, at once. */
int link_send_fds(struct link *link, struct msg *msg, const int *fds, size_t count);
int link_flush(struct link *link);
/* Next message: its data points into the link and is valid until the next receive. Flushes what waits to go
 * out before it blocks. 1 = a message, 0 = the peer closed, or -errno (-EPROTO: malformed packet,
 * -ETIMEDOUT). */
int link_receive(struct link *link, struct msg *ret);
/* Whether link_receive would return at once. */
bool link_is_ready(const struct link *link);
/* Takes the nth descriptor that came with the newest packet, or -1. */
int link_take_fd(struct link *link, size_t index);
