/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message between the daemon and a worker: a verb and typed fields, little-endian.
 *
 * Reading never runs beyond the end: a get past it returns zero and marks the message bad, and msg_done() is
 * true only when every byte was read and nothing was wrong. Writing marks it bad when it would outgrow
 * MSG_LIMIT. */
#pragma once

#include "base/bytes.h"

#define MSG_LIMIT 120000u /* bytes of fields in one message: a packet must fit a socket's default buffer */

struct msg {
	uint32_t verb;
	bool bad;
	bool starved;  /* it's bad since there was no memory */
	uint8_t *data; /* owned by whoever filled it: see msg_clear and link_receive */
	size_t length;
	size_t room; /* 0: data is borrowed */
	size_t at;   /* reading position */
};

void msg_start(struct msg *msg, uint32_t verb);
void msg_clear(struct msg *msg);
void msg_put_u8(struct msg *msg, uint8_t value);
void msg_put_u32(struct msg *msg, uint32_t value);
void msg_put_u64(struct msg *msg, uint64_t value);
void msg_put_i64(struct msg *msg, int64_t value);
/* A length (u32) and the bytes. */
void msg_put_bytes(struct msg *msg, const void *data, size_t length);
void msg_put_string(struct msg *msg, const char *string);

uint8_t msg_get_u8(struct msg *msg);
uint32_t msg_get_u32(struct msg *msg);
uint64_t msg_get_u64(struct msg *msg);
int64_t msg_get_i64(struct msg *msg);
/* 0 or 1: anything else marks it bad. */
bool msg_get_bool(struct msg *msg);
/* A number from low to high: anything else marks it bad. */
uint32_t msg_get_choice(struct msg *msg, uint32_t low, uint32_t high);
/* Points into the message: valid as long as it is. More than limit bytes mark it bad. */
const uint8_t *msg_get_bytes(struct msg *msg, size_t limit, size_t *ret_length);
/* Copies and terminates; room includes the NUL. A NUL inside or too long marks it bad. */
void msg_get_string(struct msg *msg, char *ret, size_t room);
/* The message was understood to its exact end. */
bool msg_done(const struct msg *msg);
