#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# Discs with UDF: filled by Linux, made by genisoimage, mkudffs and tests/udf.py. What the mount shows is what Linux,
# libudfread and the maker say; then they're changed, committed, and compared again, by xorriso too.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # for files of other owners
requires xz python3 genisoimage mkudffs xorriso jq setfattr "$BUILD/udflist"

udf() {
	python3 -I "$TESTS/udf.py" "$@"
}

# assert_listed DIR LIST: all attributes, to the nanosecond
assert_listed() {
	udf list "$1" >found
	cmp found "$2" || {
		diff found "$2" | cut -c 1-300 | head -n 20
		fail "$1 isn't as in $2"
	}
}

# What libudfread finds, as "size sum path", sorted.
read_again() { # IMAGE
	udflist "$1" | sort
}

files_of() { # LIST
	awk -F'\t' '$1 == "f" { print $6 "\t" $8 "\t" $9 }' "$1" | sort
}

# The same, after a commit, from the disc alone: whole seconds.
from_disc() { # IMAGE
	unmount mnt
	rm -rf "$XDG_STATE_HOME"
	mount_disc "$1" mnt
	assert_equal "$(status mnt .base.format)" rockridge
	udf list mnt --seconds >found
}

# --- what Linux wrote ---

linux_disc() { # NAME
	xz -dc "$TESTS/images/$1.img.xz" >"$1.img"
	udf stored "$TESTS/images/$1.tsv" >expected
	mount_disc "$1.img" mnt
	assert_equal "$(status mnt '.base.format, (.sessions[] | .formats[])' | paste -sd' ')" "udf udf"
	assert_listed mnt expected

	# Changed, committed, and nothing else is different.
	echo new >mnt/new.txt
	mv mnt/big1m mnt/moved
	rm mnt/sym-long
	touch -d @1500000000 mnt/new.txt mnt
	chmod 0755 mnt
	udf list mnt --seconds >expected
	before=$(stat -c %s "$1.img")
	predicted=$(status mnt .room.predicted_sectors)
	copied=$(status mnt .base.nodes)
	commit mnt CHANGED
	assert_less "$(status mnt .last.sectors)" $((predicted + 1)) "what was burned, against what was foreseen"
	[ "$(status mnt .last.carried_files)" -gt 500 ] || fail "no small files were copied"
	[ "$(status mnt .last.carried_files)" -lt "$copied" ]
	# a MB in whole sectors stays where it is, as the large files do
	assert_less $(($(stat -c %s "$1.img") - before)) 4500000 "what the commit added"
	from_disc "$1.img"
	cmp found expected
	extract_xorriso "$1.img" extracted
	assert_same_tree extracted mnt --without root,softmeta
	discfsctl verify --all "$1.img" >said 2>&1 || fail "verify: $(cat said)"
	grep -q 'Session 1: 1 file (0 B) good, [0-9]* files (.* MB) readable, without a recorded sum' said
	grep -q 'Session 2: .* good' said
	# The old tree is still there, and seen nowhere else by mistake.
	assert_equal "$(discfsctl info --json "$1.img" | jq -c '[.sessions[].formats]')" \
		'[["udf"],["rockridge","joliet","iso9660"]]'
	udf stored "$TESTS/images/$1.tsv" >expected
	unmount mnt
	mount_disc "$1.img" mnt -o session=1
	assert_listed mnt expected
	unmount mnt
	if dd if="$1.img" bs=2048 skip=16 count=16 status=none | grep -qa NSR0; then
		fail "the head still leads to the old tree"
	fi
	assert_fails "the session has no UDF tree" discfs "$1.img" mnt -o import=udf
	mount_disc "$1.img" mnt
	diff -r mnt/.discfs/sessions/1/bigdir mnt/bigdir
	echo more >mnt/more.txt
	commit mnt
	assert_equal "$(status mnt .last.carried_files)" 0
	unmount mnt
	rm -rf "$1.img" extracted
}

linux_disc udf201-linux
linux_disc udf150-dvdrw-linux

# libudfread cuts fragmented directories: what it does say of the first disc is so.
xz -dc "$TESTS/images/udf201-linux.img.xz" >linux.img
udf stored "$TESTS/images/udf201-linux.tsv" >expected
{ udflist linux.img 2>/dev/null || true; } | sort -u >opinion
files_of expected | comm -12 - opinion >agreed
[ "$(wc -l <agreed)" -gt 80 ] || fail "libudfread agrees on $(wc -l <agreed) files only"
head -c 2000000 linux.img >cut.img
rm linux.img
assert_fails "truncated or damaged" discfs cut.img mnt
rm -rf "$XDG_STATE_HOME"

# --- made here: 2.01, 2.50 with a metadata partition, 2.60 with one in two pieces ---

for kind in plain metadata pieces; do
	rm -rf made "$XDG_STATE_HOME"
	udf make $kind made.img made
	udf list made >expected
	mount_disc made.img mnt
	assert_listed mnt expected
	assert_equal "$(status mnt .label)" "MADE $kind"
	# UDF records no sums: they're kept where content lies in sectors of its own, and say what is damaged from then on
	assert_equal "$(status mnt '.base | "\(.files) \(.folders)"')" \
		"$(find mnt -type f ! -path 'mnt/.discfs*' | wc -l) $(find mnt -mindepth 1 -type d ! -path 'mnt/.discfs*' | wc -l)"
	discfsctl verify mnt >said
	grep -q 'Session 1: 1 file (0 B) good, 69 files (.*) readable, without a recorded sum' said
	[ "$(wc -l <mnt/.discfs/sums)" = 5 ]
	cp made.img kept.img
	at=$(getfattr -n user.discfs.origin --only-values mnt/exact | sed 's/disc //')
	printf '\377\0\377' | dd of=made.img bs=1 seek=$((at * 2048 + 77)) conv=notrunc status=none
	assert_exit 21 discfsctl verify mnt
	grep -q "^damaged: /exact: its content isn't what was recorded" out
	cat kept.img >made.img
	# libudfread takes characters beyond the first 65,536 for two, shows what is deleted, and symbolic links as
	# files: all else is the same
	{ udflist made.img 2>/dev/null || true; } | grep -v '[^ -~	]' | grep -v '/deleted$\|/link$' | sort >opinion
	files_of expected | comm -12 - opinion | cmp - opinion
	[ "$(wc -l <opinion)" -gt 8 ]
	echo x >>mnt/exact
	touch -d @1500000000 mnt/exact
	udf list mnt --seconds >expected
	commit mnt
	from_disc made.img
	cmp found expected
	unmount mnt
done

# --- damaged ---

# spoil SECTOR: of a copy of the Linux disc
spoil() {
	cp linux.img bad.img
	head -c 2048 /dev/zero | dd of=bad.img bs=2048 seek="$1" conv=notrunc status=none
	rm -rf "$XDG_STATE_HOME"
}

# lost TEXT FILES: not mounted without the option; with it all but that many files are there
lost() {
	assert_fails "$1" discfs bad.img mnt
	mount_disc bad.img mnt -o damaged
	assert_equal "$(status mnt .damage.lost)" 1
	status mnt '.damage.names[]' | grep -q "$1"
	assert_equal "$(find mnt -type f ! -path 'mnt/.discfs*' | wc -l)" $((all - $2))
	echo new >mnt/new
	assert_exit 12 discfsctl commit mnt
	unmount mnt
	assert_exit 21 discfsctl verify bad.img
	grep -q "damaged: .*$1" out
}
xz -dc "$TESTS/images/udf201-linux.img.xz" >linux.img
mount_disc linux.img mnt
all=$(find mnt -type f ! -path 'mnt/.discfs*' | wc -l)
below=$(find mnt/deep/level00/level01/level02/level03/level04 -type f | wc -l)
unmount mnt
spoil 915 # a file's entry
lost "/many/f0467.dat: there's no file entry at sector 915" 1
spoil 1329 # a directory's
lost "level04: there's no file entry at sector 1329" "$below"
spoil 2177 # a piece of a directory: names behind it are found again
lost "/bigdir: some or all of its names are lost" 23
discfs bad.img mnt -o damaged && discfsctl commit --damaged mnt
assert_equal "$(status mnt '.damage.lost, .base.format' | paste -sd' ')" "0 rockridge"
fusermount3 -u mnt
rm linux.img bad.img

# --- bridges ---

mkdir -p tree/sub
head -c 300000 /dev/urandom >tree/sub/random
seq 1 5000 >tree/numbers
: >tree/empty
echo x >"tree/sub/Füße und 日本語.txt"
for i in {1..90}; do
	echo "$i" >"tree/sub/a name that is long enough for directories of several sectors $i"
done
find tree -exec touch -d @1400000000 {} +
genisoimage -quiet -input-charset utf-8 -udf -J -joliet-long -R -V BRIDGE -o bridge.iso tree
genisoimage -quiet -input-charset utf-8 -udf -J -joliet-long -V POORER -o poorer.iso tree
assert_equal "$(discfsctl info --json bridge.iso | jq -c '.sessions[].formats')" '["rockridge","udf","joliet","iso9660"]'
discfsctl info poorer.iso >said
grep -q 'UDF, Joliet, ISO 9660 ' said

# What libudfread says is all of it.
rm -rf "$XDG_STATE_HOME"
mount_disc bridge.iso mnt -o import=udf
udf list mnt >listed
files_of listed | cmp - <(read_again bridge.iso)
assert_same_tree mnt tree --without mode,owner,root
unmount mnt

# auto takes Rock Ridge, else UDF; another tree of a known disc is read anew while nothing is staged.
shows() { # IMAGE IMPORT FORMAT
	mount_disc "$1" mnt -o "import=$2"
	assert_equal "$(status mnt .base.format)" "$3" "tree of $1 with import=$2"
	cmp mnt/sub/random tree/sub/random
	unmount mnt
}
for format in auto=rockridge udf joliet iso9660 rockridge udf; do
	shows bridge.iso "${format%=*}" "${format#*=}"
done
shows poorer.iso auto udf
assert_fails "the session has no Rock Ridge tree" discfs poorer.iso mnt -o import=rockridge
shows poorer.iso joliet joliet
assert_fails "say auto, rockridge, udf, joliet or iso9660" discfs poorer.iso mnt -o import=hfs

# Nobody can tell that it has Rock Ridge where the root of that can't be read: not silently another tree.
cp bridge.iso bad.iso
root=$(od -An -t u4 -j $((16 * 2048 + 158)) -N 4 bad.iso | tr -d ' ')
head -c 2048 /dev/zero | dd of=bad.iso bs=2048 seek="$root" conv=notrunc status=none
rm -rf "$XDG_STATE_HOME" # it would be known
mount_disc bad.iso mnt
assert_equal "$(status mnt '.base.format, .damage.doubts' | paste -sd' ')" "udf 1"
echo x >mnt/x
assert_exit 12 discfsctl commit mnt
unmount mnt

# Staged work belongs to the tree that it was staged on.
mount_disc poorer.iso mnt -o import=joliet
echo staged >mnt/staged.txt
unmount mnt
assert_fails "work is staged on its Joliet tree" discfs poorer.iso mnt -o import=udf
mount_disc poorer.iso mnt
assert_equal "$(cat mnt/staged.txt)" staged
assert_equal "$(status mnt .base.format)" joliet
discfsctl discard --yes mnt
unmount mnt

# A bridge continued without UDF: nothing of it is copied, and no system is led to the old tree.
mount_disc poorer.iso mnt -o formats=iso,joliet
assert_equal "$(status mnt .base.format)" udf
echo new >mnt/new.txt
cp -a mnt expected-tree
before=$(stat -c %s poorer.iso)
commit mnt
assert_equal "$(status mnt .last.carried_files)" 0
assert_less $(($(stat -c %s poorer.iso) - before)) 400000 "what the commit added"
from_disc poorer.iso
assert_same_tree mnt expected-tree --without owner
unmount mnt
assert_equal "$(discfsctl info --json poorer.iso | jq -c '[.sessions[].formats]')" \
	'[["udf","joliet","iso9660"],["rockridge","joliet","iso9660"]]'

# --- trees of ISO 9660 alone ---

rm -rf expected-tree "$XDG_STATE_HOME"
mkdir -p plain/Mixed.Case
seq 1 30000 >plain/numbers.txt
echo x >plain/UPPER.TXT
echo a >plain/Mixed.Case/LongFileName.WithExt.txt
find plain -exec touch -d @1400000000 {} +
genisoimage -quiet -iso-level 1 -o level1.iso plain
genisoimage -quiet -iso-level 4 -o level4.iso plain
genisoimage -quiet -J -o joliet.iso plain
xorriso -outdev enhanced.iso -rockridge off -joliet off -compliance iso_9660_level=3:iso_9660_1999 -map plain / -commit 2>/dev/null
xorriso -outdev zisofs.iso -zisofs level=9:block_size=32k -map plain / -set_filter_r --zisofs / -- -commit 2>/dev/null

# names_of IMAGE FORMAT LONG-NAME: and it can be changed and committed
names_of() {
	rm -rf "$XDG_STATE_HOME"
	mount_disc "$1" mnt
	assert_equal "$(status mnt .base.format)" "$2"
	cmp "mnt/$3" plain/Mixed.Case/LongFileName.WithExt.txt
	[ "$1" = zisofs.iso ] || cmp mnt/numbers.txt plain/numbers.txt
	sha256sum mnt/numbers.txt >sums
	echo more >mnt/more.txt
	before=$(stat -c %s "$1")
	commit mnt
	from_disc "$1"
	sha256sum --quiet -c sums
	assert_less $(($(stat -c %s "$1") - before)) $((200000 + (UDF_FRONT + $(find mnt | wc -l)) * 2048)) "what the commit added to $1"
	unmount mnt
	# whatever a reader does with compressed files, it finds them as they were
	extract_xorriso "$1" extracted
	cmp extracted/numbers.txt plain/numbers.txt
	cmp "extracted/$3" plain/Mixed.Case/LongFileName.WithExt.txt
}
names_of level1.iso iso9660 mixed.cas/longfile.txt
names_of level4.iso iso9660 Mixed.Case/LongFileName.WithExt.txt
names_of enhanced.iso iso9660 Mixed.Case/LongFileName.WithExt.txt
names_of joliet.iso joliet Mixed.Case/LongFileName.WithExt.txt
names_of zisofs.iso rockridge Mixed.Case/LongFileName.WithExt.txt

# --- mkudffs: blank discs for each kind of medium ---

for kind in hd:1.02 hd:2.01 dvd:1.02 dvdram:2.01 dvdrw:2.01 cdrw:1.50; do
	rm -rf blank.img "$XDG_STATE_HOME"
	mkudffs --new-file --blocksize=2048 --media-type="${kind%:*}" --udfrev="${kind#*:}" --label="a $kind" blank.img 20000 >/dev/null
	mount_disc blank.img mnt
	assert_equal "$(status mnt '.label, .base.format' | paste -sd,)" "a $kind,udf"
	assert_equal "$(find mnt -mindepth 1 ! -name lost+found)" ""
	cp -r tree/. mnt/
	commit mnt
	from_disc blank.img
	assert_equal "$(status mnt .label)" "a $kind"
	assert_same_tree mnt tree --without owner,root,mtime
	unmount mnt
	xorriso -indev blank.img -find /numbers -exec report_lba >said 2>&1
	grep -q "'/numbers'" said
done

# --- refused, each with its reason ---

refused() { # TEXT MKUDFFS-OPTIONS…
	local text=$1
	shift
	rm -f no.img
	mkudffs --new-file "$@" no.img 20000 >/dev/null
	assert_fails "$text" discfs no.img mnt
	assert_fails "$text" discfsctl info no.img
}
refused "virtual partition, VAT" --media-type=cdr --udfrev=1.50
refused "virtual partition, VAT" --media-type=dvdr --udfrev=2.00
refused "virtual partition, VAT" --media-type=bdr --udfrev=2.50
refused "blocks of 512 bytes" --blocksize=512 --media-type=hd
refused "blocks of 4096 bytes" --blocksize=4096 --media-type=hd
refused "strategy 4096" --blocksize=2048 --media-type=hd --strategy=4096 --udfrev=1.02
mkudffs --new-file --blocksize=2048 open.img 20000 >/dev/null
udf left-open open.img
mount_disc open.img mnt
status mnt .read_only_reason >said
discfsctl info mnt >>said
grep -q "integrity is open" said
assert_fails "Read-only file system" touch mnt/x
unmount mnt
