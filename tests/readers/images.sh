# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The images that check-readers has read, each made by real mounts and commits: `. tests/readers/images.sh` after
# lib_drive.sh. make_image NAME leaves $IMAGES/NAME/image, and for each session N what the mount showed when it was
# committed ($IMAGES/NAME/N.tree) and where it begins ($IMAGES/NAME/starts).
# shellcheck source=../drive/lib_drive.sh

IMAGES=$T/images

# name, when (quick: in make check, too; long: in check-long alone), lane (there are two side by side; the drive is in the first)
# shellcheck disable=SC2034 # readers.sh reads it
IMAGE_LIST="
odd         quick 1
longlinks   quick 1
sessions    quick 1
cdr         quick 1
bdr         quick 1
dvdrw       quick 1
twenty      quick 2
nolinks     quick 2
noudf       quick 2
xorriso     quick 2
genisoimage quick 2
bdre        long  1
many        long  1
large       long  2
"

# --- what is in them ----------------------------------------------------------------

odd_names() {
	mkdir -p unicode long case special
	for name in 日本語のファイル名 한국어 🙂 '👩‍👩‍👧' $'e\u0301 combining' é שלום-عربي $'\u202eright-to-left' 'Größe €' ﬀ ƒ ''; do
		[ -z "$name" ] || echo "$name" >"unicode/$name"
	done
	mkdir unicode/目录 && echo below >unicode/目录/文件
	for name in "$(printf 'n%.0s' {1..255})" "$(printf 'n%.0s' {1..251}).txt" "$(printf 'ä%.0s' {1..127})" "$(printf '日%.0s' {1..85})" \
		"$(printf '🙂%.0s' {1..63})" "$(printf 'l%.0s' {1..64}).txt" "$(printf 'm%.0s' {1..103})" "$(printf 'm%.0s' {1..104})" \
		"$(printf 'm%.0s' {1..110})"; do
		echo "$name" >"long/$name"
	done
	mkdir "long/$(printf 'd%.0s' {1..255})" && echo deep >"long/$(printf 'd%.0s' {1..255})/$(printf 'f%.0s' {1..255})"
	for name in README readme Readme ReadMe.txt readme.TXT; do
		echo "$name" >"case/$name"
	done
	mkdir case/Dir case/DIR && echo 1 >case/Dir/a && echo 2 >case/DIR/a
	for name in "two words" " leading" "trailing " trailing. a.b.c.d tab$'\t'tab new$'\n'line 'back\slash' a:b "quote'\"" '*?[x]' '<|>' '%41' 'a;1' \
		-rf .hidden ... $'\x01control\x7f' COM1 'long.extension.with dots' noextension. '~' '#'; do
		echo "$name" >"special/$name"
	done
	echo latin1 >"special/"$'latin1-\xe4\xf6\xfc'
}

odd_types() {
	mkdir -p symlinks hard/sub modes devices years empty/dir/below attributes
	ln -s ../special/.hidden symlinks/relative
	ln -s / symlinks/root
	ln -s /usr/share/doc symlinks/absolute
	ln -s nowhere symlinks/dangling
	ln -s . symlinks/here
	ln -s ../.. symlinks/above
	ln -s "$(printf 'd/%.0s' {1..25})x" symlinks/long
	ln -s '../unicode/日本語のファイル名' symlinks/日本
	ln -s 'with space' 'symlinks/with space'
	head -c 5000 /dev/urandom >hard/one
	ln hard/one hard/two
	ln hard/one hard/sub/three
	echo alone >hard/alone
	for mode in 0000 0111 0222 0400 0604 0755 1644 2755 4755 6711 7777; do
		echo "$mode" >modes/file$mode
		chmod $mode modes/file$mode
		mkdir -m $mode modes/dir$mode
	done
	echo owner >modes/owner
	chown 1234:70000 modes/owner
	mknod devices/null c 1 3
	mknod devices/disk b 8 1
	mknod devices/large c 300 70000
	mkfifo devices/fifo
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("devices/socket")'
	: >empty/file
	: >empty/dir/below/file
	mkdir empty/nothing
}

odd_attributes() {
	for year in 1969-07-20 1970-01-01T00:00:01 1999-12-31 2005-02-28 2038-01-19T03:14:07 2038-01-19T03:14:08 2039-06-01 2090-06-15 2155-12-31; do
		echo "$year" >"years/$year"
		touch -d "${year}Z" "years/$year"
	done
	echo fraction >years/fraction
	touch -d 2020-01-01T00:00:00.987654321Z years/fraction
	echo a >attributes/file
	setfattr -n user.text -v "some text" attributes/file
	setfattr -n user.large -v "$(printf 'large %.0s' {1..500})" attributes/file
	setfacl -m u:1001:rwx,g:1002:r-x,m::rwx attributes/file
	mkdir attributes/dir
	setfacl -d -m u:1003:r-x attributes/dir
	echo b >attributes/dir/inherits
}

odd_tree() { # DIR
	(
		cd "$1" || exit
		odd_names
		odd_types
		odd_attributes
		deep=deep/$(printf 'level/%.0s' {1..30})
		mkdir -p "$deep"
		echo deep >"${deep}file"
		echo middle >"deep/level/level/level/level/level/level/level/level/level/file"
		mkdir -p sizes
		for size in 1 2047 2048 2049 65536 1000000; do
			head -c $size /dev/urandom >sizes/$size
		done
	)
}

# What a session after the first does: new, changed, deleted, renamed, moved.
change() { # DIR N
	(
		cd "$1" || exit
		mkdir -p changes
		echo "of session $2" >changes/new-"$2"
		echo "of session $2" >>changes/appended
		head -c $((3000 + $2 * 1000)) /dev/urandom >changes/replaced
		rm -f changes/renamed-$(($2 - 2))
		mv changes/new-"$2" changes/renamed-"$2"
		mkdir -p "moved$2"
		echo "$2" >"moved$2/日本 $2"
		ln -f changes/appended "moved$2/linked"
		[ ! -e "moved$(($2 - 1))" ] || mv "moved$(($2 - 1))" "moved$2/from$(($2 - 1))"
		[ "${3:-}" = plain ] || ln -sf "../changes/renamed-$2" changes/newest
		chmod "06$(($2 % 8))0" changes/appended
	)
}

# --- how they are made --------------------------------------------------------------

# Every time that is today's becomes one that is the same in each run, with a fraction. The files with times of their own,
# in years, are older or much younger.
date_files() { # DIR N
	find "$1" -depth -newer "$T/begin" ! -newermt 2037-01-01 -exec touch -h -d "@$((1500000000 + $2 * 1000)).123456789" {} +
}

# What the mount shows, and then it is burned.
keep_session() { # NAME N
	date_files mnt "$2"
	python3 -I -S "$TESTS/readers/keep.py" mnt "$IMAGES/$1/$2.tree"
	commit mnt "$1 $2"
}

# Where the sessions begin; and what discfs itself finds when the disc is all it knows.
keep_starts() { # NAME
	timeout 60 discfsctl log mnt --json | jq -r '.[].start' >"$IMAGES/$1/starts"
	unmount mnt
	rm -rf "$XDG_STATE_HOME"
	if [ -e "$IMAGES/$1/image" ]; then
		mount_disc "$IMAGES/$1/image" mnt
	else
		mount_medium mnt
	fi
	python3 -I -S "$TESTS/readers/keep.py" mnt "$IMAGES/$1/discfs.tree"
	unmount mnt
	rm -rf "$XDG_STATE_HOME"
}

begin_image() { # NAME MEDIA [OPTION…]
	make_disc "$IMAGES/$1/image" "$2"
	mount_disc "$IMAGES/$1/image" mnt "${@:3}"
}

image_odd() {
	begin_image odd cd
	odd_tree mnt
	keep_session odd 1
	keep_starts odd
}

image_longlinks() {
	begin_image longlinks cd
	ln -s "$(printf 'd/%.0s' {1..120})x" mnt/many-components
	ln -s "$(printf 'c%.0s' {1..240})" mnt/long-component
	ln -s "$(printf "long/%.0s" {1..200})x" mnt/1000
	keep_session longlinks 1
	keep_starts longlinks
}

# With files and directories alone in UDF: 7-Zip refuses a UDF volume with anything else.
image_nolinks() {
	begin_image nolinks cd -o udf_links=no
	odd_tree mnt
	keep_session nolinks 1
	keep_starts nolinks
}

# The least of trees, and nothing of AAIP in them but MD5s.
image_noudf() {
	begin_image noudf cd -o formats=iso,joliet
	odd_tree mnt
	rm -r mnt/attributes
	keep_session noudf 1
	change mnt 2
	keep_session noudf 2
	keep_starts noudf
}

# Three sessions; the second links to, changes and moves what the first brought. Computers start from it.
image_sessions() {
	begin_image sessions cd
	odd_tree mnt
	mkdir mnt/boot
	head -c 6000 /dev/urandom >mnt/boot/loader
	head -c 100000 /dev/urandom >mnt/boot/efi
	timeout 60 discfsctl boot mnt/boot/loader --efi mnt/boot/efi
	keep_session sessions 1
	change mnt 2
	ln mnt/hard/one mnt/changes/linked-later
	mv mnt/long mnt/changes/long
	mv mnt/unicode mnt/Unicode
	chmod 4711 mnt/hard/alone
	chown 1:2 mnt/sizes
	setfattr -n user.later -v later mnt/attributes/file
	keep_session sessions 2
	change mnt 3
	rm -r mnt/deep/level/level/level/level/level/level/level/level/level/level
	rm mnt/hard/one
	echo x >>mnt/sizes/65536
	echo "another end" >>mnt/boot/loader
	keep_session sessions 3
	keep_starts sessions
}

image_twenty() {
	local n
	begin_image twenty cd
	for n in {1..20}; do
		change mnt "$n" plain
		keep_session twenty "$n"
	done
	keep_starts twenty
}

continue_foreign() { # NAME
	mount_disc "$IMAGES/$1/image" mnt
	change mnt 2
	echo added >mnt/odd/sizes/added
	mv mnt/odd/case mnt/odd/renamed
	keep_session "$1" 2
	change mnt 3
	rm -r mnt/odd/sizes
	keep_session "$1" 3
	keep_starts "$1"
}

image_xorriso() {
	mkdir odd
	odd_tree odd
	mkdir odd/boot
	head -c 6000 /dev/urandom >odd/boot/loader
	date_files odd 1
	xorriso -xattr on -acl on -hardlinks on -md5 on -joliet on -outdev "$IMAGES/xorriso/image" -volid BEGUN -map odd /odd \
		-boot_image any cat_path=/odd/boot/catalog -boot_image any bin_path=/odd/boot/loader -commit 2>err
	rm -rf odd
	continue_foreign xorriso
}

image_genisoimage() {
	mkdir -p odd/sizes odd/case
	change odd 1
	echo one >odd/case/Name
	head -c 100000 /dev/urandom >odd/sizes/large
	find odd -exec touch -h -d @1400000000 {} +
	genisoimage -quiet -R -J -udf -V BEGUN -graft-points -o "$IMAGES/genisoimage/image" odd/=odd
	rm -rf odd
	continue_foreign genisoimage
}

# All that was recorded is copied from the drive into an image, each sector to its place.
copy_medium() { # NAME
	local first last
	reload # until then the kernel knows the blank disc's size
	# dd's own seek isn't used: it would look for the place in a drive
	mmcsim map "$T/disc" | sed -n 's/^\([0-9]*\)\.\.\([0-9]*\) data$/\1 \2/p' >"$T/ranges"
	while read -r first last; do
		truncate -s $((first * 2048)) "$IMAGES/$1/image"
		sim dd if="/dev/$SR" bs=2048 skip="$first" count=$((last - first + 1)) status=none </dev/null >>"$IMAGES/$1/image"
	done <"$T/ranges"
}

# On a simulated burner.
burn_medium() { # NAME KIND SECTORS SESSIONS
	local n
	new_disc "$2" "$3"
	mount_medium mnt
	odd_tree mnt
	keep_session "$1" 1
	for ((n = 2; n <= $4; n++)); do
		change mnt "$n"
		keep_session "$1" "$n"
	done
	keep_starts "$1"
	copy_medium "$1"
}

image_cdr() {
	burn_medium cdr cd-r 60000 3
}

image_bdr() {
	burn_medium bdr bd-r 60000 3
}

image_dvdrw() {
	burn_medium dvdrw dvd+rw 60000 2
}

# Sector 256 is the other program's: UDF is found by the medium's last sector.
image_bdre() {
	local n
	new_disc bd-re 60000
	mkdir odd
	odd_tree odd
	date_files odd 1
	sim xorriso -xattr on -acl on -hardlinks on -md5 on -joliet on -dev "/dev/$SR" -volid BEGUN -map odd /odd -commit 2>err
	rm -rf odd
	reload
	mount_medium mnt
	for n in 2 3; do
		change mnt $n
		keep_session bdre $n
	done
	keep_starts bdre
	copy_medium bdre
}

image_many() {
	begin_image many dvd
	python3 -I -S -c '
import os, sys
for i in range(200):
    os.mkdir("%s/directory %d" % (sys.argv[1], i))
    for j in range(100):
        with open("%s/directory %d/file number %d.txt" % (sys.argv[1], i, j), "w") as file:
            file.write("%d %d\n" % (i, j))' mnt
	keep_session many 1
	echo changed >"mnt/directory 7/file number 7.txt"
	rm -r "mnt/directory 8"
	keep_session many 2
	keep_starts many
}

image_large() {
	begin_image large bd
	truncate -s 5G mnt/5GiB
	printf begin | dd of=mnt/5GiB conv=notrunc status=none
	printf middle | dd of=mnt/5GiB bs=1 seek=4294967293 conv=notrunc status=none
	printf end | dd of=mnt/5GiB bs=1 seek=5368709117 conv=notrunc status=none
	echo beside >mnt/beside
	keep_session large 1
	echo later >mnt/later
	keep_session large 2
	keep_starts large
}

make_image() { # NAME
	touch -d yesterday "$T/begin"
	mkdir -p "$IMAGES/$1"
	"image_$1"
}
