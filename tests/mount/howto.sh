#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# README's first disc and the how-to pages work as they stand: the command lines that are marked as sh are run, page by page, in order, and the
# disc has what the page says.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires rsync xorriso python3

blocks() { # PAGE LANGUAGE: what stands between ```LANGUAGE and ```
	awk -v fence="\`\`\`$2" '$0 == "```" { inside = 0 } inside; $0 == fence { inside = 1 }' "$TOP/$1.md"
}
follow() { # PAGE LINES: runs it; whatever asks something finds nobody at the terminal
	blocks "$1" sh >commands
	[ "$(wc -l <commands)" -ge "$2" ] || fail "$1 has only $(wc -l <commands) commands"
	HOME=$PWD timeout 60 bash -eux -o pipefail commands >said 2>&1 </dev/null || fail "$1: $(cat said)"
}
page() { # PAGE: a place of its own
	mkdir "$T/$1"
	cd "$T/$1"
}

page readme
cp -a "$TOP/docs" .
follow README 8
[ "$(discfsctl log first.img --json | grep -o '"label":"FIRST"' | wc -l)" = 1 ] || fail "README's disc: $(discfsctl log first.img --json)"

page first-disc
mkdir -p Pictures/2026
echo sharp >Pictures/2026/beach.jpg
echo blurred >Pictures/2026/blurred.jpg
follow docs/howto-first-disc 10
discfs holiday.img disc -o ro
assert_equal "$(cat disc/summer/beach.jpg)" sharp
[ ! -e disc/summer/blurred.jpg ]
assert_equal "$(discfsctl log disc --json | grep -o '"label"' | wc -l)" 2
discfsctl umount disc

page rsync
mkdir documents
echo one >documents/first
follow docs/howto-rsync 6
echo two >documents/second
blocks docs/howto-rsync sh | sed 1,2d >again
bash -eux again
discfs backup.img disc -o ro
diff -r documents disc/documents
discfsctl umount disc
# cron's script, with its places changed; it burns, and is silent
blocks docs/howto-rsync backup-to-disc | sed "s,from=/home/,from=$PWD/documents/,; s,/srv/backup.img,$PWD/backup.img,; s,/mnt/backup,$PWD/disc," >script
echo three >documents/third
timeout 60 sh script >said 2>&1 || fail "cron's script: $(cat said)"
assert_equal "$(cat said)" ""
discfs backup.img disc -o ro
diff -r documents disc/home
discfsctl umount disc

page archive
mkdir papers
cp "$TOP"/docs/*.md papers/
cp "$TOP/LICENSE" papers/licence.txt
follow docs/howto-archive 14
grep -q 'papers/licence.txt' said

page failed-burn
discfsctl create holiday.img --media cd
mkdir disc
DISCFS_FAULT=burn-middle:5 discfs holiday.img disc
head -c 1000000 /dev/urandom >disc/film
assert_exit 20 discfsctl commit disc
discfsctl umount disc
discfs holiday.img disc
follow docs/howto-failed-burn 14
discfsctl verify other.img
assert_equal "$(discfsctl log other.img --json | grep -o '"label"' | wc -l)" 1

page sessions
discfsctl create holiday.img --media cd
mkdir disc
discfs holiday.img disc
echo "Dear Anna" >disc/letter.txt
discfsctl commit disc
rm disc/letter.txt
echo new >disc/new.txt
discfsctl commit disc
follow docs/howto-sessions 16
assert_equal "$(cat letter.txt)" "Dear Anna"
discfs holiday.img disc -o ro
assert_equal "$(cat disc/letter.txt disc/new.txt)" "Dear Anna
new"
discfsctl umount disc

# --- what the documents refer to is there
cd "$TOP"
for document in *.md docs/*.md; do
	{ grep -oE '\]\([^)#:]+[)#]' "$document" || true; } | tr -d '](#)' | sort -u | while read -r place; do
		[ -e "$(dirname "$document")/$place" ] || fail "$document refers to $place, which isn't there"
	done
done
