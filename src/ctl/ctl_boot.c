/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/inside.h"
#include "ctl/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct words {
	const char *path, *efi;
	int64_t load_size; /* -1: not said */
	bool table, none, keep, json;
};

/* ---- what there is ---- */

static void show_image(const struct json *boot, const char *list, int64_t i)
{
	AUTO_FREE char *platform = json_string(boot, "$.%s[%" PRId64 "].platform", list, i);
	AUTO_FREE char *path = json_string(boot, "$.%s[%" PRId64 "].path", list, i);
	int64_t blocks = json_int(boot, "$.%s[%" PRId64 "].load_size", list, i);
	bool bios = platform && strcmp(platform, "bios") == 0, efi = platform && strcmp(platform, "efi") == 0;

	printf("  %-8s ", bios ? "BIOS" : efi ? "UEFI" : platform ? platform : "?");
	if (path) {
		putchar('/');
		format_print_name(path);
	} else {
		printf("an image without a file, at sector %" PRId64,
		       json_int(boot, "$.%s[%" PRId64 "].sector", list, i));
	}
	printf(" (%" PRId64 " block%s of 512 bytes %s loaded%s%s)\n", blocks, blocks == 1 ? "" : "s",
	       blocks == 1 ? "is" : "are",
	       json_bool(boot, "$.%s[%" PRId64 "].info_table", list, i) ? ", with a boot information table"
									: "",
	       json_bool(boot, "$.%s[%" PRId64 "].bootable", list, i) ? "" : "; switched off");
}

static void show_list(const struct json *boot, const char *list, const char *title, const char *none)
{
	int64_t count = json_count(boot, "$.%s", list);

	puts(count ? title : none);
	for (int64_t i = 0; i < count; i++)
		show_image(boot, list, i);
}

static int show(const struct target *target, bool json)
{
	AUTO_TEXT struct text text = { 0 };
	AUTO_JSON struct json boot = { 0 };
	AUTO_FREE char *lost = NULL;
	AUTO_FREE char *error = NULL;
	AUTO_FREE char *disc = NULL;
	AUTO_FREE char *next = NULL;
	int code = target_read(target, "boot.json", &text);

	if (code)
		return code;
	if (json) {
		fwrite(text.data, 1, text.length, stdout);
		return EXIT_CODE_DONE;
	}
	if (json_open(&boot, text.data, text.length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "what discfs tells of boot images can't be read");
	disc = json_string(&boot, "$.disc");
	lost = json_string(&boot, "$.disc_error");
	next = json_string(&boot, "$.next");
	error = json_string(&boot, "$.error");
	if (json_has(&boot, "$.disc"))
		show_list(&boot, "disc", "The disc boots:", "The disc doesn't boot.");
	else
		printf("What the disc boots can't be told: %s\n", lost ? lost : "it isn't here");
	if (error && lost && strcmp(error, lost) == 0)
		puts(json_int(&boot, "$.staged") ? "What is staged of the next session's is kept."
						 : "Nor can what the next session will.");
	else if (error)
		printf("No session can be burned: %s\n", error);
	else if (json_int(&boot, "$.staged") || (disc && next && strcmp(disc, next) != 0))
		show_list(&boot, "next", "The next session will boot:", "The next session won't boot.");
	return EXIT_CODE_DONE;
}

/* ---- what is to be ---- */

static const char *refusal(int err)
{
	static const struct {
		int err;
		const char *text;
	} sentences[] = {
		{ ENOENT, "there is no such file" },
		{ EISDIR, "it's a directory, and a boot image is a file" },
		{ ELOOP, "it's a symbolic link: name the file itself" },
		{ EINVAL, "it isn't a file" },
		{ ENODATA, "it's empty" },
		{ EFBIG, "it's too large for a boot image (4 GiB; 32 MiB with --info-table)" },
		{ ERANGE,
		  "more is to be loaded than it has (in blocks of 512 bytes) or than can be (65535); or "
		  "it's too small for a boot information table (64 bytes)" },
		{ EMEDIUMTYPE, "it's stored in compressed form (zisofs)" },
		{ EOPNOTSUPP, "it's litter (-o exclude=), which isn't burned" },
		{ EROFS, "the disc is read-only" },
	};

	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (sentences[i].err == err)
			return sentences[i].text;
	return NULL;
}

static int refused(const char *what, int err)
{
	const char *text = refusal(err);

	return text ? ctl_fail(exit_code_of_errno(err), "%s: %s", what, text) : inside_refused(what, err);
}

static int tell(const struct target *target, const char *line, const char *what)
{
	int err = target_tell(target, line);

	return err < 0 ? refused(what, -err) : EXIT_CODE_DONE;
}

/* options: what goes between the command and the path. */
static int attach(const char *path, const char *options)
{
	AUTO_TEXT struct text line = { 0 };
	char inside[PATH_MAX];
	struct target target;
	int code = inside_find(path, &target, inside, sizeof inside);

	if (code)
		return code;
	text_add(&line, "boot %s/", options);
	text_add_escaped(&line, inside, strlen(inside));
	if (line.failed)
		return ctl_fail(EXIT_CODE_SYSTEM, "out of memory");
	return tell(&target, line.data, path);
}

static int attach_both(const struct words *words)
{
	char options[80], load[48] = "";
	int code = EXIT_CODE_DONE;

	if (words->load_size >= 0)
		snprintf(load, sizeof load, "--load-size=%" PRId64 " ", words->load_size);
	if (words->path) {
		snprintf(options, sizeof options, "%s%s", load, words->table ? "--info-table " : "");
		code = attach(words->path, options);
	}
	if (!code && words->efi) {
		snprintf(options, sizeof options, "--efi %s", words->path ? "" : load);
		code = attach(words->efi, options);
	}
	return code;
}

static int check_words(const struct words *words)
{
	bool images = words->path || words->efi;

	if (words->none && words->keep)
		return ctl_usage("boot", "--none and --keep don't go together");
	if (images && (words->none || words->keep))
		return ctl_usage("boot", "--%s goes with no image", words->none ? "none" : "keep");
	if (words->table && !words->path)
		return ctl_usage("boot", "--info-table is for the image of a BIOS: name one");
	if (words->load_size >= 0 && !images)
		return ctl_usage("boot", "--load-size is for an image: name one");
	return EXIT_CODE_DONE;
}

static int change(const struct words *words, const char *where, struct target *target)
{
	int code;

	if (words->path || words->efi) {
		code = attach_both(words);
		return code ? code : target_find(words->path ? words->path : words->efi, target);
	}
	code = target_find(where, target);
	if (!code && (words->none || words->keep))
		code = tell(target, words->none ? "boot-none" : "boot-keep", target->root);
	return code;
}

int command_boot(int argc, char **argv)
{
	struct words words = { .load_size = -1 };
	const struct option_spec options[] = {
		{ "efi", 0, .word = &words.efi },
		{ "load-size", 0, .number = &words.load_size },
		{ "info-table", 0, .flag = &words.table },
		{ "none", 0, .flag = &words.none },
		{ "keep", 0, .flag = &words.keep },
		{ "json", 0, .flag = &words.json },
		{ 0 },
	};
	const char *where = ".";
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (code)
		return code;
	if (count && inside_is_root(argv[1], &target))
		where = argv[1];
	else if (count)
		words.path = argv[1];
	code = check_words(&words);
	if (!code)
		code = change(&words, where, &target);
	return code ? code : show(&target, words.json);
}
