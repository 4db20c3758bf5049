#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# Boot images: attached to the next session in all ways there are, kept over sessions, following their files; what xorriso,
# isoinfo and file(1) say of them, and what a PC's BIOS really boots in QEMU, from the first session and from later ones.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires xorriso isoinfo qemu-system-x86_64 python3 jq setfattr file

# make_image TEXT [BLOCKS]: a boot sector that writes TEXT to the serial port, and ends QEMU by its debugging port
make_image() {
	python3 -I -S - "$@" <<'END'
import sys
code = bytes.fromhex("fa31c08ed8be0000baf803fcac84c07403eeebf8e6f4f4ebfd")  # up to the text
text = 0x7c00 + 64 + len(code)
code = code.replace(b"\xbe\0\0", b"\xbe" + text.to_bytes(2, "little"))
image = b"\xeb\x3e" + bytes(62) + code + sys.argv[1].encode() + b"\n\0"  # the first 64 bytes are for a table
sys.stdout.buffer.write(image.ljust(512 * int((sys.argv + [1])[2]), b"\0"))
END
}
booted() { # IMAGE: the first line that it says at boot
	timeout 30 qemu-system-x86_64 -m 16 -cdrom "$1" -boot d -display none -serial stdio -monitor none -no-reboot -nodefaults \
		-device isa-debug-exit,iobase=0xf4 </dev/null >screen || [ $? = 1 ]
	grep -ao '[a-z]* image' screen
}
report() { # IMAGE: number, platform, blocks and sector of each image; then the paths
	xorriso -indev "$1" -report_el_torito plain 2>/dev/null | sed -nE \
		-e 's/^El Torito boot img : +([0-9]+) +([A-Z]+) +y +none +0x0000 +0x00 +([0-9]+) +([0-9]+)$/\1 \2 \3 \4/p' \
		-e 's/^El Torito img path : +/path /p'
}
shape() { # IMAGE: the same without sectors
	report "$1" | sed -E 's/^([0-9]+ [A-Z]+ [0-9]+) [0-9]+$/\1/'
}
next() { # JQ-EXPRESSION on what the next session boots
	discfsctl boot mnt --json | jq -r "$1"
}

make_image "first image" >first
make_image "second image" 9 >second
head -c 100000 /dev/urandom >efi

# --- what can't be one, and why
make_disc disc.img dvd
mount_disc disc.img mnt
mkdir mnt/boot
cp first mnt/boot/bios.img
cp efi mnt/boot/efi.img
: >mnt/empty
ln -s boot/bios.img mnt/link
touch "mnt/.DS_Store"
assert_exit 0 discfsctl boot mnt
grep -q "The disc doesn't boot" out
for wrong in "absent:no such file" "boot:directory" "link:symbolic link" "empty:empty" ".DS_Store:empty"; do
	assert_exit 2 discfsctl boot "mnt/${wrong%%:*}"
	grep -q "${wrong#*:}" out
done
echo x >mnt/.DS_Store
assert_exit 2 discfsctl boot mnt/.DS_Store
grep -q litter out
assert_exit 2 discfsctl boot mnt/boot/bios.img --load-size 5
assert_exit 2 discfsctl boot mnt/boot/bios.img --load-size 70000
assert_exit 1 discfsctl boot --none --keep mnt
assert_exit 1 discfsctl boot mnt --info-table
assert_fails "Invalid argument" tell mnt boot --nonsense /boot/bios.img
assert_fails "No such file" tell mnt boot /absent
assert_fails "Invalid argument" setfattr -n user.discfs.boot -v amiga mnt/boot/bios.img
assert_equal "$(next .staged)" 0
rm mnt/empty mnt/link mnt/.DS_Store

# --- staged: told everywhere, discarded, kept over a crash
assert_exit 0 discfsctl boot mnt/boot/bios.img --efi mnt/boot/efi.img
grep -q 'BIOS  */boot/bios.img (4 blocks' out
grep -q 'UEFI  */boot/efi.img (196 blocks' out
assert_equal "$(status mnt .staged.boot)" 2
assert_equal "$(discfsctl diff mnt | grep ^B | tr '\n' ' ')" "B boot/bios.img B boot/efi.img "
assert_equal "$(getfattr --only-values -n user.discfs.boot mnt/boot/efi.img)" efi
assert_equal "$(getfattr -d mnt/boot/efi.img)" "" # not listed: programs that copy don't see it
kill_daemon mnt
mount_disc disc.img mnt
discfsctl commit mnt --dry-run >out
grep -q '^boots: *bios /boot/bios.img, 4 blocks' out
assert_equal "$(discfsctl commit mnt --dry-run --json | jq -r '[.trial.boot[].path] | join(" ")')" "boot/bios.img boot/efi.img"
discfsctl boot --keep mnt
assert_equal "$(status mnt .staged.boot)" 0
tell mnt "boot /boot/bios.img"
setfattr -n user.discfs.boot -v efi mnt/boot/efi.img
assert_equal "$(status mnt .staged.boot)" 2
commit mnt
assert_equal "$(status mnt .staged.boot)" 0
assert_equal "$(shape disc.img | tr '\n' ,)" "1 BIOS 4,2 UEFI 196,path 1  /boot/bios.img,path 2  /boot/efi.img,"
isoinfo -d -i disc.img | grep -q "Eltorito defaultboot header"
file -L disc.img | grep -q bootable
assert_equal "$(booted disc.img)" "first image"
assert_equal "$(find mnt -mindepth 1 | sort | tr "\n" " ")" "mnt/boot mnt/boot/bios.img mnt/boot/efi.img " # the catalogue has no name

# --- kept, and following its file: content of another, a new name, a replacement
first_report=$(report disc.img)
echo x >mnt/x
commit mnt
assert_equal "$(report disc.img)" "$first_report"
mv mnt/boot mnt/start
commit mnt
assert_equal "$(next '.disc[0].path')" start/bios.img
cp second mnt/start/new && mv mnt/start/new mnt/start/bios.img
commit mnt
assert_equal "$(shape disc.img | tr '\n' ,)" "1 BIOS 4,2 UEFI 196,path 1  /start/bios.img,path 2  /start/efi.img,"

# --- attached alone, it's a session; and a file of the disc as well as a new one
cp first mnt/another
commit mnt
sessions=$(status mnt '.sessions | length')
discfsctl boot mnt/another
discfsctl discard mnt --yes
assert_equal "$(next .staged)" 0
discfsctl boot mnt/another
commit mnt
assert_equal "$(status mnt '.sessions | length')" $((sessions + 1))
assert_equal "$(shape disc.img | tr '\n' ,)" "1 BIOS 4,2 UEFI 196,path 1  /another,path 2  /start/efi.img,"

# --- of two files with one content at one place it's still that one
cp first mnt/twin
discfsctl boot mnt/twin
commit mnt
assert_equal "$(next '.disc[0].path')" twin
rm mnt/another
commit mnt
assert_equal "$(next '.disc[0].path')" twin

# --- a boot information table: only in that image, true, and made anew for each session
cp --reflink=auto mnt/start/bios.img mnt/start/copy
sha256sum <second >sum
discfsctl boot mnt/start/bios.img --info-table --load-size 8
commit mnt
table() { # the folder's, the disc's and xorriso's are the same, and say what is so; where it leads to
	cmp mnt/start/bios.img <(isoinfo -i disc.img -R -x /start/bios.img)
	python3 -I -S - disc.img "$(report disc.img | sed -n 's/^1 BIOS 8 //p')" mnt/start/bios.img second <<'END'
import struct, sys
disc, lba, image, before = open(sys.argv[1], "rb"), int(sys.argv[2]), open(sys.argv[3], "rb").read(), open(sys.argv[4], "rb").read()
descriptor, own, length, total = struct.unpack_from("<4I", image, 8)
assert image[:8] == before[:8] and image[64:] == before[64:] and not any(image[24:64])
assert (own, length) == (lba, len(before)), (own, lba, length)
assert total == sum(struct.unpack("<%dI" % (len(before) // 4 - 16), before[64:])) % 2**32
disc.seek(descriptor * 2048)
assert disc.read(6) == b"\1CD001"
print(descriptor)
END
}
leads_to=$(table)
assert_equal "$(booted disc.img)" "second image"
assert_equal "$(sha256sum <mnt/start/copy)" "$(cat sum)"
assert_equal "$(isoinfo -i disc.img -R -x /start/copy | sha256sum)" "$(cat sum)"
echo y >mnt/y
commit mnt
[ "$(table)" -gt "$leads_to" ] || fail "the table leads to the tree of an older session"
discfsctl verify mnt | grep -q good
unmount mnt
rm -rf "$XDG_STATE_HOME" # known by the disc alone
mount_disc disc.img mnt
assert_equal "$(next '.next[0] | "\(.path) \(.load_size) \(.info_table)"')" "start/bios.img 8 true"
assert_equal "$(sha256sum <mnt/start/copy)" "$(cat sum)"

# --- deleted: what the disc has boots on, what was only staged can't
discfsctl boot mnt/y
rm mnt/y
assert_exit 2 discfsctl commit mnt
grep -q 'the boot image "y" is gone' out
assert_exit 0 discfsctl boot mnt
grep -q 'No session can be burned: the boot image "y"' out
cp first mnt/y
discfsctl boot mnt/y --info-table
echo y >mnt/y
assert_exit 2 discfsctl commit mnt
grep -q 'the boot image "y" is too small' out
rm mnt/y
discfsctl boot --keep mnt
rm mnt/start/bios.img
discfsctl boot mnt | grep -q 'an image without a file'
commit mnt
echo z >mnt/z
commit mnt
assert_equal "$(next '.disc[0] | "\(.path) \(.bootable)"')" "null true"
assert_equal "$(booted disc.img)" "second image"

# --- as litter it isn't burned, and what will be is told
mv mnt/start/efi.img mnt/.DS_Store
assert_equal "$(next '.next[1].path')" null
discfsctl boot mnt --efi mnt/z
mv mnt/z mnt/Thumbs.db
assert_exit 0 discfsctl boot mnt
grep -q 'No session can be burned: the boot image "z" is gone, empty or held back' out
ln mnt/Thumbs.db mnt/z
assert_equal "$(next '.next[1].path != null')" true
rm mnt/Thumbs.db
mv mnt/.DS_Store mnt/start/efi.img
discfsctl boot mnt --keep

# --- without one of them, without any, by a file's attribute and by the command
setfattr -x user.discfs.boot mnt/start/efi.img
commit mnt
assert_equal "$(report disc.img | cut -d ' ' -f 1-3)" "1 BIOS 8"
discfsctl boot --none mnt
assert_equal "$(discfsctl diff mnt)" "B (none)"
commit mnt
assert_equal "$(report disc.img)" ""
assert_equal "$(next '.disc | length')" 0
unmount mnt

# --- without any, also of those that a commit under way brings
make_disc early.img dvd
DISCFS_FAULT=burn-middle:await=$T/go mount_disc early.img mnt
cp first mnt/first
discfsctl boot mnt/first
commit mnt &
for _ in {1..200}; do
	[ "$(status mnt .work.phase)" != burning ] || break
	sleep 0.05
done
discfsctl boot --none mnt
touch go
wait $!
assert_equal "$(next '[.disc, .next | length] | @csv')" 1,0
unmount mnt
check_state
