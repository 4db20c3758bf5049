/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/msg.h"

#include <string.h>

#define FIRST_ROOM 256u

void msg_start(struct msg *msg, uint32_t verb)
{
	*msg = (struct msg){ .verb = verb };
}

void msg_clear(struct msg *msg)
{
	if (msg->room)
		free(msg->data);
	*msg = (struct msg){ 0 };
}

/* Where length more bytes go, or NULL (then the message is bad). */
static uint8_t *msg_extend(struct msg *msg, size_t length)
{
	size_t need = msg->length + length;
	uint8_t *at;

	if (msg->bad || length > MSG_LIMIT || need > MSG_LIMIT) {
		msg->bad = true;
		return NULL;
	}
	if (need > msg->room) {
		size_t room = max_u64(FIRST_ROOM, max_u64(need, msg->room * 2));
		uint8_t *grown = realloc(msg->data, room);

		if (!grown) {
			msg->bad = msg->starved = true;
			return NULL;
		}
		msg->data = grown;
		msg->room = room;
	}
	at = msg->data + msg->length;
	msg->length = need;
	return at;
}

void msg_put_u8(struct msg *msg, uint8_t value)
{
	uint8_t *at = msg_extend(msg, 1);

	if (at)
		*at = value;
}

void msg_put_u32(struct msg *msg, uint32_t value)
{
	uint8_t *at = msg_extend(msg, 4);

	if (at)
		put_le32(at, value);
}

void msg_put_u64(struct msg *msg, uint64_t value)
{
	uint8_t *at = msg_extend(msg, 8);

	if (at) {
		put_le32(at, (uint32_t)value);
		put_le32(at + 4, (uint32_t)(value >> 32));
	}
}

void msg_put_i64(struct msg *msg, int64_t value)
{
	msg_put_u64(msg, (uint64_t)value);
}

void msg_put_bytes(struct msg *msg, const void *data, size_t length)
{
	uint8_t *at;

	msg_put_u32(msg, length > MSG_LIMIT ? MSG_LIMIT : (uint32_t)length);
	at = msg_extend(msg, length);
	if (at && length)
		memcpy(at, data, length);
}

void msg_put_string(struct msg *msg, const char *string)
{
	msg_put_bytes(msg, string, strlen(string));
}

/* The next length bytes, or NULL (then the message is bad). */
static const uint8_t *msg_advance(struct msg *msg, size_t length)
{
	const uint8_t *at;

	if (msg->bad || !range_within(msg->at, length, msg->length)) {
		msg->bad = true;
		return NULL;
	}
	at = msg->data ? msg->data + msg->at : NULL;
	msg->at += length;
	return at;
}

uint8_t msg_get_u8(struct msg *msg)
{
	const uint8_t *at = msg_advance(msg, 1);

	return at ? *at : 0;
}

uint32_t msg_get_u32(struct msg *msg)
{
	const uint8_t *at = msg_advance(msg, 4);

	return at ? get_le32(at) : 0;
}

uint64_t msg_get_u64(struct msg *msg)
{
	const uint8_t *at = msg_advance(msg, 8);

	return at ? get_le32(at) | (uint64_t)get_le32(at + 4) << 32 : 0;
}

int64_t msg_get_i64(struct msg *msg)
{
	return (int64_t)msg_get_u64(msg);
}

bool msg_get_bool(struct msg *msg)
{
	uint8_t value = msg_get_u8(msg);

	if (value > 1)
		msg->bad = true;
	return value == 1;
}

uint32_t msg_get_choice(struct msg *msg, uint32_t low, uint32_t high)
{
	uint32_t value = msg_get_u32(msg);

	if (value < low || value > high)
		msg->bad = true;
	return value;
}

const uint8_t *msg_get_bytes(struct msg *msg, size_t limit, size_t *ret_length)
{
	size_t length = msg_get_u32(msg);
	const uint8_t *at;

	*ret_length = 0;
	if (length > limit)
		msg->bad = true;
	at = msg_advance(msg, length);
	if (at)
		*ret_length = length;
	return at;
}

void msg_get_string(struct msg *msg, char *ret, size_t room)
{
	size_t length;
	const uint8_t *at = msg_get_bytes(msg, room - 1, &length);

	if (length && memchr(at, '\0', length)) {
		msg->bad = true;
		length = 0;
	}
	if (length)
		memcpy(ret, at, length);
	ret[length] = '\0';
}

bool msg_done(const struct msg *msg)
{
	return !msg->bad && msg->at == msg->length;
}
