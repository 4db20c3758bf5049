/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/own_sums.h"

#include "disc/verify_tags.h"

#include <errno.h>

bool own_sums_place(IsoImage *image, struct sums_place *ret)
{
	char name[] = "isofs.ca";
	AUTO_FREE char *value = NULL;
	size_t length = 0;
	IsoNode *root = (IsoNode *)iso_image_get_root(image);

	return iso_node_lookup_attr(root, name, &length, &value, 0) == 1 &&
	       session_tags_place((const uint8_t *)value, length, ret) && ret->sums > 1;
}

static const char *part(uint32_t what)
{
	static const char *const names[] = {
		[DAMAGED_DESCRIPTORS] = "descriptors",
		[DAMAGED_TREE] = "directories",
		[DAMAGED_SUMS] = "recorded sums",
		[DAMAGED_TAG] = "closing sum",
	};

	return what < sizeof names / sizeof *names && names[what] ? names[what] : "parts";
}

static int refuse(void *self, struct verb_damaged *damaged)
{
	return reason_set(self, EBADMSG, "the session's %s: %s", part(damaged->what), damaged->text);
}

int own_sums_check(const struct source *source, uint64_t start, IsoImage *image, struct reason *why)
{
	const struct verify_tags tags = {
		.source = source, .start = start, .expected = true, .damaged = refuse, .self = why
	};
	struct sums_place place;
	uint32_t from, array;
	char md5[MD5_LENGTH];
	int got;

	if (!own_sums_place(image, &place) || place.start != start ||
	    iso_image_get_session_md5(image, &from, &array, md5, 0) != ISO_SUCCESS)
		return reason_set(why, EBADMSG, "the session's recorded sums: not as they were written");
	got = verify_tags_session(&tags, why);
	if (got >= 0)
		got = verify_tags_end(&tags, &place, why);
	return got;
}
