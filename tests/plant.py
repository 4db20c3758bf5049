#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a tree in which there is one of everything that a file system can hold, and the same tree for the same seed:
types, modes, owners, ACLs, extended attributes, hard links, holes, times to the nanosecond, odd names.

plant.py DIR FILES SEED    FILES: how many plain files, about
"""
import os
import random
import socket
import stat
import struct
import sys

MODES = (0o644, 0o600, 0o755, 0o444, 0o640, 0o4755, 0o2711, 0o1644, 0o000, 0o777)
NAMES = ("plain", "two words", " blank", "tab\tin", "new\nline", "back\\slash", "quote'\"", "*?[x]", "-rf", "--help",
         "%s%n", "Größe", "日本語", "UPPER", "upper", "a.b.c.d", "#hash", "semi;colon", "$HOME", "x" * 200)
NOBODY = 0xffffffff


def acl(entries):
    """The kernel's packed form: (tag, permissions, id) in the order of acl(5)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def access_acl(chance, mode):
    return acl([(1, mode >> 6 & 7, NOBODY), (2, chance.randrange(8), chance.randrange(1000, 2000)),
                (4, mode >> 3 & 7, NOBODY), (8, chance.randrange(8), chance.randrange(1000, 2000)),
                (16, mode >> 3 & 7, NOBODY), (32, mode & 7, NOBODY)])


def stamp(path, chance):
    moment = chance.randrange(1_000_000_000_000_000_000, 1_700_000_000_000_000_000)
    os.utime(path, ns=(moment, moment), follow_symlinks=False)


def attributes(path, chance):
    """Owner first: it clears bits of the mode."""
    if os.geteuid() == 0 and chance.random() < 0.3:
        os.chown(path, chance.randrange(70000), chance.randrange(70000), follow_symlinks=False)
    if chance.random() < 0.1:
        os.setxattr(path, "user.origin", b"http://example.org/%d" % chance.randrange(10 ** 9))
        os.setxattr(path, "user.bytes", chance.randbytes(chance.randrange(200)))
        if os.geteuid() == 0:
            os.setxattr(path, "trusted.note", b"for root's eyes")
    mode = chance.choice(MODES) if os.path.isfile(path) else chance.choice((0o755, 0o700, 0o2775, 0o1777))
    os.chmod(path, mode)
    if chance.random() < 0.05 and not mode & stat.S_ISVTX:  # rsync 3.5 mixes up the lists of sticky directories
        if os.path.isdir(path):
            os.setxattr(path, "system.posix_acl_default", access_acl(chance, 0o750))
        os.setxattr(path, "system.posix_acl_access", access_acl(chance, mode))


def text(chance, size):
    words = b"the quick brown fox jumps over a lazy dog and tells nobody what it saw\n".split(b" ")
    return b" ".join(chance.choices(words, k=size // 5 + 1))[:size]


def plain(path, chance):
    size = chance.choice((0, 1, chance.randrange(4096), 2048, 2049, 4096, chance.randrange(30000)))
    with open(path, "wb") as file:
        file.write(chance.randbytes(size) if chance.random() < 0.3 else text(chance, size))


def sparse(path, chance):
    size = chance.randrange(1, 3000000)
    with open(path, "wb") as file:
        for _ in range(chance.randrange(4)):
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(chance.randrange(1, 20000)))
        file.truncate(max(size, file.tell()))


def special(top, chance):
    os.mkdir(top)
    os.mkfifo(os.path.join(top, "fifo"), 0o640)
    with socket.socket(socket.AF_UNIX) as sock:
        os.chdir(top)
        sock.bind("socket")
    if os.geteuid() == 0:
        os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod("loop", stat.S_IFBLK | 0o660, os.makedev(7, 300))
    os.symlink("nowhere", "dangling")
    os.symlink("/", "root")
    os.symlink("d/" * 300 + "x", "long")
    os.symlink(".", "self")
    for name in os.listdir("."):
        stamp(name, chance)


def file_in(folder, chance, number, made, share):
    name = chance.choice(NAMES) + str(number) if chance.random() < 0.2 else "file%d.txt" % number
    path = os.path.join(folder, name)
    what = chance.random()
    if what < 0.05:
        os.symlink(os.path.basename(chance.choice(made)) if made else "nothing", path)
        stamp(path, chance)
    elif what < 0.09 and made:
        os.link(chance.choice(made), path)
    else:
        sparse(path, chance) if what > 1 - share else plain(path, chance)
        attributes(path, chance)
        stamp(path, chance)
        made.append(path)


def main():
    top, count, chance = os.path.abspath(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    os.umask(0o022)
    os.makedirs(top)
    folders, made = [top], []
    for number in range(count // 20):
        parent = chance.choice(folders[-20:])
        if parent.count("/") - top.count("/") > 8:
            parent = top
        folder = os.path.join(parent, chance.choice(NAMES)[:100] + str(number))
        os.mkdir(folder)
        folders.append(folder)
    for number in range(count):
        file_in(chance.choice(folders), chance, number, made, min(0.02, 20 / count))  # 20 with holes at most
    special(os.path.join(top, "special"), chance)
    for folder in reversed(folders[1:]):
        attributes(folder, chance)
    for folder in reversed(folders + [os.path.join(top, "special")]):
        stamp(folder, chance)


main()
