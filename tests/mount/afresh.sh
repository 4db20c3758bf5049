#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# -o base=blank: the tree of a disc is dropped from the next session, and nothing else. What is staged for it stays apart
# from other staged work; older sessions stay whole; discard brings all back; a disc whose tree is damaged goes on so.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires xorriso jq sqlite3 python3

mkdir -p old/deep/er old/many
head -c 300000 /dev/urandom >old/large
echo small >old/deep/er/small
ln old/large old/deep/linked
ln -s large old/soft
for n in {1..300}; do
	echo "$n" >"old/many/$n"
done
find old -mindepth 1 | wc -l >old-names

deleted() {
	status mnt .staged.deleted
}

make_disc disc.img
mount_disc disc.img mnt
cp -a old/. mnt/
commit mnt FIRST
unmount mnt
cp disc.img before.img

# --- the mount begins empty; the disc isn't touched; the deletions can be seen ------

mount_disc disc.img mnt -o base=blank
assert_equal "$(find mnt -mindepth 1)" ""
assert_equal "$(deleted)" "$(cat old-names)" "deletions"
discfsctl diff mnt >changes
assert_equal "$(grep -c '^D ' changes)" "$(cat old-names)" "lines of diff"
grep -qx "D deep/er/small" changes
unmount mnt
assert_same_bytes disc.img before.img

# --- mounted again: the same, with the option and without; nothing is done twice -----

mount_disc disc.img mnt
assert_equal "$(find mnt -mindepth 1)" ""
mkdir mnt/new
echo new >mnt/new/file
cp old/large mnt/new/large
unmount mnt
mount_disc disc.img mnt -o base=blank
assert_equal "$(cat mnt/new/file)" new
assert_equal "$(deleted)" "$(cat old-names)" "deletions"

# --- a name of the disc can be used again; discard brings single ones and all back ---

echo other >mnt/soft
discfsctl discard mnt/deep
diff -r mnt/deep old/deep
discfsctl discard mnt/soft
assert_equal "$(readlink mnt/soft)" large
rm -r mnt/deep mnt/soft
unmount mnt

# --- the next session holds what was staged and nothing else; the first one is whole --

mount_disc disc.img mnt -o base=blank
commit mnt SECOND
assert_equal "$(cd mnt && find . -mindepth 1 | LC_ALL=C sort | tr '\n' ' ')" "./new ./new/file ./new/large "
# the bytes of large are on the disc already, though nothing there is called so any more
assert_less "$(status mnt .last.sectors)" $((UDF_FRONT + 100)) "sectors of the second session"
second=$(status mnt .last.start)
unmount mnt
large=$(xorriso -indev disc.img -find /new/large -exec report_lba -- 2>/dev/null | sed -n 's/^File data lba: *[0-9]* , *\([0-9]*\) .*/\1/p')
assert_match "$large" '^[0-9]+$'
assert_less "$large" "$second" "sector of what was there already"
extract_xorriso disc.img found
rm -rf expected
mkdir -p expected/new
echo new >expected/new/file
cp old/large expected/new/large
diff -r found expected
extract_xorriso disc.img first 1
assert_same_tree first old --without root,mtime,owner
mount_disc disc.img mnt -o session=1
assert_same_tree mnt old --without root,mtime
unmount mnt

# --- again: each session may begin afresh --------------------------------------------

mount_disc disc.img mnt -o base=blank
assert_equal "$(deleted)" 3 "deletions"
discfsctl discard --yes mnt
diff -r mnt expected
unmount mnt
mount_disc disc.img mnt -o base=blank # what was discarded is asked for anew
assert_equal "$(find mnt -mindepth 1)" ""
discfsctl discard --yes mnt
unmount mnt

# --- not with other work, not with what doesn't go together, not where nothing can be added ---

mount_disc disc.img mnt
echo more >mnt/more
unmount mnt
assert_fails "work is staged for it already" discfs disc.img mnt -o base=blank
assert_not_mounted mnt
mount_disc disc.img mnt
assert_equal "$(cat mnt/more)" more
assert_equal "$(cat mnt/new/file)" new
discfsctl discard --yes mnt
unmount mnt
assert_exit 1 discfs disc.img mnt -o base=old
assert_exit 1 discfs disc.img mnt -o base=blank,session=1
assert_exit 1 discfs disc.img mnt -o base=blank,ro
xorriso -as mkisofs -quiet -R -o hybrid.img old -partition_offset 16
assert_fails "hybrid.img can't be started afresh: it is partitioned" discfs hybrid.img mnt -o base=blank
assert_not_mounted mnt
make_disc blank.img
mount_disc blank.img mnt -o base=blank
assert_equal "$(deleted)" 0 "deletions"
unmount mnt

# --- cut off in the middle: what was begun is brought to its end ----------------------

rm -rf "$XDG_STATE_HOME"
cp before.img cut.img
mount_disc cut.img mnt
rm -r mnt/many
unmount mnt
python3 -I -S - "$XDG_STATE_HOME" <<'PYTHON'
import glob, sqlite3, sys
# as it stands when the daemon died among the deletions
db = sqlite3.connect(glob.glob(sys.argv[1] + "/discfs/*/overlay.db")[0])
fingerprint = bytes(db.execute("SELECT value FROM meta WHERE key='fingerprint'").fetchone()[0])
db.execute("INSERT OR REPLACE INTO meta VALUES('afresh', ?)", (fingerprint + b"\1",))
db.commit()
PYTHON
mount_disc cut.img mnt -o base=blank
assert_equal "$(find mnt -mindepth 1)" ""
assert_equal "$(deleted)" "$(cat old-names)" "deletions"
unmount mnt

# --- a tree that can't be read ---------------------------------------------------------

rm -rf "$XDG_STATE_HOME"
cp before.img damaged.img
python3 -I -S - damaged.img <<'PYTHON'
import struct, sys
with open(sys.argv[1], "r+b") as disc:
    for descriptor in 16, 17: # the root directories of both trees, with Rock Ridge and Joliet
        disc.seek(descriptor * 2048)
        root = struct.unpack_from("<I", disc.read(2048), 156 + 2)[0]
        disc.seek(root * 2048 + 68 + 0) # the records of "." and ".." stay
        disc.write(b"\xa5" * 1500)
PYTHON
attempt limited discfs damaged.img mnt >out 2>&1
[ "$attempted" != 0 ] || fail "a damaged tree is mounted"
mount_disc damaged.img mnt -o base=blank
assert_equal "$(find mnt -mindepth 1)" ""
unmount mnt
# without the option the disc is as damaged as it was
attempt limited discfs damaged.img mnt >out 2>&1
[ "$attempted" != 0 ] || fail "a damaged tree is mounted"
mount_disc damaged.img mnt -o base=blank
cp -a old/deep mnt/
unmount mnt
assert_fails "base=blank" discfs damaged.img mnt
assert_not_mounted mnt
mount_disc damaged.img mnt -o base=blank
diff -r mnt/deep old/deep
commit mnt RESCUED
unmount mnt
mount_disc damaged.img mnt # now it's a disc as any
diff -r mnt/deep old/deep
echo goes on >mnt/more
commit mnt
unmount mnt
extract_xorriso damaged.img found
assert_equal "$(cat found/more)" "goes on"
diff -r found/deep old/deep
check_state
