#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 200
# What is at the edge of what Rock Ridge can express is refused when it's made, with the right errno, or comes back exactly
# when the disc is all that is known: names, targets, numbers, times, depth, attributes, hard links (extremes.py).
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners, devices
requires python3

make_disc disc.img dvd
mount_disc disc.img mnt
time timeout 100 python3 -I "$TESTS/mount/extremes.py" make mnt kept.json
time commit mnt
timeout 50 python3 -I "$TESTS/mount/extremes.py" check mnt kept.json
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
time timeout 50 python3 -I "$TESTS/mount/extremes.py" check mnt kept.json
unmount mnt
# and by UDF, whose names aren't always these
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt -o import=udf
assert_equal "$(find mnt/links -type f | wc -l)" $((${LINKS:-2000} + 1)) "names by UDF"
find mnt/numbers -printf '%f %m %U %G %y\n' | sort >udf
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
find mnt/numbers -printf '%f %m %U %G %y\n' | sort >rockridge
cmp udf rockridge
unmount mnt
