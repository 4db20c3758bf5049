# SPDX-License-Identifier: GPL-2.0-or-later
"""mmap in every way, and running what is in the directory."""
import mmap
import os
import shutil
import subprocess

import calls
from core import Beside, Group, as_user, changed, forked, get, opened, put, said, size_of

group = Group("maps")
PAGE = 4096
BIG = {"f": bytes(range(256)) * 64}  # 16 KiB


def mapped(flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE, how=os.O_RDWR, length=4 * PAGE):
    return mmap.mmap(os.open("f", how), length, flags, prot)


@group.check(fixture=BIG)
def shared_read():
    area = mapped(prot=mmap.PROT_READ, how=os.O_RDONLY)
    return area[255:258], sum(area[:])


@group.check(fixture=BIG)
def private_write():
    area = mapped(mmap.MAP_PRIVATE, how=os.O_RDONLY)
    area[0:3] = b"abc"
    return area[0:4], get("f")[0:4]


@group.check(fixture=BIG)
def private_sees_later_writes_until_touched():
    area = mapped(mmap.MAP_PRIVATE)
    area[PAGE] = 1
    put("f", b"Z" * 4 * PAGE)
    return area[0:2], area[PAGE] == 1


@group.check(fixture=BIG)
def shared_write_then_read():
    area = mapped()
    area[10:15] = b"hello"
    return get("f")[8:17]


@group.check(fixture=BIG)
def write_then_seen_in_the_map():
    area = mapped()
    fd = os.open("f", os.O_WRONLY)
    told = area[100:103]
    os.pwrite(fd, b"xyz", 100)
    return told, area[100:103]


@group.check(fixture=BIG)
def shared_write_kept_after_close_and_unmap():
    area = mapped()
    area[5000] = 200
    area.close()
    fd = os.open("f", os.O_RDWR)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    return os.pread(fd, 1, 5000)


@group.check(fixture=BIG)
def msync():
    area = mapped()
    area[0] = 65
    area.flush()
    area.flush(PAGE, PAGE)
    return get("f")[:2], changed("f", area.flush)


@group.check(fixture=BIG)
def shared_with_a_child():
    area = mapped()

    def other(step):
        other_area = mapped()
        step()
        assert other_area[7:9] == b"up"
        other_area[9:13] = b"down"
        step()

    beside = Beside(other)
    area[7:9] = b"up"
    beside.go()
    return area[7:13]


@group.check(fixture=BIG)
def write_needs_a_writable_descriptor():
    return (
        said(lambda: mapped(how=os.O_RDONLY) and None),
        said(lambda: mapped(mmap.MAP_PRIVATE, how=os.O_RDONLY) and None),
        said(lambda: mapped(prot=mmap.PROT_READ, how=os.O_WRONLY) and None),
        said(lambda: mapped(how=os.O_RDWR | os.O_APPEND) and None),
    )


@group.check(fixture={"d/": None, "p": os.mkfifo})
def of_what_cannot_be_mapped():
    told = []
    for path, how in (("d", os.O_RDONLY), ("p", os.O_RDWR)):
        fd = os.open(path, how)
        result = calls.libc.mmap(None, calls.ctypes.c_size_t(PAGE), 1, 1, fd, calls.ctypes.c_long(0))
        told.append(os.strerror(calls.ctypes.get_errno()) if result == 2**64 - 1 else "mapped")
    return told


@group.check(fixture=BIG)
def beyond_the_end_is_sigbus():
    os.truncate("f", 4 * PAGE)
    area = mapped()
    os.truncate("f", 100)

    def touch(at, value=None):
        if value is not None:
            area[at] = value
        return area[at]

    return forked(touch, 50), forked(touch, 150), forked(touch, PAGE), forked(touch, PAGE, 1)


@group.check(fixture=BIG)
def tail_of_the_last_page_is_zero_again():
    os.truncate("f", 100)
    area = mapped(length=100)
    fd = os.open("f", os.O_RDWR)
    whole = calls.libc.mmap(None, calls.ctypes.c_size_t(PAGE), 3, 1, fd, calls.ctypes.c_long(0))
    calls.ctypes.memset(whole + 100, 0x41, 50)
    os.ftruncate(fd, 200)
    return area[99:100], sum(get("f")[100:]), size_of("f")


@group.check(fixture=BIG)
def cut_off_and_grown_again():
    area = mapped()
    area[3 * PAGE] = 99
    os.truncate("f", PAGE)
    os.truncate("f", 4 * PAGE)
    return area[3 * PAGE], area[PAGE - 1], sum(area[PAGE:])


@group.check
def of_a_hole():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 100 * PAGE)
    area = mapped(length=100 * PAGE)
    area[50 * PAGE + 7] = 1
    area.flush()
    data = get("f")
    return len(data), sum(data), data[50 * PAGE + 7]


@group.check(fixture=BIG)
def fixed_offset():
    area = mmap.mmap(os.open("f", os.O_RDWR), PAGE, offset=2 * PAGE)
    area[1] = 250
    return area[:3], get("f")[2 * PAGE + 1]


@group.check(fixture=BIG)
def written_through_two_maps():
    one, two = mapped(), mapped()
    one[0:2], two[2:4] = b"on", b"tw"
    return one[0:4], two[0:4], get("f")[:4]


@group.check(fixture=BIG)
def advice():
    area = mapped()
    area[10] = 33
    for word in (mmap.MADV_WILLNEED, mmap.MADV_DONTNEED, mmap.MADV_SEQUENTIAL, mmap.MADV_RANDOM):
        area.madvise(word)
    return area[10]


@group.check(fixture=BIG)
def remapped_larger():
    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, PAGE)
    area.resize(6 * PAGE)
    area[5 * PAGE] = 3
    return len(area), size_of("f"), get("f")[5 * PAGE]


@group.check(fixture=BIG)
def renamed_over_while_mapped():
    area = mapped()
    put("g", b"new")
    os.rename("g", "f")
    area[0] = 65
    area.flush()
    return area[:2], get("f")


@group.check(fixture=BIG)
def read_from_the_map_into_itself():
    """write() whose buffer is a page of the same file."""
    area = mapped()
    fd = os.open("f", os.O_RDWR)
    told = os.pwrite(fd, memoryview(area)[100:200], 8000)
    os.preadv(fd, [memoryview(area)[0:100]], 8000)
    return told, area[:3], get("f")[8000:8003], get("f")[0:3]


# --- running ---


def script_fixture():
    put("script", b"#!/bin/sh\necho ran $1\n", 0o755)
    shutil.copy("/bin/true", "program")
    os.chmod("program", 0o755)


def outcome(*words, **named):
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10, **named)
    except OSError as error:
        return error
    return done.returncode, done.stdout


@group.check(fixture=script_fixture)
def script_and_program_run():
    return outcome("./script", "well"), outcome("./program")


@group.check(fixture=script_fixture)
def run_needs_the_right():
    os.chmod("script", 0o644)
    os.chmod("program", 0o600)
    os.mkdir("d")
    return outcome("./script"), outcome("./program"), outcome("./d"), outcome("./none")


@group.check(fixture=script_fixture)
def not_a_program():
    put("text", b"just text\n", 0o755)
    put("bad", b"#!/none/such\n", 0o755)
    put("empty", b"", 0o755)
    return [said(os.execv, "./" + name, [name]) for name in ("text", "bad", "empty")]


@group.check(fixture=script_fixture)
def run_through_a_link():
    os.symlink("program", "l")
    os.link("program", "h")
    return outcome("./l"), outcome("./h")


def sleeper():
    shutil.copy("/bin/sleep", "sleeper")
    os.chmod("sleeper", 0o755)


@group.check(fixture=sleeper)
def text_busy():
    running = subprocess.Popen(["./sleeper", "20"])
    try:
        return (
            said(opened, "sleeper", os.O_WRONLY),
            said(os.truncate, "sleeper", 0),
            said(opened, "sleeper"),
            said(os.chmod, "sleeper", 0o700),
            said(os.rename, "sleeper", "moved"),
            said(os.unlink, "moved"),
            running.poll(),
        )
    finally:
        running.kill()
        running.wait()


@group.check(fixture=sleeper)
def busy_with_writing():
    fd = os.open("sleeper", os.O_RDWR)
    told = outcome("./sleeper", "0")
    os.close(fd)
    return told, outcome("./sleeper", "0")


@group.check(root=True)
def setuid_program():
    shutil.copy("/usr/bin/id", "id")
    os.chown("id", 54321, 54331)
    os.chmod("id", 0o6755)
    return outcome("./id", "-u"), outcome("./id", "-g")


@group.check
def program_just_written():
    with open("/bin/true", "rb") as source, open("p", "wb") as copy:
        copy.write(source.read())
    os.chmod("p", 0o755)
    return outcome("./p")


@group.check
def shared_library_loaded():
    import ctypes

    library = os.path.realpath(next(line.split()[-1] for line in open("/proc/self/maps") if "libc.so" in line))
    shutil.copy(library, "copy.so")
    return ctypes.CDLL("./copy.so") is not None, ctypes.CDLL("./copy.so").abs(-5)


@group.check(root=True)
def run_by_others_who_may_not_read():
    os.chmod(".", 0o755)
    shutil.copy("/bin/true", "program")
    os.chmod("program", 0o711)
    return as_user(lambda: (outcome("./program"), said(get, "program")))


@group.check(root=True)
def capability_counts_when_it_runs():
    """cap_dac_override: a reader of files that their mode keeps from him; gone once the program is written to."""
    os.chmod(".", 0o755)
    put("secret", b"secret", 0o600)
    shutil.copy("/bin/cat", "cat")
    os.chmod("cat", 0o755)
    os.setxattr("cat", "security.capability", bytes.fromhex("0100000202000000000000000000000000000000"))
    told = as_user(outcome, "./cat", "secret")
    fd = os.open("cat", os.O_WRONLY)
    os.write(fd, b"\x7f")
    os.close(fd)
    return told, as_user(outcome, "./cat", "secret")


@group.check(fixture=script_fixture)
def run_by_descriptor():
    fd = os.open("program", os.O_RDONLY)
    script = os.open("script", os.O_RDONLY)
    return [forked(os.execve, number, ["x"], {}) for number in (fd, script, os.open(".", os.O_RDONLY))]
