/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A medium in a file, and the physics of recording on it.
 *
 * A medium file is sparse: a header of MEDIUM_HEADER bytes (struct medium_state, mapped shared, so that every
 * process sees the same disc), a map of one byte a sector (mapped too), then the sectors, 2048 bytes each,
 * read and written with pread and pwrite. A copy of the file is a copy of the disc. Whoever touches it holds
 * the lock of the drive that it lies in.
 *
 * What a sector is, is never implied: the map says it. Write-once sectors go from blank to something else
 * once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR	      2048u
#define MEDIUM_HEADER 65536u
#define MEDIUM_MAGIC  "mmcsim medium 1\n"
#define TRACKS_LIMIT  512u /* BD-R and DVD allow more sessions than a CD's 99 */

/* Profiles by their MMC number (MMC-5 table 94). */
enum profile {
	PROFILE_NONE = 0x00,
	PROFILE_CD_ROM = 0x08,
	PROFILE_CD_R = 0x09,
	PROFILE_CD_RW = 0x0A,
	PROFILE_DVD_ROM = 0x10,
	PROFILE_DVD_R = 0x11,
	PROFILE_DVD_RAM = 0x12,
	PROFILE_DVD_RW_OVERWRITE = 0x13, /* restricted overwrite */
	PROFILE_DVD_RW = 0x14,		 /* sequential */
	PROFILE_DVD_R_DL = 0x15,
	PROFILE_DVD_PLUS_RW = 0x1A,
	PROFILE_DVD_PLUS_R = 0x1B,
	PROFILE_DVD_PLUS_R_DL = 0x2B,
	PROFILE_BD_ROM = 0x40,
	PROFILE_BD_R = 0x41,
	PROFILE_BD_RE = 0x43,
};

/* What can be recorded where. One row a profile: medium_kinds[]. */
struct medium_kind {
	enum profile profile;
	const char *name;   /* "cd-r", "dvd+rw"…: as `mmcsim new` takes it */
	const char *title;  /* "DVD+R/DL" */
	uint32_t capacity;  /* sectors of a usual blank one */
	uint32_t ecc;	    /* sectors of an ECC block: 1, 16, 32 */
	uint32_t first_gap; /* sectors between the end of the first session and the NWA of the second */
	uint32_t next_gap;  /* between later ones */
	uint32_t sessions;  /* most that fit: 99 on CD, 1 on DVD-R DL and ROM, else TRACKS_LIMIT */
	bool write_once, overwrite, cd,
	    closed; /* closed: a ROM; made from an image by `mmcsim new dvd-rom --from` */
};
extern const struct medium_kind medium_kinds[]; /* ended by a NULL name */

/* Bytes of the map. */
enum sector {
	SECTOR_BLANK = 0,
	SECTOR_DATA,
	SECTOR_LINK,	/* run-out, link: reading gives 5/64/00 (illegal mode for this track) */
	SECTOR_DAMAGED, /* reading gives 3/11/05 (L-EC uncorrectable) */
};

enum track_state {
	TRACK_NONE = 0,
	TRACK_INVISIBLE, /* blank, not reserved: the last one of an appendable disc */
	TRACK_RESERVED,	 /* size fixed, nothing or something written in it */
	TRACK_OPEN,	 /* open-ended, written to, incomplete */
	TRACK_DAMAGED,	 /* power was lost while it was written: must be closed before anything else */
	TRACK_CLOSED,
};

struct track {
	uint32_t number, session;
	uint32_t start; /* LBA of the first user sector */
	uint32_t size;	/* sectors: reserved or final; of an open-ended one up to the end of the disc */
	uint32_t nwa;	/* meaningful unless closed or damaged; what the cache holds counts as written */
	uint32_t lra;	/* last recorded address; start - 1 when nothing was */
	uint32_t xa;	/* CD: recorded as mode 2 form 1, which takes 2048 bytes, too */
	uint32_t mode;	/* CONTROL nibble: 4 data */
	enum track_state state;
};

enum disc_status {
	DISC_EMPTY = 0,
	DISC_INCOMPLETE = 1,
	DISC_COMPLETE = 2,
	DISC_OTHER = 3 /* random access */
};
enum session_state { SESSION_EMPTY = 0, SESSION_INCOMPLETE = 1, SESSION_DAMAGED = 2, SESSION_COMPLETE = 3 };

struct medium_state {
	char magic[16];
	uint32_t profile;   /* enum profile; DVD-RW changes it by BLANK and FORMAT */
	uint32_t capacity;  /* sectors that can be recorded, all sessions together */
	uint32_t formatted; /* overwriteable: sectors that a format made usable; 0 = unformatted */
	uint32_t spare;	    /* BD: sectors of spare area; with it, defect management is on */
	uint32_t write_protected;
	uint32_t minimal;      /* DVD-RW blanked minimally: one closed session only */
	uint32_t intermediate; /* `formatted` grows with what is written: DVD-RW, restricted overwrite: the
				* last border is open; DVD+RW: formatting goes on in the background */
	uint32_t status;       /* enum disc_status */
	uint32_t last_session; /* enum session_state of the last one */
	uint32_t sessions;     /* counting the open or empty one, at least 1 */
	uint32_t tracks;       /* counting the invisible one */
	uint32_t writes;       /* how often anything was recorded: for tests */
	uint32_t serial;       /* makes two blank media different for `mmcsim show`, never seen by MMC */
	struct track track[TRACKS_LIMIT];
};

struct medium {
	struct medium_state *state;	/* mapped; NULL = none */
	uint8_t *map;			/* one byte a sector of capacity */
	const struct medium_kind *kind; /* follows state->profile: medium_refresh */
	int fd;
};

/* Makes a medium file. capacity in sectors, 0 = the kind's. 0 or -errno. */
int medium_create(const char *path, const struct medium_kind *kind, uint32_t capacity);
/* Opens one; a foreign file gives -EMEDIUMTYPE. */
int medium_open(struct medium *medium, const char *path);
void medium_close(struct medium *medium);
void medium_refresh(struct medium *medium);
const struct medium_kind *medium_kind_find(const char *name);
const struct medium_kind *medium_kind_of(uint32_t profile);

/* The last track, or the one that holds lba; NULL where there's none. */
struct track *medium_last_track(const struct medium *medium);
struct track *medium_track_at(const struct medium *medium, uint32_t lba);
/* Sectors that a session may still take at the NWA, closing and gaps deducted as the drive does. */
uint32_t medium_free(const struct medium *medium);

/* Raw access, no physics: 0 or -errno. */
int medium_pread(const struct medium *medium, uint32_t lba, void *data);
int medium_pwrite(const struct medium *medium, uint32_t lba, const void *data, enum sector kind);
/* Many at once. fill: a mark in the map only. Erased sectors are blank and zero. */
int medium_pread_run(const struct medium *medium, uint32_t lba, uint32_t count, void *data);
int medium_pwrite_run(const struct medium *medium, uint32_t lba, uint32_t count, const void *data);
void medium_fill(const struct medium *medium, uint32_t lba, uint32_t count, enum sector kind);
int medium_erase(const struct medium *medium, uint32_t lba, uint32_t count);
