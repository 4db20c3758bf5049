#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# discfsctl verify of image files: discs of discfs, of xorriso with its sums and of genisoimage without; one bit flipped
# anywhere, cut images, mounted discs with work staged; what it says, as lines and as JSON, and its exit codes.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq xorriso genisoimage

flip() { # FILE BYTE
	python3 - "$@" <<'END'
import sys
with open(sys.argv[1], "r+b") as image:
    image.seek(int(sys.argv[2]))
    byte = image.read(1)[0]
    image.seek(-1, 1)
    image.write(bytes([byte ^ 1]))
END
}

# The byte at which a text begins for the Nth time in a file.
place_of() { # FILE TEXT [N]
	grep -abo "$2" "$1" | sed -n "${3:-1}s/:.*//p"
}

verify_json() { # EXPECTED-EXIT-CODE ARGUMENTS…
	local expected=$1
	shift
	attempt timeout 60 discfsctl verify --json "$@" >out.json
	cat out.json
	assert_equal "$attempted" "$expected" "exit code of verify $*"
}

verify_text() { # EXPECTED-EXIT-CODE EXPECTED-WORDS ARGUMENTS…
	local code=$1 words=$2
	shift 2
	attempt timeout 60 discfsctl verify "$@" >said
	assert_equal "$attempted" "$code" "exit code of verify $*"
	assert_equal "$(cat said)" "$words"
}

found() { # JQ
	jq -r "$1" out.json
}

# Every damage as "session what path how sector"
damages() {
	jq -r '.damaged[] | "\(.session) \(.what) \(.path) \(.how) \(.sector)"' out.json
}

mkdir -p tree/dir
for n in {1..40}; do
	echo "this is the content of file $n" >"tree/dir/file$n"
done
head -c 3000000 /dev/urandom >tree/large
: >tree/empty
ln tree/large tree/hard
odd=$'odd \n \033[31m "name" \\ \303'
echo "something odd" >"tree/$odd"

# --- good discs -----------------------------------------------------------------

make_disc ours 100M
verify_text 0 "Nothing is recorded: there is nothing to verify" ours
verify_json 0 --all ours
assert_equal "$(found '[.good, (.sessions | length), (.damaged | length)] | @csv')" "true,0,0"
mount_disc ours mnt
cp -a tree/. mnt
commit mnt
echo second >mnt/second
mv mnt/large mnt/moved
commit mnt
echo staged >mnt/staged
echo more >>mnt/second
rm mnt/empty
verify_json 0 mnt/dir
assert_equal "$(found '[.source, .mountpoint] | @csv')" "\"$T/ours\",\"$T/mnt\""
# names of files; content once, also of hard links
bytes=$((3000000 + 14 + $(cat tree/dir/* | wc -c)))
assert_equal "$(found '[.good, .good_files, .good_bytes] | @csv')" "true,45,$((bytes + 7))"
assert_equal "$(found '[.unsummed_files, .damaged_files, .damages] | @csv')" "0,0,0"
verify_json 0 --all ours
assert_equal "$(found '[.sessions[] | .number, .readable, .tree_summed, .good_files, .shared_files] | @csv')" \
	"2,true,true,45,0,1,true,true,44,43"
(cd mnt && assert_exit 0 discfsctl verify)
assert_equal "$(cat mnt/staged)" staged
assert_equal "$(discfsctl diff mnt | sort)" $'A staged\nD empty\nM second'
unmount mnt
verify_text 0 "Session 2: 45 files (3.0 MB) good
Session 1: 44 files (0 B) good; 43 files of these as in newer sessions" --all ours

rm -f theirs
xorriso -md5 on -outdev theirs -map tree /tree -commit -map tree/dir /again -commit 2>said
verify_json 0 --all theirs
assert_equal "$(found '[.good, .damages, (.sessions | length), .sessions[0].good_files] | @csv')" "true,0,2,84"
genisoimage -quiet -R -o plain tree
verify_json 0 plain
assert_equal "$(found '[.good, .good_files, .unsummed_files, .unsummed_bytes, .sessions[0].tree_summed] | @csv')" \
	"true,1,43,$bytes,false"
verify_text 0 "Session 1: 1 file (0 B) good, 43 files (3.0 MB) readable, without a recorded sum" plain

# --- one bit ----------------------------------------------------------------------

# In a file: all names of it are told, in the newest session that has it; all else is good.
cp ours bad
flip bad "$(place_of bad 'content of file 17')"
verify_json 21 --all bad
assert_equal "$(damages)" "2 file /dir/file17 differs null"
assert_equal "$(found '[.good, .good_files, .damaged_files, (.sessions[] | .damaged_files)] | @csv')" "false,87,1,1,1" # it's one file
assert_exit 21 discfsctl verify --all bad
grep -qF "discfsctl: $T/bad: 1 file is damaged in 2 sessions" out
verify_text 21 "damaged: /dir/file17: its content isn't what was recorded
Session 2: 44 files (3.0 MB) good, 1 file (31 B) damaged" bad
assert_exit 21 discfsctl verify bad
grep -qF "discfsctl: $T/bad: 1 file is damaged" out
mount_disc bad mnt
echo new >mnt/new
assert_exit 21 discfsctl verify mnt
assert_equal "$(cat mnt/new)" new
assert_equal "$(discfsctl diff mnt | sort)" $'A new\nA staged\nD empty\nM second' # a copy of a disc is that disc
unmount mnt

cp ours bad
flip bad "$(($(place_of bad "something odd")))"
assert_exit 21 discfsctl verify bad
grep -qF 'damaged: /odd \012 \033[31m "name" \134 ' out
verify_json 21 bad

cp theirs bad
large=$(xorriso -indev bad -find /tree/large -exec report_lba -- 2>/dev/null | sed -n 's/^File data lba: *[0-9]* , *\([0-9]*\) .*/\1/p')
flip bad $((large * 2048 + 2999999))
verify_json 21 bad
assert_equal "$(damages | sort)" "2 file /tree/hard differs null
2 file /tree/large differs null"
flip bad $((large * 2048 + 2999999))
flip bad $((large * 2048 + 3000000)) # behind its end: nobody's
verify_json 0 bad

# In what isn't a file: told as what it is, and files are checked all the same.
one_bit() { # DISC BYTE WHAT FILES
	cp "$1" bad
	flip bad "$2"
	verify_json 21 bad
	assert_equal "$(found '[.damaged[] | .what] | @csv')" "\"$3\""
	assert_equal "$(found '[.damaged_files, .good_files + .unsummed_files] | @csv')" "0,$4"
}
for disc in "ours 45" "theirs 84"; do
	read -r disc files <<<"$disc"
	one_bit "$disc" 100 head "$files"
	one_bit "$disc" $((16 * 2048 + 60)) head "$files"
	one_bit "$disc" $(($(place_of "$disc" libisofs_rlsb32_checksum_tag_v1) + 5)) head "$files"
	superblock=$(place_of "$disc" libisofs_sb_checksum_tag_v1 2)
	one_bit "$disc" $((superblock + 5)) descriptors "$files"
	one_bit "$disc" $((superblock + 100)) descriptors "$files"
	one_bit "$disc" $((superblock - 1000)) descriptors "$files"
	tree=$(place_of "$disc" libisofs_tree_checksum_tag_v1 2)
	one_bit "$disc" $((tree + 5)) tree "$files"
	one_bit "$disc" $((tree + 100)) tree "$files"
	one_bit "$disc" $((tree - 1)) tree "$files" # an MD5 sum covers what nobody reads, too
	end=$(place_of "$disc" libisofs_checksum_tag_v1 2)
	one_bit "$disc" $((end + 5)) tag "$files"
	one_bit "$disc" $((end - 2048 + 20)) sums "$files"
done
one_bit ours $((18 * 2048)) head 45 # the terminator, behind which the head's sum stands
# UDF's descriptors: the sectors that are told are those of the sum that differs, three to each.
second=$(discfsctl info --json ours | jq '.sessions[1].start')
for at in 32 35 48; do
	one_bit ours $(((second + at) * 2048 + 3)) udf 45
	assert_equal "$(found '.damaged[0] | "\(.sector) \(.message)"')" \
		"$((second + at / 3 * 3)) not as they were recorded, in sectors $((second + at / 3 * 3))..$((second + at / 3 * 3 + 2))"
done
cp ours bad
flip bad $(($(place_of bad libisofs_tree_checksum_tag_v1 1) - 1)) # of the older session
assert_exit 0 discfsctl verify bad
verify_json 21 --all bad
assert_equal "$(damages)" "1 tree null differs null"
cp ours bad
flip bad $(((48 + UDF_FRONT) * 2048 + 160)) # where the older session's root is; that the session is there, the newer one knows
verify_json 21 --all bad
assert_equal "$(damages)" "1 descriptors null differs null"
assert_equal "$(jq '.sessions | length' out.json)" 2

# --- cut ----------------------------------------------------------------------------

cp ours bad
truncate -s $((second * 2048)) bad # the newest session is gone, and the head leads there
verify_json 21 bad
assert_equal "$(found '[.good, (.damaged | map(.what) | sort[]), .sessions[0].readable] | @csv')" 'false,"descriptors","disc",false'
assert_exit 21 discfsctl verify bad
grep -q "^Session 2: nothing of it can be reached$" out
grep -qF "discfsctl: $T/bad: damaged: nothing of session 2 can be reached" out

cp plain bad
truncate -s $(($(stat -c %s plain) - 2000000)) bad
verify_json 21 bad
assert_equal "$(found '.damaged[0] | [.session, .what, .how] | @csv')" ',"disc","unreadable"'
assert_equal "$(found '[.damaged[] | select(.path == "/large") | .how, .sector] | @csv')" \
	"\"cut\",$(($(stat -c %s bad) / 2048))"
assert_equal "$(found '[.damaged_files + .unsummed_files, .good_files] | @csv')" "43,1"
assert_exit 21 discfsctl verify bad
grep -q "^damaged: the disc: the image is cut off: " out
grep -q "^damaged: /large: cut off: the medium ends before sector " out

# --- a disc without sums: what was read once is known from then on ----------------------

cp plain mine
mount_disc mine mnt
verify_json 0 mnt
assert_equal "$(found '[.good_files, .unsummed_files] | @csv')" "1,43" # an empty file needs no sum
assert_equal "$(wc -l <mnt/.discfs/sums)" 42 # two names have one body
unmount mnt
mount_disc mine mnt
verify_json 0 mnt
assert_equal "$(found '[.good_files, .unsummed_files] | @csv')" "44,0"
at=$(getfattr -n user.discfs.origin --only-values mnt/large | sed 's/disc //')
printf '\377\0\377' | dd of=mine bs=1 seek=$((at * 2048 + 1000077)) conv=notrunc status=none
assert_exit 21 discfsctl verify mnt
grep -q "^damaged: /large: its content isn't what was recorded" out
assert_fails "Invalid argument" bash -c 'echo "1 2 nonsense" >mnt/.discfs/sums'
echo new >mnt/large # another body: the old one's sum goes with it
commit mnt NEW
assert_equal "$(grep -c "^$at " mnt/.discfs/sums || true)" 0
assert_exit 0 discfsctl verify mnt
unmount mnt

# --- what isn't a disc, wrong words ---------------------------------------------------

echo "no disc" >text
assert_exit 12 discfsctl verify text
assert_exit 2 discfsctl verify nothing
assert_exit 3 discfsctl verify tree
assert_exit 1 discfsctl verify --wrong ours
assert_exit 1 discfsctl verify ours plain
assert_exit 0 discfsctl verify --help
grep -q "exit code is 21" out

# --- while it goes on -------------------------------------------------------------------

# a commit is under way
DISCFS_FAULT=burn-middle:stop mount_disc ours mnt
echo other >mnt/other
tell mnt commit-nowait
for _ in {1..100}; do
	[ "$(status mnt .work.phase)" != burning ] || break
	sleep 0.1
done
assert_exit 14 discfsctl verify mnt
assert_exit 14 discfsctl verify ours
kill_daemon mnt
