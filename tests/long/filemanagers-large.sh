#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600: waits are long where much else runs; 2 minutes are usual
# Nautilus and Dolphin, as filemanagers.sh does it with smaller ones: what is copied in, replaced, renamed, deleted, put
# back, and their menus, which burn, discard and show. What each looks like is build/log/filemanagers-large-*.png.
# shellcheck disable=SC2154 # $uid is of lib_desktop.sh
[ -n "${DESKTOP_TEST_INSIDE:-}" ] || exec env DESKTOP_TEST_INSIDE=1 unshare --mount --propagation private bash "$0" "$@"
. "$(dirname "$0")/../lib_filemanagers.sh"
requires_fuse
requires_root
requires nautilus dolphin zenity notify-send dunst dbus-monitor xclip jq xorriso
compgen -G '/usr/lib/*/nautilus/extensions-4/libnautilus-python.so' >/dev/null || skip "needs python3-nautilus"
begin_desktop

# --- hands

# Of notifications some come and go meanwhile.
visible() {
	comm -23 <(windows_of --name '.*') <(windows_of --class '^Dunst$') | wc -l
}
windows_of() { # HOW WHICH
	xdotool search --onlyvisible "$@" 2>/dev/null | sort || true
}
more_visible() { # THAN
	[ "$(visible)" -gt "$1" ]
}
# What comes up by itself has no title, or any.
pop_up() { # KEY
	local before
	before=$(visible)
	press "$1"
	await more_visible "$before"
	sleep 0.5 # it slides in
}
slowly() { # KEY…: menus within menus
	xdotool key --delay 300 "$@"
}

# All there is: one thing. The window may still read its folder, and Dolphin asks then what is to be copied.
clipped() { # NAME
	focus_taken || return 1
	press Escape ctrl+a ctrl+c
	timeout 5 xclip -selection clipboard -t text/uri-list -o | grep -qE "/$1/?.?\$"
}
# copy_in PROGRAM FOLDER/NAME: from a window of its own
copy_in() {
	"$1" "$outside/$2"
	focus "^$(basename "$(dirname "$2")")"
	await clipped "${2##*/}"
	focus "$title"
	press Escape ctrl+v
}

notified() { # TEXT
	grep -qF "$1" notes
}

# What the menu's three do: the same in both, but for the keys that lead to the first.
menu_story() { # PROGRAM FILE SESSIONS-AFTER
	local name
	: >notes
	"$1_menu" "$2" burn
	await said_is '"\(.op) \(.exit) \(.session)"' "commit 0 $3"
	await notified "Session $3 is burned and verified"
	shot "$1-burned"

	for name in Escape Return; do
		as_user touch "$disc/thought better of"
		"$1_menu" "$2" discard
		focus 'Discard staged changes'
		shot "$1-discard"
		[ $name = Escape ] || press Tab
		answer 'Discard staged changes' $name
		[ $name = Return ] || there 'thought better of'
	done
	await_not there 'thought better of'
	await notified 'Discarded 1 staged change'

	"$1_menu" "$2" show
	focus 'ImageMagick: disc.svg'
	shot "$1-shown"
	press q
	await_not window_of disc.svg
}

# --- Nautilus

nautilus() { # FILE: shown, and selected
	as_user env -u GTK_THEME GSK_RENDERER=cairo nautilus --new-window --select "$1" &
}
nautilus_pick() { # PATTERN
	focus "$title"
	press Escape ctrl+s
	focus 'Select Items Matching'
	write "$1"
	answer 'Select Items Matching' Return
	focus "$title"
}
declare -A downs=([burn]=1 [discard]=2 [show]=3)
nautilus_menu() { # FILE VERB
	local i
	nautilus_pick "$1"
	pop_up Menu
	slowly Up Up
	shot nautilus-menu
	slowly Right
	for ((i = 0; i < downs[$2]; i++)); do
		slowly Down
	done
	shot "nautilus-menu-$2"
	slowly Return
}

in_trash() { # NAME
	as_user gio list trash:/// | grep -qx ".*$1"
}

nautilus_story() {
	title=^Holidays
	nautilus "$disc/kept"
	focus "$title"
	press ctrl+1
	copy_in nautilus copy/album
	await copied copy/album album
	shot nautilus-pasted

	copy_in nautilus new/letter
	focus 'File conflict'
	press shift+Tab
	shot nautilus-replace
	answer 'File conflict' Return
	await holds letter 'letter, and a better one'

	nautilus_pick kept
	pop_up F2
	press ctrl+a
	write renamed
	press Return
	await there renamed

	focus "$title"
	press ctrl+shift+n
	await window_of 'New Folder'
	write 'new folder'
	press Return
	await there 'new folder'

	nautilus_pick gone
	pop_up shift+Delete
	shot nautilus-delete
	press Return
	await_not there gone

	nautilus_pick back
	press Delete
	await there ".Trash-$uid/files/back"
	await in_trash back
	shot nautilus-trashed
	focus "$title"
	press ctrl+z
	await there back
	nautilus_pick doomed
	press Delete
	await there ".Trash-$uid/files/doomed"
	mean 'cp -a ../home/outside/copy/album .; cp -a ../home/outside/new/letter .; mv kept renamed; mkdir "new folder"
		rm gone doomed'
}

# A disc with a line of fstab is among the other locations.
nautilus_unmounts() {
	focus "$title"
	press Escape ctrl+l
	write other-locations:///
	press Return
	await window_of 'Other Locations'
	focus 'Other Locations'
	sleep 1 # it asks for the free space
	pop_up Menu
	shot nautilus-unmount
	slowly Up Up Return
	await_not mounted
	await_end "$daemon"
	as_user nautilus -q || true # it always says 255
}

prepare
xdotool mousemove 999 699 # menus go by where it points, too
install_viewer
as_user dbus-monitor --session "interface='org.freedesktop.Notifications'" >notes 2>&1 &
nautilus_story
menu_story nautilus renamed 2
nautilus_unmounts
check_disc

# --- Dolphin

dolphin() { # FILE: shown, and selected
	as_user env QT_QPA_PLATFORM=xcb dolphin --new-window --select "$1" 2>>dolphin.log &
}
dolphin_pick() { # BEGIN-OF-A-NAME
	focus "$title"
	press Escape
	sleep 1.2 # what is typed before that would be one word with it
	write "$1"
}
# The second from below.
dolphin_menu() { # FILE VERB
	local i
	dolphin_pick "$1"
	pop_up Menu
	slowly Up Up Right
	for ((i = 1; i < downs[$2]; i++)); do
		slowly Down
	done
	shot "dolphin-menu-$2"
	slowly Return
}

# Its trash for what lies on a file is the home directory's.
dolphin_story() {
	title=^disc
	dolphin "$disc/letter"
	focus "$title"
	copy_in dolphin copy2/songs
	await copied copy2/songs songs
	shot dolphin-pasted

	copy_in dolphin new2/letter
	focus '^File Already Exists'
	shot dolphin-replace
	answer '^File Already Exists' alt+o
	await holds letter 'letter, and the best one'

	dolphin_pick renamed
	press F2 ctrl+a
	write 'renamed again'
	press Return
	await there 'renamed again'

	press F10
	focus '^New Folder'
	press ctrl+a
	write 'one more'
	answer '^New Folder' Return
	await there 'one more'

	dolphin_pick album
	press shift+Delete
	focus '^Delete Permanently'
	shot dolphin-delete
	answer '^Delete Permanently' Return
	await_not there album

	dolphin_pick back
	press Delete
	await_not there back
	press ctrl+z
	await there back
	shot dolphin-undone
	dolphin_pick back
	press Delete
	await_not there back

	press ctrl+3
	await there .directory
	press ctrl+1
	shot dolphin-trashed
	mean 'cp -a ../home/outside/copy2/songs .; cp -a ../home/outside/new2/letter .
		mv renamed "renamed again"; mkdir "one more"; rm -r album back'
}

# A view for each folder; and without the plugin for activities, which isn't everywhere, the menu's end is the same.
as_user sh -c 'mkdir -p ~/.config && cd ~/.config && printf "[General]\nGlobalViewProps=false\n" >dolphinrc
	printf "[Show]\nkactivitymanagerd_fileitem_linking_plugin=false\n" >kservicemenurc'
mount_it commit=manual
dolphin_story
check_free
menu_story dolphin 'renamed again' 3
as_user gio mount -u "$disc"
! mounted || fail "it's still mounted"
await_end "$daemon"
check_disc
