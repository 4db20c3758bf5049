/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inode: a node in memory while it is open, changed or was used lately; and the cache of them.
 *
 * Only nodes whose content or attributes are worked on come here: look-ups and attribute reads go to the
 * database, so memory follows use. Orphans (nlink 0) stay until the kernel forgets them.
 *
 * Who guards what: refs, gen, the hash and the LRU by the tree's lock; node by inode->lock; the bytes behind
 * the map by inode->io (read: shared, write and truncate: exclusive), which is held during I/O; run by io
 * held exclusively. Order of locks: tree->sync, tree->freeze, inode->io, tree->lock, inode->lock,
 * tree->account, spool->lock. */
#pragma once

#include "store/spool.h"

#include "model/node.h"

#include <stdatomic.h>

/* Does the next session need a file entry in UDF for it, that the base hasn't? */
enum inode_entry {
	ENTRY_OLD,     /* it's as the base has it */
	ENTRY_COUNTED, /* among tree->staged */
	ENTRY_NONE     /* an orphan */
};

struct inode {
	struct node node;
	uint32_t gen;	  /* of its newest row; 0 = as the disc has it */
	bool dirty;	  /* differs from that row; guarded by tree->account */
	uint64_t charged; /* body sectors counted for the next session; guarded by tree->account */
	uint32_t type;	  /* S_IFMT of its mode */
	uint8_t in_udf;	  /* enum node_entry */
	uint8_t entry;	  /* enum inode_entry; guarded by tree->account */
	bool fresh;	  /* made since the start: its directory knows that it will have content */
	unsigned refs;
	_Atomic unsigned
	    writers; /* handles that may write: the kernel may hold pages that we don't know of */
	_Atomic bool
	    unread; /* a read failed while somebody had it open for writing, and nothing was written since */
	_Atomic bool refused; /* a write was, since the last of them came */
	uint64_t kept;	      /* its size when the first of them came, or as somebody set it since; by io */
	bool forgotten;	      /* an orphan that the kernel gave up too: freed with the next flush */
	bool unknown;	      /* the kernel gave it up while it was still referenced */
	bool awaited;	      /* an orphan that was waited for, and stays */
	struct spool_run run;
	pthread_mutex_t lock;
	pthread_rwlock_t io;
	struct inode *hash_next;
	struct inode *older, *newer; /* LRU of those without refs */
	struct inode *dirty_next;
	struct inode *flush_next; /* while a flush is under way; by the tree's lock */
};

/* Its attributes as they are now. A file that is open for writing has something stored: the kernel may hold
 * pages that we don't know of, and tar -S takes a file without blocks for one hole. Needs inode->lock. */
struct node_attr inode_attr(const struct inode *inode);

#define INODE_BUCKETS  16384u
#define INODE_IDLE_MAX 16384u

struct inode_cache {
	struct inode *buckets[INODE_BUCKETS];
	struct inode *oldest, *newest;
	size_t idle;
	size_t count;
};

/* A new inode with one reference, in the cache; takes the node's memory. NULL: out of memory (node
 * untouched). */
struct inode *inode_cache_add(struct inode_cache *cache, struct node *node, uint32_t gen);
/* One more reference, or NULL when it isn't there. */
struct inode *inode_cache_get(struct inode_cache *cache, uint64_t ino);
/* Without a reference taken. */
struct inode *inode_cache_peek(const struct inode_cache *cache, uint64_t ino);
/* Gives a reference back; idle clean inodes beyond INODE_IDLE_MAX are freed, oldest first. */
void inode_cache_put(struct inode_cache *cache, struct inode *inode);
/* Removes and frees one that has no references. */
void inode_cache_drop(struct inode_cache *cache, struct inode *inode);
void inode_cache_clear(struct inode_cache *cache);
