/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/disc.h"

#include "base/fault.h"
#include "base/log.h"
#include "commit/adopt.h"
#include "commit/afresh.h"
#include "commit/away.h"
#include "commit/boot.h"
#include "commit/offline.h"
#include "commit/damage.h"
#include "commit/handover.h"
#include "commit/lost_state.h"
#include "commit/recover.h"
#include "commit/shelve.h"
#include "commit/torn_head.h"
#include "commit/unreadable.h"
#include "model/medium.h"
#include "store/changes.h"
#include "store/journal.h"
#include "store/spool_place.h"
#include "store/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>

void disc_set_read_only(struct disc *disc, const char *why)
{
	disc->read_only = true;
	if (disc->read_only_why[0] == '\0')
		snprintf(disc->read_only_why, sizeof disc->read_only_why, "%s", why);
}

/* Without waiting for a disc, and without locking the tray: between burns the drive is anybody's. Two daemons
 * on one disc are kept apart by the lock of its state. */
static int open_drive(struct disc *disc, struct reason *why)
{
	disc->fd = open(disc->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return disc->fd < 0
		   ? reason_set(why, errno, "%s: %s%s", disc->path, strerror(errno),
				errno == EACCES ? ": your user must be in the group that owns it (cdrom)"
						: "")
		   : 0;
}

static int open_image(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	disc->fd = open(disc->path, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (disc->fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
		disc_set_read_only(disc, "no permission to write to the image file");
		disc->fd = open(disc->path, O_RDONLY | O_CLOEXEC);
	}
	if (disc->fd < 0)
		return reason_set(why, errno, "%s: %s", disc->path, strerror(errno));
	if (flock(disc->fd, LOCK_EX | LOCK_NB) < 0)
		return reason_set(why, EBUSY,
				  "%s is in use: another discfs has it mounted (mount -t fuse.discfs shows "
				  "where), or is still committing it",
				  disc->path);
	return 0;
}

static const char *advice_for(const char *source, int error)
{
	if (error != ENOENT)
		return "";
	return strncmp(source, "/dev/", 5) == 0 ? "; discfsctl drives lists the drives"
						: "; discfsctl create makes a blank image";
}

static int open_medium(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	struct stat st;
	char *resolved AUTO_FREE = realpath(options->source, NULL);

	if (!resolved)
		return reason_set(why, errno, "%s: %s%s", options->source, strerror(errno),
				  advice_for(options->source, errno));
	if (strlen(resolved) >= sizeof disc->path)
		return reason_set(why, ENAMETOOLONG, "%s: the path is too long", options->source);
	memcpy(disc->path, resolved, strlen(resolved) + 1);
	if (stat(disc->path, &st) < 0)
		return reason_set(why, errno, "%s: %s", disc->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return reason_set(why, EISDIR, "%s is a directory: discfs mounts a disc image file",
				  disc->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return reason_set(why, EMEDIUMTYPE, "%s is neither a drive nor a disc image file",
				  disc->path);
	disc->is_drive = S_ISBLK(st.st_mode);
	if (options->read_only)
		disc_set_read_only(disc, "mounted with -o ro");
	return disc->is_drive ? open_drive(disc, why) : open_image(disc, options, why);
}
/* The worker says what it found, not where: it knows a descriptor only. */
int disc_probe(const struct disc *disc, struct probe *ret, struct reason *why)
{
	struct reason found = { 0 };
	int got;

	if (disc->offline)
		return offline_missing(disc, why);
	got = probe_run(disc->fd, disc->path, &disc->wish, ret, &found);

	if (got < 0 && strstr(found.text, disc->path))
		return reason_set(why, -got, "%s", found.text);
	return got < 0 ? reason_set(why, -got, "%s: %s", disc->path, found.text) : 0;
}

uint32_t disc_import_format(const struct disc *disc)
{
	return disc->wanted_format ? disc->wanted_format : tree_format_best(disc->probe.disc.formats);
}

/* Joliet and plain ISO 9660 show some names changed, and none of the modes. */
bool disc_is_inheritable(const struct disc *disc)
{
	return disc->format == FORMAT_ROCK_RIDGE || disc->format == FORMAT_UDF;
}

void disc_update_formats(struct disc *disc)
{
	tree_set_formats(&disc->tree, &disc->formats, disc->probe.disc.bridge && disc_is_inheritable(disc));
}

bool disc_is_sequential(const struct probe *probe)
{
	return probe->is_drive && !probe->facts.drive.overwriteable;
}

/* The last sectors of a disc that can be overwritten are kept free: UDF may have to be found from there. */
uint64_t disc_limit(const struct probe *probe)
{
	const struct verb_disc *disc = &probe->disc;

	if (disc_is_sequential(probe))
		return disc->nwa + probe->facts.drive.free;
	return disc->capacity - (probe->is_drive ? min_u64(disc->capacity, ANCHOR_WINDOW) : 0);
}

/* An image file can be read all the time: it does as if it couldn't where a test wants that. */
bool disc_burns_blind(const struct disc *disc)
{
	return disc->is_drive || fault_point(FAULT_BURN_BLIND) < 0;
}

void disc_update_room(struct disc *disc)
{
	struct statvfs vfs;

	if (disc->offline)
		return;
	if (disc->is_drive)
		atomic_store(&disc->tree.room.host_free, UINT64_MAX);
	else if (fstatvfs(disc->fd, &vfs) == 0)
		atomic_store(&disc->tree.room.host_free, (uint64_t)vfs.f_bavail * vfs.f_frsize / SECTOR);
}

/* What sequential media need between two sessions is kept free, and a further directory tree: so that there
 * can be a next session, if only to delete something. */
static void set_room(struct disc *disc)
{
	const struct verb_drive *drive = &disc->probe.facts.drive;
	struct tree_room *room = &disc->tree.room;
	uint64_t nwa = disc->probe.disc.nwa, end = disc_limit(&disc->probe), closing = 0;
	bool sequential = disc_is_sequential(&disc->probe);

	if (sequential) {
		const struct medium_kind *kind = medium_kind_of(drive->profile);
		uint64_t gap = medium_closing_cost(kind, disc->probe.disc.sessions);

		end = nwa + (drive->damaged ? drive->free - min_u64(drive->free, gap) : drive->free);
		closing = drive->single ? 0 : gap;
	}
	atomic_store(&room->capacity, end);
	atomic_store(&room->next_start, nwa);
	atomic_store(&room->closing, closing);
	atomic_store(&room->keep_tree, sequential && !drive->single); /* BD-R's sessions have no gaps */
	atomic_store(&room->sequential, sequential);
	disc_update_formats(disc);
}

#define PAD_SLACK 192u /* sectors of padding and rounding: they may be missing */

/* What is cut off reads as an error now, and would read as zeroes once something is recorded behind it. */
static void note_cut(struct disc *disc)
{
	uint64_t recorded = disc->probe.disc.recorded;
	struct stat st;
	char why[120];

	disc->image_sectors = 0;
	if (disc->is_drive || fstat(disc->fd, &st) < 0)
		return;
	disc->image_sectors = (uint64_t)st.st_size / SECTOR;
	if (recorded <= disc->image_sectors + PAD_SLACK)
		return;
	snprintf(why, sizeof why, "the image is cut off: it has %llu of %llu sectors",
		 (unsigned long long)st.st_size / SECTOR, (unsigned long long)recorded);
	disc->probe.disc.state = DISC_CLOSED;
	snprintf(disc->probe.disc.closed_why, sizeof disc->probe.disc.closed_why, "%s", why);
	disc_set_read_only(disc, why);
	disc->tree.read_only = true;
}

/* From a commit's end on, too: one that closed the disc. */
static void note_closed(struct disc *disc)
{
	if (disc->probe.disc.state != DISC_CLOSED)
		return;
	disc_set_read_only(disc, disc->probe.disc.closed_why);
	disc->tree.read_only = true;
}

/* By what reading notices another disc: the random word in the last block of the base session's system area,
 * and the descriptor behind it. */
static void know_disc(struct disc *disc)
{
	struct disc_reader *reader = &disc->tree.disc;

	if (!disc->is_drive)
		return;
	if (disc->probe.disc.state == DISC_BLANK ||
	    disc_reader_know(reader, disc->probe.disc.base + MEDIUM_MARK_BLOCK) < 0)
		disc_reader_forget(reader);
}

void disc_set_probe(struct disc *disc, struct probe *probe)
{
	size_t count = probe->sessions.count, shown;

	{
		WITH_LOCK(&disc->lock);
		probe_clear(&disc->probe);
		disc->probe = *probe;
		*probe = (struct probe){ 0 };
		set_room(disc);
		note_closed(disc);
		note_cut(disc);
		disc->tree.disc.limit = disc->probe.disc.recorded * SECTOR;
		disc->label[0] = '\0';
		shown = disc->wish.wanted && disc->wish.wanted <= count ? disc->wish.wanted : count;
		if (shown)
			memcpy(disc->label, disc->probe.sessions.items[shown - 1].label, sizeof disc->label);
		disc_update_room(disc);
	}
	know_disc(disc); /* a drive may take a minute to answer, and status mustn't wait for it */
}

/* Does the state belong to this disc as it is now? 1 = yes, or new and empty; 2 = yes, once its journalled
 * commit is brought to its end; 0 = no; or -errno. */
static int state_fits(struct disc *disc, const uint8_t *fingerprint)
{
	struct blob known CLEANUP(blob_clear) = { 0 };
	struct journal journal CLEANUP(journal_clear) = { 0 };
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = db_meta_blob(&disc->tree.db, "fingerprint", &known);
	if (ret <= 0)
		return ret < 0 ? ret : 1;
	if (known.length == FINGERPRINT_SIZE && memcmp(known.data, fingerprint, FINGERPRINT_SIZE) == 0)
		return 1;
	ret = journal_read(&disc->tree.db, &journal);
	if (ret > 0 && journal.phase >= PHASE_BURNING && journal.fingerprint.length == FINGERPRINT_SIZE &&
	    memcmp(journal.fingerprint.data, fingerprint, FINGERPRINT_SIZE) == 0)
		return 2;
	return ret < 0 ? ret : 0;
}

static int load_bad_sessions(struct disc *disc)
{
	struct blob known CLEANUP(blob_clear) = { 0 };
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = db_meta_blob(&disc->tree.db, "bad_sessions", &known);
	if (ret <= 0)
		return ret;
	disc->wish.bad_count = (uint32_t)min_u64(known.length / 8, BAD_SESSIONS_LIMIT);
	for (uint32_t i = 0; i < disc->wish.bad_count; i++)
		disc->wish.bad[i] = get_le32(known.data + 8 * i) | (uint64_t)get_le32(known.data + 8 * i + 4)
								       << 32;
	return 0;
}

static int store_bad_sessions(struct disc *disc)
{
	const struct probe_wish *wish = &disc->wish;
	uint8_t stored[BAD_SESSIONS_LIMIT * 8];
	int ret;

	for (uint32_t i = 0; i < wish->bad_count; i++) {
		put_le32(stored + 8 * i, (uint32_t)wish->bad[i]);
		put_le32(stored + 8 * i + 4, (uint32_t)(wish->bad[i] >> 32));
	}
	WITH_LOCK(&disc->tree.lock);
	ret = tree_flush_locked(&disc->tree);
	if (ret == 0)
		ret = db_begin(&disc->tree.db);
	if (ret == 0)
		ret = db_meta_put_blob(&disc->tree.db, "bad_sessions", stored, wish->bad_count * 8ul);
	return ret < 0 ? ret : db_commit(&disc->tree.db);
}

static uint32_t find_bad_session(const struct probe_wish *wish, uint64_t start)
{
	uint32_t at = 0;

	while (at < wish->bad_count && wish->bad[at] != start)
		at++;
	return at;
}

static void drop_bad_session(struct probe_wish *wish, uint32_t at)
{
	memmove(wish->bad + at, wish->bad + at + 1, (--wish->bad_count - at) * sizeof *wish->bad);
}

/* When there are more than fit, the oldest are forgotten: good sessions lie behind them. */
int disc_add_bad_session(struct disc *disc, uint64_t start)
{
	struct probe_wish *wish = &disc->wish;

	if (find_bad_session(wish, start) < wish->bad_count)
		return 0;
	if (wish->bad_count == BAD_SESSIONS_LIMIT)
		drop_bad_session(wish, 0);
	wish->bad[wish->bad_count++] = start;
	return store_bad_sessions(disc);
}

int disc_forget_bad_session(struct disc *disc, uint64_t start)
{
	uint32_t at = find_bad_session(&disc->wish, start);

	if (at == disc->wish.bad_count)
		return 0;
	drop_bad_session(&disc->wish, at);
	return store_bad_sessions(disc);
}

int disc_open_tree(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	int ret = spool_place(&disc->state, options->spool_dir, why);

	if (ret == 0)
		ret = tree_open(&disc->tree, disc->state.path, disc->state.dir_fd, options->spool_limit, why);
	disc->tree.litter = options->litter;
	return ret;
}

/* The base's format; FORMAT_AUTO where there's no base, or a commit to be brought to its end first. */
static int known_format(struct disc *disc, int64_t *ret)
{
	struct journal journal CLEANUP(journal_clear) = { 0 };
	int got;

	*ret = FORMAT_AUTO;
	WITH_LOCK(&disc->tree.lock);
	got = journal_read(&disc->tree.db, &journal);
	if (got == 0)
		got = db_meta_int(&disc->tree.db, "format", ret);
	return got < 0 ? got : 0;
}

/* Another of the disc's trees has other files: what is staged on one wouldn't fit the other. A tree that a
 * commit made is Rock Ridge's, whatever it was before. */
static int check_format(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	uint32_t wanted = disc_import_format(disc);
	struct changes_count staged = { 0 };
	int64_t format;
	int ret = known_format(disc, &format);

	if (ret == 0 && (format == FORMAT_AUTO || wanted == FORMAT_AUTO || format == wanted))
		return 0;
	if (ret == 0)
		ret = changes_count(&disc->tree, &staged);
	if (ret == 0 && changes_any(&staged) + staged.litter)
		return disc->wanted_format == FORMAT_AUTO
			   ? 0
			   : reason_set(why, EBUSY,
					"%s: work is staged on its %s tree: mount it with import=%s, and "
					"commit or discard that before its %s tree is shown",
					disc->path, tree_format_title((uint32_t)format),
					tree_format_word((uint32_t)format), tree_format_title(wanted));
	if (ret == 0)
		ret = tree_drop(&disc->tree);
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be changed: %s", disc->tree.db.path, strerror(-ret));
	tree_close(&disc->tree);
	return disc_open_tree(disc, options, why);
}

/* Now that it's known which sessions don't count. */
static int probe_again(struct disc *disc, struct reason *why)
{
	struct probe probe = { 0 };
	int ret = disc_probe(disc, &probe, why);

	if (ret < 0)
		return ret;
	probe_clear(&disc->probe);
	disc->probe = probe;
	return 0;
}

/* Opens what a state holds, and looks at the disc as that knows it. */
static int open_known(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	int ret = disc_open_tree(disc, options, why);

	if (ret < 0)
		return ret;
	ret = load_bad_sessions(disc);
	if (ret == 0 && disc->wish.bad_count)
		ret = probe_again(disc, why);
	return ret < 0 && !why->err ? reason_set(why, -ret, "%s can't be read", disc->tree.db.path) : ret;
}

/* It's another disc's: nothing of it counts here. */
static int leave_away(struct disc *disc, struct reason *why)
{
	bool looked = disc->wish.bad_count > 0;

	tree_close(&disc->tree);
	state_close(&disc->state);
	disc->wish.bad_count = 0;
	return looked ? probe_again(disc, why) : 0;
}

/* 1: the newest session was burned from a file, and the state is open that it was made of. */
static int open_away(struct disc *disc, const char *root, const struct disc_options *options,
		     struct reason *why)
{
	int ret = state_open_away(&disc->state, root, disc->probe.disc.print, why);

	if (ret <= 0)
		return ret;
	ret = open_known(disc, options, why);
	if (ret == 0)
		ret = away_fits(disc);
	disc->is_away = ret > 0;
	if (ret < 0)
		return why->err ? ret : reason_set(why, -ret, "%s can't be read", disc->tree.db.path);
	return ret > 0 ? ret : leave_away(disc, why);
}

/* A base that was never read is for those who start afresh; others have it read again. 1: it may be used. */
static int check_base(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	int unread = options->afresh ? 0 : afresh_has_no_base(disc);
	int64_t newest;

	if (unread <= 0)
		return unread < 0 ? reason_set(why, -unread, "%s can't be read", disc->tree.db.path) : 1;
	WITH_LOCK(&disc->tree.lock);
	newest = db_int(&disc->tree.db, QUERY_MAX_GEN);
	return newest
		   ? reason_set(
			 why, EIO,
			 "%s: what is on it couldn't be read when work was staged that starts afresh. Mount "
			 "it "
			 "with -o base=blank to go on with that; or, when it can be read again, discard that "
			 "work there, unmount, and mount it without",
			 disc->path)
		   : 0;
}

static int open_state(struct disc *disc, const struct disc_options *options, const char *root,
		      struct reason *why)
{
	const uint8_t *fingerprint = disc->probe.disc.fingerprint;
	int ret = 0;

	if (options->session == 0)
		ret = open_away(disc, root, options, why);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = state_open(&disc->state, root, fingerprint, why);
	if (ret == 0)
		ret = open_known(disc, options, why);
	if (ret < 0)
		return ret;
	ret = state_fits(disc, fingerprint);
	if (ret < 0)
		return why->err ? ret : reason_set(why, -ret, "%s can't be read", disc->tree.db.path);
	if (ret > 0)
		ret = check_base(disc, options, why);
	if (ret != 0)
		return ret < 0 ? ret : check_format(disc, options, why);
	log_notice("%s holds work for another state of this disc; it is kept there", disc->state.path);
	tree_close(&disc->tree);
	ret = state_renew(&disc->state, fingerprint, why);
	return ret < 0 ? ret : disc_open_tree(disc, options, why);
}

/* What can't be read, or isn't known, may have a head that was cut off in the middle. */
static int first_probe(struct disc *disc, const char *root, struct reason *why)
{
	struct reason failed = { 0 };
	int mended, ret = disc_probe(disc, &disc->probe, &failed);

	if (ret == 0 && state_is_known(root, disc->probe.disc.fingerprint))
		return 0;
	mended = torn_head_mend(disc, root, why);
	if (mended < 0)
		return mended;
	if (mended == 0)
		return ret < 0 ? reason_set(why, -ret, "%s", failed.text) : 0;
	probe_clear(&disc->probe);
	return disc_probe(disc, &disc->probe, why);
}

int disc_state_root(const struct disc_options *options, char *ret, size_t room, struct reason *why)
{
	if (!options->state_root)
		return state_default_root(ret, room, why);
	if ((size_t)snprintf(ret, room, "%s", options->state_root) >= room)
		return reason_set(why, ENAMETOOLONG, "the state directory's name is too long");
	return 0;
}

/* Who starts afresh doesn't need what can't be read. */
static int adopt(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	struct reason failed = { 0 };
	int ret = adopt_disc(disc, &failed);

	if (ret < 0 && ret != -ENOMEDIUM && ret != -ESTALE && options->afresh && !disc->read_only)
		return afresh_without_base(disc, &failed, why);
	return ret < 0 ? unreadable_tell(disc, &failed, why) : 0;
}

/* An older volume's UDF may still be found by its anchor: it isn't that of the session to be shown. */
static int check_wanted(const struct disc *disc, struct reason *why)
{
	uint32_t formats = disc->probe.disc.formats, wanted = disc->wanted_format;

	if (wanted == FORMAT_AUTO || formats == 0 || (formats & FORMAT_BIT(wanted)))
		return 0;
	return reason_set(why, EMEDIUMTYPE, "%s: the session has no %s tree, but one of %s", disc->path,
			  tree_format_title(wanted), tree_format_title(tree_format_best(formats)));
}

static int open_all(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	char root[PATH_LIMIT];
	struct probe probe;
	bool is_new;
	int ret = disc_state_root(options, root, sizeof root, why);

	if (ret == 0)
		ret = open_medium(disc, options, why);
	disc->wish.wanted = options->session;
	disc->wish.damaged = options->damaged;
	disc->wanted_format = options->import;
	if (ret == 0)
		ret = first_probe(disc, root, why);
	if (ret == 0)
		ret = check_wanted(disc, why);
	if (ret == 0)
		ret = open_state(disc, options, root, why);
	if (ret < 0)
		return ret;
	disc->tree.disc.fd = disc->fd;
	disc->tree.disc.is_drive = disc->is_drive;
	probe = disc->probe;
	disc->probe = (struct probe){ 0 };
	disc_set_probe(disc, &probe);
	ret = recover_commit(disc, why);
	if (ret == 0 && disc->is_away)
		ret = away_take(disc, why);
	if (ret == 0)
		ret = damage_look_again(disc, options->damaged, why);
	is_new = ret == 0 && !tree_has_base(&disc->tree);
	if (is_new)
		ret = adopt(disc, options, why);
	if (ret == 0)
		ret = sweep_at_start(&disc->tree, why);
	if (ret == 0)
		ret = handover_look(disc, why);
	disc->tree.read_only = disc->read_only;
	if (ret == 0)
		boot_measure(disc);
	if (ret == 0)
		shelve_origin(disc);
	if (ret == 0 && options->afresh)
		ret = afresh_begin(disc, why);
	if (ret == 0)
		ret = shelve_disc(disc, why);
	if (ret == 0 && is_new)
		shelve_supersede(disc);
	return ret;
}

int disc_open(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	int ret;

	*disc =
	    (struct disc){ .fd = -1, .formats = options->formats, .state = { .dir_fd = -1, .lock_fd = -1 } };
	disc->tree.spool.fd = disc->tree.db.wal_fd = -1;
	pthread_mutex_init(&disc->lock, NULL);
	ret = options->offline ? offline_open(disc, options, why) : open_all(disc, options, why);
	if (ret < 0) {
		ret = lost_state_explain(disc, ret, why);
		disc_close(disc);
	}
	return ret;
}

void disc_close(struct disc *disc)
{
	shelve_seen(disc);
	tree_close(&disc->tree);
	state_close(&disc->state);
	probe_clear(&disc->probe);
	if (disc->fd >= 0)
		close(disc->fd);
	disc->fd = -1;
	pthread_mutex_destroy(&disc->lock);
}

void disc_renew_caches(struct disc *disc, uint64_t start)
{
	if (!disc->is_drive)
		return;
	(void)posix_fadvise(disc->fd, 0, HEAD_BYTES, POSIX_FADV_DONTNEED);
	(void)posix_fadvise(disc->fd, (off_t)(start * SECTOR), 0, POSIX_FADV_DONTNEED);
}

int disc_check_same(struct disc *disc, struct probe *ret, struct reason *why)
{
	struct probe probe = { 0 };
	int err = disc_probe(disc, &probe, why);
	bool same;

	if (err < 0)
		return err;
	{
		WITH_LOCK(&disc->lock);
		same = memcmp(probe.disc.fingerprint, disc->probe.disc.fingerprint, FINGERPRINT_SIZE) == 0;
	}
	if (!same) {
		probe_clear(&probe);
		return reason_set(
		    why, ESTALE,
		    "%s is not the disc that was mounted any more: it is another one, or something else "
		    "has written to it. Put the right disc back and commit again, or unmount",
		    disc->path);
	}
	*ret = probe;
	return 0;
}
