#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 400
# More than 20,000 files of this machine's packages, and every odd kind of name and file, go in by rsync -aHAX and are
# burned in three sessions, with deletions, renames and replacements between them. They come back identical through
# discfs (also when all it knows is the disc), through xorriso and through bsdtar; and no old data was copied.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners, devices
requires rsync xorriso bsdtar python3 setfattr setfacl jq
requires_room 2500

# --- the source: small files, symlinks and hard links of /usr, with their owners and times
for dir in /usr/share /usr/include /usr/lib; do
	find "$dir" -xdev \( -type f -size -150k -o -type l \) -print 2>/dev/null
done | grep -v '/__pycache__/' | awk 'NR <= 24000' >list
mkdir source
rsync -aHAX --files-from=list / source/
count=$(find source | wc -l)
if [ "$count" -lt 22000 ]; then # a machine with few packages: some of them twice
	mkdir source/again
	head -n $((22000 - count)) list >rest
	rsync -aHAX --files-from=rest / source/again/
	count=$(find source | wc -l)
fi
assert_less 20000 "$count" "files of this machine"

# --- what /usr doesn't have
odd=source/odd
mkdir -p $odd/{modes,names,types,attributes,links/deep}
for mode in 0000 0111 0222 0400 0604 1644 2755 4755 6711 7777; do
	echo "$mode" >$odd/modes/file$mode
	chmod $mode $odd/modes/file$mode
	mkdir -m $mode $odd/modes/dir$mode
done
for name in "two words" " leading" "trailing " "tab	tab" $'new\nline' 'back\slash' "quote'\"" '*?[x]' -- -rf .hidden \
	"Größe €" "日本語" "🙂" $'latin1-\xe4\xf6\xfc' $'\x01control\x7f' "$(printf 'n%.0s' {1..255})" \
	"$(printf 'ä%.0s' {1..127})" "COM1" "a:b" "UPPER.TXT" "upper.txt" "long.extension.with.many.dots"; do
	echo "$name" >"$odd/names/$name"
done
mknod $odd/types/null c 1 3
mknod $odd/types/disk b 8 1
mknod $odd/types/large c 300 70000
mkfifo $odd/types/fifo
ln -s nowhere $odd/types/dangling
ln -s "$(printf 'd/%.0s' {1..120})x" $odd/types/long
ln -s / $odd/types/root
: >$odd/types/empty
head -c 2048 /dev/urandom >$odd/types/sector
head -c 2049 /dev/urandom >$odd/types/sector+1
truncate -s 5000000 $odd/types/sparse
printf end | dd of=$odd/types/sparse bs=1 seek=4000000 conv=notrunc status=none
echo a >$odd/attributes/file
setfattr -n user.text -v "some text" $odd/attributes/file
setfattr -n user.binary -v 0x0001ff00 $odd/attributes/file
setfattr -n user.large -v "$(printf 'large %.0s' {1..300})" $odd/attributes/file
echo b >$odd/void # not in a directory whose default ACL xorriso would hand down to it
setfattr -n user.some -v some $odd/void
setfattr -n user.void $odd/void
setfacl -m u:1001:rwx,g:1002:r-x,m::rwx $odd/attributes/file
setfacl -d -m u:1003:r-x $odd/attributes
chown 70000:80000 $odd/attributes/file
echo linked >$odd/links/one
ln $odd/links/one $odd/links/two
ln $odd/links/one $odd/links/deep/three
touch -d @0 $odd/links/one
touch -d 1969-07-20 $odd/types/empty
touch -d 2037-12-31 $odd/types/sector
touch -h -d 2001-01-01 $odd/types/dangling
mkdir -p "$odd/$(printf 'level/%.0s' {1..30})"
echo deep >"$odd/$(printf 'level/%.0s' {1..30})file"

check_tree() {
	assert_same_tree "$1" source.manifest --without root
}

untar() {
	rm -rf extracted
	mkdir extracted
	bsdtar -x -p -f disc.img -C extracted --numeric-owner
}

# What was touched gets one time, here and there.
settle() {
	find "$1" -mindepth 1 -newer stamp -depth -exec touch -h -d "@$2" {} +
}

mutate_both() { # SEED
	touch stamp
	sleep 0.01
	python3 "$TESTS/mutate.py" source "$1"
	python3 "$TESTS/mutate.py" mnt "$1"
	# the bodies that the session must hold, in whole sectors: each file whose content is new, whole
	bodies=$(find source -type f -newer stamp -printf '%i %s\n' | sort -u |
		awk '{ bytes += int(($2 + 2047) / 2048) * 2048 } END { print bytes + 0 }')
	# what UDF records anew: a sector for each node that changed, and for each directory above one
	entries=$(($(find source -cnewer stamp -printf '%i\n' | sort -u | wc -l) + $(find source -type d | wc -l)))
	settle source $((1500000000 + $1))
	settle mnt $((1500000000 + $1))
	manifest source --without root >source.manifest
	check_tree mnt
	before=$(stat -c %s disc.img)
	sync -f mnt
	staged=$(status mnt .staged.bytes)
	commit mnt "SESSION $1"
	check_tree mnt
	added=$(($(stat -c %s disc.img) - before))
	echo "session of $added bytes for $staged staged bytes, $bodies of bodies"
	# and records of names and attributes, in three trees
	assert_less $added $((bodies + $(wc -l <source.manifest) * 900 + (UDF_FRONT + entries) * 2048)) "the size of the session"
}

make_disc disc.img dvd
mount_disc disc.img mnt
time rsync -aHAX source/ mnt/
manifest source --without root >source.manifest
check_tree mnt
time commit mnt "SESSION 1"
check_tree mnt
first=$(stat -c %s disc.img)
# bsdtar knows no attributes, and loses a slash in targets that need two Rock Ridge records
untar
assert_same_tree extracted source --without root,xattr,longlink
mutate_both 2
assert_less $added $((first / 2)) "the size of session 2"
unmount mnt
mount_disc disc.img mnt
check_tree mnt
mutate_both 3

# rsync sees no difference either
rsync -aHAXn --delete --checksum --itemize-changes source/ mnt/ >differences
assert_equal "$(grep -v '^\.d\.\.t\.\.\.\.\.\. \./$' differences || true)" ""
unmount mnt
check_state
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
check_tree mnt
unmount mnt

extract_xorriso disc.img extracted
assert_same_tree extracted source --without root,softmeta
assert_equal "$(toc disc.img | grep -c '^ISO session')" 3

# bsdtar also refuses a file whose Rock Ridge record needs more room (a long name, attributes) and whose content lies before
# it, as old content in any later session does. Without such files it reads the newest session as well.
mount_disc disc.img mnt
for tree in source mnt; do
	python3 - "$tree" <<'END'
import os, shutil, sys
for path, dirs, files in os.walk(os.fsencode(sys.argv[1]), topdown=False):
    for name in files + dirs:
        whole = os.path.join(path, name)
        attributes = not os.path.islink(whole) and os.listxattr(whole)
        if os.path.isdir(whole) and not os.path.islink(whole):
            if name.startswith(b"odd") or len(name) > 70 or attributes:
                shutil.rmtree(whole)
        elif len(name) > 70 or attributes:
            os.unlink(whole)
END
done
commit mnt "SESSION 4"
assert_same_tree mnt source --without root,mtime
unmount mnt
untar
assert_same_tree extracted source --without root,xattr,mtime,longlink
