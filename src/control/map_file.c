/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .discfs/map.svg and map.json: the disc of a mount as a picture. */
#include "control/control.h"
#include "control/map.h"
#include "model/medium.h"
#include "store/changes.h"
#include "wire/map_json.h"

#include <errno.h>
#include <stdio.h>

/* What the mount knows, in the shape that the map wants. */
static void take_facts(struct control *control, struct map_facts *ret)
{
	struct tree *tree = &control->disc->tree;
	struct changes_count staged = { 0 };
	bool any = changes_count(tree, &staged) == 0 && changes_any(&staged) > 0;

	*ret = (struct map_facts){ .staged = any ? tree_predicted_sectors(tree) : 0,
				   .free = control->disc->read_only ? 0 : tree_free_sectors(tree) };
}

/* Needs disc->lock. */
static int make_map(const struct disc *disc, struct map_facts *facts, struct disc_map *ret)
{
	const struct verb_disc *medium = &disc->probe.disc;

	facts->capacity = medium->capacity;
	facts->recorded = medium->recorded;
	facts->next = medium->nwa;
	facts->appendable = medium->state != DISC_CLOSED;
	return map_of_sessions(ret, disc->probe.sessions.items, disc->probe.sessions.count, facts);
}

int control_map_json(struct control *control, struct text *ret)
{
	struct disc_map map CLEANUP(disc_map_clear) = { 0 };
	struct disc *disc = control->disc;
	struct map_facts facts;

	take_facts(control, &facts);
	WITH_LOCK(&disc->lock);
	if (make_map(disc, &facts, &map) < 0)
		return -ENOMEM;
	map_document(
	    &map,
	    &(struct map_title){ .source = disc->path, .label = disc->label, .disc = &disc->probe.disc },
	    disc->probe.sessions.items, ret);
	return ret->failed ? -ENOMEM : 0;
}

static const char *title_of(const char *profile)
{
	const struct medium_profile *known = medium_find(profile);
	const struct medium_kind *kind = medium_kind_find(profile);

	return known ? known->title : kind ? kind->title : "Image file";
}

int control_map_svg(struct control *control, struct text *ret)
{
	struct disc_map map CLEANUP(disc_map_clear) = { 0 };
	struct disc *disc = control->disc;
	char subtitle[128], used[16], size[16];
	struct map_facts facts;

	take_facts(control, &facts);
	WITH_LOCK(&disc->lock);
	if (make_map(disc, &facts, &map) < 0)
		return -ENOMEM;
	snprintf(subtitle, sizeof subtitle, "%s, %s of %s used", title_of(disc->probe.disc.profile),
		 text_size(used, disc->probe.disc.recorded * SECTOR), text_size(size, map.sectors * SECTOR));
	map_draw(&(struct map_picture){ .map = &map,
					.sessions = disc->probe.sessions.items,
					.appendable = facts.appendable,
					.title = disc->label[0] ? disc->label : "Blank disc",
					.subtitle = subtitle },
		 ret);
	return ret->failed ? -ENOMEM : 0;
}
