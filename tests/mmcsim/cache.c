/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drive's buffer: a ring of sectors in the file `cache`, oldest first. What a WRITE brought is
 * acknowledged when it is here; it is on the medium only after it went out, in the order in which it came. */
#include "physics.h"
#include "rules.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What goes out when the cache is full: a multiple of every ECC block. */
#define PORTION 256u
/* A command takes no slot of a sector that went out during the same command: it may have to be put back
 * (undo.h). */
#define SLOTS (2 * CACHE_SECTORS)

static uint8_t *cache_slot(const struct drive *drive, uint32_t slot)
{
	return drive->cache_data + (size_t)slot * SECTOR;
}

static bool cache_map(struct drive *drive)
{
	const size_t length = (size_t)SLOTS * SECTOR;
	struct stat st;
	void *map;

	if (drive->cache_data)
		return true;
	if (fstat(drive->cache, &st) ||
	    (st.st_size < (off_t)length && ftruncate(drive->cache, (off_t)length)))
		return false;
	map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, drive->cache, 0);
	if (map == MAP_FAILED)
		return false;
	drive->cache_data = map;
	return true;
}

void cache_close(struct drive *drive)
{
	if (drive->cache_data)
		munmap(drive->cache_data, (size_t)SLOTS * SECTOR);
	drive->cache_data = NULL;
}

static struct cached_sector *cache_entry(const struct drive *drive, uint32_t lba)
{
	struct drive_state *state = drive->state;
	struct cached_sector *last = state->cached + state->cached_count;

	/* Nearly all writing goes on where the last sector was. */
	if (!state->cached_count || lba == last[-1].lba + 1)
		return NULL;
	for (struct cached_sector *at = state->cached; at < last; at++)
		if (at->lba == lba)
			return at;
	return NULL;
}

const uint8_t *cache_find(struct drive *drive, uint32_t lba)
{
	const struct drive_state *state = drive->state;

	for (uint32_t i = state->cached_count; i-- > 0;)
		if (state->cached[i].lba == lba)
			return cache_map(drive) ? cache_slot(drive, state->cached[i].slot) : NULL;
	return NULL;
}

static void cache_forget(struct drive_state *state, uint32_t count)
{
	state->cached_count -= count;
	if (!state->cached_count)
		state->recovered = 0;
	memmove(state->cached, state->cached + count, state->cached_count * sizeof(state->cached[0]));
}

void cache_drop(struct drive *drive)
{
	drive->state->cached_count = drive->state->recovered = 0;
}

/* Sectors that lie side by side here and on the medium, from the index-th on. */
static uint32_t cache_run(const struct drive_state *state, uint32_t index, uint32_t most)
{
	const struct cached_sector *first = &state->cached[index];
	uint32_t length = 1;

	while (length < most && first[length].lba == first->lba + length &&
	       first[length].slot == first->slot + length)
		length++;
	return length;
}

/* false: the laser failed at a sector; what follows it in the buffer is lost with it. A deferred error isn't
 * told now: the next command gets it. */
static bool cache_failed(struct drive *drive, uint32_t lba, struct sense *ret)
{
	struct sense sense = *ret;

	cache_drop(drive);
	if (!drive->medium.kind->overwrite)
		recording_failed(drive, lba);
	if (!sense.deferred)
		return false;
	drive->state->sense = sense;
	return true;
}

enum sector_fate sector_touch(struct drive *drive, uint32_t lba, bool writing, struct sense *ret)
{
	const struct drive_state *state = drive->state;
	uint32_t generation = state->generation, cached = state->cached_count;
	bool failed = rules_sector(drive, lba, writing, ret);

	if (drive->medium.state && state->generation == generation && state->cached_count == cached)
		return failed ? FATE_FAILED : FATE_FINE;
	*ret = drive->medium.state ? SENSE(6, 0x29, 0x00) : SENSE_NO_MEDIUM;
	return FATE_INTERRUPTED;
}

/* The last guard of the physics: where a sequential medium has something, nothing can be written. */
static enum sector_fate sector_burn(struct drive *drive, uint32_t lba, struct sense *ret)
{
	enum sector_fate fate = sector_touch(drive, lba, true, ret);
	const struct medium *medium = &drive->medium;

	if (fate != FATE_FINE || medium->kind->overwrite || medium->map[lba] == SECTOR_BLANK ||
	    medium->map[lba] == SECTOR_DAMAGED || drive->state->recovered)
		return fate;
	*ret = SENSE(3, 0x0C, 0x00);
	return FATE_FAILED;
}

static bool cache_out(struct drive *drive, uint32_t count, struct sense *ret)
{
	struct drive_state *state = drive->state;
	enum sector_fate fate = FATE_FINE;
	uint32_t done = 0;

	if (count && !cache_map(drive)) {
		*ret = SENSE(4, 0x44, 0x00);
		return false;
	}
	while (done < count) {
		uint32_t run = cache_run(state, done, count - done), good = 0;
		struct cached_sector first = state->cached[done];

		while (good < run && (fate = sector_burn(drive, first.lba + good, ret)) == FATE_FINE)
			good++;
		if (fate == FATE_INTERRUPTED)
			return false;
		if (good &&
		    medium_pwrite_run(&drive->medium, first.lba, good, cache_slot(drive, first.slot))) {
			*ret = SENSE(3, 0x0C, 0x00);
			good = 0;
		}
		if (good < run)
			return cache_failed(drive, first.lba + good, ret);
		done += run;
	}
	cache_forget(state, count);
	return true;
}

bool cache_flush(struct drive *drive, struct sense *ret)
{
	const struct drive_state *state = drive->state;
	uint32_t whole = state->cached_count;

	/* A sequential medium can't take a part of an ECC block and the rest later. */
	if (drive->medium.state && !drive->medium.kind->overwrite && whole)
		whole -= (state->cached[whole - 1].lba + 1) % drive->medium.kind->ecc;
	return !drive->medium.state || whole > state->cached_count || cache_out(drive, whole, ret);
}

bool cache_empty(struct drive *drive, struct sense *ret)
{
	return cache_out(drive, drive->state->cached_count, ret);
}

bool cache_write(struct drive *drive, uint32_t lba, const uint8_t *data, uint32_t count, struct sense *ret)
{
	struct drive_state *state = drive->state;

	if (!cache_map(drive)) {
		*ret = SENSE(4, 0x44, 0x00);
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct cached_sector *entry = cache_entry(drive, lba + i);

		if (!entry && state->cached_count == CACHE_SECTORS) {
			if (!cache_out(drive, PORTION, ret))
				return false;
			if (!state->cached_count) /* a deferred error took it all */
				return true;
		}
		if (!entry) {
			entry = &state->cached[state->cached_count++];
			*entry =
			    (struct cached_sector){ .lba = lba + i, .slot = state->cache_slot++ % SLOTS };
		}
		memcpy(cache_slot(drive, entry->slot), data + (size_t)i * SECTOR, SECTOR);
	}
	return true;
}
