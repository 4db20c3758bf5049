#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600: waits are long where much else runs; 2 minutes are usual
# Real file managers with keyboard and mouse, of an ordinary user with a line of fstab: folders are copied in and dragged
# in, files replaced, renamed, deleted for good or into the trash and put back, a document is saved by an editor, and the
# menu's actions burn; then the disc is unmounted as file managers do. What was burned is exactly what was meant, and no
# litter. Each step's picture is build/log/filemanagers-*.png, to be looked at.
# shellcheck disable=SC2154 # $uid is of lib_desktop.sh
[ -n "${DESKTOP_TEST_INSIDE:-}" ] || exec env DESKTOP_TEST_INSIDE=1 unshare --mount --propagation private bash "$0" "$@"
. "$(dirname "$0")/../lib_filemanagers.sh"
requires_fuse
requires_root
requires thunar pcmanfm mousepad zenity notify-send dunst jq xorriso
begin_desktop

# --- Thunar

pick() { # PART-OF-A-NAME: in the window that has the focus
	press Escape ctrl+s
	focus 'Select by Pattern'
	write "$1"
	answer 'Select by Pattern' Return
}

thunar_goes() { # FOLDER TO-FOLDER: a window of it looks into another one
	focus "^$1 - Thunar"
	press ctrl+l ctrl+a
	write "$2"
	press Return
	await window_of "^${2##*/} - Thunar"
}

thunar_story() {
	open_windows thunar
	focus '^copy - Thunar'
	pick album
	press ctrl+c
	focus '^disc - Thunar'
	press ctrl+v
	await copied copy/album album
	shot thunar-pasted

	thunar_goes copy "$outside/new"
	pick letter
	press ctrl+c
	focus '^disc - Thunar'
	press ctrl+v
	focus 'Confirm to replace'
	shot thunar-replace
	answer 'Confirm to replace' alt+r
	await holds letter 'letter, and a better one'

	thunar_goes new "$outside/drag"
	focus '^drag - Thunar'
	press Escape
	drag 210 130 900 600
	await copied drag/film film
	shot thunar-dragged

	focus '^disc - Thunar'
	pick kept
	press F2
	focus 'Rename "kept"'
	press ctrl+a
	write 'renamed'
	answer 'Rename "kept"' Return
	await there renamed

	press ctrl+shift+n
	focus 'Create New Folder'
	press ctrl+a
	write 'new folder'
	answer 'Create New Folder' Return
	await there 'new folder'

	pick gone
	press shift+Delete
	focus Attention
	shot thunar-delete
	answer Attention alt+d
	await_not there gone

	pick back
	press Delete
	await there ".Trash-$uid/files/back"
	press ctrl+z
	await there back
	shot thunar-undone
	pick doomed
	press Delete
	await there ".Trash-$uid/files/doomed"
	press Escape F5
	shot thunar-trashed

	mean 'cp -a ../home/outside/copy/album .; cp -a ../home/outside/new/letter .; cp -a ../home/outside/drag/film .
		mv kept renamed; mkdir "new folder"; rm gone doomed'
}

# What a menu has as its last items: Up from below.
menu() { # KEY…
	local before
	before=$(windows)
	press Menu
	await more_windows "$before"
	press "$@"
}
windows() {
	xdotool search --onlyvisible --class '^(thunar|pcmanfm)$' 2>/dev/null | wc -l
}
more_windows() {
	[ "$(windows)" -gt "$1" ]
}

# mousepad writes another file, and gives it the name.
edit() { # FILE TEXT
	as_user mousepad "$disc/$1" &
	focus Mousepad
	press ctrl+End
	write "$2"
	press ctrl+s
	await saved "$1" "$2"
	shot saved
	press ctrl+q
	await_not window_of Mousepad
	mean "printf %s '$2' >>'$1'; touch -d @$(as_user stat -c %Y "$disc/$1") '$1'"
}
saved() { # FILE TEXT
	as_user tail -n 1 "$disc/$1" | grep -qxF "$2"
}

# In Thunar's menu: "Burn", "Discard" and "Show" are the fourth to the second from below.
thunar_actions() {
	as_user discfsctl commit --dry-run --verbose "$disc" >trial
	cat trial
	grep -q '^[0-9]* names are litter' trial
	grep -qx "  .Trash-$uid/files/doomed" trial
	assert_equal "$(sessions)" 1
	thunar_menu film Up Up Up Up Return
	await said_is '"\(.op) \(.exit) \(.session)"' 'commit 0 2'
	shot thunar-burned

	as_user touch "$disc/thought better of"
	thunar_menu film Up Up Up Return
	focus 'Discard staged changes'
	shot thunar-discard
	answer 'Discard staged changes' Escape
	there 'thought better of'
	thunar_menu film Up Up Up Return
	focus 'Discard staged changes'
	answer 'Discard staged changes' Tab Return
	await_not there 'thought better of'
	await_not there ".Trash-$uid" # it was staged, too
	shot thunar-discarded

	thunar_menu film Up Up Return
	focus 'ImageMagick: disc.svg'
	shot thunar-shown
	press q
	await_not window_of disc.svg
}
thunar_menu() { # NAME KEY…
	focus '^disc - Thunar'
	pick "$1"
	shift
	menu "$@"
}

# Among the devices the disc has a menu of its own. Its line is sought: where it stands depends on fonts.
thunar_unmounts() {
	local y
	for y in 284 296 272 308 260 320; do
		mounted || break
		focus '^disc - Thunar'
		press Escape
		xdotool mousemove 420 $((250 + y)) click 3
		sleep 0.5
		shot thunar-unmount
		press u
		sleep 1
	done
	await_not mounted
	await_end "$daemon"
	shot thunar-unmounted
	as_user thunar -q
}

prepare
as_user discfs-action thunar
install_viewer
thunar_story
edit letter 'and more'
thunar_actions
thunar_unmounts
assert_equal "$(sessions)" 2
check_disc

# --- PCManFM

pc_pick() { # BEGIN-OF-A-NAME
	press Escape
	write "$1"
	press Escape
}
pc_goes() { # TITLE FOLDER: which is its title then
	focus "^$1"
	press ctrl+l ctrl+a
	write "$2"
	press Return
	await window_of "^$(basename "$2")"
}

in_trash() {
	as_user gio list trash:/// | grep -q back
}

pcmanfm_story() {
	open_windows pcmanfm -n
	pc_goes copy "$outside/copy2"
	pc_pick songs
	press ctrl+c
	focus '^disc$'
	press ctrl+v
	await copied copy2/songs songs
	shot pcmanfm-pasted

	pc_goes copy2 "$outside/new2"
	pc_pick letter
	press ctrl+c
	focus '^disc$'
	press ctrl+v
	focus 'Confirm File Replacing'
	shot pcmanfm-replace
	answer 'Confirm File Replacing' alt+o
	await holds letter 'letter, and the best one'

	pc_goes new2 "$outside/drag2"
	press Escape
	drag 208 120 900 600
	await copied drag2/plans plans
	shot pcmanfm-dragged

	focus '^disc$'
	pc_pick renamed
	press F2
	focus 'Rename File'
	press ctrl+a
	write 'renamed again'
	answer 'Rename File' Return
	await there 'renamed again'

	press ctrl+shift+n
	focus 'Creating New Folder'
	press ctrl+a
	write 'one more'
	answer 'Creating New Folder' Return
	await there 'one more'

	pc_pick film
	press shift+Delete
	shot pcmanfm-delete
	answer Confirm Return
	await_not there film

	pc_pick back
	press Delete
	answer Confirm Return
	await there ".Trash-$uid/files/back"
	shot pcmanfm-trashed
	as_user pcmanfm -n trash:/// &
	focus '^trash:///'
	await in_trash
	sleep 1 # it may still read
	press ctrl+a
	menu Down Return
	await there back
	await_not there ".Trash-$uid/files/back"
	shot pcmanfm-restored
	focus '^disc$'
	pc_pick album
	press Delete
	answer Confirm Return
	await there ".Trash-$uid/files/album"
	mean 'cp -a ../home/outside/copy2/songs .; cp -a ../home/outside/new2/letter .; cp -a ../home/outside/drag2/plans .
		mv renamed "renamed again"; mkdir "one more"; rm -r film album'
}

# By itself PCManFM has no trash on what can be unmounted.
as_user sh -c 'mkdir -p ~/.config/libfm && printf "[config]\nno_usb_trash=0\n" >~/.config/libfm/libfm.conf'
mount_it commit=unmount,umount=handover
pcmanfm_story
check_free
edit letter 'and still more'
as_user gio mount -u "$disc"
! mounted || fail "it's still mounted"
await_end "$daemon"
shot pcmanfm-unmounted
assert_equal "$(sessions)" 3
check_disc
