/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/shelves.h"
#include "model/node.h"
#include "store/search.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct words {
	bool regex, fold, json, nul, staged;
	const char *types, *size, *newer, *older, *disc, *root;
	int64_t limit;
};

/* Where hits are told. */
struct telling {
	const struct words *words;
	const struct catalog_disc *disc;
	int brief_width;
	int64_t count;
};

static const char *type_name(uint32_t mode)
{
	static const char *const names[16] = { [S_IFREG >> 12] = "file",   [S_IFDIR >> 12] = "directory",
					       [S_IFLNK >> 12] = "link",   [S_IFCHR >> 12] = "character",
					       [S_IFBLK >> 12] = "block",  [S_IFIFO >> 12] = "fifo",
					       [S_IFSOCK >> 12] = "socket" };
	const char *name = names[(mode >> 12) & 15];

	return name ? name : "unknown";
}

static int64_t seconds_of(int64_t ns)
{
	return ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);
}

static void print_json(const struct telling *telling, const struct search_hit *hit)
{
	AUTO_TEXT struct text text = { 0 };

	text_add(&text, "%s{\"disc\":\"%s\",\"label\":", telling->count ? ",\n" : "", telling->disc->id);
	text_add_json(&text, telling->disc->shelf.label, strlen(telling->disc->shelf.label));
	text_add(&text, ",\"path\":");
	text_add_json(&text, hit->path, hit->length);
	text_add(&text, ",\"type\":\"%s\",\"size\":%" PRIu64 ",\"time\":%" PRId64 ",\"staged\":%s}",
		 type_name(hit->mode), hit->size, seconds_of(hit->mtime_ns), hit->staged ? "true" : "false");
	fputs(text.failed ? "" : text.data, stdout);
}

static void print_line(const struct telling *telling, const struct search_hit *hit)
{
	char size[FORMAT_ROOM] = "-", date[FORMAT_ROOM];

	format_print_padded(telling->disc->shelf.label[0] ? telling->disc->shelf.label : "(no label)", 16);
	if (S_ISREG(hit->mode))
		text_size(size, hit->size);
	printf("  %-*s  %8s  %-16s  %-6s  ", telling->brief_width, telling->disc->brief, size,
	       format_time(date, seconds_of(hit->mtime_ns)), hit->staged ? "staged" : "");
	format_print_name(hit->path);
	if (S_ISDIR(hit->mode))
		putchar('/');
	putchar('\n');
}

static int tell(void *self, const struct search_hit *hit)
{
	struct telling *telling = self;

	if (telling->words->json)
		print_json(telling, hit);
	else if (telling->words->nul)
		printf("%s/%s%c", telling->disc->id, hit->path, 0);
	else
		print_line(telling, hit);
	telling->count++;
	return ferror(stdout) || (telling->words->limit && telling->count >= telling->words->limit);
}

static int parse_types(const char *word, uint32_t *ret)
{
	static const struct {
		char letter;
		uint32_t mode;
	} letters[] = { { 'f', S_IFREG },  { 'd', S_IFDIR }, { 'l', S_IFLNK }, { 'p', S_IFIFO },
			{ 's', S_IFSOCK }, { 'c', S_IFCHR }, { 'b', S_IFBLK } };

	for (; *word; word++) {
		uint32_t known = *ret;

		for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
			if (*word == letters[i].letter)
				*ret |= 1u << (letters[i].mode >> 12);
		if (*word != ',' && known == *ret && !strchr("fdlpscb", *word))
			return ctl_usage("find", "--type takes f, d or l, not '%c'", *word);
	}
	return EXIT_CODE_DONE;
}

/* "+10M": more than that; "-1k": less; "512": exactly. */
static int parse_size(const char *word, struct search *search)
{
	bool signed_word = *word == '+' || *word == '-';
	uint64_t bytes;

	if (text_parse_size(word + signed_word, &bytes) < 0 || bytes > INT64_MAX)
		return ctl_usage("find", "--size takes a size such as +10M, -1k or 512, not '%s'", word);
	search->sized = true;
	search->size_least = *word == '+' ? bytes + 1 : *word == '-' ? 0 : bytes;
	search->size_most = *word == '-' ? bytes - 1 : *word == '+' ? UINT64_MAX : bytes;
	if (*word == '-' && bytes == 0)
		return ctl_usage("find", "no file has less than 0 bytes");
	return EXIT_CODE_DONE;
}

/* The first moment of a day, a month, a year, …, here or (with a Z) in Greenwich. */
static int parse_date(const char *option, const char *word, int64_t *ret_ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S",
					     "%Y-%m-%d %H:%M:%S",
					     "%Y-%m-%dT%H:%M",
					     "%Y-%m-%d %H:%M",
					     "%Y-%m-%d",
					     "%Y-%m",
					     "%Y" };

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm parts = { .tm_mday = 1, .tm_isdst = -1 };
		const char *end = strptime(word, forms[i], &parts);
		bool utc = end && strcmp(end, "Z") == 0;
		time_t when;

		if (!end || (*end && !utc))
			continue;
		parts.tm_isdst = -1;
		when = utc ? timegm(&parts) : mktime(&parts);
		*ret_ns = (int64_t)when * NS_PER_SEC;
		return EXIT_CODE_DONE;
	}
	return ctl_usage("find", "%s takes a date such as 2024-12-31 or 2024-12-31T18:00, not '%s'", option,
			 word);
}

static int make_patterns(const struct words *words, int count, char **argv, struct search *search)
{
	struct reason why = { 0 };

	for (int i = 1; i <= count; i++) {
		struct pattern *pattern = vec_push(&search->patterns);

		if (!pattern)
			return ctl_fail(EXIT_CODE_SYSTEM, "out of memory");
		if (pattern_make(pattern, argv[i], words->regex, words->fold, &why) < 0) {
			search->patterns.count--;
			return ctl_usage("find", "%s", why.text);
		}
	}
	return EXIT_CODE_DONE;
}

static int make_search(const struct words *words, int count, char **argv, struct search *search)
{
	int code = count ? EXIT_CODE_DONE : ctl_usage("find", "what for? '*' is every name");

	*search = (struct search){ .from_ns = INT64_MIN, .to_ns = INT64_MAX };
	if (!code)
		code = make_patterns(words, count, argv, search);
	if (!code && words->types)
		code = parse_types(words->types, &search->types);
	if (!code && words->size)
		code = parse_size(words->size, search);
	if (!code && words->newer)
		code = parse_date("--newer", words->newer, &search->from_ns);
	if (!code && words->older)
		code = parse_date("--older", words->older, &search->to_ns);
	if (!code && words->limit < 0)
		code = ctl_usage("find", "--limit takes a number from 1 on");
	return code;
}

/* 1 = enough was told, 0, or -errno with why. Of what a disc was before another program wrote to it only the
 * staged work counts, and an older session that somebody looked at is no disc of its own. */
static int find_on(const struct catalog *catalog, const struct catalog_disc *disc, struct search search,
		   struct telling *telling, struct reason *why)
{
	CLEANUP(db_close) struct db db = { 0 };
	int ret;

	if (disc->unreadable.err) {
		*why = disc->unreadable;
		return -why->err;
	}
	telling->disc = disc;
	search.staged_only = telling->words->staged || disc->shelf.superseded[0] || disc->shelf.older;
	ret = catalog_open_db(catalog, disc, &db, why);
	if (ret < 0)
		return ret;
	ret = search_tree(&db, &search, tell, telling);
	return ret < 0 ? reason_set(why, -ret, "%s can't be read: %s", db.path, strerror(-ret)) : ret;
}

/* Discs that can't be read are told of, and the others searched. */
static int find_all(struct catalog *catalog, const struct search *search, const struct words *words)
{
	struct telling telling = { .words = words, .brief_width = catalog->brief_width };
	struct catalog_disc *only = NULL;
	int ended = 0, code = words->disc ? shelves_find(catalog, words->disc, &only) : EXIT_CODE_DONE;

	if (code)
		return code;
	if (words->json)
		putchar('[');
	vec_each (&catalog->discs, disc) {
		struct reason why = { 0 };

		if (ended > 0 || (only && disc != only))
			continue;
		ended = find_on(catalog, disc, *search, &telling, &why);
		if (ended < 0)
			code = ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", catalog_name(disc), why.text);
	}
	if (words->json)
		puts("]");
	return code;
}

int command_find(int argc, char **argv)
{
	struct words words = { 0 };
	const struct option_spec options[] = {
		{ "regex", 'r', .flag = &words.regex },
		{ "ignore-case", 'i', .flag = &words.fold },
		{ "type", 't', .word = &words.types },
		{ "size", 's', .word = &words.size },
		{ "newer", 0, .word = &words.newer },
		{ "older", 0, .word = &words.older },
		{ "disc", 'd', .word = &words.disc },
		{ "staged", 0, .flag = &words.staged },
		{ "limit", 'n', .number = &words.limit },
		{ "print0", '0', .flag = &words.nul },
		{ "json", 0, .flag = &words.json },
		{ "state", 0, .word = &words.root },
		{ 0 },
	};
	CLEANUP(catalog_clear) struct catalog catalog = { 0 };
	CLEANUP(search_clear) struct search search = { 0 };
	int count, code = ctl_options(argc, argv, options, argc, &count);

	if (!code)
		code = make_search(&words, count, argv, &search);
	if (!code)
		code = shelves_open(words.root, &catalog);
	return code ? code : find_all(&catalog, &search, &words);
}
