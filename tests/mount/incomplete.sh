#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A file of which a write was refused is never burned as if it were good: whoever wrote it and however, it ends at its
# last good byte, status, diff and the dry run name it, and no commit is made, also after a crash, until it's written
# again, cut off, deleted or discarded. And who goes on writing is told soon.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root
requires jq python3 rsync setfattr sqlite3 xorriso

incomplete() { # DIR
	status "$1" '[.incomplete.list[].path] | join(" ")'
}

# The kernel is made to forget the sizes that it remembers, every half second.
await_size() { # FILE LIMIT
	local i
	for ((i = 0; i < 600; i++)); do
		[ "$(stat -c %s "$1")" -ge "$2" ] || return 0
		sleep 0.1
	done
	fail "$1 has $(stat -c %s "$1") bytes"
}

# It holds the beginning of what was written, and nothing else.
assert_beginning() { # FILE OF
	local size
	size=$(stat -c %s "$1")
	assert_less "$size" "$(stat -c %s "$2")" "size of $1"
	cmp -n "$size" "$1" "$2" || fail "$1 isn't the beginning of $2"
}

refused_commit() { # DIR WORDS
	assert_exit 2 discfsctl commit "$1"
	grep -q "$2" out
	grep -q "Nothing was burned, and everything is still staged" out
}

head -c 20000000 /dev/urandom >big
head -c 300000 /dev/urandom >little
seq 100000 >old
make_disc disc.img cd # of which the disk has more free

# --- the disk with the state directory is full
mkdir full
mount -t tmpfs -o size=12M,mode=700 tmpfs full
mount_disc disc.img mnt -o state="$T/full"
cp old mnt/old
cp old mnt/kept
commit mnt OLD
echo staged >mnt/staged
assert_fails "No space left" cp big mnt/cp
await_size mnt/cp 20000000
assert_beginning mnt/cp big
assert_equal "$(incomplete mnt)" cp
# a program that goes on is told by write() soon, not at the end of all days
assert_fails "error writing 'mnt/endless': No space left" timeout 60 dd if=/dev/zero of=mnt/endless bs=1M
assert_fails "No space left" rsync --inplace big mnt/rsync
cat big >>mnt/old || true
cat >mapped.py <<'PY'
import mmap, os, sys
fd = os.open("mnt/mapped", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 8000000)
pages = mmap.mmap(fd, 8000000)
pages[:] = b"x" * 8000000
try:
    pages.flush()
except OSError as error:
    sys.exit(error.strerror)
PY
assert_fails "No space left" python3 -I -S mapped.py
await_size mnt/old 20000000
wanted="cp endless mapped old rsync"
assert_equal "$(incomplete mnt)" "$wanted"
cat old big >joined
assert_beginning mnt/old joined
discfsctl diff mnt >changes
assert_equal "$(sed -n 's/^I //p' changes | tr '\n' ' ')" "$wanted "
grep -qx "M old" changes
discfsctl status mnt >said
grep -q "Incomplete, since writes were refused" said
grep -qF "incomplete: rsync (no room was left)" said
assert_match "$(cat said)" "Room for [0-9.]+ k?B more \(what the disk with the state directory takes; the disc has room for [67][0-9]+ MB\)"
assert_exit 2 discfsctl commit mnt --dry-run
grep -A 5 "5 files are incomplete, since writes to them were refused:" out | grep -qx "  mapped"
refused_commit mnt "5 files are incomplete, .* the first is old"
assert_fails "Input/output error" setfattr -n user.discfs.commit -v "" mnt
assert_exit 2 discfsctl commit mnt --to "$T/file.img"
[ ! -e file.img ] || fail "a session went to a file"
# they stay so, whatever happens to the daemon
kill_daemon mnt
mount_disc disc.img mnt -o state="$T/full"
assert_equal "$(incomplete mnt)" "$wanted"
assert_beginning mnt/cp big
cp --reflink=auto mnt/cp mnt/copy
assert_equal "$(incomplete mnt)" "copy $wanted"
unmount mnt
mount_disc disc.img mnt -o state="$T/full"
mv mnt/copy mnt/moved
assert_equal "$(incomplete mnt)" "cp endless mapped moved old rsync"
# each way back
rm mnt/cp mnt/moved
truncate -s 0 mnt/endless
discfsctl discard --yes mnt/old
assert_equal "$(incomplete mnt)" "mapped rsync"
cp little mnt/mapped
assert_equal "$(incomplete mnt)" rsync
head -c 6000000 big >most
# Of a file that is there already rsync closes a second descriptor first, which takes the error and says nothing (an
# answer to FUSE_FLUSH would tell, but costs each close of any file a round trip: docs/performance.md). --fsync is told.
assert_fails "No space left" rsync --fsync --inplace big mnt/rsync
assert_equal "$(incomplete mnt)" rsync
rsync --inplace most mnt/rsync
assert_equal "$(incomplete mnt)" ""
assert_same_bytes mnt/old old
chmod 644 mnt/rsync mnt/mapped
commit mnt GOOD
mkdir expected
cp old expected/kept
mv old most expected
mv expected/most expected/rsync
cp little expected/mapped
echo staged >expected/staged
: >expected/endless
assert_same_tree mnt expected --without root,mtime
unmount mnt
umount full
extract_xorriso disc.img out.d >/dev/null 2>&1
assert_same_tree out.d expected --without root,mtime

# --- a limit, and an unmount that is to burn
make_disc limited.img dvd
mount_disc limited.img mnt -o spool_limit=8M,commit=unmount
assert_fails "No space left" cp big mnt/big
await_size mnt/big 20000000
assert_beginning mnt/big big
assert_match "$(discfsctl status mnt)" "what spool_limit allows"
assert_exit 2 discfsctl umount mnt
mountpoint -q mnt
assert_equal "$(incomplete mnt)" big
pid=$(cat .daemon-mnt)
rm mnt/big
cp little mnt/big
discfsctl umount mnt
await_end "$pid"
mount_disc limited.img mnt
assert_same_bytes mnt/big little
unmount mnt

# --- the disc is full
make_disc small.img 10M
mount_disc small.img mnt
assert_fails "No space left" timeout 60 dd if=/dev/zero of=mnt/endless bs=1M
refused_commit mnt "endless is incomplete: a write to it was refused (no room was left)"
await_size mnt/endless 11000000
rm mnt/endless
assert_fails "No space left" cp big mnt/big
assert_equal "$(incomplete mnt)" big
await_size mnt/big 20000000
truncate -s 5000000 mnt/big # who cuts it off says that it ends there
assert_equal "$(incomplete mnt)" ""
commit mnt SMALL
assert_same_bytes mnt/big <(head -c 5000000 big)
unmount mnt

# --- a state of an older discfs is taken over
mount_disc small.img mnt
echo before >mnt/before
unmount mnt
db=$(grep -l SMALL "$XDG_STATE_HOME"/discfs/*/overlay.db)
sqlite3 "$db" 'DROP INDEX node_lost; ALTER TABLE node DROP COLUMN lost; PRAGMA user_version=4' >/dev/null
discfsctl catalog show SMALL >said
grep "Staged: 1 added" said
mount_disc small.img mnt
assert_equal "$(cat mnt/before)" before
assert_fails "No space left" cp big mnt/big2
assert_equal "$(incomplete mnt)" big2
rm mnt/big2
commit mnt AFTER
unmount mnt
check_state
