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

# What no reader ever looks at: the rest of a file's last sector, what follows the last sum and the last tag in their
# sectors.
nobodys=" slack tag-end-rest sums-last "
# What a commit is tried with: it compares all that went out before the first file and behind the last one, by one sum, and
# the files and libisofs' sums by themselves. discfsctl verify is tried with all.
tried=" body-first body-middle body-last file-lba-le file-NM-text attr-value pvd-volume-id tag-sb-md5 tag-tree-md5 tag-end-md5
 sums-first joliet-name svd-path-table-be tag-tree-rest front-empty front-anchor tail-root tail-name tail-zeroes tail-sums-own
 tail-anchor-rest "

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
	[[ $nobodys != *" $kind "* ]] || flip disc.img "$at"
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
python3 -I "$TESTS/bitflip.py" verify bad spots >found || fail "verify told nothing"
assert_same_bytes bad disc.img
assert_equal "$(cut -d ' ' -f 1 found)" "$(cut -d ' ' -f 1 spots)" "kinds that were tried"
while read -r kind code damages paths; do
	if [[ $nobodys == *" $kind "* ]]; then
		assert_equal "$code $damages" "0 0" "exit code of verify, and damages, after a flip in $kind"
	else
		assert_equal "$code" 21 "exit code of verify after a flip in $kind"
		[ "$damages" -gt 0 ] || fail "no damage is told of $kind"
	fi
	[[ $kind != body-* ]] || assert_equal "$paths" "/dir/again /victim_file" "what is told of $kind"
done <found
