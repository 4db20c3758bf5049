/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/handover.h"

#include "base/log.h"
#include "store/changes.h"
#include "store/journal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define KEY "handed_over"
#define BROKEN                                                                                               \
	"the commit that was to follow an unmounting didn't come to its end; everything is still staged"

/* With the tree's lock. The entry goes into the list of failed commits. */
static int store(struct tree *tree, bool on, const struct history *entry)
{
	int ret = tree_flush_locked(tree);

	if (ret < 0)
		return ret;
	ret = db_begin(&tree->db);
	if (ret < 0)
		return ret;
	ret = db_meta_put_int(&tree->db, KEY, on);
	if (ret == 0 && entry)
		ret = history_add(&tree->db, entry, NULL);
	if (ret == 0)
		return db_commit(&tree->db);
	db_rollback(&tree->db);
	return ret;
}

int handover_set(struct disc *disc, bool on)
{
	int ret;

	{
		WITH_LOCK(&disc->tree.lock);
		ret = store(&disc->tree, on, NULL);
	}
	return ret < 0 ? ret : tree_sync(&disc->tree); /* what is to be committed, too */
}

static int look(struct disc *disc)
{
	const struct history entry = {
		.time = time(NULL), .label = disc->label, .err = EINTR, .message = BROKEN
	};
	struct changes_count staged;
	int64_t on = 0;
	int ret = changes_count(&disc->tree, &staged);
	bool waits = ret == 0 && changes_any(&staged) > 0;

	WITH_LOCK(&disc->tree.lock);
	if (ret == 0)
		ret = db_meta_int(&disc->tree.db, KEY, &on);
	if (ret < 0 || !on)
		return ret;
	if (waits)
		log_warning("%s", BROKEN);
	return store(&disc->tree, false, waits ? &entry : NULL);
}

int handover_look(struct disc *disc, struct reason *why)
{
	int ret = look(disc);

	return ret < 0 ? reason_set(why, -ret, "%s can't be written: %s", disc->tree.db.path, strerror(-ret))
		       : 0;
}
