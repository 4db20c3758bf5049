/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One mount: the FUSE session over a disc, and what its operations share.
 *
 * The kernel's inode numbers are the tree's; virtual nodes (.discfs and the files in it) have numbers from
 * VIRTUAL_BASE. Files are opened with the kernel's cache kept: the kernel is the only one who changes them.
 */
#pragma once

#include "commit/pasts.h"
#include "control/files.h"
#include "control/xattrs.h"

#include <fuse_lowlevel.h>

#define VIRTUAL_BASE (1ull << 62)
#define SESSIONS_INO (VIRTUAL_BASE + (1ull << 43)) /* .discfs/sessions */
/* Behind it the nodes of session N's tree, from VIRTUAL_BASE + (N << PAST_BITS) on. */
#define PAST_BITS 44

/* Asked for a session that may have to be imported first: see librarian.h. */
struct request {
	fuse_req_t req;
	uint32_t session;
	bool entry; /* a look-up; else attributes */
};

/* A seek that waits for the kernel's pages: see seeker.h. */
struct seek {
	fuse_req_t req;
	uint64_t ino;
	struct inode *inode;
	uint64_t offset;
	int whence;
};

/* Whose turn it is to read requests: see device.h. */
struct turn {
	pthread_mutex_t lock;
	pthread_cond_t watch; /* for the one who watches */
	pthread_cond_t wait;  /* for all the others */
	pthread_t owner;
	uint64_t request; /* how many there were */
	bool taken;	  /* somebody reads, or is busy with something short and will read again */
	bool busy;	  /* the latter */
	bool watched;	  /* somebody watches */
	bool asleep;	  /* and must be woken when there's something to see */
};

struct mount {
	struct disc disc;
	struct commit commit;
	struct pasts pasts;
	struct control control;
	struct fuse_session *session;
	struct discard_sink caches;
	struct control_end end;
	uid_t owner;
	bool placed; /* libfuse has another name for the mount point */
	bool allow_other;
	struct {
		pthread_mutex_t lock;
		VEC(uint64_t) inos;
		_Atomic size_t count;
	} stale;	       /* see stale.h */
	_Atomic bool promised; /* see killpriv.h */
	struct turn turn;
	struct {
		VEC(pthread_t) threads;
		unsigned idle; /* of them */
		pthread_mutex_t lock;
		pthread_cond_t wake;
		VEC(struct seek) asked;
		bool stop;
	} seeker;
	struct {
		pthread_t thread;
		pthread_mutex_t lock;
		pthread_cond_t wake;
		VEC(struct parked *) parked; /* in the order in which they came */
		bool stop;
	} parker;
	struct {
		pthread_t thread;
		pthread_mutex_t lock;
		pthread_cond_t wake;
		VEC(struct request) asked; /* in the order in which they came */
		bool stop;
	} librarian;
	struct {
		pthread_t thread, loop;
		const char *mountpoint;
		_Atomic int number; /* of the signal */
		_Atomic bool ended; /* the session */
	} stopper;
	int inhibitor;	/* logind's, while the medium is written; -1: none. The conductor's */
	char told[960]; /* the newest line of the service's status. The flusher's */
	pthread_t flusher;
	pthread_mutex_t flusher_lock;
	pthread_cond_t flusher_wake;
	bool flusher_stop;
};

struct mount *mount_of(fuse_req_t req);
struct tree *tree_of(fuse_req_t req);
/* Not of the tree that is mounted. */
bool is_virtual(fuse_ino_t ino);
/* Of the virtual ones: in the tree of a session. */
bool is_past(fuse_ino_t ino);
/* May the caller control the mount? Its owner and root may. */
bool may_control(fuse_req_t req);
/* err: 0 or -errno. */
void reply_err(fuse_req_t req, int err);
void reply_entry(fuse_req_t req, const struct node_attr *attr);
/* Entry or attributes as the kernel wants them, with the time-outs of a file system that nobody else changes.
 */
void entry_fill(struct fuse_entry_param *entry, const struct node_attr *attr);
void stat_fill(struct stat *st, const struct node_attr *attr);
#define ATTR_TIMEOUT 86400.0

/* The tree that a node is in: the mounted one, or a session's, which is held meanwhile. */
struct view {
	struct tree *tree; /* NULL: none, a virtual node of another kind */
	struct past *past; /* NULL: the mounted one */
	struct pasts *pasts;
	uint64_t base; /* what the kernel's numbers are larger by */
	uint64_t ino;  /* in the tree */
};

/* 0 or -errno. To be closed in any case; the request may be answered by then. */
int view_open(fuse_req_t req, fuse_ino_t ino, struct view *ret);
void view_close(struct view *view);
/* entry and attributes as the kernel knows the node. */
void view_entry(const struct view *view, struct fuse_entry_param *entry, const struct node_attr *attr);
