/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/session.h"

#include "base/log.h"
#include "mount/device.h"
#include "mount/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WRITE   (1u << 20)
#define BLOCK	    4096u /* what files seem to be made of, as on other file systems */
#define READ_AHEAD  (4u << 20)
#define MAX_THREADS 32 /* some of them may wait for a commit */

struct mount *mount_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

struct tree *tree_of(fuse_req_t req)
{
	return &mount_of(req)->disc.tree;
}

bool is_virtual(fuse_ino_t ino)
{
	return ino >= VIRTUAL_BASE;
}

bool is_past(fuse_ino_t ino)
{
	return ino >= VIRTUAL_BASE + (1ull << PAST_BITS);
}

bool may_control(fuse_req_t req)
{
	uid_t caller = fuse_req_ctx(req)->uid;

	return caller == 0 || caller == mount_of(req)->owner;
}

void reply_err(fuse_req_t req, int err)
{
	fuse_reply_err(req, -err);
}

static struct timespec time_of(int64_t ns)
{
	int64_t sec = ns / NS_PER_SEC, rest = ns % NS_PER_SEC;

	return (struct timespec){ .tv_sec = sec - (rest < 0), .tv_nsec = rest + (rest < 0 ? NS_PER_SEC : 0) };
}

void stat_fill(struct stat *st, const struct node_attr *attr)
{
	*st = (struct stat){
		.st_ino = attr->ino,
		.st_mode = attr->mode,
		.st_nlink = attr->nlink,
		.st_uid = attr->uid,
		.st_gid = attr->gid,
		.st_rdev = attr->rdev,
		.st_size = (off_t)attr->size,
		.st_blksize = BLOCK,
		.st_blocks = (blkcnt_t)(round_up(attr->stored, BLOCK) / 512),
		.st_atim = time_of(attr->atime_ns),
		.st_mtim = time_of(attr->mtime_ns),
		.st_ctim = time_of(attr->ctime_ns),
	};
}

void entry_fill(struct fuse_entry_param *entry, const struct node_attr *attr)
{
	*entry = (struct fuse_entry_param){
		.ino = attr->ino,
		.generation = 1,
		.attr_timeout = ATTR_TIMEOUT,
		.entry_timeout = ATTR_TIMEOUT,
	};
	stat_fill(&entry->attr, attr);
}

void reply_entry(fuse_req_t req, const struct node_attr *attr)
{
	struct fuse_entry_param entry;

	entry_fill(&entry, attr);
	fuse_reply_entry(req, &entry);
}

/* What pays was measured: see docs/architecture.md. We drop setuid bits ourselves (see killpriv.h); the
 * kernel asks us for ACLs, and leaves the umask to us, since default ACLs overrule it. */
static void op_init(void *self, struct fuse_conn_info *conn)
{
	const struct mount *mount = self;
	static const unsigned wanted = FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK |
				       FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
				       FUSE_CAP_READDIRPLUS | FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_ASYNC_READ |
				       FUSE_CAP_ATOMIC_O_TRUNC;
	static const unsigned unwanted = FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_AUTO_INVAL_DATA |
					 FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
					 FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;

	conn->want |= conn->capable & wanted;
	conn->want &= ~unwanted;
	/* What the kernel doesn't wait for itself it sends a dozen at a time: as many reads ahead that wait
	 * for a drive would keep all other files from being read, and written. And no signal ends such a
	 * read. */
	if (disc_burns_blind(&mount->disc))
		conn->want &= ~(unsigned)(FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO);
	conn->max_write = MAX_WRITE;
	conn->max_readahead = READ_AHEAD;
	conn->time_gran = 1;
}

static const struct fuse_lowlevel_ops operations = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.fallocate = op_fallocate,
	.copy_file_range = op_copy_file_range,
	.lseek = op_lseek,
};

static void forget_name(void *self, uint64_t parent, const char *name, size_t length)
{
	fuse_lowlevel_notify_inval_entry(self, parent, name, length);
}

static void forget_inode(void *self, uint64_t ino)
{
	fuse_lowlevel_notify_inval_inode(self, ino, 0, 0);
}

/* The word that stands for this mount in mount(8)'s list; commas would end an option. fsname must not begin
 * with /dev/, or gvfs hands the unmounting to udisks. */
static void add_fsname(struct text *arg, const char *source)
{
	text_add(arg, ",subtype=discfs,fsname=discfs:");
	for (; *source; source++)
		text_add(arg, *source == ',' || *source == '\\' ? "\\%c" : "%c", *source);
}

static int build_args(const struct mount *mount, const struct options *options, struct text *ret)
{
	text_add(ret, "default_permissions");
	if (mount->allow_other)
		text_add(ret, ",allow_other");
	if (mount->disc.read_only)
		text_add(ret, ",ro");
	if (options->fuse_options.data)
		text_add(ret, "%s", options->fuse_options.data);
	add_fsname(ret, mount->disc.path);
	return ret->failed ? -ENOMEM : 0;
}

/* The kernel reads 128 KiB ahead, each a round trip, and only root may raise that: cold reads take two thirds
 * of the time, and a drive seeks less. The mount mustn't be asked anything: it may be that nobody answers
 * yet. */
void session_raise_read_ahead(const char *mountpoint)
{
	struct statx info;
	char path[64];
	int fd AUTO_CLOSE = -1;

	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &info) < 0)
		return;
	snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", info.stx_dev_major,
		 info.stx_dev_minor);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		dprintf(fd, "%u", READ_AHEAD >> 10);
}

int session_mount(struct mount *mount, const struct options *options, struct reason *why)
{
	struct text words AUTO_TEXT = { 0 };
	char program[] = "discfs", dash_o[] = "-o", debug[] = "-d";
	char *argv[] = { program, dash_o, NULL, debug, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(options->debug ? 4 : 3, argv);

	if (build_args(mount, options, &words) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	argv[2] = words.data;
	mount->session = fuse_session_new(&args, &operations, sizeof operations, mount);
	fuse_opt_free_args(&args);
	if (!mount->session)
		return reason_set(why, EINVAL, "FUSE refused the mount options %s", words.data);
	mount->placed = options->place != NULL;
	if (fuse_session_mount(mount->session, mount->placed ? options->place : options->mountpoint) != 0)
		return reason_set(why, EPERM, "%s can't be mounted on %s: %s", mount->disc.path,
				  options->mountpoint,
				  access(options->mountpoint, W_OK) < 0 && errno == EACCES
				      ? "it must be a directory that you may write to"
				      : "is /dev/fuse usable, and fusermount3 installed?");
	if (device_open(mount) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	mount->caches =
	    (struct discard_sink){ .name = forget_name, .inode = forget_inode, .self = mount->session };
	mount->control.caches = &mount->caches;
	return 0;
}

int session_loop(struct mount *mount)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int ret;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
	fuse_loop_cfg_set_idle_threads(config, MAX_THREADS);
	ret = fuse_session_loop_mt(mount->session, config);
	fuse_loop_cfg_destroy(config);
	return ret;
}

/* While systemd takes an automount down, whoever looks its name up waits for that; and systemd for our end.
 */
static bool is_mounted(const struct mount *mount)
{
	struct pollfd poller = { .fd = fuse_session_fd(mount->session) };

	return poll(&poller, 1, 0) == 0 || !(poller.revents & POLLERR);
}

void session_detach(struct mount *mount)
{
	if (mount->placed && is_mounted(mount)) /* libfuse knows a name that leads nowhere by now */
		umount2(mount->control.mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW);
	mount->placed = false; /* what libfuse calls the session's descriptor isn't that any more */
	fuse_session_unmount(mount->session);
}

void session_unmount(struct mount *mount)
{
	if (!mount->session)
		return;
	session_detach(mount);
	fuse_session_destroy(mount->session);
	mount->session = NULL;
}
