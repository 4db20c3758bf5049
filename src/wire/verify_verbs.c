/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/verify_verbs.h"

#include <string.h>

void put_verify(struct msg *msg, const struct verb_verify *verify)
{
	msg_start(msg, VERB_VERIFY);
	msg_put_u32(msg, verify->sessions);
	msg_put_u8(msg, verify->head);
	msg_put_u8(msg, verify->chain);
	msg_put_u32(msg, verify->sums);
	msg_put_u8(msg, verify->learn);
}

bool get_verify(struct msg *msg, struct verb_verify *ret)
{
	ret->sessions = msg_get_choice(msg, 1, VERIFY_SESSIONS_LIMIT);
	ret->head = msg_get_bool(msg);
	ret->chain = msg_get_bool(msg);
	ret->sums = msg_get_choice(msg, 0, VERIFY_NAMES_LIMIT);
	ret->learn = msg_get_bool(msg);
	return msg->verb == VERB_VERIFY && msg_done(msg);
}

void put_sum(struct msg *msg, const struct verb_sum *sum)
{
	msg_start(msg, VERB_SUM);
	msg_put_u64(msg, sum->lba);
	msg_put_u64(msg, sum->bytes);
	msg_put_bytes(msg, sum->sha256, sizeof sum->sha256);
}

bool get_sum(struct msg *msg, struct verb_sum *ret)
{
	const uint8_t *sha256;
	size_t length;

	ret->lba = msg_get_u64(msg);
	ret->bytes = msg_get_u64(msg);
	sha256 = msg_get_bytes(msg, sizeof ret->sha256, &length);
	if (msg->verb != VERB_SUM || !msg_done(msg) || length != sizeof ret->sha256 || !ret->bytes)
		return false;
	memcpy(ret->sha256, sha256, sizeof ret->sha256);
	return true;
}

void put_damaged(struct msg *msg, const struct verb_damaged *damaged)
{
	msg_start(msg, VERB_DAMAGED);
	msg_put_u32(msg, damaged->session);
	msg_put_u32(msg, damaged->what);
	msg_put_u32(msg, damaged->how);
	msg_put_u64(msg, damaged->lba);
	msg_put_bytes(msg, damaged->path, min_u64(damaged->path_length, DAMAGED_PATH_LIMIT));
	msg_put_string(msg, damaged->text);
}

bool get_damaged(struct msg *msg, struct verb_damaged *ret)
{
	ret->session = msg_get_choice(msg, 1, VERIFY_SESSIONS_LIMIT);
	ret->what = msg_get_choice(msg, DAMAGED_FILE, DAMAGED_UDF_SUMS);
	ret->how = msg_get_choice(msg, DAMAGED_UNREADABLE, DAMAGED_CUT);
	ret->lba = msg_get_u64(msg);
	ret->path = (const char *)msg_get_bytes(msg, DAMAGED_PATH_LIMIT, &ret->path_length);
	msg_get_string(msg, ret->text, sizeof ret->text);
	return msg->verb == VERB_DAMAGED && msg_done(msg) &&
	       (ret->what == DAMAGED_FILE) == (ret->path_length > 0);
}

void put_checked(struct msg *msg, const struct verb_checked *checked)
{
	msg_start(msg, VERB_CHECKED);
	msg_put_u32(msg, checked->session);
	msg_put_u8(msg, checked->imported);
	msg_put_u8(msg, checked->summed);
	msg_put_u64(msg, checked->good_files);
	msg_put_u64(msg, checked->good_bytes);
	msg_put_u64(msg, checked->unsummed_files);
	msg_put_u64(msg, checked->unsummed_bytes);
	msg_put_u64(msg, checked->damaged_files);
	msg_put_u64(msg, checked->damaged_bytes);
	msg_put_u64(msg, checked->shared_files);
	msg_put_u64(msg, checked->damages);
	msg_put_u64(msg, checked->again_files);
}

bool get_checked(struct msg *msg, struct verb_checked *ret)
{
	ret->session = msg_get_choice(msg, 1, VERIFY_SESSIONS_LIMIT);
	ret->imported = msg_get_bool(msg);
	ret->summed = msg_get_bool(msg);
	ret->good_files = msg_get_u64(msg);
	ret->good_bytes = msg_get_u64(msg);
	ret->unsummed_files = msg_get_u64(msg);
	ret->unsummed_bytes = msg_get_u64(msg);
	ret->damaged_files = msg_get_u64(msg);
	ret->damaged_bytes = msg_get_u64(msg);
	ret->shared_files = msg_get_u64(msg);
	ret->damages = msg_get_u64(msg);
	ret->again_files = msg_get_u64(msg);
	return msg->verb == VERB_CHECKED && msg_done(msg);
}
