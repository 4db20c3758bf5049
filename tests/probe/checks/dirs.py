# SPDX-License-Identifier: GPL-2.0-or-later
"""Listing: names, types, offsets, and what changes while one reads."""
import os

import calls
from core import Group, kind_of, links_of, names, put, said

group = Group("dirs")
TYPES = {0: "unknown", 1: "fifo", 2: "char", 4: "dir", 6: "block", 8: "file", 10: "link", 12: "socket"}


def hundred():
    os.mkdir("d")
    for number in range(100):
        put("d/f%03d" % number)


def many(count):
    """Names of one file: an ext4 takes its time to find that many inodes."""

    def fixture():
        os.mkdir("d")
        put("d/f0000")
        for number in range(1, count):
            os.link("d/f0000", "d/f%04d" % number)

    return fixture


def everything(path, size=32768):
    fd = os.open(path, os.O_RDONLY)
    found = []
    while entries := calls.getdents(fd, size):
        found += entries
    return found


@group.check(fixture={"f": b"", "d/": None, "l": "f", "p": os.mkfifo})
def types():
    return sorted((name, TYPES[kind]) for name, kind, _ in everything("."))


@group.check(root=True)
def types_of_devices():
    os.mknod("c", 0o020600, os.makedev(1, 3))
    os.mknod("b", 0o060600, os.makedev(7, 0))
    os.mknod("s", 0o140600)
    return sorted((name, TYPES[kind]) for name, kind, _ in everything("."))


@group.check(fixture={"d/": None, "d/e/": None})
def dot_and_dot_dot():
    fd = os.open("d/e", os.O_RDONLY)
    libc = calls.libc
    buffer = calls.ctypes.create_string_buffer(4096)
    got = libc.getdents64(fd, buffer, calls.ctypes.c_size_t(4096))
    inodes, at = {}, 0
    while at < got:
        number, _, length, _ = calls.struct.unpack_from("QqHB", buffer.raw, at)
        inodes[buffer.raw[at + 19 : at + length].split(b"\0")[0]] = number
        at += length
    return inodes[b"."] == os.stat("d/e").st_ino, inodes[b".."] == os.stat("d").st_ino, len(inodes)


@group.check(fixture={"d/": None, "d/f": b"", "d/g/": None, "d/l": "x"})
def inode_numbers_as_stat_tells():
    with os.scandir("d") as entries:
        return sorted((entry.name, entry.inode() == os.lstat(entry.path).st_ino) for entry in entries)


@group.check(fixture=hundred)
def every_name_once():
    found = [name for name, _, _ in everything("d")]
    return len(found), len(set(found))


@group.check(fixture=hundred)
def small_buffers():
    found = [name for name, _, _ in everything("d", 64)]
    fd = os.open("d", os.O_RDONLY)
    return (
        len(found),
        len(set(found)),
        said(calls.getdents, fd, 10),
        said(calls.getdents, os.open("d/f001", os.O_RDONLY), 100),
    )


@group.check(fixture=hundred)
def offsets_differ_and_lead_back():
    stream = calls.Dir("d")
    places, order = [], []
    while True:
        place = stream.tell()
        name = stream.read()
        if name is None:
            break
        places.append(place)
        order.append(name)
    wrong = 0
    for index in (101, 50, 3, 77, 0, 99):
        stream.seek(places[index])
        wrong += stream.read() != order[index]
    return len(set(places)), wrong, len(stream.rest()) == 101 - 99


@group.check(fixture=hundred)
def rewind_sees_what_is_new():
    stream = calls.Dir("d")
    before = len(stream.rest())
    put("d/new")
    os.unlink("d/f000")
    stream.rewind()
    found = stream.rest()
    return before, len(found), "new" in found, "f000" in found


@group.check(fixture=hundred)
def offsets_after_changes():
    """An offset that was told stays good, whatever comes and goes: what was there all along comes exactly once."""
    fd = os.open("d", os.O_RDONLY)
    seen = []
    while entries := calls.getdents(fd, 200):
        seen += [name for name, _, _ in entries]
        here = entries[-1][2]
        number = len(seen)
        put("d/new%d" % number)
        if number % 3 == 0 and seen[0] not in (".", ".."):
            os.path.exists("d/" + seen[0]) and os.unlink("d/" + seen[0])
        os.lseek(fd, here, os.SEEK_SET)
    old = [name for name in seen if name.startswith("f")]
    return len(old), len(set(old))


@group.check(fixture=hundred)
def offset_of_another_descriptor():
    fd = os.open("d", os.O_RDONLY)
    first = calls.getdents(fd, 1000)
    rest = []
    while entries := calls.getdents(fd, 1000):
        rest += [name for name, _, _ in entries]
    other = os.open("d", os.O_RDONLY)
    os.lseek(other, first[-1][2], os.SEEK_SET)
    again = []
    while entries := calls.getdents(other, 1000):
        again += [name for name, _, _ in entries]
    return again == rest, len(rest) > 50


@group.check(fixture=hundred)
def offset_kept_over_removal_of_the_entry_before():
    fd = os.open("d", os.O_RDONLY)
    first = calls.getdents(fd, 1000)
    names_read = [name for name, _, _ in first]
    for name in names_read:
        if name not in (".", ".."):
            os.unlink("d/" + name)
    other = os.open("d", os.O_RDONLY)
    os.lseek(other, first[-1][2], os.SEEK_SET)
    rest = []
    while entries := calls.getdents(other, 1000):
        rest += [name for name, _, _ in entries]
    return len(set(rest) & set(names_read)), len(rest) + len(names_read)


@group.check(fixture=many(3000))
def removal_while_listing():
    """What rm -r does; none is left."""
    fd = os.open("d", os.O_RDONLY)
    seen = 0
    while entries := calls.getdents(fd, 8000):
        for name, _, _ in entries:
            if name not in (".", ".."):
                os.unlink("d/" + name)
                seen += 1
    return seen, names("d"), said(os.rmdir, "d")


@group.check(fixture=many(500))
def every_other_removed_while_listing():
    fd = os.open("d", os.O_RDONLY)
    seen = []
    while entries := calls.getdents(fd, 4000):
        for name, _, _ in entries:
            if name.startswith("f"):
                seen.append(name)
                if len(seen) % 2:
                    os.unlink("d/" + name)
    return len(seen), len(set(seen)), len(names("d"))


@group.check(fixture=many(500))
def added_while_listing():
    """Old names come once each; new ones once at most; and it ends."""
    fd = os.open("d", os.O_RDONLY)
    seen = []
    while entries := calls.getdents(fd, 4000):
        seen += [name for name, _, _ in entries]
        if len(seen) < 10000:
            put("d/new%d" % len(seen))
    old = [name for name in seen if name.startswith("f")]
    new = [name for name in seen if name.startswith("new")]
    return len(old), len(set(old)), len(new) == len(set(new))


@group.check(fixture=many(500))
def renamed_while_listing():
    stream = calls.Dir("d")
    seen = []
    while (name := stream.read()) is not None:
        if name.startswith("f"):
            seen.append(name)
            os.rename("d/" + name, "d/g" + name[1:])
    return len(seen), len(set(seen)), len(names("d"))


@group.check(fixture=many(500))
def listed_by_two_at_once():
    one, two = calls.Dir("d"), calls.Dir("d")
    found = [[], []]
    while True:
        got = [stream.read() for stream in (one, two)]
        if got == [None, None]:
            break
        for index in (0, 1):
            found[index].append(got[index])
    return found[0] == found[1], len(found[0])


@group.check(fixture={"d/": None, "d/a": b"", "d/b": b""})
def open_dir_renamed():
    stream = calls.Dir("d")
    os.rename("d", "e")
    return sorted(stream.rest())


@group.check(fixture={"d/": None, "d/a": b""})
def open_dir_removed():
    stream = calls.Dir("d")
    os.unlink("d/a")
    os.rmdir("d")
    stream.rewind()
    found = [name for name in stream.rest() if name not in (".", "..")]
    return found, said(lambda: len(calls.Dir("d").rest()))


@group.check(fixture={"d/": None})
def seek_anywhere():
    fd = os.open("d", os.O_RDONLY)
    return (
        said(os.lseek, fd, 0, os.SEEK_SET),
        said(os.lseek, fd, -1, os.SEEK_SET),
        said(os.lseek, fd, 0, os.SEEK_CUR),
        said(os.read, fd, 1),
    )


@group.check(fixture={"d/": None})
def shared_offset_of_dup():
    for number in range(20):
        put("d/%d" % number)
    fd = os.open("d", os.O_RDONLY)
    other = os.dup(fd)
    first = calls.getdents(fd, 32768)
    return len(first), calls.getdents(other, 32768)


@group.check(fixture={"d/": None, "d/e/": None, "d/e/f/": None})
def working_dir_and_up():
    os.chdir("d/e/f")
    told = os.getcwd()[-6:]
    os.chdir("../..")
    return told, names(), os.path.samefile("e/f/..", "e"), os.path.samefile("e/..", ".")


@group.check(fixture={"d/": None, "d/e/": None})
def up_after_a_move():
    """ ".." follows where the directory is."""
    os.mkdir("x")
    fd = os.open("d/e", os.O_RDONLY)
    os.rename("d/e", "x/e")
    up = os.open("..", os.O_RDONLY, dir_fd=fd)
    return os.path.samestat(os.fstat(up), os.stat("x")), os.path.samefile("x/e/..", "x")


@group.check
def fchdir_and_relative_calls():
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY)
    os.fchdir(fd)
    put("f", b"x")
    os.mkdir("e")
    os.rename("f", "e/f")
    return names(), names("e"), said(os.fchdir, os.open("e/f", os.O_RDONLY))


@group.check
def deep():
    for depth in range(100):
        os.mkdir("d")
        os.chdir("d")
    put("f")
    told = os.getcwd().count("/d") >= 100
    for depth in range(100):
        os.chdir("..")
    os.rename("d", "e")
    return told, os.path.exists("e" + "/d" * 99 + "/f"), kind_of("d")


@group.check
def subdirs_and_link_count():
    os.mkdir("d")
    for number in range(120):
        os.mkdir("d/%d" % number)
    told = links_of("d")
    for number in range(0, 120, 2):
        os.rmdir("d/%d" % number)
    return told, links_of("d"), len(names("d"))


@group.check(fixture={"d/": None, "d/x": b""})
def remove_tree_and_make_again():
    import shutil

    shutil.rmtree("d")
    os.mkdir("d")
    put("d/y")
    return names("d")


@group.check(fixture=hundred)
def names_looked_up_and_gone():
    """Nothing is remembered of a name that wasn't there, or isn't any more."""
    told = [said(os.stat, "d/new")]
    put("d/new")
    told.append(kind_of("d/new"))
    os.rename("d/new", "d/newer")
    told += [kind_of("d/new"), kind_of("d/newer")]
    os.unlink("d/newer")
    return told, kind_of("d/newer"), said(os.unlink, "d/newer")
