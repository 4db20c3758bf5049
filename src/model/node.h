/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Node: a file, directory, symlink, device, FIFO or socket, apart from its names. Plain data. */
#pragma once

#include "model/extent_map.h"

#include <sys/stat.h>

#define ROOT_INO     1u
#define NAME_LIMIT   255u
#define TARGET_LIMIT 4095u /* bytes of a symlink's target on a disc */
/* What libisofs can write of one: it stops at 1024 bytes, and crashes on components of 256. */
#define TARGET_STAGED_LIMIT 1023u
#define TREE_DEPTH_LIMIT    128u  /* names in a path: directory loops are deeper than any */
#define TREE_LOOP_DEPTH	    4096u /* parents of a node, by a database that is damaged */
/* Packed bytes of a node's attributes. libisofs reads up to 1,000,000, its buffers counted; 900,000 come
 * through. */
#define XATTR_SET_LIMIT	  900000u
#define XATTR_COUNT_LIMIT 1024u /* attributes of a node: what an import takes */
#define NS_PER_SEC	  1000000000ll
#define MD5_LENGTH	  16u

struct node_attr {
	uint64_t ino;
	uint32_t mode; /* type and permission bits, as st_mode */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint64_t size;	 /* bytes; 0 for directories, target length for symlinks */
	uint64_t stored; /* bytes of a file's content that are not in holes, as far as known */
	uint64_t rdev;	 /* dev_t for devices, else 0 */
	int64_t atime_ns;
	int64_t mtime_ns;
	int64_t ctime_ns;
};

static inline bool node_has_content(const struct node_attr *attr)
{
	return S_ISREG(attr->mode) && attr->size;
}

/* A file or a directory: what every file system knows. */
static inline bool mode_is_plain(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode);
}

/* How many nodes there are of a kind. */
struct node_counts {
	int64_t files;	 /* with content: these have an MD5 at most */
	int64_t entries; /* in UDF, besides directories */
	int64_t links;	 /* symbolic links, devices and their like, among these */
};

static inline void node_counts_add(struct node_counts *counts, const struct node_counts *more)
{
	counts->files += more->files;
	counts->entries += more->entries;
	counts->links += more->links;
}

struct node {
	struct node_attr attr;
	uint64_t parent;    /* directories: ino of the parent (root: itself); else one of its parents */
	struct blob target; /* symlinks only */
	struct blob xattrs; /* xattr_set */
	struct blob zf;	 /* raw SUSP ZF payload of a zisofs-compressed file (shown as its compressed bytes) */
	struct blob md5; /* empty, or MD5_LENGTH bytes that the disc records for this content */
	struct extent_map map; /* regular files only */
	/* Ranges of which the last write was refused (kind: enum lost_why, origin = offset), so that the
	 * content isn't what was written: see store/lost.h. They may lie behind its end. */
	struct extent_map lost;
};

/* The time as a session holds it: whole seconds from 1900 to 2155 (ECMA-119 9.1.5 counts years from 1900 in a
 * byte); what lies outside becomes the nearest. ns since 1970, like the argument. */
int64_t node_time_on_disc(int64_t ns);

/* What UDF has of a node, besides directories. */
enum node_entry {
	NODE_NO_ENTRY, /* of a directory; of a symlink whose target has no room there */
	NODE_FILE,
	NODE_LINK /* a symlink, a device or its like */
};

enum node_entry node_entry_of(const struct node *node);

static inline void node_count_entry(struct node_counts *counts, enum node_entry entry, int by)
{
	counts->entries += entry != NODE_NO_ENTRY ? by : 0;
	counts->links += entry == NODE_LINK ? by : 0;
}

static inline void node_count(struct node_counts *counts, const struct node *node, int by)
{
	counts->files += node_has_content(&node->attr) ? by : 0;
	node_count_entry(counts, node_entry_of(node), by);
}

void node_clear(struct node *node);
