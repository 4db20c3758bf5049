#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# One bit of a session flips: between burn and verification, and after the commit; in a file's content, in every
# part of a directory's record, in descriptors, path tables, sums. Either the commit fails and says what is bad, everything
# is still staged, and the next one goes well; or the bit is nobody's.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq xorriso python3 pgrep setfattr

flip() { # FILE BYTE
	python3 -I "$TESTS/bitflip.py" flip "$1" "$2"
}

# What no reader ever looks at: the rest of a file's last sector, what follows a tag's line in its sector, what follows the
# last sum in its sector.
nobodys=" slack tag-tree-rest tag-end-rest sums-last "
# What only the sum over a whole session covers, or none: the Joliet tree lies behind the tag of the tree, and UDF's tree
# around libisofs' part. A commit compares all that went out before the first file, and behind the last one; discfsctl
# verify has nothing to compare it with. (UDF's are called front-… and tail-…)
uncovered=" joliet-name joliet-lba svd-path-table-le svd-path-table-be "
# Of those, what a commit is tried with; discfsctl verify is tried with all.
tried=" body-first body-middle body-last file-lba-le file-size-be file-name file-NM-text file-PX file-TF-time link-target
 attr-value long-CE-area pvd-volume-id pvd-size-be pvd-path-table-be svd-volume-id tag-sb-md5 tag-tree-md5 tag-end-md5 sums-first
 joliet-name joliet-lba svd-path-table-le svd-path-table-be tag-tree-rest front-empty front-volume-id front-anchor
 front-integrity tail-file-set tail-root tail-name tail-zeroes tail-anchor tail-anchor-rest "

make_disc disc.img 100M
DISCFS_FAULT=phase-written-after:await=$T/go mount_disc disc.img mnt
mkdir expected
for dir in mnt expected; do
	seq 3000 >$dir/old
	mkdir $dir/dir
	seq 500 >$dir/dir/inner
done
touch go
commit mnt FIRST
start=$(status mnt .room.next_start)
first_sum=$(head -c $((start * 2048)) disc.img | sha256sum)
head -c 50001 /dev/urandom >victim_file
for dir in mnt expected; do
	cp victim_file $dir/victim_file
	ln -s "some-target/of/a-link" $dir/link
	echo more >$dir/longname"$(printf 'x%.0s' {1..230})"
	echo attributed >$dir/attributes
	setfattr -n user.some -v "some-attribute-value$(printf 'v%.0s' {1..200})" $dir/attributes
	ln $dir/victim_file $dir/dir/again
	mv $dir/old $dir/moved
done
changes=$(cat mnt/.discfs/changes)

# A commit that stands behind its burn, before anything is read back. Not by an xattr: as long as that waits, the kernel
# lets nobody look anything up in the root directory.
begin_commit() {
	rm -f go
	python3 -c 'import errno, os
try:
    os.write(os.open("mnt/.discfs/control", os.O_WRONLY), b"commit\n")
    print("success")
except OSError as error:
    print(errno.errorcode[error.errno])' >told &
	committer=$!
	until [ "$(status mnt .work.phase)" = burning ] && ! pgrep -P "$(cat .daemon-mnt)"; do
		kill -0 $committer 2>/dev/null || fail "it doesn't come to the burn: $(cat told) $(status mnt .last.message)"
		sleep 0.01
	done
}

end_commit() {
	touch go
	wait $committer
}

fail_flipped() { # KIND BYTE
	begin_commit
	flip disc.img "$2"
	end_commit
	assert_equal "$(cat told)" EIO "what is told of a commit with a flipped bit in $1 (at $2)"
	assert_equal "$(status mnt '[.last.exit, (.sessions | length)] | @csv')" "21,1" "exit code, sessions after $1"
	status mnt .last.message
	case $1 in
	body-*) assert_match "$(status mnt .last.message)" 'the content of "(victim_file|dir/again)"' ;;
	esac
	assert_equal "$(cat mnt/.discfs/changes)" "$changes"
	assert_equal "$(head -c $((start * 2048)) disc.img | sha256sum)" "$first_sum"
}

begin_commit
python3 -I "$TESTS/bitflip.py" places disc.img "$start" victim_file >spots
flip disc.img "$(sed -n 's/^body-middle //p' spots)"
end_commit
assert_equal "$(cat told)" EIO
assert_less 80 "$(wc -l <spots)" "kinds of places"
while read -r kind at; do
	[[ ! $tried =~ [[:space:]]${kind}[[:space:]] ]] || fail_flipped "$kind" "$at"
done <spots
assert_same_tree mnt expected --without root,mtime
begin_commit
while read -r kind at; do
	[[ $nobodys != *" $kind "* || $kind = tag-tree-rest ]] || flip disc.img "$at"
done <spots
end_commit
assert_equal "$(cat told)" success
unmount mnt
extract_xorriso disc.img extracted >/dev/null 2>&1
assert_same_tree extracted expected --without root,mtime

# --- after the commit

while read -r kind at; do
	[[ $nobodys != *" $kind "* ]] || flip disc.img "$at"
done <spots
assert_exit 0 discfsctl verify --all disc.img
python3 -I "$TESTS/bitflip.py" places disc.img "$start" victim_file >spots
cp --sparse=always disc.img bad
while read -r kind at; do
	[[ $uncovered != *" $kind "* && $kind != front-* && $kind != tail-* ]] || continue
	flip bad "$at"
	attempt timeout 60 discfsctl verify --json bad >out.json
	if [[ $nobodys == *" $kind "* ]]; then
		assert_equal "$attempted" 0 "exit code of verify after a flip in $kind"
	else
		assert_equal "$attempted" 21 "exit code of verify after a flip in $kind (at $at)"
		assert_less 0 "$(jq .damages out.json)" "damages told of $kind"
	fi
	case $kind in
	body-*) jq -e '.damaged | map(.path) | sort == ["/dir/again", "/victim_file"]' out.json ;;
	esac
	flip bad "$at"
done <spots
assert_same_bytes bad disc.img
