#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# A directory of 100,000 names, listed in pieces while it changes: a name that stays is seen once, however the directory
# is opened anew in the middle and whatever comes and goes meanwhile. Before a commit and after it.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires python3 setfattr

cat >list.py <<'END'
"""Lists DIR in pieces of 5,000 names, each from a new opendir(3) at the offset where the last one ended, as an NFS
server does; between them names are made, removed and renamed, but for those that begin with "kept". DIR FIRST: number of the first
of twenty changes."""
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype = ctypes.c_void_p
libc.telldir.restype = ctypes.c_long
for name in ("readdir", "telldir", "closedir"):
    getattr(libc, name).argtypes = [ctypes.c_void_p]
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]


class Entry(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("offset", ctypes.c_int64), ("length", ctypes.c_ushort),
                ("type", ctypes.c_ubyte), ("name", ctypes.c_char * 256)]


libc.readdir.restype = ctypes.POINTER(Entry)


def piece(top, offset):
    handle = libc.opendir(os.fsencode(top))
    if offset:
        libc.seekdir(handle, offset)
    names = []
    while len(names) < 5000 and (entry := libc.readdir(handle)):
        names.append(entry.contents.name.decode())
        offset = libc.telldir(handle)
    libc.closedir(handle)
    return names, offset


def change(top, turn):
    others = ["other%05d" % i for i in range(turn * 50, turn * 50 + 50)]
    for name in others[:25]:
        os.unlink(os.path.join(top, name))
    for name in others[25:]:
        os.rename(os.path.join(top, name), os.path.join(top, "moved" + name))
    for i in range(50):
        open(os.path.join(top, "new%03d-%03d" % (turn, i)), "w").close()


top, first = sys.argv[1], int(sys.argv[2])
seen, offset, turn = [], 0, first
while True:
    names, offset = piece(top, offset)
    if not names:
        break
    seen += names
    if turn < first + 20:  # new names come last: it would never end
        change(top, turn)
    turn += 1
stay = [name for name in seen if name.startswith("kept")]
print(len(stay), len(set(stay)), "twice:", len(seen) - len(set(seen)), "pieces:", turn - first > 19)
END

make_disc disc.img dvd
mount_disc disc.img mnt
mkdir mnt/dir
python3 - mnt/dir <<-'END'
	import os, sys
	for i in range(100000):
	    open(os.path.join(sys.argv[1], ("kept" if i % 10 else "other") + "%05d" % (i if i % 10 else i // 10)), "w").close()
END
assert_equal "$(timeout 120 python3 list.py mnt/dir 0)" "90000 90000 twice: 0 pieces: True"
commit mnt FULL
assert_equal "$(timeout 120 python3 list.py mnt/dir 100)" "90000 90000 twice: 0 pieces: True"
unmount mnt
mount_disc disc.img mnt
assert_equal "$(find mnt/dir -name 'kept*' | wc -l)" 90000
unmount mnt
