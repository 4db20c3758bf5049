# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `discfsctl drives --watch`: drives come and go, discs change, the button is pressed; udev's word is taken where udev has
# one. No udevd is needed, nor is one disturbed: this test has a network of its own, where it is udevd.
# limit: 120
if [ -z "${DISCFS_OWN_NETWORK:-}" ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -mn true 2>/dev/null; then
		echo "SKIP: needs root, and to be allowed a network of its own"
		exit 77
	fi
	DISCFS_OWN_NETWORK=1 exec unshare -mn bash "$0"
fi
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
leave_other_mounts
requires unshare python3 jq
mount -t tmpfs tmpfs /run
mkdir /run/udev
: >/run/udev/control # libudev listens to udevd only where one is

happens() { # ACTION NAME [PROPERTY=VALUE…]
	python3 "$TESTS/drive/udev_event.py" "$@"
}

lines=0
# The next line that the watcher says.
next_line() {
	local n
	lines=$((lines + 1))
	for ((n = 0; n < 200; n++)); do
		line=$(sed -n "${lines}p" "$T/watched")
		[ -z "$line" ] || return 0
		sleep 0.05
	done
	fail "line $lines doesn't come: $(cat "$T/watched")"
}

says() { # REGEX
	next_line
	assert_match "$line" "$1"
}

silent() { # a moment, in which it would have said something
	sleep 1
	assert_equal "$(wc -l <"$T/watched")" "$lines" "lines of the watcher"
}

watch_begins() { # OPTIONS…
	lines=0
	: >"$T/watched"
	sim discfsctl drives --watch "$@" >"$T/watched" 2>"$T/complaints" &
	watcher=$!
}

# the program itself, below timeout and env
watcher_process() {
	local pid=$watcher
	pgrep -P "$pid" || echo "$pid"
}

watch_stops() { # SIGNAL: and waits for it, as its parent
	kill -"$1" "$(watcher_process)"
	code=0
	wait "$watcher" || code=$?
	assert_equal $code 0 "exit code of the watcher after $1"
	assert_equal "$(grep -v "^+" "$T/complaints" || true)" "" "complaints of the watcher"
}

rm -r "$MMCSIM/sr0"
make_drive sr21
mmcsim new dvd+r "$T/blank" --sectors 20000
mmcsim new bd-re "$T/other" --sectors 20000

echo "=== a disc comes, is pushed out, another comes"
watch_begins
says '^present  /dev/sr21: MMCSIM SIMULATED BURNER [0-9.]+: no disc$'
mmcsim insert "$MMCSIM/sr21" "$T/blank"
happens change sr21 DISK_MEDIA_CHANGE=1
says '^changed  /dev/sr21: .*: DVD\+R, blank, '
happens change sr21 DISK_EJECT_REQUEST=1
says '^button   /dev/sr21$'
mmcsim remove "$MMCSIM/sr21"
happens change sr21 DISK_MEDIA_CHANGE=1
says '^changed  /dev/sr21: .*: no disc$'
mmcsim insert "$MMCSIM/sr21" "$T/other"
happens change sr21 DISK_MEDIA_CHANGE=1
says '^changed  /dev/sr21: .*: BD-RE, unformatted, '

echo "=== what is none of ours, or changes nothing, isn't told"
happens change sda DISK_MEDIA_CHANGE=1
happens change sr DISK_MEDIA_CHANGE=1
happens change srx1 DISK_MEDIA_CHANGE=1
happens add loop0
happens remove sr7
happens bind sr21
happens change sr21
silent

echo "=== a drive is plugged in, and out"
make_drive sr22
happens add sr22
says '^added    /dev/sr22: MMCSIM SIMULATED BURNER [0-9.]+: no disc$'
happens remove sr22
says '^removed  /dev/sr22$'
happens remove sr22
happens add sr22
says '^added    /dev/sr22: '
watch_stops TERM

echo "=== as JSON, with what udev has found out: the drive isn't asked"
watch_begins --json
next_line
next_line
# each as soon as it's known
assert_equal "$(jq -r '"\(.event) \(.drive) \(.medium.state)"' "$T/watched" | sort | paste -sd, -)" \
	"present /dev/sr21 unformatted,present /dev/sr22 empty"
commands=$(wc -l <"$MMCSIM/sr21/log")
happens change sr21 DISK_MEDIA_CHANGE=1 ID_CDROM=1 ID_CDROM_MEDIA=1 ID_CDROM_MEDIA_CD_R=1 ID_CDROM_MEDIA_STATE=appendable \
	ID_FS_LABEL='AB"C'
next_line
assert_equal "$(jq -r '"\(.event) \(.medium.profile) \(.medium.state) \(.medium.label)"' <<<"$line")" 'changed cd-r appendable AB"C'
happens change sr21 DISK_MEDIA_CHANGE=1 ID_CDROM=1
next_line
assert_equal "$(jq -r .medium.state <<<"$line")" empty
assert_equal "$(wc -l <"$MMCSIM/sr21/log")" "$commands" "commands that the drive got"
happens remove sr22
next_line
assert_equal "$(jq -c . <<<"$line")" '{"event":"removed","drive":"/dev/sr22"}'
watch_stops INT

echo "=== it ends when nobody listens any more"
timeout 30 env LD_PRELOAD="$MMCSIM_SO" bash -c 'discfsctl drives --watch | head -n 1' >"$T/watched"
assert_match "$(cat "$T/watched")" '^present  /dev/sr2[12]'

echo "=== a drive that hangs when it is asked doesn't keep it from ending"
echo 'op=0x51 delay=60000 times=0' >"$MMCSIM/sr21/rules"
watch_begins
says '^present  /dev/sr22'
watch_stops TERM
rm "$MMCSIM/sr21/rules"
