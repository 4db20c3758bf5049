#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# discfsctl verify of discs in a drive: what can't be read any more is named, with its sector, and all else is checked; a
# mounted disc is read without its mount noticing; while a drive burns, nobody verifies, and the other way round.
SR=sr24 # see lib_drive.sh
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires jq xorriso sg_raw

mount_drive() {
	mkdir -p mnt
	sim env "$@" discfs "/dev/$SR" mnt
	daemon_of mnt >.daemon-mnt
}

# Where xorriso finds a file of the newest session.
lba_of() { # NAME
	sim xorriso -indev "/dev/$SR" -find "/$1" -exec report_lba -- 2>/dev/null |
		sed -n 's/^File data lba: *[0-9]* , *\([0-9]*\) .*/\1/p'
}

found() { # JQ
	jq -r "$1" out.json
}

verify_json() { # EXPECTED-EXIT-CODE ARGUMENTS…
	local expected=$1
	shift
	attempt sim discfsctl verify --json "$@" >out.json
	cat out.json
	assert_equal "$attempted" "$expected" "exit code of verify $*"
}

for kind in dvd+r dvd+rw; do
	new_disc $kind 60000
	for n in 1 2 3; do
		head -c 700000 /dev/urandom >file$n
		mount_drive
		cp file$n mnt/
		# the directories are larger than what is looked at to know the disc
		[ $n != 1 ] || (mkdir mnt/links && cd mnt/links && seq 300 | xargs -I{} ln -s to-{} link-{})
		commit mnt
		unmount mnt
	done

	# all of it is good, mounted or not
	verify_json 0 --all "/dev/$SR"
	assert_equal "$(found '[.good, .good_files, .good_bytes, .damages, (.sessions | length)] | @csv')" "true,6,2100000,0,3"
	assert_equal "$(found '[.sessions[] | .number, .shared_files] | @csv')" "3,0,2,2,1,1"
	# the default is the only drive
	verify_json 0
	assert_equal "$(found '[.source, .mountpoint, .good_files] | @csv')" "\"/dev/${SR}\",,3"
	mount_drive
	echo staged >mnt/staged
	rm mnt/file1
	cat mnt/file2 >/dev/null
	verify_json 0 mnt
	assert_equal "$(found .good_files)" 3
	verify_json 0 --all "/dev/$SR"
	assert_equal "$(found .good_files)" 6
	assert_equal "$(cat mnt/staged)" staged
	commit mnt
	assert_same_bytes mnt/file2 file2
	unmount mnt
	verify_json 0
	assert_equal "$(found .good_files)" 3

	# a sector in the middle of the second file, not where a read begins
	second=$(lba_of file2)
	bad=$((second + 77))
	rules "reading lba=$bad damage"
	verify_json 21 --all
	assert_equal "$(found '[.good, .damaged_files, .damages, (.damaged | length)] | @csv')" "false,1,1,1"
	assert_equal "$(found '.damaged[0] | [.session, .what, .path, .how, .sector] | @csv')" "4,\"file\",\"/file2\",\"unreadable\",$bad"
	# session 4 has two files that are good, 3 one and the deleted one, 2 one, 1 one
	assert_equal "$(found '[.sessions[] | .good_files, .damaged_files] | @csv')" "2,1,2,1,1,1,1,0"
	no_rules
	# the sector stays damaged
	assert_exit 21 sim discfsctl verify
	grep -q "^damaged: /file2: can't be read at sector $bad" out
	grep -q "$SR: 1 file is damaged" out

	# a sector of the newest session's descriptors, or of its directories: that is told, and all that can still be found is
	# checked
	start=$(sim discfsctl info --json "/dev/$SR" | jq '.sessions[-1].start')
	for at in $(($(root_of "$start") + 16)) $((start + 16)); do
		rules "reading lba=$at damage"
		verify_json 21
		assert_equal "$(found "[.damaged[] | select(.sector == $at and .how == \"unreadable\")] | length")" 1
		[ $at = $((start + 16)) ] || assert_equal "$(found '.damaged[0] | [.session, .what] | @csv')" '4,"tree"'
		no_rules
	done
	[ $kind != dvd+r ] || verify_json 21 --all # none of the older ones is forgotten, and the newest is read by the copies
	[ $kind != dvd+r ] || assert_equal "$(found '[.sessions[] | .number, .good_files] | @csv')" "4,2,3,2,2,1,1,1"
done

# another disc, or none, where the mount knew one; they are told apart by the time of their sessions
sleep 1.1
new_disc dvd+r 60000 other
mount_drive
head -c 7000000 /dev/urandom >mnt/large
commit mnt
large=$(lba_of large)
mmcsim remove "$MMCSIM/$SR"
assert_exit 10 sim discfsctl verify mnt
mmcsim insert "$MMCSIM/$SR" disc
assert_exit 11 sim discfsctl verify mnt
mmcsim insert "$MMCSIM/$SR" other
settle
assert_exit 0 sim discfsctl verify mnt

# while it's read nobody burns; Ctrl-C ends it
rules "op=0x28 lba=$((large + 1000))..$((large + 3000)) delay=250 times=0"
: >said
env LD_PRELOAD="$MMCSIM_SO" DISCFSCTL_PROGRESS=0 discfsctl verify mnt >said 2>&1 &
pid=$!
for _ in {1..100}; do
	[ ! -s said ] || break
	sleep 0.1
done
grep -q "^verifying" said
echo more >mnt/more
assert_exit 14 discfsctl commit mnt
assert_equal "$(discfsctl diff mnt)" "A more"
kill -INT $pid
attempted=0
wait $pid || attempted=$?
assert_equal "$attempted" 130 "exit code of what was interrupted"
cat said
grep -q interrupted said

# on a terminal there is a bar, and the key does it
cat >terminal.py <<'END'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", LD_PRELOAD=sys.argv[1])
    os.execvp("discfsctl", ["discfsctl", "verify", "mnt"])
said = b""
while b"[#" not in said:
    said += os.read(terminal, 4096)
os.write(terminal, b"\3")
try:
    while said:
        said += os.read(terminal, 4096)
except OSError:
    pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
attempt timeout 60 python3 terminal.py "$MMCSIM_SO" >said
cat said
assert_equal "$attempted" 130 "exit code of what was interrupted by a key"
grep -q $'\rverifying .*\\[#.*% .* sectors' said
grep -q "interrupted: /dev/$SR isn't verified" said
no_rules
commit mnt
assert_exit 0 sim discfsctl verify mnt
unmount mnt

# while it burns nobody verifies
mount_drive DISCFS_FAULT="burn-middle:await=$T/go"
head -c 3000000 /dev/urandom >mnt/last
tell mnt commit-nowait
for _ in {1..200}; do
	[ "$(status mnt .work.phase)" != burning ] || break
	sleep 0.1
done
assert_equal "$(status mnt .work.phase)" burning
assert_exit 14 sim discfsctl verify mnt
assert_exit 14 sim discfsctl verify --json "/dev/$SR"
touch go
assert_exit 0 discfsctl wait mnt
assert_exit 0 sim discfsctl verify --all mnt
unmount mnt
