/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FRAME_HEADER 8u /* verb, length */
#define SOCKET_ROOM  (4 * (int)LINK_PACKET)

union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(LINK_FDS * sizeof(int))];
};

int link_open(struct link *link, int fd)
{
	const int room = SOCKET_ROOM;

	*link = (struct link){ .fd = -1, .timeout_ms = -1, .in.fds = { -1, -1, -1, -1 } };
	link->out.data = malloc(LINK_PACKET);
	link->in.data = malloc(LINK_PACKET);
	if (!link->out.data || !link->in.data) {
		link_close(link);
		return -ENOMEM;
	}
	/* Only for speed: a system that grants less still fits one packet. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	link->fd = fd;
	return 0;
}

static void link_drop_fds(struct link *link)
{
	for (size_t i = 0; i < LINK_FDS; i++) {
		if (link->in.fds[i] >= 0)
			close(link->in.fds[i]);
		link->in.fds[i] = -1;
	}
}

void link_close(struct link *link)
{
	if (!link->in.data && !link->out.data && link->fd <= 0)
		return; /* never opened: all zero */
	link_drop_fds(link);
	free(link->in.data);
	free(link->out.data);
	if (link->fd >= 0)
		close(link->fd);
	*link = (struct link){ .fd = -1, .in.fds = { -1, -1, -1, -1 } };
}

int link_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the socket is ready. deadline: of now_ms(), used unless the link waits for ever. */
static int link_wait(const struct link *link, short events, int64_t deadline)
{
	struct pollfd poller = { .fd = link->fd, .events = events };

	for (;;) {
		int64_t left = link->timeout_ms < 0 ? -1 : deadline - now_ms();
		int ready;

		if (link->timeout_ms >= 0 && left <= 0)
			return -ETIMEDOUT;
		ready = poll(&poller, 1, (int)left);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

static int link_send_packet(struct link *link, const struct msghdr *packet)
{
	int64_t deadline = now_ms() + link->timeout_ms;

	if (link->fd < 0)
		return -EPIPE;
	while (sendmsg(link->fd, packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		int err = errno;

		if (err == EPIPE || err == ECONNRESET)
			return -EPIPE;
		if (err == EAGAIN)
			err = -link_wait(link, POLLOUT, deadline);
		if (err && err != EINTR)
			return -err;
	}
	return 0;
}

int link_flush(struct link *link)
{
	struct iovec part = { link->out.data, link->out.length };
	const struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };

	if (!link->out.length)
		return 0;
	link->out.length = 0;
	return link_send_packet(link, &packet);
}

/* Queues the message and clears it. */
static int link_queue(struct link *link, struct msg *msg)
{
	uint8_t *at;
	int err = msg->starved ? -ENOMEM : msg->bad ? -EMSGSIZE : link->fd < 0 ? -EPIPE : 0;

	if (!err && link->out.length + FRAME_HEADER + msg->length > LINK_PACKET)
		err = link_flush(link);
	if (!err) {
		at = link->out.data + link->out.length;
		put_le32(at, msg->verb);
		put_le32(at + 4, (uint32_t)msg->length);
		if (msg->length)
			memcpy(at + FRAME_HEADER, msg->data, msg->length);
		link->out.length += FRAME_HEADER + msg->length;
	}
	msg_clear(msg);
	return err;
}

int link_send(struct link *link, struct msg *msg)
{
	return link_queue(link, msg);
}

int link_send_fds(struct link *link, struct msg *msg, const int *fds, size_t count)
{
	union fd_space space = { 0 };
	struct iovec part = { link->out.data, 0 };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	int err = count > LINK_FDS ? -EMSGSIZE : link_flush(link);

	if (err < 0) {
		msg_clear(msg);
		return err;
	}
	err = link_queue(link, msg);
	if (err < 0)
		return err;
	part.iov_len = link->out.length;
	link->out.length = 0;
	if (count) {
		struct cmsghdr *head = &space.align;

		packet.msg_control = space.bytes;
		packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(head), fds, count * sizeof(int));
	}
	return link_send_packet(link, &packet);
}

static void link_keep_fds(struct link *link, struct msghdr *packet)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(packet); at; at = CMSG_NXTHDR(packet, at))
		if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS)
			memcpy(link->in.fds, CMSG_DATA(at),
			       min_u64(at->cmsg_len - CMSG_LEN(0), sizeof link->in.fds));
}

/* recvmsg that waits. Returns its count, 0 when the peer closed, or -errno. */
static int64_t link_receive_bytes(struct link *link, struct msghdr *packet)
{
	int64_t deadline = now_ms() + link->timeout_ms;
	bool reset = false;

	for (;;) {
		size_t control = packet->msg_controllen;
		ssize_t got = recvmsg(link->fd, packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int err = got < 0 ? errno : 0;

		if (got >= 0)
			return got;
		packet->msg_controllen = control;
		if (err == EAGAIN)
			err = -link_wait(link, POLLIN, deadline);
		/* Said once when the peer closed with our messages unread, before what it sent last can be
		 * read. */
		else if (err == ECONNRESET && !reset)
			reset = true, err = 0;
		else if (err == ECONNRESET)
			return 0;
		if (err && err != EINTR)
			return -err;
	}
}

/* 1 = a packet is there, 0 = the peer closed. */
static int link_next_packet(struct link *link)
{
	union fd_space space = { 0 };
	struct iovec part = { link->in.data, LINK_PACKET };
	struct msghdr packet = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = space.bytes,
				 .msg_controllen = sizeof space.bytes };
	int64_t got;

	link_drop_fds(link);
	link->in.length = link->in.at = 0;
	got = link_receive_bytes(link, &packet);
	if (got <= 0)
		return (int)got;
	link_keep_fds(link, &packet);
	if (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		link_drop_fds(link);
		return -EPROTO;
	}
	link->in.length = (size_t)got;
	return 1;
}

int link_receive(struct link *link, struct msg *ret)
{
	const uint8_t *at;
	size_t length;

	if (link->fd < 0)
		return 0;
	if (link->in.at == link->in.length) {
		int err = link_flush(link);

		/* A peer that has gone may have left its reason behind: read on. */
		if (err == 0 || err == -EPIPE)
			err = link_next_packet(link);
		if (err <= 0)
			return err;
	}
	at = link->in.data + link->in.at;
	if (!range_within(link->in.at, FRAME_HEADER, link->in.length))
		return -EPROTO;
	length = get_le32(at + 4);
	if (length > MSG_LIMIT || !range_within(link->in.at + FRAME_HEADER, length, link->in.length))
		return -EPROTO;
	link->in.at += FRAME_HEADER + length;
	/* Borrowed and only read: room stays 0. */
	*ret = (struct msg){ .verb = get_le32(at),
			     .data = link->in.data + link->in.at - length,
			     .length = length };
	return 1;
}

bool link_is_ready(const struct link *link)
{
	struct pollfd wait = { .fd = link->fd, .events = POLLIN };

	return link->in.at < link->in.length || poll(&wait, 1, 0) > 0;
}

int link_take_fd(struct link *link, size_t index)
{
	return index < LINK_FDS ? TAKE_FD(link->in.fds[index]) : -1;
}
