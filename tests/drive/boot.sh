#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# Boot images on discs in a drive: what xorriso finds in the newest session, where a BIOS looks for it. An image with a boot
# information table lies on the disc already when the next session needs it again: a drive can't read while it burns.
# The volume's names that another program gave stay, too.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires_root
requires xorriso jq python3

head -c 30000 /dev/urandom >bios
head -c 90000 /dev/urandom >efi

report() { # platform, blocks and sector of each image, and the paths
	sim xorriso -indev "/dev/$SR" -report_el_torito plain 2>/dev/null | sed -nE \
		-e 's/^El Torito boot img : +[0-9]+ +([A-Z]+) +y +none +0x0000 +0x00 +([0-9]+) +([0-9]+)$/\1 \2 \3/p' \
		-e 's/^El Torito img path : +/path /p'
}
# The table is true, and leads to a descriptor of the newest session; the rest of the image is as it was.
check_table() {
	local start lba
	start=$(status mnt '.sessions[-1].start')
	lba=$(report | sed -n 's/^BIOS 4 //p')
	python3 -I -S - mnt/bios bios "$lba" "$start" <<'END'
import struct, sys
image, before, lba, start = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read(), int(sys.argv[3]), int(sys.argv[4])
descriptor, own, length, total = struct.unpack_from("<4I", image, 8)
assert image[:8] == before[:8] and image[64:] == before[64:] and not any(image[24:64])
assert (own, length) == (lba, len(before)), (own, lba, length)
assert total == sum(struct.unpack("<%dI" % (len(before) // 4 - 16), before[64:])) % 2**32
assert descriptor in (start + 16, start + 288 + 16), (descriptor, start)
END
}

for kind in cd-r bd-r dvd+rw; do
	new_disc $kind 60000
	sim xorriso -abort_on FAILURE -dev "/dev/$SR" -volid "A Volume" -publisher "A PUBLISHER" -application_id "AN APPLICATION" -map efi /old -commit
	reload
	rm -rf "$XDG_STATE_HOME"
	mount_medium mnt
	cp bios efi mnt/
	discfsctl boot mnt/bios --efi mnt/efi --info-table
	timeout 120 discfsctl commit mnt
	check_table
	assert_match "$(report | tr '\n' ,)" '^BIOS 4 [0-9]+,UEFI 176 [0-9]+,path 1  /bios,path 2  /efi,$'
	efi_at=$(report | sed -n 's/^UEFI 176 //p')
	echo x >mnt/x
	timeout 120 discfsctl commit mnt
	check_table
	assert_equal "$(report | sed -n 's/^UEFI 176 //p')" "$efi_at" "where the other image lies"
	sim xorriso -indev "/dev/$SR" -pvd_info 2>/dev/null >names
	for name in 'Volume Id    : A Volume' 'Publisher Id : A PUBLISHER' 'App Id       : AN APPLICATION'; do
		grep -q "^$name" names || fail "$kind: $(cat names)"
	done
	unmount mnt
	reload
	mount_medium mnt
	check_table
	unmount mnt
done

# --- a drive that burns can't be asked, but all can be staged; a catalogue that can't be read is told as such
reload
DISCFS_FAULT="burn-middle:await=$T/go" mount_medium mnt # the DVD+RW
echo y >mnt/y
timeout 120 discfsctl commit mnt &
await status_is mnt .work.phase burning
assert_exit 0 discfsctl boot mnt --efi mnt/efi
grep -q 'the drive burns' out
grep -q 'is kept' out
assert_fails "Device or resource busy" getfattr -n user.discfs.boot mnt/bios
assert_exit 0 discfsctl boot --none mnt # also of what is being burned
touch go
wait $!
assert_equal "$(discfsctl boot mnt --json | jq -r '[.staged, .disc[0].path, .disc_error, (.next | length)] | @csv')" '1,"bios",,0'
discfsctl boot --keep mnt >/dev/null
catalog=$(sim xorriso -indev "/dev/$SR" -report_el_torito plain 2>/dev/null | sed -n 's/^El Torito catalog  : \([0-9]*\) .*/\1/p')
unmount mnt
rules "reading lba=$catalog sense=3/11/05 times=0"
reload
mount_medium mnt
assert_exit 0 discfsctl boot mnt
grep -q "can't be told: the disc's boot catalogue can't be read" out
echo x >mnt/x
assert_exit 2 discfsctl commit mnt
grep -q 'discfsctl boot --none' out
assert_exit 0 discfsctl boot --none mnt
timeout 120 discfsctl commit mnt
assert_equal "$(report)" ""
unmount mnt
