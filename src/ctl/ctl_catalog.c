/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/catalog_json.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/shelves.h"
#include "ctl/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct words {
	bool json, force;
	const char *root;
};

int shelves_open(const char *root, struct catalog *ret)
{
	char path[PATH_LIMIT];
	struct reason why = { 0 };
	int err = root ? 0 : state_default_root(path, sizeof path, &why);

	if (err == 0)
		err = catalog_open(ret, root ? root : path, &why);
	return err < 0 ? ctl_fail(EXIT_CODE_SYSTEM, "%s", why.text) : EXIT_CODE_DONE;
}

int shelves_find(struct catalog *catalog, const char *word, struct catalog_disc **ret)
{
	struct reason why = { 0 };
	int err = catalog_find(catalog, word, ret, &why);

	return err < 0 ? ctl_fail(err == -ENOTUNIQ ? EXIT_CODE_USAGE : EXIT_CODE_SYSTEM, "%s", why.text)
		       : EXIT_CODE_DONE;
}

static uint64_t staged_changes(const struct catalog_disc *disc)
{
	return changes_any(&disc->staged);
}

/* What can't be read shows as such, and the others all the same. */
static void look_staged(const struct catalog *catalog, struct catalog_disc *disc)
{
	struct reason why = { 0 };

	if (catalog_look_staged(catalog, disc, &why) < 0)
		disc->unreadable = why;
}

/* An older session that somebody looked at is no disc of its own. */
static bool is_listed(const struct catalog_disc *disc)
{
	return !disc->shelf.older || catalog_is_staged(disc);
}

static void print_staged(const struct catalog_disc *disc)
{
	AUTO_TEXT struct text text = { 0 };
	char size[FORMAT_ROOM];

	if (disc->cut_off)
		text_add(&text, "a commit was cut off");
	else if (staged_changes(disc))
		text_add(&text, "%s in %" PRIu64, text_size(size, disc->staged_bytes), staged_changes(disc));
	else
		text_add(&text, "-");
	printf("%-16s", text.data ? text.data : "");
}

static void print_line(const struct catalog *catalog, const struct catalog_disc *disc)
{
	const struct shelf *shelf = &disc->shelf;
	char sessions[FORMAT_ROOM], files[FORMAT_ROOM], size[FORMAT_ROOM], seen[FORMAT_ROOM];

	printf("%-*s  ", catalog->brief_width, disc->brief);
	if (disc->unreadable.err || !disc->known) {
		format_print_name(disc->unreadable.err ? disc->unreadable.text
						       : "known only since before there was a catalogue");
		putchar('\n');
		return;
	}
	format_print_padded(shelf->label[0] ? shelf->label : "(no label)", 16);
	printf("  %8s  %9s  %8s  ", format_count(sessions, shelf->sessions.count),
	       format_count(files, shelf->files), text_size(size, shelf->bytes));
	print_staged(disc);
	printf("  %-16s  ", disc->mounted ? "mounted now" : format_time(seen, shelf->seen));
	printf("%s, ", show_medium_title(shelf->disc.profile));
	format_print_name(shelf->path);
	if (shelf->superseded[0])
		fputs(" (before another program wrote to it)", stdout);
	putchar('\n');
}

static int list(struct catalog *catalog, const struct words *words)
{
	AUTO_TEXT struct text text = { 0 };
	unsigned count = 0;

	vec_each (&catalog->discs, disc) {
		look_staged(catalog, disc);
		if (!is_listed(disc))
			continue;
		if (!words->json && count == 0)
			printf("%-*s  %-16s  %8s  %9s  %8s  %-16s  %-16s  %s\n", catalog->brief_width, "Disc",
			       "Label", "Sessions", "Files", "Size", "Staged", "Seen last", "Where");
		if (!words->json)
			print_line(catalog, disc);
		text_add(&text, "%s", count++ ? ",\n" : "");
		if (words->json)
			catalog_disc_to_json(catalog, disc, &text);
	}
	if (words->json)
		printf("[%s]\n", text.data ? text.data : "");
	else if (count == 0)
		printf("No disc has been mounted yet with its state in %s.\n", catalog->root);
	return text.failed ? ctl_fail(EXIT_CODE_SYSTEM, "out of memory") : EXIT_CODE_DONE;
}

static void print_details(const struct catalog *catalog, const struct catalog_disc *disc,
			  const struct json *facts)
{
	char files[FORMAT_ROOM], size[FORMAT_ROOM], seen[FORMAT_ROOM];
	const struct changes_count *staged = &disc->staged;
	const struct shelf *shelf = &disc->shelf;

	format_print_name(catalog_name(disc));
	printf(", %s\n", disc->id);
	if (disc->known) {
		show_medium(facts);
		printf("%s file%s with %s\n", format_count(files, shelf->files), shelf->files == 1 ? "" : "s",
		       text_size(size, shelf->bytes));
		printf("%s: ", shelf->is_drive ? "Drive" : "Image");
		format_print_name(shelf->path);
		printf("\nSeen last: %s\n", disc->mounted ? "mounted now" : format_time(seen, shelf->seen));
	}
	fputs("State: ", stdout);
	format_print_name(catalog->root);
	printf("/%s\n", disc->id);
	if (shelf->superseded[0])
		printf("Another program has written to this disc since: what it is now has the id %s\n",
		       shelf->superseded);
	if (disc->cut_off)
		puts("A commit was cut off: mounting the disc settles that.");
	if (staged_changes(disc))
		printf("Staged: %" PRIu64 " added, %" PRIu64 " modified, %" PRIu64 " deleted, %" PRIu64
		       " renamed; %s of new data\n",
		       staged->added, staged->modified, staged->deleted, staged->renamed,
		       text_size(size, disc->staged_bytes));
	else
		puts("Nothing is staged.");
	if (disc->known)
		show_sessions(facts);
}

static int show(struct catalog *catalog, struct catalog_disc *disc, const struct words *words)
{
	AUTO_TEXT struct text text = { 0 };
	AUTO_JSON struct json facts = { 0 };

	look_staged(catalog, disc);
	catalog_disc_to_json(catalog, disc, &text);
	text_add(&text, "\n");
	if (text.failed || json_open(&facts, text.data, text.length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "no memory for what was found");
	if (words->json)
		fputs(text.data, stdout);
	else if (disc->unreadable.err)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s", disc->unreadable.text);
	else
		print_details(catalog, disc, &facts);
	return EXIT_CODE_DONE;
}

static int forget(struct catalog *catalog, struct catalog_disc *disc, const struct words *words)
{
	struct reason why = { 0 };
	char size[FORMAT_ROOM];
	int err;

	look_staged(catalog, disc);
	if (!words->force && disc->unreadable.err)
		return ctl_fail(
		    EXIT_CODE_SYSTEM,
		    "it isn't known whether work is staged for %s: %s (--force forgets it all the same)",
		    catalog_name(disc), disc->unreadable.text);
	if (!words->force && catalog_is_staged(disc))
		return ctl_fail(EXIT_CODE_PENDING,
				"work is staged for %s that is on no disc: %" PRIu64
				" change%s with %s of new data. Mount it and commit or discard them, or say "
				"--force to lose them",
				catalog_name(disc), staged_changes(disc),
				staged_changes(disc) == 1 ? "" : "s", text_size(size, disc->staged_bytes));
	err = catalog_forget(catalog, disc, &why);
	if (err == -EBUSY)
		return ctl_fail(EXIT_CODE_BUSY, "%s is mounted now: unmount it first", catalog_name(disc));
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s", why.text);
	if (words->json)
		printf("{\"op\":\"forget\",\"id\":\"%s\"}\n", disc->id);
	else
		printf("%s is forgotten; the disc itself is as it was\n", disc->id);
	return EXIT_CODE_DONE;
}

static const struct {
	const char *name;
	int (*run)(struct catalog *catalog, struct catalog_disc *disc, const struct words *words);
} verbs[] = { { "show", show }, { "forget", forget } };

static int run(struct catalog *catalog, int count, char **argv, const struct words *words)
{
	const char *verb = count ? argv[1] : "list";
	struct catalog_disc *disc;
	int code;

	if (strcmp(verb, "list") == 0)
		return count > 1 ? ctl_usage("catalog", "list takes no disc: say show %s", argv[2])
				 : list(catalog, words);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		if (count != 2)
			return ctl_usage("catalog", "%s needs a disc: the beginning of its id, or its label",
					 verb);
		code = shelves_find(catalog, argv[2], &disc);
		return code ? code : verbs[i].run(catalog, disc, words);
	}
	return ctl_usage("catalog", "list, show or forget, not '%s'", verb);
}

int command_catalog(int argc, char **argv)
{
	struct words words = { 0 };
	const struct option_spec options[] = {
		{ "json", 0, .flag = &words.json },
		{ "force", 0, .flag = &words.force },
		{ "state", 0, .word = &words.root },
		{ 0 },
	};
	CLEANUP(catalog_clear) struct catalog catalog = { 0 };
	int count, code = ctl_options(argc, argv, options, 2, &count);

	if (!code)
		code = shelves_open(words.root, &catalog);
	return code ? code : run(&catalog, count, argv, &words);
}
