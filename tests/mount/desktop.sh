#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# What a file manager does through GIO: copy, move, rename, save with a backup, look at attributes and free space, delete,
# and the trash; the disc gets what was meant by it; and what its menu starts: discfs-action. The trash is in the
# mount itself, as on a stick: .Trash-UID at its top, or .Trash/UID where somebody made .Trash. What lies there can be put
# back, also after it was burned. The other file
# system to compare with is a fuse-overlayfs over directories, for the trash is by file system, and GIO has none in a tmpfs.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # another user
requires fuse-overlayfs gio setpriv getfattr jq xorriso xmllint
export HOME=$T/home
mkdir -m 755 "$HOME" host lower upper work
fuse-overlayfs -o lowerdir=lower,upperdir=upper,workdir=work host
make_disc disc.img cd # less than the disk has free: else that would be the room, which changes while other tests run
mount_disc disc.img mnt

normal() { # paths, days of deletion, progress
	tr '\r' '\n' | sed -e "s,$T/\(host\|mnt\),TOP,g" -e 's/^DeletionDate=.*/DeletionDate=/' -e '/^.\[K/d' \
		-e '/^Transferred /d' -e '/^unix mount: /d' | LC_ALL=C sort
}

files() {
	mkdir folder
	seq 1 100000 >numbers
	gio copy numbers folder
	gio copy -p numbers folder/kept
	gio copy -b numbers folder
	gio copy numbers folder/kept </dev/null # there is one: it asks
	gio copy -T numbers "folder/Größe €.txt"
	gio move numbers folder/moved
	gio rename folder/moved renamed
	gio mkdir -p one/two/three
	echo saved | gio save folder/saved
	echo appended | gio save -a folder/saved
	echo 'saved anew' | gio save -b folder/saved # another file, renamed over it
	gio cat folder/saved folder/saved~
	gio set -t uint32 folder/saved unix::mode 0600
	gio set folder/renamed time::modified -t uint64 1500000000
	ln -s saved folder/link
	touch -h -d @1500000000 folder/[!r]* folder one one/two one/two/three
}
see() {
	gio list -l folder
	gio list -h -n folder
	gio tree -h .
	gio info -n -a 'standard::*,time::modified,access::*,unix::mode,unix::nlink,unix::uid,unix::is-mountpoint' folder/* |
		grep -v -e '::allocated-size'
	gio info -a 'standard::type,standard::symlink-target' -n folder/link
}
refuse() {
	gio copy folder copy || echo $?
	gio move folder/nothing one || echo $?
	gio remove folder || echo $?
	gio mkdir one || echo $?
	gio rename folder/saved renamed || echo $?
	gio trash nothing || echo $?
}
remove() {
	gio remove folder/kept folder/link
	gio remove -f folder/nothing
	gio remove one/two/three
	gio move "folder/Größe €.txt" ../here
	gio move ../here back
	gio list
}

both_do files
both_do see
assert_equal "$(gio info -a access::can-trash,access::can-write mnt/folder | sed -n 's/^ *access:://p' | sort | tr '\n' ' ')" \
	"can-trash: TRUE can-write: TRUE "
assert_equal "$(gio info -f -a filesystem::free mnt | sed -n 's/.*free: //p')" "$(status mnt .room.free_bytes)" free
both refuse
both_do remove
assert_same_tree mnt host --without mtime,root
setfattr -n user.xdg.origin.url -v http://example.org mnt/back
gio info -a 'xattr::*' mnt/back | grep -qF 'xattr::xdg.origin.url: http://example.org' || fail "GIO doesn't see attributes"
gio copy -p mnt/back kept
assert_equal "$(getfattr --only-values -n user.xdg.origin.url kept)" http://example.org
rm mnt/back host/back

# --- the trash
fill_trash() {
	mkdir -p letters/old
	echo a >letters/a
	echo b >letters/old/a
	ln -s a letters/soft
	gio trash letters/a letters/soft
	gio trash letters/old/a # another of that name
	gio trash letters/old
	gio trash -f letters/nothing
	see_trash
}
see_trash() {
	ls -A letters
	ls -AR .Trash-0
	find .Trash-0/info -type f -exec cat {} +
	stat -c '%n %A %u' .Trash-0 .Trash-0/*
}
# As file managers do: the name's own place says where it was.
put_back() { # NAME-IN-TRASH
	local path
	path=$(sed -n 's/^Path=//p' ".Trash-0/info/$1.trashinfo")
	mv -n ".Trash-0/files/$1" "$path"
	rm ".Trash-0/info/$1.trashinfo"
	see_trash
}
empty_trash() {
	rm -rf .Trash-0/files/* .Trash-0/info/*
	see_trash
}
both_do fill_trash
both_do put_back old
both_do put_back a
commit mnt TRASH
extract_xorriso disc.img burned >/dev/null 2>&1
cp -a host meant
rm -r meant/.Trash-0
assert_same_tree burned meant --without mtime,root
unmount mnt
mount_disc disc.img mnt
both_do see_trash
both_do gio trash letters/old # from the disc
both_do put_back soft
both_do put_back old
both_do put_back a.2
both_do gio trash letters
both_do put_back letters
both_do empty_trash
assert_same_tree mnt host --without mtime,root
assert_equal "$(find "$HOME" -name '*.trashinfo')" "" "trash in the home directory"

# --- somebody else's, in the .Trash that root has made
as_somebody() { # COMMAND…
	timeout 60 setpriv --reuid=12345 --regid=12345 --clear-groups "$@"
}
somebody() {
	mkdir -m 1777 .Trash
	mkdir -m 777 shared
	as_somebody sh -c 'echo hers >shared/hers; gio trash shared/hers'
	ls -A shared
	as_somebody gio trash letters/a || echo $?
	stat -c '%n %A %u' .Trash .Trash/* .Trash/12345/files/*
	cat .Trash/12345/info/*
	as_somebody sed -i 's/^DeletionDate=.*/DeletionDate=/' .Trash/12345/info/* # the two may be seconds apart
	as_somebody mv .Trash/12345/files/hers shared
	sed -i '/^DeletionDate=/d' .Trash/12345/info/* # another second
	ls -A shared
}
both_do somebody
commit mnt SOMEBODY
assert_same_tree mnt host --without mtime,root
unmount mnt
mount_disc disc.img mnt
assert_same_tree mnt host --without mtime,root
unmount mnt

# --- what the menus of file managers start, with a place and a file that are called as badly as can be
action() { # CODE WORD…
	local code=$1
	shift
	assert_exit "$code" env -u DISPLAY -u WAYLAND_DISPLAY "$TOP/desktop/discfs-action" "$@"
}
odd=$'odd \'place"\n;$(false) &\n'
mkdir elsewhere
make_disc odd.img cd
mkdir "$odd"
timeout 60 discfs odd.img "$odd"
cleanup_fn fusermount3 -uz "$T/$odd"
file=$odd/$odd
echo new >"$file"
ln -s "$T/elsewhere" "$odd/out"
action 0 on-disc "$file"
action 0 on-disc "$odd"
action 0 on-disc "$odd/out" # the link itself is
action 1 on-disc "$odd/out/."
action 1 on-disc "$odd/nothing"
for verb in burn discard show; do
	action 3 $verb elsewhere
	grep -q "isn't on a disc" out
done
action 2 discard "$file" # nobody can be asked
assert_equal "$(discfsctl diff "$odd" | wc -l)" 2
action 0 burn "$file"
assert_equal "$(toc odd.img | grep -c '^ISO session')" 1
action 0 burn "$file"
grep -q 'Nothing is staged' out
action 0 discard "$file"
assert_equal "$(toc odd.img | grep -c '^ISO session')" 1
assert_equal "$(cat "$file")" new
XDG_DATA_DIRS=$T/elsewhere XDG_DATA_HOME=$T/elsewhere action 2 show "$file"
grep -q "no program to show" out
action 1 burn
action 1 burnt "$file"
# another user's: it's on a disc, but not theirs
cp "$TOP/desktop/discfs-action" "$BUILD/discfsctl" .
for verb in burn discard show; do
	assert_exit 2 setpriv --reuid 12345 --regid 12345 --clear-groups env PATH="$T:$PATH" ./discfs-action $verb "$file"
	grep -q "another user's mount" out
done
timeout 60 fusermount3 -u "$odd"

# Thunar's menu is the user's own: what stands in it stays, and twice is once.
mkdir -p "$HOME/.config/Thunar"
printf '<actions>\n<action><name>mine</name></action>\n</actions>\n' >"$HOME/.config/Thunar/uca.xml"
action 0 thunar
action 0 thunar
xmllint --noout "$HOME/.config/Thunar/uca.xml"
assert_equal "$(xmllint --xpath '//action/name/text()' "$HOME/.config/Thunar/uca.xml" | tr '\n' ' ')" \
	"mine Burn staged changes Discard staged changes Show disc "
for empty in '<actions/>' '<actions></actions>'; do
	echo "$empty" >"$HOME/.config/Thunar/uca.xml"
	action 0 thunar
	assert_equal "$(xmllint --xpath 'count(/actions/action)' "$HOME/.config/Thunar/uca.xml")" 3
done
