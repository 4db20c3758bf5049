/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/disc.h"

#include "base/log.h"
#include "commit/adopt.h"
#include "commit/recover.h"
#include "store/journal.h"
#include "store/spool_place.h"
#include "store/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>

static void set_read_only(struct disc *disc, const char *why)
{
	disc->read_only = true;
	if (disc->read_only_why[0] == '\0')
		snprintf(disc->read_only_why, sizeof disc->read_only_why, "%s", why);
}

static int open_medium(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	struct stat st;
	char *resolved AUTO_FREE = realpath(options->source, NULL);

	if (!resolved)
		return reason_set(why, errno, "%s: %s", options->source, strerror(errno));
	if (strlen(resolved) >= sizeof disc->path)
		return reason_set(why, ENAMETOOLONG, "%s: the path is too long", options->source);
	memcpy(disc->path, resolved, strlen(resolved) + 1);
	if (stat(disc->path, &st) < 0)
		return reason_set(why, errno, "%s: %s", disc->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return reason_set(why, EISDIR, "%s is a directory: discfs mounts a disc image file",
				  disc->path);
	if (!S_ISREG(st.st_mode))
		return reason_set(why, EMEDIUMTYPE, "%s is no disc image file", disc->path);
	if (options->read_only)
		set_read_only(disc, "mounted with -o ro");
	disc->fd = open(disc->path, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (disc->fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
		set_read_only(disc, "no permission to write to the image file");
		disc->fd = open(disc->path, O_RDONLY | O_CLOEXEC);
	}
	if (disc->fd < 0)
		return reason_set(why, errno, "%s: %s", disc->path, strerror(errno));
	if (flock(disc->fd, LOCK_EX | LOCK_NB) < 0)
		return reason_set(why, EBUSY,
				  "%s is in use: another discfs has it mounted, or is still committing it",
				  disc->path);
	return 0;
}

/* The worker says what it found, not where: it knows a descriptor only. */
static int probe_medium(struct disc *disc, struct probe *ret_probe, struct reason *why)
{
	struct reason found = { 0 };
	int ret = probe_run(disc->fd, disc->path, ret_probe, &found);

	return ret < 0 ? reason_set(why, -ret, "%s: %s", disc->path, found.text) : 0;
}

void disc_update_room(struct disc *disc)
{
	struct statvfs vfs;

	if (fstatvfs(disc->fd, &vfs) == 0)
		atomic_store(&disc->tree.room.host_free, (uint64_t)vfs.f_bavail * vfs.f_frsize / SECTOR);
}

void disc_set_probe(struct disc *disc, struct probe *probe)
{
	WITH_LOCK(&disc->lock);
	probe_clear(&disc->probe);
	disc->probe = *probe;
	*probe = (struct probe){ 0 };
	atomic_store(&disc->tree.room.capacity, disc->probe.disc.capacity);
	atomic_store(&disc->tree.room.next_start, disc->probe.disc.nwa);
	disc->tree.disc.limit = disc->probe.disc.recorded * SECTOR;
	disc->label[0] = '\0';
	if (disc->probe.sessions.count)
		memcpy(disc->label, disc->probe.sessions.items[disc->probe.sessions.count - 1].label,
		       sizeof disc->label);
	disc_update_room(disc);
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

static int open_tree(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	int ret = spool_place(&disc->state, options->spool_dir, why);

	return ret < 0
		   ? ret
		   : tree_open(&disc->tree, disc->state.path, disc->state.dir_fd, options->spool_limit, why);
}

static int open_state(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	const uint8_t *fingerprint = disc->probe.disc.fingerprint;
	char root[PATH_LIMIT];
	int ret = 0;

	if (options->state_root)
		snprintf(root, sizeof root, "%s", options->state_root);
	else
		ret = state_default_root(root, sizeof root, why);
	if (ret == 0)
		ret = state_open(&disc->state, root, fingerprint, why);
	if (ret == 0)
		ret = open_tree(disc, options, why);
	if (ret < 0)
		return ret;
	ret = state_fits(disc, fingerprint);
	if (ret < 0)
		return reason_set(why, -ret, "%s can't be read", disc->tree.db.path);
	if (ret > 0)
		return 0;
	log_notice("%s holds work for another state of this disc; it is kept there", disc->state.path);
	tree_close(&disc->tree);
	ret = state_renew(&disc->state, fingerprint, why);
	return ret < 0 ? ret : open_tree(disc, options, why);
}

int disc_load_facts(struct disc *disc, struct reason *why)
{
	int64_t format = 0, nodes;
	int ret;

	{
		WITH_LOCK(&disc->tree.lock);
		ret = db_meta_int(&disc->tree.db, "format", &format);
		nodes = ret < 0 ? ret : db_int(&disc->tree.db, QUERY_COUNT_NODES);
	}
	if (nodes < 0)
		return reason_set(why, (int)-nodes, "%s can't be read", disc->tree.db.path);
	WITH_LOCK(&disc->lock);
	disc->format = (uint32_t)format;
	disc->base_nodes = (uint64_t)nodes;
	return 0;
}

static int open_all(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	struct probe probe = { 0 };
	int ret = open_medium(disc, options, why);

	if (ret == 0)
		ret = probe_medium(disc, &probe, why);
	if (ret < 0)
		return ret;
	disc->probe = probe;
	if (probe.disc.state == DISC_CLOSED)
		set_read_only(disc, probe.disc.closed_why);
	ret = open_state(disc, options, why);
	if (ret < 0)
		return ret;
	disc->tree.disc.fd = disc->fd;
	disc->probe = (struct probe){ 0 };
	disc_set_probe(disc, &probe);
	ret = recover_commit(disc, why);
	if (ret == 0 && !tree_has_base(&disc->tree))
		ret = adopt_disc(disc, why);
	if (ret == 0)
		ret = sweep_at_start(&disc->tree, why);
	disc->tree.read_only = disc->read_only;
	return ret < 0 ? ret : disc_load_facts(disc, why);
}

int disc_open(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	int ret;

	*disc = (struct disc){ .fd = -1, .state = { .dir_fd = -1, .lock_fd = -1 } };
	disc->tree.spool.fd = disc->tree.db.wal_fd = -1;
	pthread_mutex_init(&disc->lock, NULL);
	ret = open_all(disc, options, why);
	if (ret < 0)
		disc_close(disc);
	return ret;
}

void disc_close(struct disc *disc)
{
	tree_close(&disc->tree);
	state_close(&disc->state);
	probe_clear(&disc->probe);
	if (disc->fd >= 0)
		close(disc->fd);
	disc->fd = -1;
	pthread_mutex_destroy(&disc->lock);
}

int disc_check_same(struct disc *disc, struct probe *ret, struct reason *why)
{
	struct probe probe = { 0 };
	int err = probe_run(disc->fd, disc->path, &probe, why);
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
		    "%s is not the disc that was mounted any more: something else changed it. "
		    "Nothing was burned and the staged work is kept; put the right disc back, or unmount",
		    disc->path);
	}
	*ret = probe;
	return 0;
}
