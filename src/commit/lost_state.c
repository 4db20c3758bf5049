/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/lost_state.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int lost_state_explain(const struct disc *disc, int err, struct reason *why)
{
	char root[PATH_LIMIT];
	bool usual = state_default_root(root, sizeof root, NULL) == 0 && strcmp(root, disc->state.root) == 0;

	if (!disc->tree.db.damaged)
		return err;
	*why = (struct reason){ 0 };
	return reason_set(
	    why, EIO,
	    "%.120s: %.160s/overlay.db is damaged: what is staged for this disc is lost, unless you have "
	    "a copy of that file to put back. To give it up: discfsctl catalog forget --force %s%s%.60s; "
	    "the spool beside it holds the bytes of staged files until then",
	    disc->path, disc->state.path, disc->state.id, usual ? "" : " --state ",
	    usual ? "" : disc->state.root);
}

static bool is_unlinked(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static bool is_gone(const struct disc *disc)
{
	struct stat st;

	return is_unlinked(disc->state.lock_fd) || is_unlinked(disc->tree.db.wal_fd) ||
	       is_unlinked(disc->tree.spool.fd) ||
	       (fstatat(disc->state.dir_fd, "overlay.db", &st, 0) < 0 && errno == ENOENT);
}

int lost_state_check(struct disc *disc, struct reason *why)
{
	bool known = atomic_load(&disc->state_lost);

	if (!known && !is_gone(disc))
		return 0;
	reason_set(
	    why, EIO,
	    "%s was removed while the disc was mounted: what is staged is lost when it's unmounted. Copy "
	    "what you need out of the folder to another place, then unmount (discfsctl umount --force)",
	    disc->state.path);
	if (known || atomic_exchange(&disc->state_lost, true))
		return -EIO;
	if (why)
		log_error("%s", why->text);
	WITH_LOCK(&disc->tree.lock);
	disc->tree.broken = -EIO;
	return -EIO;
}
