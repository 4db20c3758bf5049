/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/control.h"
#include "control/result_json.h"

#include "base/log.h"
#include "commit/damage.h"
#include "commit/lost_state.h"
#include "proc/drive_json.h"
#include "store/changes.h"
#include "store/lost.h"
#include "store/rows.h"
#include "wire/session_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOST_SHOWN 100u

static const char *const state_names[] = { "unknown", "blank", "appendable", "closed" };

/* Everything that status tells, taken once so that both forms agree. */
struct status {
	struct changes_count staged;
	int broken;	    /* 0, or why nothing more can be staged: positive errno */
	int failing;	    /* the same, for now */
	struct reason lost; /* what is staged is, when it's unmounted */
	bool anchor_stale;
	struct progress_view work;
	struct commit_result last;
	uint64_t spool_used, spool_limit;
	uint64_t free_bytes, predicted;
	uint64_t staging_bytes; /* what the spool takes */
	uint64_t waiting;	/* reads, for the end of the burn */
	struct damage damage;
	struct lost_files incomplete;
};

static void status_clear(struct status *status)
{
	damage_clear(&status->damage);
	lost_files_clear(&status->incomplete);
}

static void take_status(struct control *control, struct status *ret)
{
	struct tree *tree = &control->disc->tree;

	lost_state_check(control->disc, &ret->lost);
	ret->broken = -changes_count(tree, &ret->staged);
	ret->failing = -atomic_load(&tree->failing);
	progress_get(&control->commit->progress, &ret->work);
	commit_last(control->commit, &ret->last);
	ret->waiting = atomic_load(&tree->disc.waiting);
	ret->predicted = tree_predicted_sectors(tree);
	ret->free_bytes = control->disc->read_only ? 0 : tree_free_sectors(tree) * SECTOR;
	ret->staging_bytes = spool_room(&tree->spool);
	if (lost_list(tree, GEN_NEWEST, LOST_SHOWN, &ret->incomplete) < 0)
		log_error("which files are incomplete can't be read");
	{
		WITH_LOCK(&tree->lock);
		if (ret->broken == 0)
			ret->broken = -tree->broken;
		if (damage_load(&tree->db, &ret->damage) < 0)
			damage_clear(&ret->damage);
	}
	{
		WITH_LOCK(&control->disc->lock);
		ret->anchor_stale = control->disc->probe.disc.anchor_stale;
	}
	WITH_LOCK(&tree->spool.lock);
	ret->spool_used = tree->spool.used;
	ret->spool_limit = tree->spool.limit;
}

static void json_key(struct text *text, const char *key, const char *value)
{
	text_add(text, "\"%s\":", key);
	text_add_json(text, value, strlen(value));
}

static void json_number(struct text *text, const char *key, uint64_t value)
{
	text_add(text, "\"%s\":%" PRIu64, key, value);
}

static void json_mount(struct control *control, struct text *text)
{
	struct disc *disc = control->disc;

	json_key(text, "version", DISCFS_VERSION);
	text_add(text, ",\n");
	json_key(text, "source", disc->path);
	text_add(text, ",\n");
	json_key(text, "mountpoint", control->mountpoint);
	text_add(text, ",\n\"pid\":%d,\n", getpid());
	json_key(text, "disc_id", disc->state.id);
	text_add(text, ",\n");
	json_key(text, "state_directory", disc->state.path);
	text_add(text, ",\n");
	{
		WITH_LOCK(&disc->lock);
		json_key(text, "staged_at", disc->staged_at);
	}
	text_add(text, ",\n\"offline\":%s", disc->offline ? "true" : "false");
	text_add(text, ",\n\"read_only\":%s,\n", disc->read_only ? "true" : "false");
	json_key(text, "read_only_reason", disc->read_only_why);
	text_add(text, ",\n");
	json_key(text, "commit_mode", control->commit_on_unmount ? "unmount" : "manual");
	text_add(text, ",\n");
	json_key(text, "umount_mode", control->umount_mode);
}

/* Needs disc->lock. */
static void json_disc(const struct disc *disc, struct text *text)
{
	const struct verb_disc *medium = &disc->probe.disc;

	text_add(text, "\"medium\":{");
	json_key(text, "profile", medium->profile);
	text_add(text, ",");
	json_key(text, "state", state_names[medium->state < 4 ? medium->state : 0]);
	text_add(text, ",\"capacity_sectors\":%" PRIu64 ",\"used_sectors\":%" PRIu64 "},\n", medium->capacity,
		 medium->recorded);
	json_key(text, "label", disc->label);
	text_add(text, ",\n\"base\":{\"session\":%zu,\"asked\":%s,",
		 disc->wish.wanted ? disc->wish.wanted : disc->probe.sessions.count,
		 disc->wish.wanted ? "true" : "false");
	json_key(text, "format", disc->format ? tree_format_word(disc->format) : "none");
	text_add(text,
		 ",\"nodes\":%" PRIu64 ",\"files\":%" PRIu64 ",\"folders\":%" PRIu64 "},\n\"sessions\":",
		 disc->base_nodes, disc->base_files, disc->base_folders);
	sessions_to_json(disc->probe.sessions.items, disc->probe.sessions.count, text);
	if (disc->probe.is_drive && !disc->offline)
		drive_to_json(&disc->probe.facts, text);
}

static void json_staged(const struct status *status, const struct session_formats *formats,
			uint64_t next_start, struct text *text)
{
	text_add(text, "\"staged\":{");
	json_number(text, "added", status->staged.added);
	text_add(text, ",");
	json_number(text, "modified", status->staged.modified);
	text_add(text, ",");
	json_number(text, "deleted", status->staged.deleted);
	text_add(text, ",");
	json_number(text, "renamed", status->staged.renamed);
	text_add(text, ",");
	json_number(text, "boot", status->staged.boot);
	text_add(text, ",");
	json_number(text, "litter", status->staged.litter);
	text_add(text, ",");
	json_number(text, "bytes", status->spool_used);
	text_add(text, "},\n\"room\":{");
	json_number(text, "free_bytes", status->free_bytes);
	text_add(text, ",");
	json_number(text, "staging_bytes", status->staging_bytes);
	text_add(text, ",");
	json_number(text, "predicted_sectors", status->predicted);
	text_add(text, ",");
	json_number(text, "next_start", next_start);
	text_add(text, ",");
	json_key(text, "formats", session_formats_words(formats));
	text_add(text, "},\n\"spool\":{");
	json_number(text, "bytes", status->spool_used);
	text_add(text, ",");
	json_number(text, "limit_bytes", status->spool_limit);
	text_add(text, "}");
}

static void json_work(const struct status *status, struct text *text)
{
	const struct progress_view *work = &status->work;

	if (work->phase == PHASE_IDLE) {
		text_add(text, "\"work\":null");
		return;
	}
	text_add(text, "\"work\":{\"op\":\"commit\",");
	json_number(text, "serial", work->serial);
	text_add(text, ",");
	json_key(text, "phase", phase_name(work->phase));
	text_add(text, ",");
	json_number(text, "done_sectors", work->done);
	text_add(text, ",");
	json_number(text, "total_sectors", work->total);
	text_add(text, ",");
	json_key(text, "file", work->file);
	text_add(text, ",");
	json_number(text, "rate_bps", work->rate);
	text_add(text, ",");
	json_number(text, "waiting_reads", status->waiting);
	if (work->eta == UINT64_MAX)
		text_add(text, ",\"eta_s\":null}");
	else
		text_add(text, ",\"eta_s\":%" PRIu64 "}", work->eta);
}

/* Labels and paths may have anything in them, and people look at it on terminals. */
static void PRINTF(2, 3) add_line(struct text *text, const char *fmt, ...)
{
	AUTO_FREE char *line = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) < 0)
		line = NULL;
	va_end(args);
	if (line)
		text_add_visible(text, line, strlen(line));
	text_add(text, "\n");
}

/* Of the staged work, the worst alone. */
static const char *staging_warning(const struct status *status)
{
	if (status->lost.err)
		return status->lost.text;
	if (status->broken)
		return "nothing more can be staged, and what is staged may not be told in full: unmount, see "
		       "to the "
		       "disk that holds the staged work, and mount again";
	if (status->failing)
		return "the disk that holds the staged work doesn't take it: nothing more can be staged "
		       "until it does, "
		       "and what was changed last isn't safe yet";
	return NULL;
}

static const char *disc_warning(const struct status *status)
{
	return status->anchor_stale ? COMMIT_ANCHOR_STALE : NULL;
}

static void json_warnings(const struct status *status, struct text *text)
{
	const char *staging = staging_warning(status), *disc = disc_warning(status);

	if (staging)
		text_add_json(text, staging, strlen(staging));
	if (staging && disc)
		text_add(text, ",");
	if (disc)
		text_add_json(text, disc, strlen(disc));
}

static void text_warnings(const struct status *status, struct text *ret)
{
	const char *staging = staging_warning(status), *disc = disc_warning(status);
	int err = status->broken ? status->broken : status->failing;

	if (staging)
		text_add(ret, "warning:    %s%s%s%s\n", staging, err ? " (" : "", err ? strerror(err) : "",
			 err ? ")" : "");
	if (disc)
		text_add(ret, "warning:    %s\n", disc);
}

/* What of the disc's tree couldn't be read, the first ones by name. */
static void json_damage(const struct damage *damage, struct text *text)
{
	const char *at = damage->names.length ? damage->names.data : "";

	text_add(text, "\"damage\":{");
	json_number(text, "lost", damage->count);
	text_add(text, ",");
	json_number(text, "doubts", damage->doubts);
	text_add(text, ",\"names\":[");
	for (const char *line = at; *line;) {
		size_t length = strcspn(line, "\n");

		text_add(text, line == at ? "" : ",");
		text_add_json(text, line, length);
		line += length + (line[length] == '\n');
	}
	text_add(text, "]}");
}

/* Each by name, up to a limit. */
static void json_lost(const struct lost_files *lost, struct text *text)
{
	text_add(text, "\"incomplete\":{");
	json_number(text, "count", lost->count);
	text_add(text, ",\"list\":[");
	for (size_t i = 0; i < lost->list.count; i++) {
		text_add(text, i ? ",{" : "{");
		json_key(text, "path", lost->list.items[i].path);
		text_add(text, ",");
		json_key(text, "why", lost_word(lost->list.items[i].why));
		text_add(text, "}");
	}
	text_add(text, "]}");
}

static void text_lost(const struct lost_files *lost, struct text *text)
{
	for (size_t i = 0; i < lost->list.count; i++) {
		const struct lost_file *file = &lost->list.items[i];

		text_add(text, "incomplete: ");
		text_add_escaped(text, file->path, strlen(file->path));
		text_add(text, " (a write was refused: %s): copy it again, or delete it\n",
			 lost_word(file->why));
	}
	if (lost->count > lost->list.count)
		text_add(text, "incomplete: … and %zu more\n", lost->count - lost->list.count);
}

/* What fits on the disc, and what can be staged here: the less of the two counts. */
static void text_room(const struct status *status, struct text *text)
{
	char least[16], disc[16];

	text_add(text, "free:       %s",
		 text_size(least, min_u64(status->free_bytes, status->staging_bytes)));
	if (status->staging_bytes < status->free_bytes)
		text_add(text, " (of what may be staged; the disc has room for %s)",
			 text_size(disc, status->free_bytes));
	text_add(text, "\n");
}

static void text_damage(const struct damage *damage, struct text *text)
{
	if (damage->count)
		text_add(text, "damaged:    %" PRIu64 " directories and files of it couldn't be read:\n",
			 damage->count);
	else if (damage->doubts)
		text_add(text, "damaged:    the tree isn't as it was recorded:\n");
	if (damage->names.length)
		text_add(text, "%s", damage->names.data);
}

struct recent {
	struct text *text;
	unsigned count;
};

static void add_recent(void *self, const struct commit_result *result)
{
	struct recent *recent = self;

	text_add(recent->text, recent->count++ ? ",\n" : "");
	result_to_json(result, recent->text);
}

int control_status_json(struct control *control, struct text *ret)
{
	CLEANUP(status_clear) struct status status = { 0 };
	struct recent recent = { .text = ret };

	take_status(control, &status);
	text_add(ret, "{");
	json_mount(control, ret);
	text_add(ret, ",\n");
	WITH_LOCK(&control->disc->lock);
	json_disc(control->disc, ret);
	text_add(ret, ",\n");
	json_staged(&status, &control->disc->formats, control->disc->probe.disc.nwa, ret);
	text_add(ret, ",\n");
	json_work(&status, ret);
	text_add(ret, ",\n");
	text_add(ret, "\"last\":");
	result_to_json(&status.last, ret);
	text_add(ret, ",\n\"recent\":[");
	commit_each_recent(control->commit, add_recent, &recent);
	text_add(ret, "]");
	text_add(ret, ",\n\"warnings\":[");
	json_warnings(&status, ret);
	text_add(ret, "],\n\"state_lost\":%s,\n", status.lost.err ? "true" : "false");
	json_damage(&status.damage, ret);
	text_add(ret, ",\n");
	json_lost(&status.incomplete, ret);
	text_add(ret, "}\n");
	return ret->failed ? -ENOMEM : 0;
}

int control_progress_text(struct control *control, struct text *ret)
{
	struct progress_view work;

	progress_get(&control->commit->progress, &work);
	if (work.phase == PHASE_IDLE) {
		text_add(ret, "idle");
	} else {
		text_add(ret, "%s %" PRIu64 "/%" PRIu64 " ", phase_name(work.phase), work.done, work.total);
		text_add_escaped(ret, work.file, strlen(work.file));
	}
	return ret->failed ? -ENOMEM : 0;
}

static void text_sessions(const struct disc *disc, struct text *text)
{
	char size[16];

	for (size_t i = 0; i < disc->probe.sessions.count; i++) {
		const struct verb_session *session = &disc->probe.sessions.items[i];
		char day[32] = "unknown";
		struct tm local;
		time_t when = session->time;

		if (when && localtime_r(&when, &local))
			strftime(day, sizeof day, "%Y-%m-%d %H:%M", &local);
		add_line(text, "session:    %u, %s, at sector %" PRIu64 ", %s, \"%s\"", session->number, day,
			 session->start, text_size(size, session->sectors * SECTOR), session->label);
	}
}

static void text_result(const struct commit_result *last, struct text *text)
{
	if (last->serial)
		add_line(text, "last:       %s", last->message);
}

int control_status_text(struct control *control, struct text *ret)
{
	struct disc *disc = control->disc;
	CLEANUP(status_clear) struct status status = { 0 };
	char size[16];

	take_status(control, &status);
	WITH_LOCK(&disc->lock);
	add_line(ret, "disc:       %s (%s, %s)", disc->path, disc->probe.disc.profile,
		 state_names[disc->probe.disc.state < 4 ? disc->probe.disc.state : 0]);
	if (disc->offline)
		add_line(ret, "offline:    the disc %s isn't here", disc->missing);
	if (disc->read_only)
		add_line(ret, "read-only:  %s", disc->read_only_why);
	text_damage(&status.damage, ret);
	text_sessions(disc, ret);
	text_room(&status, ret);
	text_add(ret,
		 "staged:     %" PRIu64 " added, %" PRIu64 " modified, %" PRIu64 " deleted, %" PRIu64
		 " renamed; %s\n",
		 status.staged.added, status.staged.modified, status.staged.deleted, status.staged.renamed,
		 text_size(size, status.spool_used));
	if (status.staged.boot)
		text_add(ret, "boot:       other boot images than the disc has are staged (.discfs/boot)\n");
	if (status.staged.litter)
		text_add(ret, "litter:     %" PRIu64 " more, which isn't burned and stays here\n",
			 status.staged.litter);
	if (disc->staged_at[0])
		add_line(ret, "staged at:  %s, of which this is a copy", disc->staged_at);
	text_lost(&status.incomplete, ret);
	text_add(ret, "next:       %s at sector %" PRIu64 "\n", text_size(size, status.predicted * SECTOR),
		 disc->probe.disc.nwa);
	if (!disc->tree.spool.can_punch)
		text_add(ret,
			 "spool:      its file system can't punch holes: space comes back when it's empty\n");
	text_warnings(&status, ret);
	text_add(ret, "work:       ");
	control_progress_text(control, ret);
	text_add(ret, "\n");
	if (status.waiting)
		text_add(ret, "waiting:    %" PRIu64 " reads, until the drive has burned\n", status.waiting);
	text_result(&status.last, ret);
	return ret->failed ? -ENOMEM : 0;
}
