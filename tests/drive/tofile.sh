#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# commit --to FILE for discs in drives: the file is burned by cdrskin, xorriso and growisofs, the first session to a blank
# disc and the next one behind it. discfs then sees exactly the tree that was staged, with nothing staged any more, and
# goes on. Also on a machine that knows nothing of the staged work, in another drive, and at the wrong place.
SR=sr7
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires xorriso cdrskin growisofs jq

# --- who burns what --------------------------------------------------------------------

# Each: FILE START KIND, START being where the session belongs; 0 or 32 on a blank disc
by_cdrskin() {
	sim cdrskin "dev=/dev/$SR" -multi "$1"
}
by_cdrskin_grow() {
	local grow=()
	[ "$2" = 32 ] || grow=(-multi --grow_overwriteable_iso)
	sim cdrskin "dev=/dev/$SR" "${grow[@]}" "$1"
}
by_xorriso() {
	sim xorriso -as cdrecord "dev=/dev/$SR" -multi "$1"
}
by_growisofs() {
	local option=(-C "0,$2" -M "/dev/$SR=$1")
	[ "$2" -gt 32 ] || option=(-Z "/dev/$SR=$1")
	sim growisofs -use-the-force-luke=notray,spare:none "${option[@]}"
}
by_growisofs_grow() {
	local option=(-C "16,$2" -M "/dev/$SR=$1")
	[ "$2" -gt 32 ] || option=(-Z "/dev/$SR=$1")
	sim growisofs -use-the-force-luke=notray "${option[@]}"
}
# The command line that commit told
by_told() {
	sim sh -c "$burn"
}

# --- what is done ------------------------------------------------------------------------

staged() {
	status mnt '.staged | .added + .modified + .deleted + .renamed'
}

names() { # DIR
	(
		shopt -s dotglob nullglob
		cd "$1" || exit
		printf '%s ' *
	)
}

# burn_file PROGRAM KIND: what is staged goes to a file, and the program burns it
burn_file() {
	local start before
	before=$(recorded)
	rm -f file file.head
	timeout 120 discfsctl commit mnt --to file >said
	assert_equal "$(recorded)" "$before" "what is on the disc"
	start=$(status mnt .last.start)
	burn=$(status mnt .last.burn)
	[ "$(staged)" -gt 0 ] || fail "nothing is staged any more"
	manifest mnt --without root,mtime >staged-tree
	unmount mnt
	"by_$1" file "$start" "$2" >said 2>&1 || fail "$1, $2 at $start: $(tail -n 20 said)"
	reload
}
recorded() {
	mmcsim show "$MMCSIM/$SR" | grep -E '^(track|recorded|status)'
}

# The disc has it now: exactly the tree that was staged, and nothing is staged any more.
check_taken() { # SESSIONS
	mount_medium mnt
	assert_equal "$(staged)" 0 "staged changes"
	assert_equal "$(status mnt '.sessions | length')" "$1" sessions
	assert_same_tree mnt staged-tree --without root,mtime
}

# story PROGRAM KIND [PROGRAM-OF-THE-SECOND]
story() {
	local program=$1 kind=$2 next=${3:-$1}
	new_disc "$kind" 100000
	mount_medium mnt
	cp -a "$T/t1" mnt/
	ln mnt/t1/small-1 mnt/linked
	burn_file "$program" "$kind"
	check_taken 1
	mv mnt/t1/deep mnt/deeper
	rm mnt/linked
	cp -a "$T/t2" mnt/
	burn_file "$next" "$kind"
	check_taken 2
	cp -a "$T/t3" mnt/
	rm -r mnt/t2
	timeout 120 discfsctl commit mnt
	manifest mnt --without root,mtime >staged-tree
	unmount mnt
	reload
	extract_session found 0
	assert_same_tree found staged-tree --without root,mtime
	extract_session found 2
	diff -r found/t2 "$T/t2"
	extract_session found 1
	diff -r found/t1 "$T/t1"
}

for n in 1 2 3; do
	make_tree "$T/t$n" $n
done
story told cd-r
story xorriso dvd-r cdrskin
story cdrskin dvd+r growisofs
story growisofs bd-r xorriso
story told dvd+rw growisofs_grow
story growisofs_grow dvd-ram told
story told bd-re cdrskin_grow

# --- on another machine: no state there; and back here the staged work is known to be on the disc ---

new_disc dvd+r 100000
mount_medium mnt
cp -a "$T/t1" mnt/
burn_file cdrskin dvd+r
mount_medium mnt -o "state=$T/elsewhere"
assert_equal "$(staged)" 0 "staged changes"
assert_same_tree mnt staged-tree --without root,mtime
unmount mnt
SR=sr8 # and the disc comes back in another drive
make_drive $SR
mmcsim button "$MMCSIM/sr7"
mmcsim insert "$MMCSIM/$SR" "$T/disc"
settle
check_taken 1
unmount mnt

# --- at the wrong place: somebody's session came between ----------------------------------

new_disc dvd+r 100000
mount_medium mnt
cp -a "$T/t1" mnt/
timeout 120 discfsctl commit mnt
echo staged >mnt/staged
timeout 120 discfsctl commit mnt --to late >said
unmount mnt
sim xorriso -abort_on FAILURE -return_with SORRY 32 -dev "/dev/$SR" -joliet on -map "$T/t2" /t2 -commit >said 2>&1 ||
	fail "xorriso: $(tail -n 20 said)"
reload
mount_medium mnt # what the other one added is there
assert_equal "$(names mnt)" "t1 t2 "
unmount mnt
by_cdrskin late 0 >said 2>&1 || fail "cdrskin: $(tail -n 20 said)" # there it's no session that could be read
reload
mount_medium mnt
assert_equal "$(names mnt)" "t1 t2 "
cp -a "$T/t3" mnt/
timeout 120 discfsctl commit mnt
unmount mnt
reload
extract_session found 0
for n in 1 2 3; do
	diff -r found/t$n "$T/t$n"
done

# --- an image's file on a real disc: one as any -----------------------------------------------

make_disc plain.img
mkdir -p image
timeout 60 discfs plain.img image
cp -a "$T/t1" image/
timeout 60 discfsctl commit image --to from-image >said
assert_equal "$(status image .staged.added)" 7 "staged in the image"
new_disc cd-r 100000
by_cdrskin from-image 0 >said 2>&1 || fail "cdrskin: $(tail -n 20 said)"
reload
mount_medium mnt
diff -r mnt/t1 "$T/t1"
cp -a "$T/t2" mnt/
timeout 120 discfsctl commit mnt
unmount mnt
reload
extract_session found 0
diff -r found/t1 "$T/t1"
diff -r found/t2 "$T/t2"
assert_equal "$(status image .staged.added)" 7 "staged in the image"
fusermount3 -u image
