#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that no command of Debian 12 makes.

fsop.py rename-noreplace OLD NEW    renameat2 with RENAME_NOREPLACE
fsop.py rename-exchange A B         renameat2 with RENAME_EXCHANGE
fsop.py fsync FILE...               fsync each
fsop.py close FILE                  copy standard input into FILE; fail when write or close fails
fsop.py readdir DIR                 names as a program reads them, with inode number and type, sorted
fsop.py holes FILE                  data segments as START-END, as SEEK_DATA tells them
"""
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100


def rename2(old, new, flags):
    if libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags) < 0:
        sys.exit("renameat2: " + os.strerror(ctypes.get_errno()))


def fsync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def fill(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        while block := sys.stdin.buffer.read(1 << 20):
            while block:
                block = block[os.write(fd, block):]
        os.close(fd)
    except OSError as error:
        sys.exit("%s: %s" % (path, error.strerror))


def readdir(path):
    kinds = []
    with os.scandir(path) as entries:
        for entry in entries:
            kind = "dir" if entry.is_dir(follow_symlinks=False) else "link" if entry.is_symlink() else "file"
            kinds.append("%s %d %s" % (entry.name, entry.inode(), kind))
    print("\n".join(sorted(kinds)))


def holes(path):
    fd = os.open(path, os.O_RDONLY)
    end = os.fstat(fd).st_size
    at, segments = 0, []
    while at < end:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        segments.append("%d-%d" % (start, at))
    print(" ".join(segments))


def main():
    word, rest = sys.argv[1], sys.argv[2:]
    if word == "rename-noreplace":
        rename2(rest[0], rest[1], 1)
    elif word == "rename-exchange":
        rename2(rest[0], rest[1], 2)
    elif word == "fsync":
        for path in rest:
            fsync(path)
    elif word == "close":
        fill(rest[0])
    elif word == "readdir":
        readdir(rest[0])
    elif word == "holes":
        holes(rest[0])
    else:
        sys.exit(__doc__)


main()
