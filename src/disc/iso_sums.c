/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_sums.h"

#include "disc/own_sums.h"
#include "disc/verify_tags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct judging {
	struct iso_sums *sums;
	int (*doubt)(void *self, const char *text);
	void *self;
};

static int tell_tree(void *self, struct verb_damaged *damaged)
{
	struct judging *judging = (struct judging *)self;
	char text[400];

	judging->sums->tree = ISO_SUMS_BAD;
	snprintf(text, sizeof text,
		 "%s: %s: names, sizes, times and places of files may be wrong, and files may be missing",
		 damaged->what == DAMAGED_TREE ? "the directories" : "the descriptors", damaged->text);
	return judging->doubt(judging->self, text);
}

/* One sector that can't be read takes only its own sums with it. */
static int load_array(struct iso_sums *sums, const struct source *source, struct reason *why)
{
	uint64_t lba = sums->place.array, count = sums_place_end(&sums->place) - lba;

	if (!range_within(lba, count, source->sectors))
		return 0;
	sums->array = calloc(count, SECTOR);
	if (!sums->array)
		return reason_set(why, ENOMEM, "out of memory");
	for (uint64_t i = 0; i < count; i++) {
		struct reason failed = { 0 };
		uint8_t *block = sums->array + i * SECTOR;

		if (source_read(source, lba + i, 1, block, &failed) == 0)
			continue;
		if (failed.err != EIO)
			return reason_set(why, failed.err, "%s", failed.text);
		memset(block, 0, SECTOR);
	}
	return 0;
}

static int judge_array(struct judging *judging, const struct source *source, IsoImage *image,
		       struct reason *why)
{
	uint32_t start, array;
	char md5[MD5_LENGTH];
	int got;

	if (iso_image_get_session_md5(image, &start, &array, md5, 0) == ISO_SUCCESS)
		return 0;
	got = load_array(judging->sums, source, why);
	return got < 0 ? got
		       : judging->doubt(judging->self, "the recorded sums of the files are damaged: some of "
						       "them are lost or wrong, so that sound files can "
						       "seem damaged");
}

int iso_sums_open(struct iso_sums *sums, const struct source *source, uint64_t start, IsoImage *image,
		  int (*doubt)(void *self, const char *text), void *self, struct reason *why)
{
	struct judging judging = { sums, doubt, self };
	bool there = own_sums_place(image, &sums->place);
	struct verify_tags tags = { .source = source,
				    .start = start ? start : verify_tags_relocated(source),
				    .brief = true,
				    .damaged = tell_tree,
				    .self = &judging };
	int got;

	tags.expected = there && sums->place.start == tags.start;
	got = verify_tags_session(&tags, why);
	if (got > 0 && sums->tree == ISO_SUMS_NONE)
		sums->tree = ISO_SUMS_GOOD;
	return got >= 0 && there ? judge_array(&judging, source, image, why) : got < 0 ? got : 0;
}

void iso_sums_close(struct iso_sums *sums)
{
	free(sums->array);
	sums->array = NULL;
}

static bool is_none(const uint8_t *sum)
{
	static const uint8_t none[MD5_LENGTH];

	return memcmp(sum, none, sizeof none) == 0;
}

/* Files tell which of the sums is theirs (libisofs' doc/checksums.txt, isofs.cx). */
bool iso_sums_find(const struct iso_sums *sums, IsoImage *image, IsoFile *file, uint8_t ret[MD5_LENGTH])
{
	char name[] = "isofs.cx";
	AUTO_FREE char *value = NULL;
	size_t length = 0;
	uint64_t index = 0;

	if (!sums->array)
		return iso_file_get_md5(image, file, (char *)ret, 0) == 1;
	if (iso_node_lookup_attr((IsoNode *)file, name, &length, &value, 0) != 1 || length > 4)
		return false;
	for (size_t i = 0; i < length; i++)
		index = index << 8 | (uint8_t)value[i];
	if (index == 0 || index + 1 >= sums->place.sums || is_none(sums->array + index * MD5_LENGTH))
		return false;
	memcpy(ret, sums->array + index * MD5_LENGTH, MD5_LENGTH);
	return true;
}
