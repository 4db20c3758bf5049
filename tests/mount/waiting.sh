#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# A drive can't be read while it burns: reads that need the disc wait until then, however many there are, and nothing
# else waits. An image file does as if it were such a drive (burn-blind), and the burn stands still (burn-middle) until
# the test wants it to go on.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq python3

readers=40

mount_blind() {
	DISCFS_FAULT=burn-blind:1,burn-middle:await=$T/go mount_disc disc.img mnt
}

await_status() { # JQ-CONDITION
	{ set +x; } 2>/dev/null
	local i
	for ((i = 0; i < 600; i++)); do
		if [ "$(status mnt "$1")" = true ]; then
			set -x
			return
		fi
		sleep 0.05
	done
	fail "it never comes that $1: $(status mnt .)"
}

# A commit that stands still while it burns.
begin_commit() {
	rm -f go
	head -c 3000000 /dev/urandom >"plain/new$1"
	cp "plain/new$1" mnt
	tell mnt commit-nowait
	await_status '.work.phase == "burning"'
}

await_readers() { # AT LEAST
	await_status ".work.waiting_reads >= $1"
}

pids=()
begin() { # COMMAND…: in the background
	"$@" &
	pids+=($!)
}

# All that was begun ends within some seconds, each with a code that fits.
await_all() { # PATTERN
	{ set +x; } 2>/dev/null
	local pid code began
	began=$(date +%s)
	for pid in "${pids[@]}"; do
		code=0
		wait "$pid" || code=$?
		[[ $code =~ ^($1)$ ]] || fail "process $pid ended with $code, not with $1"
	done
	pids=()
	assert_less $(($(date +%s) - began)) 30 "seconds until all had ended"
	set -x
}

read_all() {
	local i
	mkdir -p got
	for ((i = 0; i < readers; i++)); do
		begin sh -c "exec cat mnt/old/$i >got/$i"
	done
}

make_old() {
	{ set +x; } 2>/dev/null
	local i
	mkdir -p plain/old
	for ((i = 0; i < readers; i++)); do
		head -c $((i * 9000 + 5000)) /dev/urandom >plain/old/$i
	done
	head -c 3000000 /dev/urandom >plain/parts
	for i in known appended cut emptied replaced sought gone direct; do
		head -c 300001 /dev/urandom >plain/$i
	done
}

make_old
make_disc disc.img dvd
mount_disc disc.img mnt
cp -r plain/. mnt
commit mnt OLD
unmount mnt

# --- everything else goes on

mount_blind
exec {held}<mnt/known
cmp mnt/known plain/known # the kernel has it now, and keeps it, also when another test has caches dropped
for i in mnt plain; do
	printf changed | dd of=$i/parts bs=1 seek=1234567 conv=notrunc status=none
done
begin_commit 1
read_all
await_readers $readers
cat mnt/.discfs/status

cat >others.sh <<'END'
set -e
ls -lR mnt >/dev/null
cmp mnt/known plain/known
dd if=mnt/new1 iflag=nocache count=0 status=none # the kernel forgets it
for i in new1 parts; do
	cmp mnt/$i plain/$i
	dd if=mnt/$i iflag=nocache count=0 status=none # the kernel forgets it
	cmp mnt/$i plain/$i
done
for i in $(seq 50); do
	mkdir mnt/d$i
	echo $i >mnt/d$i/f
	mv mnt/d$i mnt/e$i
	[ "$(cat mnt/e$i/f)" = $i ]
done
head -c 30000000 /dev/zero | tr '\0' x >big
cp big mnt
sync mnt/big
sync -f mnt
dd if=mnt/big iflag=nocache count=0 status=none
cp mnt/big back
cmp big back
cp --reflink=auto mnt/new1 mnt/copy
truncate -s 100 mnt/copy
chmod 600 mnt/old/3
ln mnt/old/3 mnt/link
rm -r mnt/e1
df mnt >/dev/null
find mnt -name '1*' >/dev/null
cat mnt/.discfs/changes >/dev/null
setfattr -n user.a -v b mnt/old/4
END
slowness=1
! is_instrumented || slowness=4
timeout $((30 * slowness)) bash -x others.sh
exec {held}<&-

# --- a signal ends a wait

began=$(date +%s)
attempt timeout -s INT 2 cat mnt/old/7
assert_equal "$attempted" 124
assert_less $(($(date +%s) - began)) 6 "seconds until cat had ended"

cat >interrupted.py <<'END'
"""Reads that wait, by a program that has a handler of its own: past the cache, and through it."""
import mmap
import os
import signal
import time


class Alarm(Exception):
    pass


def alarm(number, frame):
    raise Alarm


signal.signal(signal.SIGALRM, alarm)
for flags in (0, os.O_DIRECT):
    fd = os.open("mnt/direct", os.O_RDONLY | flags)
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        os.readv(fd, [mmap.mmap(-1, 65536)])
        print("it didn't wait")
    except Alarm:
        print("interrupted", time.monotonic() - began < 5)
    os.close(fd)
END
assert_equal "$(timeout 30 python3 interrupted.py)" $'interrupted True\ninterrupted True'
await_status ".work.waiting_reads <= $readers + 1" # what was interrupted is gone; reads ahead may be left

# --- changes of files that somebody waits for

begin sh -c 'printf tail >>mnt/appended' # the kernel needs the rest of the page
for i in cut emptied replaced gone; do
	begin sh -c "exec cat mnt/$i >got/$i"
done
await_readers $((readers + 4))
timeout 20 truncate -s 0 mnt/cut # nothing is left to be read: neither has to wait
timeout 20 sh -c 'printf short >mnt/emptied'
rm mnt/gone
cp plain/known mnt/.new
mv mnt/.new mnt/replaced

# --- seeks on files that are being written

cat >seeks.py <<'END'
"""One file is being read from the disc, and its pages can't come in; seeks on others don't wait for it."""
import os
import threading

sought = os.open("mnt/sought", os.O_RDWR)
threads = [threading.Thread(target=os.pread, args=(sought, 5, 0), daemon=True)]
threads.append(threading.Thread(target=os.lseek, args=(os.dup(sought), 0, os.SEEK_HOLE), daemon=True))
for thread in threads:
    thread.start()
    thread.join(1)
    print(thread.is_alive())
for i in range(5):
    staged = os.open(f"mnt/staged{i}", os.O_RDWR | os.O_CREAT)
    os.pwrite(staged, b"x" * 5000, 8192)
    print(os.lseek(staged, 0, os.SEEK_DATA), os.lseek(staged, 0, os.SEEK_HOLE), flush=True)
    os.close(staged)
os.pread(sought, 5, 0)
END
begin sh -c 'exec python3 seeks.py >seeks'
for ((i = 0; i < 200; i++)); do
	[ "$(grep -c ' ' seeks || true)" = 5 ] && break
	sleep 0.1
done
assert_equal "$(sort seeks | uniq -c | tr -s ' ')" $' 5 8192 0\n 2 True'

# --- and when it has burned, all have what they wanted

kill -0 "${pids[@]:0:readers}"
touch go
await_all 0
await_status '.work == null'
assert_equal "$(status mnt .last.errno)" 0 "$(status mnt .last.message)"
for ((i = 0; i < readers; i++)); do
	assert_same_bytes got/$i plain/old/$i
done
assert_same_bytes got/gone plain/gone
assert_same_bytes got/replaced plain/replaced
assert_same_bytes mnt/replaced plain/known
assert_equal "$(cat mnt/emptied)" short
assert_equal "$(stat -c %s mnt/cut)" 0
printf tail >>plain/appended
assert_same_bytes mnt/appended plain/appended
assert_same_bytes mnt/direct plain/direct
assert_same_bytes mnt/parts plain/parts
diff -r mnt/old plain/old

# --- unmounting and the end of the daemon, with reads that wait

unmount mnt
mount_blind
begin_commit 2
read_all
await_readers $readers
assert_fails "busy" fusermount3 -u mnt
kill "${pids[@]}"
await_all 143
timeout 60 fusermount3 -u mnt
touch go
await_end "$(cat .daemon-mnt)"

mount_blind
diff -r mnt/old plain/old
assert_equal "$(status mnt .base.session)" 3
unmount mnt
mount_blind
begin_commit 3
read_all
await_readers $readers
kill -TERM "$(cat .daemon-mnt)"
await_all '1|143' # cat: Transport endpoint is not connected
for ((i = 0; i < 100; i++)); do
	mountpoint -q mnt || break
	sleep 0.1
done
assert_not_mounted mnt # the commit goes on
kill -0 "$(cat .daemon-mnt)"
touch go
await_end "$(cat .daemon-mnt)"

mount_blind
assert_equal "$(status mnt .base.session)" 4
begin_commit 4
read_all
await_readers $readers
fusermount3 -uz mnt # they have their files open still
touch go
await_all 0
for ((i = 0; i < readers; i++)); do
	assert_same_bytes got/$i plain/old/$i
done
await_end "$(cat .daemon-mnt)"
mount_disc disc.img mnt
assert_equal "$(status mnt .base.session)" 5
for i in 1 2 3 4; do
	assert_same_bytes mnt/new$i plain/new$i
done
unmount mnt
check_state
