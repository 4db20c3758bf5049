#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# Staged work survives: an unmount, a moved image file, and a daemon killed in the middle of an rsync. What was
# fsynced, or closed a second before, is whole, and a second rsync completes the tree.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq rsync sqlite3 python3 setfattr

make_disc disc.img dvd
mount_disc disc.img mnt
mkdir mnt/base
for i in {1..200}; do
	seq "$i" 2000 >"mnt/base/$i"
done
commit mnt BASE
# unmounted, mounted again; moved to another place meanwhile
echo staged >mnt/staged
rm mnt/base/1
mv mnt/base/2 mnt/two
echo more >>mnt/base/3
sort mnt/.discfs/changes >changes
unmount mnt
mkdir elsewhere
mv disc.img elsewhere/moved.img
mount_disc elsewhere/moved.img mnt
sort mnt/.discfs/changes | cmp - changes
assert_equal "$(cat mnt/staged)" staged
{ seq 3 2000; echo more; } | cmp - mnt/base/3
unmount mnt
mv elsewhere/moved.img disc.img

# A tree with files of all sizes, some of them rewritten by rsync in place of base files
mkdir tree
for i in {1..3000}; do
	head -c $((i % 50 * 700)) /dev/urandom >"tree/$i"
done
for i in {1..5}; do
	head -c $((i * 4000000)) /dev/urandom >"tree/large$i"
done
cp -r tree/1* tree/sub 2>/dev/null || { mkdir tree/sub && cp tree/1* tree/sub; }

# What is already fsynced, or was closed at least a second before the kill, by the writer's own account
write_journal() {
	python3 - <<'END'
import os, time
number = 0
log = open("closed.log", "w", buffering=1)
while True:
    number += 1
    name = "mnt/journal/%d" % number
    with open(name, "w") as file:
        file.write(("%d\n" % number) * (number % 3000))
        if number % 10 == 0:
            file.flush()
            os.fsync(file.fileno())
    log.write("%d %f %s\n" % (number, time.time(), "synced" if number % 10 == 0 else "closed"))
    time.sleep(0.002)
END
}

check_journal() { # KILL-TIME: every file that must be whole is
	python3 - "$1" <<'END'
import os, sys
killed = float(sys.argv[1])
whole = 0
for line in open("closed.log"):
    number, when, how = line.split()
    if how != "synced" and float(when) > killed - 1.0:
        continue
    with open("mnt/journal/" + number) as file:
        if file.read() != (number + "\n") * (int(number) % 3000):
            sys.exit("journal/%s, %s %.3f s before the kill, is not whole" % (number, how, killed - float(when)))
    whole += 1
print(whole, "files whole")
sys.exit(whole < 100)
END
}

for round in 1 2 3; do
	mount_disc disc.img mnt
	rm -rf mnt/journal
	mkdir -p mnt/journal
	rsync -aHAX tree/ "mnt/tree$round/" 2>rsync.log &
	rsync=$!
	write_journal 2>journal.log &
	journal=$!
	sleep "$round".5
	until [ "$(wc -l <closed.log)" -gt 150 ]; do sleep 0.2; done
	sleep 1
	killed=$(date +%s.%N)
	kill_daemon mnt
	wait $rsync || true
	wait $journal || true
	check_state
	mount_disc disc.img mnt
	check_journal "$killed"
	{ seq 3 2000; echo more; } | cmp - mnt/base/3
	rsync -aHAX --delete tree/ "mnt/tree$round/"
	rsync -aHAXn --checksum --itemize-changes tree/ "mnt/tree$round/" >differences
	assert_equal "$(cat differences)" "" "what a third rsync would do"
	assert_same_tree "mnt/tree$round" tree
	unmount mnt
done
mount_disc disc.img mnt
commit mnt AFTER
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
for round in 1 2 3; do
	assert_same_tree "mnt/tree$round" tree
done
unmount mnt
