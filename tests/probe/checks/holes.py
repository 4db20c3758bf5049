# SPDX-License-Identifier: GPL-2.0-or-later
"""Sparse files: SEEK_DATA and SEEK_HOLE, blocks, fallocate in every mode."""
import os

from calls import COLLAPSE_RANGE, INSERT_RANGE, KEEP_SIZE, PUNCH_HOLE, UNSHARE_RANGE, ZERO_RANGE, fallocate
from core import Group, get, links_of, put, said, size_of

group = Group("holes")
MIB = 1 << 20


def segments(path):
    """What is data, as SEEK_DATA tells it, in MiB: the block size is of no interest."""
    fd = os.open(path, os.O_RDONLY) if isinstance(path, str) else path
    end, at, told = os.fstat(fd).st_size, 0, []
    while at < end:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        told.append("%g-%g" % (start / MIB, at / MIB))
    return told


def fill(path):
    st = os.stat(path)
    return "empty" if st.st_blocks == 0 else "full" if st.st_blocks * 512 >= st.st_size else "sparse"


def sparse(path, size=8, at=(2,)):
    """A MiB of data at each of these MiB, holes between."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, size * MIB)
    for start in at:
        os.pwrite(fd, b"d" * MIB, start * MIB)
    os.close(fd)


SPARSE = {"f": sparse}
FULL = {"f": lambda path: put(path, b"d" * 8 * MIB)}


@group.check(fixture=SPARSE)
def segments_of_a_sparse_file():
    return segments("f"), size_of("f")


@group.check(fixture={"f": lambda path: sparse(path, 8, (0, 3, 7))})
def segments_of_three():
    return segments("f")


@group.check(fixture=FULL)
def segments_of_a_full_file():
    return segments("f"), fill("f")


@group.check(fixture={"f": lambda path: sparse(path, 8, ())})
def segments_of_a_hole():
    fd = os.open("f", os.O_RDONLY)
    return segments("f"), said(os.lseek, fd, 0, os.SEEK_DATA), os.lseek(fd, 5, os.SEEK_HOLE), fill("f")


@group.check(fixture={"f": b""})
def segments_of_nothing():
    fd = os.open("f", os.O_RDONLY)
    return said(os.lseek, fd, 0, os.SEEK_DATA), said(os.lseek, fd, 0, os.SEEK_HOLE)


@group.check(fixture={"f": b"0123456789"})
def seek_in_a_small_file():
    fd = os.open("f", os.O_RDONLY)
    return [said(os.lseek, fd, at, how) for at in (0, 5, 9, 10, 11, -1) for how in (os.SEEK_DATA, os.SEEK_HOLE)]


@group.check(fixture=SPARSE)
def seek_in_a_sparse_file():
    fd = os.open("f", os.O_RDONLY)
    told = []
    for at in (0, 1, 2, 2.5, 3, 5, 7, 8):
        told.append(
            [said(lambda: "%g" % (os.lseek(fd, int(at * MIB), how) / MIB)) for how in (os.SEEK_DATA, os.SEEK_HOLE)]
        )
    return told


def written_and_open(deed):
    def check():
        fd = os.open("f", os.O_RDWR | os.O_CREAT)
        deed(fd)
        return segments(fd), fill("f")

    return check


def write_holes(fd):
    os.pwrite(fd, b"x" * MIB, 2 * MIB)
    os.pwrite(fd, b"x" * MIB, 5 * MIB)


group.add("seek-right-after-a-write", written_and_open(write_holes))
group.add("seek-right-after-a-write-into-a-sparse-file", written_and_open(write_holes), SPARSE)
group.add(
    "seek-right-after-a-write-and-truncate", written_and_open(lambda fd: (write_holes(fd), os.ftruncate(fd, 9 * MIB)))
)
group.add("seek-after-a-write-and-fsync", written_and_open(lambda fd: (write_holes(fd), os.fsync(fd))), SPARSE)


@group.check(fixture=SPARSE)
def seek_right_after_a_mapped_write():
    import mmap

    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, 8 * MIB)
    area[5 * MIB : 6 * MIB] = b"m" * MIB
    return segments(fd)


@group.check(fixture=SPARSE)
def seek_through_another_descriptor():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"x" * MIB, 6 * MIB)
    return segments("f")


@group.check(fixture=SPARSE)
def blocks_of_a_sparse_file():
    return fill("f"), fill("f") == "sparse" and os.stat("f").st_blocks * 512 < 2 * MIB


@group.check
def blocks_after_truncate_up():
    put("f", b"x" * 5000)
    os.truncate("f", 50 * MIB)
    return fill("f"), segments("f") != [], size_of("f")


@group.check(fixture=FULL)
def blocks_after_truncate_down():
    os.truncate("f", MIB)
    return fill("f"), os.stat("f").st_blocks * 512 < 2 * MIB


@group.check(fixture={"f": b"x" * 100})
def blocks_of_small_ones():
    put("e")
    os.mkdir("d")
    os.symlink("x", "l")
    return fill("f"), fill("e"), os.stat("f").st_blksize >= 512


@group.check(fixture=SPARSE)
def hole_is_filled():
    fd = os.open("f", os.O_RDWR)
    for start in (0, 1, 3, 4, 5, 6, 7):
        os.pwrite(fd, b"n" * MIB, start * MIB)
    os.fsync(fd)
    return segments(fd), fill("f"), sum(get("f"))


@group.check(fixture={"f": b"abc"})
def gap_is_zero():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"xyz", 20000)
    data = get("f")
    return len(data), data[:4], sum(data[3:20000]), data[20000:]


# --- fallocate ---


def allocated(mode, offset, length):
    def check():
        fd = os.open("f", os.O_RDWR)
        told = said(fallocate, fd, mode, offset, length)
        data = get("f")
        zeroes = data.count(b"\0")
        return told, size_of("f"), "zeroes %d" % zeroes, sum(data)

    return check


def punched(mode, offset, length):
    def check():
        fd = os.open("f", os.O_RDWR)
        told = said(fallocate, fd, mode, offset, length)
        return told, size_of("f"), segments(fd), fill("f"), sum(get("f"))

    return check


SMALL = {"f": bytes(range(1, 251)) * 100}  # 25,000 bytes, none of them zero
ZONES = {
    "inside": (5000, 3000),
    "one-byte": (777, 1),
    "whole": (0, 25000),
    "over-the-end": (20000, 10000),
    "behind-the-end": (30000, 5000),
    "at-the-end": (25000, 100),
    "page": (4096, 4096),
    "pages": (0, 8192),
}
for mode_word, mode in (
    ("allocate", 0),
    ("keep-size", KEEP_SIZE),
    ("punch-hole", PUNCH_HOLE | KEEP_SIZE),
    ("zero-range", ZERO_RANGE),
    ("zero-range-keep-size", ZERO_RANGE | KEEP_SIZE),
    ("collapse-range", COLLAPSE_RANGE),
    ("insert-range", INSERT_RANGE),
):
    for zone, (offset, length) in ZONES.items():
        group.add("%s-%s" % (mode_word, zone), allocated(mode, offset, length), SMALL)
group.add("punch-hole-in-a-big-file", punched(PUNCH_HOLE | KEEP_SIZE, 2 * MIB, 3 * MIB), FULL)
group.add("punch-hole-to-the-end", punched(PUNCH_HOLE | KEEP_SIZE, 2 * MIB, 100 * MIB), FULL)
group.add("punch-whole-file", punched(PUNCH_HOLE | KEEP_SIZE, 0, 8 * MIB), FULL)
group.add("punch-hole-in-a-hole", punched(PUNCH_HOLE | KEEP_SIZE, 4 * MIB, MIB), SPARSE)
group.add("collapse-blocks", punched(COLLAPSE_RANGE, MIB, MIB), SPARSE)
group.add("insert-blocks", punched(INSERT_RANGE, MIB, MIB), SPARSE)
group.add("collapse-to-the-end", punched(COLLAPSE_RANGE, MIB, 7 * MIB), SPARSE)


@group.check(fixture=FULL)
def allocate_in_a_full_file():
    fd = os.open("f", os.O_RDWR)
    return said(fallocate, fd, 0, 0, 8 * MIB), fill("f"), sum(get("f"))


@group.check(fixture={"f": lambda path: sparse(path, 4, ())})
def allocate_takes_room():
    fd = os.open("f", os.O_RDWR)
    fallocate(fd, 0, 0, 4 * MIB)
    return fill("f"), sum(get("f")), size_of("f")


@group.check
def allocate_beyond_the_size_takes_room():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    fallocate(fd, KEEP_SIZE, 0, 4 * MIB)
    told = size_of("f"), fill("f"), os.read(fd, 10)
    os.pwrite(fd, b"x", 100)
    return told, size_of("f"), sum(get("f"))


@group.check(fixture=SMALL)
def modes_that_are_none():
    fd = os.open("f", os.O_RDWR)
    modes = (
        PUNCH_HOLE,
        0x80,
        PUNCH_HOLE | ZERO_RANGE | KEEP_SIZE,
        COLLAPSE_RANGE | KEEP_SIZE,
        INSERT_RANGE | KEEP_SIZE,
        COLLAPSE_RANGE | INSERT_RANGE,
    )
    return [said(fallocate, fd, mode, 0, 4096) for mode in modes]


@group.check(fixture=SMALL)
def ranges_that_are_none():
    fd = os.open("f", os.O_RDWR)
    return [
        said(fallocate, fd, mode, *where)
        for mode in (0, PUNCH_HOLE | KEEP_SIZE)
        for where in ((0, 0), (-1, 10), (0, -1), (2**63 - 1, 10))
    ]


@group.check(fixture=SMALL)
def unshare():
    return said(fallocate, os.open("f", os.O_RDWR), UNSHARE_RANGE, 0, 4096)


@group.check(fixture={"d/": None, "p": os.mkfifo, "f": b"x"})
def allocate_on_other_kinds():
    return (
        said(fallocate, os.open("p", os.O_RDWR), 0, 0, 10),
        said(fallocate, os.open("d", os.O_RDONLY), 0, 0, 10),
        said(fallocate, os.open("f", os.O_RDONLY), 0, 0, 10),
        said(fallocate, os.open("f", os.O_WRONLY | os.O_APPEND), 0, 0, 10),
        said(fallocate, os.open("f", os.O_WRONLY | os.O_APPEND), PUNCH_HOLE | KEEP_SIZE, 0, 10),
    )


@group.check(fixture=SMALL)
def posix_fallocate():
    fd = os.open("f", os.O_RDWR)
    os.posix_fallocate(fd, 20000, 20000)
    return size_of("f"), sum(get("f")), said(os.posix_fallocate, fd, 0, 0)


@group.check(fixture=SMALL)
def punch_then_write_then_read():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"dirty" * 1000, 4000)
    fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 6000, 1000)
    os.pwrite(fd, b"new", 6500)
    data = get("f")
    return data[5995:6003], data[6498:6505], data[6998:7003], len(data)


@group.check(fixture=SMALL)
def punched_and_mapped():
    import mmap

    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, 25000)
    area[5000] = 99
    fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 4096, 4096)
    told = sum(area[4096:8192]), area[4095], area[8192]
    fallocate(fd, ZERO_RANGE, 0, 10)
    return told, area[:12], links_of("f")


@group.check(fixture=SPARSE)
def sparse_copy_by_segments():
    fd, to = os.open("f", os.O_RDONLY), os.open("g", os.O_RDWR | os.O_CREAT)
    at = 0
    while True:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        os.pwrite(to, os.pread(fd, at - start, start), start)
    os.ftruncate(to, os.fstat(fd).st_size)
    return get("f") == get("g"), segments("g"), fill("g")
