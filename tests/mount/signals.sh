#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# SIGTERM ends a mount in order, whatever is under way: what a program wrote into a file that is still open is there the
# next time, and seeks on files with unwritten pages keep nothing waiting. Ctrl-C in front does the same.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires python3

cat >busy.py <<'END'
"""DIR PID: writes, seeks from four threads, and in the middle of that ends the process."""
import os
import signal
import sys
import threading
import time

top, pid = sys.argv[1], int(sys.argv[2])
kept = os.open(os.path.join(top, "kept"), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
os.write(kept, b"still open " * 100000)
print("blocks", os.fstat(kept).st_blocks > 0)
busy = os.open(os.path.join(top, "busy"), os.O_RDWR | os.O_CREAT)


def seek():
    turn = 0
    try:
        while True:
            os.pwrite(busy, bytes([turn % 255 + 1]) * 65536, turn % 64 * 131072)
            os.lseek(busy, 0, os.SEEK_HOLE)
            turn += 1
    except OSError:
        pass


threads = [threading.Thread(target=seek, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
time.sleep(0.5)
os.kill(pid, signal.SIGTERM)
for thread in threads:
    thread.join(60)
print("alive", any(thread.is_alive() for thread in threads), flush=True)
os._exit(0)
END

python3 -c 'import sys; sys.stdout.write("still open " * 100000)' >expected
make_disc disc.img dvd
for round in 1 2 3; do
	mount_disc disc.img mnt
	pid=$(cat .daemon-mnt)
	assert_equal "$(timeout 100 python3 busy.py mnt "$pid")" $'blocks True\nalive False' "round $round"
	await_end "$pid" 60
	assert_not_mounted mnt
	mount_disc disc.img mnt
	assert_same_bytes mnt/kept expected
	unmount mnt
done

discfs -f disc.img mnt 2>log &
daemon=$!
for ((i = 0; i < 100; i++)); do
	mountpoint -q mnt && break
	sleep 0.1
done
echo word >mnt/word
kill -INT $daemon
await_end $daemon 60
wait $daemon
assert_not_mounted mnt
mount_disc disc.img mnt
assert_equal "$(cat mnt/word)" word
unmount mnt
check_state
