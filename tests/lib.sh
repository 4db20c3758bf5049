# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What every mount test begins with: `. tests/lib.sh`. A private directory $T, a private state directory, helpers to
# mount and unmount, to assert, and to compare trees. Whatever a test leaves behind is ended and removed at its exit.
#
# A test is a story with real tools. It stops at the first command that fails; `set -x` shows in its log where.

set -eE -o pipefail

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$TESTS")
BUILD=$(cd "$TOP" && cd "${DISCFS_BUILD:-build}" && pwd)
PATH=$BUILD:$PATH:/usr/sbin:/sbin
SKIP_CODE=77
# Sectors that stand before libisofs' part of a session with UDF (src/disc/bridge.h)
# shellcheck disable=SC2034 # tests use it
UDF_FRONT=288

skip() {
	echo "SKIP: $*"
	exit $SKIP_CODE
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# --- what must be there -------------------------------------------------------

requires_root() {
	[ "$(id -u)" = 0 ] || skip "needs root"
}

requires_fuse() {
	if ! { : <>/dev/fuse; } 2>/dev/null; then
		skip "needs /dev/fuse"
	fi
}

# For mounts of others than root, as udev does it where it runs. It stays so: other tests count on it by now.
open_fuse() {
	[ "$(stat -c %a /dev/fuse)" = 666 ] || chmod 666 /dev/fuse
}

requires() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
}

# The first thing in a mount namespace of a test's own: what others have mounted goes from there, or their daemons couldn't
# end, and `discfsctl umount` gives them a second before it tells that the disc stays mounted elsewhere.
leave_other_mounts() {
	local other
	[ "$(readlink /proc/self/ns/mnt)" != "$(readlink "/proc/$PPID/ns/mnt")" ] || fail "not in a mount namespace of its own"
	awk '/ - fuse\./ { print $5 }' /proc/self/mountinfo | while read -r other; do
		umount -l "$(printf '%b' "$other")" || true # it went with what it stood on, or its directory was removed
	done
}

# As `make install` places all, with another /sbin and /etc/fstab, in the test's own mount namespace; a clone may lie where
# users don't get.
install_discfs() {
	make -s -C "$TOP" BUILD="$BUILD" install DESTDIR="$T/root" PREFIX="$T/usr"
	cp -a "$(readlink -f /sbin)" "$T/sbin"
	mkdir "$T/usr"
	cp -a "$T/root$T/usr/." "$T/usr/"
	cp -a "$T/root/sbin/." "$T/sbin/"
	mount --bind "$T/sbin" "$(readlink -f /sbin)"
	touch "$T/fstab" /etc/fstab
	mount --bind "$T/fstab" /etc/fstab
}

# requires_room MEGABYTES: in the directory for temporary files
requires_room() {
	local free
	free=$(df --output=avail -BM "$T" | tail -n 1 | tr -dc 0-9)
	[ "$free" -ge "$1" ] || skip "needs $1 MB in $T, $free are free"
}

# Absolute times and sizes say nothing about a program under a sanitizer or valgrind.
is_instrumented() {
	[ -n "${DISCFS_INSTRUMENTED:-}" ]
}

# --- the private place --------------------------------------------------------

T=$(mktemp -d "${TMPDIR:-/tmp}/discfs-test.XXXXXX")
chmod 755 "$T"
export XDG_STATE_HOME=$T/state
# Whatever this test starts inherits this word, and is found by it.
export DISCFS_TEST_ID=${DISCFS_TEST_ID:-test-$$-$RANDOM}
export ASAN_OPTIONS="log_path=$T/asan:detect_leaks=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="log_path=$T/ubsan:print_stacktrace=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="log_path=$T/tsan:suppressions=$TESTS/tsan.supp:${TSAN_OPTIONS:-}"
export VALGRIND_OPTS="-q --suppressions=$TESTS/valgrind.supp --trace-children=yes --child-silent-after-fork=no --log-file=$T/valgrind.%p --leak-check=full --errors-for-leak-kinds=definite"
export TZ=UTC LC_ALL=C.UTF-8
unset DISCFS_FAULT
unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY # nor the desktop of who runs the tests
cleanups=()

cleanup_fn() {
	cleanups+=("$(printf '%q ' "$@")")
}

# Processes of this test other than its own shells.
test_processes() {
	local environ pid
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		if grep -qsz "^DISCFS_TEST_ID=$DISCFS_TEST_ID\$" "$environ" &&
			[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" != "$(readlink /proc/$$/exe)" ]; then
			echo "$pid"
		fi
	done 2>/dev/null
}

mounts_below() {
	# The kernel writes spaces in names as \040.
	awk -v top="$1/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

# What a mount has to say, for the log of a test that failed.
tell_state() {
	mounts_below "$T" | while read -r point; do
		timeout 10 cat "$(printf '%b' "$point")/.discfs/status"
	done
}

at_exit() {
	local code=$? step point pid
	set +e +E +x
	trap - ERR
	[ "$code" = 0 ] || [ "$code" = $SKIP_CODE ] || tell_state
	mounts_below "$T" | while read -r point; do
		point=$(printf '%b' "$point")
		fusermount3 -uz "$point" 2>/dev/null || umount -l "$point"
	done
	for pid in $(test_processes); do
		kill -9 "$pid" 2>/dev/null
		await_end "$pid"
	done
	for step in "${cleanups[@]}"; do
		eval "$step"
	done
	for step in "$T"/asan.* "$T"/ubsan.* "$T"/tsan.* "$T"/valgrind.*; do
		# valgrind's remarks about itself begin with --
		grep -qsv '^--' "$step" || continue
		echo "=== $step"
		cat "$step"
		[ "$code" != 0 ] || code=1
	done
	[ -n "${KEEP:-}" ] && echo "kept: $T" && exit $code
	chmod -R u+rwX "$T" 2>/dev/null
	rm -rf --one-file-system "$T"
	exit $code
}
trap at_exit EXIT
# shellcheck disable=SC2016 # for the trap
on_error='echo "FAIL: line $LINENO: $BASH_COMMAND" >&2'
# shellcheck disable=SC2064 # the same text each time
trap "$on_error" ERR
trap 'exit 143' TERM INT HUP
cd "$T"
set -x

# --- discs and mounts ---------------------------------------------------------

# make_disc FILE [MEDIA | SIZE]
make_disc() {
	case ${2:-cd} in
	[0-9]*) discfsctl create "$1" --size "$2" ;;
	*) discfsctl create "$1" --media "${2:-cd}" ;;
	esac
}

# mount_disc FILE DIR [DISCFS-OPTIONS…]: mounts, and remembers the daemon's process of DIR
mount_disc() {
	local file=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	timeout 300 discfs "$file" "$dir" "$@"
	mountpoint -q "$dir" || fail "$dir is not mounted"
	daemon_of "$dir" >"$T/.daemon-$(basename "$dir")"
}

status() { # DIR JQ-EXPRESSION
	timeout 60 jq -r "$2" "$1/.discfs/status.json"
}

status_is() { # DIR JQ-EXPRESSION VALUE: `await status_is mnt .work.phase burning`
	[ "$(status "$1" "$2")" = "$3" ]
}

daemon_of() {
	status "$1" .pid
}

# await COMMAND…: until it succeeds, a minute at most
await() {
	local i
	{ set +x; } 2>/dev/null
	for ((i = 0; i < 1200; i++)); do
		if "$@" >/dev/null 2>&1; then
			set -x
			return
		fi
		sleep 0.05
	done
	set -x
	"$@" || true # shows it
	await_failed
	fail "in vain waited for: $*"
}
await_failed() {
	:
}

# A process has ended when its last thread has, even if nobody has asked for its exit code yet: some containers' first
# process does that every few seconds only.
await_end() { # PID [SECONDS]
	python3 -I -S -c '
import os, select, sys
try:
    end = os.pidfd_open(int(sys.argv[1]))
except ProcessLookupError:
    sys.exit(0)
sys.exit(0 if select.select([end], [], [], float(sys.argv[2]))[0] else 1)' "$1" "${2:-120}" ||
		fail "process $1 doesn't end"
}

# Unmounts as anybody would, and waits for the daemon's end.
unmount() {
	local dir=$1 pid
	pid=$(cat "$T/.daemon-$(basename "$dir")")
	timeout 120 fusermount3 -u "$dir"
	await_end "$pid"
}

# The daemon dies as in a crash; what remains of the mount is cleared away. A worker of it ends a moment later, and holds
# the image until then.
kill_daemon() {
	local dir=$1 pid workers
	pid=$(cat "$T/.daemon-$(basename "$dir")")
	mapfile -t workers < <(pgrep -P "$pid" || true)
	kill -9 "$pid"
	for pid in "$pid" "${workers[@]}"; do
		await_end "$pid"
	done
	fusermount3 -uz "$dir" 2>/dev/null || true
}

commit() { # DIR [LABEL]
	timeout 600 setfattr -n user.discfs.commit -v "${2:-}" "$1" || fail "commit: $(status "$1" .last.message)"
}

tell() { # DIR COMMAND…
	local dir=$1
	shift
	echo "$*" >"$dir/.discfs/control"
}

# sqlite3's check of every database below the state directory
check_state() {
	local db
	find "$XDG_STATE_HOME" -name '*.db' | grep -q . || fail "no database below $XDG_STATE_HOME"
	find "$XDG_STATE_HOME" -name '*.db' | while read -r db; do
		assert_equal "$(sqlite3 "$db" 'PRAGMA integrity_check')" ok
	done
}

# session_sectors FILE N: how large xorriso finds session N (from 1)
session_sectors() {
	toc "$1" | awk -F'[ ,]+' -v n="$2" '/^ISO session/ && $4 == n { sub("s", "", $6); print $6 }'
}

toc() {
	xorriso -indev "$1" -toc 2>/dev/null
}

# Unpacks the newest session of an image with xorriso, and all it knows about files.
extract_xorriso() { # FILE DIR [SESSION]
	rm -rf "$2"
	mkdir -p "$2"
	local load=()
	[ -z "${3:-}" ] || load=(-load session "$3")
	xorriso -abort_on FATAL -return_with SORRY 32 -report_about SORRY -acl on -xattr on -hardlinks on "${load[@]}" \
		-indev "$1" -osirrox on:auto_chmod_on:device_files:o_excl_off -extract / "$2"
}

# --- assertions ---------------------------------------------------------------

assert_equal() { # FOUND EXPECTED [WHAT]
	[ "$1" = "$2" ] || fail "${3:-value}: found \"$1\", expected \"$2\""
}

assert_less() { # NUMBER LIMIT [WHAT]
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }' || fail "${3:-value}: $1 is not below $2"
}

assert_match() { # TEXT REGEX
	[[ $1 =~ $2 ]] || fail "\"$1\" doesn't match $2"
}

assert_same_bytes() {
	cmp "$1" "$2" || fail "$1 and $2 differ"
}

# A function that says only what its commands say, or a command that gets no more than five minutes.
limited() {
	{ set +x; } 2>/dev/null
	if [ "$(type -t "$1")" = function ]; then
		(
			set -e
			"$@"
		)
	else
		timeout 300 "$@"
	fi
}

assert_not_mounted() { # DIR
	if mountpoint -q "$1"; then
		fail "$1 is mounted"
	fi
}

# assert_exit CODE COMMAND…: its output goes to $T/out
assert_exit() {
	local expected=$1
	shift
	attempt limited "$@" >"$T/out" 2>&1
	cat "$T/out"
	assert_equal "$attempted" "$expected" "exit code of $*"
}

# attempt COMMAND…: its exit code goes to $attempted. bash ignores a function's own `set -e` in all that stands left of
# a || or in an if: so neither is used.
attempt() {
	trap - ERR
	set +e
	("$@")
	attempted=$?
	set -e
	# shellcheck disable=SC2064
	trap "$on_error" ERR
}

# assert_fails ERRNO-TEXT COMMAND…: it fails and says so
assert_fails() {
	local expected=$1
	shift
	attempt limited "$@" >"$T/out" 2>&1
	[ "$attempted" != 0 ] || fail "$* succeeded"
	cat "$T/out"
	grep -qF "$expected" "$T/out" || fail "$*: said \"$(cat "$T/out")\", expected \"$expected\""
}

# do_at PLACE COMMAND…: a program, or a function of the test, in the directory of that name; what it says goes to
# $T/.said-PLACE.
do_at() {
	(
		{ set +x; } 2>/dev/null
		cd "$T/$1"
		shift
		limited "$@"
	) >"$T/.said-$1" 2>&1
}

# both COMMAND…: the same in the directory host, which is this machine's, and in the mount mnt. Exit codes and words must
# be equal; the words are left in $T/said, the code in $code. Lines
# may come in any order, as names do; other differences that are there by nature are a matter of the function `normal`.
normal() {
	LC_ALL=C sort
}
both() {
	local host_code
	attempt do_at host "$@"
	host_code=$attempted
	attempt do_at mnt "$@"
	code=$attempted
	normal <"$T/.said-host" >"$T/said"
	normal <"$T/.said-mnt" >"$T/.said"
	if [ $code != $host_code ] || ! cmp -s "$T/said" "$T/.said"; then
		diff "$T/said" "$T/.said" | cut -c 1-300 | head -n 40 || true
		fail "$*: exit code $host_code and the words above (<) in a directory, $code and (>) in the mount"
	fi
}

# The same, and it must go well.
both_do() {
	both "$@"
	[ "$code" = 0 ] || fail "$*: $code, $(tail -n 5 "$T/said")"
}

# manifest DIR [OPTIONS…]: see manifest.py
manifest() {
	timeout 600 python3 -I -S "$TESTS/manifest.py" "$@"
}

# assert_same_tree FOUND EXPECTED [MANIFEST-OPTIONS…]; EXPECTED may be a stored manifest
assert_same_tree() {
	local found=$1 expected=$2
	shift 2
	manifest "$found" "$@" >"$T/.found"
	if [ -d "$expected" ]; then
		manifest "$expected" "$@" >"$T/.expected"
	else
		cp "$expected" "$T/.expected"
	fi
	[ -s "$T/.expected" ] || fail "the manifest of $expected is empty"
	if ! cmp -s "$T/.expected" "$T/.found"; then
		diff "$T/.expected" "$T/.found" | cut -c 1-300 | head -n 40 || true
		fail "$found is not the same as $expected"
	fi
}
