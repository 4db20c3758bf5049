#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# Who asks for something gets the answer to that: results by id when several ask at once, what became of a commit whose
# daemon died, the same exit code whenever it dies, and `eject` by the control file.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq

make_disc disc.img 300M
mount_disc disc.img mnt
echo one >mnt/one

# --- several at once: somebody's success is nobody else's
tell mnt commit-nowait --id=first --to="$T/disc.img" # it's there already
await status_is mnt .work null
tell mnt commit-nowait --id=second --dry-run
discfsctl wait mnt
assert_equal "$(status mnt '.recent | map([.id, .op, .exit != 0] | join(" ")) | join(", ")')" \
	"first to-file true, second dry-run false"
assert_fails "Invalid argument" tell mnt "commit --id= x"
assert_fails "Invalid argument" tell mnt "commit --id=a/b x"
until [ -e enough ]; do
	timeout 10 sh -c 'echo commit --dry-run >mnt/.discfs/control' || true
done 2>/dev/null &
asker=$!
for _ in {1..8}; do
	attempt timeout 60 discfsctl commit mnt --to disc.img >said 2>&1
	[ "$attempted" != 0 ] || fail "another one's success was told: $(cat said)"
done
await status_is mnt '.recent | length' 8
touch enough
wait $asker
assert_equal "$(status mnt '.recent | length')" 8

# --- the daemon dies while somebody waits: where the burn stands still, while it goes on, and behind it
export DISCFS_FAULT=burn-middle:await=$T/burn,check-start:await=$T/check
unmount mnt
mount_disc disc.img mnt
for moment in still burning burned; do
	rm -f burn check
	head -c 30000000 /dev/urandom >mnt/large
	sync -f mnt
	timeout 60 discfsctl commit mnt >said 2>&1 &
	client=$!
	await status_is mnt .work.phase burning
	[ $moment = still ] || touch burn
	[ $moment != burned ] || await status_is mnt .work.phase verifying
	kill -9 "$(cat .daemon-mnt)"
	attempted=0
	wait $client || attempted=$?
	cat said
	assert_equal "$attempted" 3 "exit code when the daemon dies"
	grep -q "the discfs there has died" said
	assert_exit 3 discfsctl wait mnt
	assert_exit 3 discfsctl cancel mnt
	assert_exit 3 discfsctl commit mnt
	await_end "$(cat .daemon-mnt)"
	fusermount3 -uz mnt
	touch burn check
	for _ in {1..100}; do # its worker may hold the image for a moment
		timeout 60 discfs disc.img mnt 2>said && break
		sleep 0.1
	done
	daemon_of mnt >.daemon-mnt
	attempt timeout 60 discfsctl wait mnt >said 2>&1
	cat said
	case $moment-$attempted in
	burn*-0) grep -q "Nothing is under way; the last commit: Session 1 is burned and verified" said ;;
	still-20 | burning-20) grep -q "the commit was cut off while .*the staged work is kept" said ;;
	*) fail "$moment: exit code $attempted" ;;
	esac
	assert_equal "$(status mnt .last.exit)" "$attempted"
	[ "$attempted" != 0 ] || break
done
unset DISCFS_FAULT
discfsctl commit mnt

# --- eject by the control file: an image has no tray, but is unmounted; nothing is lost, nothing is burned
echo staged >mnt/staged
exec 5>>mnt/staged
assert_fails "Device or resource busy" tell mnt eject
exec 5>&-
assert_fails "Invalid argument" tell mnt eject now
before=$(stat -c %s disc.img)
tell mnt eject
await_end "$(cat .daemon-mnt)"
assert_not_mounted mnt
assert_equal "$(stat -c %s disc.img)" "$before"
mount_disc disc.img mnt -o commit=unmount
assert_equal "$(cat mnt/staged)" staged
tell mnt eject
await_end "$(cat .daemon-mnt)"
mount_disc disc.img mnt
assert_equal "$(cat mnt/.discfs/changes)" "A staged"
unmount mnt
check_state
