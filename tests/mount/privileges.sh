#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A program that is setuid to root isn't any more once another user changed its content, by whatever way, and not even
# when it's executed at once, before anybody asked for its attributes again.
. "$(dirname "$0")/../lib.sh"
requires_root
requires_fuse
requires python3

cat >run.py <<'END'
import os
import shutil
import sys

top = sys.argv[1]
USER = 54321


def as_user(act):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        act()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("failed", end=" ")


def program(name):
    path = os.path.join(top, name)
    shutil.copy("/usr/bin/id", path)
    os.chmod(path, 0o4777)
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    os.stat(path)
    return path


def euid(path):
    def act():
        os.dup2(out, 1)
        os.execv(path, [path, "-u"])

    come, out = os.pipe()
    as_user(act)
    os.close(out)
    return "root" if os.read(come, 100).strip() == b"0" else "user"


def truncate_at_open(path):
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(content)


def copy(path):
    os.copy_file_range(os.open(os.path.join(top, "zeroes"), os.O_RDONLY), os.open(path, os.O_RDWR), 10, 0, 20000)


WAYS = {
    "nothing": os.stat,
    "write": lambda path: os.pwrite(os.open(path, os.O_RDWR), b"\0", 40000),
    "truncate": lambda path: os.truncate(path, os.path.getsize(path)),
    "rewrite": truncate_at_open,
    "fallocate": lambda path: os.posix_fallocate(os.open(path, os.O_RDWR), 0, 60000),
    "copy": copy,
}

with open(os.path.join(top, "zeroes"), "wb") as file:
    file.write(bytes(100))
os.chmod(os.path.join(top, "zeroes"), 0o644)
for way, act in WAYS.items():
    path = program(way)
    as_user(lambda: act(path))
    print(way, euid(path))
END

make_disc disc.img cd
mount_disc disc.img mnt -o suid
chmod 777 mnt
mkdir plain
chmod 777 plain
timeout 60 python3 run.py plain >expected
timeout 60 python3 run.py mnt >found
cat found
grep -qx 'nothing root' expected || skip "needs a file system for temporary files without nosuid"
assert_equal "$(grep -c ' user$' expected)" 5 "ways that take setuid away on the host"
assert_same_bytes found expected
unmount mnt
