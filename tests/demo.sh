#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What discfs does, step by step, on a blank disc image in a temporary directory. `make demo` builds it first.
set -eu -o pipefail
cd "$(dirname "$0")/.."
top=$PWD
PATH=$(cd "${DISCFS_BUILD:-build}" && pwd):$PATH:/usr/sbin
place=$(mktemp -d "${TMPDIR:-/tmp}/discfs-demo.XXXXXX")
export XDG_STATE_HOME=$place/state # staged work of this demonstration only

clean_up() {
	cd /
	! mountpoint -q "$place/disc" || fusermount3 -uz "$place/disc"
	rm -rf "$place"
}
trap clean_up EXIT

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}

show() {
	printf '$ %s\n' "$*"
	"$@"
}

if ! { : <>/dev/fuse; } 2>/dev/null; then
	echo "This needs /dev/fuse, and may use it: in a container, start it with --device /dev/fuse --cap-add SYS_ADMIN."
	exit 1
fi
cd "$place"
mkdir disc
head -c 60000000 /dev/urandom >film.mkv
head -c 3000000 /dev/urandom >song.flac

say "A blank disc: an image file that stands for a CD of 80 minutes. It takes no room yet."
show discfsctl create cd.img --media cd
show ls -s --block-size=1 cd.img

say "It becomes a folder."
show discfs cd.img disc
show df -h --output=fstype,size,used,avail,target disc

say "Ordinary programs write to it: cp and rsync. Nothing touches the disc yet."
show cp -a film.mkv song.flac disc/
show mkdir disc/source
show cp -a "$top/src" "$top/tests" disc/source/
show rsync -aHAX /usr/include/linux disc/
sync -f disc
show discfsctl status disc | sed -e '/^Staged/,/more/{/^\t/d}' -e '/^$/d'
show ls -s --block-size=1 cd.img

say "Commit: one session is burned, read back and compared."
show discfsctl commit disc --label DEMONSTRATION
first=$(stat -c %s cd.img)

say "The folder goes on. Now a change, a deletion, two renames, a new file: all on what is burned already."
printf 'a new title' | show dd of=disc/song.flac bs=1 seek=1000000 conv=notrunc status=none
show rm -r disc/source/src
show mv disc/film.mkv disc/holiday.mkv
show mv disc/linux disc/headers
echo 'One more file.' >disc/readme.txt
show discfsctl diff disc | grep -v '^D source/src/'

say "The second commit, this time by setting an attribute, as any program can. It returns when all is verified."
show setfattr -n user.discfs.commit -v "SECOND SESSION" disc
show discfsctl log disc
second=$(($(stat -c %s cd.img) - first))
whole=$(du -sb disc | cut -f 1)
say "The folder holds $((whole / 1000)) kB, and the second session took $((second / 1000)) kB: old data was not copied."
[ "$second" -lt $((whole / 4)) ]

say "Unmounted, and mounted again: all is there."
show discfsctl umount disc
show discfs cd.img disc
show ls -l disc
printf 'a new title' | dd of=song.flac bs=1 seek=1000000 conv=notrunc status=none
show cmp disc/holiday.mkv film.mkv
show cmp disc/song.flac song.flac
show diff -r /usr/include/linux disc/headers
show discfsctl umount disc

say "Another program sees the same sessions: xorriso."
show xorriso -indev cd.img -toc 2>/dev/null | grep -E '^(ISO session|Media summary|Media current|TOC layout)'
[ "$(xorriso -indev cd.img -toc 2>/dev/null | grep -c '^ISO session')" = 2 ]

say "That was it: two sessions on one disc, each burned by saying commit. $place is removed again."
