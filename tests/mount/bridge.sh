#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# The UDF file system in each session, beside ISO 9660: the same tree as Rock Ridge, session after session, by our
# reader and by libudfread; what didn't change is inherited; discs that others began; media where sector 256 isn't ours.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # for owners and devices
requires python3 genisoimage mkudffs xorriso jq setfattr "$BUILD/udflist"
options=formats=iso,joliet,udf

udf() {
	python3 -I "$TESTS/udf.py" "$@"
}

# A tree as one reader shows it, from the disc alone.
tree_by() { # IMAGE FORMAT [SESSION]
	mount_disc "$1" "by-$2" -o "ro,import=$2,state=$T/state-$2${3:+,session=$3}" 2>/dev/null
	find "by-$2" -printf '%P\t%M\t%n\t%U\t%G\t%s\t%Ts\t%l\n' | sort
	(cd "by-$2" && find . -type f -print0 | sort -z | xargs -0r sha256sum -z | tr "\0" "\n")
	unmount "by-$2"
	rm -rf "$T/state-$2"
}

assert_our_trees() { # IMAGE
	tree_by "$1" udf >by.udf
	tree_by "$1" rockridge >by.rockridge
	diff by.rockridge by.udf >by.diff || {
		head -n 20 by.diff
		fail "$1: UDF differs from Rock Ridge"
	}
}

# Both file systems of the newest session hold one tree, and so does libudfread; all sums are right.
assert_one_tree() { # IMAGE
	assert_our_trees "$1"
	grep -P '^[0-9a-f]{64} ' by.rockridge | sed 's/^\([0-9a-f]*\)  \.\//\1\t/' | sort >sums.iso
	udflist "$1" | awk -F'\t' '{ sub(/^\.\//, "", $3); print $2 "\t" $3 }' | sort >sums.udfread
	# It lists symbolic links and devices, too, as files.
	assert_equal "$(comm -23 sums.iso sums.udfread)" "" "what libudfread doesn't read"
	discfsctl verify --all "$1" || fail "$1 isn't verified"
}

burned_sectors() { # DIR: of the newest session
	status "$1" '.sessions | max_by(.number) | .sectors'
}

# --- four sessions of one disc ---

discfsctl create d.img --size 200M
mount_disc d.img mnt -o $options
mkdir -p mnt/a/b/c mnt/many mnt/日本
for i in $(seq 1 300); do echo "$i" >"mnt/many/file-$i.txt"; done
head -c 3000000 /dev/urandom >mnt/a/big
ln mnt/a/big mnt/a/b/hard
ln -s ../a/big mnt/many/link
ln -s /no/where mnt/absolute
mkfifo mnt/a/fifo
mknod mnt/a/null c 1 3
mknod mnt/a/disk b 259 70000
: >mnt/empty
echo u >mnt/日本/ü
: >"mnt/$(printf 'n%.0s' {1..250}).txt"
: >"mnt/$(printf 'é%.0s' {1..127})"
: >"mnt/$(printf '日%.0s' {1..85})"
: >'mnt/colon: "star* dot.'
chown 1000:70000 mnt/a/big
chmod 06751 mnt/many/file-1.txt
chmod 0000 mnt/many/file-2.txt
chmod 01777 mnt/a/b
touch -d '1970-01-01 00:00:01.5 UTC' mnt/many/file-3.txt
touch -d '2090-12-31 23:59:59 UTC' mnt/many/file-4.txt
commit mnt ONE
unmount mnt
assert_one_tree d.img
# shellcheck disable=SC2094 # it is read, and another file is written
toc d.img >toc
assert_equal "$(grep -c 'ISO session' toc)" 1

mount_disc d.img mnt -o $options
assert_equal "$(status mnt '.sessions[0].formats | sort | join(" ")')" "iso9660 joliet rockridge udf"
echo more >>mnt/many/file-7.txt
commit mnt TWO
two=$(burned_sectors mnt)
unmount mnt
assert_one_tree d.img
tree_by d.img rockridge >tree.two

# What looks like the base and isn't: names that others had, directories that moved.
mount_disc d.img mnt -o $options
mv mnt/many/file-10.txt mnt/many/file-11.txt
mv mnt/a/b mnt/moved
mkdir mnt/a/b
echo other >mnt/a/b/hard
ln mnt/many/file-20.txt mnt/a/link-to-20
rm mnt/many/file-21.txt
chmod 640 mnt/many/file-22.txt
touch -d '2001-02-03 04:05:06.123456 UTC' mnt/empty
mv mnt/many/file-30.txt x && mv mnt/many/file-31.txt mnt/many/file-30.txt && mv x mnt/many/file-31.txt
commit mnt THREE
unmount mnt
assert_one_tree d.img
mount_disc d.img mnt -o "ro,import=udf,state=$T/state-times"
assert_equal "$(stat -c %y mnt/empty)" "$(TZ=UTC date -d '2001-02-03 04:05:06.123456 UTC' '+%F %T.%N +0000')" "time by UDF"
unmount mnt
# shellcheck disable=SC2094 # it is read, and another file is written
toc d.img >toc
assert_equal "$(grep -c 'ISO session' toc)" 3

# An older session goes on showing its own tree, by UDF as well.
tree_by d.img udf 2 >tree.old
diff tree.two tree.old || fail "session 2 isn't what it was"

# Without UDF nobody is led to an old tree; with it again all is there.
mount_disc d.img mnt -o formats=iso,joliet
echo 4 >mnt/four
commit mnt FOUR
unmount mnt
assert_fails "no UDF tree" discfs d.img mnt -o "ro,import=udf,state=$T/state-none"
assert_equal "$(blkid -p -s TYPE -o value d.img)" iso9660
mount_disc d.img mnt -o $options,udf_links=no
echo 5 >mnt/five
commit mnt FIVE
five=$(burned_sectors mnt)
unmount mnt
tree_by d.img udf >by.udf
tree_by d.img rockridge | grep -vP '\t[lbcps][rwxsStT-]{9}\t' >by.rockridge
diff by.rockridge by.udf || fail "without links and devices more than they are missing"

# --- what didn't change costs nothing: the front, and a few sectors ---

assert_less "$two" "$((five - 250))" "sectors of a session that inherits 300 file entries"

# --- names that libudfread can't cope with: it makes CESU-8 of one, and takes the other for a path ---

discfsctl create h.img --size 20M
mount_disc h.img mnt -o $options
: >'mnt/😀' && : >'mnt/back\slash' && : >mnt/$'new\nline'
commit mnt
unmount mnt
assert_our_trees h.img

# --- discs that others began ---

mkdir tree && echo old >tree/old && head -c 900000 /dev/urandom >tree/data
genisoimage -quiet -R -J -o g.img tree # sector 256 is in a file
mount_disc g.img mnt -o $options
cp g.img before.img
echo new >mnt/new
commit mnt NEW
unmount mnt
assert_one_tree g.img
cmp -n $((256 * 2048)) -i $((32 * 2048)) g.img before.img || fail "something before sector 288 was overwritten"
assert_equal "$(blkid -p -s LABEL -o value g.img)" NEW

genisoimage -quiet -udf -R -J -o gu.img tree # it leads to genisoimage's tree
mount_disc gu.img mnt -o $options
echo new >mnt/new
commit mnt NEW
unmount mnt
assert_one_tree gu.img

truncate -s 10M u.img
mkudffs --utf8 --media-type=hd --blocksize=2048 u.img >/dev/null # it's the way back to the old volume
mount_disc u.img mnt -o $options
echo new >mnt/new
commit mnt NEW
unmount mnt
assert_equal "$(blkid -p -s TYPE -o value u.img)" iso9660
mount_disc u.img mnt -o ro,session=1
[ ! -e mnt/new ] || fail "session 1 isn't the old volume any more"
unmount mnt

# --- as a file, to be written later ---

mount_disc d.img mnt -o $options
echo 6 >mnt/six
discfsctl commit --to "$T/s6" --label SIX mnt >said 2>&1 || fail "$(cat said)"
unmount mnt
bash -c "$(grep -o 'dd conv=notrunc.*' said)" 2>/dev/null || fail "$(cat said)"
assert_one_tree d.img

# --- a reader of UDF is never led astray: sector 256 can't be written ---

mount_disc d.img mnt -o $options
echo 7 >mnt/seven
unmount mnt
DISCFS_FAULT=head-anchor:5 mount_disc d.img mnt -o $options
discfsctl commit --label SEVEN mnt | grep -q 'Systems that look for UDF see the session before' || fail "commit says nothing of sector 256"
discfsctl status --json mnt | grep -q '"message":"[^"]*sector 256' || fail "the result says nothing of sector 256"
unmount mnt
mount_disc d.img mnt -o $options
[ -e mnt/seven ] || fail "session SEVEN isn't in force"
grep -q '^warning: .*sector 256' mnt/.discfs/status || fail "the status says nothing of sector 256"
echo 8 >mnt/eight
commit mnt EIGHT
! grep -q '^warning:' mnt/.discfs/status || fail "sector 256 is warned of after it was written"
unmount mnt
assert_one_tree d.img

# --- what is damaged is recorded anew, not inherited, and the disc keeps its UDF: the newest session's file set, a file's entry, both
for which in 256 261 "256 261"; do
	cp d.img damaged.img
	start=$(discfsctl info --json d.img | jq '.sessions[-1].start')
	read -ra tags <<<"$which"
	python3 -I -S - "$start" "${tags[@]}" <<'END2'
import os, sys
with open("damaged.img", "r+b") as image:
    for tag in map(int, sys.argv[2:]):
        for sector in range(os.path.getsize("damaged.img") // 2048 - 1, int(sys.argv[1]) + 288, -1):
            image.seek(sector * 2048)
            block = image.read(2048)
            if int.from_bytes(block[:2], "little") == tag and (tag == 256 or block[27] == 5):
                image.seek(sector * 2048 + 60)
                image.write(bytes([block[60] ^ 1]))
                break
        else:
            sys.exit("there is no tag %d" % tag)
END2
	assert_exit 21 discfsctl verify damaged.img
	mount_disc damaged.img mnt -o "$options,state=$T/state-damaged"
	echo 9 >mnt/nine
	commit mnt
	unmount mnt
	rm -rf "$T/state-damaged"
	discfsctl verify damaged.img
	assert_our_trees damaged.img
done
