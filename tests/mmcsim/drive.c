/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drive.h"

#include "log.h"
#include "mmc.h"
#include "rules.h"
#include "undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRIVE_MAGIC "mmcsim drive 1\n"

static int path_in(const char *dir, const char *name, char *ret, size_t room)
{
	int length = snprintf(ret, room, "%s/%s", dir, name);

	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

/* Files that every user may write, whatever the umask says: the anchor's mode decides who gets at the drive.
 */
static int file_create(const char *dir, const char *name, mode_t mode)
{
	char path[600];
	int fd, r = path_in(dir, name, path, sizeof(path));

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int state_map(int fd, struct drive_state **ret)
{
	struct stat status;
	void *map;

	if (fstat(fd, &status) < 0)
		return -errno;
	if ((size_t)status.st_size < sizeof(**ret))
		return -EINVAL;
	map = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*ret = map;
	return 0;
}

static int lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t kind;
	int r;

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	r = pthread_mutex_init(lock, &kind);
	pthread_mutexattr_destroy(&kind);
	return -r;
}

static int state_init(int fd)
{
	struct drive_state *state;
	int r;

	if (ftruncate(fd, sizeof(*state)) < 0)
		return -errno;
	r = state_map(fd, &state);
	if (r < 0)
		return r;
	r = lock_init(&state->lock);
	strcpy(state->vendor, "MMCSIM");
	strcpy(state->product, "SIMULATED BURNER");
	strcpy(state->revision, "1.00");
	strcpy(state->serial, "SIM0000000000001");
	state->generation = 1;
	drive_reset(state);
	memcpy(state->magic, DRIVE_MAGIC, sizeof(state->magic));
	munmap(state, sizeof(*state));
	return r;
}

int drive_create(const char *dir)
{
	char path[600];
	int drive, r;

	if (mkdir(dir, 0777) < 0)
		return -errno;
	if (chmod(dir, 0777) < 0)
		return -errno;
	for (const char *const *name = (const char *const[]){ "cache", "log", "anchor", "undo", NULL }; *name;
	     name++) {
		r = file_create(dir, *name, strcmp(*name, "anchor") == 0 ? 0660 : 0666);
		if (r < 0)
			return r;
		close(r);
	}
	snprintf(path, sizeof(path), "%s/undo", dir);
	if (truncate(path, sizeof(struct drive_undo)) < 0)
		return -errno;
	drive = file_create(dir, "drive", 0666);
	if (drive < 0)
		return drive;
	r = state_init(drive);
	close(drive);
	return r;
}

/* Programs may count on low numbers, or close them. */
static int descriptor_up(int fd)
{
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 600);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static int drive_open_file(const struct drive *drive, const char *name, int flags)
{
	char path[sizeof(drive->dir) + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", drive->dir, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : descriptor_up(fd);
}

int drive_open(struct drive *drive, const char *dir)
{
	int fd, r;

	*drive = (struct drive){ .medium = { .fd = -1 }, .cache = -1, .log = -1 };
	if (strlen(dir) >= sizeof(drive->dir))
		return -ENAMETOOLONG;
	strcpy(drive->dir, dir);
	fd = drive_open_file(drive, "drive", O_RDWR);
	if (fd < 0)
		return fd;
	r = state_map(fd, &drive->state);
	close(fd);
	if (r < 0)
		return r;
	fd = drive_open_file(drive, "undo", O_RDWR);
	r = fd < 0 ? fd : undo_open(drive, fd);
	if (fd >= 0)
		close(fd);
	drive->cache = drive_open_file(drive, "cache", O_RDWR);
	if (memcmp(drive->state->magic, DRIVE_MAGIC, sizeof(drive->state->magic)) != 0)
		r = -EMEDIUMTYPE;
	else if (r == 0 && drive->cache < 0)
		r = drive->cache;
	if (r < 0)
		drive_close(drive);
	return r;
}

void drive_close(struct drive *drive)
{
	if (drive->medium.state)
		medium_close(&drive->medium);
	undo_close(drive);
	rules_close(drive);
	cache_close(drive);
	if (drive->cache >= 0)
		close(drive->cache);
	if (drive->log >= 0)
		close(drive->log);
	if (drive->state)
		munmap(drive->state, sizeof(*drive->state));
	*drive = (struct drive){ .medium = { .fd = -1 }, .cache = -1, .log = -1 };
}

/* Another process may have changed the disc, or opened the tray, since this one looked. */
static void drive_follow_medium(struct drive *drive)
{
	struct drive_state *state = drive->state;
	char path[sizeof(drive->dir) + 8];

	if (drive->medium.state && (state->tray_open || drive->medium_generation != state->generation))
		medium_close(&drive->medium);
	if (drive->medium.state)
		medium_refresh(&drive->medium);
	else if (!state->tray_open && drive->medium_generation != state->generation) {
		snprintf(path, sizeof(path), "%s/medium", drive->dir);
		if (medium_open(&drive->medium, path) < 0)
			drive->medium = (struct medium){ .fd = -1 };
		drive->medium.fd = descriptor_up(drive->medium.fd);
	}
	drive->medium_generation = state->tray_open ? 0 : state->generation;
}

void drive_lock(struct drive *drive)
{
	bool died = pthread_mutex_lock(&drive->state->lock) == EOWNERDEAD;

	if (died) {
		pthread_mutex_consistent(&drive->state->lock);
		undo_state(drive);
	}
	drive_follow_medium(drive);
	if (died)
		undo_medium(drive);
}

void drive_unlock(struct drive *drive)
{
	pthread_mutex_unlock(&drive->state->lock);
}

void drive_attend(struct drive_state *state, struct sense sense)
{
	if (state->attentions == ATTENTIONS) {
		memmove(state->attention, state->attention + 1, (ATTENTIONS - 1) * sizeof(sense));
		state->attentions--;
	}
	state->attention[state->attentions++] = sense;
}

void drive_reset(struct drive_state *state)
{
	mmc_mode_defaults(state);
	state->locked = 0;
	state->streaming = state->simulating = state->cue_length = state->busy = 0;
	state->sense = SENSE(0, 0, 0);
	state->attentions = 0;
	drive_attend(state, SENSE(6, 0x29, 0x00));
}

static struct sense drive_take_attention(struct drive_state *state)
{
	struct sense sense = state->attention[0];

	state->attentions--;
	memmove(state->attention, state->attention + 1, state->attentions * sizeof(sense));
	return sense;
}

bool drive_is_held(int fd, int64_t at)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void drive_release(struct drive *drive, int fd)
{
	if (!drive->state->kernel_used || drive_is_held(fd, LOCK_OPEN))
		return;
	drive->state->kernel_used = 0;
	drive->state->locked = 0;
}

/* --- what a hand does ---------------------------------------------------------- */

static void drive_medium_changed(struct drive *drive)
{
	drive->state->generation++;
	cache_drop(drive);
	drive_follow_medium(drive);
}

int drive_insert(struct drive *drive, const char *path)
{
	char full[4096], name[sizeof(drive->dir) + 16];
	struct medium medium = { .fd = -1 };
	int r;

	if (!realpath(path, full))
		return -errno;
	r = medium_open(&medium, full);
	if (r < 0)
		return r;
	medium_close(&medium);
	if (drive->medium.state)
		drive_remove(drive);
	snprintf(name, sizeof(name), "%s/medium", drive->dir);
	unlink(name);
	if (symlink(full, name) < 0)
		return -errno;
	drive_load(drive);
	return 0;
}

int drive_remove(struct drive *drive)
{
	char name[sizeof(drive->dir) + 16];

	snprintf(name, sizeof(name), "%s/medium", drive->dir);
	if (unlink(name) < 0 && errno != ENOENT)
		return -errno;
	drive_eject(drive);
	return 0;
}

void drive_eject(struct drive *drive)
{
	struct drive_state *state = drive->state;

	if (state->tray_open)
		return;
	state->tray_open = 1;
	state->locked = 0;
	state->event = 3;
	drive_medium_changed(drive);
}

void drive_load(struct drive *drive)
{
	struct drive_state *state = drive->state;

	state->tray_open = 0;
	drive_medium_changed(drive);
	if (!drive->medium.state)
		return;
	state->event = 2;
	state->loading = 2;
	drive_attend(state, SENSE(6, 0x28, 0x00));
}

/* Unlocked, the drive finishes what it has in its cache first. */
void drive_press_button(struct drive *drive)
{
	struct sense sense;

	if (drive->state->tray_open) {
		drive_load(drive);
	} else if (drive->state->locked) {
		drive->state->event = 1;
	} else {
		if (drive->state->cached_count > 0)
			cache_flush(drive, &sense);
		drive_eject(drive);
	}
}

/* --- commands ------------------------------------------------------------------ */

static const struct mmc_command *mmc_find(uint8_t op)
{
	const struct mmc_command *tables[] = { mmc_information, mmc_recording };

	for (size_t i = 0; i < 2; i++)
		for (const struct mmc_command *row = tables[i]; row && row->name; row++)
			if (row->op == op)
				return row;
	return NULL;
}

static int fail_deferred(struct command *command, struct sense sense)
{
	int r = mmc_fail(command, sense);

	command->sense[0] = (uint8_t)((command->sense[0] & 0x80) | 0x71);
	return r;
}

/* What stands between a command and the disc: 0, or mmc_fail's value. The order is the one of SPC-3 5.9.4: an
 * older failure, then unit attentions, then not-ready. */
static int drive_admit(struct drive *drive, struct command *command, const struct mmc_command *row)
{
	struct drive_state *state = drive->state;
	struct sense sense;

	if (row->flags & ANY_TIME)
		return 0;
	if (state->sense.deferred) {
		sense = state->sense;
		state->sense = SENSE(0, 0, 0);
		return fail_deferred(command, sense);
	}
	if (state->attentions > 0)
		return mmc_fail(command, drive_take_attention(state));
	if (state->busy > 0)
		return mmc_fail(command, mmc_busy_sense(state));
	if (row->flags & NEEDS_DISC) {
		if (!drive->medium.state)
			return mmc_fail(command, state->tray_open ? SENSE(2, 0x3A, 0x02) : SENSE_NO_MEDIUM);
		if (state->loading > 0) {
			state->loading--;
			return mmc_fail(command, SENSE_NOT_READY);
		}
	}
	return 0;
}

static void drive_run(struct drive *drive, struct command *command, const struct mmc_command *row)
{
	struct sense sense;

	if (rules_before(drive, command, &sense)) {
		if (sense.deferred)
			fail_deferred(command, sense);
		else
			mmc_fail(command, sense);
		return;
	}
	if (!row) {
		mmc_fail(command, SENSE_BAD_OPCODE);
		return;
	}
	if (drive_admit(drive, command, row) < 0)
		return;
	if (!(row->flags & KEEPS_CACHE) && drive->state->cached_count > 0 && !cache_flush(drive, &sense)) {
		fail_deferred(command, sense);
		return;
	}
	/* A drive that takes data takes all of them; a handler that refuses them has said so. */
	if (row->run(drive, command) == 0 && command->direction == DIRECTION_TO_DRIVE &&
	    command->transferred == 0)
		command->transferred = command->length;
}

void drive_execute(struct drive *drive, struct command *command)
{
	const struct mmc_command *row = mmc_find(command->cdb[0]);

	command->status = 0;
	command->sense_length = 0;
	command->transferred = 0;
	drive_lock(drive);
	drive->state->commands++;
	/* Half a BLANK or FORMAT UNIT can't be taken back. */
	if (command->cdb[0] != 0xA1 && command->cdb[0] != 0x04)
		undo_begin(drive);
	drive_run(drive, command, row);
	undo_end(drive);
	log_command(drive, command, row ? row->name : NULL);
	rules_after(drive, command);
	drive_unlock(drive);
}
