/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/away.h"

#include "base/log.h"
#include "commit/check.h"
#include "commit/phases.h"
#include "store/lost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PRINTS_LIMIT 64u /* files for one state of a disc; the oldest are forgotten */

/* What the files were made for, as meta keeps it: the base's fingerprint, then the source. An image file is
 * the same by its name or by its inode; the file that was written has the fingerprint to come, too, and isn't
 * the disc. A disc may come back in another drive. */
static int describe(const struct disc *disc, const uint8_t *fingerprint, struct blob *ret)
{
	char text[PATH_LIMIT + 2 * FINGERPRINT_SIZE];
	struct stat st = { 0 };
	int length;

	if (!disc->is_drive && fstat(disc->fd, &st) < 0)
		return -errno;
	memcpy(text, fingerprint, FINGERPRINT_SIZE);
	length = snprintf(text + FINGERPRINT_SIZE, sizeof text - FINGERPRINT_SIZE, "%c%llx:%llx:%s",
			  disc->is_drive ? 'd' : 'f', (unsigned long long)st.st_dev,
			  (unsigned long long)st.st_ino, disc->is_drive ? "" : disc->path);
	return blob_set(ret, text, FINGERPRINT_SIZE + (size_t)length);
}

static bool is_base(const struct blob *noted, const uint8_t *fingerprint)
{
	return noted->length > FINGERPRINT_SIZE && memcmp(noted->data, fingerprint, FINGERPRINT_SIZE) == 0;
}

/* noted, now: from describe. */
static bool is_source(const struct blob *noted, const struct blob *now)
{
	char a[PATH_LIMIT + 64], b[sizeof a];
	const char *path_a, *path_b;

	snprintf(a, sizeof a, "%.*s", (int)(noted->length - FINGERPRINT_SIZE),
		 noted->data + FINGERPRINT_SIZE);
	snprintf(b, sizeof b, "%.*s", (int)(now->length - FINGERPRINT_SIZE), now->data + FINGERPRINT_SIZE);
	path_a = strchr(a, '/');
	path_b = strchr(b, '/');
	if (a[0] != b[0] || !path_a != !path_b)
		return false;
	return !path_a || strcmp(path_a, path_b) == 0 ||
	       (path_a - a == path_b - b && memcmp(a, b, (size_t)(path_a - a)) == 0);
}

static int get(struct disc *disc, const char *key, struct blob *ret)
{
	WITH_LOCK(&disc->tree.lock);
	int found = db_meta_blob(&disc->tree.db, key, ret);

	return found < 0 ? found : 0;
}

/* No file can come back any more that was made for what the disc was. */
static void forget_links(const struct disc *disc, const struct blob *prints)
{
	for (size_t at = 0; at + FINGERPRINT_SIZE <= prints->length; at += FINGERPRINT_SIZE)
		state_unlink_away(&disc->state, prints->data + at);
}

static int store(struct disc *disc, const struct blob *noted, const uint8_t *prints, size_t length)
{
	struct db *db = &disc->tree.db;
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = tree_flush_locked(&disc->tree);
	if (ret == 0)
		ret = db_begin(db);
	if (ret == 0)
		ret = db_meta_put_blob(db, "away", noted->data, noted->length);
	if (ret == 0)
		ret = db_meta_put_blob(db, "away_prints", prints, length);
	return ret < 0 ? ret : db_commit(db);
}

static int note(struct disc *disc, const uint8_t *print)
{
	struct blob noted CLEANUP(blob_clear) = { 0 };
	struct blob now CLEANUP(blob_clear) = { 0 };
	struct blob prints CLEANUP(blob_clear) = { 0 };
	uint8_t all[PRINTS_LIMIT * FINGERPRINT_SIZE];
	size_t kept = 0;
	int ret = get(disc, "away", &noted);

	if (ret == 0)
		ret = get(disc, "away_prints", &prints);
	if (ret == 0)
		ret = describe(disc, disc->probe.disc.fingerprint, &now);
	if (ret < 0)
		return ret;
	if (!is_base(&noted, disc->probe.disc.fingerprint))
		forget_links(disc, &prints);
	else
		kept = min_u64(prints.length, sizeof all - FINGERPRINT_SIZE);
	if (kept)
		memcpy(all, prints.data + prints.length - kept, kept);
	memcpy(all + kept, print, FINGERPRINT_SIZE);
	return store(disc, &now, all, kept + FINGERPRINT_SIZE);
}

int away_note(struct disc *disc, const uint8_t *print, struct reason *why)
{
	int ret = note(disc, print);

	if (ret == 0)
		ret = tree_sync_rows(&disc->tree);
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be written: %s", disc->tree.db.path, strerror(-ret));
	return state_link_away(&disc->state, print, why);
}

int away_fits(struct disc *disc)
{
	struct blob noted CLEANUP(blob_clear) = { 0 };
	struct blob base CLEANUP(blob_clear) = { 0 };
	struct blob now CLEANUP(blob_clear) = { 0 };
	int ret = get(disc, "away", &noted);
	int64_t newest;

	if (ret == 0)
		ret = get(disc, "fingerprint", &base);
	if (ret == 0)
		ret = describe(disc, disc->probe.disc.fingerprint, &now);
	if (ret < 0 || base.length != FINGERPRINT_SIZE || !is_base(&noted, base.data) ||
	    !is_source(&noted, &now))
		return ret;
	WITH_LOCK(&disc->tree.lock);
	newest = db_int(&disc->tree.db, QUERY_MAX_GEN);
	return newest < 0 ? (int)newest : newest > 0; /* with nothing staged the disc is imported as any */
}

static int no_step(void *self, uint64_t done_bytes, const char *name, size_t length)
{
	return 0;
}

/* Everything staged stays, above the old base: its sectors are where they were. */
static int move_to_disc(struct disc *disc, struct journal *journal, const struct reason *differs,
			struct reason *why)
{
	struct db *db = &disc->tree.db;
	int ret = phase_undo(disc, journal, NULL, why);

	if (ret < 0)
		return ret;
	log_notice(
	    "the newest session was burned from a file that was made here, but isn't what is staged now "
	    "(%s): everything stays staged, and the next session will hold it",
	    differs->text);
	WITH_LOCK(&disc->tree.lock);
	ret = db_begin(db);
	if (ret == 0)
		ret = db_meta_put_blob(db, "fingerprint", journal->fingerprint.data,
				       journal->fingerprint.length);
	return ret < 0 ? ret : db_commit(db);
}

/* The steps of a commit whose burn is done already, and verified. */
static int take_over(struct disc *disc, struct journal *journal, struct reason *why)
{
	int ret = phase_to_burning(disc, journal, why);

	if (ret == 0)
		ret = phase_to_written(disc, journal, why);
	if (ret == 0)
		ret = phase_to_checked(disc, journal, why);
	if (ret == 0)
		ret = phase_to_published(disc, journal, why);
	if (ret == 0)
		log_notice("the session that was burned from a file is what was staged: it's taken over");
	return ret < 0 ? ret : phase_sweep(disc, journal, why);
}

static int settle(struct disc *disc, struct journal *journal, struct reason *why)
{
	static const struct check_progress quiet = { .step = no_step };
	struct reason differs = { 0 };
	int ret = phase_to_frozen(disc, journal, why);

	if (ret == 0)
		ret = phase_to_filled(disc, journal, why);
	if (ret == 0)
		ret = phase_to_planned(disc, journal, why);
	if (ret < 0)
		return ret;
	ret = lost_refuse(&disc->tree, journal->gen, &differs);
	if (ret == 0)
		ret = check_session(disc, journal->gen, journal->start, disc->probe.disc.recorded, NULL,
				    &quiet, &differs);
	return ret < 0 ? move_to_disc(disc, journal, &differs, why) : take_over(disc, journal, why);
}

/* What leads to what the disc was. */
static void forget(struct disc *disc)
{
	struct blob prints CLEANUP(blob_clear) = { 0 };
	static const struct blob none;

	(void)state_unlink_others(&disc->state, disc->probe.disc.fingerprint);
	if (get(disc, "away_prints", &prints) == 0 && store(disc, &none, (const uint8_t *)"", 0) == 0)
		forget_links(disc, &prints);
}

int away_take(struct disc *disc, struct reason *why)
{
	const struct verb_session *session = &disc->probe.sessions.items[disc->probe.sessions.count - 1];
	struct journal journal CLEANUP(journal_clear) = {
		.start = session->start,
		.sectors = disc->probe.disc.recorded - session->start,
	};
	bool read_only = disc->tree.read_only;
	int ret = away_fits(disc); /* a commit that was cut off may have got there */

	log_notice("%s: the newest session was burned from a file that was made here", disc->path);
	snprintf(journal.label, sizeof journal.label, "%s", session->label);
	disc->tree.read_only = false; /* a disc that was closed with it is compared all the same */
	if (ret > 0)
		ret = blob_set(&journal.fingerprint, disc->probe.disc.fingerprint, FINGERPRINT_SIZE);
	if (ret == 0 && journal.fingerprint.length)
		ret = state_link(&disc->state, disc->probe.disc.fingerprint, why);
	if (ret == 0 && journal.fingerprint.length)
		ret = settle(disc, &journal, why);
	disc->tree.read_only = read_only;
	if (ret < 0)
		return why->err ? ret
				: reason_set(why, -ret, "the staged work in %s can't be written: %s",
					     disc->state.path, strerror(-ret));
	forget(disc);
	return 0;
}
