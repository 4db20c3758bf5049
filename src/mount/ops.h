/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FUSE operations, by the file that holds them. */
#pragma once

#include "mount/mount.h"

/* ops_name.c */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned flags);
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);

/* ops_dir.c */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);

/* ops_file.c */
/* The handle of a file that was opened or created: takes the reference; file_closed gives it back. */
void file_opened(struct fuse_file_info *fi, struct inode *inode);
void file_closed(struct tree *tree, const struct fuse_file_info *fi);
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	      struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		  struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, struct fuse_file_info *from_fi,
			fuse_ino_t to, off_t offset, struct fuse_file_info *to_fi, size_t length, int flags);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi);

/* ops_attr.c */
void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi);
/* For how long the kernel may take them for true: not at all where it should ask before it caches a write.
 */
double attr_timeout(struct tree *tree, const struct node_attr *attr);
void op_readlink(fuse_req_t req, fuse_ino_t ino);
void op_statfs(fuse_req_t req, fuse_ino_t ino);

/* ops_xattr.c */
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* virtual.c: the same for .discfs and what is in it; called by the above. */
bool virtual_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
/* What is in .discfs: names with small numbers, and the kernel's numbers for those. The root doesn't list
 * .discfs itself, so nothing that copies or compares the tree comes here. */
int virtual_list(tree_entry_fn *entry, void *self);
fuse_ino_t virtual_listed(uint64_t number);
void virtual_getattr(fuse_req_t req, fuse_ino_t ino);
void virtual_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void virtual_read(fuse_req_t req, size_t size, off_t offset, const struct fuse_file_info *fi);
void virtual_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size);
void virtual_release(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi);
/* Answers a look-up of .discfs itself or of one of its own names. */
void virtual_reply(fuse_req_t req, fuse_ino_t ino);
