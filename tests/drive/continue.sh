#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# Discs that other programs have begun are continued by discfs: xorriso's, those of cdrskin and genisoimage, growisofs'.
# What discfs has begun is continued by xorriso, and then by discfs again. Nothing of the earlier sessions is lost, and
# not one of their sectors is copied.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires xorriso cdrskin genisoimage growisofs jq udflist
rm -f "$BUILD/drive/continued"
mkdir -p "$BUILD/drive"

mkdir trees
for n in 1 2 3 4; do
	make_tree trees/t$n $n
done
manifest trees --without root,owner,mode,mtime >all-trees

# --- other programs ----------------------------------------------------------------

# Each: N, puts the tree $T/tN on the disc as /tN.
by_xorriso() {
	sim xorriso -abort_on FAILURE -return_with SORRY 32 -dev "/dev/$SR" -joliet on -md5 on -map "$T/trees/t$1" "/t$1" -commit
}
by_cdrskin() {
	local continued=()
	[ "$1" = 1 ] || continued=(-C "$(sim cdrskin "dev=/dev/$SR" -msinfo)" -M "/dev/$SR")
	sim genisoimage -quiet -R -J "${continued[@]}" -o image -graft-points "/t$1=$T/trees/t$1"
	sim cdrskin "dev=/dev/$SR" -multi padsize=300k image
}
by_cdrskin_overwriteable() {
	local continued=()
	[ "$1" = 1 ] ||
		continued=(-C "$(sim cdrskin "dev=/dev/$SR" --grow_overwriteable_iso -msinfo)" -M "/dev/$SR")
	sim genisoimage -quiet -R -J "${continued[@]}" -o image -graft-points "/t$1=$T/trees/t$1"
	sim cdrskin "dev=/dev/$SR" --grow_overwriteable_iso -multi padsize=300k image
}
by_growisofs() {
	local option=-M
	[ "$1" != 1 ] || option=-Z
	sim growisofs $option "/dev/$SR" -use-the-force-luke=spare:none -R -J -quiet -graft-points "t$1=$T/trees/t$1"
}
by_discfs() {
	mount_medium mnt
	cp -a "trees/t$1" mnt/
	timeout 120 discfsctl commit mnt
	unmount mnt
}

# --- what is there ------------------------------------------------------------------

# The trees that are named, and nothing else.
expect() { # N…
	grep -E "^t($(printf '%s|' "$@")-)[ /]" all-trees >expected
}

check_mount() { # N…
	expect "$@"
	assert_same_tree mnt expected --without root,owner,mode,mtime
}

# Through xorriso, which needs no checksums of those who write none.
check_xorriso() { # N…
	rm -rf found
	sim xorriso -abort_on FATAL -return_with SORRY 32 -report_about SORRY -md5 on -indev "/dev/$SR" \
		-check_md5_r FATAL / -- -osirrox on:auto_chmod_on:o_excl_off -extract / found
	expect "$@"
	assert_same_tree found expected --without root,owner,mode,mtime
}

# What is recorded behind the first 64 KiB, byte for byte; between sessions there may be sectors that can't be read.
recorded() { # UP-TO-SECTOR
	sim dd if="/dev/$SR" bs=2048 skip=32 count=$(($1 - 32)) conv=noerror,sync status=none 2>/dev/null | sha256sum
}

# discfs adds a tree and takes one away; the new session holds no more than what is new.
continue_it() { # HOW-MANY
	local begun=$1 new=$(($1 + 1)) end before
	mount_medium mnt
	end=$(status mnt ".sessions[-1] | .start + .sectors")
	before=$(recorded "$end")
	check_mount $(seq "$begun")
	assert_equal "$(status mnt .read_only)" false
	cp -a "trees/t$new" mnt/
	mv "mnt/t$new/small-$new" "mnt/t$begun/"
	mv "mnt/t$begun/small-$new" "mnt/t$new/"
	timeout 120 discfsctl commit mnt
	assert_less "$(status mnt .last.sectors)" $((600 + $(du -s -B 2048 "trees/t$new" | cut -f 1))) "sectors of new data"
	check_mount $(seq "$new")
	unmount mnt
	reload
	check_xorriso $(seq "$new")
	mount_medium mnt
	check_mount $(seq "$new")
	rm -r "mnt/t$begun/deep"
	timeout 120 discfsctl commit mnt
	assert_less "$(status mnt .last.sectors)" 600 "sectors of a session without new data"
	unmount mnt
	reload
	mount_medium mnt
	[ ! -e "mnt/t$begun/deep" ]
	cp -a "trees/t$begun/deep" "mnt/t$begun/"
	timeout 120 discfsctl commit mnt
	check_mount $(seq "$new")
	unmount mnt
	reload
	check_xorriso $(seq "$new")
	assert_equal "$(recorded "$end")" "$before" "what was recorded"
}

# Sector 256 belongs to the program that began the disc: libudfread finds the new session by the last sector.
check_udf() { # SECTORS
	sim dd if="/dev/$SR" of=whole.img bs=2048 count="$1" conv=noerror,sync status=none 2>/dev/null || true
	udflist whole.img >listed
	mount_medium mnt
	assert_equal "$(awk -F'\t' '{ print $2 "  " $3 }' listed | sort)" \
		"$(cd mnt && find . -type f -exec sha256sum {} + | sort)" "what UDF has"
	assert_equal "$(status mnt '.warnings | length')" 0
	unmount mnt
	rm whole.img
}

# story PROGRAM KIND SECTORS: two sessions of the program, then discfs goes on
story() {
	local program=$1 kind=$2 n
	new_disc "$kind" "$3"
	for n in 1 2; do
		"by_$program" $n >"$T/said" 2>&1 || fail "$program, $kind, session $n: $(tail -n 20 "$T/said")"
		reload
	done
	continue_it 2
	case $kind in bd-re | dvd-ram) check_udf "$3" ;; esac
	echo "$kind $program" >>"$BUILD/drive/continued"
}

# discfs, xorriso, discfs, xorriso, discfs
in_turn() {
	local n
	new_disc "$1" "$2"
	by_discfs 1
	for n in 2 4; do
		reload
		by_xorriso $n >"$T/said" 2>&1 || fail "xorriso, $1, session $n: $(tail -n 20 "$T/said")"
		reload
		check_xorriso $(seq $n)
		[ $n = 4 ] || by_discfs 3
	done
	mount_medium mnt
	check_mount 1 2 3 4
	rm -r mnt/t2 mnt/t4
	mv mnt/t1/deep mnt/t3/deeper
	cp -a trees/t4 mnt/
	timeout 120 discfsctl commit mnt
	mv mnt/t3/deeper mnt/t1/deep
	check_mount 1 3 4
	timeout 120 discfsctl commit mnt
	unmount mnt
	reload
	check_xorriso 1 3 4
	assert_equal "$(sim xorriso -indev "/dev/$SR" -toc 2>/dev/null | grep -c '^ISO session')" 6 sessions
	echo "$1 discfs+xorriso" >>"$BUILD/drive/continued"
}

for kind in cd-r dvd+r-dl dvd-rw-overwrite bd-re; do
	story xorriso $kind 100000
done
for kind in cd-r dvd-rw; do
	story cdrskin $kind 100000
done
story cdrskin_overwriteable dvd-ram 50016 # its last sectors end at a multiple of 32, as on real discs
for kind in dvd-r dvd+r bd-r dvd+rw; do
	story growisofs $kind 100000
done
for kind in cd-rw dvd-r bd-r dvd+rw; do
	in_turn $kind 100000
done
