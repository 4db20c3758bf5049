/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/offline.h"

#include "base/log.h"
#include "commit/shelve.h"
#include "store/catalog.h"
#include "store/journal.h"
#include "store/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int offline_missing(const struct disc *disc, struct reason *why)
{
	return reason_set(why, ENOMEDIUM,
			  "the disc %s isn't here, it's mounted offline: unmount, and mount the disc itself",
			  disc->tree.disc.missing);
}

/* Which one is meant, and its lock. */
static int open_state(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	struct catalog catalog CLEANUP(catalog_clear) = { 0 };
	struct catalog_disc *found = NULL;
	char root[PATH_LIMIT];
	int ret = disc_state_root(options, root, sizeof root, why);

	if (ret == 0)
		ret = catalog_open(&catalog, root, why);
	if (ret == 0)
		ret = catalog_find(&catalog, options->source, &found, why);
	if (ret < 0)
		return ret;
	snprintf(disc->path, sizeof disc->path, "offline:%s", found->id);
	if (found->shelf.superseded[0])
		log_notice("another program has written to the disc %s since; what it is now has the id %s",
			   found->brief, found->shelf.superseded);
	snprintf(disc->missing, sizeof disc->missing, "%s (%s)", found->shelf.label, found->brief);
	return state_open_id(&disc->state, root, found->id, why);
}

/* What a crash left can be put right only by looking at what is on the disc. */
static int check_journal(struct disc *disc, struct reason *why)
{
	struct journal journal CLEANUP(journal_clear) = { 0 };
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = journal_read(&disc->tree.db, &journal);
	if (ret == 0)
		return 0;
	return ret < 0 ? reason_set(why, -ret, "the commit journal in %s can't be read", disc->tree.db.path)
		       : reason_set(why, ENOMEDIUM,
				    "a commit of the disc %s was cut off: mount the disc itself, which "
				    "settles that",
				    disc->missing);
}

static int load_shelf(struct disc *disc, struct shelf *ret, struct reason *why)
{
	int found;

	WITH_LOCK(&disc->tree.lock);
	found = shelf_load(&disc->tree.db, ret);
	if (found < 0)
		return reason_set(why, -found, "%s can't be read", disc->tree.db.path);
	if (found == 0)
		return reason_set(why, ENOMEDIUM,
				  "too little is known of the disc %s: mount it once with this discfs",
				  disc->missing);
	return 0;
}

/* As the last probe told. */
static void set_probe(struct disc *disc, struct shelf *shelf)
{
	struct probe probe = { .disc = shelf->disc, .is_drive = shelf->is_drive };

	probe.facts.drive = shelf->drive;
	probe.sessions.items = shelf->sessions.items;
	probe.sessions.count = shelf->sessions.count;
	probe.sessions.room = shelf->sessions.room;
	shelf->sessions.items = NULL;
	shelf->sessions.count = shelf->sessions.room = 0;
	if (shelf->older)
		disc_set_read_only(disc, "an older session is shown");
	disc_set_probe(disc, &probe);
	atomic_store(&disc->tree.room.host_free, shelf->host_free);
}

int offline_open(struct disc *disc, const struct disc_options *options, struct reason *why)
{
	struct shelf shelf CLEANUP(shelf_clear) = { 0 };
	int ret;

	disc->offline = true;
	if (options->read_only)
		disc_set_read_only(disc, "mounted with -o ro");
	ret = open_state(disc, options, why);
	if (ret == 0)
		ret = disc_open_tree(disc, options, why);
	if (ret < 0)
		return ret;
	disc->tree.disc.missing = disc->missing;
	ret = check_journal(disc, why);
	if (ret == 0)
		ret = load_shelf(disc, &shelf, why);
	if (ret < 0)
		return ret;
	set_probe(disc, &shelf);
	ret = sweep_at_start(&disc->tree, why);
	disc->tree.read_only = disc->read_only;
	return ret < 0 ? ret : shelve_disc(disc, why);
}
