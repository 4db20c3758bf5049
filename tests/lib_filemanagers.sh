# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disc with a few files, mounted by an ordinary user on a desktop, and what tests of file managers ask of it. Read
# instead of lib_desktop.sh; `begin_desktop` and `prepare` make all that.
# shellcheck source=SCRIPTDIR/lib_desktop.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_desktop.sh"
disc=$T/home/disc
meant=$T/meant
outside=$T/home/outside

# In the mount only its owner is let in.
there() { # NAME…
	local name
	for name in "$@"; do
		as_user test -e "$disc/$name" || return 1
	done
}
holds() { # NAME TEXT
	[ "$(as_user cat "$disc/$1")" = "$2" ]
}
said() { # JQ-EXPRESSION
	as_user cat "$disc/.discfs/status.json" | jq -r "$1"
}
said_is() { # JQ-EXPRESSION-ON-LAST TEXT
	[ "$(said ".last | $1")" = "$2" ]
}
copied() { # FOLDER: as it is outside
	as_user diff -r "$outside/$1" "$disc/$2"
}
mount_it() { # OPTIONS
	echo "$T/disc.img $disc discfs user,noauto,nofail,x-gvfs-show,x-gvfs-name=Holidays,x-gvfs-icon=media-optical,$1 0 0" >fstab
	as_user mount "$disc"
	# shellcheck disable=SC2034 # for who waits for its end
	daemon=$(said .pid)
}
mounted() {
	grep -qF " $disc " /proc/self/mountinfo
}
sessions() {
	toc disc.img | grep -c '^ISO session'
}

# The disc as others see it, and as discfs does.
check_disc() {
	extract_xorriso disc.img extracted >/dev/null 2>&1
	assert_same_tree extracted "$meant" --without root,dirtime
	mount_disc disc.img again -o ro
	assert_same_tree again "$meant" --without root,dirtime
	unmount again
}

# What it is about, and where: the same files for each program.
prepare() {
	mkdir -p "$meant"/old "$outside"/{copy/album/sub,copy2/songs,drag/film,drag2/plans,new,new2}
	seq 100000 >"$meant/old/numbers"
	for file in letter doomed gone kept back; do
		echo "$file as it was" >"$meant/$file"
	done
	head -c 3000000 /dev/urandom >"$outside/copy/album/sub/big"
	echo 'a name' >"$outside/copy/album/a name, with 'quotes' €"
	seq 2000 >"$outside/drag/film/scenes"
	head -c 200000 /dev/urandom >"$outside/copy2/songs/one"
	seq 3000 >"$outside/drag2/plans/first"
	echo 'letter, and a better one' >"$outside/new/letter"
	echo 'letter, and the best one' >"$outside/new2/letter"
	find "$meant" "$outside" -exec touch -d '2020-05-04 03:02:01' {} +
	touch -d '2024-01-02 03:04:05' "$outside"/new*/letter
	make_disc disc.img dvd
	chown -R "$user:" "$meant" "$outside" disc.img
	as_user mkdir "$disc"
	mount_it commit=manual
	as_user cp -a "$meant/." "$disc/"
	as_user discfsctl commit "$disc"
	check_free
}
mean() {
	as_user sh -euc "cd '$meant'; $1"
}

# What shows a picture.
install_viewer() {
	as_user mkdir -p "$T/home/.local/share/applications" "$T/home/.config"
	printf '[Desktop Entry]\nType=Application\nName=Viewer\nExec=display %%f\nMimeType=image/svg+xml;\n' \
		>"$T/home/.local/share/applications/viewer.desktop"
	printf '[Default Applications]\nimage/svg+xml=viewer.desktop\n' >"$T/home/.config/mimeapps.list"
}

# The number that file managers show.
check_free() {
	assert_equal "$(as_user gio info -f -a filesystem::free "$disc" | sed -n 's/.*free: //p')" "$(said .room.free_bytes)" free
}

open_windows() { # PROGRAM…: on outside/new and the disc
	as_user "$@" "$outside/copy" &
	place '^copy' 0 0
	as_user "$@" "$disc" &
	place '^disc' 350 250
}
