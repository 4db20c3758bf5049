# SPDX-License-Identifier: GPL-2.0-or-later
"""Which times change by what, and how they can be set."""
import mmap
import os

import calls
from calls import UTIME_NOW, UTIME_OMIT
from core import GROUP, OTHER, THIRD, Group, as_user, build, changed, get, opened, put, said, sleep

group = Group("times")
TREE = {"f": b"0123456789", "d/": None, "d/f": b"x", "e/": None, "l": "f"}


def write_at(flags=os.O_WRONLY, data=b"x"):
    fd = os.open("f", flags)
    os.write(fd, data)
    os.close(fd)


def allocate(mode, offset=0, length=4096):
    def deed():
        fd = os.open("f", os.O_RDWR)
        calls.fallocate(fd, mode, offset, length)
        os.close(fd)

    return deed


def store_mapped():
    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, 4)
    area[0] = 65
    area.flush()
    area.close()
    os.close(fd)


def copied():
    put("e/s", b"source")
    fd, to = os.open("e/s", os.O_RDONLY), os.open("f", os.O_WRONLY)
    os.copy_file_range(fd, to, 4)
    os.close(to)


# What each deed does to these: the file f, the directories . and d and e, the link l.
DEEDS = {
    "write": write_at,
    "write-nothing": lambda: write_at(data=b""),
    "append": lambda: write_at(os.O_WRONLY | os.O_APPEND),
    "open-and-close": lambda: opened("f", os.O_RDWR),
    "open-creat": lambda: opened("f", os.O_WRONLY | os.O_CREAT),
    "open-trunc": lambda: opened("f", os.O_WRONLY | os.O_TRUNC),
    "truncate-shorter": lambda: os.truncate("f", 3),
    "truncate-longer": lambda: os.truncate("f", 100),
    "truncate-same": lambda: os.truncate("f", 10),
    "fallocate": allocate(0),
    "fallocate-inside": allocate(0, 0, 4),
    "fallocate-keep-size": allocate(calls.KEEP_SIZE, 0, 8192),
    "punch-hole": allocate(calls.PUNCH_HOLE | calls.KEEP_SIZE),
    "zero-range": allocate(calls.ZERO_RANGE),
    "mmap-write": store_mapped,
    "copy-file-range": copied,
    "chmod": lambda: os.chmod("f", 0o600),
    "chmod-same": lambda: os.chmod("f", 0o644),
    "chown-same": lambda: os.chown("f", os.getuid(), os.getgid()),
    "chown-nothing": lambda: os.chown("f", -1, -1),
    "link": lambda: os.link("f", "d/g"),
    "unlink": lambda: os.unlink("d/f"),
    "create-in-dir": lambda: put("d/new"),
    "mkdir": lambda: os.mkdir("d/new"),
    "rmdir": lambda: os.rmdir("e"),
    "symlink": lambda: os.symlink("x", "d/new"),
    "mkfifo": lambda: os.mkfifo("d/new"),
    "rename": lambda: os.rename("f", "d/g"),
    "rename-over": lambda: os.rename("d/f", "f"),
    "rename-dir": lambda: os.rename("e", "d/e"),
    "rename-same": lambda: os.rename("f", "f"),
    "exchange": lambda: calls.rename2("f", "d/f", calls.RENAME_EXCHANGE),
    "exchange-dir": lambda: calls.rename2("e", "d/f", calls.RENAME_EXCHANGE),
    "setxattr": lambda: os.setxattr("f", "user.a", b"b"),
    "setxattr-dir": lambda: os.setxattr("d", "user.a", b"b"),
    "set-acl": lambda: calls.set_acl("f", "u::rw-,u:1:r--,g::r--,m::r--,o::---"),
    "set-default-acl": lambda: calls.set_acl("d", "u::rwx,g::r-x,o::---", calls.DEFAULT),
    "utime": lambda: os.utime("f"),
    "utime-link": lambda: os.utime("l", (1, 1), follow_symlinks=False),
    "utime-omit-both": lambda: calls.utimensat("f", (0, UTIME_OMIT), (0, UTIME_OMIT)),
    "utime-omit-atime": lambda: calls.utimensat("f", (0, UTIME_OMIT), (7, 0)),
    "utime-omit-mtime": lambda: calls.utimensat("f", (7, 0), (0, UTIME_OMIT)),
    "stat": lambda: os.stat("f"),
    "access": lambda: os.access("f", os.R_OK),
    "fsync": lambda: os.fsync(os.open("f", os.O_RDWR)),
    "failed-link": lambda: os.link("f", "d"),
    "failed-rmdir": lambda: os.rmdir("d"),
    "failed-rename": lambda: os.rename("e", "d"),
    "failed-mkdir": lambda: os.mkdir("d"),
    "removexattr-of-none": lambda: os.removexattr("f", "user.none"),
}


def of_deed(deed):
    def check():
        # by descriptor, so that the file is followed wherever it goes
        fds = {name: os.open(name, os.O_RDONLY) for name in ("f", ".", "d", "e", "d/f")}
        fds["l"] = os.open("l", os.O_PATH | os.O_NOFOLLOW)
        told = []
        before = {name: os.fstat(fd) for name, fd in fds.items()}
        sleep()
        result = said(deed)
        for name, fd in fds.items():
            old, new = before[name], os.fstat(fd)
            words = [
                word
                for word in ("atime", "mtime", "ctime")
                if getattr(old, "st_%s_ns" % word) != getattr(new, "st_%s_ns" % word)
            ]
            if words:
                told.append("%s:%s" % (name, "+".join(words)))
        return told, "(%s)" % result if result.isupper() else ""

    return check


for word, deed in DEEDS.items():
    group.add("after-" + word, of_deed(deed), TREE)


@group.check(fixture=TREE)
def after_removexattr():
    os.setxattr("f", "user.a", b"b")
    return changed("f", os.removexattr, "f", "user.a")


def reading(deed):
    """With relatime, as everywhere: the first read after a change."""

    def check():
        for name in ("f", "d"):
            os.utime(name, (1000, 2000))
        return changed(["f", "d", "l"], deed)

    return check


for word, deed in (
    ("read", lambda: get("f")),
    ("listing", lambda: os.listdir("d")),
    ("readlink", lambda: os.readlink("l")),
    ("mmap-read", lambda: mmap.mmap(os.open("f", os.O_RDONLY), 4, prot=mmap.PROT_READ)[0]),
):
    group.add("atime-after-" + word, reading(deed), TREE)


@group.check(fixture=TREE)
def atime_after_reading_nothing():
    fd = os.open("f", os.O_RDONLY)
    os.utime("f", (1000, 2000))
    return changed("f", os.read, fd, 0)


@group.check(fixture=TREE)
def of_an_open_file_while_writing():
    fd = os.open("f", os.O_WRONLY)
    told = [changed("f", os.write, fd, b"x"), changed("f", os.write, fd, b"y")]
    return told, changed("f", os.close, fd)


@group.check(fixture=TREE)
def set_and_written_afterwards():
    """tar, cp -p and rsync: written, times set through the descriptor, closed."""
    fd = os.open("f", os.O_WRONLY)
    os.write(fd, b"new content")
    os.utime(fd, (1000, 2000))
    told = os.fstat(fd).st_mtime
    os.close(fd)
    sleep()
    return told, os.stat("f").st_mtime, os.stat("f").st_atime


@group.check(fixture=TREE)
def set_then_synced_and_reopened():
    calls.forget_sync_errors()
    fd = os.open("f", os.O_RDWR)
    os.write(fd, b"new")
    os.utime("f", ns=(1234567890123456789, 1234567890987654321))
    os.fsync(fd)
    os.close(fd)
    calls.syncfs(os.open(".", os.O_RDONLY))
    return os.stat("f").st_atime_ns, os.stat("f").st_mtime_ns


@group.check(fixture=TREE)
def mapped_write_changes_mtime_at_last():
    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, 4)
    os.utime("f", (1000, 1000))
    area[0] = 66
    area.flush()
    return os.stat("f").st_mtime != 1000


MOMENTS = {
    "zero": 0,
    "one-ns": 1,
    "odd-ns": 1234567890123456789,
    "before-1970": -1,
    "before-1970-ns": -1500000001,
    "year-1902": -(2**31) * 10**9 + 10**16,
    "year-2038": 2**31 * 10**9,
    "year-2100": 4102444800 * 10**9 + 5,
    "year-2106": 2**32 * 10**9,
}


def set_to(moment):
    def check():
        told = []
        for name in ("f", "d"):
            os.utime(name, ns=(moment, moment + 7))
            told += [os.stat(name).st_atime_ns == moment, os.stat(name).st_mtime_ns == moment + 7]
        os.utime("l", ns=(moment, moment), follow_symlinks=False)
        return told, os.lstat("l").st_mtime_ns == moment

    return check


for word, moment in MOMENTS.items():
    group.add("set-to-" + word, set_to(moment), TREE)


@group.check(fixture=TREE)
def set_to_now():
    os.utime("f", (1, 1))
    calls.utimensat("f", (0, UTIME_NOW), (0, UTIME_OMIT))
    st = os.stat("f")
    calls.utimensat("f", (0, UTIME_OMIT), (0, UTIME_NOW))
    st2 = os.stat("f")
    return st.st_atime > 10**9, st.st_mtime, st2.st_atime == st.st_atime, st2.st_mtime > 10**9


@group.check(fixture=TREE)
def both_now_are_equal():
    os.utime("f")
    st = os.stat("f")
    return st.st_atime_ns == st.st_mtime_ns, abs(st.st_ctime - st.st_mtime) < 1


@group.check(fixture=TREE)
def set_with_bad_ns():
    return (
        said(calls.utimensat, "f", (0, 10**9), (0, 0)),
        said(calls.utimensat, "f", (0, 0), (0, -1)),
        said(calls.utimensat, "none", (0, 0), (0, 0)),
    )


@group.check(fixture=TREE)
def set_by_descriptor():
    fd = os.open("f", os.O_RDONLY)
    os.utime(fd, (5, 6))
    dir_fd = os.open("d", os.O_RDONLY)
    os.utime(dir_fd, (7, 8))
    return os.stat("f").st_mtime, os.stat("d").st_mtime


def rights(uid, mode):
    def check():
        os.chmod(".", 0o755)
        put("f", b"x")
        os.chown("f", uid, GROUP)
        os.chmod("f", mode)

        def deed():
            return (
                said(os.utime, "f"),
                said(os.utime, "f", (1, 1)),
                said(calls.utimensat, "f", (0, UTIME_NOW), (0, UTIME_OMIT)),
                said(calls.utimensat, "f", (0, UTIME_OMIT), (0, UTIME_OMIT)),
            )

        return as_user(deed)

    return check


for word, uid, mode in (
    ("owner-read-only", OTHER, 0o400),
    ("other-may-write", THIRD, 0o666),
    ("other-may-read", THIRD, 0o644),
    ("other-nothing", THIRD, 0o600),
):
    group.add("set-by-" + word, rights(uid, mode), root=True)


@group.check
def new_file_has_equal_times():
    put("f")
    os.mkdir("d")
    os.symlink("x", "l")
    return [
        os.lstat(name).st_mtime_ns == os.lstat(name).st_ctime_ns == os.lstat(name).st_atime_ns
        for name in ("f", "d", "l")
    ]


@group.check
def times_have_nanoseconds():
    """One of twenty has digits below the microsecond."""
    for number in range(20):
        put("f%d" % number, b"x")
    return any(os.stat("f%d" % number).st_mtime_ns % 1000 for number in range(20))


@group.check
def new_is_not_older():
    build({"a": b"x"})
    sleep()
    build({"b": b"x"})
    now = os.clock_gettime_ns(0) if hasattr(os, "clock_gettime_ns") else __import__("time").time_ns()
    return os.stat("a").st_mtime_ns < os.stat("b").st_mtime_ns <= now


def fixed_times():
    put("f", b"x")
    os.mkdir("d")
    os.symlink("f", "l")
    for name in ("f", "d", "l"):
        os.utime(name, ns=(1111111111222222222, 1333333333444444444), follow_symlinks=False)


@group.check(fixture=fixed_times)
def seconds_of_old_files():
    return [os.lstat(name).st_mtime_ns // 10**9 for name in ("f", "d", "l")], [
        os.lstat(name).st_atime_ns // 10**9 for name in ("f", "l")
    ]


@group.check(fixture=fixed_times)
def nanoseconds_of_old_files():
    return [os.lstat(name).st_mtime_ns % 10**9 for name in ("f", "d", "l")]


def odd_times():
    for word, moment in MOMENTS.items():
        put(word, b"x")
        os.utime(word, ns=(moment, moment))


@group.check(fixture=odd_times)
def odd_times_of_old_files():
    return [
        "%s:%s" % (word, os.stat(word).st_mtime_ns // 10**9 == moment // 10**9) for word, moment in MOMENTS.items()
    ]
