#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# Who calls, and how: with standard descriptors closed, with nowhere to write the answer to, with names that aren't text,
# in a mount whose daemon has died.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq xorriso

make_disc disc.img
mkdir mnt

# --- a closed descriptor is nobody else's: no file is opened in its place
for closed in '<&-' '>&-' '<&- >&- 2>&-'; do
	timeout 20 bash -c "discfs disc.img mnt $closed" # it returns
	daemon_of mnt >.daemon-mnt
	date +%N >mnt/file
	timeout 60 bash -c "discfsctl commit mnt --quiet $closed"
	unmount mnt
done
assert_equal "$(toc disc.img | grep -c '^ISO session')" 3

# --- a caller that gives up before it's mounted, by Ctrl-C or for a time-out: then it isn't
DISCFS_FAULT=import-end:await=$T/go DISCFS_FAULT_SEEN=$T/seen timeout 60 discfs disc.img mnt -o state="$T/another" &
caller=$!
await test -s seen
kill -ALRM $caller # its time is up
attempted=0
wait $caller || attempted=$?
assert_equal $attempted 124
daemon=$(pgrep -fx "discfs disc.img mnt -o state=$T/another")
touch go
await_end "$daemon"
assert_not_mounted mnt

# --- an answer that can't be written
mount_disc disc.img mnt
echo staged >mnt/staged
unheard() { # COMMAND…: to a full disk, and to nobody
	attempt limited "$@" >/dev/full
	[ "$attempted" != 0 ] || fail "$* to a full disk: exit code 0"
	attempt limited "$@" >&-
	[ "$attempted" != 0 ] || fail "$* to nobody: exit code 0"
}
for query in status diff log info map boot verify wait 'commit --dry-run'; do
	# shellcheck disable=SC2086 # words
	unheard discfsctl $query mnt
	# shellcheck disable=SC2086
	unheard discfsctl $query --json mnt
done
for query in --help --version --list-commands help 'find staged' 'find staged --json' catalog 'catalog --json' 'info disc.img'; do
	# shellcheck disable=SC2086
	unheard discfsctl $query
done
unheard discfs --help
unheard discfs --version

# --- what was meant
assert_exit 1 discfsctl help stat
grep -q "did you mean 'status'" out
assert_exit 1 discfsctl --help nonsense
assert_equal "$(discfsctl -V)" "$(discfsctl --version)"
discfsctl help status | grep -q 'Usage: discfsctl status'

# --- a command in a sentence is one that the shell takes
make_disc "it's new.img"
assert_exit 3 discfsctl commit "it's new.img"
advice=$(sed -n 's/.*mount it first (discfs \(.*\) DIR).*/\1/p' out)
eval "test -f $advice"

# --- several at once: none of them is passed over
make_disc other.img
mount_disc other.img other
echo staged >other/staged
assert_equal "$(discfsctl discard mnt other/staged --yes --json)" '{"paths":2}'
assert_equal "$(status mnt .staged.added) $(status other .staged.added)" "0 0"
unmount other

# --- a daemon that has died is told as such, with the place to clear away
mkdir mnt/below
kill -9 "$(cat .daemon-mnt)"
await_end "$(cat .daemon-mnt)"
for command in status info verify log map diff wait commit umount; do
	assert_exit 3 discfsctl $command mnt/below
	grep -q "has died; clear it away with: fusermount3 -u $T/mnt\$" out
done
fusermount3 -u mnt

# --- what a terminal would obey: in labels of a disc of somebody's, in names of places
esc=$(printf '\033')
mkdir "${esc}[31m"
echo text >text
xorriso -dev "$T/foreign.img" -volid "${esc}[31mRED" -map text /text -commit >/dev/null 2>&1
mount_disc foreign.img mnt
cat mnt/.discfs/status >said
grep -qF '"\033[31mRED"' said
discfsctl commit "${esc}[31m" >>said 2>&1 || true
discfs "${esc}[31m" mnt >>said 2>&1 || true
discfs -f "${esc}[31m/x.img" mnt >>said 2>&1 || true
assert_exit 1 discfsctl commit mnt --label "$(printf '\377')"
if grep -q "$esc" said; then
	fail "control characters are told as they are"
fi
unmount mnt

# --- names that aren't UTF-8
mkdir $'\xe4'
cp disc.img $'\xe4/\xf6.img'
mount_disc $'\xe4/\xf6.img' $'\xe4/mnt'
echo x >$'\xe4/mnt/\xfc'
discfsctl commit $'\xe4/mnt'
discfsctl verify --json $'\xe4/mnt' | jq -e .good
discfsctl umount $'\xe4/mnt'
check_state
