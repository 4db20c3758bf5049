#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# -o exclude=: what file managers leave behind stays staged and never comes to the disc, also when the program is killed
# while it commits, and what was moved into the trash is deleted on the disc.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq setfattr xorriso sqlite3

# The disc, and the mount, each against what they should hold; what is listed as litter.
check() { # LITTER
	extract_xorriso disc.img found/disc >/dev/null 2>&1
	assert_same_tree found expected --without root,mtime # both at once: it's manifests that take the time
	assert_equal "$(sed -n 's/^X //p' found/all/.discfs/changes | wc -l)" "$(status found/all .staged.litter)" "litter counted"
	[ "$#" = 0 ] || assert_equal "$(sed -n 's/^X //p' found/all/.discfs/changes | tr '\n' ' ')" "$1" "litter"
	check_state
}
in_both() { # COMMAND…: in the mount, and where the same is kept to compare
	(cd found/all && "$@")
	(cd expected/all && "$@")
}
on_disc() {
	(cd expected/disc && "$@")
}

begin() {
	mkdir -p folder/sub
	echo one >folder/one
	seq 100000 >folder/sub/numbers
	ln folder/one folder/two
	echo kept >kept
	seq 50000 >doomed
}
litter() {
	mkdir -p .Trash-0/files .Trash-0/info folder/.thumbnails
	echo x >.DS_Store
	seq 9 >folder/Thumbs.db
	echo view >folder/.directory
	echo half >folder/.goutputstream-AB12CD
	echo small >folder/.thumbnails/a
	ln kept .fuse_hidden0001 # the other name is no litter
	mv folder/sub .Trash-0/files/sub
	mv doomed .Trash-0/files/doomed
	printf '[Trash Info]\nPath=doomed\n' >.Trash-0/info/doomed.trashinfo
	echo new >folder/new
}
meant() {
	rm -r folder/sub doomed
	echo new >folder/new
}

make_disc disc.img dvd
mkdir -p found expected/disc expected/all
mount_disc disc.img found/all
in_both begin
on_disc begin
commit found/all BEGIN
check ''

in_both litter
discfsctl status found/all >said
grep -q '^13 staged things stay here: litter' said
discfsctl commit --dry-run --verbose found/all >said
grep -q '^13 names are litter' said
grep -qx '  .Trash-0/files/doomed' said
check ".DS_Store .Trash-0 .Trash-0/files .Trash-0/files/doomed .Trash-0/files/sub .Trash-0/info $(
	).Trash-0/info/doomed.trashinfo .fuse_hidden0001 folder/.directory folder/.goutputstream-AB12CD folder/.thumbnails $(
	)folder/.thumbnails/a folder/Thumbs.db "
unmount found/all

# --- it's killed at each of these points; the last leaves a whole session
die_at() { # POINT
	DISCFS_FAULT=$1:kill mount_disc disc.img found/all
	if timeout 60 setfattr -n user.discfs.commit -v "$1" found/all; then
		fail "the commit survived $1"
	fi
	timeout 60 fusermount3 -uz found/all
	await_end "$(cat .daemon-all)"
	mount_disc disc.img found/all
}
for point in phase-frozen-after burn-middle phase-checked-before; do
	[ $point != phase-checked-before ] || on_disc meant
	die_at $point
	check
	unmount found/all
done
mount_disc disc.img found/all
check
assert_equal "$(grep -c '^ISO session' < <(toc disc.img))" 2 sessions
assert_equal "$(grep -v '^X' found/all/.discfs/changes)" ''
before=$(sha256sum disc.img)
commit found/all NOTHING
assert_match "$(status found/all .last.message)" 'Nothing is staged but litter'
assert_equal "$(sha256sum disc.img)" "$before"
check

for point in phase-published-before phase-published-after; do
	in_both eval "echo $point >kept"
	on_disc eval "echo $point >kept"
	unmount found/all
	die_at $point
	check
done

# --- a temporary file that gets its name while a commit runs; what is put back; what goes for good
unmount found/all
DISCFS_FAULT=burn-middle:await=$T/go mount_disc disc.img found/all
in_both eval 'echo more >kept; echo saved >folder/.goutputstream-XYZ'
on_disc eval 'echo more >kept'
timeout 100 discfsctl commit found/all >said & # not setfattr, for which the kernel locks the directory
committing=$!
await status_is found/all .work.phase burning
in_both mv folder/.goutputstream-XYZ folder/saved
in_both mv .Trash-0/files/sub back
in_both rm .DS_Store
touch go
wait $committing
check
unmount found/all
mount_disc disc.img found/all
check
commit found/all BACK
on_disc eval 'echo saved >folder/saved; mkdir back; seq 100000 >back/numbers'
check
in_both rm -r .Trash-0 .fuse_hidden0001 folder/.directory folder/.thumbnails folder/.goutputstream-AB12CD folder/Thumbs.db
check ''
unmount found/all

# --- a list of one's own: names, and a path; then none. What the disc has under such a name is like any other file.
mount_disc disc.img found/all -o 'exclude=*.tmp:/folder/own*'
in_both eval 'echo a >a.tmp; echo own >folder/own; echo own >own; echo x >.DS_Store'
on_disc eval 'echo own >own; echo x >.DS_Store'
commit found/all OWN
check 'a.tmp folder/own '
unmount found/all
mount_disc disc.img found/all -o exclude=
assert_equal "$(sort found/all/.discfs/changes | tr '\n' ' ')" 'A a.tmp A folder/own '
commit found/all ALL
on_disc eval 'echo a >a.tmp; echo own >folder/own'
check ''
unmount found/all
mount_disc disc.img found/all -o 'exclude=*.tmp'
in_both eval 'echo changed >a.tmp; rm .DS_Store'
on_disc eval 'echo changed >a.tmp; rm .DS_Store'
commit found/all CHANGED
check ''
unmount found/all
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img found/all
check ''

# --- discarded like all else
: >found/all/.DS_Store
discfsctl discard --yes found/all >said
grep -qx 'Discarded 1 staged change' said
check ''
unmount found/all
