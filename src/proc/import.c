/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/import.h"
#include "base/fd.h"
#include "base/text.h"
#include "model/xattr_set.h"
#include "proc/child.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define IMPORT_TIMEOUT_MS 300000
#define NODES_LIMIT	  20000000u /* names too: many times what fits on a disc of 100 GB in practice */
#define EXTENTS_LIMIT	  (1u << 20)
#define XATTR_BYTES_LIMIT (1u << 20)
#define FILE_SIZE_LIMIT	  ((uint64_t)INT64_MAX)

/* One byte per node that came: enough to check whatever refers to it later. */
enum kind { KIND_UNSEEN = 0, KIND_OTHER, KIND_DIRECTORY };

struct import {
	const struct import_sink *sink;
	void *self;
	uint64_t medium_bytes;
	uint8_t *kinds; /* by ino - 1 */
	uint64_t nodes, names, room, losses;
	/* The newest node, not handed on yet: */
	bool pending;
	bool again; /* the newest NODE was a further name: nothing may follow it */
	struct node node;
	size_t xattrs;
	uint64_t parent;
	char name[NAME_LIMIT];
	size_t name_length;
};

static void import_clear(struct import *import)
{
	free(import->kinds);
	node_clear(&import->node);
}

static int import_error(const struct import *import, struct reason *why, const char *what)
{
	return reason_set(why, EPROTO, "The disc's tree can't be trusted: %s (near entry %" PRIu64 ")", what,
			  import->names);
}

static enum kind import_kind(const struct import *import, uint64_t ino)
{
	return ino >= 1 && ino <= import->nodes ? (enum kind)import->kinds[ino - 1] : KIND_UNSEEN;
}

static int import_remember(struct import *import, enum kind kind, struct reason *why)
{
	if (import->nodes == import->room) {
		uint64_t room = import->room ? import->room * 2 : 4096;
		uint8_t *grown = realloc(import->kinds, room);

		if (!grown)
			return reason_set(why, ENOMEM, "No memory for a tree of that many files");
		import->kinds = grown;
		import->room = room;
	}
	import->kinds[import->nodes++] = (uint8_t)kind;
	return 0;
}

/* Hands the newest node on, now that all its extents and xattrs came. */
static int import_hand_on(struct import *import, struct reason *why)
{
	int err;

	if (!import->pending)
		return 0;
	import->pending = false;
	err = import->sink->node(import->self, &import->node, import->parent, import->name,
				 import->name_length, why);
	node_clear(&import->node);
	return err < 0 ? reason_set(why, -err, "Can't keep the disc's tree: %s", strerror(-err)) : 0;
}

static bool mode_known(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return mode <= (S_IFMT | 07777);
	}
	return false;
}

static bool name_legal(const char *name, size_t length)
{
	if (!length || memchr(name, '/', length) || memchr(name, '\0', length))
		return false;
	return name[0] != '.' || length > 2 || (length == 2 && name[1] != '.');
}

/* NULL, or what is wrong with its place in the tree. */
static const char *place_wrong(const struct import *import, const struct verb_node *from)
{
	if (!import->nodes) {
		bool root = from->attr.ino == ROOT_INO && !from->parent && !from->name_length &&
			    !from->again && S_ISDIR(from->attr.mode);

		return root ? NULL : "the root directory doesn't come first";
	}
	if (!name_legal(from->name, from->name_length))
		return "an illegal name";
	if (import_kind(import, from->parent) != KIND_DIRECTORY)
		return "a parent that is no directory";
	if (from->again)
		return import_kind(import, from->attr.ino) == KIND_OTHER ? NULL
									 : "a second name of an unknown file";
	return from->attr.ino == import->nodes + 1 ? NULL : "a wrong file number";
}

/* NULL, or what is wrong with it as a node. */
static const char *node_wrong(const struct verb_node *from)
{
	bool symlink = S_ISLNK(from->attr.mode);

	if (!mode_known(from->attr.mode))
		return "an unknown type of file";
	if (symlink ? !from->target_length || memchr(from->target, '\0', from->target_length)
		    : from->target_length != 0)
		return "an illegal symbolic link";
	if ((from->zf || from->md5) && !S_ISREG(from->attr.mode))
		return "contents of something that has none";
	if (S_ISREG(from->attr.mode) && from->attr.size > FILE_SIZE_LIMIT)
		return "an impossible size";
	return NULL;
}

static int node_fill(struct node *node, const struct verb_node *from, struct reason *why)
{
	uint32_t type = from->attr.mode & S_IFMT;

	node->attr = from->attr;
	node->parent = from->parent ? from->parent : ROOT_INO;
	if (type != S_IFREG)
		node->attr.size = type == S_IFLNK ? from->target_length : 0;
	if (type != S_IFCHR && type != S_IFBLK)
		node->attr.rdev = 0;
	if ((from->target_length && blob_set(&node->target, from->target, from->target_length) < 0) ||
	    (from->md5 && blob_set(&node->md5, from->md5, MD5_LENGTH) < 0) ||
	    (from->zf && blob_set(&node->zf, from->zf, from->zf_length) < 0))
		return reason_set(why, ENOMEM, "No memory for a file of the disc");
	return 0;
}

static int import_again(struct import *import, const struct verb_node *from, struct reason *why)
{
	int err = import->sink->link(import->self, from->attr.ino, from->parent, from->name,
				     from->name_length, why);

	return err < 0 ? reason_set(why, -err, "Can't keep the disc's tree: %s", strerror(-err)) : 0;
}

static int import_node(struct import *import, struct msg *msg, struct reason *why)
{
	struct verb_node from;
	const char *wrong;
	int err = import_hand_on(import, why);

	if (err < 0)
		return err;
	if (!get_node(msg, &from))
		return import_error(import, why, "a malformed entry");
	if (import->names++ >= NODES_LIMIT)
		return reason_set(why, EFBIG, "The disc claims more than %u files", NODES_LIMIT);
	wrong = place_wrong(import, &from);
	if (wrong)
		return import_error(import, why, wrong);
	import->again = from.again;
	if (from.again)
		return import_again(import, &from, why);
	wrong = node_wrong(&from);
	if (wrong)
		return import_error(import, why, wrong);
	err = import_remember(import, S_ISDIR(from.attr.mode) ? KIND_DIRECTORY : KIND_OTHER, why);
	if (err < 0)
		return err;
	import->parent = from.parent;
	import->name_length = from.name_length;
	if (from.name_length)
		memcpy(import->name, from.name, from.name_length);
	import->xattrs = 0;
	import->pending = true;
	return node_fill(&import->node, &from, why);
}

static bool xattr_name_legal(const char *name, size_t length)
{
	const char *dot = memchr(name, '.', length);

	return dot && dot > name && dot + 1 < name + length && !memchr(name, '\0', length);
}

static int import_xattr(struct import *import, struct msg *msg, struct reason *why)
{
	struct blob *set = &import->node.xattrs;
	struct verb_xattr from;
	struct xattr_view old;
	char name[NAME_LIMIT + 1];
	int err;

	if (!import->pending || import->again || !get_xattr(msg, &from))
		return import_error(import, why, "a malformed extended attribute");
	if (!xattr_name_legal(from.name, from.name_length))
		return import_error(import, why, "an illegal name of an extended attribute");
	if (++import->xattrs > XATTR_COUNT_LIMIT || set->length + from.value_length > XATTR_BYTES_LIMIT)
		return import_error(import, why, "too many extended attributes");
	memcpy(name, from.name, from.name_length);
	name[from.name_length] = '\0';
	if (xattr_set_find(set, name, &old))
		return import_error(import, why, "the same extended attribute twice");
	err = xattr_set_put(set, name, from.value, from.value_length);
	return err < 0 ? reason_set(why, -err, "No memory for a file's extended attributes") : 0;
}

static int import_extent(struct import *import, struct msg *msg, struct reason *why)
{
	struct extent_map *map = &import->node.map;
	const struct extent *last = map->count ? &map->items[map->count - 1] : NULL;
	struct extent from;

	if (!import->pending || import->again || !get_extent(msg, &from))
		return import_error(import, why, "a malformed extent");
	if (!S_ISREG(import->node.attr.mode) || from.kind != EXTENT_DISC)
		return import_error(import, why, "contents of something that has none");
	if (!range_within(from.origin, from.length, import->medium_bytes))
		return import_error(import, why, "contents beyond the end of the medium");
	if (!range_within(from.offset, from.length, round_up(import->node.attr.size, SECTOR)))
		return import_error(import, why, "contents beyond the end of a file");
	if (last && from.offset < last->offset + last->length)
		return import_error(import, why, "contents that overlap");
	if (map->count >= EXTENTS_LIMIT)
		return import_error(import, why, "a file in too many pieces");
	if (extent_map_set(map, &from) < 0)
		return reason_set(why, ENOMEM, "No memory for a file's extents");
	return 0;
}

static int import_lost(struct import *import, struct msg *msg, struct reason *why)
{
	const struct import_sink *sink = import->sink;
	AUTO_TEXT struct text line = { 0 };
	enum loss loss;
	char said[480];
	int err;

	if (!get_lost(msg, &loss, said, sizeof said) || (loss == LOSS_PART && !sink->lost) ||
	    import->losses++ >= NODES_LIMIT)
		return import_error(import, why, "an unexpected message");
	if (loss == LOSS_DOUBT && !sink->doubt)
		return 0;
	text_add_escaped(&line, said, strlen(said));
	err = line.failed || !line.data
		  ? -ENOMEM
		  : (loss == LOSS_DOUBT ? sink->doubt : sink->lost)(import->self, line.data, why);
	return err < 0
		   ? reason_set(why, -err, "Can't keep what is lost of the disc's tree: %s", strerror(-err))
		   : 0;
}

/* 1 when the tree is complete, 0 when more comes. */
static int import_message(struct import *import, struct msg *msg, struct verb_imported *ret,
			  struct reason *why)
{
	struct verb_imported imported;
	int err;

	switch (msg->verb) {
	case VERB_NODE:
		return import_node(import, msg, why);
	case VERB_XATTR:
		return import_xattr(import, msg, why);
	case VERB_EXTENT:
		return import_extent(import, msg, why);
	case VERB_LOST:
		return import_lost(import, msg, why);
	case VERB_IMPORTED:
		break;
	default:
		return import_error(import, why, "an unexpected message");
	}
	if (!get_imported(msg, &imported) || imported.nodes != import->nodes || !import->nodes)
		return import_error(import, why, "a wrong count of files");
	err = import_hand_on(import, why);
	if (err < 0)
		return err;
	*ret = imported;
	return 1;
}

/* A file in memory. */
static int fd_of_bytes(const struct blob *bytes)
{
	int fd = memfd_create("discfs-head", MFD_CLOEXEC);
	int err = fd < 0 ? -errno : fd_pwrite_full(fd, bytes->data, bytes->length, 0);

	if (err < 0 && fd >= 0)
		close(fd);
	return err < 0 ? err : fd;
}

static int import_talk(struct child *child, int fd, const struct verb_job *job, struct import *import,
		       struct verb_imported *ret, struct reason *why)
{
	int fds[] = { fd, import->sink->head ? fd_of_bytes(import->sink->head) : -1 };
	AUTO_CLOSE int head = fds[1];
	struct msg msg;
	int err;

	if (import->sink->head && head < 0)
		return reason_set(why, -head, "Can't hand the disc's old head over: %s", strerror(-head));
	put_job(&msg, job);
	/* A worker that dies at once has its reason told by the receive below. */
	err = link_send_fds(&child->link, &msg, fds, head < 0 ? 1 : 2);
	if (err < 0 && err != -EPIPE)
		return reason_set(why, -err, "Can't talk to the import worker: %s", strerror(-err));
	do {
		err = child_receive(child, &msg, why);
		if (!err)
			err = import_message(import, &msg, ret, why);
	} while (!err);
	return err < 0 ? err : 0;
}

int import_run(int fd, const char *path, uint64_t session, uint64_t limit, uint32_t format,
	       const struct import_sink *sink, void *self, struct verb_imported *ret, struct reason *why)
{
	CLEANUP(import_clear) struct import import = { .sink = sink, .self = self };
	struct verb_job job = { .session = session,
				.limit = limit,
				.format = format,
				.own = sink->own,
				.front = sink->front,
				.damaged = sink->lost != NULL };
	struct child child = { 0 };
	struct verb_imported imported;
	int err;

	if (strlen(path) >= sizeof job.path)
		return reason_set(why, ENAMETOOLONG, "The path of the medium is too long");
	memcpy(job.path, path, strlen(path));
	import.medium_bytes = min_u64(limit, UINT32_MAX + 1ull) * SECTOR;
	err = child_start(&child, "import", why);
	if (err < 0)
		return err;
	child.link.timeout_ms = IMPORT_TIMEOUT_MS;
	err = import_talk(&child, fd, &job, &import, &imported, why);
	if (err < 0) {
		child_kill(&child);
		child_finish(&child, NULL);
		return err;
	}
	err = child_finish(&child, why);
	if (err < 0)
		return err;
	*ret = imported;
	return 0;
}
