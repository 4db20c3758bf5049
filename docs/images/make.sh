#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes README's pictures anew, from the programs that were built: a session in a real terminal (terminal.svg), and the
# disc of it as discfs draws it (disc.svg). Needs /dev/fuse and python3.
set -eu
cd "$(dirname "$0")"
images=$PWD
cd ../..
PATH=$(cd "${DISCFS_BUILD:-build}" && pwd):$PATH
place=/tmp/holiday # shown in the picture
mkdir "$place"

clean_up() {
	cd /
	! mountpoint -q "$place/disc" || fusermount3 -uz "$place/disc"
	rm -rf "$place"
}
trap clean_up EXIT
cd "$place"
export XDG_STATE_HOME=$place/.state TERM=xterm-256color LC_ALL=C.UTF-8
unset NO_COLOR
mkdir pictures
for picture in beach:48 harbour:61 hotel:23; do
	head -c $((${picture#*:} * 1000000)) /dev/urandom >"pictures/${picture%:*}.jpg"
done
head -c 90000000 /dev/urandom >film.mkv
sync

cat >session <<'END'
discfsctl create holiday.img --media cd
mkdir disc
discfs holiday.img disc
cp -a pictures disc/
discfsctl status disc
discfsctl commit disc --label HOLIDAY
mv disc/pictures disc/2026
rm disc/2026/hotel.jpg
cp film.mkv disc/
discfsctl diff disc
discfsctl commit disc
discfsctl log disc
echo "And a word more" >disc/notes.txt
discfsctl map disc
END
"$images/record.py" --columns 92 session >terminal.svg
cat disc/.discfs/map.svg >disc.svg
discfsctl umount disc
cp terminal.svg disc.svg "$images/"
