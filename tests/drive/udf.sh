#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# Discs in drives that have UDF and no ISO 9660: mounted, continued, and read again from the disc alone. What ISO 9660
# can't refer to is copied beforehand, since a drive can't read while it burns.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires_root
requires xorriso cdrskin growisofs jq python3

udf() {
	python3 -I "$TESTS/udf.py" "$@"
}

continue_disc() { # KIND-OF-UDF
	udf list "made-$1" >expected
	mount_medium mnt
	udf list mnt >found
	cmp found expected
	assert_equal "$(status mnt '.base.format, .label' | paste -sd,)" "udf,MADE $1"
	echo x >>mnt/exact
	touch -d @1500000000 mnt/exact
	udf list mnt --seconds >expected
	predicted=$(status mnt .room.predicted_sectors)
	timeout 120 discfsctl commit mnt >said
	cat said
	grep -q ' old files were copied' said
	assert_less "$(status mnt .last.sectors)" $((predicted + 1)) "what was burned, against what was foreseen"
	udf list mnt --seconds >found
	cmp found expected
	start=$(status mnt .last.start)
	unmount mnt
	reload
	rm -rf "$XDG_STATE_HOME"
	mount_medium mnt
	assert_equal "$(status mnt '.base.format, (.sessions | length)' | paste -sd,)" rockridge,2
	udf list mnt --seconds >found
	cmp found expected
	unmount mnt
	udf list "made-$1" >expected
	mount_medium mnt -o session=1
	udf list mnt >found
	cmp found expected
	unmount mnt
}

for kind in plain pieces; do
	udf make $kind $kind.img made-$kind
done

# Overwriteable: the volume's map of free space says where a session may begin.
new_disc dvd+rw
sim growisofs -use-the-force-luke=notray,tty -Z "/dev/$SR=pieces.img"
reload
continue_disc pieces
assert_less 1349 "$start" "where the volume ends, against where the session begins"
assert_less "$start" 4300 "where the session begins"

# Sequential: it begins where the drive says.
new_disc dvd-r
sim cdrskin "dev=/dev/$SR" -multi plain.img
reload
rm -rf "$XDG_STATE_HOME"
continue_disc plain
