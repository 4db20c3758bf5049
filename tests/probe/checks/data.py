# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading, writing and truncating; descriptors that share a file; sync."""
import os

import calls
from core import Beside, Group, get, links_of, names, opened, put, said, size_of

group = Group("data")
FILE = {"f": b"0123456789"}
BIG = {"f": bytes(range(256)) * 400}  # 100 KiB: many blocks, none of them zero


@group.check(fixture=FILE)
def pread_and_pwrite():
    fd = os.open("f", os.O_RDWR)
    told = os.pread(fd, 3, 4), os.pwrite(fd, b"AB", 8), os.pwrite(fd, b"CD", 12), os.lseek(fd, 0, os.SEEK_CUR)
    return told, get("f")


@group.check(fixture=FILE)
def readv_and_writev():
    fd = os.open("f", os.O_RDWR)
    parts = [bytearray(3), bytearray(0), bytearray(20)]
    got = os.readv(fd, parts)
    os.writev(fd, [b"a", b"", b"bc"])
    return got, [bytes(part).rstrip(b"\0") for part in parts], get("f")


@group.check(fixture=FILE)
def preadv_and_pwritev_flags():
    fd = os.open("f", os.O_RDWR)
    block = bytearray(4)
    return (
        os.preadv(fd, [block], 2),
        bytes(block),
        said(os.pwritev, fd, [b"xy"], 4, os.RWF_DSYNC),
        said(os.pwritev, fd, [b"end"], 0, os.RWF_APPEND),
        get("f"),
    )


@group.check(fixture=FILE)
def beyond_the_end():
    fd = os.open("f", os.O_RDONLY)
    return (
        os.pread(fd, 5, 8),
        os.pread(fd, 5, 10),
        os.pread(fd, 5, 10**12),
        os.read(fd, 100),
        os.read(fd, 100),
        os.read(fd, 0),
    )


@group.check(fixture=FILE)
def offsets_that_are_none():
    fd = os.open("f", os.O_RDWR)
    return (
        said(os.pread, fd, 1, -1),
        said(os.pwrite, fd, b"x", -1),
        said(os.lseek, fd, -1, os.SEEK_SET),
        said(os.lseek, fd, -11, os.SEEK_END),
        said(os.lseek, fd, 0, 77),
        os.lseek(fd, 5, os.SEEK_END),
        said(os.pread, fd, 1, 2**63 - 1),
    )


@group.check(fixture=FILE)
def huge_offsets():
    """Where files end: how far it is differs, what is said doesn't."""
    fd = os.open("f", os.O_RDWR)
    return (
        said(os.pwrite, fd, b"xx", 2**63 - 2),
        said(os.ftruncate, fd, 2**63 - 1),
        said(os.pwrite, fd, b"", 2**62),
        said(os.ftruncate, fd, -1),
        said(os.truncate, "f", -1),
        size_of("f"),
    )


@group.check(fixture=FILE)
def limit_of_the_process():
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    fd = os.open("f", os.O_RDWR)
    return (
        said(os.pwrite, fd, b"x" * 100, 950),
        size_of("f"),
        said(os.pwrite, fd, b"x", 1000),
        said(os.ftruncate, fd, 1001),
        said(os.ftruncate, fd, 1000),
    )


@group.check(fixture=FILE)
def wrong_descriptors():
    reader, writer = os.open("f", os.O_RDONLY), os.open("f", os.O_WRONLY)
    return (
        said(os.write, reader, b"x"),
        said(os.read, writer, 1),
        said(os.ftruncate, reader, 0),
        said(os.ftruncate, writer, 5),
        said(os.read, 999, 1),
        said(os.fsync, reader),
        said(calls.fallocate, reader, 0, 0, 10),
    )


@group.check(fixture={"d/": None})
def dir_as_a_file():
    fd = os.open("d", os.O_RDONLY)
    return (
        said(os.read, fd, 1),
        said(os.pread, fd, 1, 0),
        said(os.write, fd, b"x"),
        said(os.ftruncate, fd, 0),
        said(os.truncate, "d", 0),
        said(os.fsync, fd),
        said(os.fdatasync, fd),
        said(calls.fallocate, fd, 0, 0, 1),
    )


@group.check(fixture=FILE)
def bad_buffers():
    import ctypes

    fd = os.open("f", os.O_RDWR)
    bad = ctypes.c_void_p(16)
    told = []
    for call in (calls.libc.read, calls.libc.write):
        ctypes.set_errno(0)
        told.append((call(fd, bad, ctypes.c_size_t(10)), os.strerror(ctypes.get_errno())))
    return told, get("f")


@group.check(fixture=FILE)
def append_from_two_descriptors():
    one, two = os.open("f", os.O_WRONLY | os.O_APPEND), os.open("f", os.O_WRONLY | os.O_APPEND)
    for fd, data in ((one, b"a"), (two, b"b"), (one, b"c"), (two, b"d")):
        os.write(fd, data)
    return get("f")


@group.check(fixture=FILE)
def append_and_pwrite():
    fd = os.open("f", os.O_RDWR | os.O_APPEND)
    os.pwrite(fd, b"XY", 0)
    return get("f"), os.lseek(fd, 0, os.SEEK_CUR)


@group.check(fixture=FILE)
def append_after_truncation_by_another():
    one, two = os.open("f", os.O_WRONLY | os.O_APPEND), os.open("f", os.O_WRONLY)
    os.write(one, b"abc")
    os.ftruncate(two, 4)
    os.write(one, b"def")
    os.ftruncate(two, 20)
    os.write(one, b"!")
    return get("f")


@group.check
def append_by_processes():
    children = []
    put("f")
    for number in range(4):
        child = os.fork()
        if child == 0:
            fd = os.open("f", os.O_WRONLY | os.O_APPEND)
            for _ in range(100):
                os.write(fd, b"%d" % number * 10 + b"\n")
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    lines = get("f").split(b"\n")
    return len(lines), all(len(set(line)) == 1 and len(line) == 10 for line in lines[:-1])


@group.check(fixture=FILE)
def seen_by_another_process_at_once():
    fd = os.open("f", os.O_RDWR)

    def other(step):
        step()
        assert get("f") == b"AB23456789"
        other_fd = os.open("f", os.O_WRONLY)
        os.pwrite(other_fd, b"CD", 10)
        step()
        assert size_of("f") == 5
        step()

    beside = Beside(other)
    os.write(fd, b"AB")
    beside.go()
    told = os.pread(fd, 20, 0)
    os.ftruncate(fd, 5)
    beside.go()
    return told


@group.check(fixture=FILE)
def offset_shared_by_dup():
    fd = os.open("f", os.O_RDWR)
    other = os.dup(fd)
    os.read(fd, 3)
    return os.read(other, 2), os.lseek(fd, 0, os.SEEK_CUR)


@group.check(fixture=FILE)
def last_descriptor_closed_elsewhere():
    fd = os.open("f", os.O_WRONLY)
    child = os.fork()
    if child == 0:
        os.write(fd, b"child")
        os._exit(0)
    os.close(fd)
    os.waitpid(child, 0)
    return get("f")


def truncations(sizes):
    def check():
        told = []
        fd = os.open("f", os.O_RDWR)
        for size in sizes:
            os.ftruncate(fd, size)
            data = get("f")
            told.append((len(data), sum(data), data.rstrip(b"\0")[-3:]))
        return told

    return check


for word, sizes in (
    ("down-and-up", (50000, 100000, 10, 5000, 0, 10)),
    ("in-a-page", (4095, 4097, 4096, 8192)),
    ("to-odd-sizes", (99999, 77777, 102401, 1, 2)),
):
    group.add("truncate-" + word, truncations(sizes), BIG)


@group.check(fixture=BIG)
def truncated_tail_is_zero_after_growing_by_write():
    os.truncate("f", 100)
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"x", 5000)
    data = get("f")
    return len(data), sum(data[:100]), sum(data[100:5000]), data[5000:]


@group.check(fixture=BIG)
def truncated_in_the_middle_of_writing():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"A" * 30000, 20000)
    os.ftruncate(fd, 25000)
    os.pwrite(fd, b"B" * 100, 40000)
    os.fsync(fd)
    data = get("f")
    return len(data), sum(data), data[24999:25001], data[39999:40001]


@group.check(fixture=BIG)
def overwritten_in_pieces():
    fd = os.open("f", os.O_RDWR)
    for start in range(0, 100000, 7001):
        os.pwrite(fd, b"z" * 13, start)
    os.close(fd)
    data = get("f")
    return len(data), sum(data), data.count(b"z" * 13)


@group.check(fixture=BIG)
def written_backwards():
    fd = os.open("f", os.O_RDWR | os.O_TRUNC)
    for start in reversed(range(0, 50000, 5000)):
        os.pwrite(fd, bytes([65 + start // 5000]) * 5000, start)
    data = get("f")
    return len(data), data[::5000], data[4999::5000]


@group.check(fixture=BIG)
def one_byte_in_the_middle():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"!", 50001)
    os.close(fd)
    data = get("f")
    return len(data), data[49999:50004], sum(data)


@group.check(fixture=BIG)
def replaced_as_editors_do():
    put("f.new", b"replaced")
    fd = os.open("f.new", os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    os.rename("f.new", "f")
    os.fsync(os.open(".", os.O_RDONLY))
    return get("f"), names()


@group.check(fixture=BIG)
def direct_read_after_buffered_write():
    import mmap

    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"fresh", 4096)
    direct = os.open("f", os.O_RDONLY | os.O_DIRECT)
    block = mmap.mmap(-1, 4096)
    return os.preadv(direct, [block], 4096), block[:6]


@group.check(fixture=BIG)
def buffered_read_after_direct_write():
    import mmap

    reader = os.open("f", os.O_RDONLY)
    os.pread(reader, 100, 4096)
    direct = os.open("f", os.O_WRONLY | os.O_DIRECT)
    block = mmap.mmap(-1, 4096)
    block.write(b"direct" + b"-" * 4090)
    return os.pwritev(direct, [block], 4096), os.pread(reader, 7, 4096), size_of("f")


@group.check(fixture=BIG)
def direct_write_beyond_the_end():
    import mmap

    direct = os.open("f", os.O_RDWR | os.O_DIRECT)
    block = mmap.mmap(-1, 4096)
    block.write(b"d" * 4096)
    told = os.pwritev(direct, [block], 102400 + 4096 * 3)
    data = get("f")
    return told, len(data), sum(data[102400 : 102400 + 4096 * 3])


@group.check(fixture=BIG)
def advice_changes_nothing():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"kept", 0)
    for advice in (
        os.POSIX_FADV_DONTNEED,
        os.POSIX_FADV_WILLNEED,
        os.POSIX_FADV_RANDOM,
        os.POSIX_FADV_SEQUENTIAL,
        os.POSIX_FADV_NOREUSE,
    ):
        os.posix_fadvise(fd, 0, 0, advice)
    return os.pread(fd, 5, 0), sum(get("f"))


@group.check(fixture={"f": b"x" * 100000, "d/": None, "d/e/": None, "p": os.mkfifo})
def sync_of_each():
    calls.forget_sync_errors()
    told = []
    for path, flags in (("f", os.O_RDWR), ("f", os.O_RDONLY), ("d", os.O_RDONLY), (".", os.O_RDONLY), ("p", os.O_RDWR)):
        fd = os.open(path, flags)
        told.append((said(os.fsync, fd), said(os.fdatasync, fd), said(calls.syncfs, fd)))
    fd = os.open("f", os.O_PATH)
    return told, said(os.fsync, fd), said(os.fsync, 999)


@group.check(fixture=FILE)
def sync_of_a_range():
    fd = os.open("f", os.O_RDWR)
    os.write(fd, b"dirty")
    import ctypes

    return (
        calls.libc.sync_file_range(fd, ctypes.c_long(0), ctypes.c_long(0), 7),
        calls.libc.posix_fallocate(fd, ctypes.c_long(0), ctypes.c_long(100)),
        size_of("f"),
    )


@group.check
def many_open_files():
    fds = []
    for number in range(200):
        fds.append(os.open("f%d" % number, os.O_RDWR | os.O_CREAT, 0o600))
    for number, fd in enumerate(fds):
        os.write(fd, b"%d" % number)
    return all(os.pread(fd, 9, 0) == b"%d" % number for number, fd in enumerate(fds))


@group.check(fixture=FILE)
def truncate_needs_write_permission():
    os.chmod("f", 0o444)
    return (
        said(os.truncate, "f", 3),
        said(opened, "f", os.O_WRONLY | os.O_TRUNC),
        size_of("f"),
        said(os.truncate, "none", 0),
        links_of("f"),
    )


@group.check(fixture={"f": b"0123456789", "l": "f", "p": os.mkfifo})
def truncate_of_other_kinds():
    return said(os.truncate, "l", 5), size_of("f"), said(os.truncate, "p", 0)


@group.check
def written_with_mode_000_later():
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(fd, 0)
    os.write(fd, b"x" * 100000)
    os.fsync(fd)
    return os.fstat(fd).st_size, len(os.pread(fd, 200000, 0))


@group.check(fixture=BIG)
def kept_over_dropped_caches():
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"before", 10)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    return os.pread(fd, 8, 9), sum(get("f"))


@group.check(fixture=BIG)
def direct_at_odd_places():
    """Where a device demands whole blocks, EINVAL; where not, it just works."""
    import mmap

    fd = os.open("f", os.O_RDWR | os.O_DIRECT)
    block = mmap.mmap(-1, 8192)
    view = memoryview(block)
    return [said(os.preadv, fd, [view[start : start + length]], offset) for start, length, offset in ODD]


ODD = ((0, 4096, 4096), (0, 4096, 100352), (0, 4096, 102400), (0, 8192, 98304), (0, 4096, 200000 // 4096 * 4096))


@group.check(fixture=BIG)
def direct_switched_on_and_off():
    import fcntl
    import mmap

    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"buffered", 4096)
    told = [said(fcntl.fcntl, fd, fcntl.F_SETFL, os.O_DIRECT)]
    block = mmap.mmap(-1, 4096)
    told.append(os.preadv(fd, [block], 4096))
    fcntl.fcntl(fd, fcntl.F_SETFL, 0)
    return told, block[:8], os.pread(fd, 3, 4096)


@group.check(fixture=FILE)
def flags_of_preadv_and_pwritev():
    fd = os.open("f", os.O_RDWR)
    get("f")
    told = [said(os.preadv, fd, [bytearray(4)], 0, flags) for flags in (os.RWF_HIPRI, 0x8000)]
    told += [said(os.pwritev, fd, [b"ab"], 0, flags) for flags in (os.RWF_SYNC, os.RWF_DSYNC, os.RWF_APPEND, 0x8000)]
    return told, get("f")


@group.check(fixture=FILE)
def fcntl_words():
    """Hints for writes, and what only a memory file can do."""
    import fcntl
    import struct

    fd = os.open("f", os.O_RDWR)
    return (
        said(fcntl.fcntl, fd, 1036, struct.pack("Q", 2)) and struct.unpack("Q", fcntl.fcntl(fd, 1035, b"\0" * 8)),
        said(fcntl.fcntl, fd, 1033, 1),
        said(fcntl.fcntl, fd, 1032),
    )


@group.check(fixture={"d/": None, "d/f": b"x"})
def seek_in_a_dir():
    fd = os.open("d", os.O_RDONLY)
    return [said(lambda: os.lseek(fd, 0, how) >= 0) for how in (os.SEEK_SET, os.SEEK_CUR)], said(os.lseek, fd, 5, 77)


@group.check(fixture=BIG)
def read_ahead_and_locked_memory():
    import ctypes
    import mmap

    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, 102400)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    told = calls.libc.readahead(fd, ctypes.c_long(0), ctypes.c_size_t(102400))
    locked = calls.libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(8192))
    area[0] = 65
    return told, locked, os.pread(fd, 1, 0)
