/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/options.h"

#include "model/tree_format.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum option_kind {
	OPTION_FLAG,   /* bool at offset becomes true */
	OPTION_CLEAR,  /* bool at offset becomes false */
	OPTION_DIR,    /* char * at offset: a directory's absolute name */
	OPTION_SIZE,   /* uint64_t at offset */
	OPTION_NUMBER, /* uint32_t at offset: 1 or more */
	OPTION_COMMIT, /* commit=manual|unmount */
	OPTION_UMOUNT, /* umount=wait|handover|refuse */
	OPTION_IMPORT, /* import=FORMAT */
	OPTION_BASE,   /* base=blank */
	OPTION_EXCLUDE,
	OPTION_FORMATS, /* formats=iso,joliet,udf */
	OPTION_FORMAT,	/* the second and further of these, which a comma makes words of their own */
	OPTION_YES,	/* bool at offset: yes|no */
	OPTION_IGNORE,	/* for mount(8), fstab or systemd */
	OPTION_PASS	/* goes on to the kernel */
};

static const struct {
	const char *name; /* with '=' at the end: takes a value; with '*': any name that begins so */
	enum option_kind kind;
	size_t offset;
	const char *help; /* NULL: not shown */
} table[] = {
	{ "ro", OPTION_FLAG, offsetof(struct options, read_only), "read-only" },
	{ "rw", OPTION_CLEAR, offsetof(struct options, read_only), NULL },
	{ "commit=", OPTION_COMMIT, 0,
	  "manual (default): unmounting never burns; unmount: a clean unmount commits" },
	{ "umount=", OPTION_UMOUNT, 0,
	  "what umount does without a terminal when a commit is to be waited for: wait (default),\n"
	  "                     handover: leave it to discfs, refuse" },
	{ "session=", OPTION_NUMBER, offsetof(struct options, session),
	  "number of the session to show, as discfsctl log counts; it is shown alone\n"
	  "                     and read-only (default: the newest, with what is staged)" },
	{ "import=", OPTION_IMPORT, 0,
	  "which of the disc's trees to show: rockridge, udf, joliet or iso9660\n"
	  "                     (default: auto, the first of these that there is)" },
	{ "base=", OPTION_BASE, 0,
	  "blank: start afresh: what the disc holds is staged as deleted, and stays in its\n"
	  "                     older sessions" },
	{ "exclude=", OPTION_EXCLUDE, 0,
	  "globs with colons between them: what is new under such a name is staged but not burned;\n"
	  "                     with a slash: for paths (default: litter, such as .Trash-*; exclude= burns "
	  "all)" },
	{ "formats=", OPTION_FORMATS, 0,
	  "trees of the sessions to be burned, such as iso,joliet,udf; iso with Rock Ridge must be\n"
	  "                     among them (default: all three)" },
	{ "iso", OPTION_FORMAT, 0, NULL },
	{ "joliet", OPTION_FORMAT, 0, NULL },
	{ "udf", OPTION_FORMAT, 0, NULL },
	{ "udf_links=", OPTION_YES, offsetof(struct options, formats.udf_links),
	  "no: symbolic links, devices and pipes are left out of UDF, as 7-Zip refuses a UDF that\n"
	  "                     has one (default: yes)" },
	{ "offline", OPTION_FLAG, offsetof(struct options, offline),
	  "SOURCE is a disc that isn't here, by its label or its id in discfsctl catalog: what is known\n"
	  "                     of it is shown, and work can be staged for it" },
	{ "damaged", OPTION_FLAG, offsetof(struct options, damaged),
	  "show what can be read of a damaged disc; then a commit must be told so (--damaged)" },
	{ "state=", OPTION_DIR, offsetof(struct options, state_root),
	  "directory for staged work (default: $XDG_STATE_HOME/discfs, else /var/lib/discfs for root,\n"
	  "                     ~/.local/state/discfs for others)" },
	{ "spool=", OPTION_DIR, offsetof(struct options, spool_dir),
	  "directory for the content of staged files, such as one on a larger disk (default: in state=)" },
	{ "place=", OPTION_DIR, offsetof(struct options, place), NULL },
	{ "spool_limit=", OPTION_SIZE, offsetof(struct options, spool_limit),
	  "most bytes that may be staged, such as 20G (default: no limit)" },
	{ "allow_other", OPTION_FLAG, offsetof(struct options, allow_other),
	  "other users may use the mount, as its permissions say (default for root)" },
	{ "default_permissions", OPTION_IGNORE, 0, NULL }, /* always on */
	{ "defaults", OPTION_IGNORE, 0, NULL },
	{ "auto", OPTION_IGNORE, 0, NULL },
	{ "noauto", OPTION_IGNORE, 0, NULL },
	{ "user", OPTION_IGNORE, 0, NULL },
	{ "users", OPTION_IGNORE, 0, NULL },
	{ "user=", OPTION_IGNORE, 0, NULL },
	{ "nouser", OPTION_IGNORE, 0, NULL },
	{ "owner", OPTION_IGNORE, 0, NULL },
	{ "group", OPTION_IGNORE, 0, NULL },
	{ "nofail", OPTION_IGNORE, 0, NULL },
	{ "_netdev", OPTION_IGNORE, 0, NULL },
	{ "x-*", OPTION_IGNORE, 0, NULL },
	{ "X-*", OPTION_IGNORE, 0, NULL },
	{ "nogroup", OPTION_IGNORE, 0, NULL },
	{ "noowner", OPTION_IGNORE, 0, NULL },
	{ "nousers", OPTION_IGNORE, 0, NULL },
	{ "diratime", OPTION_IGNORE, 0, NULL },
	{ "silent", OPTION_IGNORE, 0, NULL },
	{ "loud", OPTION_IGNORE, 0, NULL },
	{ "comment=", OPTION_IGNORE, 0, NULL },
	{ "dev", OPTION_PASS, 0, NULL },
	{ "nodev", OPTION_PASS, 0, NULL },
	{ "suid", OPTION_PASS, 0, NULL },
	{ "nosuid", OPTION_PASS, 0, NULL },
	{ "exec", OPTION_PASS, 0, NULL },
	{ "noexec", OPTION_PASS, 0, NULL },
	{ "atime", OPTION_PASS, 0, NULL },
	{ "noatime", OPTION_PASS, 0, NULL },
	{ "nodiratime", OPTION_PASS, 0, NULL },
	{ "relatime", OPTION_IGNORE, 0, NULL },
	{ "strictatime", OPTION_IGNORE, 0, NULL },
	{ "sync", OPTION_PASS, 0, NULL },
	{ "async", OPTION_IGNORE, 0, NULL },
	{ "dirsync", OPTION_PASS, 0, NULL },
};

#define TABLE_SIZE (sizeof table / sizeof *table)

void options_print_help(void)
{
	printf("Usage: discfs SOURCE MOUNTPOINT [-f] [-o OPTION[,OPTION…]]\n\n"
	       "Mounts an optical disc, or an image of one, as a writable folder. Nothing touches the disc "
	       "until you commit:\n"
	       "  discfsctl commit MOUNTPOINT   burns what is staged as one new session, and verifies it\n\n"
	       "      --offline      the same as -o offline: SOURCE is a disc that isn't here\n"
	       "  -f, --foreground   stay in front, with messages on standard error\n"
	       "  -d, --debug        say more; implies -f\n"
	       "  -o OPTION,…        mount options, below\n"
	       "  -h, --help         this page\n"
	       "  -V, --version      the version\n\n"
	       "Options:\n");
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (table[i].help)
			printf("  %-18s %s\n", table[i].name, table[i].help);
	printf("  and those of mount(8): nosuid, nodev, noexec, noatime, sync, user, nofail, x-…\n");
}

static bool name_matches(const char *pattern, const char *word)
{
	size_t length = strlen(pattern);
	char last = pattern[length - 1];

	if (last == '=')
		return strncmp(word, pattern, length) == 0;
	if (last == '*')
		return strncmp(word, pattern, length - 1) == 0;
	return strcmp(word, pattern) == 0;
}

/* Absolute: the daemon leaves its working directory. */
static int set_dir(char **where, const char *value, struct reason *why)
{
	char *here AUTO_FREE = *value == '/' ? NULL : getcwd(NULL, 0);
	char *path = NULL;

	if (!*value)
		return reason_set(why, EINVAL, "state=, spool= and place= need a directory");
	if (*value != '/' && !here)
		return reason_set(why, errno, "the working directory can't be found: %s", strerror(errno));
	if (asprintf(&path, "%s%s%s", here ? here : "", here ? "/" : "", value) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	free(*where);
	*where = path;
	return 0;
}

static int set_number(uint32_t *where, const char *word, const char *value, struct reason *why)
{
	if (!*value || strlen(value) > 6 || strspn(value, "0123456789") != strlen(value) ||
	    strtoul(value, NULL, 10) == 0)
		return reason_set(why, EINVAL, "%s: not a number from 1 on", word);
	*where = (uint32_t)strtoul(value, NULL, 10);
	return 0;
}

static int set_commit(struct options *options, const char *value, struct reason *why)
{
	options->commit_on_unmount = strcmp(value, "unmount") == 0;
	if (options->commit_on_unmount || strcmp(value, "manual") == 0)
		return 0;
	return reason_set(why, EINVAL, "commit=%s: say commit=manual or commit=unmount", value);
}

static int set_umount(struct options *options, const char *value, struct reason *why)
{
	static const char *const words[] = { "wait", "handover", "refuse" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(value, words[i]) == 0) {
			options->umount_mode = words[i];
			return 0;
		}
	return reason_set(why, EINVAL, "umount=%s: say wait, handover or refuse", value);
}

static int set_import(struct options *options, const char *value, struct reason *why)
{
	if (tree_format_find(value, &options->import))
		return 0;
	return reason_set(why, EINVAL, "import=%s: say auto, rockridge, udf, joliet or iso9660", value);
}

static int set_base(struct options *options, const char *value, struct reason *why)
{
	options->afresh = strcmp(value, "blank") == 0;
	return options->afresh ? 0
			       : reason_set(why, EINVAL, "base=%s: say base=blank, or leave it out", value);
}

/* One word of the list: each may come once. */
static int add_format(struct options *options, const char *word, struct reason *why)
{
	bool *known = strcmp(word, "iso") == 0	    ? &options->has_iso
		      : strcmp(word, "joliet") == 0 ? &options->formats.joliet
		      : strcmp(word, "udf") == 0    ? &options->formats.udf
						    : NULL;

	if (!known || *known)
		return reason_set(why, EINVAL, "formats=…%s: say formats=iso,joliet,udf or fewer of them",
				  word);
	*known = true;
	return 0;
}

static int set_formats(struct options *options, const char *value, struct reason *why)
{
	options->has_iso = options->formats.joliet = options->formats.udf = false;
	return add_format(options, value, why);
}

/* A second one adds to the first. */
static int set_exclude(struct options *options, const char *value, struct reason *why)
{
	options->has_litter = true;
	return litter_parse(&options->litter, value, why);
}

static int set_yes(bool *where, const char *word, const char *value, struct reason *why)
{
	*where = strcmp(value, "yes") == 0;
	if (*where || strcmp(value, "no") == 0)
		return 0;
	return reason_set(why, EINVAL, "%s: say yes or no", word);
}

static int set_option(struct options *options, size_t index, const char *word, struct reason *why)
{
	char *at = (char *)options + table[index].offset;
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";

	switch (table[index].kind) {
	case OPTION_FLAG:
	case OPTION_CLEAR:
		*(bool *)(void *)at = table[index].kind == OPTION_FLAG;
		return 0;
	case OPTION_DIR:
		return set_dir((char **)(void *)at, value, why);
	case OPTION_SIZE:
		if (text_parse_size(value, (uint64_t *)(void *)at) < 0)
			return reason_set(why, EINVAL, "%s: not a size such as 700M or 20G", word);
		return 0;
	case OPTION_NUMBER:
		return set_number((uint32_t *)(void *)at, word, value, why);
	case OPTION_COMMIT:
		return set_commit(options, value, why);
	case OPTION_UMOUNT:
		return set_umount(options, value, why);
	case OPTION_IMPORT:
		return set_import(options, value, why);
	case OPTION_BASE:
		return set_base(options, value, why);
	case OPTION_EXCLUDE:
		return set_exclude(options, value, why);
	case OPTION_FORMATS:
		return set_formats(options, value, why);
	case OPTION_FORMAT:
		return add_format(options, word, why);
	case OPTION_YES:
		return set_yes((bool *)(void *)at, word, value, why);
	case OPTION_PASS:
		text_add(&options->fuse_options, ",%s", word);
		return 0;
	case OPTION_IGNORE:
		break;
	}
	return 0;
}

/* in_formats: the word before was one of the list of formats. */
static int parse_word(struct options *options, const char *word, bool *in_formats, struct reason *why)
{
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		enum option_kind kind = table[i].kind;

		if (!name_matches(table[i].name, word) || (kind == OPTION_FORMAT && !*in_formats))
			continue;
		*in_formats = kind == OPTION_FORMATS || kind == OPTION_FORMAT;
		return set_option(options, i, word, why);
	}
	return reason_set(why, EINVAL, "unknown option -o %s (discfs --help lists them)", word);
}

static int parse_words(struct options *options, const char *list, struct reason *why)
{
	char *copy AUTO_FREE = strdup(list);
	char *rest = copy, *word;
	bool in_formats = false;
	int ret = copy ? 0 : -ENOMEM;

	while (ret == 0 && (word = strsep(&rest, ",")))
		if (*word)
			ret = parse_word(options, word, &in_formats, why);
	return ret;
}

static int refuse_mountpoint(const struct options *options, const char *word, int error, struct reason *why)
{
	const char *advice = "";
	struct stat source;

	if (error == ENOTCONN)
		advice = "; its daemon died: clear it away with fusermount3 -u";
	else if (error == ENOENT)
		advice = "; make it first, with mkdir";
	else if (error == ENOTDIR && stat(options->source, &source) == 0 && S_ISDIR(source.st_mode))
		advice = "; the disc comes first: discfs SOURCE MOUNTPOINT";
	return reason_set(why, error, "mountpoint %s: %s%s", word,
			  error == ENOTDIR ? "not a directory" : strerror(error), advice);
}

/* With a place, mountpoint is an automount's, and its name must not be looked up: that waits for the mount.
 */
static int take_mountpoint(struct options *options, const char *word, struct reason *why)
{
	struct stat st;

	if (options->place) {
		options->mountpoint = *word == '/' ? strdup(word) : NULL;
		return options->mountpoint ? 0 : reason_set(why, EINVAL, "mountpoint %s: not absolute", word);
	}
	options->mountpoint = realpath(word, NULL);
	if (!options->mountpoint || stat(options->mountpoint, &st) < 0)
		return refuse_mountpoint(options, word, errno, why);
	return S_ISDIR(st.st_mode) ? 0 : refuse_mountpoint(options, word, ENOTDIR, why);
}

static int check_offline(const struct options *options, struct reason *why)
{
	if (options->offline && options->commit_on_unmount)
		return reason_set(why, EINVAL,
				  "commit=unmount needs the disc: an offline one can't be committed");
	if (options->offline && (options->session || options->import || options->afresh))
		return reason_set(
		    why, EINVAL,
		    "session=, import= and base= need the disc: offline what is known of it is shown");
	return 0;
}

static int take_places(struct options *options, int argc, char **argv, struct reason *why)
{
	if (options->help || options->version)
		return 0;
	if (argc - optind != 2)
		return reason_set(
		    why, EINVAL, "say what to mount and where: discfs SOURCE MOUNTPOINT (see discfs --help)");
	options->source = strdup(argv[optind]);
	if (!options->source)
		return reason_set(why, ENOMEM, "out of memory");
	return take_mountpoint(options, argv[optind + 1], why);
}

int options_parse(struct options *options, int argc, char **argv, struct reason *why)
{
	static const struct option longs[] = {
		{ "foreground", no_argument, NULL, 'f' }, { "debug", no_argument, NULL, 'd' },
		{ "offline", no_argument, NULL, 'O' },	  { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	  { NULL, 0, NULL, 0 }
	};
	int letter, ret = 0;

	*options = (struct options){ .umount_mode = "wait" };
	options->allow_other = geteuid() == 0;
	options->formats = SESSION_FORMATS_DEFAULT;
	options->has_iso = true;
	while (ret == 0 && (letter = getopt_long(argc, argv, "fdo:hV", longs, NULL)) != -1) {
		switch (letter) {
		case 'd':
			options->debug = true;
			options->foreground = true;
			break;
		case 'f':
			options->foreground = true;
			break;
		case 'O':
			options->offline = true;
			break;
		case 'o':
			ret = parse_words(options, optarg, why);
			break;
		case 'h':
			options->help = true;
			break;
		case 'V':
			options->version = true;
			break;
		default:
			return reason_set(why, EINVAL, "see discfs --help");
		}
	}
	if (ret == 0 && options->afresh && (options->session || options->read_only))
		return reason_set(why, EINVAL,
				  "base=blank doesn't go with session= and ro: it is for what comes next");
	if (ret == 0 && !options->has_iso)
		ret = reason_set(why, EINVAL,
				 "formats=: iso must be among them, since ISO 9660 with Rock Ridge is what "
				 "discfs continues a disc from");
	if (ret == 0 && !options->has_litter)
		ret = litter_parse(&options->litter, LITTER_DEFAULT, why);
	if (ret == 0)
		ret = check_offline(options, why);
	return ret < 0 ? ret : take_places(options, argc, argv, why);
}

void options_clear(struct options *options)
{
	free(options->source);
	free(options->mountpoint);
	free(options->place);
	free(options->state_root);
	free(options->spool_dir);
	litter_clear(&options->litter);
	text_clear(&options->fuse_options);
}
