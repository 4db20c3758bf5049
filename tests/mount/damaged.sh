#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# Damaged discs: what can be read is shown when that's asked for, the rest is named; no commit hides what is lost by
# accident; and content that can't be read is an error, never zeroes.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq xorriso isoinfo

mkdir tree tree/{good,bad,bad/below,other} mnt
for dir in tree/good tree/bad tree/bad/below tree/other; do
	for i in {1..60}; do echo "$dir $i" >"$dir/a-rather-long-name-of-a-file-$i"; done
done
head -c 3000000 /dev/urandom >tree/large
xorriso -outdev whole.img -padding 0 -map tree / -commit >/dev/null 2>&1

# Where a directory's records stand; the second sector of three goes bad.
lba=$(isoinfo -R -l -i whole.img | sed -n 's/^d.*\[ *\([0-9]*\) .* bad *$/\1/p')
[ "$lba" -gt 18 ]
cp whole.img holed.img
head -c 2048 /dev/zero | tr '\0' '\377' >ones
dd if=ones of=holed.img bs=2048 seek=$((lba + 1)) count=1 conv=notrunc status=none

# Not without being told to; then all but what is lost.
assert_exit 2 discfs holed.img mnt
mount_disc holed.img mnt -o damaged 2>log
cat log
[ "$(status mnt .damage.lost)" -gt 0 ]
grep -q "lost: .*bad" log
discfsctl status mnt >said
grep -q "^Damaged: .*couldn.t be read" said
grep -q "^damaged: " mnt/.discfs/status
diff -r tree/good mnt/good
diff -r tree/other mnt/other
cmp tree/large mnt/large

# A commit would leave them out for good.
echo new >mnt/new
assert_exit 12 discfsctl commit mnt
grep -q "damaged" out
assert_equal "$(cat mnt/.discfs/changes)" "A new"
discfsctl commit --dry-run mnt
assert_fails "Structure needs cleaning" setfattr -n user.discfs.commit -v X mnt
unmount mnt
# With work staged on a part of the disc, only that part will do.
assert_exit 12 discfs holed.img mnt
grep -q "o damaged" out
mount_disc holed.img mnt -o damaged
cmp holed.img <(head -c "$(stat -c %s whole.img)" holed.img)
discfsctl commit --damaged mnt
assert_equal "$(status mnt .damage.lost)" 0
unmount mnt
mount_disc holed.img mnt
assert_equal "$(cat mnt/new)" new
diff -r tree/good mnt/good
cmp tree/large mnt/large
unmount mnt
bsdtar tf holed.img >names
grep -qx ./new names

# Nothing staged: a disc that has become readable is read again.
cp whole.img mended.img
dd if=ones of=mended.img bs=2048 seek=$((lba + 1)) count=1 conv=notrunc status=none
mount_disc mended.img mnt -o damaged
[ "$(status mnt .damage.lost)" -gt 0 ]
unmount mnt
dd if=whole.img of=mended.img bs=2048 seek=$((lba + 1)) skip=$((lba + 1)) count=1 conv=notrunc status=none
mount_disc mended.img mnt
assert_equal "$(status mnt .damage.lost)" 0
diff -r tree mnt
unmount mnt

# Cut off in the middle of the content: the names are there, and reading says what is missing.
rm -rf "$XDG_STATE_HOME" # it would be known
size=$(stat -c %s whole.img)
size=$(((size - size % 4096) / 2))
head -c "$size" whole.img >cut.img
assert_exit 2 discfs cut.img mnt
grep -q "truncated" out
mount_disc cut.img mnt -o damaged
assert_equal "$(status mnt .damage.lost)" 0
(cd tree && find . | sort) | diff - <(cd mnt && find . | sort)
good=0 bad=0
while read -r file; do
	if cat "mnt/$file" >copy 2>err; then
		cmp copy "tree/$file"
		good=$((good + 1))
	else
		grep -q "Input/output error" err
		bad=$((bad + 1))
	fi
done < <(cd tree && find . -type f)
[ $bad -gt 0 ]
echo "$good files can be read, $bad can't"
# What is cut off would be zeroes, once something is recorded behind it.
assert_equal "$(status mnt .read_only)" true
grep -q "^read-only: .*cut off: it has" mnt/.discfs/status
assert_fails "Read-only file system" rm mnt/good/a-rather-long-name-of-a-file-1
assert_exit 12 discfsctl commit --damaged mnt
unmount mnt
cmp cut.img <(head -c "$size" whole.img)
