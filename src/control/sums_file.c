/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `discfsctl verify` can compare bodies with that the disc itself records no sum of: read once, known
 * for ever. */
#include "control/control.h"

#include "base/vec.h"
#include "store/contents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sum_line {
	uint64_t lba, size;
	uint8_t sha256[SHA256_BYTES];
};

typedef VEC(struct sum_line) sum_lines;

static int add_line(void *self, uint64_t ino, uint64_t lba, uint64_t size, const uint8_t *sha256)
{
	struct text *text = self;

	if (!sha256)
		return 0;
	text_add(text, "%" PRIu64 " %" PRIu64 " ", lba, size);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		text_add(text, "%02x", sha256[i]);
	text_add(text, "\n");
	return text->failed ? -ENOMEM : 0;
}

int control_sums(struct control *control, struct text *ret)
{
	struct tree *tree = &control->disc->tree;

	WITH_LOCK(&tree->lock);
	return contents_unsummed(&tree->db, add_line, ret);
}

static bool parse_line(const char *line, size_t length, struct sum_line *ret)
{
	char copy[128], hex[2 * SHA256_BYTES + 1], tail;

	if (length >= sizeof copy)
		return false;
	memcpy(copy, line, length);
	copy[length] = '\0';
	if (sscanf(copy, "%" SCNu64 " %" SCNu64 " %64[0-9a-f]%c", &ret->lba, &ret->size, hex, &tail) != 3 ||
	    strlen(hex) != sizeof hex - 1)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &ret->sha256[i]) != 1)
			return false;
	return true;
}

static int parse(const char *lines, size_t length, sum_lines *ret)
{
	const char *end = lines + length;

	while (lines < end) {
		const char *stop = memchr(lines, '\n', (size_t)(end - lines));
		struct sum_line *line = vec_push(ret);

		if (!line)
			return -ENOMEM;
		if (!stop || !parse_line(lines, (size_t)(stop - lines), line))
			return -EINVAL;
		lines = stop + 1;
	}
	return 0;
}

static int by_place(const void *left, const void *right)
{
	const struct sum_line *a = left, *b = right;

	if (a->lba != b->lba)
		return a->lba < b->lba ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

struct keeping {
	struct db *db;
	const sum_lines *lines;
	VEC(uint64_t) inos; /* with the line that holds for each */
	VEC(const struct sum_line *) sums;
};

/* Not written while the rows are read. */
static int match(void *self, uint64_t ino, uint64_t lba, uint64_t size, const uint8_t *sha256)
{
	struct keeping *keeping = self;
	const struct sum_line wanted = { .lba = lba, .size = size };
	const struct sum_line *found =
	    sha256 ? NULL
		   : bsearch(&wanted, keeping->lines->items, keeping->lines->count, sizeof wanted, by_place);
	const struct sum_line **sum;
	uint64_t *kept;

	if (!found)
		return 0;
	kept = vec_push(&keeping->inos);
	sum = vec_push(&keeping->sums);
	if (!kept || !sum)
		return -ENOMEM;
	*kept = ino;
	*sum = found;
	return 0;
}

static int keep(struct keeping *keeping)
{
	int ret = contents_unsummed(keeping->db, match, keeping);

	if (ret == 0 && keeping->inos.count)
		ret = db_begin(keeping->db);
	for (size_t i = 0; ret == 0 && i < keeping->inos.count; i++)
		ret = contents_keep(keeping->db, keeping->inos.items[i], keeping->sums.items[i]->sha256);
	return ret < 0 || !keeping->inos.count ? ret : db_commit(keeping->db);
}

int control_keep_sums(struct control *control, const char *lines, size_t length)
{
	struct tree *tree = &control->disc->tree;
	struct keeping keeping = { .db = &tree->db };
	sum_lines parsed = { 0 };
	int ret = parse(lines, length, &parsed);

	if (ret == 0 && parsed.count) {
		qsort(parsed.items, parsed.count, sizeof *parsed.items, by_place);
		keeping.lines = &parsed;
		WITH_LOCK(&tree->lock);
		ret = tree_repair(tree); /* also where nothing can be staged: it's no change of the tree */
		if (ret == 0)
			ret = keep(&keeping);
	}
	vec_clear(&keeping.inos);
	vec_clear(&keeping.sums);
	vec_clear(&parsed);
	return ret;
}
