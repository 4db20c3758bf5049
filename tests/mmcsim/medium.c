/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "physics.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Capacities are those of usual blanks: 80 minutes (ATIP lead-out at 79:59:70), 4.7 and 8.5 GB, 25 GB without
 * spare area. Gaps: a CD has 6,750 sectors of lead-out after its first session and 2,250 after later ones,
 * then 4,500 of lead-in and 150 of pre-gap. DVD-R: border-out and border-in zones. DVD+R: a closure and an
 * intro zone, some 4 MB. BD-R: none. */
const struct medium_kind medium_kinds[] = {
	{ .profile = PROFILE_CD_ROM,
	  .name = "cd-rom",
	  .title = "CD-ROM",
	  .ecc = 1,
	  .sessions = 1,
	  .cd = true,
	  .closed = true },
	{ .profile = PROFILE_CD_R,
	  .name = "cd-r",
	  .title = "CD-R",
	  .capacity = 359845,
	  .ecc = 1,
	  .first_gap = 11400,
	  .next_gap = 6900,
	  .sessions = 99,
	  .write_once = true,
	  .cd = true },
	{ .profile = PROFILE_CD_RW,
	  .name = "cd-rw",
	  .title = "CD-RW",
	  .capacity = 359845,
	  .ecc = 1,
	  .first_gap = 11400,
	  .next_gap = 6900,
	  .sessions = 99,
	  .cd = true },
	{ .profile = PROFILE_DVD_ROM,
	  .name = "dvd-rom",
	  .title = "DVD-ROM",
	  .ecc = 16,
	  .sessions = 1,
	  .closed = true },
	{ .profile = PROFILE_DVD_R,
	  .name = "dvd-r",
	  .title = "DVD-R",
	  .capacity = 2298496,
	  .ecc = 16,
	  .first_gap = 24576,
	  .next_gap = 6144,
	  .sessions = TRACKS_LIMIT,
	  .write_once = true },
	{ .profile = PROFILE_DVD_RAM,
	  .name = "dvd-ram",
	  .title = "DVD-RAM",
	  .capacity = 2295072,
	  .ecc = 16,
	  .sessions = 1,
	  .overwrite = true },
	{ .profile = PROFILE_DVD_RW,
	  .name = "dvd-rw",
	  .title = "DVD-RW",
	  .capacity = 2298496,
	  .ecc = 16,
	  .first_gap = 24576,
	  .next_gap = 6144,
	  .sessions = TRACKS_LIMIT },
	{ .profile = PROFILE_DVD_RW_OVERWRITE,
	  .name = "dvd-rw-overwrite",
	  .title = "DVD-RW restricted overwrite",
	  .capacity = 2298496,
	  .ecc = 16,
	  .sessions = 1,
	  .overwrite = true },
	{ .profile = PROFILE_DVD_R_DL,
	  .name = "dvd-r-dl",
	  .title = "DVD-R/DL",
	  .capacity = 4171712,
	  .ecc = 16,
	  .sessions = 1,
	  .write_once = true },
	{ .profile = PROFILE_DVD_PLUS_RW,
	  .name = "dvd+rw",
	  .title = "DVD+RW",
	  .capacity = 2295104,
	  .ecc = 16,
	  .sessions = 1,
	  .overwrite = true },
	{ .profile = PROFILE_DVD_PLUS_R,
	  .name = "dvd+r",
	  .title = "DVD+R",
	  .capacity = 2295104,
	  .ecc = 16,
	  .first_gap = 2048,
	  .next_gap = 2048,
	  .sessions = 127,
	  .write_once = true },
	{ .profile = PROFILE_DVD_PLUS_R_DL,
	  .name = "dvd+r-dl",
	  .title = "DVD+R/DL",
	  .capacity = 4173824,
	  .ecc = 16,
	  .first_gap = 2048,
	  .next_gap = 2048,
	  .sessions = 127,
	  .write_once = true },
	{ .profile = PROFILE_BD_ROM,
	  .name = "bd-rom",
	  .title = "BD-ROM",
	  .ecc = 32,
	  .sessions = 1,
	  .closed = true },
	{ .profile = PROFILE_BD_R,
	  .name = "bd-r",
	  .title = "BD-R",
	  .capacity = 12219392,
	  .ecc = 32,
	  .sessions = TRACKS_LIMIT,
	  .write_once = true },
	{ .profile = PROFILE_BD_RE,
	  .name = "bd-re",
	  .title = "BD-RE",
	  .capacity = 12219392,
	  .ecc = 32,
	  .sessions = 1,
	  .overwrite = true },
	{ .name = NULL },
};

/* DVD-RAM comes formatted; what isn't spare area of a full one. */
#define DVD_RAM_USABLE 2236704u

static const size_t page = 4096;

static size_t map_length(uint32_t capacity)
{
	return (capacity + page - 1) / page * page;
}

static off_t offset_of(const struct medium *medium, uint32_t lba)
{
	return (off_t)(MEDIUM_HEADER + map_length(medium->state->capacity)) + (off_t)lba * SECTOR;
}

const struct medium_kind *medium_kind_find(const char *name)
{
	for (const struct medium_kind *kind = medium_kinds; kind->name; kind++)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

const struct medium_kind *medium_kind_of(uint32_t profile)
{
	for (const struct medium_kind *kind = medium_kinds; kind->name; kind++)
		if (kind->profile == profile)
			return kind;
	return NULL;
}

void medium_refresh(struct medium *medium)
{
	medium->kind = medium->state ? medium_kind_of(medium->state->profile) : NULL;
}

/* What lies on a disc that leaves the factory. */
static void manufacture(struct medium *medium)
{
	struct medium_state *state = medium->state;

	if (medium->kind->closed) {
		session_overwriteable(medium, state->capacity);
		medium_fill(medium, 0, state->capacity, SECTOR_DATA);
	} else if (medium->kind->profile == PROFILE_DVD_RAM) {
		state->formatted =
		    (uint32_t)((uint64_t)state->capacity * DVD_RAM_USABLE / medium->kind->capacity);
		state->formatted = state->formatted / 16 * 16;
		session_overwriteable(medium, state->formatted);
		state->status = DISC_OTHER;
	} else if (medium->kind->profile == PROFILE_DVD_RW_OVERWRITE) {
		state->formatted = state->capacity;
		session_overwriteable(medium, state->capacity);
	} else {
		session_blank(medium);
	}
}

static int map_file(struct medium *medium, const char *path, uint32_t capacity)
{
	struct medium_state *state;

	state = mmap(NULL, MEDIUM_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, medium->fd, 0);
	if (state == MAP_FAILED)
		return -errno;
	if (!capacity && memcmp(state->magic, MEDIUM_MAGIC, sizeof(state->magic))) {
		munmap(state, MEDIUM_HEADER);
		return -EMEDIUMTYPE;
	}
	if (!capacity)
		capacity = state->capacity;
	medium->map =
	    mmap(NULL, map_length(capacity), PROT_READ | PROT_WRITE, MAP_SHARED, medium->fd, MEDIUM_HEADER);
	if (medium->map == MAP_FAILED) {
		int error = errno;

		munmap(state, MEDIUM_HEADER);
		return -error;
	}
	medium->state = state;
	return 0;
}

int medium_create(const char *path, const struct medium_kind *kind, uint32_t capacity)
{
	struct medium medium = { .kind = kind };
	struct timespec now;
	int error;

	_Static_assert(sizeof(struct medium_state) <= MEDIUM_HEADER, "the header holds the state");
	if (!capacity)
		capacity = kind->capacity;
	capacity = capacity / kind->ecc * kind->ecc;
	if (!capacity)
		return -EINVAL;
	medium.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (medium.fd < 0)
		return -errno;
	fchmod(medium.fd, 0666); /* the device node's mode decides who burns, not the disc's */
	if (ftruncate(medium.fd, (off_t)(MEDIUM_HEADER + map_length(capacity)) + (off_t)capacity * SECTOR) ||
	    (error = map_file(&medium, path, capacity))) {
		error = -errno;
		close(medium.fd);
		unlink(path);
		return error;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	medium.state->profile = kind->profile;
	medium.state->capacity = capacity;
	medium.state->serial = (uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec;
	manufacture(&medium);
	memcpy(medium.state->magic, MEDIUM_MAGIC, sizeof(medium.state->magic));
	medium_close(&medium);
	return 0;
}

/* Programs may count on low numbers of descriptors. */
static int open_high(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), high;

	if (fd < 0)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 600);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

int medium_open(struct medium *medium, const char *path)
{
	struct medium opened = { .fd = open_high(path) };
	struct stat st;
	int error;

	if (opened.fd < 0)
		return -errno;
	if (fstat(opened.fd, &st))
		error = -errno;
	else if (st.st_size <= (off_t)MEDIUM_HEADER)
		error = -EMEDIUMTYPE;
	else
		error = map_file(&opened, path, 0);
	if (!error) {
		medium_refresh(&opened);
		if (!opened.kind || st.st_size < offset_of(&opened, opened.state->capacity))
			error = -EMEDIUMTYPE;
	}
	if (error) {
		medium_close(&opened);
		return error;
	}
	*medium = opened;
	return 0;
}

void medium_close(struct medium *medium)
{
	if (medium->state) {
		munmap(medium->map, map_length(medium->state->capacity));
		munmap(medium->state, MEDIUM_HEADER);
	}
	if (medium->fd >= 0)
		close(medium->fd);
	*medium = (struct medium){ .fd = -1 };
}

struct track *medium_last_track(const struct medium *medium)
{
	struct medium_state *state = medium->state;

	return state->tracks ? &state->track[state->tracks - 1] : NULL;
}

struct track *medium_track_at(const struct medium *medium, uint32_t lba)
{
	struct medium_state *state = medium->state;

	for (uint32_t i = 0; i < state->tracks; i++)
		if (lba >= state->track[i].start && lba - state->track[i].start < state->track[i].size)
			return &state->track[i];
	return NULL;
}

uint32_t medium_free(const struct medium *medium)
{
	const struct track *track = medium_last_track(medium);
	uint32_t room;

	if (!track || (track->state != TRACK_INVISIBLE && track->state != TRACK_OPEN))
		return 0;
	room = track->start + track->size - track->nwa;
	if (!medium->kind->cd)
		return room;
	return room > 2 ? room - 2 : 0; /* the run-out of a track */
}

int medium_pread_run(const struct medium *medium, uint32_t lba, uint32_t count, void *data)
{
	ssize_t got = pread(medium->fd, data, (size_t)count * SECTOR, offset_of(medium, lba));

	if (got < 0)
		return -errno;
	return (size_t)got == (size_t)count * SECTOR ? 0 : -EIO;
}

int medium_pwrite_run(const struct medium *medium, uint32_t lba, uint32_t count, const void *data)
{
	ssize_t put = pwrite(medium->fd, data, (size_t)count * SECTOR, offset_of(medium, lba));

	if (put < 0)
		return -errno;
	if ((size_t)put != (size_t)count * SECTOR)
		return -ENOSPC;
	medium_fill(medium, lba, count, SECTOR_DATA);
	return 0;
}

int medium_pread(const struct medium *medium, uint32_t lba, void *data)
{
	return medium_pread_run(medium, lba, 1, data);
}

int medium_pwrite(const struct medium *medium, uint32_t lba, const void *data, enum sector kind)
{
	int error = medium_pwrite_run(medium, lba, 1, data);

	if (!error)
		medium_fill(medium, lba, 1, kind);
	return error;
}

void medium_fill(const struct medium *medium, uint32_t lba, uint32_t count, enum sector kind)
{
	memset(medium->map + lba, kind, count);
}

int medium_erase(const struct medium *medium, uint32_t lba, uint32_t count)
{
	if (fallocate(medium->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_of(medium, lba),
		      (off_t)count * SECTOR))
		return -errno;
	medium_fill(medium, lba, count, SECTOR_BLANK);
	return 0;
}
