# SPDX-License-Identifier: GPL-2.0-or-later
"""Hard links, symbolic links, unlink and rmdir, and what is unlinked while it's open."""
import os

import calls
from core import (
    GROUP,
    Group,
    as_user,
    changed,
    get,
    kind_of,
    links_of,
    mode_of,
    names,
    opened,
    put,
    said,
    same_file,
    size_of,
)

group = Group("links")
FILE = {"f": b"text"}
TWO = {"f": b"text", "d/": None, "d/g": lambda path: os.link("f", path)}


@group.check(fixture=TWO)
def hard_link_across_dirs():
    return links_of("f"), same_file("f", "d/g"), get("d/g")


@group.check(fixture=TWO)
def written_through_the_other_name():
    put("d/g", b"new content")
    os.chmod("f", 0o600)
    return get("f"), mode_of("d/g")


@group.check(fixture=TWO)
def one_name_less():
    os.unlink("f")
    return links_of("d/g"), get("d/g"), names()


@group.check(fixture=TWO)
def a_third_name():
    os.link("d/g", "h")
    os.rename("h", "d/h")
    return links_of("f"), same_file("f", "d/h")


@group.check(fixture=FILE)
def link_and_ctime():
    return changed("f", os.link, "f", "g"), changed("f", os.unlink, "g")


@group.check(fixture={"f": b"x", "d/": None, "l": "f", "p": os.mkfifo})
def what_can_be_linked():
    return (
        said(os.link, "d", "x"),
        said(os.link, "p", "q"),
        said(os.link, "f", "d"),
        said(os.link, "f", "l"),
        said(os.link, "none", "x"),
        said(os.link, "f", "none/x"),
        said(os.link, "f", "f/x"),
        names(),
    )


@group.check(fixture={"f": b"x", "l": "f"})
def link_to_a_symlink():
    os.link("l", "m", follow_symlinks=False)
    calls.linkat(calls.AT_FDCWD, "l", "g", calls.AT_SYMLINK_FOLLOW)
    return kind_of("m"), links_of("l"), kind_of("g"), links_of("f")


@group.check(fixture=FILE)
def thousand_names():
    for number in range(1000):
        os.link("f", "n%d" % number)
    return links_of("f"), len(names())


@group.check(fixture=FILE)
def link_of_a_descriptor():
    fd = os.open("f", os.O_RDONLY)
    calls.linkat(calls.AT_FDCWD, "/proc/self/fd/%d" % fd, "g", calls.AT_SYMLINK_FOLLOW)
    return same_file("f", "g"), said(calls.linkat, fd, "", "h", calls.AT_EMPTY_PATH)


@group.check(fixture=FILE)
def link_flags_unknown():
    return said(calls.linkat, calls.AT_FDCWD, "f", "g", 0x8000)


@group.check(root=True)
def hard_link_to_others_file():
    """fs.protected_hardlinks, where it's on."""
    os.chmod(".", 0o777)
    put("f", b"x", 0o600)
    put("g", b"x", 0o644)
    put("h", b"x", 0o644)
    os.chmod("h", 0o666)
    return as_user(lambda: [said(os.link, name, name + "2") for name in ("f", "g", "h")])


# --- link counts of directories ---


@group.check(fixture={"d/": None, "d/a/": None, "d/b/": None, "d/f": b""})
def count_of_a_dir():
    told = [links_of("d")]
    os.mkdir("d/c")
    told.append(links_of("d"))
    os.rmdir("d/a")
    put("d/g")
    told.append(links_of("d"))
    return told, links_of("d/b")


@group.check(fixture={"d/": None})
def dir_size_is_told():
    return size_of("d") >= 0, os.stat("d").st_blocks >= 0


# --- symbolic links ---


def symlink_of(length):
    return lambda: (
        os.readlink("l") == target(length),
        os.lstat("l").st_size,
        os.stat("l", follow_symlinks=False).st_mode & 0o777,
    )


def target(length):
    return ("ab/" * length)[:length]


for length in (1, 2, 59, 60, 255, 256, 257, 500, 1000, 1023):
    group.add("symlink-of-%d" % length, symlink_of(length), {"l": target(length)})


@group.check
def symlink_of_4095():
    return said(os.symlink, target(4095), "l"), said(os.symlink, target(4096), "m"), said(os.symlink, "", "e")


@group.check(fixture={"l": "x" * 300})
def symlink_with_a_long_component():
    return len(os.readlink("l")), said(os.stat, "l")


STRANGE = [
    "/",
    "//",
    ".",
    "..",
    "a//b",
    "a/",
    "./a",
    "../a",
    "/a/../b",
    "a\nb",
    " ",
    "\\",
    os.fsdecode(b"\xff"),
    "a/./b",
    "/a/",
    "..a",
]


@group.check(fixture={"l%02d" % number: target for number, target in enumerate(STRANGE)})
def symlink_targets_as_given():
    return [os.readlink("l%02d" % number) == target for number, target in enumerate(STRANGE)]


@group.check(fixture={"l": "m", "m": "l", "s": "s"})
def loops():
    return said(os.stat, "l"), said(opened, "s"), said(os.mkdir, "s/x"), said(os.unlink, "l"), said(os.readlink, "m")


def chain_fixture():
    put("l0", b"end")
    for number in range(1, 42):
        os.symlink("l%d" % (number - 1), "l%d" % number)


@group.check(fixture=chain_fixture)
def chain_of_40_and_41():
    return said(get, "l40"), said(get, "l41")


@group.check(fixture={"l": "long/target"})
def readlink_cut_off():
    import ctypes

    buffer = ctypes.create_string_buffer(4)
    return calls.libc.readlink(b"l", buffer, ctypes.c_size_t(4)), buffer.raw


@group.check(fixture={"f": b"", "d/": None})
def readlink_of_what_is_none():
    return said(os.readlink, "f"), said(os.readlink, "d"), said(os.readlink, "none")


@group.check(fixture={"l": "d/f", "d/": None})
def symlink_through_relative_dir():
    put("d/f", b"text")
    os.rename("l", "d/l")
    told = said(get, "d/l")
    os.unlink("d/l")
    os.symlink("f", "d/l")
    return told, get("d/l")


@group.check(fixture={"l": "x"})
def symlink_exists():
    return said(os.symlink, "y", "l"), os.readlink("l"), said(os.mkdir, "l"), said(os.mkfifo, "l")


@group.check(fixture={"l": "f", "f": b"x"})
def symlink_itself_changed():
    told = said(os.lchown, "l", -1, os.getgid()), said(calls.utimensat, "l", (5, 0), (6, 0), calls.AT_SYMLINK_NOFOLLOW)
    return told, mode_of("l"), os.lstat("l").st_mtime, os.stat("f").st_mtime == 6


@group.check(root=True, fixture={"l": "f"})
def symlink_owner():
    os.lchown("l", 54321, GROUP)
    return os.lstat("l").st_uid, os.lstat("l").st_gid


@group.check(root=True)
def protected_symlinks():
    os.chmod(".", 0o755)
    os.mkdir("t")
    os.chmod("t", 0o1777)
    put("f", b"x")
    as_user(os.symlink, "../f", "t/l")
    return said(get, "t/l"), as_user(get, "t/l"), as_user(get, "t/l", uid=54322)


# --- unlink and rmdir ---


@group.check(fixture={"f": b"", "d/": None, "d/x": b"", "e/": None, "l": "e", "p": os.mkfifo})
def unlink_and_rmdir_of_each():
    return [
        said(call, name) for call in (os.unlink, os.rmdir) for name in ("d", "e", "f", "l", "p", "none", "f/x")
    ], names()


@group.check(fixture={"d/": None, "d/e/": None, "d/f": b""})
def rmdir_of_a_full_dir():
    told = said(os.rmdir, "d")
    os.unlink("d/f")
    told2 = said(os.rmdir, "d")
    os.rmdir("d/e")
    return told, told2, said(os.rmdir, "d")


@group.check(fixture={"d/": 0o555, "e/": None, "e/f": b""})
def unlink_in_a_read_only_dir():
    os.chmod("e", 0o555)
    return said(os.unlink, "e/f"), said(os.unlink, "d/none"), said(os.rmdir, "d")


@group.check(fixture={"f": b"x"})
def unlink_of_a_read_only_file():
    os.chmod("f", 0)
    return said(os.unlink, "f")


@group.check(fixture={"d/": None})
def unlinkat_flags():
    return said(calls.unlinkat, "d", 0), said(calls.unlinkat, "d", 1), said(calls.unlinkat, "d", calls.AT_REMOVEDIR)


@group.check(fixture={"d/": None, "d/f": b"x"})
def made_again():
    """A name that was on the disc, removed and made again as something else."""
    os.unlink("d/f")
    os.rmdir("d")
    put("d", b"file")
    told = get("d")
    os.unlink("d")
    os.mkdir("d")
    return told, names("d"), said(os.stat, "d/f")


# --- unlinked, and open still ---


@group.check(fixture=FILE)
def unlinked_file():
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    os.pwrite(fd, b"more", 4)
    os.fsync(fd)
    st = os.fstat(fd)
    told = st.st_nlink, st.st_size, os.pread(fd, 20, 0)
    os.ftruncate(fd, 2)
    os.fchmod(fd, 0o600)
    return told, os.fstat(fd).st_size, "%o" % os.fstat(fd).st_mode, os.pread(fd, 20, 0), names()


@group.check(fixture=FILE)
def unlinked_file_linked_again():
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    return (
        said(calls.linkat, calls.AT_FDCWD, "/proc/self/fd/%d" % fd, "g", calls.AT_SYMLINK_FOLLOW),
        said(calls.linkat, fd, "", "h", calls.AT_EMPTY_PATH),
        names(),
    )


@group.check(fixture=FILE)
def unlinked_file_opened_again():
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    path = "/proc/self/fd/%d" % fd
    return get(path), said(put, path, b"again"), os.pread(fd, 20, 0), os.readlink(path).endswith(" (deleted)")


@group.check(fixture=FILE)
def unlinked_file_and_xattrs():
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    os.setxattr(fd, "user.a", b"b")
    return os.getxattr(fd, "user.a"), os.listxattr(fd)


@group.check(fixture=FILE)
def unlinked_and_a_new_one_of_the_name():
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    put("f", b"new")
    os.pwrite(fd, b"old!!", 0)
    return get("f"), os.pread(fd, 9, 0)


@group.check(fixture={"d/": None, "d/f": b"x"})
def unlinked_dir():
    fd = os.open("d", os.O_RDONLY)
    os.unlink("d/f")
    os.rmdir("d")
    return (
        os.fstat(fd).st_nlink,
        os.listdir(fd),
        said(os.open, "f", os.O_CREAT | os.O_WRONLY, dir_fd=fd),
        said(os.mkdir, "e", dir_fd=fd),
        said(os.open, ".", os.O_RDONLY, dir_fd=fd) != "",
        said(os.fchmod, fd, 0o700),
    )


@group.check(fixture={"d/": None, "d/e/": None})
def unlinked_working_dir():
    os.chdir("d/e")
    os.rmdir("../../d/e")
    os.rmdir("../../d")
    return said(os.getcwd), names(), said(os.stat, "f"), kind_of("."), said(os.chdir, "..")


@group.check(fixture=FILE)
def unlinked_while_mapped():
    import mmap

    fd = os.open("f", os.O_RDWR)
    os.ftruncate(fd, 8192)
    area = mmap.mmap(fd, 8192)
    os.unlink("f")
    os.close(fd)
    area[5000] = 65
    area.flush()
    return area[:4], area[5000]


@group.check(fixture={"f": b"x"})
def unlinked_fifty_times():
    fds = []
    for number in range(50):
        put("f", b"%d" % number)
        fds.append(os.open("f", os.O_RDONLY))
        os.unlink("f")
    return [os.read(fd, 3).decode() for fd in fds] == [str(number) for number in range(50)]


def chmod_at(path, mode, flags):
    """fchmodat2, which C libraries know since lately."""
    calls._checked(calls.libc.syscall(calls.ctypes.c_long(452), calls.AT_FDCWD, os.fsencode(path), mode, flags))


@group.check(fixture={"f": b"x", "l": "f"})
def chmod_that_doesnt_follow():
    told = said(chmod_at, "l", 0o600, calls.AT_SYMLINK_NOFOLLOW), mode_of("l"), mode_of("f")
    return told, said(chmod_at, "f", 0o600, calls.AT_SYMLINK_NOFOLLOW), mode_of("f"), said(chmod_at, "f", 0o644, 0x8000)
