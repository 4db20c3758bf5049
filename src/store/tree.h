/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The merged tree: the imported base with the overlay applied, and every change to it.
 *
 * Rows of generation 0 are the base; `gen` is the generation that takes changes. While a commit runs,
 * generation gen-1 is frozen. Changes to names go into the open transaction at once; changed nodes wait in
 * memory on the dirty list until tree_flush writes each of them once. Every change holds `freeze` shared, so
 * a freeze finds none half done.
 *
 * All functions are thread-safe and return 0 or -errno unless said otherwise. Times are ns, sizes bytes. */
#pragma once

#include "store/db.h"
#include "store/dir_costs.h"
#include "store/disc_reader.h"
#include "store/inode.h"
#include "store/redo.h"

#include <stdatomic.h>

/* What the medium has room for; sectors. Written by the commit and the flusher, read by anyone. */
struct tree_room {
	_Atomic uint64_t capacity;   /* of the medium; 0 = no limit of its own */
	_Atomic uint64_t next_start; /* NWA */
	_Atomic uint64_t
	    host_free;		  /* what an image file's own file system lets it grow; UINT64_MAX: a drive */
	_Atomic uint64_t closing; /* what sequential media need between this session and a next one */
	_Atomic bool keep_tree;	  /* a further directory tree must fit too */
	_Atomic bool sequential;  /* sessions are padded, and have a least length */
};

/* How many paths are added, modified, deleted, renamed against the base (store/changes.h); how many changes
 * of boot images there are; and how many names stay here, since they are litter. */
struct changes_count {
	uint64_t added, modified, deleted, renamed, boot, litter;
};

/* What a look-up found out about a name, for the change that mostly comes next: see tree_find. */
struct found_name {
	uint64_t parent;
	uint64_t ino; /* 0: none there */
	bool covers;  /* a lower generation has the name too */
	uint32_t gen;
	struct db_version version;
	size_t length;
	char name[NAME_LIMIT];
};

struct litter;

struct tree {
	struct db db;
	struct spool spool;
	struct disc_reader disc;
	pthread_rwlock_t freeze;
	pthread_mutex_t lock;
	pthread_mutex_t account;
	struct {
		pthread_mutex_t lock; /* taken before all others */
		_Atomic uint64_t asked;
		uint64_t done; /* all who asked up to this one have what they asked for */
	} sync;
	struct inode_cache cache;
	struct inode *dirty; /* by account */
	uint32_t gen;
	bool frozen;	  /* generation gen - 1 is being burned; by freeze */
	struct redo redo; /* by lock */
	struct {
		struct found_name names[2]; /* a rename has two */
		unsigned next;
	} found;		    /* by lock */
	_Atomic unsigned lost_told; /* lines in the log about incomplete files, while it's so */
	_Atomic bool short_of_room; /* a write was refused for want of room, and there's hardly more since */
	_Atomic int failing; /* 0, or the -errno of the last flush: nothing may grow until one succeeds */
	_Atomic int broken;  /* 0, or the -errno that every change gets until a new mount settles a commit */
	bool host_low;	     /* the host's disk is nearly full, as of the last look; by lock */
	unsigned unchecked;  /* changes since then; by lock */
	uint64_t next_ino;
	uint64_t stored_next_ino;
	struct node_counts counts; /* by account */
	struct node_counts stored_counts;
	/* Of this generation, without files: these need file entries in UDF, whatever the base has. Never
	 * below the truth; by account. */
	struct node_counts staged;
	bool inherits;		/* the base has the file entries of all others; by account */
	struct dir_costs costs; /* what directories cost; see there */
	uint64_t body_sectors;	/* what staged bodies cost; by account */
	/* What bodies of the base cost that the next session must carry along, since ISO 9660 can't refer to
	 * where they are; by account. */
	uint64_t carried_sectors;
	/* What boot images take besides: their catalogue, and those that are recorded again. */
	_Atomic uint64_t boot_sectors;
	uint64_t frozen_sectors; /* what the session under way costs; by account */
	struct tree_room room;
	struct {
		pthread_cond_t came; /* the kernel forgot one; with lock */
		_Atomic unsigned made, awaited;
	} orphans;
	_Atomic uint64_t stamp;	      /* rises with every change */
	uint64_t counted_at;	      /* stamp + 1 when counted was true; by account */
	struct changes_count counted; /* by account */
	bool read_only;
	const struct litter *litter; /* what isn't burned, borrowed; NULL: everything is */
	_Atomic bool held_back;	     /* so it was when the newest generation was frozen */
};

/* state_dir_fd: borrowed; path: the same directory by name. The database may be new: then there's no tree
 * until an import has filled it (tree_has_base). */
int tree_open(struct tree *tree, const char *path, int state_dir_fd, uint64_t spool_limit,
	      struct reason *why);
/* Writes everything out. */
void tree_close(struct tree *tree);
bool tree_has_base(struct tree *tree);
/* Empties it, base and all, for another import; close it then, and open it again. Nothing may be staged. */
int tree_drop(struct tree *tree);

/* Names. name: raw bytes, not terminated. */
int tree_lookup(struct tree *tree, uint64_t parent, const char *name, size_t length, struct node_attr *ret);
int tree_attr(struct tree *tree, uint64_t ino, struct node_attr *ret);
/* The same for many, at less cost: nothing else may be asked of the tree in between, which is locked. */
void tree_attrs_begin(struct tree *tree);
int tree_attrs_next(struct tree *tree, uint64_t ino, struct node_attr *ret);
int tree_attrs_of_name(struct tree *tree, uint64_t parent, const char *name, size_t length,
		       struct node_attr *ret);
void tree_attrs_end(struct tree *tree);
/* Where ".." leads from a directory; else one of the directories that hold the node. */
int tree_parent(struct tree *tree, uint64_t ino, uint64_t *ret);
/* The number that the next new node gets: none has it, or a higher one. */
uint64_t tree_next_ino(struct tree *tree);
/* Calls entry for each name of a directory, in byte order of the names, until it returns nonzero (passed on).
 */
typedef int tree_entry_fn(void *self, const char *name, size_t length, uint64_t ino, uint32_t type);
int tree_list(struct tree *tree, uint64_t dir, tree_entry_fn *entry, void *self);

struct tree_new {
	uint32_t mode;	/* with type */
	uint32_t umask; /* applied unless the directory has a default ACL */
	uint32_t uid, gid;
	uint64_t rdev;
	const char *target; /* symlinks */
	size_t target_length;
};
/* Creates a node with its first name. -EEXIST, -ENOENT (parent gone), -ENAMETOOLONG (also: a directory deeper
 * than a session can have), -ENOSPC (medium full).
 * ret_inode (may be NULL) gets a reference. setgid directories hand on their group, and default ACLs are
 * inherited. */
int tree_create(struct tree *tree, uint64_t parent, const char *name, size_t length,
		const struct tree_new *new, struct node_attr *ret, struct inode **ret_inode);
int tree_link(struct tree *tree, uint64_t ino, uint64_t parent, const char *name, size_t length,
	      struct node_attr *ret);
int tree_unlink(struct tree *tree, uint64_t parent, const char *name, size_t length);
int tree_rmdir(struct tree *tree, uint64_t parent, const char *name, size_t length);
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE. -ENAMETOOLONG also when directories came to be too deep. */
int tree_rename(struct tree *tree, uint64_t from, const char *name, size_t length, uint64_t to,
		const char *new_name, size_t new_length, unsigned flags);
/* RENAME_WHITEOUT: a character device 0:0 of that owner takes the place of what is moved. */
int tree_rename_whiteout(struct tree *tree, uint64_t from, const char *name, size_t length, uint64_t to,
			 const char *new_name, size_t new_length, uint32_t uid, uint32_t gid);
/* The kernel forgot this inode: an orphan is dropped for good. */
void tree_forget(struct tree *tree, uint64_t ino);
/* Waits a moment for the kernel to forget what was deleted just now, for that comes behind whatever else it
 * has to say: who deletes a file finds its room free. What somebody has open is waited for once. */
void tree_await_forgotten(struct tree *tree);

/* Nodes in memory. */
int tree_get(struct tree *tree, uint64_t ino, struct inode **ret);
void tree_put(struct tree *tree, struct inode *inode);
/* Does it differ from what the disc has, be it by a time only? */
bool tree_is_staged(struct tree *tree, const struct inode *inode);
/* The node changed: it will be written with the next flush. Needs a reference and freeze held shared. */
void tree_mark_dirty(struct tree *tree, struct inode *inode);

enum {
	TREE_SET_MODE = 1,
	TREE_SET_UID = 2,
	TREE_SET_GID = 4,
	TREE_SET_ATIME = 8,
	TREE_SET_MTIME = 16,
	TREE_SET_CTIME = 32,
	TREE_SET_BY_STRANGER = 64 /* with UID or GID: who asks doesn't belong to the file's group */
};
/* Sets the attributes that mask names (not the size: body_truncate). ctime becomes now unless given. */
int tree_set_attr(struct tree *tree, uint64_t ino, const struct node_attr *attr, unsigned mask,
		  struct node_attr *ret);

enum { TREE_XATTR_CREATE = 1, TREE_XATTR_REPLACE = 2, TREE_XATTR_DROP_SETGID = 4 };
/* A copy of all attributes of a node (xattr_set). */
int tree_xattrs(struct tree *tree, uint64_t ino, struct blob *ret);
int tree_xattr_set(struct tree *tree, uint64_t ino, const char *name, const void *value, size_t length,
		   int flags);
int tree_xattr_remove(struct tree *tree, uint64_t ino, const char *name);
/* What a change of a regular file's content takes away: file capabilities; and with bits: setuid, and setgid
 * where the group may execute, or who changes it is no member of the group. Returns 1 when there was
 * something to take, else 0, or -errno. */
int tree_drop_privileges(struct tree *tree, struct inode *inode, bool bits, bool member);

/* For the tree's own files, with tree->lock held. */
/* Like tree_get. */
int tree_get_locked(struct tree *tree, uint64_t ino, struct inode **ret);
/* Which inode has that name as things are staged now, and does a lower generation have the name too? 1, 0 =
 * none, or -errno. The kernel looks each name up before it creates it or renames to it: the second question
 * is answered without a statement. */
int tree_find(struct tree *tree, uint64_t parent, const char *name, size_t length, uint64_t *ret_ino,
	      bool *ret_covers);
/* May a directory stand under that one, with all that it holds; NULL: a new one? -ENAMETOOLONG when one would
 * have TREE_DEPTH_LIMIT names in its path, or more. What doesn't get deeper isn't looked at. */
int tree_check_depth(struct tree *tree, uint64_t parent, const struct inode *moved);
/* Each look into the rows begins with it: puts back what SQLite rolled back. Needs lock. */
int tree_repair(struct tree *tree);
/* May things be changed? Opens the transaction. -EROFS, or why the database is broken. */
int tree_change_begin(struct tree *tree);
/* The same for what makes the database grow: -ENOSPC also when the host's disk is nearly full. */
int tree_growth_begin(struct tree *tree);
/* Like tree_flush. Every COMMIT goes through it: names and their nodes belong together. */
int tree_flush_locked(struct tree *tree);
/* ctime becomes now, with_mtime: mtime too; marks dirty. */
void tree_touch(struct tree *tree, struct inode *inode, bool with_mtime);

/* Room. */
/* Of the next session, as things are staged now: never below the truth, and above it by less than 1 % and
 * 1 MB. Not with lock held: directories may be laid out. */
uint64_t tree_predicted_sectors(struct tree *tree);
/* That may still be staged. */
uint64_t tree_free_sectors(struct tree *tree);
/* With lock held: the prediction from what is known; and whether so much more has room. */
uint64_t tree_predicted_locked(struct tree *tree);
bool tree_fits(struct tree *tree, uint64_t bytes);
/* Changes what the body of an inode costs to `sectors`. -ENOSPC (nothing changed) when the medium has no
 * room. */
int tree_charge(struct tree *tree, struct inode *inode, uint64_t sectors);
/* Which trees the next session gets, and whether it can go on using the base's file entries of UDF. */
void tree_set_formats(struct tree *tree, const struct session_formats *formats, bool inherits);
/* Its first byte came or went: among the files with content. Needs inode->lock. */
void tree_count_file(struct tree *tree, const struct inode *inode, int by);
/* The node got its first name, or lost its last one. Needs inode->lock. */
void tree_count_node(struct tree *tree, struct inode *inode, int by);
/* It changed, or is new. Needs account. */
void tree_count_staged(struct tree *tree, struct inode *inode);
/* With lock held: has the file entry room that the node needs in UDF when it changes? */
bool tree_entry_fits(struct tree *tree, const struct inode *inode);
/* Content was copied to it, of old bodies maybe: it can have a record for each of their pieces. */
int tree_content_came(struct tree *tree, struct inode *inode);
/* With lock held, when rows were changed and the costs of directories are reckoned by them: -ENOSPC when what
 * is staged doesn't fit and costs more than before (a prediction). */
int tree_check_room(struct tree *tree, uint64_t before);
/* Computes body_sectors and staged anew from what is staged. Needs freeze held exclusively, or nobody else at
 * work. */
int tree_recount(struct tree *tree);

/* Durability. */
int tree_flush(
    struct tree *tree); /* all that is changed is in the database: survives the death of the process */
int tree_sync(struct tree *tree); /* … and a power cut: bytes first, then rows */
/* The rows only; the bytes that they point at must be synced. Makes good what failed before. Not with lock
 * held. */
int tree_sync_rows(struct tree *tree);
int64_t tree_now_ns(void);
