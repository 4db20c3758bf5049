#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# Damaged discs: what can be read is shown when that's asked for, the rest is named; no commit hides what is lost by
# accident; and content that can't be read is an error, never zeroes.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq xorriso isoinfo genisoimage python3

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

# --- a damaged session doesn't hide the others ---------------------------------------------------------------------

# What the message of a failed mount says can be read, is; info, log, verify and -o session=N count alike.
for i in 1 2 3; do
	[ -e three.img ] || make_disc three.img 20M
	mount_disc three.img mnt
	head -c 1000000 /dev/urandom >mnt/file-$i
	manifest mnt >"m$i"
	commit mnt "S$i"
	unmount mnt
done
second=$(discfsctl info --json three.img | jq '.sessions[1].start')
third=$(discfsctl info --json three.img | jq '.sessions[2].start')
destroy() { # COPY FIRST COUNT
	cp three.img "$1"
	dd if=/dev/zero of="$1" bs=2048 seek="$2" count="$3" conv=notrunc status=none
}
root=$(od -An -tu4 -j $(((third + 16) * 2048 + 158)) -N 4 three.img) # where the descriptor says that it is
[ "$root" -gt $((third + 18)) ]
destroy tree.img $((third + 16)) $((root + 40 - third))
destroy middle.img $((second + 16)) $((UDF_FRONT + 3)) # and those that they are copies of
destroy front.img $((second + 16)) 3 # they alone
destroy head.img 0 32
head -c $(((third + 40) * 2048)) three.img >cut3.img
head -c $(((third - 100) * 2048)) three.img >cut2.img
check_sessions() { # IMAGE NUMBER-THAT-CAN'T-BE-READ… (they come from a place without state)
	local n
	rm -rf "$XDG_STATE_HOME"
	assert_equal "$(discfsctl info --json "$1" | jq -c '[.sessions[].start]')" "[32,$second,$third]"
	assert_equal "$(discfsctl log "$1" --json | jq -c '[.[].number]')" "[1,2,3]"
	for n in 1 2 3; do
		if [[ " ${*:2} " == *" $n "* ]]; then
			assert_fails "" discfs "$1" mnt -o session=$n
			continue
		fi
		mount_disc "$1" mnt -o session=$n
		assert_same_tree mnt m$n
		assert_equal "$(status mnt '[.read_only, .base.session, .label] | @csv')" "true,$n,\"S$n\""
		timeout 20 discfsctl status mnt | grep -q "session $n of 3"
		unmount mnt
	done
}
check_sessions three.img
check_sessions tree.img 3
check_sessions middle.img 2
check_sessions front.img
check_sessions head.img
check_sessions cut3.img 3
check_sessions cut2.img 2 3
timeout 20 discfsctl info tree.img | grep -Eq "^ +3 .* damaged +S3$"
timeout 20 discfsctl info middle.img | grep -Eq "^ +2 .* damaged *$"
assert_equal "$(discfsctl info --json front.img | jq -c '[.sessions[].damaged]')" "[false,false,false]"
mount_disc front.img mnt
assert_same_tree mnt/.discfs/sessions/2 m2
unmount mnt
timeout 60 discfsctl verify front.img
assert_exit 21 discfsctl verify --all --json front.img
# A sum goes over some sectors at once: it's told where these begin.
assert_equal "$(grep '^{' out | jq -c "[.damaged[] | .session, .what, $second + 16 - .sector < 4]")" '[2,"descriptors",true]'
timeout 20 discfsctl info three.img | grep -q "^The next session begins at sector "
for image in tree cut3; do
	assert_fails "sessions 1, 2 can be read: mount the newest of them with -o session=2" discfs $image.img mnt
done
assert_fails "cut off before session 3" discfs cut2.img mnt
grep -q "; session 1 can be read: mount it with -o session=1$" out
assert_fails "its first sectors are lost" discfs head.img mnt
grep -q "; sessions 1..3 can be read: mount the newest of them with -o session=3$" out
mount_disc head.img mnt -o damaged
assert_same_tree mnt m3
assert_equal "$(status mnt .read_only)" true
unmount mnt
mount_disc middle.img mnt # the newest is whole
assert_same_tree mnt m3
unmount mnt
timeout 60 discfsctl verify --all tree.img >said 2>&1 || [ $? = 21 ]
grep -q "^Session 2: 2 files (2.0 MB) good" said
grep -q "^Session 1: 1 file " said
# Started afresh without the newest: the next session is number 4, and the others are still there.
mount_disc tree.img mnt -o base=blank
echo new >mnt/new
timeout 60 discfsctl commit mnt | grep -q "^Session 4 is burned"
unmount mnt
mount_disc tree.img mnt
assert_equal "$(ls mnt)" new
assert_same_tree mnt/.discfs/sessions/2 m2
unmount mnt
# Not on one that is cut off: what is missing there would be zeroes.
assert_fails "cut off" discfs cut3.img mnt -o base=blank
end=$(grep -abo libisofs_checksum_tag_v1 three.img | tail -n 1 | sed 's/:.*//')
head -c $((end - end % 2048 - 10 * 2048)) three.img >short.img # not so much that it couldn't be padding
rm -rf "$XDG_STATE_HOME"
assert_fails "can't be started afresh: it is cut off" discfs short.img mnt -o base=blank
# As xorriso reads it, which follows the sizes.
extract_xorriso tree.img extracted 1 >/dev/null 2>&1
grep -v "^\. " m1 >m1x
assert_same_tree extracted m1x --without softmeta,root

# Cut off in the middle of the content: the names are there, and reading says what is missing.
rm -rf "$XDG_STATE_HOME" # it would be known
size=$(stat -c %s whole.img)
size=$(((size - size % 4096) / 2))
head -c "$size" whole.img >cut.img
assert_exit 2 discfs cut.img mnt
grep -q "the image is cut off" out
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

# --- discs without sums: libisofs takes a sector of zeroes or of noise for a directory's end ---

zap() { # IMAGE PATH SECTOR HOW [SESSION]
	python3 "$TESTS/hostile/zap.py" "$@"
}

# none IMAGE: nothing of it is taken for damaged
none() {
	rm -rf "$XDG_STATE_HOME"
	mount_disc "$1" mnt 2>log
	assert_equal "$(status mnt '.damage.lost + .damage.doubts')" 0 "$1: $(cat log)"
}

# lost IMAGE SECTOR NAMES: the first mount says what and where, and goes no further; -o damaged shows that many of bad's
# names
lost() {
	rm -rf "$XDG_STATE_HOME"
	assert_exit 2 discfs "$1" mnt
	grep -q "/bad: some or all of its names are lost: sector $2 " out
	grep -q -- "-o damaged shows" out
	mount_disc "$1" mnt -o damaged
	assert_equal "$(status mnt .damage.lost)" 1
	assert_equal "$(find mnt/bad -mindepth 1 -maxdepth 1 | wc -l)" "$3" "names in bad of $1"
	diff -r tree/good mnt/good
	echo new >mnt/new
	assert_exit 12 discfsctl commit mnt
	unmount mnt
	assert_exit 21 discfsctl verify "$1"
	grep -q "damaged: .*/bad: some or all of its names are lost: sector $2 " out
}

genisoimage -quiet -R -J -o theirs.img tree
genisoimage -quiet -U -iso-level 4 -o plain.img tree
for image in theirs.img plain.img; do
	none $image
	unmount mnt
	assert_exit 0 discfsctl verify $image
done
for what in "theirs 0 zeroes" "theirs 1 zeroes" "theirs -1 zeroes" "theirs 0 length" "plain 1 noise" "plain 0 ones"; do
	read -r image sector how <<<"$what"
	cp "$image.img" bad.img
	read -r sector left < <(zap bad.img bad "$sector" "$how")
	lost bad.img "$sector" "$left"
done

# doubtful IMAGE TEXT: all is there, and that it may be wrong is said; who commits that must say so
doubtful() {
	rm -rf "$XDG_STATE_HOME"
	mount_disc "$1" mnt 2>log
	assert_equal "$(status mnt '.damage | "\(.lost) \(.doubts)"')" "0 1"
	grep -q "discfs: damaged: .*$2" log
	discfsctl status mnt >said
	discfsctl info mnt >>said
	assert_equal "$(grep -c "^Damaged: .*isn't as it was recorded" said)" 2
	echo new >mnt/new
	assert_exit 12 discfsctl commit mnt
	grep -q "isn't as it was recorded" out
	unmount mnt
	mount_disc "$1" mnt # with work staged, without an option
	discfsctl commit --damaged mnt
	assert_equal "$(status mnt '.damage | "\(.lost) \(.doubts)"')" "0 0"
}
cp theirs.img bad.img
zap bad.img bad 0 begin >said
doubtful bad.img "/bad: it may not be as it was recorded"
unmount mnt

# --- discs with sums: what isn't as it was recorded is told, and no sound file loses its sum ---

make_disc ours.img 50M
mount_disc ours.img mnt
cp -r tree/. mnt
commit mnt
unmount mnt
start=$(discfsctl info --json ours.img | jq '.sessions[0].start')
cp ours.img bad.img
zap bad.img good 0 name "$start" >said
doubtful bad.img "the directories: not as they were recorded"
discfsctl verify mnt >said
cat said
grep -q "^Session 2: 242 files (.* MB) good$" said
unmount mnt
cp ours.img bad.img
end=$(grep -abo libisofs_checksum_tag_v1 bad.img | tail -n 1 | sed 's/:.*//')
printf '\0\1\2' | dd of=bad.img bs=1 seek=$((end - 4096 + 160)) conv=notrunc status=none # one file's sum
doubtful bad.img "the recorded sums of the files are damaged"
assert_exit 21 discfsctl verify mnt
grep -q "^Session 2: 241 files (.* MB) good, 1 file (.* B) damaged$" out
unmount mnt
