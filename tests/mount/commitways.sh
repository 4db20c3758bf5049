#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# All ways to say commit, what each answers, and how a failure shows.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr getfattr xorriso

sessions() {
	discfsctl info disc.img --json | jq '.sessions | length'
}

# A failing commit: the errno, the exit code, the sentence, and everything still there.
fail_commits() {
	mount_faulty burn-middle:5
	echo eight >mnt/eight
	assert_fails "Input/output error" setfattr -n user.discfs.commit -v X mnt
	assert_fails "Input/output error" tell mnt commit
	assert_exit 20 discfsctl commit mnt
	grep -q "everything is still staged" out
	assert_equal "$(status mnt .last.exit)" 20
	assert_equal "$(cat mnt/eight)" eight
	assert_equal "$(cat mnt/.discfs/changes)" "A eight"
	assert_equal "$(sessions)" "$1"
	unmount mnt
	# at unmounting: discfsctl leaves it mounted; the bare way keeps everything staged
	mount_faulty burn-middle:5 -o commit=unmount
	assert_exit 20 discfsctl umount mnt
	grep -q "stays mounted" out
	assert_equal "$(cat mnt/eight)" eight
	unmount mnt
	assert_equal "$(sessions)" "$1"
	mount_disc disc.img mnt
	assert_equal "$(cat mnt/.discfs/changes)" "A eight"
}

mount_faulty() {
	local fault=$1
	shift
	DISCFS_FAULT=$fault mount_disc disc.img mnt "$@"
}

# Its burn stands still until there is a file `go`.
mount_standing() { # OPTIONS
	rm -f go
	mount_faulty burn-middle:await="$T/go" "$@"
}

make_disc disc.img 200M
mount_disc disc.img mnt
assert_exit 0 discfsctl status mnt --exit-code
assert_exit 0 discfsctl commit mnt
grep -q "Nothing is staged" out
commit mnt NOTHING
tell mnt commit
assert_equal "$(sessions)" 0

# 1 the extended attribute, with a label
echo one >mnt/one
assert_exit 4 discfsctl status mnt --exit-code
setfattr -n user.discfs.commit -v "FIRST LABEL" mnt
assert_equal "$(sessions)" 1
assert_match "$(toc disc.img)" "FIRST LABEL"
assert_match "$(timeout 9 getfattr --only-values -n user.discfs.status mnt)" "Session 1 is burned and verified"
assert_equal "$(timeout 9 getfattr --only-values -n user.discfs.progress mnt)" idle
assert_match "$(timeout 9 getfattr --only-values -n user.discfs.origin mnt/one)" "^disc [0-9]+$"
echo more >>mnt/one
assert_match "$(timeout 9 getfattr --only-values -n user.discfs.origin mnt/one)" staged
assert_equal "$(getfattr -m - mnt 2>/dev/null)" "" # never listed
assert_equal "$(ls -A mnt)" one

# 2 the control file; the disc keeps its label
echo two >mnt/two
tell mnt commit
assert_equal "$(sessions)" 2
assert_equal "$(status mnt .label)" "FIRST LABEL"
echo 2b >mnt/2b
tell mnt commit SECOND
assert_equal "$(status mnt .label)" SECOND
assert_fails "Invalid argument" tell mnt nonsense
assert_fails "Invalid argument" tell mnt commit "$(printf '%0300d' 1)"

# 3 discfsctl: plain lines, JSON, without waiting
echo three >mnt/three
assert_exit 0 discfsctl commit mnt --label THIRD
grep -q "^Session 4 is burned and verified: " out
mv mnt/three mnt/drei
discfsctl commit mnt >out 2>&1 # what cron would send
assert_equal "$(wc -l <out)" 1 "lines of a short commit where no terminal is"
mv mnt/drei mnt/three
assert_equal "$(discfsctl commit mnt --quiet 2>&1)" ""
unmount mnt
mount_standing
head -c 2000000 /dev/urandom >mnt/large
DISCFSCTL_PROGRESS=0 discfsctl commit mnt >out 2>&1 &
await grep -qE '^burning [0-9]+%' out
touch go
wait $!
if grep -q $'\r' out; then
	fail "a progress bar where no terminal is"
fi
echo four >mnt/four
discfsctl commit mnt --json >json
assert_equal "$(jq -r '[.op, .errno, .exit, .session, .verified] | @csv' json)" '"commit",0,0,8,true'
# without reading back; who asks finds that out afterwards, too
echo unread >mnt/unread
assert_exit 0 discfsctl commit mnt --no-verify
grep -q "^Session 9 is burned, not verified: " out
assert_match "$(discfsctl log mnt | sed -n 2p)" "not verified"
assert_equal "$(discfsctl log mnt --json | jq -c 'map(.verified)')" '[null,null,null,null,null,null,null,null,false]'
assert_match "$(cat mnt/.discfs/status)" "last: *Session 9 is burned, not verified"
assert_exit 0 discfsctl verify mnt
rm mnt/unread
tell mnt commit --no-verify --id=of.mine -- TOLD
assert_equal "$(status mnt '.recent[-1] | [.id, .verified, .session] | @csv')" '"of.mine",false,10'
echo five >mnt/five
assert_exit 0 discfsctl commit mnt --no-wait
assert_exit 0 discfsctl wait mnt --timeout 60
assert_equal "$(sessions)" 11
assert_exit 1 discfsctl commit mnt --label ""
assert_exit 1 discfsctl commit mnt --label "$(printf 'L%.0s' {1..33})"
discfsctl log mnt --json | jq -e 'length == 11 and .[3].label == "THIRD"'
discfsctl log mnt
discfsctl status mnt
# from a directory inside, by any name
mkdir mnt/inside
(cd mnt/inside && discfsctl commit --label INSIDE)
assert_equal "$(status mnt .label)" INSIDE

# 4 unmounting: never without commit=unmount
echo six >mnt/six
assert_exit 0 discfsctl umount mnt
assert_not_mounted mnt
assert_equal "$(sessions)" 12
mount_disc disc.img mnt
assert_equal "$(cat mnt/.discfs/changes)" "A six"
unmount mnt
assert_equal "$(sessions)" 12
mount_disc disc.img mnt -o commit=unmount
discfsctl umount mnt >out
grep -q "Session 13 is burned and verified" out
assert_equal "$(sessions)" 13
mount_disc disc.img mnt -o commit=unmount
echo seven >mnt/seven
unmount mnt # a bare fusermount3 -u
assert_equal "$(sessions)" 14
mount_disc disc.img mnt -o commit=unmount
assert_equal "$(cat mnt/seven)" seven
assert_equal "$(cat mnt/.discfs/changes)" ""
unmount mnt # nothing staged: nothing burned
assert_equal "$(sessions)" 14
# what is staged while a commit runs is committed as well
mount_standing -o commit=unmount
echo large >mnt/large2
discfsctl commit mnt --no-wait
await status_is mnt .work.phase burning
echo meanwhile >mnt/meanwhile
fusermount3 -u mnt
touch go
await_end "$(cat .daemon-mnt)"
assert_equal "$(sessions)" 16
# in front, the exit code tells how it ended
mkdir -p mnt
DISCFS_FAULT=burn-middle:5 discfs disc.img mnt -f -o commit=unmount 2>errors &
front=$!
await mountpoint -q mnt
echo infront >mnt/infront
fusermount3 -u mnt
code=0
wait $front || code=$?
assert_equal "$code" 20 "exit code of a failed commit at unmounting"
grep -q "commit failed: .* everything is still staged" errors
mount_disc disc.img mnt
assert_equal "$(cat mnt/.discfs/changes)" "A infront"
commit mnt
unmount mnt
assert_equal "$(sessions)" 17
# a signal is nobody's wish to burn
mount_disc disc.img mnt -o commit=unmount
echo signal >mnt/signal
sync -f mnt
kill -TERM "$(daemon_of mnt)"
await_end "$(cat .daemon-mnt)"
assert_equal "$(sessions)" 17
mount_disc disc.img mnt
assert_equal "$(cat mnt/signal)" signal
# discard
discfsctl discard mnt/signal --yes
[ ! -e mnt/signal ]
assert_equal "$(cat mnt/.discfs/changes)" ""
# a busy mount stays
exec 5<mnt/one
assert_exit 14 discfsctl umount mnt
exec 5<&-
mountpoint -q mnt
unmount mnt

fail_commits 17
# two at a time: the second is told
unmount mnt
mount_standing
echo long >mnt/long
discfsctl commit mnt --no-wait
await status_is mnt .work.phase burning
assert_fails "Device or resource busy" setfattr -n user.discfs.commit -v X mnt
assert_exit 14 discfsctl commit mnt
touch go
assert_exit 0 discfsctl wait mnt
assert_equal "$(sessions)" 18
# read-only: it says why, and what is staged waits
echo nine >mnt/nine
unmount mnt
mount_disc disc.img mnt -o ro
assert_equal "$(cat mnt/nine)" nine
assert_fails "Read-only file system" touch mnt/new
assert_exit 12 discfsctl commit mnt
grep -q "mounted with -o ro" out
assert_match "$(status mnt .read_only_reason)" "mounted with -o ro"
unmount mnt
mount_disc disc.img mnt
assert_equal "$(cat mnt/.discfs/changes)" "A nine"
unmount mnt
extract_xorriso disc.img extracted
assert_equal "$(cat extracted/{one,two,2b,three,four,five,six,seven,eight} | tr '\n' ' ')" \
	"one more two 2b three four five six seven eight "
check_state
