/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One simulated drive: its firmware answers MMC commands; the host side (host_*.c) is the kernel's part and
 * talks to it through drive_execute only, as the real sr and sg drivers do.
 *
 * $MMCSIM names a directory; each folder in it (sr0, sr1…) is a drive that programs see as /dev/sr0,
 * /dev/sr1…: drive    struct drive_state, mapped shared by all processes cache    what was written and isn't
 * on the medium yet medium   symbolic link to the medium file; missing = empty rules    faults (rules.h); may
 * be missing log      a line a command; written when it exists anchor   the file whose descriptors programs
 * hold for the device; its mode and owner are the device node's All of it is changed only under the drive's
 * lock: a POSIX robust mutex in struct drive_state, process-shared, so that a killed process leaves no drive
 * locked. */
#pragma once

#include "medium.h"

#include <pthread.h>

#define CACHE_SECTORS 1024u /* 2 MiB */
#define ATTENTIONS    8u
#define RULES	      32u /* lines of a rule file */

struct sense {
	uint8_t key, asc, ascq;
	uint32_t lba; /* information field */
	bool deferred, valid_lba;
	uint32_t progress; /* 1..65536: how far the drive is, in bytes 15 to 17; 0 = not told */
};
#define SENSE(k, a, q) ((struct sense){ .key = (k), .asc = (a), .ascq = (q) })

struct cached_sector {
	uint32_t lba;
	uint32_t slot; /* in the file cache */
};

struct drive_state {
	char magic[16];
	pthread_mutex_t lock;
	char vendor[9], product[17], revision[5], serial[17];
	/* tray and readiness */
	uint32_t tray_open, locked;	    /* locked: PREVENT ALLOW MEDIUM REMOVAL */
	uint32_t generation;		    /* counts media put in: the host sees a change */
	uint32_t loading;		    /* commands that still get 2/04/01 after a medium came in */
	struct sense attention[ATTENTIONS]; /* unit attentions, oldest first */
	uint32_t attentions;
	struct sense sense; /* for REQUEST SENSE; also a deferred write error */
	struct sense busy_sense;
	uint32_t busy,
	    busy_total; /* commands that still get busy_sense: one with the Immed bit is under way */
	uint8_t event;	/* media event for GET EVENT STATUS: 0, 1 eject request, 2 new media, 3 removal */
	/* writing */
	uint8_t write_page[56];	   /* mode page 05, as MODE SELECT left it */
	uint8_t recovery_page[12]; /* mode page 01 */
	uint32_t write_kbps, read_kbps;
	uint32_t streaming;  /* SET STREAMING with stream recording, or WRITE(12) with the bit */
	uint32_t cue_length; /* bytes of the cue sheet: a SAO session is under way */
	uint8_t cue[1024];
	int64_t sao_next;	/* LBA that SAO, or a dummy write, expects next; SAO begins at -150 */
	uint32_t writing_track; /* 0 = none: what power loss damages */
	uint32_t simulating;	/* dummy write under way: nothing reaches the medium */
	struct cached_sector cached[CACHE_SECTORS]; /* oldest first */
	uint32_t cached_count;
	uint32_t cache_slot; /* where the next one goes */
	uint32_t recovered;  /* some of the cached may have gone to the medium already: undo.h */
	/* counters, for rules and tests */
	uint64_t commands, blocks_written, blocks_read;
	uint64_t rules_used[RULES];		/* how often each line of the rule file fired */
	uint64_t rules_matched[RULES];		/* and matched, for nth= */
	uint64_t rules_stamp;			/* of the rule file that the counters belong to */
	uint64_t rules_commands, rules_written; /* the counters when it was first seen */
	/* What the kernel keeps of this drive (host_kernel.c): it looks at a disc after a change of media
	 * only. */
	uint32_t kernel_used;	      /* programs have it open; the last one's end unlocks the door */
	uint32_t kernel_present;      /* there was a medium when it last asked */
	uint32_t kernel_changed;      /* reads fail until it asks for events again */
	uint32_t kernel_pending;      /* an event of which the next open must hear */
	uint32_t kernel_noticed;      /* CDROM_MEDIA_CHANGED has something to say */
	uint32_t kernel_multisession; /* LBA of the last session, as of the last look */
	uint64_t kernel_capacity;     /* in sectors of 512, as of the last look */
	uint64_t kernel_polled;	      /* when it asked, in ms */
};

struct drive {
	struct drive_state *state;
	struct medium medium; /* state NULL: none, or the tray is open */
	uint32_t
	    medium_generation; /* state->generation when medium was opened: reopened when that moved on */
	char dir[512];
	int cache, log;
	struct drive_undo *undo; /* undo.h */
	struct rules *rules;	 /* as read from the file; rules.c */
	uint8_t *cache_data;	 /* the cache file, mapped when it is first used */
};

enum direction { DIRECTION_NONE, DIRECTION_FROM_DRIVE, DIRECTION_TO_DRIVE };

struct command {
	const uint8_t *cdb;
	size_t cdb_length;
	enum direction direction;
	uint8_t *data;
	size_t length;	    /* room, or bytes to be sent */
	size_t transferred; /* out */
	uint8_t status;	    /* out: 0 GOOD, 2 CHECK CONDITION */
	uint8_t sense[18];  /* out: fixed format, when status is 2 */
	uint8_t sense_length;
};

/* Who has the drive open holds a read lock on this byte of its anchor, and one on the next if exclusively.
 * The locks belong to open file descriptions: they follow dup, fork and descriptor passing, and end with the
 * last of them, also by SIGKILL. They lie far behind every offset that a program locks by itself. */
#define LOCK_OPEN      0x7000000000000000
#define LOCK_EXCLUSIVE 0x7000000000000001
/* Whether another open file description than fd's, a descriptor of the anchor, holds such a lock. */
bool drive_is_held(int fd, int64_t lock);
/* After programs that ended without a word: the kernel unlocks the door when the last one has gone. */
void drive_release(struct drive *drive, int fd);

/* Makes a drive's folder: `mmcsim drive`. */
int drive_create(const char *dir);
int drive_open(struct drive *drive, const char *dir);
void drive_close(struct drive *drive);
void drive_lock(struct drive *drive);
void drive_unlock(struct drive *drive);

/* Takes the lock, logs, asks the rules, answers. The only way in for host programs. */
void drive_execute(struct drive *drive, struct command *command);

/* The parts of what hands and START STOP UNIT do, under the lock: the tray goes out (whatever is locked; with
 * it the cache), the tray goes in (unit attention 6/28/00, media event, not ready for two commands). */
void drive_eject(struct drive *drive);
void drive_load(struct drive *drive);
/* Queues a unit attention. */
void drive_attend(struct drive_state *state, struct sense sense);
/* What a drive is like when power comes: mode pages (mmc_mode_defaults), no lock, no cue sheet, 6/29/00
 * waits. */
void drive_reset(struct drive_state *state);

/* What a hand does at the drive; for the tool mmcsim and for rules. Needs the lock. insert: path of a medium
 * file. */
int drive_insert(struct drive *drive, const char *path);
int drive_remove(
    struct drive *drive); /* by force: tray opens whatever is locked; the medium link goes away */
void drive_press_button(struct drive *drive); /* ejects, or asks for it when locked */
/* The power goes: the cache is lost, the track that was written becomes TRACK_DAMAGED (or its ECC block
 * does), mode pages and locks are forgotten, 6/29/00 waits. */
void drive_power_loss(struct drive *drive);
