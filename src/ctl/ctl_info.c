/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/show.h"
#include "ctl/target.h"
#include "proc/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *state_word(uint32_t state)
{
	return state == DISC_BLANK ? "blank" : state == DISC_APPENDABLE ? "appendable" : "closed";
}

static void add_string(struct text *text, const char *key, const char *value)
{
	text_add(text, "\"%s\":", key);
	text_add_json(text, value, strlen(value));
}

static void add_sessions(struct text *text, const struct probe *probe)
{
	text_add(text, "\"sessions\":[");
	for (size_t i = 0; i < probe->sessions.count; i++) {
		const struct verb_session *session = &probe->sessions.items[i];

		text_add(text,
			 "%s{\"number\":%" PRIu32 ",\"start\":%" PRIu64 ",\"sectors\":%" PRIu64
			 ",\"time\":%" PRId64 ",",
			 i ? "," : "", session->number, session->start, session->sectors, session->time);
		add_string(text, "label", session->label);
		text_add(text, "}");
	}
	text_add(text, "]");
}

/* What a probe found, under the keys that a mount's status has too. */
static void probe_to_json(const char *source, const struct probe *probe, struct text *text)
{
	const struct verb_disc *disc = &probe->disc;
	size_t count = probe->sessions.count;
	struct target target;

	text_add(text, "{");
	add_string(text, "source", source);
	text_add(text, ",");
	if (target_of_source(source, &target))
		add_string(text, "mountpoint", target.root);
	else
		text_add(text, "\"mountpoint\":null");
	text_add(text, ",\"medium\":{");
	add_string(text, "profile", disc->profile);
	text_add(text, ",\"state\":\"%s\",\"capacity_sectors\":%" PRIu64 ",\"used_sectors\":%" PRIu64 "},",
		 state_word(disc->state), disc->capacity, disc->recorded);
	add_string(text, "closed_reason", disc->state == DISC_CLOSED ? disc->closed_why : "");
	text_add(text, ",\"room\":{\"next_start\":%" PRIu64 "},", disc->nwa);
	add_string(text, "label", count ? probe->sessions.items[count - 1].label : "");
	text_add(text, ",");
	add_sessions(text, probe);
	text_add(text, "}\n");
}

static int info_print(const struct json *status)
{
	AUTO_FREE char *source = json_string(status, "$.source");
	AUTO_FREE char *mountpoint = json_string(status, "$.mountpoint");
	AUTO_FREE char *closed = json_string(status, "$.closed_reason");

	format_print_name(source);
	if (mountpoint) {
		fputs(", mounted on ", stdout);
		format_print_name(mountpoint);
	}
	putchar('\n');
	show_medium(status);
	if (closed && closed[0]) {
		fputs("Nothing can be appended: ", stdout);
		format_print_name(closed);
		putchar('\n');
	}
	show_sessions_line(status);
	if (json_count(status, "$.sessions"))
		show_sessions(status);
	return EXIT_CODE_DONE;
}

static int info_mount(const char *path, bool json)
{
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int code = target_find(path, &target);

	if (!code)
		code = target_status(&target, &status);
	if (code)
		return code;
	if (!json)
		return info_print(&status);
	fputs(status.text, stdout);
	return EXIT_CODE_DONE;
}

static int info_source(const char *path, int fd, bool json)
{
	CLEANUP(probe_clear) struct probe probe = { 0 };
	AUTO_TEXT struct text text = { 0 };
	AUTO_JSON struct json status = { 0 };
	struct reason why = { 0 };
	char real[PATH_MAX];
	int err;

	if (!realpath(path, real))
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(errno));
	err = probe_run(fd, real, NULL, &probe, &why);
	if (err < 0)
		return ctl_fail(err == -EIO ? EXIT_CODE_SYSTEM : exit_code_of_errno(-err), "%s: %s", path,
				why.text[0] ? why.text : strerror(-err));
	probe_to_json(real, &probe, &text);
	if (text.failed || json_open(&status, text.data, text.length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: no memory for what was found", path);
	if (!json)
		return info_print(&status);
	fputs(text.data, stdout);
	return EXIT_CODE_DONE;
}

int command_info(int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = { { "json", 0, .flag = &json }, { 0 } };
	AUTO_CLOSE int fd = -1;
	const char *path;
	struct stat st;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (code)
		return code;
	path = count ? argv[1] : ".";
	if (stat(path, &st) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return info_mount(path, json);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return ctl_fail(EXIT_CODE_SYSTEM, "%s is neither a drive nor an image file", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctl_fail(exit_code_of_errno(errno), "%s: %s", path, strerror(errno));
	return info_source(path, fd, json);
}
