/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests that burn share: a session onto an image and into force, and trees made for it. */
#pragma once

#include "roles.h"

/* Burns a plan onto an image as the next session, and switches the head. */
static inline void burn(const char *name, const char *spool, struct drive_tree *tree,
			struct drive_burned *ret)
{
	struct verb_job job = job_for(name);
	struct reason why = { 0 };
	struct probed before, after;
	int fd = open_in_dir(name, O_RDONLY);
	int spool_fd = open_in_dir(spool, O_RDWR | O_CREAT);

	assert_int_equal(probe(name, &before), 0);
	job.nwa = before.disc.nwa;
	job.session = before.disc.base;
	job.has_base = before.disc.state != DISC_BLANK;
	job.limit = before.disc.capacity;
	if (drive_burn(fd, spool_fd, &job, tree, true, ret, &why) < 0) {
		printf("%s: %s\n", name, why.text);
		fail();
	}
	assert_int_equal(ret->status, 0);
	assert_int_equal(ret->written.start, ret->planned.start);
	assert_int_equal(ret->written.sectors, ret->planned.sectors);
	assert_int_equal(probe(name, &after), 0);
	assert_memory_equal(after.disc.fingerprint, before.disc.fingerprint, FINGERPRINT_SIZE);
	assert_int_equal(after.disc.nwa, before.disc.nwa); /* not in force yet */
	assert_int_equal(drive_head(fd, &job, ret->head, &why), 0);
	assert_int_equal(probe(name, &after), 0);
	assert_memory_equal(after.disc.fingerprint, ret->planned.fingerprint, FINGERPRINT_SIZE);
	assert_int_equal(after.disc.nwa, before.disc.nwa + ret->planned.sectors);
	assert_int_equal(after.disc.base, 0);
	close(fd);
	close(spool_fd);
}

static inline void assert_image_holds(const char *image, struct drive_tree *wanted)
{
	struct drive_tree got;
	int disc = open_in_dir(image, O_RDONLY), spool = open_in_dir("spool", O_RDONLY);

	assert_import(image, 0, &got);
	assert_same_tree(&got, wanted, disc, spool);
	drive_tree_clear(&got);
	close(disc);
	close(spool);
}

static inline struct node *change(struct drive_tree *tree, const char *path)
{
	const struct node *node = drive_find(tree, path);

	assert_non_null(node);
	return &tree->nodes.items[node->attr.ino - 1];
}

/* Returns the number of the new node. */
static inline uint64_t add_child(struct drive_tree *tree, uint64_t parent, const char *name, uint32_t mode,
				 uint64_t size)
{
	struct node *node = vec_push(&tree->nodes);
	struct drive_name *at = vec_push(&tree->names);

	*node = (struct node){ .attr = { .ino = tree->nodes.count,
					 .mode = mode,
					 .nlink = 1,
					 .size = size,
					 .mtime_ns = 1000000000ll * NS_PER_SEC,
					 .atime_ns = NS_PER_SEC,
					 .ctime_ns = NS_PER_SEC } };
	*at = (struct drive_name){ node->attr.ino, parent, strdup(name) };
	return node->attr.ino;
}

/* Below the root; the first one is the root. */
static inline void add_node(struct drive_tree *tree, const char *name, uint32_t mode, uint64_t size)
{
	add_child(tree, tree->nodes.count > 0, name, mode, size);
}
