#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A disc that isn't here is mounted from what is known of it: names and attributes are as on the disc, what only the disc
# holds gives EAGAIN and one line in the log, and work can be staged, which the next mount of the disc itself has.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq python3 xorriso setfattr sqlite3

# mount_offline DISC DIR [OPTIONS…]: in front, with its messages in said-DIR
mount_offline() {
	local disc=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	discfs -f --offline "$disc" "$dir" "$@" 2>"said-$dir" &
	await mountpoint -q "$dir"
	daemon_of "$dir" >"$T/.daemon-$dir"
}

# What a program is told: python says which errno.
told() { # PYTHON
	python3 -I -S -c "
import errno, mmap, os, sys
def ask(what):
    try:
        return what()
    except OSError as error:
        return errno.errorcode[error.errno]
def fd(path, flags=os.O_RDWR):
    return os.open(path, flags, 0o644)
$1"
}

make_disc disc.img cd
mount_disc disc.img mnt
mkdir -p mnt/docs/deep mnt/empty
seq 1 40000 >plain
cp plain mnt/docs/numbers
head -c 1000003 /dev/urandom >random
cp random mnt/docs/deep/random
cp random mnt/whole
ln -s docs/numbers mnt/link
ln mnt/docs/numbers mnt/docs/second
setfattr -n user.colour -v blue mnt/docs
chmod 4750 mnt/whole
touch -d @1234567890 mnt/docs/numbers
commit mnt OFFSHELF
echo staged >mnt/docs/staged
unmount mnt
mount_disc disc.img mnt
manifest mnt --without content >before
free=$(status mnt .room.free_bytes)
predicted=$(status mnt .room.predicted_sectors)
unmount mnt
mv disc.img away.img

# Names, attributes and what is staged are as they were; so is the room.
mount_offline OFFSHELF off
manifest off --without content >found
cmp before found
assert_equal "$(cat off/docs/staged)" staged
assert_equal "$(status off .offline)" true
assert_equal "$(status off .room.free_bytes)" "$free"
assert_equal "$(status off .room.predicted_sectors)" "$predicted"
discfsctl status off >said
grep -q '^Offline: ' said
grep -q '^offline: *the disc OFFSHELF' off/.discfs/status
assert_match "$(df --output=size,avail -B1 off | tail -n 1)" '^ *7[0-9]{8} +7[0-9]{8}$'

# The lock of its state holds: nobody else has this disc at the same time.
mkdir other
mv away.img disc.img
assert_exit 14 discfs disc.img other
assert_exit 14 discfs --offline OFFSHELF other
mv disc.img away.img

# What only the disc holds isn't there now; it never becomes zeroes, and the log says once which disc it is.
for i in 1 2 3; do
	assert_equal "$(told 'print(ask(lambda: os.pread(fd("off/whole", os.O_RDONLY), 5000, 8192)))')" EAGAIN
done
assert_fails "temporarily unavailable" cat off/docs/numbers
assert_fails "temporarily unavailable" cp off/docs/deep/random got
assert_equal "$(told 'print(ask(lambda: os.pread(fd("off/whole", os.O_RDONLY | os.O_DIRECT), 4096, 0)))')" EAGAIN
told '
pid = os.fork()
if pid == 0:
    mapped = mmap.mmap(fd("off/whole", os.O_RDONLY), 4096, prot=mmap.PROT_READ)
    os._exit(mapped[0] & 0)
print(os.WTERMSIG(os.waitpid(pid, 0)[1]))' >said
assert_equal "$(cat said)" 7 "signal of a mapped read"
assert_equal "$(grep -c 'OFFSHELF' said-off)" 1 "lines in the log"

# New work: files, names, copies by reference, parts of old files.
cp random off/new
cmp random off/new
mv off/docs/deep off/moved
rm off/empty -r
cp off/whole off/whole2
assert_equal "$(getfattr --only-values -n user.discfs.origin off/whole2)" \
	"$(getfattr --only-values -n user.discfs.origin off/whole)"
told '
part = fd("off/whole")
assert os.pwrite(part, b"N" * 8192, 4096) == 8192
os.fsync(part)
assert os.pread(part, 8192, 4096) == b"N" * 8192
print(ask(lambda: os.pread(part, 4096, 0)), ask(lambda: os.pread(part, 4096, 12288)))
# a page that is partly the disc is read first: refused as a whole, and nothing of it is lost or changed
print(ask(lambda: os.pwrite(part, b"X" * 100, 50000)), ask(lambda: os.pread(part, 10, 50000)))
print(ask(lambda: os.pwrite(part, b"Y" * 3, 4097)), os.pread(part, 5, 4096))
tail = fd("off/docs/numbers", os.O_WRONLY | os.O_APPEND)
print(ask(lambda: os.write(tail, b"more")))
# what needs no old byte
os.ftruncate(fd("off/moved/random"), 300000)
os.ftruncate(fd("off/moved/random"), 400000)
print(ask(lambda: os.pread(fd("off/moved/random"), 1, 399999)), os.stat("off/moved/random").st_size)
' >said
assert_equal "$(cat said)" "EAGAIN EAGAIN
EAGAIN EAGAIN
3 b'NYYYN'
EAGAIN
b'\\x00' 400000"
assert_equal "$(stat -c %s off/docs/numbers)" "$(stat -c %s plain)"
# an append that couldn't be leaves nothing behind, no time either
if grep docs/numbers off/.discfs/changes; then
	fail "something of docs/numbers is staged"
fi
for _ in {1..50}; do
	[ "$(stat -c %Y off/docs/numbers)" != 1234567890 ] || break
	sleep 0.1
done
assert_equal "$(stat -c %Y off/docs/numbers)" 1234567890
: >off/docs/second # cut to nothing: the disc isn't needed
assert_equal "$(status off .staged.added)" 3
discfsctl diff off

# No commit without the disc, in whatever way it's asked for.
assert_exit 10 discfsctl commit off
grep -q "isn't here" "$T/out"
assert_exit 10 discfsctl commit --dry-run off
assert_fails "No medium found" setfattr -n user.discfs.commit -v '' off
assert_equal "$(status off .staged.added)" 3
assert_exit 1 discfs --offline OFFSHELF other -o commit=unmount
assert_exit 1 discfs --offline OFFSHELF other -o session=1
manifest off --without content,mtime >before
discfsctl umount off
wait

# It dies, and nothing is lost; by id, and read-only.
id=$(discfsctl catalog list --json | jq -r '.[0].id')
mount_offline "${id:0:6}" off
echo later >off/later
bash "$TESTS/stored.sh" off/later
kill_daemon off
wait || true
mount_offline OFFSHELF off -o ro
assert_equal "$(cat off/later)" later
assert_fails "Read-only" touch off/no
unmount off
wait
mount_offline OFFSHELF off
rm off/later
unmount off
wait

# The disc itself is back, and has it all.
mv away.img disc.img
mount_disc disc.img mnt
manifest mnt --without content,mtime >found
cmp before found
cmp random mnt/new
cmp random mnt/whole2
python3 - <<'END'
old = bytearray(open("random", "rb").read())
cut = bytes(old[:300000]) + bytes(100000)
old[4096:12288] = b"NYYY" + b"N" * 8188
assert open("mnt/whole", "rb").read() == bytes(old)
assert open("mnt/moved/random", "rb").read() == cut
END
commit mnt
assert_same_bytes mnt/whole2 random
unmount mnt
extract_xorriso disc.img extracted
mount_disc disc.img mnt
assert_same_tree mnt extracted --without root,softmeta
unmount mnt
assert_equal "$(discfsctl catalog list --json | jq -r '"\(length) \(.[0].staged.added)"')" "1 0"

# A commit that was cut off can be settled with the disc only.
DISCFS_FAULT=phase-written-after:kill mount_disc disc.img mnt
echo more >mnt/more
(tell mnt commit) 2>/dev/null || true
await_end "$(cat .daemon-mnt)"
fusermount3 -uz mnt
assert_exit 10 discfs --offline OFFSHELF other
grep -q "cut off" "$T/out"
assert_exit 4 discfsctl catalog forget OFFSHELF
mount_disc disc.img mnt
assert_equal "$(cat mnt/more)" more
unmount mnt

# Older sessions are there as far as somebody has looked at them; going back costs no data, so it needs no disc.
mount_disc disc.img mnt
rm mnt/whole2
commit mnt
count=$(status mnt '.sessions | length')
[ -e "mnt/.discfs/sessions/$((count - 1))/whole2" ]
unmount mnt
mount_offline OFFSHELF off
[ ! -e off/whole2 ]
cmp <(stat -c %s random) <(stat -c %s "off/.discfs/sessions/$((count - 1))/whole2")
assert_fails "temporarily unavailable" cat "off/.discfs/sessions/$((count - 1))/whole2"
assert_fails "No medium found" ls off/.discfs/sessions/1
discfsctl restore $((count - 1)) off/whole2
assert_exit 10 discfsctl restore 1 off/docs --yes
assert_exit 10 discfsctl verify off
assert_exit 10 discfsctl eject off
discfsctl log off | grep -q OFFSHELF
unmount off
wait
mount_disc disc.img mnt
assert_same_bytes mnt/whole2 random
unmount mnt

# Discs that aren't known.
assert_exit 2 discfs --offline NOBODY other
grep -q NOBODY "$T/out"
assert_not_mounted other
check_state
