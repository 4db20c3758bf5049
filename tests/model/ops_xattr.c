/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes and ACLs. All of a file's together stay below what ext4 takes (a block of 4 KiB). */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

static const char *const attributes[] = { "user.a", "user.b", "user.\xc3\xa4 long name of an attribute",
					  "trusted.t", "security.model" };
static const char *const odd_attributes[] = { "user.",		 "nonsense.a", "a",
					      "system.nonsense", ACL_ACCESS,   ACL_DEFAULT };

/* On paths, on symlinks themselves, on descriptors: n3. */
static void make_target(struct model *model, struct op *op)
{
	op->n[3] = (int64_t)below(model, 3);
	op->slot = (unsigned)below(model, SLOTS);
	if (op->n[3] < 2 && one_in(model, 2))
		pick_path(model, op->path);
	else if (op->n[3] < 2)
		pick_file(model, op->path);
	strcpy(op->path2,
	       attributes[one_in(model, 2) ? 0 : below(model, sizeof attributes / sizeof *attributes)]);
	if (one_in(model, 20))
		strcpy(op->path2,
		       odd_attributes[below(model, sizeof odd_attributes / sizeof *odd_attributes)]);
}

static int set(struct side *side, const struct op *op, const char *name, const void *value, size_t length,
	       int flags)
{
	switch (op->n[3]) {
	case 0:
		return setxattr(op->path, name, value, length, flags);
	case 1:
		return lsetxattr(op->path, name, value, length, flags);
	default:
		return fsetxattr(side->fd[op->slot], name, value, length, flags);
	}
}

/* n0: length, n1: flags, n2: bytes */
static void make_setxattr(struct model *model, struct op *op)
{
	make_target(model, op);
	op->n[0] = (int64_t)below(model, one_in(model, 4) ? 500 : 30);
	op->n[1] = one_in(model, 3) ? 1 + (int64_t)below(model, 2) : 0; /* XATTR_CREATE, XATTR_REPLACE */
	op->n[2] = (int64_t)below(model, 1 << 30);
}

static void run_setxattr(struct side *side, const struct op *op, struct result *ret)
{
	fill_bytes(side->data, (size_t)op->n[0], (uint64_t)op->n[2]);
	done(ret, set(side, op, op->path2, side->data, (size_t)op->n[0], (int)op->n[1]));
}

/* n0: room, as it need not be enough */
static void make_getxattr(struct model *model, struct op *op)
{
	make_target(model, op);
	op->n[0] = one_in(model, 3) ? (int64_t)below(model, 30) : 4096;
}

static void run_getxattr(struct side *side, const struct op *op, struct result *ret)
{
	size_t room = (size_t)op->n[0];
	ssize_t length = op->n[3] == 0	 ? getxattr(op->path, op->path2, side->data, room)
			 : op->n[3] == 1 ? lgetxattr(op->path, op->path2, side->data, room)
					 : fgetxattr(side->fd[op->slot], op->path2, side->data, room);

	done(ret, length);
	ret->data = side->data;
	ret->length = room && length > 0 ? (size_t)length : 0;
}

static void run_removexattr(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, op->n[3] == 0	  ? removexattr(op->path, op->path2)
		  : op->n[3] == 1 ? lremovexattr(op->path, op->path2)
				  : fremovexattr(side->fd[op->slot], op->path2));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names, whatever their order. */
static void run_listxattr(struct side *side, const struct op *op, struct result *ret)
{
	char names[4096], *sorted[100];
	ssize_t length = op->n[3] == 0	 ? listxattr(op->path, names, (size_t)op->n[0])
			 : op->n[3] == 1 ? llistxattr(op->path, names, (size_t)op->n[0])
					 : flistxattr(side->fd[op->slot], names, (size_t)op->n[0]);
	size_t count = 0;

	done(ret, length);
	if (op->n[0] == 0)
		return;
	for (ssize_t at = 0; at < length && count < 100; at += (ssize_t)strlen(names + at) + 1)
		sorted[count++] = names + at;
	qsort(sorted, count, sizeof *sorted, by_name);
	for (size_t i = 0; i < count; i++)
		tell(side, ret, "%s ", sorted[i]);
}

/* acl(5) in the kernel's form: version 2, then tag, permissions and id of each entry, little-endian. */
struct acl {
	unsigned char bytes[4 + 8 * 12];
	size_t length;
};

static void acl_entry(struct acl *acl, unsigned tag, unsigned permissions, uint32_t id)
{
	unsigned char *at = acl->bytes + acl->length;

	*at++ = (unsigned char)tag;
	*at++ = 0;
	*at++ = (unsigned char)permissions;
	*at++ = 0;
	for (unsigned i = 0; i < 4; i++)
		*at++ = (unsigned char)(id >> (8 * i));
	acl->length += 8;
}

enum { TAG_USER_OBJ = 1, TAG_USER = 2, TAG_GROUP_OBJ = 4, TAG_GROUP = 8, TAG_MASK = 16, TAG_OTHER = 32 };

/* n2 decides all of it; few of them are wrong. */
static struct acl acl_of(uint64_t seed)
{
	struct acl acl = { .bytes = { 2 }, .length = 4 };
	unsigned users = (unsigned)(random_next(&seed) % 3), groups = (unsigned)(random_next(&seed) % 3);
	const uint64_t draw = random_next(&seed);
	const unsigned permissions = (unsigned)random_next(&seed);

	if (draw % 40 == 0) /* empty: takes it away */
		return acl;
	acl_entry(&acl, TAG_USER_OBJ, permissions & 7, UINT32_MAX);
	for (unsigned i = 0; i < users; i++)
		acl_entry(&acl, TAG_USER, (unsigned)random_next(&seed) & 7, 1000 + i);
	acl_entry(&acl, TAG_GROUP_OBJ, permissions >> 3 & 7, UINT32_MAX);
	for (unsigned i = 0; i < groups; i++)
		acl_entry(&acl, TAG_GROUP, (unsigned)random_next(&seed) & 7, 1000 + i * 1000);
	if (((users || groups) && draw % 40 != 1) || draw % 7 == 0)
		acl_entry(&acl, TAG_MASK, permissions >> 6 & 7, UINT32_MAX);
	if (draw % 40 != 2)
		acl_entry(&acl, TAG_OTHER, permissions >> 9 & 7, UINT32_MAX);
	return acl;
}

static void make_acl(struct model *model, struct op *op)
{
	make_target(model, op);
	strcpy(op->path2, one_in(model, 2) ? ACL_ACCESS : ACL_DEFAULT);
	if (op->n[3] < 2 && strcmp(op->path2, ACL_DEFAULT) == 0)
		pick_dir(model, op->path);
	op->n[2] = (int64_t)below(model, 1 << 30);
}

static void run_acl(struct side *side, const struct op *op, struct result *ret)
{
	struct acl acl = acl_of((uint64_t)op->n[2]);

	done(ret, set(side, op, op->path2, acl.bytes, acl.length, 0));
}

const struct kind xattr_kinds[] = {
	{ .name = "setxattr", .weight = 30, .make = make_setxattr, .run = run_setxattr },
	{ .name = "getxattr", .weight = 15, .make = make_getxattr, .run = run_getxattr },
	{ .name = "removexattr", .weight = 10, .make = make_getxattr, .run = run_removexattr },
	{ .name = "listxattr", .weight = 10, .make = make_getxattr, .run = run_listxattr },
	{ .name = "acl", .weight = 12, .make = make_acl, .run = run_acl },
	{ 0 },
};
