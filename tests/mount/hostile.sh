#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# Discs that mean harm, made by tests/hostile/craft.py, and discs with random damage: each is refused or shown within 10 s
# and 512 MB, no worker crashes, and the daemon goes on.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../hostile/bases.sh
. "$TESTS/hostile/bases.sh"
requires_fuse
requires xorriso genisoimage setfattr

# libisofs leaks where it gives up.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
mkdir crafted mnt
python3 "$TESTS/hostile/craft.py" crafted
for way in "" --damaged; do
	timeout 200 "$BUILD/hostile/try" $way crafted/*.iso >said 2>log || { cat said && fail "too slow, too large, or a crash"; }
	[ -n "$way" ] || while read -r name how _; do
		wanted=$(awk -v name="$name" '$1 == name { print $2 }' crafted/expected)
		[ "$wanted" = any ] || assert_equal "$name $how" "$name $wanted"
	done <said
done

# What is shown can be walked through, and nothing in it leads out.
for name in name-slash name-dots name-nul name-controls name-twice symlink-circle extents-overlap zisofs-size; do
	mount_disc "crafted/$name.iso" mnt -o ro
	timeout 20 find mnt -mindepth 1 -path mnt/.discfs -prune -o -print0 >names
	if tr '\0' '\n' <names | grep -E '/\.\.?(/|$)|passwd/'; then
		fail "$name: odd names"
	fi
	timeout 20 cat mnt/* >/dev/null 2>&1 || true
	unmount mnt
done
assert_exit 12 discfs crafted/loop-two.iso mnt
grep -q "nested deeper" out
assert_exit 12 discfs crafted/loop-two.iso mnt -o damaged # it would be shown thousands of times
mount_disc crafted/deep.iso mnt -o damaged
[ "$(status mnt .damage.lost)" = 1 ]
ls mnt/d0/d0/d0
unmount mnt

make_bases bases
many=300
[ -z "${DISCFS_INSTRUMENTED:-}" ] || many=100
timeout 200 "$BUILD/hostile/try" bases/* >said || fail "$(cat said)"
timeout 200 "$BUILD/hostile/try" --mutate "${DISCFS_MUTATIONS:-$many}" "${DISCFS_SEED:-1}" bases/* >said 2>log || fail "$(cat said)"
cat said
