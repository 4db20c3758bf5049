/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/bodies.h"

#include "store/body.h"
#include "store/contents.h"

#include <errno.h>
#include <string.h>

#define READ_BYTES (1u << 20) /* what a cancel waits for */

int bodies_open(struct bodies *bodies, struct tree *tree, const struct fill_progress *progress,
		struct reason *why)
{
	*bodies = (struct bodies){ .tree = tree, .progress = progress, .why = why };
	bodies->data = malloc(READ_BYTES);
	bodies->other = malloc(READ_BYTES);
	return bodies->data && bodies->other ? 0 : reason_set(why, ENOMEM, "out of memory");
}

void bodies_clear(struct bodies *bodies)
{
	free(bodies->data);
	free(bodies->other);
	bodies->data = bodies->other = NULL;
}

int bodies_step(struct bodies *bodies, uint64_t bytes)
{
	bodies->done += bytes;
	bodies->total = max_u64(bodies->total, bodies->done);
	return bodies->progress->step(bodies->progress->self, bodies->done, bodies->total)
		   ? reason_set(bodies->why, ECANCELED, "the commit was cancelled")
		   : 0;
}

static int failed_read(const struct bodies *bodies, int err)
{
	if (err == -ENOMEDIUM || err == -ESTALE)
		return reason_set(bodies->why, -err,
				  "the disc that is mounted isn't in the drive any more (%s)",
				  strerror(-err));
	return err == -ENOMEM ? reason_set(bodies->why, ENOMEM, "out of memory") : 1;
}

int bodies_load(struct bodies *bodies, uint64_t ino, uint32_t gen, struct node *ret)
{
	int found;

	WITH_LOCK(&bodies->tree->lock);
	found = contents_node(&bodies->tree->db, ino, gen, ret);
	if (found <= 0)
		return reason_set(bodies->why, found < 0 ? -found : EUCLEAN,
				  "the staged tree can't be read at node %llu", (unsigned long long)ino);
	return 0;
}

int bodies_sum(struct bodies *bodies, const struct node *node, uint64_t bytes, uint8_t *ret_sha256,
	       uint8_t *ret_md5)
{
	struct digest digest CLEANUP(digest_clear) = { 0 };
	int ret = digest_begin(&digest, ret_md5 != NULL);

	bytes = min_u64(bytes, node->attr.size);
	for (uint64_t at = 0; ret == 0 && at < bytes; at += READ_BYTES) {
		size_t length = (size_t)min_u64(READ_BYTES, bytes - at);

		ret = bodies_step(bodies, length);
		if (ret < 0)
			return ret;
		ret = body_read_map(bodies->tree, &node->map, bodies->data, length, at);
		if (ret == 0)
			ret = digest_add(&digest, bodies->data, length);
	}
	if (ret == 0)
		ret = digest_end(&digest, ret_sha256, ret_md5);
	return ret < 0 ? failed_read(bodies, ret) : 0;
}

static bool same_place(const struct extent *a, const struct extent *b)
{
	return a->kind == EXTENT_DISC && b->kind == EXTENT_DISC && a->origin == b->origin;
}

/* The next bytes of both, as far as each has them in one piece. */
static int compare_piece(struct bodies *bodies, const struct node *a, const struct node *b, uint64_t *at,
			 bool *ret)
{
	struct extent left, right;
	size_t length;
	int err;

	extent_map_piece(&a->map, *at, a->attr.size - *at, &left);
	extent_map_piece(&b->map, *at, left.length, &right);
	if (same_place(&left, &right)) {
		*at += right.length;
		return 0;
	}
	length = (size_t)min_u64(right.length, READ_BYTES);
	err = bodies_step(bodies, length);
	if (err < 0)
		return err;
	err = body_read_map(bodies->tree, &a->map, bodies->data, length, *at);
	if (err == 0)
		err = body_read_map(bodies->tree, &b->map, bodies->other, length, *at);
	*at += length;
	*ret = err == 0 && memcmp(bodies->data, bodies->other, length) == 0;
	return err < 0 ? failed_read(bodies, err) : 0;
}

int bodies_compare(struct bodies *bodies, const struct node *a, const struct node *b, bool *ret)
{
	uint64_t at = 0;
	int err = 0;

	*ret = true;
	while (err == 0 && *ret && at < a->attr.size)
		err = compare_piece(bodies, a, b, &at, ret);
	return err;
}
