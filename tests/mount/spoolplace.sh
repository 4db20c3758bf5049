#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# -o spool=DIR: staged content elsewhere, found again without the option, never lost from sight. df tells how much can
# be staged, by the medium and by the spool.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires setfattr jq

available() { # DIR: bytes
	df --output=avail -B1 "$1" | tail -n 1
}

mkdir big other
make_disc disc.img dvd
mount_disc disc.img mnt -o "spool=$T/big"
assert_equal "$(find big -name 'discfs-*.spool' | wc -l)" 1 "spools in spool="
head -c 3000000 /dev/urandom >file
cp file mnt/file
sync -f mnt
assert_less 2999999 "$(stat -c %s big/discfs-*.spool)" "the spool's size"
assert_equal "$(stat -c %a big/discfs-*.spool)" 600 "mode of the spool"
unmount mnt

# without the option, with the same, with another while something is staged
mount_disc disc.img mnt
assert_same_bytes mnt/file file
unmount mnt
mount_disc disc.img mnt -o "spool=$T/big"
assert_same_bytes mnt/file file
unmount mnt
assert_exit 14 discfs disc.img mnt -o "spool=$T/other"
grep -q "staged content lies in .*big" out
assert_not_mounted mnt

# its disk isn't there
mv big gone
assert_exit 2 discfs disc.img mnt
grep -q "the spool isn't where it was put" out
mkdir big
assert_exit 2 discfs disc.img mnt
assert_not_mounted mnt
rmdir big
mv gone big
mount_disc disc.img mnt
assert_same_bytes mnt/file file
commit mnt FIRST
unmount mnt

# empty, it moves
mount_disc disc.img mnt -o "spool=$T/other"
assert_equal "$(find big -type f | wc -l)" 0 "spools left behind"
head -c 1000000 /dev/zero >mnt/zeroes
unmount mnt
assert_equal "$(find other -name 'discfs-*.spool' | wc -l)" 1 "spools where it moved to"
mount_disc disc.img mnt
rm mnt/zeroes
unmount mnt

# cut off on the way: the new spool was there already, the link to it wasn't
mkdir third
left=third/$(basename other/discfs-*.spool)
(umask 077 && : >"$left")
mount_disc disc.img mnt -o "spool=$T/third"
assert_equal "$(find other -type f | wc -l)" 0 "spools left behind"
unmount mnt
rm -f other/* && echo "somebody's" >"other/$(basename "$left")"
assert_exit 2 discfs disc.img mnt -o "spool=$T/other"
assert_equal "$(cat other/*)" "somebody's"
mount_disc disc.img mnt
assert_same_bytes mnt/file file
unmount mnt

# df: the smaller of what the medium and the spool take
mount_disc disc.img mnt
large=$(available mnt)
assert_less 4000000000 "$large" "bytes free on a DVD"
unmount mnt
mount_disc disc.img mnt -o spool_limit=10M
assert_less "$(available mnt)" 10485761 "bytes free with a limit of 10 MiB"
assert_less 10000000 "$(available mnt)" "bytes free with a limit of 10 MiB"
head -c 5000000 /dev/urandom >mnt/half
sync -f mnt
assert_less "$(available mnt)" 5600000 "bytes free with half of it staged"
assert_fails "No space left" dd if=/dev/zero of=mnt/more bs=1M count=9 conv=fsync
rm mnt/more mnt/half
sync -f mnt || true # tells of the failed write once more, as on any file system
assert_less 10000000 "$(available mnt)" "bytes free when it's empty again"
assert_same_bytes mnt/file file
unmount mnt
