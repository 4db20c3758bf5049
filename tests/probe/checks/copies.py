# SPDX-License-Identifier: GPL-2.0-or-later
"""copy_file_range, sendfile, splice, reflink ioctls."""
import ctypes
import fcntl
import os

from calls import libc
from checks.holes import MIB, segments, sparse
from core import Group, get, said, size_of

group = Group("copies")
TWO = {"a": bytes(range(1, 251)) * 400, "b": b"B" * 1000}  # 100,000 bytes and 1,000


def copied(length, start=None, to=None, flags=os.O_RDWR):
    def check():
        fd, out = os.open("a", os.O_RDONLY), os.open("b", flags)
        told = said(os.copy_file_range, fd, out, length, start, to)
        data = get("b")
        return told, len(data), sum(data), os.lseek(fd, 0, os.SEEK_CUR), os.lseek(out, 0, os.SEEK_CUR)

    return check


for word, args in (
    ("whole", (100000,)),
    ("beyond-the-end", (200000,)),
    ("part", (5000, 777, 333)),
    ("behind-the-end", (100, 200000, 0)),
    ("nothing", (0,)),
    ("far-away", (5000, 0, 50000)),
    ("at-the-end", (10, 99995, 1000)),
    ("page", (4096, 4096, 4096)),
    ("to-an-append-descriptor", (100, 0, 0, os.O_WRONLY | os.O_APPEND)),
    ("to-a-reader", (100, 0, 0, os.O_RDONLY)),
    ("huge-length", (2**63 - 1,)),
    ("negative-offset", (10, -1, 0)),
    ("offset-limit", (10, 0, 2**63 - 5)),
):
    group.add("range-" + word, copied(*args), TWO)


def copied_inside(start, to, length):
    def check():
        fd = os.open("a", os.O_RDWR)
        told = said(os.copy_file_range, fd, fd, length, start, to)
        data = get("a")
        return told, len(data), sum(data)

    return check


for word, args in (
    ("overlapping", (0, 500, 1000)),
    ("overlapping-backwards", (500, 0, 1000)),
    ("same-place", (0, 0, 10)),
    ("beside", (0, 1000, 1000)),
    ("to-the-end", (0, 100000, 100000)),
    ("touching", (1000, 0, 1000)),
):
    group.add("same-file-" + word, copied_inside(*args), TWO)


@group.check(fixture=TWO)
def range_between_wrong_kinds():
    os.mkdir("d")
    os.mkfifo("p")
    a, b, d, p = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR), os.open("d", os.O_RDONLY), os.open("p", os.O_RDWR)
    return (
        said(os.copy_file_range, d, b, 10),
        said(os.copy_file_range, a, d, 10),
        said(os.copy_file_range, p, b, 10),
        said(os.copy_file_range, a, p, 10),
        said(os.copy_file_range, os.open("b", os.O_WRONLY), b, 10),
    )


@group.check(fixture=TWO)
def copy_is_independent():
    fd, out = os.open("a", os.O_RDWR), os.open("c", os.O_RDWR | os.O_CREAT)
    os.copy_file_range(fd, out, 100000)
    os.pwrite(fd, b"changed", 10)
    os.pwrite(out, b"other", 50000)
    return sum(get("a")), sum(get("c")), get("a")[10:17], get("c")[10:17]


@group.check(fixture=TWO)
def original_goes_away():
    fd, out = os.open("a", os.O_RDWR), os.open("c", os.O_RDWR | os.O_CREAT)
    os.copy_file_range(fd, out, 100000)
    os.ftruncate(fd, 0)
    os.unlink("a")
    os.fsync(out)
    return sum(get("c"))


@group.check(fixture=TWO)
def copy_of_what_was_just_written():
    fd, out = os.open("a", os.O_RDWR), os.open("c", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"dirty" * 2000, 30000)
    os.pwrite(out, b"below" * 100, 0)
    told = os.copy_file_range(fd, out, 50000, 20000, 100)
    data = get("c")
    return told, len(data), sum(data), data[95:105], data.count(b"dirty")


@group.check(fixture=TWO)
def copy_of_what_was_just_mapped():
    import mmap

    fd, out = os.open("a", os.O_RDWR), os.open("c", os.O_RDWR | os.O_CREAT)
    area = mmap.mmap(fd, 100000)
    area[100:105] = b"dirty"
    os.copy_file_range(fd, out, 1000)
    area[200:205] = b"later"
    return get("c")[100:105], get("c").count(b"later")


@group.check(fixture=TWO)
def copy_into_what_is_mapped():
    import mmap

    fd, out = os.open("a", os.O_RDWR), os.open("b", os.O_RDWR)
    area = mmap.mmap(out, 1000)
    area[999] = 77
    os.copy_file_range(fd, out, 500, 0, 100)
    return area[98:103], area[599:602], area[999]


@group.check(fixture=TWO)
def copy_of_a_copy_of_a_copy():
    names = ["a", "c", "d", "e"]
    for old, new in zip(names, names[1:]):
        fd, out = os.open(old, os.O_RDONLY), os.open(new, os.O_RDWR | os.O_CREAT)
        os.copy_file_range(fd, out, 60000, 1000, 500)
        os.pwrite(out, new.encode() * 100, 3000)
    return [(size_of(name), sum(get(name))) for name in names]


@group.check(fixture={"a": sparse})
def copy_of_holes():
    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR | os.O_CREAT)
    at = 0
    while got := os.copy_file_range(fd, out, 8 * MIB - at):
        at += got
    return at, get("a") == get("b"), size_of("b"), segments("b") != []


@group.check(fixture=TWO)
def copy_twenty_pieces_from_everywhere():
    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR)
    for number in range(20):
        os.copy_file_range(fd, out, 3001, number * 4001, (number * 7919) % 60000)
    data = get("b")
    return len(data), sum(data)


@group.check(fixture=TWO)
def copy_across_file_systems():
    import tempfile

    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(b"x" * 1000)
        file.flush()
        out = os.open("b", os.O_RDWR | os.O_TRUNC)
        fd = os.open(file.name, os.O_RDONLY)
        return said(os.copy_file_range, fd, out, 1000), said(os.sendfile, out, fd, 0, 1000), size_of("b")


@group.check(fixture=TWO)
def cp_with_each_reflink_word():
    import subprocess

    told = []
    for word in ("auto", "never"):
        told.append(subprocess.run(["cp", "--reflink=" + word, "--sparse=auto", "a", "c-" + word]).returncode)
        told.append(get("c-" + word) == get("a"))
    return told


@group.check(fixture=TWO)
def sendfile_out_and_in():
    fd, out = os.open("a", os.O_RDONLY), os.open("c", os.O_WRONLY | os.O_CREAT)
    told = [
        os.sendfile(out, fd, 10, 60000),
        os.sendfile(out, fd, None, 1000),
        os.lseek(fd, 0, os.SEEK_CUR),
        said(os.sendfile, out, fd, 200000, 10),
    ]
    return told, size_of("c"), sum(get("c"))


@group.check(fixture=TWO)
def sendfile_to_append():
    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_WRONLY | os.O_APPEND)
    return said(os.sendfile, out, fd, 0, 10), size_of("b")


@group.check(fixture=TWO)
def splice_there_and_back():
    reader, writer = os.pipe()
    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_WRONLY)
    told = [os.splice(fd, writer, 5000, 100), os.splice(reader, out, 5000, None, 50)]
    return told, size_of("b"), sum(get("b")), said(os.splice, fd, out, 10)


@group.check(fixture=TWO)
def splice_to_append():
    reader, writer = os.pipe()
    os.write(writer, b"tail")
    out = os.open("b", os.O_WRONLY | os.O_APPEND)
    return said(os.splice, reader, out, 4), size_of("b")


@group.check(fixture=TWO)
def reflink_of_a_file():
    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR)
    return said(fcntl.ioctl, out, 0x40049409, fd), size_of("b")


@group.check(fixture=TWO)
def reflink_and_dedupe_of_ranges():
    import struct

    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR)
    clone = struct.pack("qQQQ", fd, 0, 4096, 0)
    dedupe = struct.pack("QQHHIqQQiI", 0, 4096, 1, 0, 0, out, 0, 0, 0, 0)
    return (
        said(fcntl.ioctl, out, 0x4020940D, clone),
        said(lambda: fcntl.ioctl(fd, 0xC0189436, dedupe) and None),
        size_of("b"),
    )


@group.check(fixture=TWO)
def copy_keeps_attributes_with_cp_a():
    import subprocess

    os.chmod("a", 0o640)
    os.utime("a", (1000, 2000))
    os.setxattr("a", "user.word", b"value")
    code = subprocess.run(["cp", "-a", "a", "c"]).returncode
    st = os.stat("c")
    return code, "%o" % st.st_mode, st.st_mtime, said(os.getxattr, "c", "user.word"), sum(get("c"))


@group.check(fixture=TWO)
def range_with_flags():
    fd, out = os.open("a", os.O_RDONLY), os.open("b", os.O_RDWR)
    told = libc.copy_file_range(fd, None, out, None, ctypes.c_size_t(10), ctypes.c_uint(1))
    return told, os.strerror(ctypes.get_errno())


@group.check(fixture={"a": lambda path: sparse(path, 4, (1,))})
def cp_with_each_sparse_word():
    import subprocess

    told = []
    for word in ("auto", "always", "never"):
        told.append(subprocess.run(["cp", "--reflink=never", "--sparse=" + word, "a", word]).returncode)
        told.append(get(word) == get("a"))
    return told, segments("always"), segments("never")


@group.check(fixture={"a": b"a" * 50000, "b": b"b" * 50000, "c": b"c" * 50000})
def swapped_through_a_third():
    """Ranges of three files moved around in place, as an editor of videos does."""
    fds = [os.open(name, os.O_RDWR) for name in "abc"]
    for number in range(12):
        os.copy_file_range(fds[number % 3], fds[(number + 1) % 3], 4096, number * 4096, (11 - number) * 4096)
    os.ftruncate(fds[0], 30000)
    for fd in fds:
        os.fsync(fd)
    return [(size_of(name), [get(name).count(char) for char in (b"a", b"b", b"c")]) for name in "abc"]
