/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages about a drive and the disc in it, in the manner of verbs.h.
 *
 *   role drive:   JOB(), TASK                      -> PROGRESS*, TRACK*, SPEED*, DRIVE | FAILED
 *   role probe:   JOB(source, is_drive), TRACK*, DRIVE -> SESSION*, DISC | FAILED
 * The role drive grabs the drive, does the task, and tells what it finds afterwards. */
#pragma once

#include "wire/verbs.h"

enum drive_status {
	DRIVE_EMPTY = 1, /* no disc */
	DRIVE_BLANK,	 /* nothing recorded; overwriteable media are never blank here: their head says it */
	DRIVE_APPENDABLE,
	DRIVE_CLOSED,  /* closed, or can't be written in this drive */
	DRIVE_UNUSABLE /* of a kind that libburn can't tell anything of */
};

/* The first block of the newest session's descriptors; of overwriteable media, of the head. */
enum drive_head { HEAD_UNKNOWN = 0, HEAD_ZERO, HEAD_VOLUME, HEAD_OTHER, HEAD_UNREADABLE };

#define TRACKS_LIMIT 1024u
#define SPEEDS_LIMIT 64u

struct verb_drive {
	char vendor[9], product[17], revision[5], serial[33];
	uint32_t profile; /* MMC number (MMC-5 5.3.1), 0: no disc */
	uint32_t status;  /* enum drive_status */
	bool overwriteable;
	bool formatted; /* overwriteable: ready to be written */
	bool damaged; /* the last track was begun and never closed: it must be closed before anything else */
	bool single;  /* takes one session only, which closes it */
	bool simulates;		 /* the drive can write this medium in pretence */
	uint64_t capacity;	 /* sectors: of the whole medium; 0 unknown */
	uint64_t free;		 /* sectors that can still be written at nwa */
	uint64_t nwa;		 /* where the next session begins; 0 where none can */
	uint64_t damaged_start;	 /* of the track that damaged tells of */
	uint32_t tracks, speeds; /* how many messages came before */
	/* where the task said look: */
	uint32_t head;		 /* enum drive_head */
	uint32_t volume_sectors; /* HEAD_VOLUME: the size that it tells */
	char label[LABEL_LIMIT + 1];
};

struct verb_track { /* of a complete session */
	uint32_t number, session;
	uint64_t start, sectors;
	bool data;
};

struct verb_speed {
	uint32_t kbps; /* 1000 bytes a second */
	bool write;
};

/* What can be done to a disc outside of a commit. */
enum drive_op {
	DRIVE_INQUIRE = 1,
	DRIVE_CLOSE_DAMAGED, /* the track that a killed burn left open, and its session */
	DRIVE_FORMAT,	     /* overwriteable and BD media; DVD-RW becomes restricted overwrite */
	DRIVE_BLANK_DISC,    /* everything on it is gone, and it can be written anew */
	DRIVE_EJECT,
	DRIVE_LOAD,
};

enum drive_spare { SPARE_USUAL = 0, SPARE_WANTED, SPARE_UNWANTED };

struct verb_task {
	uint32_t op;	/* enum drive_op */
	bool full;	/* blank, format: every sector, not only what tells what is there */
	uint32_t spare; /* format of BD and DVD-RAM: enum drive_spare, room for blocks that go bad */
	bool look;	/* read the head of what is recorded, afterwards */
};

void put_drive(struct msg *msg, const struct verb_drive *drive);
bool get_drive(struct msg *msg, struct verb_drive *ret);
void put_track(struct msg *msg, const struct verb_track *track);
bool get_track(struct msg *msg, struct verb_track *ret);
void put_speed(struct msg *msg, const struct verb_speed *speed);
bool get_speed(struct msg *msg, struct verb_speed *ret);
void put_task(struct msg *msg, const struct verb_task *task);
bool get_task(struct msg *msg, struct verb_task *ret);
