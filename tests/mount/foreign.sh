#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# Images that other programs wrote: xorriso in three sessions, genisoimage in one and appended with -C -M, with Rock
# Ridge, with Joliet alone, with neither, and bootable. Mounted, changed, committed, and all their files still right.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires xorriso genisoimage isoinfo jq setfattr setfacl python3 udfinfo

# Times that the changes left behind are set alike.
settle() {
	find "$1" -mindepth 1 -newermt 2020-01-01 -depth -exec touch -h -d @1500000000 {} +
}

# The same changes in the mount and beside it.
change() { # IMAGE
	local dir
	for dir in mnt expected; do
		echo "added to $1" >"$dir/added.txt"
		echo "appended" >>"$dir/docs/chapter1.txt"
		rm "$dir/docs/chapter2.txt"
		mv "$dir/docs/chapter3.txt" "$dir/renamed.txt"
		mkdir "$dir/new"
		mv "$dir/pictures" "$dir/new/moved"
		settle "$dir"
	done
}

# What discfs shows, by itself and from the disc alone, and what xorriso and isoinfo read, is what is expected.
check_image() { # IMAGE MANIFEST-OPTIONS…
	local image=$1
	shift
	assert_same_tree mnt expected "$@"
	unmount mnt
	rm -rf "$XDG_STATE_HOME" extracted
	mount_disc "$image" mnt
	assert_same_tree mnt expected "$@"
	extract_xorriso "$image" extracted
	assert_same_tree extracted expected "$@"
	isoinfo -i "$image" -R -x /docs/chapter1.txt | cmp - expected/docs/chapter1.txt
	isoinfo -i "$image" -R -x /renamed.txt | cmp - expected/renamed.txt
	isoinfo -i "$image" -R -x /new/moved/random.bin | cmp - expected/new/moved/random.bin
	isoinfo -i "$image" -R -f >listed
	if grep -q chapter2 listed; then
		fail "isoinfo still lists a deleted file"
	fi
	# One for Windows, too
	isoinfo -i "$image" -J -f >listed
	grep -qx /added.txt listed
}

adopt() { # IMAGE MANIFEST-OPTIONS…
	local image=$1
	shift
	mount_disc "$image" mnt
	assert_same_tree mnt expected "$@"
	assert_equal "$(cat mnt/.discfs/changes)" ""
	before=$(stat -c %s "$image")
	change "$image"
	commit mnt ADOPTED
	check_image "$image" "$@"
	assert_less $(($(stat -c %s "$image") - before)) 3000000 "what the commit added to $image"
	# and once more
	echo again >mnt/again.txt
	echo again >expected/again.txt
	settle mnt
	settle expected
	commit mnt
	check_image "$image" "$@"
	unmount mnt
}

umask 022
mkdir -p tree/{docs,pictures}
for i in {1..9}; do
	seq "$i" 1000 >"tree/docs/chapter$i.txt"
done
head -c 4000000 /dev/urandom >tree/pictures/random.bin
: >tree/empty.txt
find tree -exec touch -d @1400000000 {} +

# --- xorriso, three sessions, with all that Rock Ridge and AAIP hold
cp -a tree expected
ln -s docs/chapter1.txt expected/soft
ln expected/docs/chapter4.txt expected/docs/linked.txt
mkfifo expected/fifo
setfattr -n user.origin -v elsewhere expected/docs/chapter5.txt
setfacl -m u:4321:rw expected/docs/chapter6.txt
chmod 2750 expected/docs
chmod 4711 expected/docs/chapter7.txt
[ "$(id -u)" != 0 ] || chown 1234:5678 expected/docs/chapter8.txt
find expected -exec touch -h -d @1400000000 {} +
xorriso -xattr on -acl on -hardlinks on -md5 on -joliet on -outdev three.img -volid ONE -map expected / -commit 2>err
echo second >expected/second.txt
touch -d @1400000001 expected/second.txt
xorriso -xattr on -acl on -hardlinks on -md5 on -joliet on -dev three.img -volid TWO \
	-map expected/second.txt /second.txt -rm /docs/chapter9.txt -- -commit 2>err
rm expected/docs/chapter9.txt
xorriso -xattr on -acl on -hardlinks on -md5 on -joliet on -dev three.img -volid THREE \
	-mv /second.txt /docs/third.txt -- -commit 2>err
mv expected/second.txt expected/docs/third.txt
touch -d @1400000000 expected/docs # xorriso leaves a directory's time alone
assert_equal "$(toc three.img | grep -c '^ISO session')" 3
adopt three.img --without root,softmeta
assert_equal "$(toc three.img | grep -c '^ISO session')" 5
# the older sessions are as they were
extract_xorriso three.img old 1
assert_same_bytes old/docs/chapter9.txt tree/docs/chapter9.txt
assert_same_bytes old/pictures/random.bin tree/pictures/random.bin

# --- genisoimage, Rock Ridge and Joliet
rm -rf expected && cp -a tree expected
genisoimage -quiet -R -J -V GENISO -o one.img tree
adopt one.img --without root,softmeta

# --- the same, with a second session appended by -C and -M
rm -rf expected && cp -a tree expected
# its padding belongs to the volume, but may be missing: the disc is continued all the same
genisoimage -quiet -R -J -V UNPADDED -o unpadded.img tree
truncate -s $(($(stat -c %s unpadded.img) - 100 * 2048)) unpadded.img
mount_disc unpadded.img mnt
echo goes on >mnt/more
commit mnt
unmount mnt
extract_xorriso unpadded.img extracted
assert_equal "$(cat extracted/more)" "goes on"
genisoimage -quiet -R -J -V FIRST -o appended.img tree
truncate -s %65536 appended.img
mkdir more
echo more >more/more.txt
touch -d @1400000002 more/more.txt
next=$(($(stat -c %s appended.img) / 2048))
genisoimage -quiet -R -J -V SECOND -C "0,$next" -M appended.img -o session2 more
dd if=session2 of=appended.img bs=2048 seek="$next" conv=notrunc status=none
truncate -s %65536 appended.img
cp -a more/more.txt expected/
adopt appended.img --without root,softmeta

# --- Joliet alone: names and times, no owners and modes
rm -rf expected && cp -a tree expected
echo ü >expected/"Größe und Länge.txt"
touch -d @1400000000 expected/*.txt
genisoimage -quiet -J -input-charset utf-8 -V JOLIET -o joliet.img expected
adopt joliet.img --without root,softmeta,mode,owner

# --- neither: capitals and short names
rm -rf expected
mkdir -p expected/{DOCS,PICTURES}
for i in {1..9}; do
	cp "tree/docs/chapter$i.txt" "expected/DOCS/CHAPTER$i.TXT"
done
cp tree/pictures/random.bin expected/PICTURES/RANDOM.BIN
genisoimage -quiet -V PLAIN -o plain.img expected
mount_disc plain.img mnt
# whichever way its names are shown, the files are all there
(cd mnt && find . -type f -exec sha256sum {} + | tr '[:lower:]' '[:upper:]' | LC_ALL=C sort) >found
(cd expected && find . -type f -exec sha256sum {} + | tr '[:lower:]' '[:upper:]' | LC_ALL=C sort) | cmp - found
echo x >mnt/long-name-with-ümlaut.txt
commit mnt
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc plain.img mnt
assert_equal "$(cat mnt/long-name-with-ümlaut.txt)" x
assert_equal "$(find mnt -type f | wc -l)" 11
unmount mnt

# --- bootable: the boot catalogue and its image go along; and so do all names of the volume, but for who prepared it
rm -rf expected && cp -a tree expected
head -c 2048 /dev/urandom >expected/boot.bin
cp expected/boot.bin expected/efi.bin && echo other >expected/efi2.bin # in two sections of one entry: libisofs makes one of both
genisoimage -quiet -R -J -b boot.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-load-seg 0xffff \
	-eltorito-alt-boot -e efi.bin -no-emul-boot -eltorito-alt-boot -e efi2.bin -no-emul-boot -V "A Volume" -volset "A SET" -publisher "A PUBLISHER" \
	-A "AN APPLICATION" -sysid "A SYSTEM" -copyright README -abstract README -biblio README -o boot.img expected
names() { # what the descriptors of Joliet and ISO 9660 have of the volume in the head, without times that change
	python3 -I -S - boot.img <<'END'
import sys
disc = open(sys.argv[1], "rb")
for sector in range(16, 32):
    disc.seek(sector * 2048)
    block = disc.read(2048)
    if block[1:6] == b"CD001" and block[0] in (1, 2):
        charset = "latin-1" if block[0] == 1 else "utf-16-be"
        fields = [block[a:b].decode(charset).strip() for a, b in ((8, 40), (40, 72), (190, 318), (318, 446), (574, 702))]
        print(block[0], *fields, *(block[at : at + 36].decode(charset).strip() for at in (702, 739, 776) if block[0] == 1), sep="|")
        print("created", block[813:829], "expires", block[847:863], "effective", block[864:880])
END
}
named=$(names)
assert_match "$named" 'A SYSTEM.A Volume.A SET.A PUBLISHER.AN APPLICATION'
before=$(xorriso -indev boot.img -report_el_torito plain 2>/dev/null | grep '^El Torito boot img')
mount_disc boot.img mnt
assert_same_bytes mnt/boot.bin expected/boot.bin
ln mnt/boot.cat mnt/link # it's a file, and stays as it is
cp mnt/boot.cat catalog
commit mnt
discfsctl boot mnt --efi mnt/link | grep -q 'BIOS     /boot.bin (4 blocks of 512 bytes are loaded)'
discfsctl boot mnt --keep >/dev/null
cmp mnt/link catalog
cp mnt/boot.cat mnt/copy
commit mnt
cmp mnt/copy catalog
unmount mnt
assert_equal "$(xorriso -indev boot.img -report_el_torito plain 2>/dev/null | grep '^El Torito boot img')" "$before"
isoinfo -i boot.img -R -x /boot.bin | cmp - expected/boot.bin
rm -rf "$XDG_STATE_HOME"
mount_disc boot.img mnt
rm -rf mnt/docs
commit mnt
unmount mnt
assert_equal "$(xorriso -indev boot.img -report_el_torito plain 2>/dev/null | grep '^El Torito boot img')" "$before"
assert_equal "$(names)" "$named"
assert_match "$(isoinfo -d -i boot.img)" 'Data preparer id: DISCFS'
udfinfo boot.img 2>/dev/null | grep -qx 'vid=A Volume'

# --- an emulated floppy whose file isn't one any more: which one it is, and what can be done
truncate -s 1440K expected/boot.bin
genisoimage -quiet -R -b boot.bin -c boot.cat -o floppy.img expected
mount_disc floppy.img mnt
echo x >mnt/boot.bin
assert_exit 2 discfsctl commit mnt
grep -q 'boot image 1 (/boot.bin): Invalid image size .*discfsctl boot' out
discfsctl boot --none mnt
commit mnt
unmount mnt
