/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmcsim: makes drives and media, is the hand at the drive, and tells what is where. See README.md. */
#include "drive.h"
#include "rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- options ------------------------------------------------------------------- */

/* The value of --NAME among the arguments behind the first, or NULL. */
static const char *option(int argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	return NULL;
}

/* INQUIRY's fields are filled with blanks, so the drive's are as long as they may be. */
static void set_text(char *field, size_t room, const char *text)
{
	if (text)
		snprintf(field, room, "%s", text);
}

/* --- drives -------------------------------------------------------------------- */

static int tool_drive(int argc, char **argv)
{
	struct drive drive;
	int r = drive_create(argv[0]);

	if (r < 0)
		return r;
	r = drive_open(&drive, argv[0]);
	if (r < 0)
		return r;
	set_text(drive.state->vendor, sizeof(drive.state->vendor), option(argc, argv, "--vendor"));
	set_text(drive.state->product, sizeof(drive.state->product), option(argc, argv, "--product"));
	set_text(drive.state->revision, sizeof(drive.state->revision), option(argc, argv, "--revision"));
	set_text(drive.state->serial, sizeof(drive.state->serial), option(argc, argv, "--serial"));
	drive_close(&drive);
	return 0;
}

static int with_drive(const char *dir, int (*run)(struct drive *drive, const char *argument),
		      const char *argument)
{
	struct drive drive;
	int r = drive_open(&drive, dir), anchor;
	char path[600];

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/anchor", dir);
	anchor = open(path, O_RDONLY | O_CLOEXEC);
	drive_lock(&drive);
	if (anchor >= 0)
		drive_release(&drive, anchor);
	r = run(&drive, argument);
	drive_unlock(&drive);
	if (anchor >= 0)
		close(anchor);
	drive_close(&drive);
	return r;
}

static int do_remove(struct drive *drive, const char *argument)
{
	return drive_remove(drive);
}

static int do_button(struct drive *drive, const char *argument)
{
	drive_press_button(drive);
	return 0;
}

static int do_open(struct drive *drive, const char *argument)
{
	drive_eject(drive);
	return 0;
}

static int do_close(struct drive *drive, const char *argument)
{
	if (drive->state->tray_open)
		drive_load(drive);
	return 0;
}

static int do_power_loss(struct drive *drive, const char *argument)
{
	drive_power_loss(drive);
	return 0;
}

static int tool_insert(int argc, char **argv)
{
	return with_drive(argv[0], drive_insert, argv[1]);
}

static int tool_remove(int argc, char **argv)
{
	return with_drive(argv[0], do_remove, NULL);
}

static int tool_button(int argc, char **argv)
{
	return with_drive(argv[0], do_button, NULL);
}

static int tool_open(int argc, char **argv)
{
	return with_drive(argv[0], do_open, NULL);
}

static int tool_close(int argc, char **argv)
{
	return with_drive(argv[0], do_close, NULL);
}

static int tool_power_loss(int argc, char **argv)
{
	return with_drive(argv[0], do_power_loss, NULL);
}

/* --- media --------------------------------------------------------------------- */

static int tool_kinds(int argc, char **argv)
{
	for (const struct medium_kind *kind = medium_kinds; kind->name; kind++)
		printf("%s\t%u\t%s\n", kind->name, kind->capacity, kind->title);
	return 0;
}

static uint32_t image_sectors(int fd)
{
	struct stat status;

	return fstat(fd, &status) < 0 ? 0 : (uint32_t)((status.st_size + SECTOR - 1) / SECTOR);
}

static int copy_image(const struct medium *medium, int fd, uint32_t sectors)
{
	uint8_t data[SECTOR];
	ssize_t got;
	int r = 0;

	for (uint32_t lba = 0; r == 0 && lba < sectors; lba++) {
		memset(data, 0, sizeof(data));
		got = pread(fd, data, sizeof(data), (off_t)lba * SECTOR);
		r = got < 0 ? -errno : medium_pwrite(medium, lba, data, SECTOR_DATA);
	}
	return r;
}

/* One closed track in one closed session. */
static void close_disc(struct medium_state *state, uint32_t sectors)
{
	state->track[0] = (struct track){ .number = 1,
					  .session = 1,
					  .size = sectors,
					  .nwa = sectors,
					  .lra = sectors - 1,
					  .mode = 4,
					  .state = TRACK_CLOSED };
	state->tracks = state->sessions = 1;
	state->status = DISC_COMPLETE;
	state->last_session = SESSION_COMPLETE;
}

static int fill_from(const char *path, int image, uint32_t sectors)
{
	struct medium medium;
	int r = medium_open(&medium, path);

	if (r < 0)
		return r;
	r = copy_image(&medium, image, sectors);
	if (r == 0)
		close_disc(medium.state, sectors);
	medium_close(&medium);
	return r;
}

static int tool_new(int argc, char **argv)
{
	const struct medium_kind *kind = medium_kind_find(argv[0]);
	const char *from = option(argc, argv, "--from"), *text = option(argc, argv, "--sectors");
	uint32_t sectors = text ? (uint32_t)strtoul(text, NULL, 0) : 0, filled;
	int image, r;

	if (!kind || (kind->closed && !from)) {
		fprintf(stderr, kind ? "%s needs --from IMAGE\n" : "%s: no such kind: see mmcsim kinds\n",
			argv[0]);
		return -EINVAL;
	}
	if (!from)
		return medium_create(argv[1], kind, sectors);
	image = open(from, O_RDONLY | O_CLOEXEC);
	if (image < 0)
		return -errno;
	filled = image_sectors(image);
	if (kind->closed && sectors == 0)
		sectors = filled;
	r = filled == 0 ? -EINVAL : medium_create(argv[1], kind, sectors);
	if (r == 0)
		r = fill_from(argv[1], image, filled);
	close(image);
	return r;
}

/* --- what is where ------------------------------------------------------------- */

static const char *const disc_states[] = { "empty", "incomplete", "complete", "other" };
static const char *const session_states[] = { "empty", "incomplete", "damaged", "complete" };
static const char *const track_states[] = { "none", "invisible", "reserved", "open", "damaged", "closed" };

static const char *state_name(const char *const *names, size_t count, uint32_t value)
{
	return value < count ? names[value] : "?";
}
#define STATE_NAME(names, value) state_name(names, sizeof(names) / sizeof(names[0]), value)

static void show_medium(const struct medium *medium)
{
	const struct medium_state *state = medium->state;
	const struct track *last = medium_last_track(medium);

	printf("kind=%s\ntitle=%s\nprofile=0x%02x\n", medium->kind->name, medium->kind->title,
	       state->profile);
	printf("status=%s\nlast_session=%s\n", STATE_NAME(disc_states, state->status),
	       STATE_NAME(session_states, state->last_session));
	printf("sessions=%u\ntracks=%u\n", state->sessions, state->tracks);
	printf("capacity=%u\nformatted=%u\nspare=%u\n", state->capacity, state->formatted, state->spare);
	printf("free=%u\nnwa=%u\nwrites=%u\nserial=%08x\n", medium_free(medium), last ? last->nwa : 0,
	       state->writes, state->serial);
	for (uint32_t i = 0; i < state->tracks && i < TRACKS_LIMIT; i++) {
		const struct track *track = &state->track[i];

		printf("track=%u session=%u start=%u size=%u nwa=%u lra=%d state=%s\n", track->number,
		       track->session, track->start, track->size, track->nwa, (int)track->lra,
		       STATE_NAME(track_states, track->state));
	}
}

static int show_drive(struct drive *drive, const char *argument)
{
	const struct drive_state *state = drive->state;

	printf("vendor=%s\nproduct=%s\nrevision=%s\n", state->vendor, state->product, state->revision);
	printf("tray=%s\nlocked=%u\n", state->tray_open ? "open" : "closed", state->locked);
	printf("attentions=%u\nloading=%u\nbusy=%u\ncached=%u\n", state->attentions, state->loading,
	       state->busy, state->cached_count);
	printf("commands=%llu\nblocks_written=%llu\nblocks_read=%llu\n", (unsigned long long)state->commands,
	       (unsigned long long)state->blocks_written, (unsigned long long)state->blocks_read);
	printf("kernel_capacity=%llu\n", (unsigned long long)state->kernel_capacity / 4);
	printf("medium=%u\n", drive->medium.state != NULL);
	if (drive->medium.state)
		show_medium(&drive->medium);
	return 0;
}

static int with_medium(const char *path, void (*run)(const struct medium *medium))
{
	struct medium medium;
	int r = medium_open(&medium, path);

	if (r < 0)
		return r;
	run(&medium);
	medium_close(&medium);
	return 0;
}

static int tool_show(int argc, char **argv)
{
	struct stat status;

	if (stat(argv[0], &status) < 0)
		return -errno;
	return S_ISDIR(status.st_mode) ? with_drive(argv[0], show_drive, NULL)
				       : with_medium(argv[0], show_medium);
}

static const char *const sector_kinds[] = { "blank", "data", "link", "damaged" };

static void show_map(const struct medium *medium)
{
	uint32_t capacity = medium->state->capacity;

	for (uint32_t first = 0, end; first < capacity; first = end) {
		for (end = first + 1; end < capacity && medium->map[end] == medium->map[first]; end++)
			;
		printf("%u..%u %s\n", first, end - 1, STATE_NAME(sector_kinds, medium->map[first]));
	}
}

static int tool_map(int argc, char **argv)
{
	return with_medium(argv[0], show_map);
}

static int tool_check(int argc, char **argv)
{
	const char *wrong = rules_check(argv[0]);

	if (!wrong)
		return 0;
	fprintf(stderr, "%s: %s\n", argv[0], wrong);
	return -EINVAL;
}

/* --- the command line ---------------------------------------------------------- */

static const struct verb {
	const char *name, *arguments, *help;
	int least;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "drive", "DIR/srN [--vendor V] [--product P] [--revision R] [--serial S]", "makes a drive", 1,
	  tool_drive },
	{ "kinds", "", "lists media: name, sectors, title", 0, tool_kinds },
	{ "new", "KIND FILE [--sectors N] [--from IMAGE]",
	  "makes a blank medium, or a closed one of an image", 2, tool_new },
	{ "insert", "DIR/srN FILE", "puts a medium in and closes the tray", 2, tool_insert },
	{ "remove", "DIR/srN", "takes the medium out by force; the tray stays open", 1, tool_remove },
	{ "button", "DIR/srN", "presses the eject button", 1, tool_button },
	{ "open", "DIR/srN", "opens the tray, whatever is locked", 1, tool_open },
	{ "close", "DIR/srN", "closes the tray", 1, tool_close },
	{ "power-loss", "DIR/srN", "switches the drive off and on", 1, tool_power_loss },
	{ "show", "DIR/srN | FILE", "tells the state of a drive and its disc, or of a medium", 1, tool_show },
	{ "map", "FILE", "lists the ranges of sectors and what they are", 1, tool_map },
	{ "check", "RULES", "says what is wrong with a file of rules", 1, tool_check },
	{ .name = NULL },
};

static int usage(void)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		fprintf(stderr, "mmcsim %s %s\n\t%s\n", verb->name, verb->arguments, verb->help);
	return 1;
}

int main(int argc, char **argv)
{
	const struct verb *verb = verbs;
	int r;

	while (argc > 1 && verb->name && strcmp(verb->name, argv[1]) != 0)
		verb++;
	if (argc < 2 || !verb->name || argc - 2 < verb->least)
		return usage();
	r = verb->run(argc - 2, argv + 2);
	if (r < 0)
		fprintf(stderr, "mmcsim %s: %s\n", verb->name, strerror(-r));
	return r < 0 ? 2 : 0;
}
