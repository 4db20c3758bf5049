/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/drive_verbs.h"

void put_drive(struct msg *msg, const struct verb_drive *drive)
{
	msg_start(msg, VERB_DRIVE);
	msg_put_string(msg, drive->vendor);
	msg_put_string(msg, drive->product);
	msg_put_string(msg, drive->revision);
	msg_put_string(msg, drive->serial);
	msg_put_u32(msg, drive->profile);
	msg_put_u32(msg, drive->status);
	msg_put_u8(msg, drive->overwriteable);
	msg_put_u8(msg, drive->formatted);
	msg_put_u8(msg, drive->damaged);
	msg_put_u8(msg, drive->single);
	msg_put_u8(msg, drive->simulates);
	msg_put_u64(msg, drive->capacity);
	msg_put_u64(msg, drive->free);
	msg_put_u64(msg, drive->nwa);
	msg_put_u64(msg, drive->damaged_start);
	msg_put_u32(msg, drive->tracks);
	msg_put_u32(msg, drive->speeds);
	msg_put_u32(msg, drive->head);
	msg_put_u32(msg, drive->volume_sectors);
	msg_put_string(msg, drive->label);
}

bool get_drive(struct msg *msg, struct verb_drive *ret)
{
	msg_get_string(msg, ret->vendor, sizeof ret->vendor);
	msg_get_string(msg, ret->product, sizeof ret->product);
	msg_get_string(msg, ret->revision, sizeof ret->revision);
	msg_get_string(msg, ret->serial, sizeof ret->serial);
	ret->profile = msg_get_choice(msg, 0, 0xFFFF);
	ret->status = msg_get_choice(msg, DRIVE_EMPTY, DRIVE_UNUSABLE);
	ret->overwriteable = msg_get_bool(msg);
	ret->formatted = msg_get_bool(msg);
	ret->damaged = msg_get_bool(msg);
	ret->single = msg_get_bool(msg);
	ret->simulates = msg_get_bool(msg);
	ret->capacity = msg_get_u64(msg);
	ret->free = msg_get_u64(msg);
	ret->nwa = msg_get_u64(msg);
	ret->damaged_start = msg_get_u64(msg);
	ret->tracks = msg_get_choice(msg, 0, TRACKS_LIMIT);
	ret->speeds = msg_get_choice(msg, 0, SPEEDS_LIMIT);
	ret->head = msg_get_choice(msg, HEAD_UNKNOWN, HEAD_UNREADABLE);
	ret->volume_sectors = msg_get_u32(msg);
	msg_get_string(msg, ret->label, sizeof ret->label);
	return msg->verb == VERB_DRIVE && msg_done(msg);
}

void put_track(struct msg *msg, const struct verb_track *track)
{
	msg_start(msg, VERB_TRACK);
	msg_put_u32(msg, track->number);
	msg_put_u32(msg, track->session);
	msg_put_u64(msg, track->start);
	msg_put_u64(msg, track->sectors);
	msg_put_u8(msg, track->data);
}

bool get_track(struct msg *msg, struct verb_track *ret)
{
	ret->number = msg_get_u32(msg);
	ret->session = msg_get_u32(msg);
	ret->start = msg_get_u64(msg);
	ret->sectors = msg_get_u64(msg);
	ret->data = msg_get_bool(msg);
	return msg->verb == VERB_TRACK && msg_done(msg);
}

void put_speed(struct msg *msg, const struct verb_speed *speed)
{
	msg_start(msg, VERB_SPEED);
	msg_put_u32(msg, speed->kbps);
	msg_put_u8(msg, speed->write);
}

bool get_speed(struct msg *msg, struct verb_speed *ret)
{
	ret->kbps = msg_get_u32(msg);
	ret->write = msg_get_bool(msg);
	return msg->verb == VERB_SPEED && msg_done(msg);
}

void put_task(struct msg *msg, const struct verb_task *task)
{
	msg_start(msg, VERB_TASK);
	msg_put_u32(msg, task->op);
	msg_put_u8(msg, task->full);
	msg_put_u32(msg, task->spare);
	msg_put_u8(msg, task->look);
}

bool get_task(struct msg *msg, struct verb_task *ret)
{
	ret->op = msg_get_choice(msg, DRIVE_INQUIRE, DRIVE_LOAD);
	ret->full = msg_get_bool(msg);
	ret->spare = msg_get_choice(msg, SPARE_USUAL, SPARE_UNWANTED);
	ret->look = msg_get_bool(msg);
	return msg->verb == VERB_TASK && msg_done(msg);
}
