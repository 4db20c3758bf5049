# SPDX-License-Identifier: GPL-2.0-or-later
"""Opening and creating: flags, modes, umask, what can't be opened."""
import os

import calls
from core import AM_ROOT, OTHER, Group, as_user, get, kind_of, links_of, mode_of, names, opened, put, said, size_of

group = Group("create")
NEW = os.O_CREAT | os.O_WRONLY


@group.check
def new_file():
    opened("f", NEW)
    return kind_of("f"), mode_of("f"), size_of("f"), links_of("f")


@group.check(fixture={"f": b"text"})
def exclusive_on_a_file():
    opened("f", NEW | os.O_EXCL)


@group.check(fixture={"l": "nowhere"})
def exclusive_on_a_dangling_link():
    return said(opened, "l", NEW | os.O_EXCL), names()


@group.check(fixture={"d/": None})
def exclusive_on_a_dir():
    opened("d", NEW | os.O_EXCL)


@group.check(fixture={"l": "there"})
def through_a_dangling_link():
    opened("l", NEW)
    return names(), kind_of("there")


@group.check(fixture={"f": b"text"})
def truncate_on_open():
    opened("f", os.O_WRONLY | os.O_TRUNC)
    return size_of("f")


@group.check(fixture={"f": b"text"})
def truncate_on_read_only_open():
    opened("f", os.O_RDONLY | os.O_TRUNC)
    return size_of("f")


@group.check(fixture={"d/": None})
def dir_for_writing():
    return said(opened, "d", os.O_WRONLY), said(opened, "d", os.O_RDWR), said(opened, "d", os.O_CREAT)


@group.check(fixture={"d/": None})
def dir_with_truncate():
    opened("d", os.O_RDONLY | os.O_TRUNC)


@group.check(fixture={"d/": None, "f": b"", "l": "d"})
def o_directory():
    return [said(opened, name, os.O_RDONLY | os.O_DIRECTORY) for name in ("d", "f", "l", "none")]


@group.check(fixture={"f": b""})
def o_directory_with_create():
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CREAT
    return said(opened, "f", flags), said(opened, "new", flags), names()


@group.check(fixture={"f": b"", "l": "f", "d/": None, "m": "d"})
def o_nofollow():
    flags = os.O_RDONLY | os.O_NOFOLLOW
    return [said(opened, name, flags) for name in ("f", "l", "d", "m", "m/.")]


@group.check(fixture={"l": "f", "f": b"x"})
def o_nofollow_with_create():
    return said(opened, "l", NEW | os.O_NOFOLLOW)


@group.check(fixture={"f": b"text", "l": "f"})
def o_path():
    fd = os.open("l", os.O_PATH | os.O_NOFOLLOW)
    told = [said(os.read, fd, 1), said(os.fchmod, fd, 0o600), said(os.readlink, "", dir_fd=fd)]
    fd = os.open("f", os.O_PATH)
    return told, os.fstat(fd).st_size, said(os.write, fd, b"x"), said(get, "/proc/self/fd/%d" % fd)


@group.check
def o_path_without_permission():
    put("f", b"text", 0o000)
    fd = os.open("f", os.O_PATH)
    return os.fstat(fd).st_size


@group.check
def o_tmpfile():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
    os.write(fd, b"text")
    st = os.fstat(fd)
    return st.st_nlink, "%o" % st.st_mode, os.pread(fd, 10, 0), names()


@group.check
def o_tmpfile_linked():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
    os.write(fd, b"text")
    calls.linkat(calls.AT_FDCWD, "/proc/self/fd/%d" % fd, "f", calls.AT_SYMLINK_FOLLOW)
    return get("f"), mode_of("f"), os.fstat(fd).st_nlink


@group.check
def o_tmpfile_exclusive_linked():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o640)
    calls.linkat(calls.AT_FDCWD, "/proc/self/fd/%d" % fd, "f", calls.AT_SYMLINK_FOLLOW)


@group.check
def o_tmpfile_read_only():
    opened(".", os.O_TMPFILE | os.O_RDONLY)


@group.check(fixture={"f": b""})
def o_tmpfile_on_a_file():
    opened("f", os.O_TMPFILE | os.O_RDWR)


@group.check(fixture={"f": b"one"})
def o_append():
    fd = os.open("f", os.O_WRONLY | os.O_APPEND)
    os.write(fd, b"two")
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"three")
    return get("f"), os.lseek(fd, 0, os.SEEK_CUR)


@group.check
def o_sync():
    fd = os.open("f", NEW | os.O_SYNC)
    os.write(fd, b"text")
    fd = os.open("f", os.O_WRONLY | os.O_DSYNC | os.O_APPEND)
    os.write(fd, b"more")
    return get("f")


@group.check
def o_direct():
    fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    import mmap

    block = mmap.mmap(-1, 8192)
    block.write(b"a" * 8192)
    told = os.write(fd, block), size_of("f")
    block[:] = b"\0" * 8192
    return told, os.preadv(fd, [block], 0), sum(block[:]), said(os.fstat, fd) != ""


@group.check
def o_noatime():
    put("f", b"x")
    return said(opened, "f", os.O_RDONLY | os.O_NOATIME)


@group.check(root=True)
def o_noatime_of_others():
    put("f", b"x")
    os.chmod(".", 0o755)
    return as_user(opened, os.path.abspath("f"), os.O_RDONLY | os.O_NOATIME)


@group.check(fixture={"f": b"x"})
def flags_told_by_fcntl():
    import fcntl

    fd = os.open("f", os.O_RDWR | os.O_APPEND | os.O_NONBLOCK)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, 0)
    os.write(fd, b"y")
    return [bool(flags & bit) for bit in (os.O_RDWR, os.O_APPEND, os.O_NONBLOCK)], get("f")


@group.check(fixture={"f": b"x"})
def append_set_later():
    import fcntl

    fd = os.open("f", os.O_RDWR)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    os.write(fd, b"yz")
    return get("f")


def mode_with(mask, mode):
    def check():
        os.umask(mask)
        os.close(os.open("f", NEW, mode))
        os.mkdir("d", mode)
        os.mkfifo("p", mode)
        return mode_of("f"), mode_of("d"), mode_of("p")

    return check


for mask in (0o000, 0o022, 0o027, 0o077, 0o777):
    group.add("umask-%03o" % mask, mode_with(mask, 0o777))
for mode in (0o0000, 0o0200, 0o0444, 0o0666, 0o1777, 0o2755, 0o4755, 0o7777):
    group.add("mode-%04o" % mode, mode_with(0o022, mode))


@group.check
def mode_000_and_the_maker_writes():
    fd = os.open("f", NEW, 0o000)
    os.write(fd, b"text")
    os.close(fd)
    return size_of("f"), said(opened, "f")


@group.check(fixture={"f": b"x"})
def on_an_existing_file_keeps_its_mode():
    os.chmod("f", 0o604)
    opened("f", NEW, 0o777)
    return mode_of("f")


@group.check
def in_nothing():
    return said(opened, "none/f", NEW), said(opened, "", NEW), said(opened, "")


@group.check(fixture={"f": b""})
def below_a_file():
    return said(opened, "f/x", NEW), said(opened, "f/", os.O_RDONLY), said(opened, "f/.", os.O_RDONLY)


@group.check
def trailing_slash():
    return said(opened, "f/", NEW), said(opened, "f/", os.O_RDONLY), names()


@group.check
def dot_names():
    return (
        said(opened, ".", NEW),
        said(opened, "..", NEW),
        said(opened, "./f", NEW),
        said(opened, "../o-path/../x/y", NEW),
    )


@group.check(fixture={"d/": 0o555})
def in_a_read_only_dir():
    return said(opened, "d/f", NEW)


@group.check(fixture={"d/": 0o666, "d/f": b"x"} if AM_ROOT else {"d/": None})
def in_a_dir_without_search():
    os.chmod("d", 0o666)
    return said(opened, "d/f"), said(opened, "d/g", NEW)


@group.check
def in_a_removed_dir():
    os.mkdir("d")
    os.chdir("d")
    os.rmdir("../d")
    return said(opened, "f", NEW), said(os.mkdir, "e"), said(os.symlink, "x", "l"), said(names), said(os.getcwd)


@group.check
def executable_open_for_writing():
    put("f", b"#!/bin/sh\n", 0o755)
    return said(opened, "f", os.O_WRONLY)


@group.check(root=True)
def owner_is_who_makes():
    os.chmod(".", 0o777)

    def deed():
        put("f")
        os.mkdir("d")
        os.symlink("x", "l")
        return [os.lstat(name).st_uid == OTHER and os.lstat(name).st_gid == OTHER for name in ("f", "d", "l")]

    return as_user(deed)


@group.check(root=True)
def opened_before_the_mode_changed():
    put("f", b"text", 0o644)
    os.chmod(".", 0o755)

    def deed():
        fd = os.open("f", os.O_RDONLY)
        return fd

    fd = os.open("f", os.O_RDWR)
    os.chmod("f", 0)
    return as_user(lambda: (os.pread(fd, 4, 0), os.pwrite(fd, b"T", 0), said(deed)))
