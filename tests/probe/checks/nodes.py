# SPDX-License-Identifier: GPL-2.0-or-later
"""Fifos, sockets and devices; what stat, statx and statfs say; ioctls; paths through descriptors; openat2."""
import fcntl
import os
import socket
import stat
import struct
import time

import calls
from core import Group, as_user, get, kind_of, mode_of, names, opened, put, said, size_of

group = Group("nodes")
KINDS = {"f": b"0123456789", "d/": None, "d/g": b"inner", "l": "f", "p": os.mkfifo}


@group.check(fixture={"p": os.mkfifo})
def fifo_between_two():
    child = os.fork()
    if child == 0:
        os.write(os.open("p", os.O_WRONLY), b"through")
        os._exit(0)
    told = get("p")
    os.waitpid(child, 0)
    return told, size_of("p")


@group.check(fixture={"p": os.mkfifo})
def fifo_without_a_reader():
    return (
        said(opened, "p", os.O_WRONLY | os.O_NONBLOCK),
        said(opened, "p", os.O_RDONLY | os.O_NONBLOCK),
        said(os.truncate, "p", 0),
    )


@group.check(fixture={"p": os.mkfifo})
def fifo_renamed_while_open():
    fd = os.open("p", os.O_RDWR)
    os.rename("p", "q")
    os.write(os.open("q", os.O_WRONLY), b"x")
    return os.read(fd, 5), kind_of("q")


@group.check
def socket_in_the_dir():
    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect("s")
    peer, _ = server.accept()
    client.sendall(b"hello")
    told = peer.recv(9), kind_of("s"), mode_of("s")
    again = socket.socket(socket.AF_UNIX)
    server.close()
    return (
        told,
        said(again.bind, "s"),
        said(again.connect, "s"),
        said(opened, "s"),
        said(os.unlink, "s"),
        said(again.connect, "s"),
    )


@group.check
def socket_renamed():
    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    os.rename("s", "t")
    client = socket.socket(socket.AF_UNIX)
    client.connect("t")
    return kind_of("t"), said(socket.socket(socket.AF_UNIX).connect, "s")


def devices():
    for name, kind, device in (
        ("null", 0o020666, (1, 3)),
        ("big", 0o020600, (0xFFF, 0xFFFFF)),
        ("loop", 0o060640, (7, 9)),
        ("zero", 0o020644, (0, 0)),
    ):
        os.mknod(name, kind, os.makedev(*device))
        os.chmod(name, kind & 0o777)


@group.check(root=True, fixture=devices)
def device_numbers():
    return [
        (name, kind_of(name), os.major(os.lstat(name).st_rdev), os.minor(os.lstat(name).st_rdev), mode_of(name))
        for name in names()
    ]


@group.check(root=True, fixture=devices)
def device_opened():
    fd = os.open("null", os.O_RDWR)
    return said(os.write, fd, b"x"), os.read(fd, 5), said(opened, "zero"), said(opened, "big")


@group.check(root=True, fixture=devices)
def device_changed():
    os.chmod("null", 0o600)
    os.chown("null", 5, 6)
    os.rename("null", "none")
    os.link("none", "other")
    st = os.stat("other")
    return st.st_uid, st.st_nlink, os.major(st.st_rdev), os.minor(st.st_rdev), mode_of("other")


@group.check
def mknod_by_self():
    return (
        said(os.mknod, "r", 0o100644),
        said(os.mknod, "p", 0o010644),
        said(os.mknod, "s", 0o140644),
        said(os.mknod, "c", 0o020644, os.makedev(1, 3)),
        said(os.mknod, "b", 0o060644, os.makedev(7, 0)),
        said(os.mknod, "d", 0o040755),
        said(os.mknod, "l", 0o120777),
        said(os.mknod, "w", 0o160000),
        names(),
    )


@group.check(root=True)
def mknod_by_others():
    os.chmod(".", 0o777)
    return as_user(
        lambda: [
            said(os.mknod, "n%o" % kind, kind | 0o644, os.makedev(1, 3))
            for kind in (0o100000, 0o010000, 0o140000, 0o020000, 0o060000)
        ]
    )


@group.check
def mknod_exists():
    os.mkfifo("p")
    return said(os.mkfifo, "p"), said(os.mkfifo, "none/p"), said(os.mkfifo, "p/q"), said(os.mknod, "p", 0o100644)


@group.check(root=True)
def whiteout_device():
    """overlayfs' deleted entries: a character device 0:0, which anybody may make."""
    os.chmod(".", 0o777)
    return as_user(os.mknod, "w", 0o020000, 0), kind_of("w")


# --- stat, statx, statfs ---


@group.check(fixture=KINDS)
def stat_of_each():
    told = []
    for name in sorted(KINDS):
        st = os.lstat(name.rstrip("/"))
        told.append(
            (
                name,
                "%o" % st.st_mode,
                st.st_nlink,
                st.st_size if not stat.S_ISDIR(st.st_mode) else "-",
                st.st_uid == os.getuid(),
                st.st_gid == os.getgid(),
            )
        )
    return told


@group.check(fixture=KINDS)
def stat_by_descriptor_and_name_agree():
    told = []
    for name in ("f", "d"):
        fd = os.open(name, os.O_RDONLY)
        told.append(os.fstat(fd)[:7] == os.stat(name)[:7])
    return (
        told,
        os.stat("f").st_dev == os.stat("d").st_dev,
        os.stat("f").st_ino != os.stat("d").st_ino,
        os.stat("d/.").st_ino == os.stat("d").st_ino,
    )


@group.check(fixture=KINDS)
def statx_mask():
    """The basic bits; a birth time isn't everywhere."""
    return ["%x" % (calls.statx(name, 0x7FF)["mask"] & 0x7FF) for name in ("f", "d", "l")]


@group.check(fixture=KINDS)
def statx_birth_time():
    return "%x" % (calls.statx("f", 0xFFF)["mask"] & 0x800)


@group.check(fixture=KINDS)
def statx_fields():
    info = calls.statx("f", 0x7FF)
    st = os.stat("f")
    return (
        info["nlink"],
        "%o" % info["mode"],
        info["size"],
        info["ino"] == st.st_ino,
        info["blocks"] == st.st_blocks,
        info["blksize"] == st.st_blksize,
        info["attributes"] & 0x74,
    )


@group.check(fixture=KINDS)
def statx_flags():
    return (
        said(lambda: calls.statx("f", 0x7FF, 0x2000)["size"]),
        said(lambda: calls.statx("f", 0x7FF, 0x4000)["size"]),
        said(lambda: calls.statx("f", 0x7FF, 0x6000)["size"]),
        said(lambda: calls.statx("f", 0x80000000)["size"]),
        said(lambda: calls.statx("", 0x7FF)["size"]),
    )


@group.check(fixture=KINDS)
def statx_of_a_written_file_without_sync():
    fd = os.open("f", os.O_WRONLY | os.O_APPEND)
    os.write(fd, b"more")
    return calls.statx("f", 0x7FF, 0x4000)["size"], calls.statx("f", 0x7FF, 0x2000)["size"]


@group.check
def statvfs_is_sane():
    vfs = os.statvfs(".")
    return (
        vfs.f_bsize in (512, 1024, 2048, 4096),
        vfs.f_frsize in (512, 1024, 2048, 4096),
        vfs.f_blocks >= vfs.f_bfree >= vfs.f_bavail > 0,
        vfs.f_ffree > 0,
        vfs.f_files >= vfs.f_ffree,
        vfs.f_favail <= vfs.f_ffree,
        vfs.f_namemax,
    )


@group.check
def statvfs_of_each_name_is_the_same():
    os.mkdir("d")
    put("d/f", b"x")
    return [os.statvfs(name).f_blocks == os.statvfs(".").f_blocks for name in ("d", "d/f")], os.fstatvfs(
        os.open("d", os.O_RDONLY)
    ).f_namemax


@group.check
def pathconf():
    return [
        said(os.pathconf, ".", word)
        for word in ("PC_NAME_MAX", "PC_PATH_MAX", "PC_PIPE_BUF", "PC_NO_TRUNC", "PC_CHOWN_RESTRICTED", "PC_SYNC_IO")
    ]


# --- ioctls ---


@group.check(fixture=KINDS)
def inode_flags():
    fd = os.open("f", os.O_RDONLY)
    return said(lambda: fcntl.ioctl(fd, 0x80086601, b"\0" * 8) and None), said(
        lambda: fcntl.ioctl(fd, 0x801C581F, b"\0" * 28) and None
    )


@group.check(fixture=KINDS)
def immutable_flag_set():
    fd = os.open("f", os.O_RDONLY)
    told = said(fcntl.ioctl, fd, 0x40086602, struct.pack("q", 0x10))
    told2 = said(os.unlink, "f")
    said(fcntl.ioctl, fd, 0x40086602, struct.pack("q", 0))
    return told != "ok", told2


@group.check(fixture=KINDS)
def ioctls_of_files():
    fd = os.open("f", os.O_RDONLY)
    os.read(fd, 3)
    return (
        struct.unpack("i", fcntl.ioctl(fd, 0x541B, b"\0" * 4)),
        said(fcntl.ioctl, fd, 0x5401, b"\0" * 64),
        said(fcntl.ioctl, fd, 0x7A63, 0),
        said(lambda: fcntl.ioctl(fd, 2, b"\0" * 4) and None),
    )


@group.check(fixture={"f": b"x" * 100000})
def extents_told():
    """FIEMAP and FIBMAP: tools fall back to SEEK_DATA."""
    fd = os.open("f", os.O_RDONLY)
    return said(lambda: fcntl.ioctl(fd, 0xC020660B, struct.pack("QQIIII", 0, 2**63, 1, 0, 0, 0)) and None)


# --- paths through descriptors ---


@group.check(fixture=KINDS)
def proc_self_fd():
    fd = os.open("f", os.O_RDONLY)
    path = "/proc/self/fd/%d" % fd
    told = get(path), os.path.basename(os.readlink(path)), said(opened, path, os.O_RDWR)
    os.truncate(path, 3)
    os.chmod(path, 0o600)
    return told, size_of("f"), mode_of("f")


@group.check(fixture=KINDS)
def at_calls_on_a_dir():
    fd = os.open("d", os.O_RDONLY)
    path_fd = os.open("d", os.O_PATH)
    os.mkdir("sub", dir_fd=fd)
    os.symlink("g", "link", dir_fd=path_fd)
    os.rename("g", "h", src_dir_fd=fd, dst_dir_fd=path_fd)
    os.unlink("link", dir_fd=fd)
    return (
        names("d"),
        os.stat("h", dir_fd=path_fd).st_size,
        said(os.mkdir, "x", dir_fd=os.open("f", os.O_RDONLY)),
        said(os.listdir, path_fd),
    )


@group.check(fixture=KINDS)
def empty_path():
    fd = os.open("f", os.O_PATH)
    return (
        os.stat(fd).st_size,
        said(os.chown, fd, -1, -1),
        said(calls.linkat, fd, "", "d/new", calls.AT_EMPTY_PATH),
        names("d"),
    )


RESOLVE = {"no-xdev": 1, "no-magiclinks": 2, "no-symlinks": 4, "beneath": 8, "in-root": 16, "cached": 32}


def resolved(how):
    def check():
        os.symlink("../f", "d/up")
        os.symlink("/f", "d/top")
        dir_fd = os.open("d", os.O_PATH)

        def attempt(path, fd=calls.AT_FDCWD):
            for _ in range(100):
                try:
                    return os.close(calls.openat2(path, os.O_RDONLY, how, 0, fd))
                except BlockingIOError:  # somebody renamed something, anywhere on this machine
                    time.sleep(0.001)
            raise TimeoutError

        return [said(attempt, path) for path in ("f", "l", "d/g", "d/up", "/proc/self/exe")], [
            said(attempt, path, dir_fd) for path in ("g", "up", "../f", "top", "/g")
        ]

    return check


for word, how in RESOLVE.items():
    if word != "cached":
        group.add("openat2-" + word, resolved(how), KINDS)


@group.check(fixture=KINDS)
def openat2_cached():
    get("f")
    return said(lambda: os.close(calls.openat2("f", os.O_RDONLY, RESOLVE["cached"]))) in ("ok", "EAGAIN")


@group.check(fixture=KINDS)
def openat2_refuses():
    return (
        said(calls.openat2, "f", os.O_RDONLY, 0x1000),
        said(calls.openat2, "f", os.O_RDONLY, 0, 0o777),
        said(calls.openat2, "new", os.O_CREAT | os.O_WRONLY, 0, 0o10000),
        said(calls.openat2, "f", 1 << 40),
        said(lambda: os.close(calls.openat2("new", os.O_CREAT | os.O_WRONLY, 0, 0o640))),
        mode_of("new"),
    )
