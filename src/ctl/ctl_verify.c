/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "ctl/ctl.h"
#include "ctl/place.h"
#include "ctl/treat.h"
#include "ctl/verify_show.h"
#include "proc/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What there is to check. */
struct verify_disc {
	const struct place *place;
	VEC(struct verb_session) sessions; /* oldest first until they're chosen */
	VEC(struct verb_sum) sums;
	bool overwriteable; /* an image file is, too */
	bool is_copied;	    /* blocks 0..31 are a copy of the newest session's descriptors */
	uint64_t sectors;   /* readable, of a drive */
	char lost[256];	    /* why nobody can tell which sessions there are; empty where they're known */
};

static void verify_disc_clear(struct verify_disc *disc)
{
	vec_clear(&disc->sessions);
	vec_clear(&disc->sums);
}

/* time: 0 unknown. copy: see verbs.h. formats: of the trees that it has, 0 unknown. */
static int add_session(struct verify_disc *disc, const struct verb_session *from)
{
	struct verb_session *session = vec_push(&disc->sessions);

	if (!session || disc->sessions.count > VERIFY_SESSIONS_LIMIT)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: no memory for its sessions", disc->place->path);
	*session = (struct verb_session){ .number = (uint32_t)disc->sessions.count,
					  .start = from->start,
					  .time = from->time,
					  .copy = from->copy,
					  .copied = from->copied,
					  .formats = from->formats };
	return EXIT_CODE_DONE;
}

/* Of the trees of a session that which is mounted is the one to look at. */
static uint32_t formats_of(const struct json *status, int session)
{
	AUTO_FREE char *shown = json_string(status, "$.base.format");
	int count = (int)json_count(status, "$.sessions[%d].formats", session);
	uint32_t format, formats = 0;

	if (json_int(status, "$.base.session") == session + 1 && shown && tree_format_find(shown, &format) &&
	    format)
		return FORMAT_BIT(format);
	for (int i = 0; i < count; i++) {
		AUTO_FREE char *word = json_string(status, "$.sessions[%d].formats[%d]", session, i);

		if (word && tree_format_find(word, &format))
			formats |= FORMAT_BIT(format);
	}
	return formats;
}

static bool is_overwriteable(const char *medium)
{
	static const char *const names[] = { "dvd-ram", "dvd-rw", "dvd+rw", "bd-re" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], medium) == 0)
			return true;
	return false;
}

/* The mount knows its disc: the drive isn't asked anything but its sectors. */
static int disc_of_mount(struct verify_disc *disc)
{
	AUTO_JSON struct json status = { 0 };
	AUTO_FREE char *root = text_shell_word(disc->place->mount.root);
	AUTO_FREE char *medium = NULL;
	int code = target_status(&disc->place->mount, &status);
	int64_t count;

	if (code)
		return code;
	if (json_has(&status, "$.work"))
		return ctl_fail(EXIT_CODE_BUSY,
				"%s is busy with a commit: wait until it is done (discfsctl wait %s)",
				disc->place->path, root);
	medium = json_string(&status, "$.medium.profile");
	disc->overwriteable = !disc->place->is_drive || (medium && is_overwriteable(medium));
	disc->sectors = (uint64_t)json_int(&status, disc->overwriteable ? "$.medium.capacity_sectors"
									: "$.medium.used_sectors");
	count = json_count(&status, "$.sessions");
	for (int64_t i = 0; code == EXIT_CODE_DONE && i < count; i++)
		code = add_session(disc,
				   &(struct verb_session){
				       .start = (uint64_t)json_int(&status, "$.sessions[%d].start", (int)i),
				       .time = json_int(&status, "$.sessions[%d].time", (int)i),
				       .copy = (uint64_t)json_int(&status, "$.sessions[%d].copy", (int)i),
				       .copied = (uint32_t)json_int(&status, "$.sessions[%d].copied", (int)i),
				       .formats = formats_of(&status, (int)i) });
	return code;
}

static void take_facts(struct verify_disc *disc, const struct drive_facts *facts)
{
	size_t count = facts->tracks.count;
	const struct verb_track *last = count ? &facts->tracks.items[count - 1] : NULL;

	disc->overwriteable = facts->drive.overwriteable;
	disc->sectors = disc->overwriteable ? facts->drive.capacity : last ? last->start + last->sectors : 0;
}

/* Sessions can't be told from what is recorded: a drive tells where some begin, and the disc's begin is as
 * good as any for the rest. */
static int disc_in_the_dark(struct verify_disc *disc)
{
	CLEANUP(drive_facts_clear) struct drive_facts facts = { 0 };
	struct reason why = { 0 };
	uint32_t session = 0;
	int code = EXIT_CODE_DONE,
	    err = disc->place->is_drive ? drive_inquire(disc->place->path, &facts, &why) : 0;

	if (err < 0)
		return treat_failed(disc->place->path, -err, &why);
	if (disc->place->is_drive)
		take_facts(disc, &facts);
	if (disc->overwriteable)
		return add_session(disc, &(struct verb_session){ 0 });
	for (size_t i = 0; !code && i < facts.tracks.count; i++) {
		const struct verb_track *track = &facts.tracks.items[i];

		if (track->data && track->session != session)
			code = add_session(disc, &(struct verb_session){ .start = track->start });
		if (track->data)
			session = track->session;
	}
	return code;
}

static int disc_of_source(struct verify_disc *disc)
{
	CLEANUP(probe_clear) struct probe probe = { 0 };
	AUTO_CLOSE int fd = open(disc->place->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const struct probe_wish wish = { .damaged = true };
	struct reason why = { 0 };
	int code = EXIT_CODE_DONE, err;

	if (fd < 0)
		return treat_failed(disc->place->path, errno, &why);
	err = probe_run(fd, disc->place->path, NULL, &probe, &why);
	disc->overwriteable = !disc->place->is_drive;
	if (err == -EIO) {
		snprintf(disc->lost, sizeof disc->lost, "%.*s", (int)sizeof disc->lost - 1, why.text);
		err = probe_run(fd, disc->place->path, &wish, &probe, &why);
	}
	if (err == -EIO)
		return disc_in_the_dark(disc);
	if (err < 0)
		return treat_failed(disc->place->path, -err, &why);
	if (disc->place->is_drive)
		take_facts(disc, &probe.facts);
	for (size_t i = 0; !code && i < probe.sessions.count; i++)
		code = add_session(disc, &probe.sessions.items[i]);
	return code;
}

/* The newest first: its names are those that people know. */
static void choose(struct verify_disc *disc, bool all)
{
	struct verb_session *items = disc->sessions.items;
	size_t count = disc->sessions.count, first = 0;

	while (first < count && items[first].formats == FORMAT_BIT(FORMAT_UDF))
		first++;
	disc->is_copied = disc->overwriteable && first < count && (items[first].start || items[first].copy);
	for (size_t i = 0; i < count / 2; i++) {
		struct verb_session kept = items[i];

		items[i] = items[count - 1 - i];
		items[count - 1 - i] = kept;
	}
	if (!all && count && !disc->lost[0])
		disc->sessions.count = 1;
}

static bool parse_sum(const char *line, struct verb_sum *ret)
{
	char hex[2 * VERIFY_SUM_BYTES + 1];

	if (sscanf(line, "%" SCNu64 " %" SCNu64 " %64[0-9a-f]", &ret->lba, &ret->bytes, hex) != 3 ||
	    strlen(hex) != sizeof hex - 1)
		return false;
	for (size_t i = 0; i < sizeof ret->sha256; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &ret->sha256[i]) != 1)
			return false;
	return true;
}

/* What the mount knows of bodies that the disc has no sum of. */
static int take_sums(struct verify_disc *disc)
{
	AUTO_TEXT struct text text = { 0 };
	int code = target_read(&disc->place->mount, "sums", &text);

	for (char *line = text.data; !code && line && *line;) {
		char *end = strchr(line, '\n');
		struct verb_sum *sum = vec_push(&disc->sums);

		if (!end || !sum || !parse_sum(line, sum))
			return ctl_fail(EXIT_CODE_SYSTEM, "%s: what it knows of its files makes no sense",
					disc->place->path);
		line = end + 1;
	}
	return code;
}

/* So that the next time there is something to compare with. */
static void teach(const struct verify_disc *disc, const struct text *learned)
{
	int err = learned->failed ? -ENOMEM : 0;

	if (err == 0 && learned->length)
		err = target_write_lines(&disc->place->mount, "sums", learned->data, learned->length);
	if (err < 0 && err != -EROFS)
		fprintf(stderr, "discfsctl: the sums of what was read can't be kept for the next time: %s\n",
			strerror(-err));
}

static void on_signal(int signal)
{
	verify_stop();
}

/* As long as the drive is read, nobody begins to burn: it is held as burn programs hold it. */
static int open_medium(const struct place *place)
{
	int fd = open(place->path, O_RDONLY | O_CLOEXEC | (place->is_drive ? O_NONBLOCK | O_EXCL : 0));

	if (fd < 0 && errno == EBUSY)
		return -ctl_fail(EXIT_CODE_BUSY,
				 "%s is in use: it is burning, or another program has it for itself",
				 place->path);
	return fd < 0 ? -treat_failed(place->path, errno, &(struct reason){ 0 }) : fd;
}

static int run(struct verify_disc *disc, bool all, struct verify_show *show)
{
	const struct sigaction stopping = { .sa_handler = on_signal };
	const struct place *place = disc->place;
	AUTO_CLOSE int fd = open_medium(place);
	const struct verify_request request = {
		.fd = fd,
		.path = place->path,
		.is_drive = place->is_drive,
		.sectors = disc->sectors,
		.sessions = disc->sessions.items,
		.count = disc->sessions.count,
		.head = disc->is_copied,
		.chain = disc->overwriteable && all && !disc->lost[0],
		.learn = show->learned != NULL,
		.sums = disc->sums.items,
		.sum_count = disc->sums.count,
	};
	struct reason why = { 0 };
	int err;

	if (fd < 0)
		return -fd;
	sigaction(SIGINT, &stopping, NULL);
	sigaction(SIGTERM, &stopping, NULL);
	err = verify_run(&request, &verify_show_watch, show, &why);
	progress_end(&show->progress);
	if (err == -EINTR)
		return ctl_fail(EXIT_CODE_INTERRUPTED, "interrupted: %s isn't verified", place->path);
	return err < 0 ? treat_failed(place->path, -err, &why) : EXIT_CODE_DONE;
}

static int verify_place(const struct place *place, bool all, bool json)
{
	CLEANUP(verify_disc_clear) struct verify_disc disc = { .place = place };
	CLEANUP(verify_show_clear) struct verify_show show = { 0 };
	AUTO_TEXT struct text learned = { 0 };
	int code = place->discfs ? disc_of_mount(&disc) : disc_of_source(&disc);

	if (!code && place->discfs)
		code = take_sums(&disc);
	if (code)
		return code;
	choose(&disc, all);
	verify_show_start(&show, json, disc.sessions.count > 1);
	if (place->discfs)
		show.learned = &learned;
	if (disc.lost[0])
		verify_show_disc(&show, disc.lost);
	if (disc.sessions.count)
		code = run(&disc, all, &show);
	if (!code)
		teach(&disc, &learned);
	return code ? code : verify_show_end(&show, place->path, place->discfs ? place->mount.root : NULL);
}

int command_verify(int argc, char **argv)
{
	bool all = false, json = false;
	const struct option_spec options[] = { { "all", 'a', .flag = &all },
					       { "json", 0, .flag = &json },
					       { 0 } };
	struct place place = { 0 };
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = place_find("verify", count ? argv[1] : NULL, true, &place);
	if (!code)
		code = place_must_be_here(&place);
	if (!code && place.is_drive && place.mounted && !place.discfs)
		code = place_is_mounted(&place);
	return code ? code : verify_place(&place, all, json);
}
