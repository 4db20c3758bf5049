/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the last dry run found out: .discfs/trial for people, .discfs/trial.json for programs.
 *
 * The text: lines at the margin tell of numbers, or begin a list; lines that begin with a blank belong to it.
 */
#include "control/control.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *const node_keys[TRIAL_NODES] = { "files",   "directories", "symlinks",
						    "devices", "fifos",	      "sockets" };
static const char *const node_words[TRIAL_NODES] = { "file",   "directory", "symlink",
						     "device", "FIFO",	    "socket" };

static const struct {
	const char *key, *one, *many;
} kinds[TRIAL_KINDS] = {
	[TRIAL_DEPTH] = { "too_deep", "directory is nested too deep", "directories are nested too deep" },
	[TRIAL_TARGET] = { "targets", "symlink's target can't be recorded",
			   "symlinks' targets can't be recorded" },
	[TRIAL_ATTRIBUTES] = { "attributes", "file has too many extended attributes",
			       "files have too many extended attributes" },
	[TRIAL_LOST] = { "incomplete", "file is incomplete, since a write to it was refused",
			 "files are incomplete, since writes to them were refused" },
	[TRIAL_CLASHES] = { "clashes", "directory has too many names that are equal without Rock Ridge",
			    "directories have too many names that are equal without Rock Ridge" },
	[TRIAL_CHANGED] = { "joliet_changed", "name is another where Joliet counts (Windows, macOS)",
			    "names are others where Joliet counts (Windows, macOS)" },
	[TRIAL_LEFT_OUT] = { "joliet_left_out", "name isn't shown where Joliet counts",
			     "names aren't shown where Joliet counts" },
	[TRIAL_UDF_CHANGED] = { "udf_changed", "name is another where UDF counts",
				"names are others where UDF counts" },
	[TRIAL_UDF_LEFT_OUT] = { "udf_left_out", "name is left out of UDF", "names are left out of UDF" },
	[TRIAL_LONG] = { "long_names", "name is so long that Linux cuts it where Rock Ridge counts",
			 "names are so long that Linux cuts them where Rock Ridge counts" },
	[TRIAL_SLASHES] = { "targets_slashes", "symlink's target loses doubled slashes, or one at its end",
			    "symlinks' targets lose doubled slashes, or one at their end" },
	[TRIAL_TIMES] = { "times", "time is before 1900 or after 2155 and becomes the nearest",
			  "times are before 1900 or after 2155 and become the nearest" },
	[TRIAL_LITTER] = { "litter", "name is litter, isn't burned and stays staged",
			   "names are litter, aren't burned and stay staged" },
};

static const struct {
	unsigned bit;
	const char *key, *word;
} reasons[] = {
	{ NAME_CUT, "cut", "cut" },
	{ NAME_CHARS, "characters", "characters" },
	{ NAME_BYTES, "bytes", "not UTF-8" },
	{ NAME_DOT, "dot", "dot at the end" },
	{ NAME_NUMBERED, "numbered", "numbered" },
};
#define REASONS (sizeof reasons / sizeof *reasons)

/* While a dry run is still under way it has found out, but has no result. */
static const struct commit_result *result_of(const struct commit *commit)
{
	static const struct commit_result none;

	return commit->tried.serial == commit->trial.serial ? &commit->tried : &none;
}

static const char *path_of(const struct trial *trial, const struct trial_item *item)
{
	const char *path = trial->words.data + item->path;

	return path[0] ? path : ".";
}

static uint64_t refused(const struct trial *trial)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < TRIAL_REFUSED; kind++)
		sum += trial->counts[kind];
	return sum;
}

/* ---- text ---- */

static void text_nodes(struct text *text, const char *head, const uint64_t counts[TRIAL_NODES])
{
	const char *between = head;

	for (int i = 0; i < TRIAL_NODES; i++)
		if (counts[i]) {
			text_add(text, "%s%" PRIu64 " %s", between, counts[i],
				 counts[i] == 1 ? node_words[i] : node_keys[i]);
			between = ", ";
		}
	if (between != head)
		text_add(text, "\n");
}

static void text_item(const struct trial *trial, const struct trial_item *item, struct text *text)
{
	const char *path = path_of(trial, item), *between = " (";

	text_add(text, "  ");
	text_add_escaped(text, path, strlen(path));
	if (item->kind == TRIAL_CHANGED || item->kind == TRIAL_UDF_CHANGED) {
		const char *shown = trial->words.data + item->words;

		text_add(text, " -> ");
		text_add_escaped(text, shown, strlen(shown));
		for (size_t i = 0; i < REASONS; i++)
			if (item->why & reasons[i].bit) {
				text_add(text, "%s%s", between, reasons[i].word);
				between = ", ";
			}
		text_add(text, ")");
	} else if (item->kind == TRIAL_LEFT_OUT || item->kind == TRIAL_UDF_LEFT_OUT) {
		text_add(text, " (%s)", node_words[item->node]);
	}
	text_add(text, "\n");
}

static void text_kind(const struct trial *trial, int kind, struct text *text)
{
	uint64_t count = trial->counts[kind];

	if (!count)
		return;
	text_add(text, "%s%" PRIu64 " %s:\n", kind < TRIAL_REFUSED ? "Can't be committed: " : "", count,
		 count == 1 ? kinds[kind].one : kinds[kind].many);
	for (size_t i = 0; i < trial->items.count; i++)
		if (trial->items.items[i].kind == kind)
			text_item(trial, &trial->items.items[i], text);
	if (count > trial->kept[kind])
		text_add(text, "  … and %" PRIu64 " more\n", count - trial->kept[kind]);
}

static void text_sizes(const struct trial *trial, const struct commit_result *last, struct text *text)
{
	char fresh[16], referenced[16], directories[16], saved[16];

	text_nodes(text, "added:       ", trial->added);
	text_nodes(text, "modified:    ", trial->modified);
	text_nodes(text, "deleted:     ", trial->deleted);
	if (trial->changes.renamed)
		text_add(text, "renamed:     %" PRIu64 " %s\n", trial->changes.renamed,
			 trial->changes.renamed == 1 ? "name" : "names");
	text_nodes(text, "altogether:  ", trial->all);
	text_add(text, "data:        %s new, %s that is on the disc already and stays where it is\n",
		 text_size(fresh, trial->new_bytes), text_size(referenced, trial->referenced));
	if (last->saved_files)
		text_add(text, "saved:       %s of %" PRIu64 " %s\n",
			 text_size(saved, last->saved_sectors * SECTOR), last->saved_files,
			 last->saved_files == 1 ? "file" : "files");
	text_add(text, "trees:       %s\n", session_formats_words(&trial->formats));
	text_add(text, "directories: %s\n", text_size(directories, trial->directories * SECTOR));
}

static void text_label(const struct trial *trial, struct text *text)
{
	char shown[3 * NAME_LABEL_MOST + 1];

	name_label_of_joliet(trial->label, shown);
	if (trial->formats.joliet && strcmp(shown, trial->label) != 0)
		text_add(text, "The name of the disc, %s, is %s where Joliet counts\n", trial->label, shown);
}

/* What changes with every name or time isn't listed. */
static void text_counted(const struct trial *trial, struct text *text)
{
	if (trial->beyond)
		text_add(text,
			 "%" PRIu64 " with characters beyond U+FFFF: readers of Joliet that know UCS-2 only "
			 "show two signs for each\n",
			 trial->beyond);
	if (trial->iso_changed)
		text_add(text,
			 "%" PRIu64 " of %" PRIu64
			 " names are others where neither Rock Ridge nor Joliet counts\n",
			 trial->iso_changed, trial->names);
	if (trial->attributed)
		text_add(text,
			 "%" PRIu64
			 " with extended attributes or ACLs: discfs and xorriso show them, Linux doesn't\n",
			 trial->attributed);
	if (trial->beyond_2038)
		text_add(text,
			 "%" PRIu64
			 " with times before 1901-12-13 or after 2038-01-19: Linux before 6.16 shows "
			 "others where Rock Ridge counts\n",
			 trial->beyond_2038);
	if (trial->fractions)
		text_add(text, "%" PRIu64 " with times of which a disc holds whole seconds only\n",
			 trial->fractions);
}

int control_trial_text(struct control *control, struct text *ret)
{
	struct commit *commit = control->commit;

	WITH_LOCK(&commit->lock);
	const struct trial *trial = &commit->trial;
	const struct commit_result *last = result_of(commit);

	if (!trial->serial)
		return 0;
	if (last->message[0])
		text_add(ret, "%s\n", last->message);
	text_sizes(trial, last, ret);
	control_boot_lines(&commit->trial_boot, "boots:       ", ret);
	for (int kind = 0; kind < TRIAL_KINDS; kind++)
		text_kind(trial, kind, ret);
	text_label(trial, ret);
	text_counted(trial, ret);
	return ret->failed ? -ENOMEM : 0;
}

/* ---- JSON ---- */

static void json_number(struct text *text, const char *key, uint64_t value)
{
	text_add(text, ",\"%s\":%" PRIu64, key, value);
}

static void json_nodes(struct text *text, const char *key, const uint64_t counts[TRIAL_NODES])
{
	text_add(text, ",\n\"%s\":", key);
	for (int i = 0; i < TRIAL_NODES; i++)
		text_add(text, "%s\"%s\":%" PRIu64, i ? "," : "{", node_keys[i], counts[i]);
	text_add(text, "}");
}

static void json_item(const struct trial *trial, const struct trial_item *item, struct text *text)
{
	const char *path = path_of(trial, item), *shown = trial->words.data + item->words, *between = "";

	text_add(text, "{\"path\":");
	text_add_json(text, path, strlen(path));
	text_add(text, ",\"type\":\"%s\"", node_words[item->node]);
	if (item->kind == TRIAL_CHANGED || item->kind == TRIAL_UDF_CHANGED) {
		text_add(text, ",\"shown\":");
		text_add_json(text, shown, strlen(shown));
		text_add(text, ",\"why\":[");
		for (size_t i = 0; i < REASONS; i++)
			if (item->why & reasons[i].bit) {
				text_add(text, "%s\"%s\"", between, reasons[i].key);
				between = ",";
			}
		text_add(text, "]");
	}
	text_add(text, "}");
}

static void json_kind(const struct trial *trial, int kind, struct text *text)
{
	const char *between = "\n";

	text_add(text, ",\n\"%s\":{\"count\":%" PRIu64 ",\"left_out\":%" PRIu64 ",\"list\":[",
		 kinds[kind].key, trial->counts[kind], trial->counts[kind] - trial->kept[kind]);
	for (size_t i = 0; i < trial->items.count; i++)
		if (trial->items.items[i].kind == kind) {
			text_add(text, "%s", between);
			json_item(trial, &trial->items.items[i], text);
			between = ",\n";
		}
	text_add(text, "]}");
}

static void json_label(const struct trial *trial, struct text *text)
{
	char shown[3 * NAME_LABEL_MOST + 1];

	name_label_of_joliet(trial->label, shown);
	text_add(text, ",\n\"label\":");
	text_add_json(text, trial->label, strlen(trial->label));
	text_add(text, ",\"joliet_label\":");
	text_add_json(text, shown, strlen(shown));
}

static void json_sizes(const struct trial *trial, const struct commit_result *last, struct text *text)
{
	json_number(text, "start", last->start);
	json_number(text, "sectors", last->sectors);
	json_number(text, "directory_sectors", trial->directories);
	json_number(text, "new_bytes", trial->new_bytes);
	json_number(text, "referenced_bytes", trial->referenced);
	json_number(text, "saved_files", last->saved_files);
	json_number(text, "saved_sectors", last->saved_sectors);
	json_number(text, "renamed", trial->changes.renamed);
	text_add(text, ",\"formats\":\"%s\"", session_formats_words(&trial->formats));
	json_nodes(text, "added", trial->added);
	json_nodes(text, "modified", trial->modified);
	json_nodes(text, "deleted", trial->deleted);
	json_nodes(text, "all", trial->all);
}

int control_trial_json(struct control *control, struct text *ret)
{
	struct commit *commit = control->commit;

	WITH_LOCK(&commit->lock);
	const struct trial *trial = &commit->trial;
	const struct commit_result *last = result_of(commit);

	if (!trial->serial) {
		text_add(ret, "null\n");
		return ret->failed ? -ENOMEM : 0;
	}
	text_add(ret, "{\"serial\":%" PRIu64 ",\"done\":%s,\"errno\":%d,\"message\":", trial->serial,
		 last->serial ? "true" : "false", last->err);
	text_add_json(ret, last->message, strlen(last->message));
	json_sizes(trial, last, ret);
	json_label(trial, ret);
	text_add(ret, ",\n\"boot\":");
	control_boot_array(&commit->trial_boot, ret);
	text_add(ret, ",\n\"refused\":%" PRIu64, refused(trial));
	json_number(ret, "names", trial->names);
	json_number(ret, "iso_changed", trial->iso_changed);
	json_number(ret, "joliet_beyond", trial->beyond);
	json_number(ret, "time_fractions", trial->fractions);
	json_number(ret, "time_beyond_2038", trial->beyond_2038);
	json_number(ret, "attributed", trial->attributed);
	for (int kind = 0; kind < TRIAL_KINDS; kind++)
		json_kind(trial, kind, ret);
	text_add(ret, "}\n");
	return ret->failed ? -ENOMEM : 0;
}
