#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the picture of docs/howto-file-managers.md anew, from the real Thunar with a mounted disc: thunar.png. As root, with
# the packages of `tests/deps.sh desktop`, on what was built.
images=$(cd "$(dirname "$0")" && pwd)
[ -n "${DESKTOP_TEST_INSIDE:-}" ] || exec env DESKTOP_TEST_INSIDE=1 unshare --mount --propagation private bash "$images/thunar.sh"
. "$images/../../tests/lib_desktop.sh"
requires thunar convert
begin_desktop
make_disc disc.img dvd
disc=/media/holidays
mount -t tmpfs tmpfs /media
install -d -o "$user" $disc
chown "$user" disc.img
echo "$T/disc.img $disc discfs user,noauto,x-gvfs-show,x-gvfs-name=Holidays,x-gvfs-icon=media-optical 0 0" >fstab
as_user mount $disc
# shellcheck disable=SC2016 # the variable is of that shell
as_user sh -euc 'cd /media/holidays; mkdir 2024 2025 2026; for name in beach harbour hotel; do
	convert -size 640x480 plasma:steelblue-khaki $name.jpg; done; seq 900000 >letters.txt'
as_user discfsctl commit $disc
as_user sh -euc 'cd /media/holidays; mkdir new; mv hotel.jpg 2026'
as_user thunar $disc &
place '^holidays - Thunar' 0 0
focus '^holidays - Thunar'
sleep 2 # until it has drawn itself, which nothing tells
import -window "$window" png:- | convert - -strip -dither None -colors 200 -define png:compression-level=9 "$images/thunar.png"
as_user thunar -q
as_user umount $disc
