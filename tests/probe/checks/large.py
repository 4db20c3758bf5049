# SPDX-License-Identifier: GPL-2.0-or-later
"""Large files, sparse: behind 2, 4 and 127 GiB. The disc must be large enough: discfsctl create --size 300G."""
import os

import calls
from core import Group, get, said, size_of


class Cleaning(Group):
    """What is large is charged in full: each check's files go before the next one comes."""

    def add(self, name, function, fixture=None, root=False):
        def check():
            try:
                return function()
            finally:
                for path in os.listdir():
                    os.unlink(path)

        super().add(name, check, fixture, root)


group = Cleaning("large")
GIB = 1 << 30


def written_at(offset):
    def check():
        fd = os.open("f", os.O_RDWR | os.O_CREAT)
        told = said(os.pwrite, fd, b"end", offset)
        return told, size_of("f"), said(os.pread, fd, 10, max(offset - 2, 0)), said(os.lseek, fd, 0, os.SEEK_END)

    return check


for word, offset in (("2gib", 2 * GIB - 1), ("4gib", 4 * GIB - 2), ("behind-4gib", 5 * GIB), ("128gib", 128 * GIB - 4)):
    group.add("written-at-" + word, written_at(offset))


@group.check
def truncated_to_128_gib():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    told = said(os.ftruncate, fd, 128 * GIB - 1)
    return told, size_of("f"), said(os.pread, fd, 5, 128 * GIB - 4), said(os.ftruncate, fd, 5), get("f")


@group.check
def pieces_all_over():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    places = [number * 1234567891 for number in range(50)]
    for place in places:
        os.pwrite(fd, b"%d" % place, place)
    os.fsync(fd)
    return size_of("f"), all(os.pread(fd, len(b"%d" % place), place) == b"%d" % place for place in places)


@group.check
def seek_in_a_large_one():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 100 * GIB)
    os.pwrite(fd, b"x" * 65536, 70 * GIB)
    return (
        os.lseek(fd, 0, os.SEEK_DATA) // GIB,
        os.lseek(fd, 70 * GIB, os.SEEK_HOLE) - 70 * GIB,
        said(os.lseek, fd, 80 * GIB, os.SEEK_DATA),
    )


@group.check
def mapped_behind_4_gib():
    import mmap

    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 6 * GIB)
    area = mmap.mmap(fd, 8192, offset=5 * GIB)
    area[0:4] = b"here"
    area.flush()
    return os.pread(fd, 4, 5 * GIB), os.pread(fd, 4, GIB)


@group.check
def copied_behind_4_gib():
    fd, out = os.open("f", os.O_RDWR | os.O_CREAT), os.open("g", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"x" * 10000, 5 * GIB)
    return os.copy_file_range(fd, out, 10000, 5 * GIB, 6 * GIB), size_of("g"), os.pread(out, 3, 6 * GIB + 9998)


@group.check
def punched_behind_4_gib():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"x" * 20000, 5 * GIB)
    calls.fallocate(fd, calls.PUNCH_HOLE | calls.KEEP_SIZE, 5 * GIB + 4096, 4096)
    return sum(os.pread(fd, 20000, 5 * GIB)) // 120
