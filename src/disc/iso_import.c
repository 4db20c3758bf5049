/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_import.h"

#include "disc/volume.h"
#include "wire/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NODE_CAP       20000000u
#define NODES_A_SECTOR 60u /* a directory record has 34 bytes at least */
#define NODES_AT_LEAST 1000u

static void dispose_opts(IsoReadOpts **opts)
{
	if (*opts)
		iso_read_opts_free(*opts);
}

static void dispose_features(IsoReadImageFeatures **features)
{
	if (*features)
		iso_read_image_features_destroy(*features);
}

static void keep(void *data)
{
	(void)data;
}

static unsigned depth_of(const char *path)
{
	unsigned depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* Directories are read as a whole as soon as they were reported, and before the next entry is. */
static void tell_lost(void *self)
{
	struct iso_import *import = (struct iso_import *)self;
	char text[400];

	if (import->at_is_told)
		return;
	import->at_is_told = true;
	snprintf(text, sizeof text, "%.300s: a sector that says more of it, or of its files, can't be read",
		 import->at ? import->at : "/");
	import->lost(import->self, text);
}

/* Deeper directories are left out, where something may be. 0 = skip it. */
static int skip_deep(struct iso_import *import, const char *path)
{
	char text[400];

	snprintf(text, sizeof text, "%.300s: nested deeper than %u", path, TREE_DEPTH_LIMIT);
	import->lost(import->self, text);
	return 0;
}

/* No honest disc has more: but directories that are entered from several others have their files many times.
 */
static uint64_t node_cap(const struct iso_import *import)
{
	return min_u64(NODE_CAP, NODES_AT_LEAST + NODES_A_SECTOR * import->medium.limit);
}

/* Called for each entry before it is added: a directory that contains itself would go on for ever. */
static int check_limits(IsoImage *image, IsoFileSource *file)
{
	struct iso_import *import = (struct iso_import *)iso_image_get_attached_data(image);
	AUTO_FREE char *path = iso_file_source_get_path(file);

	if (++import->nodes > node_cap(import))
		reason_set(&import->refused, EMEDIUMTYPE,
			   "more files than it has room for: it leads in circles");
	else if (!path)
		reason_set(&import->refused, ENOMEM, "out of memory");
	else if (depth_of(path) > TREE_DEPTH_LIMIT && import->lost)
		return skip_deep(import, path);
	else if (depth_of(path) > TREE_DEPTH_LIMIT)
		reason_set(&import->refused, EMEDIUMTYPE, "directories are nested deeper than %u: refused",
			   TREE_DEPTH_LIMIT);
	if (import->lost) {
		free(import->at);
		import->at = TAKE(path);
		import->at_is_told = false;
	}
	return import->refused.err ? -1 : 1;
}

/* What libisofs does with recorded checksums. */
enum sums { SUMS_IGNORE = 1, SUMS_LOAD = 2 };

static int make_opts(const struct iso_import *import, uint32_t format, enum sums sums, IsoReadOpts **ret)
{
	if (iso_read_opts_new(ret, 0) < 0)
		return -ENOMEM;
	iso_read_opts_set_start_block(*ret, (uint32_t)import->inner);
	iso_read_opts_set_no_aaip(*ret, 0);
	iso_read_opts_set_no_md5(*ret, (int)sums);
	iso_read_opts_set_no_rockridge(*ret, format == FORMAT_JOLIET || format == FORMAT_ISO9660);
	iso_read_opts_set_no_joliet(*ret, format == FORMAT_ROCK_RIDGE || format == FORMAT_ISO9660);
	/* The tree of ISO 9660:1999, where there is one, is the plain one with names as they were. */
	iso_read_opts_set_no_iso1999(*ret, format == FORMAT_ROCK_RIDGE || format == FORMAT_JOLIET);
	iso_read_opts_set_preferjoliet(*ret, 0);
	/* No ";1"; and in lower case, but for names that were recorded as they were. */
	iso_read_opts_set_ecma119_map(*ret, import->enhanced ? 1 : 3);
	iso_read_opts_set_joliet_map(*ret, 1); /* no ";1" */
	iso_read_opts_set_default_uid(*ret, geteuid());
	iso_read_opts_set_default_gid(*ret, getegid());
	iso_read_opts_set_default_permissions(*ret, 0644, 0755);
	iso_read_opts_auto_input_charset(*ret, 1);
	iso_read_opts_load_system_area(*ret, 0);
	return 0;
}

static uint32_t loaded_format(IsoReadImageFeatures *features)
{
	if (iso_read_image_features_tree_loaded(features) == 1)
		return FORMAT_JOLIET;
	return iso_read_image_features_rr_loaded(features) ? FORMAT_ROCK_RIDGE : FORMAT_ISO9660;
}

static void forget_attempt(struct iso_import *import)
{
	iso_lib_messages(NULL, NULL, 0, NULL);
	if (import->image)
		iso_image_unref(import->image);
	import->image = NULL;
}

/* One attempt. Returns 0 or -errno; *ret_code is libisofs' result. */
static int load(struct iso_import *import, uint32_t format, enum sums sums, int *ret_code)
{
	CLEANUP(dispose_opts) IsoReadOpts *opts = NULL;
	CLEANUP(dispose_features) IsoReadImageFeatures *features = NULL;
	int got = make_opts(import, format, sums, &opts);

	if (got < 0)
		return got;
	import->nodes = 0;
	if (iso_image_new("", &import->image) < 0)
		return -ENOMEM;
	iso_image_attach_data(import->image, import, keep);
	iso_tree_set_report_callback(import->image, check_limits);
	*ret_code = iso_image_import(import->image, import->medium.data_source, opts, &features);
	if (*ret_code < 0)
		return -EIO;
	import->format = loaded_format(features);
	/* Both descriptors may lead to the same tree. */
	if (import->enhanced || import->format != FORMAT_ISO9660 ||
	    iso_read_image_features_has_iso1999(features) != 1)
		return 0;
	import->enhanced = true;
	forget_attempt(import);
	return load(import, format, sums, ret_code);
}

static int explain(struct iso_import *import, int code, struct reason *why)
{
	struct reason said = { 0 };
	int got;

	if (import->medium.failed.err)
		return reason_set(why, import->medium.failed.err, "%s", import->medium.failed.text);
	if (import->refused.err)
		return reason_set(why, import->refused.err, "%s", import->refused.text);
	got = iso_lib_failed(code, "no tree", &said);
	return reason_set(why, -got,
			  "the directories are damaged, or of a kind that can't be read (libisofs: %s)",
			  said.text);
}

static int check_format(const struct iso_import *import, uint32_t wanted, struct reason *why)
{
	if (wanted == FORMAT_AUTO || wanted == import->format)
		return 0;
	return reason_set(why, EMEDIUMTYPE, "the disc has no %s tree", tree_format_title(wanted));
}

enum iso_trees iso_import_tree(const struct iso_import *import)
{
	if (import->format == FORMAT_JOLIET)
		return TREE_JOLIET;
	return import->enhanced ? TREE_ENHANCED : TREE_PLAIN;
}

int iso_import_check(struct iso_import *import, enum iso_trees tree, struct reason *why)
{
	static const uint32_t formats[] = {
		[TREE_PLAIN] = FORMAT_ISO9660, [TREE_JOLIET] = FORMAT_JOLIET, [TREE_ENHANCED] = FORMAT_ISO9660
	};

	return tree_check(import->medium.source, import->inner, import->medium.limit, formats[tree],
			  tree == TREE_ENHANCED, &import->faults[tree], why);
}

static int check_all(struct iso_import *import, struct reason *why)
{
	int got = 0;

	for (enum iso_trees tree = TREE_PLAIN; tree < TREES && got >= 0; tree++)
		got = iso_import_check(import, tree, why);
	return got < 0 ? got : 0;
}

/* Trees may share sectors, but hardly ones that are damaged in two ways. */
static bool mend(void *self, uint32_t lba, uint8_t *block)
{
	struct iso_import *import = (struct iso_import *)self;

	for (int i = 0; i < TREES; i++)
		if (tree_faults_mend(&import->faults[i], lba, block))
			return true;
	return false;
}

/* An array of sums at a place that can't be read, or of a size that can't be, is no reason to give up. The
 * sums of the tree itself are others' affair (iso_sums.h). */
static int load_with_sums(struct iso_import *import, uint32_t format, int *ret_code)
{
	int got = load(import, format, SUMS_LOAD, ret_code);

	if (got != -EIO || import->refused.err ||
	    (import->medium.failed.err != 0 && import->medium.failed.err != EIO))
		return got;
	forget_attempt(import);
	import->medium.failed = (struct reason){ 0 };
	return load(import, format, SUMS_IGNORE, ret_code);
}

/* Where the directories themselves show what is wrong, that says more than the library does. limits: it was
 * given up for what was too much. */
static int explain_by_tree(struct iso_import *import, bool limits, int code, struct reason *why)
{
	const struct tree_fault *fault = NULL;
	struct reason ignored = { 0 };

	if (!limits && check_all(import, &ignored) == 0)
		for (int i = 0; i < TREES && !fault; i++)
			fault = tree_faults_first(&import->faults[i], TREE_LOST);
	return fault ? reason_set(why, EIO, "%s", fault->text) : explain(import, code, why);
}

int iso_import_open(struct iso_import *import, const struct source *source, uint64_t session, uint64_t limit,
		    uint32_t format, void (*warn)(void *self, const char *text), void *self,
		    struct reason *why)
{
	int code = 0, got;

	*import = (struct iso_import){ .session = session, .inner = volume_inner(source, session) };
	got = iso_medium_open(&import->medium, source, limit, why);
	if (got < 0)
		return got;
	got = load_with_sums(import, format, &code);
	if (got == -ENOMEM)
		return reason_set(why, ENOMEM, "out of memory");
	if (got < 0 || import->medium.failed.err)
		return explain_by_tree(import, import->refused.err, code, why);
	iso_lib_messages(warn, self, EIO, &import->refused);
	if (import->refused.err)
		return explain_by_tree(import, false, code, why);
	return check_format(import, format, why);
}

static int open_leniently(struct iso_import *import, const struct source *source, uint64_t session,
			  uint64_t limit, struct reason *why)
{
	int got;

	import->session = session;
	import->inner = volume_inner(source, session);
	got = iso_medium_open(&import->medium, source, limit, why);
	if (got < 0)
		return got;
	import->medium.lenient = true;
	import->medium.mend = mend;
	import->medium.self = import;
	return check_all(import, why);
}

int iso_import_open_partly(struct iso_import *import, const struct source *source, uint64_t session,
			   uint64_t limit, uint32_t format, void (*warn)(void *self, const char *text),
			   void (*lost)(void *self, const char *text), void *self, struct reason *why)
{
	int code = 0, got;

	*import = (struct iso_import){ .lost = lost, .self = self };
	got = open_leniently(import, source, session, limit, why);
	if (got < 0)
		return got;
	import->medium.hole = tell_lost;
	got = load_with_sums(import, format, &code);
	if (got == -ENOMEM)
		return reason_set(why, ENOMEM, "out of memory");
	if (got < 0 || import->medium.failed.err)
		return explain(import, code, why);
	iso_lib_messages_lost(warn, lost, self);
	return check_format(import, format, why);
}

int iso_import_open_damaged(struct iso_import *import, const struct source *source, uint64_t session,
			    struct reason *why)
{
	int code = 0, got;

	*import = (struct iso_import){ 0 };
	got = open_leniently(import, source, session, 0, why);
	if (got < 0)
		return got;
	iso_lib_messages(NULL, NULL, 0, NULL); /* what a session before left */
	got = load_with_sums(import, FORMAT_AUTO, &code);
	if (got == -ENOMEM)
		return reason_set(why, ENOMEM, "out of memory");
	if (got < 0 || import->medium.failed.err)
		return explain(import, code, why);
	iso_lib_messages(NULL, NULL, EIO, &import->refused);
	return 0;
}

void iso_import_close(struct iso_import *import)
{
	if (import->image)
		iso_image_unref(import->image);
	import->image = NULL;
	free(import->at);
	import->at = NULL;
	for (int i = 0; i < TREES; i++)
		tree_faults_clear(&import->faults[i]);
	iso_medium_close(&import->medium);
}
