#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes a tree much, and the same tree always in the same way: deletions, renames of files and directories,
replacements, appended and overwritten bytes, new files, links and attributes.

mutate.py DIR SEED
"""
import os
import random
import shutil
import stat
import sys


def listing(top):
    """Plain files and directories below top, in an order that depends on the names alone."""
    files, dirs = [], []
    for path, subdirs, names in os.walk(top):
        subdirs.sort()
        dirs.extend(os.path.join(path, name) for name in subdirs if not os.path.islink(os.path.join(path, name)))
        for name in sorted(names):
            if stat.S_ISREG(os.lstat(os.path.join(path, name)).st_mode):
                files.append(os.path.join(path, name))
    return files, dirs


def replace(path, data):
    """As editors and rsync do: a temporary file, then a rename over the old one."""
    with open(path + b".tmp", "wb") as file:
        file.write(data)
    os.rename(path + b".tmp", path)


def overwrite(path, chance):
    with open(path, "r+b") as file:
        file.seek(chance.randrange(max(os.fstat(file.fileno()).st_size, 1)))
        file.write(b"overwritten")


def append(path, chance):
    with open(path, "ab") as file:
        file.write(b"appended\n" * chance.randrange(1, 1000))


def beside(path, suffix):
    """Another name in the same directory."""
    folder, name = os.path.split(path)
    return os.path.join(folder, name[:200] + suffix)


def link(path, other):
    if not os.path.lexists(other):
        os.link(path, other)


def change_file(path, chance):
    what = chance.randrange(100)
    if what < 8:
        os.unlink(path)
    elif what < 14:
        os.rename(path, beside(path, b".renamed%d" % chance.randrange(1000)))
    elif what < 18:
        replace(path, chance.randbytes(chance.randrange(30000)))
    elif what < 21:
        overwrite(path, chance)
    elif what < 24:
        append(path, chance)
    elif what < 25:
        os.truncate(path, chance.randrange(5000))
    elif what < 26:
        link(path, beside(path, b".linked%d" % chance.randrange(1000)))
    elif what < 27:
        os.chmod(path, chance.choice((0o600, 0o755, 0o444, 0o4711)))
    elif what < 28:
        os.setxattr(path, b"user.changed", b"%d" % chance.randrange(1000))
    elif what < 29:
        os.utime(path, ns=(0, chance.randrange(1000000000) * 1000000000), follow_symlinks=False)


def change_dir(path, chance, number):
    what = chance.randrange(100)
    if not os.path.isdir(path):  # it went with the one above it
        return
    if what < 6:
        os.rename(path, beside(path, b".moved%d" % number))
    elif what < 8:
        shutil.rmtree(path)
    elif what < 20:
        new = os.path.join(path, b"new%d" % number)
        if os.path.lexists(new):  # from another seed
            return
        os.mkdir(new)
        for i in range(chance.randrange(8)):
            replace(os.path.join(new, b"file%d" % i), chance.randbytes(chance.randrange(8000)))
        os.symlink(b"../new%d" % number, os.path.join(new, b"self"))


def main():
    top = os.fsencode(sys.argv[1])
    chance = random.Random(int(sys.argv[2]))
    files, dirs = listing(top)
    for path in files:
        change_file(path, chance)
    for number, path in enumerate(dirs):
        change_dir(path, chance, number)


main()
