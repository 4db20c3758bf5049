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
for _ in {1..100}; do
	[ "$(status mnt .work)" != null ] || break
	sleep 0.02
done
tell mnt commit-nowait --id=second --dry-run
discfsctl wait mnt
assert_equal "$(status mnt '.recent | map([.id, .op, .exit != 0] | join(" ")) | join(", ")')" \
	"first to-file true, second dry-run false"
assert_fails "Invalid argument" tell mnt "commit --id= x"
assert_fails "Invalid argument" tell mnt "commit --id=a/b x"
while true; do
	timeout 10 sh -c 'echo commit --dry-run >mnt/.discfs/control' || true
done 2>/dev/null &
asker=$!
for _ in {1..8}; do
	attempt timeout 60 discfsctl commit mnt --to disc.img >said 2>&1
	[ "$attempted" != 0 ] || fail "another one's success was told: $(cat said)"
done
kill $asker
wait $asker || true
discfsctl wait mnt >/dev/null || true
assert_equal "$(status mnt '.recent | length')" 8

# --- the daemon dies while somebody waits
for round in 1 2 3; do
	head -c 60000000 /dev/urandom >mnt/large
	sync -f mnt
	timeout 60 discfsctl commit mnt >said 2>&1 &
	client=$!
	for _ in {1..200}; do
		[ "$(status mnt .work.phase)" != burning ] || break
		sleep 0.01
	done
	sleep 0.0$round
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
	for _ in {1..100}; do # its worker may hold the image for a moment
		timeout 60 discfs disc.img mnt 2>said && break
		sleep 0.1
	done
	daemon_of mnt >.daemon-mnt
	attempt timeout 60 discfsctl wait mnt >said 2>&1
	cat said
	case $attempted in
	0) grep -q "Nothing is under way; the last commit: Session 1 is burned and verified" said ;;
	20) grep -q "the commit was cut off while .*the staged work is kept" said ;;
	*) fail "exit code $attempted" ;;
	esac
	assert_equal "$(status mnt .last.exit)" "$attempted"
	[ "$attempted" != 0 ] || break
done
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
