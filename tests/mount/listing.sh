#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# What an open directory still lists may be gone by then. Such a name doesn't come back by it: neither as the file that
# was deleted, nor as the one that has another name now.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires python3

cat >late.py <<'END'
"""Reads the beginning of DIR, deletes and renames files that come later, reads on, and asks for those names."""
import os
import sys

top = sys.argv[1]
held = [os.open(os.path.join(top, "gone%04d" % i), os.O_RDONLY) for i in range(50)]
with os.scandir(top) as entries:
    next(entries)
    for i in range(50):
        os.unlink(os.path.join(top, "gone%04d" % i))
        os.rename(os.path.join(top, "old%04d" % i), os.path.join(top, "new%04d" % i))
    for entry in entries:
        pass
names = os.listdir(top)
there = [kind for kind in ("gone", "old", "new") for i in range(50) if os.path.exists(os.path.join(top, kind + "%04d" % i))]
print({kind: there.count(kind) for kind in ("gone", "old", "new")}, sum(not name.startswith("fill") for name in names))
os.mkdir(os.path.join(top, "gone0000"))
os.mkdir(os.path.join(top, "old0000"))
END

make_disc disc.img
mount_disc disc.img mnt
mkdir mnt/dir
for name in $(seq -f 'fill%04g' 3000) $(seq -f 'gone%04g' 0 49) $(seq -f 'old%04g' 0 49); do
	: >"mnt/dir/$name"
done
assert_equal "$(timeout 30 python3 late.py mnt/dir)" "{'gone': 0, 'old': 0, 'new': 50} 50"
unmount mnt
