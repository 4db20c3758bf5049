#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# commit --to FILE: the session goes to a file, to be burned later. What is in the file, on a blank image and on one with
# sessions; that everything stays staged; that the disc is known again when it has got the session, also when the staged
# work went on meanwhile; and what can go wrong on the way: nothing is left behind then.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # mounts
requires xorriso jq sqlite3

staged() { # DIR
	status "$1" '.staged | .added + .modified + .deleted + .renamed'
}

names() { # DIR
	(
		shopt -s dotglob nullglob
		cd "$1" || exit
		printf '%s ' *
	)
}
to_file() { # DIR FILE [OPTIONS…]
	timeout 120 discfsctl commit "$1" --to "$2" "${@:3}"
}

# The command line that the last one told
burn_it() {
	timeout 60 sh -c "$burn"
}

changes_1() {
	mkdir -p docs/deep
	head -c 300000 /dev/urandom >docs/large
	echo small >docs/deep/small
	ln docs/deep/small docs/linked
	ln -s deep/small docs/soft
	: >docs/empty
	setfattr -n user.word -v one docs/large
}
changes_2() {
	mv docs/large moved
	rm docs/linked
	echo more >>docs/deep/small
	head -c 100000 /dev/urandom >docs/new
}

# Through xorriso, with all of libisofs' sums
check_sums() { # FILE
	xorriso -abort_on FATAL -return_with SORRY 32 -md5 on -indev "$1" -check_md5 FATAL -- \
		-check_md5_r FATAL / -- >said 2>&1 || fail "$1: $(cat said)"
	grep -qx "Ok, session data match recorded md5." said
}

# --- a blank disc: the file is all of it ----------------------------------------------

mkdir files
make_disc disc.img
mount_disc disc.img mnt
(cd mnt && changes_1)
manifest mnt --without root,mtime >tree-1
before=$(sha256sum <disc.img)
to_file mnt "files/first one.img" --label BLANK >said
grep -q "^The whole disc is in $T/files/first one.img: " said
grep -q "Everything stays staged" said
assert_equal "$(sha256sum <disc.img)" "$before" "the disc"
assert_equal "$(staged mnt)" 7 "staged changes"
assert_equal "$(ls -A files)" "first one.img"
assert_equal "$(status mnt .last.op)" to-file
assert_equal "$(status mnt .last.file)" "$T/files/first one.img"
assert_equal "$(status mnt .last.head_file)" null
assert_equal "$(status mnt .last.start)" 32
assert_equal $((($(status mnt .last.sectors) + 32) * 2048)) "$(stat -c %s "files/first one.img")" "bytes of the file"
burn=$(status mnt .last.burn)
[ "$(toc "files/first one.img" | grep -c '^ISO session  :   1 ,        32 ')" = 1 ]
check_sums "files/first one.img"
extract_xorriso "files/first one.img" found
assert_same_tree found tree-1 --without root,mtime

# The file is an image as any other: it's mounted, and goes on by itself, and takes nothing from the disc.
cp "files/first one.img" copy.img
mount_disc copy.img copy
assert_same_tree copy tree-1 --without root,mtime
assert_equal "$(staged copy)" 0 "staged changes"
echo here >copy/only-here
commit copy
unmount copy
assert_equal "$(staged mnt)" 7 "staged changes"
unmount mnt
mount_disc "files/first one.img" copy # with the disc not mounted
assert_same_tree copy tree-1 --without root,mtime
unmount copy
mount_disc disc.img mnt
assert_equal "$(staged mnt)" 7 "staged changes"
unmount mnt

# The disc gets it, and is known.
burn_it
mount_disc disc.img mnt
assert_equal "$(staged mnt)" 0 "staged changes"
assert_equal "$(status mnt '.sessions | length')" 1 sessions
assert_same_tree mnt tree-1 --without root,mtime
assert_equal "$(ls -A "$XDG_STATE_HOME/discfs/to-file")" ""

# --- a disc with a session: the file is the new session, with its head beside it -------

(cd mnt && changes_2)
manifest mnt --without root,mtime >tree-2
old=$(sha256sum <disc.img)
start=$(status mnt .room.next_start)
tell mnt "commit --to=$T/files/second\\040one.img -- SECOND THING"
assert_equal "$(status mnt .last.file)" "$T/files/second one.img"
assert_equal "$(status mnt .last.head_file)" "$T/files/second one.img.head"
assert_equal "$(status mnt .last.start)" "$start" "start"
assert_match "$(status mnt .last.message)" "made for this disc, and there for sector $start"
assert_equal "$(stat -c %s "files/second one.img")" $(($(status mnt .last.sectors) * 2048)) "bytes of the session"
assert_equal "$(stat -c %s "files/second one.img.head")" $((257 * 2048)) "bytes of the head, through UDF's anchor"
assert_equal "$(sha256sum <disc.img)" "$old" "the disc"
assert_equal "$(names files)" "first one.img second one.img second one.img.head "
burn=$(status mnt .last.burn)
unmount mnt
cp disc.img before.img
cp -a state state-before

# Only the session, without its head: the disc is as it was, and all is staged.
dd if="files/second one.img" of=disc.img bs=2048 seek="$start" conv=notrunc status=none
mount_disc disc.img mnt
assert_same_tree mnt tree-2 --without root,mtime
[ "$(staged mnt)" -gt 3 ]
unmount mnt
burn_it
mount_disc disc.img mnt
assert_equal "$(staged mnt)" 0 "staged changes"
assert_equal "$(status mnt '.sessions | length')" 2 sessions
assert_same_tree mnt tree-2 --without root,mtime
assert_equal "$(status mnt .label)" "SECOND THING"
sqlite3 "$(echo "$XDG_STATE_HOME"/discfs/*/overlay.db | tr ' ' '\n' | head -n 1)" "SELECT 1" >/dev/null
echo third >mnt/third
commit mnt
unmount mnt
check_sums disc.img
extract_xorriso disc.img found
assert_equal "$(cat found/third)" third
rm found/third
assert_same_tree found tree-2 --without root,mtime
extract_xorriso disc.img found 1
assert_same_tree found tree-1 --without root,mtime

# --- the disc gets it while it's mounted ----------------------------------------------

back_to_the_file() {
	rm -rf state disc.img
	cp -a state-before state
	cp before.img disc.img
}
back_to_the_file
mount_disc disc.img mnt
burn_it
assert_exit 11 discfsctl commit mnt
assert_same_tree mnt tree-2 --without root,mtime
unmount mnt
mount_disc disc.img mnt
assert_equal "$(staged mnt)" 0 "staged changes"
assert_same_tree mnt tree-2 --without root,mtime
unmount mnt

# --- the staged work went on: nothing of it is lost, and the next session has all of it -

back_to_the_file
mount_disc disc.img mnt
echo later >mnt/later
rm mnt/docs/new
echo changed >mnt/docs/deep/small
manifest mnt --without root,mtime >tree-3
unmount mnt
burn_it
mount_disc disc.img mnt
assert_same_tree mnt tree-3 --without root,mtime
[ "$(staged mnt)" -gt 3 ]
unmount mnt
mount_disc disc.img mnt # and again
assert_same_tree mnt tree-3 --without root,mtime
commit mnt
assert_equal "$(staged mnt)" 0 "staged changes"
unmount mnt
rm -rf state # nothing but the disc
mount_disc disc.img mnt
assert_equal "$(status mnt '.sessions | length')" 3 sessions
assert_same_tree mnt tree-3 --without root,mtime
unmount mnt
extract_xorriso disc.img found
assert_same_tree found tree-3 --without root,mtime

# --- it was all discarded: then the session is one as any, and what it holds is there --

back_to_the_file
mount_disc disc.img mnt
discfsctl discard --yes mnt
unmount mnt
burn_it
mount_disc disc.img mnt
assert_equal "$(staged mnt)" 0 "staged changes"
assert_same_tree mnt tree-2 --without root,mtime
unmount mnt

# --- what arrives isn't what was in the file: it isn't taken for it -------------------

back_to_the_file
burn_it
content=$(xorriso -indev disc.img -find /docs/new -exec report_lba -- 2>/dev/null | sed -n 's/^File data lba: *[0-9]* , *\([0-9]*\) .*/\1/p')
printf X | dd of=disc.img bs=1 seek=$((content * 2048 + 1234)) conv=notrunc status=none
mount_disc disc.img mnt
assert_same_tree mnt tree-2 --without root,mtime
[ "$(staged mnt)" -gt 3 ]
commit mnt
unmount mnt
extract_xorriso disc.img found
assert_same_tree found tree-2 --without root,mtime

# --- the daemon dies while it takes the session over ----------------------------------

for point in frozen filled planned burning written checked published idle; do
	back_to_the_file
	burn_it
	if timeout 60 env DISCFS_FAULT="phase-$point-after:kill" discfs disc.img mnt; then
		fail "discfs lives on behind $point"
	fi
	mount_disc disc.img mnt
	assert_same_tree mnt tree-2 --without root,mtime
	echo more >mnt/more
	commit mnt
	unmount mnt
	extract_xorriso disc.img found
	rm found/more
	assert_same_tree found tree-2 --without root,mtime
done
check_state

# --- what is refused -------------------------------------------------------------------

back_to_the_file
mount_disc disc.img mnt
work=$(staged mnt)
mkdir refused refused/dir bound
echo mine >refused/mine
mkfifo refused/fifo
ln -s ../mnt refused/link
mount --bind mnt bound
cleanup_fn umount -l "$T/bound"
find refused | LC_ALL=C sort >refused-names
refused() { # WHAT-IS-SAID FILE
	assert_fails "$1" to_file mnt "$2"
}
refused "there is such a file already" refused/mine
assert_equal "$(cat refused/mine)" mine
refused "Is a directory" refused/dir
refused "isn't an ordinary file" refused/fifo
refused "No such file or directory" refused/none/file
refused "disc's own mount" mnt/file
refused "disc's own mount" mnt/docs/file
refused "disc's own mount" refused/link/docs/file
refused "disc's own mount" bound/file
umount bound
assert_fails "disc's own image" to_file mnt disc.img --force
assert_fails "isn't an ordinary file" to_file mnt /dev/null --force
assert_fails "Is a directory" to_file mnt refused/dir --force
for words in "--to=files/relative" "--to=" "--to" "--force" "--to=$T/files/x --finalize" "--to=$T/files/x --simulate" \
	"--to=$T/files/x --speed=1000"; do
	assert_fails "Invalid argument" tell mnt "commit $words"
done
assert_exit 1 to_file mnt files/x --finalize
assert_exit 1 discfsctl commit mnt --force
chmod 555 refused
find refused | LC_ALL=C sort | diff - refused-names
chmod 755 refused
assert_equal "$(staged mnt)" "$work" "staged changes"
assert_same_tree mnt tree-2 --without root,mtime

# A dry run tells the same size, and writes nothing.
to_file mnt files/dry --dry-run >said
grep -q "nothing was written" said
[ ! -e files/dry ]

# Where files without a name can't be made: on a disc that discfs has mounted.
make_disc other.img
mount_disc other.img other
to_file mnt other/file >said
assert_equal "$(names other)" "file file.head "
assert_equal "$(stat -c %s other/file)" "$(stat -c %s "files/second one.img")" "bytes of the session"
assert_fails "there is such a file already" to_file mnt other/file
to_file mnt other/file --force >said
assert_equal "$(names other)" "file file.head "
unmount other

# What is there is replaced as a whole, with --force.
to_file mnt refused/mine --force >said
cmp refused/mine "files/second one.img" || assert_equal "$(stat -c %s refused/mine)" "$(stat -c %s "files/second one.img")"
rm refused/mine.head

# --- a full file system ------------------------------------------------------------------

mkdir small
mount -t tmpfs -o size=64k tmpfs small
cleanup_fn umount -l "$T/small"
assert_exit 13 to_file mnt small/file
assert_equal "$(ls -A small)" ""
assert_less "$(df --output=used -k small | tail -n 1)" 1 "KiB left behind"
assert_equal "$(staged mnt)" "$work" "staged changes"
mount -o remount,size=4m small
to_file mnt small/file
assert_equal "$(names small)" "file file.head "
umount small
unmount mnt

# --- cancelled, killed -------------------------------------------------------------------

rm -rf files/*
mount_waiting() { # POINT
	export DISCFS_FAULT="$1:await=$T/go"
	rm -f go
	mount_disc disc.img mnt
	unset DISCFS_FAULT
	tell mnt "commit-nowait --to=$T/files/file"
	for _ in {1..100}; do
		[ "$(status mnt .work.phase)" != burning ] || return 0
		sleep 0.05
	done
	fail "nothing is burned"
}
for point in burn-start burn-middle burn-written; do
	mount_waiting $point
	(
		sleep 0.3
		touch go
	) &
	attempt limited discfsctl cancel mnt
	wait
	assert_equal "$(status mnt .last.exit)" 22 "exit code"
	assert_equal "$(ls -A files)" ""
	assert_equal "$(staged mnt)" "$work" "staged changes"
	to_file mnt files/file >said # the next one goes well
	assert_equal "$(names files)" "file file.head "
	rm files/*
	unmount mnt
done
for point in burn-start burn-middle burn-written; do
	mount_waiting $point
	kill_daemon mnt
	touch go
	assert_equal "$(ls -A files)" ""
	mount_disc disc.img mnt
	assert_same_tree mnt tree-2 --without root,mtime
	assert_equal "$(staged mnt)" "$work" "staged changes"
	unmount mnt
done
for point in burn-start:5 burn-middle:kill burn-written:28; do
	export DISCFS_FAULT=$point
	mount_disc disc.img mnt
	unset DISCFS_FAULT
	assert_fails "Nothing was burned, and everything is still staged" to_file mnt files/file
	assert_equal "$(ls -A files)" ""
	assert_equal "$(staged mnt)" "$work" "staged changes"
	unmount mnt
done
mount_disc disc.img mnt
commit mnt # to the disc itself: files that were made for what it was are nobody's any more
unmount mnt
extract_xorriso disc.img found
assert_same_tree found tree-2 --without root,mtime
check_state
