# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What discfsctl does with a drive itself: drives, info, blank, format, eject, load, finalize, and what can be wished of
# a commit; on each medium where it applies, and what is refused elsewhere, with which exit code.
# limit: 240
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires xorriso jq python3
requires_fuse

# Other tests mount /dev/sr0 at the same time, and a mount is known by that name.
rm -r "$MMCSIM/sr0"
make_drive sr21
drive=/dev/sr21
place=$MMCSIM/sr21

ctl() { # EXIT-CODE ARGUMENT…: its output is left in $said
	local code=$1
	shift
	assert_exit "$code" sim discfsctl "$@"
	said=$(grep -v '^+' "$T/out" || true)
}

says() { # REGEX
	assert_match "$said" "$1"
}

put() { # KIND [SECTORS]
	rm -f "$T/disc"
	mmcsim new "$1" "$T/disc" --sectors "${2:-81920}"
	put_again
}

put_again() {
	mmcsim insert "$place" "$T/disc"
	await_ready
}

await_ready() {
	local n
	for n in {1..20}; do
		! sim sh -c ": <$drive" 2>/dev/null || return 0
	done
	fail "the disc doesn't become ready"
}

reload_sr21() {
	mmcsim button "$place"
	mmcsim button "$place"
	await_ready
}

# A session by xorriso; -padding 0 so that short media hold more.
burn() { # LABEL [XORRISO-WORD…]
	sim xorriso -abort_on FAILURE -report_about FAILURE -dev $drive -volid "$1" -map "$T/tree" "/$1" "${@:2}" -commit
	reload_sr21
}

listed() { # what xorriso sees of the newest session
	sim xorriso -report_about FAILURE -indev $drive -ls / 2>/dev/null | sort | paste -sd' ' -
}

zero_sectors() { # FIRST COUNT
	sim dd if=$drive bs=2048 skip="$1" count="$2" status=none | cmp -n $(($2 * 2048)) - /dev/zero
}

mkdir "$T/tree"
echo one >"$T/tree/one"
head -c 100000 /dev/urandom >"$T/tree/random"

echo "=== no disc"
ctl 0 drives
says '^/dev/sr21: MMCSIM SIMULATED BURNER 1\.[0-9]+: no disc$'
ctl 10 info $drive
says 'no disc'
ctl 10 info --json $drive
assert_equal "$(grep '^{' <<<"$said" | jq -r .medium.state)" empty
for words in blank "blank --full" format "format --spare"; do
	# shellcheck disable=SC2086
	ctl 10 $words --yes $drive
	says 'no disc in /dev/sr21'
done

echo "=== what makes no sense"
for words in "drives there" "drives --timeout x" "drives --timeout 99999" "blank" "format" "blank $drive $drive" "blank --what $drive" \
	"format --spare --no-spare $drive" "blank $T" "load $T" "commit --speed fast" "commit --speed 0" "commit --speed 1x1" \
	"commit --speed" "finalize --speed -4x" "commit --label=" "finalize a b" "eject a b" "info --yes"; do
	# shellcheck disable=SC2086
	ctl 1 $words
	says 'Try: discfsctl|neither'
done
ctl 2 blank "$T/nothing"
ctl 2 blank /dev/null
ctl 2 load "$T/tree/one"
ctl 2 eject "$T/tree/one"
ctl 3 finalize "$T/tree"
ctl 3 finalize $drive
says 'mount it first'
ctl 12 format "$T/tree/one"
ctl 12 blank "$T/tree/one"
says 'left alone'

# --- blank and format, medium by medium ------------------------------------------------
# treat KIND OPERATION EXIT-CODE REGEX: a disc with a session on it
treat() {
	local kind=$1 operation=$2 code=$3 expected=$4
	put "$kind"
	burn OLD
	# shellcheck disable=SC2086
	ctl "$code" $operation --yes $drive
	says "$expected"
	if [ "$code" != 0 ]; then
		assert_equal "$(listed)" "'OLD'" "what is on a $kind that can't be treated so"
		return
	fi
	reload_sr21
	ctl 0 drives
	says "^/dev/sr21: .*: $treated, blank, "
	burn NEW # and another one can follow
	burn NEXT
	assert_equal "$(listed)" "'NEW' 'NEXT'" "what is on a $kind after $operation"
	ctl 0 info $drive
	says '2 sessions'
}

echo "=== blank"
while read -r kind operation code treated; do
	treat "$kind" "${operation/_/ }" "$code" "${treated//_/ }"
done <<'END'
cd-r blank 12 can't_be_erased
dvd-r blank 12 can't_be_erased
dvd+r blank_--full 12 can't_be_erased
bd-r blank 12 can't_be_erased
cd-r format 12 once_only
cd-rw format 12 blanked,_not_formatted
bd-r format 12 before_the_first_session
dvd+rw format_--spare 12 no_spare_area
END
while read -r kind operation treated; do
	treated=${treated//_/ }
	treat "$kind" "${operation/_/ }" 0 "ed: /dev/sr21: .*: $treated, blank, "
done <<'END'
cd-rw blank CD-RW
cd-rw blank_--full CD-RW
dvd-rw blank DVD-RW,_restricted_overwrite
dvd-rw blank_--full DVD-RW,_sequential
dvd-rw-overwrite blank DVD-RW,_restricted_overwrite
dvd-rw-overwrite blank_--full DVD-RW,_sequential
dvd+rw blank DVD\+RW
dvd+rw blank_--full DVD\+RW
dvd-ram blank DVD-RAM
dvd-ram blank_--full DVD-RAM
bd-re blank BD-RE
bd-re blank_--full BD-RE
dvd-rw format DVD-RW,_restricted_overwrite
dvd-rw format_--full DVD-RW,_restricted_overwrite
dvd-rw-overwrite format DVD-RW,_restricted_overwrite
dvd+rw format DVD\+RW
dvd+rw format_--full DVD\+RW
dvd-ram format DVD-RAM
dvd-ram format_--full DVD-RAM
dvd-ram format_--no-spare DVD-RAM
bd-re format BD-RE
bd-re format_--full BD-RE
bd-re format_--spare BD-RE
END

echo "=== discs that were never formatted"
for kind in dvd+rw bd-re; do
	for operation in blank format; do
		put "$kind"
		ctl 0 drives
		says 'unformatted'
		ctl 0 $operation $drive </dev/null # nothing is lost: it doesn't ask
		says 'ed: .*blank'
		ctl 0 drives --json
		assert_equal "$(jq -r '.[0].medium.state' <<<"$said")" blank
	done
done

echo "=== the spare area of BD-R: once, and before anything is written"
put bd-r
before=$(sim discfsctl drives --json | jq '.[0].medium.capacity_sectors')
ctl 0 format --no-spare --yes $drive
ctl 0 format $drive
after=$(sim discfsctl drives --json | jq '.[0].medium.capacity_sectors')
assert_less "$after" "$before" "sectors of a BD-R with a spare area"
ctl 12 format --yes $drive
says "can't be again"
burn NEW

echo "=== nothing of an old UDF is left to be found, and --full leaves nothing at all"
put dvd-ram 20480
capacity=$(sim discfsctl drives --json | jq '.[0].medium.capacity_sectors')
anchors="256 $((capacity - 257)) $((capacity - 1))"
for at in $anchors; do
	# an anchor's tag, identifier 2; something that is none beside it
	printf '\002\000' | sim dd of=$drive bs=2048 seek="$at" conv=sync,notrunc status=none
done
echo data | sim dd of=$drive bs=2048 seek=5000 conv=sync,notrunc status=none
burn OLD
ctl 0 blank --yes $drive
zero_sectors 0 32
for at in $anchors; do
	zero_sectors "$at" 1
done
assert_equal "$(sim dd if=$drive bs=2048 skip=5000 count=1 status=none | head -c 4)" data
ctl 0 blank --full --yes $drive
zero_sectors 0 "$capacity"

echo "=== it asks before anything is lost"
put cd-rw
burn HOLIDAYS
ctl 1 blank $drive </dev/null
says '--yes is needed'
answered() { # ANSWER [KEY-LATER]
	sim python3 - "$@" <<'END'
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("discfsctl", ["discfsctl", "blank", "/dev/sr21"])
said = b""
while b"[y/N]" not in said:
    said += os.read(terminal, 1000)
os.write(terminal, sys.argv[1].encode() + b"\n")
if len(sys.argv) > 2:
    time.sleep(1)
    os.write(terminal, sys.argv[2].encode())
try:
    while chunk := os.read(terminal, 1000):
        said += chunk
except OSError:
    pass
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
}
assert_exit 22 answered n
assert_match "$(cat "$T/out")" 'Blank CD-RW in /dev/sr21 \(HOLIDAYS\)\? Everything on it is lost'
assert_exit 22 answered ""
assert_equal "$(listed)" "'HOLIDAYS'"
echo 'op=0xa1 delay=2000' >"$place/rules"
assert_exit 0 answered y $'\003' # Ctrl-C in the middle of it
assert_match "$(cat "$T/out")" "can't be stopped.*Blanked"
rm "$place/rules"
ctl 0 blank $drive </dev/null
says 'blank already'
ctl 0 blank --full --json --yes $drive
assert_equal "$(jq -r '"\(.op) \(.full) \(.done) \(.now.medium.state)"' <<<"$said")" "blank true true blank"

echo "=== a drive that fails in the middle of it says so"
burn OLD
echo 'op=0xa1 sense=3/51/00 times=0' >"$place/rules" # BLANK: erase failure
ctl 2 blank --yes $drive
says "can't be blanked"
rm "$place/rules"
ctl 0 blank --yes $drive

echo "=== what a burn that was cut off leaves is known, and can be blanked"
cut_off() {
	echo 'wrote=3000 kill' >"$place/rules"
	assert_exit 137 burn LOST -map "$T/large" /large
	rm "$place/rules"
}
head -c 12000000 /dev/urandom >"$T/large"
put cd-rw
cut_off
ctl 0 blank --yes $drive
burn NEW
put dvd-rw
ctl 0 format $drive
burn KEPT
cut_off
ctl 0 drives
says 'appendable, KEPT'
ctl 0 info $drive
says 'Label KEPT, 1 session'
mkdir -p "$T/mnt"
sim discfs $drive "$T/mnt"
cp "$T/large" "$T/mnt/large"
ctl 0 commit "$T/mnt"
ctl 0 umount "$T/mnt"
assert_equal "$(listed)" "'KEPT' 'large'"
cut_off
ctl 0 blank --yes $drive
burn NEW

# --- info ------------------------------------------------------------------------------
echo "=== info tells discs apart"
put cd-r
ctl 0 info --json $drive
assert_equal "$(jq -r '"\(.medium.state) \(.drive.appends) \(.drive.simulates) \(.drive.closing_sectors) \(.room.next_start)"' <<<"$said")" \
	"blank true true 11400 0"
burn ONE
ctl 0 info --json $drive
assert_equal "$(jq -r '"\(.medium.state) \(.medium.profile) \(.label) \(.drive.closing_sectors) \(.tracks | length) \(.sessions | length)"' <<<"$said")" \
	"appendable cd-r ONE 6900 1 1"
assert_equal "$(jq '.room.next_start > 11400 and .room.free_sectors > 0 and (.drive.write_kbps | length) > 1' <<<"$said")" true
burn TWO -close on
ctl 0 info -v $drive
says 'CD-R, closed'
says 'Nothing can be appended'
says '2        2 .* data'
assert_equal "$(sim discfsctl info --json $drive | jq -r '"\(.room.free_sectors) \(.drive.appends)"')" "0 false"
echo 'reading sense=3/11/05 times=0' >"$place/rules"
ctl 2 info $drive
says "unreadable"
says "can't be read"
ctl 0 drives
says 'unreadable'
rm "$place/rules"
put dvd-r-dl
ctl 0 info $drive
says 'a single session'

# --- several drives, of which some are busy or hang -------------------------------------
echo "=== one that is claimed isn't asked, one that hangs holds up nobody"
make_drive sr3
make_drive sr22
put dvd+r
ctl 0 drives
assert_equal "$(cut -d: -f1 <<<"$said" | paste -sd' ' -)" "/dev/sr3 /dev/sr21 /dev/sr22" "drives in order"
ctl 1 load
says 'several drives'
claim() { # keeps it until stdin ends
	sim python3 -c 'import os, sys
os.open("/dev/sr21", os.O_RDWR | os.O_EXCL | os.O_NONBLOCK)
print("claimed", flush=True)
sys.stdin.read()'
}
mkfifo "$T/hold"
claim <"$T/hold" >"$T/claimed" 2>/dev/null &
claimer=$!
exec 7>"$T/hold"
for n in {1..100}; do
	[ -s "$T/claimed" ] || sleep 0.1
done
asked() { grep -c 'INQUIRY\|DISC INFORMATION' "$place/log" || true; }
before=$(asked)
echo 'op=0x51 delay=100000 times=0' >"$MMCSIM/sr3/rules"
mmcsim new cd-r "$T/cd"
mmcsim insert "$MMCSIM/sr3" "$T/cd"
ctl 0 drives --timeout 4
says $'/dev/sr3: .*didn\'t answer within 4 seconds'
says '/dev/sr21: busy'
says '/dev/sr22: .*no disc'
ctl 14 blank --yes $drive
ctl 14 eject $drive
ctl 14 info $drive
assert_equal "$(asked)" "$before" "questions to a claimed drive"
exec 7>&-
wait $claimer || true
rm -r "$MMCSIM/sr3" "$MMCSIM/sr22"

# --- users ---------------------------------------------------------------------------------
if [ "$(id -u)" = 0 ]; then
	echo "=== a user in the group of the drive may do all of it, another one nothing"
	mkdir "$T/bin" # the build may be out of others' reach
	cp "$BUILD/discfs" "$BUILD/discfsctl" "$MMCSIM_SO" "$T/bin"
	as_user() { # GROUP ARGUMENT…
		timeout 60 setpriv --reuid=65534 --regid=65534 --groups="$1" env LD_PRELOAD="$T/bin/mmcsim.so" \
			"$T/bin/discfsctl" "${@:2}"
	}
	put cd-rw
	burn OLD
	chown 0:24 "$place/anchor"
	chmod 660 "$place/anchor"
	chmod 666 "$T/disc"
	assert_exit 2 as_user 65534 info $drive
	assert_exit 2 as_user 65534 blank --yes $drive
	grep -q 'in the group that owns it' "$T/out"
	assert_exit 0 as_user 65534 drives
	grep -q 'in the group that owns it' "$T/out"
	assert_exit 0 as_user 24 info $drive
	assert_exit 0 as_user 24 blank --yes $drive
	assert_exit 0 as_user 24 eject $drive
	assert_exit 0 as_user 24 load $drive
	grep -q 'CD-RW, blank' "$T/out"
	chmod 666 "$place/anchor"
	put dvd+r
fi

# --- the tray ----------------------------------------------------------------------------
echo "=== eject and load"
ctl 0 eject
says '/dev/sr21 is open'
assert_equal "$(mmcsim show "$place" | sed -n 's/^tray=//p')" open
ctl 0 eject $drive
ctl 0 load --json
assert_equal "$(jq -r '"\(.medium.state) \(.medium.profile)"' <<<"$said")" "blank dvd+r"
ctl 0 load $drive
mmcsim remove "$place"
ctl 10 load $drive
says 'no disc'
put_again

# --- mounted -----------------------------------------------------------------------------
echo "=== a mounted disc isn't blanked, but ejected after unmounting"
sim discfs $drive "$T/mnt" -o commit=unmount
cp -r "$T/tree" "$T/mnt/a"
ctl 14 blank --yes $drive
says "mounted on $T/mnt"
ctl 14 format --yes $drive
ctl 14 load $drive
ctl 0 drives
says "SIMULATED BURNER .*: DVD\+R, blank, .*, mounted on $T/mnt\$"
ctl 0 info -v $drive
says "mounted on $T/mnt"
says 'Drive: MMCSIM.*Writes at'
assert_equal "$(status "$T/mnt" '"\(.drive.medium) \(.drive.damaged) \(.tracks | length)"')" "DVD+R false 0"
ctl 0 commit --dry-run "$T/mnt"
says 'It fits: the session takes'
ctl 0 commit --dry-run --json "$T/mnt"
assert_equal "$(jq -r '"\(.op) \(.exit) \(.sectors > 100)"' <<<"$said")" "dry-run 0 true"
assert_equal "$(mmcsim show "$place" | sed -n 's/^writes=//p')" 0 "sectors that a dry run wrote"
ctl 12 commit --simulate "$T/mnt"
ctl 14 eject $drive
says "staged there isn't burned"
ctl 1 commit --speed 4 --label "$(printf 'x%.0s' {1..33})" "$T/mnt"
ctl 0 eject --json "$T/mnt"
assert_equal "$(jq -r '"\(.op) \(.drive) \(.unmounted)"' <<<"$said")" "eject /dev/sr21 $T/mnt"
assert_not_mounted "$T/mnt"
ctl 0 load
says 'DVD\+R, appendable' # commit=unmount has burned it
# the same by the control file, but nothing is burned
sim discfs $drive "$T/mnt" -o commit=unmount
daemon=$(daemon_of "$T/mnt")
: >"$T/mnt/unburned"
echo eject >"$T/mnt/.discfs/control"
await_end "$daemon"
assert_not_mounted "$T/mnt"
assert_equal "$(mmcsim show "$place" | sed -n 's/^tray=//p')" open
ctl 0 load
sim discfs $drive "$T/mnt"
assert_equal "$(cat "$T/mnt/.discfs/changes")" "A unburned"
discfsctl discard --yes "$T/mnt"
daemon=$(daemon_of "$T/mnt")
fusermount3 -u "$T/mnt"
await_end "$daemon"

echo "=== mounted where our list of mounts doesn't show it"
if [ "$(id -u)" = 0 ] && unshare -m true; then
	sim unshare -m discfs $drive "$T/mnt"
	assert_not_mounted "$T/mnt"
	ctl 0 info --json $drive
	assert_equal "$(jq -r '"\(.mountpoint) \(.medium.profile) \(.sessions | length)"' <<<"$said")" "$T/mnt dvd+r 1"
	daemon=$(jq .pid <<<"$said")
	ctl 0 drives
	says "SIMULATED BURNER .*: DVD\+R, appendable, .*, mounted on /proc/$daemon/root$T/mnt\$"
	for words in load eject "eject --force" "blank --yes"; do
		# shellcheck disable=SC2086
		ctl 14 $words $drive
		says "$drive is mounted in another mount namespace, by process $daemon: unmount it there"
	done
	kill "$daemon"
	await_end "$daemon"
fi

echo "=== a burn that is under way is left alone"
sim discfs $drive "$T/mnt"
cp -r "$T/tree" "$T/mnt/b"
head -c 3000000 /dev/urandom >"$T/mnt/large"
echo 'op=0x2a delay=100 times=0' >"$place/rules"
ctl 0 commit --no-wait --speed 4x --label=--finalize $drive
for n in {1..100}; do
	[ "$(status "$T/mnt" '.work.phase')" != burning ] || break
	sleep 0.05
done
ctl 0 drives
says "busy \(burning\), mounted on $T/mnt"
ctl 14 eject $drive
says 'under way'
ctl 14 eject "$T/mnt"
ctl 14 blank --yes $drive
mountpoint -q "$T/mnt"
rm "$place/rules"
ctl 0 wait "$T/mnt"
assert_equal "$(status "$T/mnt" .label)" --finalize # a label may look like an option
grep -qE 'SET STREAMING|SET CD SPEED' "$place/log"

echo "=== finalize, with something staged and without"
cp -r "$T/tree" "$T/mnt/c"
ctl 0 finalize --label LAST $drive
says 'burned and verified'
ctl 12 commit "$T/mnt"
says 'closed'
ctl 12 finalize "$T/mnt"
ctl 0 umount "$T/mnt"
ctl 0 info $drive
says 'DVD\+R, closed'
assert_equal "$(listed)" "'a' 'b' 'c' 'large'"
put cd-r
burn ONE
sim discfs $drive "$T/mnt"
ctl 0 finalize "$T/mnt"
ctl 0 umount "$T/mnt"
assert_equal "$(sim discfsctl info --json $drive | jq -r .medium.state)" closed "a CD-R that was finalized with nothing staged"
assert_equal "$(listed)" "'ONE'"

echo "=== simulated: the drive writes nothing, and everything stays staged"
put cd-r
sim discfs $drive "$T/mnt"
cp -r "$T/tree" "$T/mnt/a"
ctl 0 commit --simulate "$T/mnt"
says 'in pretence'
assert_equal "$(mmcsim show "$place" | sed -n 's/^writes=//p')" 0 "sectors that a simulated burn wrote"
assert_equal "$(status "$T/mnt" .staged.added)" 3
ctl 0 commit "$T/mnt"
ctl 0 umount "$T/mnt"

echo "=== stream recording on BD"
put bd-re
sim discfs $drive "$T/mnt"
for words in "" --stream-recording; do
	head -c 200000 /dev/urandom >"$T/mnt/file$words"
	: >"$place/log"
	# shellcheck disable=SC2086
	ctl 0 commit $words "$T/mnt"
	# WRITE (12) with bit 7 of byte 10: MMC-5 6.45
	streamed=$(grep -cE ' aa( [0-9a-f]{2}){9} 80 ' "$place/log" || true)
	[ $((streamed > 0)) = $((${#words} > 0)) ] || fail "$streamed blocks were streamed with '$words'"
done
ctl 0 umount "$T/mnt"

# --- image files -------------------------------------------------------------------------
echo "=== an image file is as new again"
discfsctl create "$T/image" --size 30M
sum=$(sha256sum <"$T/image")
mount_disc "$T/image" "$T/mnt"
cp -r "$T/tree" "$T/mnt/a"
ctl 14 blank --yes "$T/image"
commit "$T/mnt"
unmount "$T/mnt"
ctl 1 blank "$T/image" </dev/null
ctl 0 blank --yes "$T/image"
assert_equal "$(sha256sum <"$T/image")" "$sum" "an image that was blanked"
ctl 0 blank "$T/image"
says 'blank already'
mount_disc "$T/image" "$T/mnt"
assert_equal "$(ls "$T/mnt")" ""
cp -r "$T/tree" "$T/mnt/b"
commit "$T/mnt"
ctl 0 eject "$T/mnt"
says 'image file'
assert_not_mounted "$T/mnt"
