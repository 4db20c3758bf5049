/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Where the CDB has its address and its number of blocks; width 0: none. */
static const struct place {
	uint8_t op, lba, blocks, width;
} places[] = {
	{ 0x28, 2, 7, 2 }, /* READ (10) */
	{ 0x2A, 2, 7, 2 }, /* WRITE (10) */
	{ 0x2E, 2, 7, 2 }, /* WRITE AND VERIFY (10) */
	{ 0x2F, 2, 7, 2 }, /* VERIFY (10) */
	{ 0xA8, 2, 6, 4 }, /* READ (12) */
	{ 0xAA, 2, 6, 4 }, /* WRITE (12) */
	{ 0xBE, 2, 6, 3 }, /* READ CD */
	{ 0x2B, 2, 0, 0 }, /* SEEK (10) */
};

static uint32_t number_at(const uint8_t *at, unsigned width)
{
	uint32_t value = 0;

	while (width-- > 0)
		value = value << 8 | *at++;
	return value;
}

bool log_range(const struct command *command, int64_t *ret_lba, uint32_t *ret_blocks)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];

		if (place->op != command->cdb[0] || command->cdb_length < 10)
			continue;
		*ret_lba = (int32_t)number_at(command->cdb + place->lba, 4);
		*ret_blocks = number_at(command->cdb + place->blocks, place->width);
		return true;
	}
	return false;
}

static bool log_is_open(struct drive *drive)
{
	char path[sizeof(drive->dir) + 8];

	if (drive->log < 0) {
		snprintf(path, sizeof(path), "%s/log", drive->dir);
		drive->log = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	}
	return drive->log >= 0;
}

/* What a line consists of, put together without allocating. */
struct line {
	char text[512];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct line *line, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line->text + line->length, sizeof(line->text) - line->length, format, arguments);
	va_end(arguments);
	if (length > 0 && line->length + (size_t)length < sizeof(line->text))
		line->length += (size_t)length;
}

static void line_add_result(struct line *line, const struct command *command)
{
	if (command->direction != DIRECTION_NONE)
		line_add(line, " %s=%zu", command->direction == DIRECTION_TO_DRIVE ? "out" : "in",
			 command->transferred);
	if (command->status == 0)
		line_add(line, " ok\n");
	else
		line_add(line, " %x/%02x/%02x%s\n", command->sense[2] & 15u, command->sense[12],
			 command->sense[13], (command->sense[0] & 0x7F) == 0x71 ? " deferred" : "");
}

static void line_begin(struct line *line)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	line->length = 0;
	line_add(line, "%lld.%03ld %d ", (long long)now.tv_sec, now.tv_nsec / 1000000, (int)getpid());
}

/* A full disk costs the log, not the drive. */
static void line_write(const struct drive *drive, const struct line *line)
{
	if (write(drive->log, line->text, line->length) < 0)
		return;
}

void log_command(struct drive *drive, const struct command *command, const char *name)
{
	struct line line;
	int64_t lba;
	uint32_t blocks;

	if (!log_is_open(drive))
		return;
	line_begin(&line);
	line_add(&line, "%s", name ? name : "?");
	for (size_t i = 0; i < command->cdb_length; i++)
		line_add(&line, " %02x", command->cdb[i]);
	if (log_range(command, &lba, &blocks)) {
		line_add(&line, " lba=%lld", (long long)lba);
		if (blocks > 0)
			line_add(&line, " blocks=%u", blocks);
	}
	line_add_result(&line, command);
	line_write(drive, &line);
}

void log_note(struct drive *drive, const char *format, ...)
{
	struct line line;
	va_list arguments;
	char text[256];

	if (!log_is_open(drive))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	line_begin(&line);
	line_add(&line, "-- %s\n", text);
	line_write(drive, &line);
}
