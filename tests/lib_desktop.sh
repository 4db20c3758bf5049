# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A desktop without a screen, for programs with windows: an X server, a window manager, the buses with udisks on them, all
# of an ordinary user's in a mount namespace of the caller's own; and hands for it. To be read instead of lib.sh, as root:
#   . lib_desktop.sh; begin_desktop
#   as_user thunar DIR &        focus TITLE        press KEYS…        await COMMAND…        shot NAME
# Everything waits for what is seen: a window's title, a file; nothing for a length of time.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
user=discfs-test-$$
export DISPLAY
SCREEN=${SCREEN:-1000x700}

as_user() { # COMMAND…
	runuser -u "$user" -- env -i PATH="$T/usr/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$T/home" LC_ALL=C.UTF-8 TZ=UTC \
		DISCFS_TEST_ID="$DISCFS_TEST_ID" DISPLAY="$DISPLAY" XDG_RUNTIME_DIR="/run/user/$uid" \
		XDG_DATA_DIRS="$T/usr/share:/usr/share" DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/system-bus" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" GTK_THEME=Adwaita "$@"
}

make_user() {
	useradd --system --create-home --home-dir "$T/home" --shell /bin/bash "$user"
	cleanup_fn userdel "$user"
	uid=$(id -u "$user")
	open_fuse
	install -d -m 700 -o "$user" "/run/user/$uid"
	cleanup_fn rm -rf "/run/user/$uid"
}

begin_buses() {
	cat >bus.conf <<-END
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		<type>system</type><listen>unix:path=$T/system-bus</listen><auth>EXTERNAL</auth>
		<policy context="default">
		<allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow eavesdrop="false"/>
		<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
		<allow receive_type="signal"/><allow send_requested_reply="true"/><allow send_type="signal"/>
		</policy>
		</busconfig>
	END
	dbus-daemon --config-file=bus.conf --nofork >bus.log 2>&1 &
	as_user dbus-daemon --session --address="unix:path=/run/user/$uid/bus" --nofork >session-bus.log 2>&1 &
	await test -S "$T/system-bus" -a -S "/run/user/$uid/bus"
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/system-bus /usr/libexec/udisks2/udisksd >udisks.log 2>&1 &
	await as_user busctl status org.freedesktop.UDisks2
}

begin_desktop() {
	leave_other_mounts # gvfs looks for a trash in every mount that it sees, too, and waits for those that don't answer
	requires unshare runuser useradd userdel fusermount3 Xvfb xdotool openbox import dbus-daemon busctl xprop gio
	[ -x /usr/libexec/udisks2/udisksd ] || skip "needs udisks2"
	[ -u "$(readlink -f "$(command -v fusermount3)")" ] || skip "fusermount3 isn't setuid"
	[ -e /etc/mtab ] || skip "without /etc/mtab fusermount3 unmounts nothing for ordinary users"
	make_user
	install_discfs
	Xvfb -displayfd 5 -screen 0 "${SCREEN}x24" -nolisten tcp -ac 5>display 2>xvfb.log &
	await test -s display
	DISPLAY=:$(cat display)
	begin_buses
	as_user openbox 2>openbox.log &
	await sh -c 'xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 0x'
}

# --- eyes

await_failed() {
	[ -z "${DISPLAY:-}" ] || shot failed
}
await_not() {
	await awaited_not "$@"
}
awaited_not() {
	! "$@"
}

shot() { # NAME
	mkdir -p "$BUILD/log"
	import -window root "$BUILD/log/$(basename "$0" .sh)-$1.png"
}

window_of() { # TITLE: a regular expression; leaves the newest such window in $window
	window=$(xdotool search --onlyvisible --name "$1" 2>/dev/null | tail -n 1)
	[ -n "$window" ]
}

# --- hands

focus() { # TITLE
	await window_of "$1"
	await focus_taken
}
focus_taken() {
	xdotool windowactivate "$window"
	sleep 0.1
	[ "$(xdotool getactivewindow)" = "$window" ]
}

# place TITLE X Y: and its size
place() {
	await window_of "$1"
	xdotool windowsize --sync "$window" 640 400
	xdotool windowmove "$window" "$2" "$3"
}

press() { # KEY…
	xdotool key --delay 30 "$@"
}

write() { # TEXT
	xdotool type --delay 15 -- "$1"
}

# answer TITLE KEY…: a dialog, which goes then
answer() {
	local title=$1
	shift
	focus "$title"
	press "$@"
	await_not window_of "$title"
}

# Drags from one place of the screen to another, as a hand would: programs want to see it move.
drag() { # X Y TO-X TO-Y
	local i
	xdotool mousemove "$1" "$2" mousedown 1
	for ((i = 1; i <= 20; i++)); do
		xdotool mousemove $(($1 + ($3 - $1) * i / 20)) $(($2 + ($4 - $2) * i / 20))
		sleep 0.03
	done
	sleep 0.2
	xdotool mouseup 1
}
