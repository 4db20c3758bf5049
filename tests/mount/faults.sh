#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# The state directory fails: its disk is full or breaks in the middle of work, for a moment or for a while. Programs are
# told; nothing is half done; nothing that was told to be done is lost; and when it works again, so does the mount.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq python3 setfattr xorriso sqlite3
failing=$BUILD/fault/failing.so

# Mounts with a daemon whose calls fail as the file "orders" says.
mount_failing() { # FILE DIR
	truncate -s 4096 orders
	give_order off
	mkdir -p "$2"
	timeout 60 env LD_PRELOAD="$failing" DISCFS_FAILING="$T/orders" DISCFS_FAILING_BELOW="$T/state" \
		discfs "$1" "$2" -o state="$T/state"
	daemon_of "$2" >"$T/.daemon-$(basename "$2")"
}

serial=0
give_order() {
	serial=$((serial + 1))
	printf '%-64s%-64s' "$1 .$serial" "0 0" | dd of=orders conv=notrunc status=none
}

times_failed() {
	dd if=orders bs=64 skip=1 count=1 status=none | cut -d ' ' -f 1
}

# What the kernel holds goes to the daemon, and from there to the disk: it isn't told of syncfs.
sync_mount() {
	sync -f mnt
	sync mnt
}

# Linux tells of the write that failed once more, at the first sync.
sync_after_error() {
	sync_mount || true
	sync_mount
}

# --- one failure after the other, under programs at work
make_disc disc.img dvd
mount_disc disc.img mnt -o state="$T/state"
seq 20000 >base
cp base mnt/base
commit mnt BASE
unmount mnt
mkdir expected
cp base expected/base
mount_failing disc.img mnt
timeout 400 python3 "$TESTS/fault/story.py" orders mnt expected "${DISCFS_SLOWNESS:-1}"
rounds=$(find mnt -maxdepth 1 -name 'r[0-9]*' | wc -l)
assert_less 20 "$rounds" "rounds"
assert_equal "$(status mnt .warnings[0])" null
# what a program has synced survives the daemon
kill_daemon mnt
mount_failing disc.img mnt
assert_same_tree mnt expected --without root,mtime

# --- a commit that can't be journalled is no commit, and the next one is
for order in sync:1:1:EIO sync:2:1:EIO sync:4:1:EIO sync:5:2:EIO write:2:1:ENOSPC:overlay.db write:9:1:EIO:overlay.db \
	step:3:1:ENOSPC step:40:1:EIO step:120:1:ENOSPC memory:50:1:ENOMEM memory:90:1:ENOMEM; do
	echo "$order" >mnt/order
	echo "$order" >expected/order
	give_order "$order"
	code=0
	timeout 100 setfattr -n user.discfs.commit -v FAULTY mnt 2>errors || code=$?
	[ "$(times_failed)" -gt 0 ] || fail "$order: nothing failed"
	give_order off
	echo "$order: $code, $(cat errors), $(status mnt .last.message)"
	if [ "$code" = 0 ]; then
		assert_equal "$(cat mnt/.discfs/changes)" "" "what is staged after a commit"
	else
		grep -qE "Input/output error|No space left|Cannot allocate memory" errors
	fi
	if status mnt .warnings[0] | grep "mount again"; then # the session was burned already
		unmount mnt
		mount_failing disc.img mnt
	fi
	assert_same_tree mnt expected --without root,mtime
	echo "after $order" >mnt/order
	echo "after $order" >expected/order
	sync_after_error
	commit mnt AFTER
	assert_equal "$(cat mnt/.discfs/changes)" ""
	assert_same_tree mnt expected --without root,mtime
done
unmount mnt
extract_xorriso disc.img out.d >/dev/null 2>&1
assert_same_tree out.d expected --without root,mtime
check_state

# --- a power cut: what was written last didn't reach the disk, though the rows that tell of it did
mount_disc disc.img mnt -o state="$T/state"
seq 30000 >mnt/early
sync_mount
seq 40000 60000 >mnt/late
seq 70000 90000 >expected/late2
cp expected/late2 mnt/late2
sync_mount
held=$(find state -name spool)
before=$(stat -c %s "$held")
head -c 100000 /dev/urandom >mnt/cut
sync_mount
kill_daemon mnt
# to its end: pages that the kernel wrote early have room reserved behind them, where the next file isn't
fallocate --punch-hole -o "$before" -l "$(($(stat -c %s "$held") - before))" "$held"
sqlite3 "$(find state -name overlay.db)" "UPDATE meta SET value='another boot' WHERE key='boot'"
timeout 300 discfs -f disc.img mnt -o state="$T/state" 2>said &
for _ in {1..600}; do
	! mountpoint -q mnt || break
	sleep 0.1
done
daemon_of mnt >.daemon-mnt
grep "/cut lost [0-9]* bytes" said
assert_equal "$(grep -c " lost " said)" 1
assert_same_bytes mnt/early <(seq 30000)
assert_same_bytes mnt/late <(seq 40000 60000)
assert_same_bytes mnt/late2 expected/late2
assert_equal "$(stat -c %s mnt/cut)" 100000
echo more >mnt/more
rm mnt/cut
commit mnt CUT
assert_same_bytes mnt/late2 expected/late2
unmount mnt

# --- another program fills the disk under the state directory, and leaves it again
requires_root
mkdir small
mount -t tmpfs -o size=16M,mode=700 tmpfs small
make_disc small.img dvd
mount_disc small.img mnt -o state="$T/small"
rm -rf expected
for dir in mnt expected; do
	mkdir -p $dir/names
	for i in {1..800}; do
		echo "$i" >"$dir/names/$i"
	done
done
sync_mount
dd if=/dev/zero of=small/filler bs=64k status=none 2>/dev/null || true
dd if=/dev/zero of=small/filler2 bs=4k status=none 2>/dev/null || true
assert_equal "$(df --output=avail small | tail -n 1 | tr -d ' ')" 0 "room on the disk"
# What needs no room is done; what does is refused. Whatever was told to be done is done. (Emptying the log makes some
# room every now and then.)
work_on() { # ROUND
	local i name
	for i in {1..20}; do
		name=$((${1} * 20 + i))
		if mv "mnt/names/$name" "mnt/names/a rather long name for what was called $name" 2>>errors; then
			mv "expected/names/$name" "expected/names/a rather long name for what was called $name"
		fi
		if mkdir "mnt/names/new$name" 2>>errors; then
			mkdir "expected/names/new$name"
		fi
	done
	sync mnt 2>>errors || true
}
: >errors
all_seen() { # the flusher may make room at any moment, so that a sync goes well in between
	[ "$warning" != null ] && grep -q "create directory .* No space left" errors && grep -q "error syncing 'mnt'" errors
}
round=0 warning=null
while [ $round -lt 40 ] && ! all_seen; do
	work_on $round
	round=$((round + 1))
	warning=$(status mnt .warnings[0])
done
assert_match "$warning" "nothing more can be staged until it does"
grep -q "error syncing 'mnt': No space left on device" errors
rm small/filler small/filler2
sync_after_error
assert_equal "$(status mnt .warnings[0])" null
mkdir mnt/taken expected/taken
assert_same_tree mnt expected --without root,mtime
sync_mount
kill_daemon mnt
mount_disc small.img mnt -o state="$T/small"
assert_same_tree mnt expected --without root,mtime
commit mnt SMALL
assert_same_tree mnt expected --without root,mtime
unmount mnt
umount small
