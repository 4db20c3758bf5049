#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# The files that hold staged work are damaged, or removed under the mount: one sentence says what is lost and what to do,
# other discs and the catalogue don't notice, and nothing that says "done" has lost anything.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq

sentence() { # WORDS…: of the newest ends_with, all on one line, and nothing that only programmers understand
	local word
	assert_equal "$(wc -l <out)" 1 "lines"
	assert_less "$(wc -c <out)" 600 "length of the message"
	for word; do
		grep -qF -- "$word" out || fail "\"$word\" expected in: $(cat out)"
	done
	! grep -qiE 'select|sqlite|malformed|\?1' out || fail "SQLite's words: $(cat out)"
}

ends_with() { # CODE COMMAND…: what it says goes to found and out
	local expected=$1 code=0
	shift
	timeout 60 "$@" >found 2>out || code=$?
	cat found out
	assert_equal "$code" "$expected" "exit code of $*"
}

for name in one two; do
	make_disc $name.img
	mount_disc $name.img mnt
	seq 1000 >mnt/$name
	commit mnt "${name^^}"
	echo staged >mnt/staged-$name
	unmount mnt
done
id=$(discfsctl catalog --json | jq -r '.[] | select(.label == "ONE").id')
good=$(discfsctl catalog --json | jq -r '.[] | select(.label == "TWO").id')
cp "$XDG_STATE_HOME/discfs/$id/overlay.db" saved.db

# --- damaged: within, at its beginning, no database at all
break_within() { dd if=/dev/urandom of="$1" bs=4096 seek=1 count=60 conv=notrunc status=none; }
break_mark() { dd if=/dev/zero of="$1" bs=1 seek=68 count=4 conv=notrunc status=none; }
break_all() { head -c 50000 /dev/urandom >"$1"; }
for how in break_mark break_all break_within; do
	cp saved.db "$XDG_STATE_HOME/discfs/$id/overlay.db"
	$how "$XDG_STATE_HOME/discfs/$id/overlay.db"
	ends_with 2 discfs one.img mnt
	assert_less "$(wc -l <out)" 3 "lines in all"
	sed -i '$!d' out
	sentence one.img "$id/overlay.db is damaged" "what is staged for this disc is lost" \
		"catalog forget --force $id" "spool beside it"
	assert_not_mounted mnt
	# the others
	ends_with 2 discfsctl find 'staged-*'
	sentence "$id/overlay.db"
	grep -q staged-two found
	assert_equal "$(discfsctl find --disc TWO 'staged-*' --json 2>&1 | jq -r '.[].path')" staged-two
	ends_with 0 discfsctl catalog
	grep -q "^${id:0:8}  .*$id/overlay.db" found
	assert_equal "$(wc -l <found)" 3
	[ ! -s out ]
	ends_with 0 discfs two.img mnt
	daemon_of mnt >.daemon-mnt
	[ ! -s out ] || sentence "$id"
	[ -e mnt/staged-two ]
	unmount mnt
done
# a copy put back is as before
cp saved.db "$XDG_STATE_HOME/discfs/$id/overlay.db"
mount_disc one.img mnt
assert_equal "$(cat mnt/staged-one)" staged
unmount mnt
# and what the sentence says, works
break_within "$XDG_STATE_HOME/discfs/$id/overlay.db"
discfsctl catalog forget --force "$id"
mount_disc one.img mnt
assert_equal "$(ls mnt)" one
unmount mnt

# --- removed under the mount
mount_disc two.img mnt
rm -rf "${XDG_STATE_HOME:?}/discfs/$good"
for _ in {1..60}; do
	echo more 2>/dev/null >>mnt/refused || break # the flusher looks every two seconds
	sleep 0.1
done
assert_fails "Input/output error" touch mnt/new
discfsctl status mnt >out
grep "^Warning" out >warning
grep -q "$good was removed while the disc was mounted: what is staged is lost when it's unmounted" warning
assert_equal "$(status mnt .state_lost)" true
ends_with 2 discfsctl commit mnt
sentence "removed while"
cp two.img before.img
ends_with 2 discfsctl umount mnt
sentence "mnt stays mounted: " "removed while"
assert_equal "$(cat mnt/staged-two)" staged # to be copied to another place
ends_with 0 discfsctl umount --force mnt
grep -q "what was staged is lost" found
assert_not_mounted mnt
await_end "$(cat .daemon-mnt)"
cmp two.img before.img
mount_disc two.img mnt # the disc itself is as it was
assert_equal "$(ls mnt)" two
# with nothing staged nothing is lost
rm -rf "${XDG_STATE_HOME:?}"/discfs/*
ends_with 0 discfsctl umount mnt
await_end "$(cat .daemon-mnt)"
mount_disc two.img mnt
echo x >mnt/x
unmount mnt
check_state
