#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# What isn't a disc, or isn't the disc any more: a clear message, the right exit code, and nothing lost.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr xorriso

refused() { # EXIT-CODE WORDS COMMAND…
	local code=$1 words=$2
	shift 2
	assert_exit "$code" "$@"
	grep -qF -- "$words" "$T/out" || fail "$*: \"$words\" expected"
	assert_not_mounted mnt
}

mkdir mnt
refused 2 "nothing.img: No such file or directory; discfsctl create makes" discfs nothing.img mnt
refused 2 "/dev/nothing: No such file or directory; discfsctl drives" discfs /dev/nothing mnt
refused 2 "is a directory" discfs mnt mnt
refused 1 "mountpoint nowhere: No such file or directory; make it first" discfs x.img nowhere
refused 1 "say what to mount and where" discfs x.img
make_disc blank.img
refused 1 "unknown option -o nonsense" discfs blank.img mnt -o nonsense
refused 1 "commit=never" discfs blank.img mnt -o commit=never

: >empty
seq 100000 >text
head -c 5000000 /dev/zero >zeroes
refused 2 "empty: the file is empty, not a disc image" discfs empty mnt
refused 2 "zeroes: the file begins with zeroes, not with a disc image" discfs zeroes mnt
refused 12 "text: not a disc image" discfs text mnt
refused 1 "mountpoint text: not a directory; the disc comes first" discfs mnt text
refused 12 "/dev/zero is neither a drive nor a disc image file" discfs /dev/zero mnt
cmp text <(seq 100000)
[ ! -s empty ]
assert_exit 12 discfsctl info text
assert_exit 2 discfsctl info nothing.img
assert_exit 1 discfsctl create new.img --media floppy
assert_exit 1 discfsctl create new.img
assert_exit 1 discfsctl create new.img --size nonsense
assert_exit 2 discfsctl create blank.img --media cd
assert_exit 2 discfsctl create text --media cd --force
cmp text <(seq 100000)
assert_exit 3 discfsctl status mnt
assert_exit 3 discfsctl commit mnt
assert_exit 3 discfsctl umount mnt

# A truncated image: it says so, and never takes what is missing for empty.
make_disc good.img
mount_disc good.img mnt
head -c 3000000 /dev/urandom >mnt/random
seq 100000 >mnt/numbers
commit mnt GOOD
unmount mnt
for size in 40000 100000 $(($(stat -c %s good.img) / 2)) $(($(stat -c %s good.img) - 400000)); do
	head -c "$size" good.img >cut.img
	if timeout 60 discfs cut.img mnt >out 2>&1; then
		cat out
		pid=$(daemon_of mnt)
		# Where the tree is whole it can be read, and only that: an error beats wrong bytes.
		for file in random numbers; do
			if cat "mnt/$file" >"copy" 2>err; then
				fail "$file could be read from an image cut at $size"
			fi
			cat err
		done
		assert_fails "" sh -c 'echo x >mnt/new && sync -f mnt && setfattr -n user.discfs.commit -v X mnt'
		fusermount3 -u mnt
		await_end "$pid"
	else
		cat out
		grep -q "cut.img" out || fail "the message doesn't name the image"
	fi
	head -c "$size" good.img | cmp - cut.img
done

# A second discfs on the same image, under either of its names
mount_disc good.img mnt
ln good.img other.img
mkdir mnt2
assert_exit 14 discfs good.img mnt2
grep -q 'in use: another discfs has it mounted (mount -t fuse.discfs shows where)' out
mount -t fuse.discfs | grep -F "$T/mnt "
assert_exit 14 discfs other.img mnt2
assert_exit 3 discfsctl status good.img
grep -qF "good.img is the disc itself: say where it's mounted, $T/mnt" out
cp good.img twin.img # the same bytes, but another file: the staged work can't belong to both
assert_exit 14 discfs twin.img mnt2
seq 100000 | cmp - mnt/numbers

# Another disc under a mounted one: the commit refuses, and what is staged stays.
echo staged >mnt/staged
xorriso -dev good.img -volid ELSEWHERE -map text /text -commit >/dev/null 2>&1
assert_exit 11 discfsctl commit mnt
grep -q "is not the disc" out
assert_fails "Stale file handle" setfattr -n user.discfs.commit -v X mnt
assert_equal "$(cat mnt/staged)" staged
assert_equal "$(cat mnt/.discfs/changes)" "A staged"
unmount mnt

# Behind its back while unmounted: the overlay is not applied, and comes back with its own disc.
mount_disc good.img mnt
assert_same_bytes mnt/text text
[ ! -e mnt/staged ]
assert_equal "$(cat mnt/.discfs/changes)" ""
unmount mnt
mount_disc twin.img mnt
assert_equal "$(cat mnt/staged)" staged
[ ! -e mnt/text ]
commit mnt
unmount mnt
xorriso -osirrox on -indev twin.img -extract /staged copied >/dev/null 2>&1
assert_equal "$(cat copied)" staged
check_state
