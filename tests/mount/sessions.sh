#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# Going back: .discfs/sessions/N shows each session as it was committed, xorriso sees the same there, and nothing can be
# changed in it; a copy out of it takes no room. restore stages a file, a tree or everything of a session by reference:
# the next session has no sector of data for it. log tells what each session changed.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires genisoimage jq setfattr setfacl xorriso sqlite3 python3

old=mnt/.discfs/sessions

# Everything as in that manifest, by names and attributes and bytes.
check_mount() { # N
	assert_same_tree mnt "m$1"
}

staged() {
	timeout 60 discfsctl diff mnt
}

rows_staged() {
	sync mnt
	sqlite3 "$(status mnt .state_directory)/overlay.db" \
		"SELECT 'name', parent, name FROM dirent WHERE gen>0 UNION ALL SELECT 'node', ino, mode FROM node WHERE gen>0"
}

# --- three sessions -------------------------------------------------------------------

make_disc disc.img cd
mount_disc disc.img mnt

odd=$'new\nline \\ and \303\244'
mkdir -p mnt/docs/deep/er "mnt/$odd" mnt/empty
for n in {1..30}; do
	head -c $((n * 997)) /dev/urandom >"mnt/docs/file-$n"
done
head -c 5000000 /dev/urandom >mnt/docs/deep/big
echo text >"mnt/$odd/text"
: >mnt/nothing
ln mnt/docs/file-1 mnt/docs/deep/link
ln mnt/docs/file-1 mnt/third-name
ln -s docs/file-2 mnt/soft
mkfifo mnt/fifo
setfattr -n user.colour -v blue mnt/docs/file-3
setfacl -m u:12345:r mnt/docs/file-4
chmod 750 mnt/docs
chown 4711:815 mnt/docs/file-5
touch -d @1234567890 mnt/docs/file-6 mnt/docs/deep
manifest mnt >m1
commit mnt ONE

rm mnt/docs/file-{7,8,9} mnt/third-name
head -c 40000 /dev/urandom >mnt/docs/file-10
echo more >>mnt/docs/file-11
mv mnt/docs/deep mnt/moved
chmod 600 mnt/docs/file-12
setfattr -n user.colour -v red mnt/docs/file-3
ln -sfn docs/file-1 mnt/soft
mkdir mnt/later
echo later >mnt/later/file
mv "mnt/$odd/text" "mnt/$odd/texts"
manifest mnt >m2
commit mnt TWO

rm -r mnt/docs mnt/moved "mnt/$odd"
rmdir mnt/empty
echo third >mnt/empty # a file where a directory was
manifest mnt >m3
commit mnt THREE

# --- they are all there ------------------------------------------------------------------

ls -A mnt >listed
assert_fails "" grep discfs listed
assert_equal "$(find $old -maxdepth 1 -printf '%P ')" " 1 2 3 "
for name in 0 01 4 x 1x -1 99999; do
	assert_fails "No such file" stat "$old/$name"
done
for n in 1 2 3; do
	assert_same_tree $old/$n m$n
	extract_xorriso disc.img extracted $n >/dev/null 2>&1
	assert_same_tree extracted $old/$n --without softmeta,root
done
# Nobody takes files of two sessions for the same one.
find mnt $old -printf '%i %n %y\n' | sort | uniq -c | awk '$1 > 1 && $4 != "d" && $1 != $3 { exit 1 }' ||
	fail "inode numbers of different files are equal"
assert_equal "$(cd $old/1/docs && pwd -P)" "$(realpath mnt)/.discfs/sessions/1/docs"
(cd $old/2/later && assert_equal "$(cat ../../1/nothing ../later/file)" later)
dd if=$old/1/docs/deep/big of=piece bs=1000 skip=777 count=99 status=none
assert_same_bytes piece <(tail -c +777001 $old/2/moved/big | head -c 99000)

# --- and stay as they are ---------------------------------------------------------------------

f=$old/1/docs/file-2
assert_fails "Read-only" touch $f
assert_fails "Read-only" touch $old/1/new
assert_fails "Read-only" sh -c "echo >$f"
assert_fails "Read-only" truncate -s 0 $f
assert_fails "Read-only" rm -f $f
assert_fails "Read-only" rmdir $old/1/empty
assert_fails "Read-only" mkdir $old/1/new
assert_fails "Read-only" mkdir $old/9
assert_fails "Read-only" rmdir $old/1
assert_fails "Read-only" mv $f mnt/
assert_fails "Read-only" mv mnt/nothing $old/1/
assert_fails "Read-only" ln $f mnt/linked
assert_fails "Read-only" ln -s x $old/1/new
assert_fails "Read-only" chmod 600 $f
assert_fails "Read-only" chown 1 $f
assert_fails "Read-only" setfattr -n user.x -v y $f
assert_fails "Read-only" setfattr -x user.colour $old/1/docs/file-3
assert_same_tree $old/1 m1
assert_equal "$(staged)" ""
assert_equal "$(rows_staged)" ""

# --- undelete -----------------------------------------------------------------------------------

cp -a $old/1/docs mnt/
assert_equal "$(status mnt .staged.bytes)" 0
assert_same_tree mnt/docs $old/1/docs --without root,links
assert_same_bytes mnt/docs/deep/big $old/1/docs/deep/big
# A program that reads and writes costs the spool what it writes; the disc nothing either.
rm mnt/docs/deep/big
dd if=$old/1/docs/deep/big of=mnt/docs/deep/big bs=64k status=none
assert_equal "$(status mnt .staged.bytes)" 5000000
timeout 60 discfsctl commit mnt --dry-run --json >planned
assert_less "$(jq .sectors planned)" $((200 + UDF_FRONT + $(find mnt | wc -l))) "sectors planned"
timeout 60 discfsctl discard mnt --yes
check_mount 3

# --- restore --------------------------------------------------------------------------------------

# The newest session is what is there: nothing to do.
timeout 60 discfsctl restore 3 mnt
assert_equal "$(rows_staged)" ""
# Whatever was staged since is gone, and nothing is staged.
rm -r mnt/later mnt/soft
mv mnt/nothing mnt/something
echo changed >mnt/empty
mkdir mnt/new
echo new >mnt/new/file
assert_fails "yes" discfsctl restore 3 mnt </dev/null
timeout 60 discfsctl restore 3 mnt --yes
check_mount 3
assert_equal "$(staged)" ""
assert_equal "$(rows_staged)" ""
assert_equal "$(cat mnt/empty)" third

# One file: its directories come as they were, with nothing else in them.
timeout 60 discfsctl restore 1 mnt/docs/file-3
assert_equal "$(find mnt/docs -mindepth 1)" mnt/docs/file-3
assert_equal "$(getfattr --only-values -n user.colour mnt/docs/file-3)" blue
assert_equal "$(stat -c '%a %Y' mnt/docs)" "$(stat -c '%a %Y' $old/1/docs)"
assert_equal "$(staged)" $'A docs\nA docs/file-3'
# Another version of it, in its place; again it's the same.
timeout 60 discfsctl restore 2 mnt/docs/file-3
assert_equal "$(getfattr --only-values -n user.colour mnt/docs/file-3)" red
number=$(stat -c %i mnt/docs/file-3)
timeout 60 discfsctl restore 2 mnt/docs/file-3
assert_equal "$(stat -c %i mnt/docs/file-3)" "$number"
# Names of one file are that again, when both are restored.
timeout 60 discfsctl restore 1 mnt/docs/file-1 mnt/third-name
assert_equal "$(stat -c '%i %h' mnt/docs/file-1)" "$(stat -c '%i %h' mnt/third-name)"
# A tree over what is there by now, and a file over a directory.
echo mine >mnt/docs/mine
rm mnt/empty
timeout 60 discfsctl restore 2 mnt/docs "mnt/$odd" mnt/empty
assert_same_tree mnt/docs $old/2/docs --without links
assert_equal "$(cat "mnt/$odd/texts")" text
[ -d mnt/empty ]
# What can't be.
assert_fails "has nothing there" discfsctl restore 3 mnt/docs
assert_fails "has nothing there" discfsctl restore 1 mnt/nowhere/file
assert_fails "no session 7" discfsctl restore 7 mnt/docs
assert_fails "which session" discfsctl restore mnt/docs
assert_fails "in the way" sh -c "rm -r mnt/later; echo >mnt/later; discfsctl restore 2 mnt/later/file"
assert_fails "Invalid" tell mnt restore 1x /docs
assert_fails "No such device" tell mnt restore 0
timeout 60 discfsctl discard mnt --yes
check_mount 3

# Everything, again and again, and it's there after a crash.
for n in 1 2 1 3 2; do
	timeout 60 discfsctl restore $n mnt --yes
	check_mount $n
done
kill_daemon mnt
mount_disc disc.img mnt
check_mount 2
assert_equal "$(status mnt .staged.bytes)" 0
timeout 60 discfsctl discard mnt --yes
check_mount 3
assert_equal "$(rows_staged)" ""

# Who has a file open keeps what he reads; who opens it gets the old one, whatever the kernel remembers.
timeout 60 discfsctl restore 1 mnt/docs
exec 7<mnt/docs/file-20
head -c 100 /dev/urandom >mnt/docs/file-21
truncate -s 1000000 mnt/docs/file-22
timeout 60 discfsctl restore 1 mnt --yes
check_mount 1
assert_same_bytes - $old/1/docs/file-20 <&7
exec 7<&-

# --- the session that brings it back --------------------------------------------------------------------

predicted=$(status mnt .room.predicted_sectors)
timeout 60 discfsctl commit mnt --dry-run --json >planned
sectors=$(jq .sectors planned)
[ "$predicted" -ge "$sectors" ]
assert_less "$sectors" $((100 + UDF_FRONT + $(find mnt | wc -l))) "sectors of a session without data"
commit mnt FOUR
assert_equal "$(status mnt .last.sectors)" "$sectors"
check_mount 1
assert_same_tree $old/4 m1
start=$(status mnt '.sessions[3].start')
extract_xorriso disc.img extracted >/dev/null 2>&1
assert_same_tree extracted $old/1 --without softmeta,root
unmount mnt
# No file's content lies in it.
xorriso -indev disc.img -find / -type f -exec report_lba -- 2>/dev/null >lbas
awk -F'[ ,]+' -v start="$start" '/^File data lba/ && $6 > 0 { n++; if ($5 >= start) exit 1 } END { exit n < 20 }' lbas ||
	fail "a file's content lies in the session: $(cat lbas)"
mount_disc disc.img mnt
check_mount 1
timeout 120 discfsctl verify mnt --all >/dev/null

# --- log -----------------------------------------------------------------------------------------------

timeout 60 discfsctl log mnt --json >told
assert_equal "$(jq -c '[.[].label]' told)" '["ONE","TWO","THREE","FOUR"]'
paths=$(($(wc -l <m1) - 1)) # without the root
assert_equal "$(jq -c '.[0] | [.added, .deleted, .renamed]' told)" "[$paths,0,0]"
jq -e '.[0].bytes > 5400000 and .[0].bytes < 5500000' told
assert_equal "$(jq -c '.[1] | [.added, .deleted, .renamed]' told)" '[2,4,2]'
assert_equal "$(jq -c '.[3].bytes' told)" 0
timeout 60 discfsctl log mnt | grep -E '^ +4 .* FOUR$'
unmount mnt
# A commit that fails is told with its reason.
DISCFS_FAULT=burn-middle:5 mount_disc disc.img mnt
echo x >mnt/x
assert_fails "" discfsctl commit mnt --label BROKEN
timeout 60 discfsctl log mnt --all --json | jq -e 'map(select(.label == "BROKEN")) | length == 1 and .[0].errno > 0'
assert_equal "$(discfsctl log mnt --json | jq length)" 4
unmount mnt
# Without a mount, and of a disc that isn't known, it's found out when somebody asks.
timeout 60 discfsctl log disc.img | grep -E '^ +1 .* - +- +- +ONE$'
XDG_STATE_HOME=$T/state2 mount_disc disc.img mnt
assert_equal "$(discfsctl log mnt --json | jq -c '[.[].added]')" "[null,null,null,null]"
assert_equal "$(discfsctl log mnt --stat --json | jq -c '[.[].bytes]')" "$(jq -c '[.[].bytes]' told)"
assert_equal "$(discfsctl log mnt --json | jq -c '.[2] | [.added, .modified, .renamed]')" "[0,1,0]"
# Many look at a session that isn't imported yet.
rm -rf "$(status mnt .state_directory)/sessions"
unmount mnt
XDG_STATE_HOME=$T/state2 mount_disc disc.img mnt
for n in {1..40}; do
	timeout 60 ls $old/$((n % 4 + 1)) >/dev/null &
	waits+=($!)
done
for n in "${waits[@]}"; do
	wait "$n"
done
# What is kept of a session and damaged is imported anew.
unmount mnt
for n in state2/discfs/*/sessions/*.db; do
	echo damaged >"$n"
done
XDG_STATE_HOME=$T/state2 mount_disc disc.img mnt
assert_same_tree $old/2 m2
unmount mnt

# --- an older one alone ----------------------------------------------------------------------------------

mount_disc disc.img mnt -o session=2
assert_same_tree mnt m2
assert_equal "$(status mnt .read_only)" true
assert_fails "read-only" discfsctl restore 1 mnt
unmount mnt

# --- a disc whose first session took the head's place ----------------------------------------------------

mkdir -p first/dir
head -c 50000 /dev/urandom >first/dir/file
echo first >first/file
genisoimage -quiet -R -J -V FIRST -o foreign.img first
mount_disc foreign.img mnt
manifest mnt >m11
assert_same_tree $old/1 m11
rm mnt/file
echo second >mnt/second
manifest mnt >m12
commit mnt SECOND
assert_same_tree $old/1 m11
rm -r mnt/dir
manifest mnt >m13
commit mnt THIRD
for n in 1 2 3; do
	assert_same_tree $old/$n m1$n
done
# The disc itself tells of all of them, too.
assert_equal "$(discfsctl log foreign.img --json | jq -c '[.[].label]')" '["FIRST","SECOND","THIRD"]'
unmount mnt
assert_equal "$(discfsctl log foreign.img --json | jq -c '[.[].label]')" '["FIRST","SECOND","THIRD"]'
rm -r state/discfs/*/sessions
mount_disc foreign.img mnt
for n in 1 2 3; do
	assert_same_tree $old/$n m1$n
done
timeout 60 discfsctl restore 1 mnt --yes
assert_same_tree mnt m11
unmount mnt

# Wherever it is mounted, by whatever program it was made: each session is there, under the same number everywhere.
grown() { # IMAGE TOOL OPTIONS… (formats= of the three sessions is in the array formats)
	local i image=$1
	"${@:2}" -o "$image" first 2>/dev/null
	rm -rf elsewhere
	XDG_STATE_HOME=$T/elsewhere mount_disc "$image" mnt
	manifest mnt >g1
	unmount mnt
	for i in 2 3 4; do
		XDG_STATE_HOME=$T/elsewhere mount_disc "$image" mnt ${formats[i]:+-o formats=${formats[i]}}
		echo "$i" >"mnt/new-$i"
		[ $i = 3 ] && rm -r mnt/[dD]*
		timeout 60 discfsctl commit mnt --label "G$i" | grep -q "^Session $i is burned"
		manifest mnt >g$i
		assert_equal "$(discfsctl log mnt --json | jq -c '.[-1] | [.number, .label]')" "[$i,\"G$i\"]"
		assert_equal "$(discfsctl log mnt --json | jq -c 'map([.start, .sectors])')" \
			"$(discfsctl info mnt --json | jq -c '.sessions | map([.start, .sectors])')"
		unmount mnt
		rm -rf elsewhere
	done
	assert_equal "$(discfsctl info --json "$image" | jq -c '[.sessions[].number]')" "[1,2,3,4]"
	XDG_STATE_HOME=$T/elsewhere mount_disc "$image" mnt
	for i in 1 2 3 4; do
		assert_same_tree $old/$i g$i
	done
	timeout 60 discfsctl restore 1 mnt --yes
	assert_same_tree mnt g1
	unmount mnt
	for i in 1 4; do
		XDG_STATE_HOME=$T/elsewhere mount_disc "$image" mnt -o session=$i
		assert_same_tree mnt g$i
		assert_equal "$(status mnt '[.read_only, .base.session] | @csv')" "true,$i"
		unmount mnt
	done
	timeout 60 discfsctl verify --all "$image" >said
	assert_equal "$(grep -c "^Session [1-4]: " said)" 4
}
formats=()
grown bridge.iso genisoimage -quiet -udf -R -J -V GEN
formats=([3]="iso,joliet,udf" [4]="iso")
grown mixed.iso genisoimage -quiet -J -V GEN
formats=([2]="iso,joliet,udf")
grown mkisofs.iso xorriso -as mkisofs -quiet -R -J -V GEN

# --- no room for the directories ---------------------------------------------------------------------------

make_disc small.img 5M # two sessions with these directories, one without
mount_disc small.img mnt
mkdir -p mnt/many/dir-{1..150}
commit mnt
rm -r mnt/many
commit mnt
head -c $(($(status mnt .room.free_bytes) - 200000)) /dev/zero >mnt/large
sync mnt
assert_exit 13 discfsctl restore 1 mnt/many
assert_equal "$(staged)" "A large"
predicted=$(status mnt .room.predicted_sectors)
timeout 60 discfsctl restore 1 mnt/many/dir-7
assert_equal "$(find mnt/many -mindepth 1)" mnt/many/dir-7
rm mnt/large
timeout 60 discfsctl restore 1 mnt/many
assert_less "$(status mnt .room.predicted_sectors)" "$predicted"
commit mnt
assert_equal "$(find mnt/many -mindepth 1 | wc -l)" 150
unmount mnt

# --- and an older database ----------------------------------------------------------------------------------

# A database that was made before sessions' changes were counted.
for db in state/discfs/*/overlay.db; do
	sqlite3 "$db" 'DROP TABLE session_change; PRAGMA user_version=3'
done
mount_disc disc.img mnt
[ -e mnt/x ]
assert_equal "$(discfsctl log mnt --stat --json | jq -c '.[0].added')" "$paths"
timeout 60 discfsctl restore 3 mnt/empty
commit mnt FIVE
assert_equal "$(discfsctl log mnt --json | jq -c '.[4] | [.added, .deleted, .modified]')" "[1,0,1]"

# Not while a commit is under way.
unmount mnt
DISCFS_FAULT=burn-middle:await=$T/go mount_disc disc.img mnt
echo y >mnt/y
tell mnt commit-nowait SIX
assert_fails "commit is under way" discfsctl restore 1 mnt/docs
assert_same_tree $old/1 m1
touch go
timeout 60 discfsctl wait mnt
unmount mnt
check_state
