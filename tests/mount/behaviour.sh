#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# Some hundred checks of tests/probe, on a mount and on the host's own file system: they say the same, but for what
# tests/probe/differences.txt lists. As root and as an ordinary user; on new files, and on files that are on the disc.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # to make a user, devices, and file systems
requires python3 runuser useradd groupadd fusermount3 findmnt setfattr setfacl jq
[ -u "$(readlink -f "$(command -v fusermount3)")" ] || skip "fusermount3 isn't setuid"
[ -e /etc/mtab ] || skip "without /etc/mtab fusermount3 unmounts nothing for ordinary users"

mkdir host discs
# Where that isn't ext4 as usual but, say, a container's overlay, an ext4 of our own: each kind has ways of its own.
if [ "$(findmnt -n -o FSTYPE -T host)" != ext4 ] ||
	findmnt -n -o OPTIONS -T host | grep -qE 'noatime|nodiratime|strictatime|nosuid|nodev|noexec|noacl|nouser_xattr'; then
	requires mkfs.ext4
	truncate -s 40G ext4.img
	mkfs.ext4 -q -F ext4.img
	mount -o loop ext4.img host || skip "$T isn't on ext4, and none can be mounted"
fi
# A file of 128 GiB is charged in full: memory that isn't there is as good a disc as any.
size=300G
if ! mount -t tmpfs -o size=400G,mode=755 none discs; then
	echo "no room for a disc of $size: the checks of large files are left out"
	size=50G
	only_small=1
fi

user=discfs-test-$$
groupadd --system "$user-2"
useradd --system --create-home --home-dir "$T/home" --shell /bin/bash --groups "$user-2" "$user"
cleanup_fn groupdel "$user-2"
cleanup_fn userdel "$user"
open_fuse
cp "$BUILD/discfs" "$BUILD/discfsctl" "$T/" # a clone may lie where users don't get
cp -r "$TESTS/probe" "$T/probe"
chmod -R a+rX "$T/probe"

as_root() {
	timeout 600 "$@"
}

as_user() {
	timeout 600 runuser -u "$user" -- env -i PATH="$T:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$T/home" LC_ALL=C.UTF-8 TZ=UTC \
		DISCFS_TEST_ID="$DISCFS_TEST_ID" "$@"
}

# probe AS NAME DIR [--prepare | --prepared]: what it says goes to $T/NAME
probe() {
	local as=$1 name=$2 dir=$3
	shift 3
	"$as" mkdir -p "$dir"
	"$as" python3 "$T/probe" "$dir" "$@" ${only_small:+--without large} >"$T/$name"
}

remove() { # AS DIR…
	local as=$1
	shift
	"$as" chmod -R u+rwX "$@"
	"$as" rm -rf --one-file-system "$@"
}

# new_files AS VARIANT HOST-DIR MOUNT: the host and the mount at the same time, since there are two processors
new_files() {
	probe "$1" "host-$2" "$3" &
	probe "$1" "discfs-$2" "$4/new"
	wait $!
	"$1" setfattr -n user.discfs.commit -v LEFT "$4" # whatever a program was allowed to make can be burned
	remove "$1" "$3" "$4/new"
}

# To the host it makes no difference whether a disc was burned before the checks.
choose_base() { # VARIANT
	awk -F ': ' 'NR == FNR { wanted[$1] = 1; next } $1 in wanted' "discfs-$1-base" "host-$1" >"host-$1-base"
}

install -d -o "$user" -g "$user" host/user
as_root discfsctl create discs/root.img --size $size
mount_disc discs/root.img mnt -o suid,dev # as the host's file system
new_files as_root root "$T/host/root" "$T/mnt"

install -d -o "$user" -g "$user" discs/user
cd home
as_user discfsctl create ../discs/user/disc.img --size $size
as_user mkdir mnt
as_user discfs ../discs/user/disc.img mnt
daemon=$(as_user jq .pid mnt/.discfs/status.json)
cd "$T"
new_files as_user user "$T/host/user/new" "$T/home/mnt"

# Root's disc is mounted anew, the user's goes on after the commit.
probe as_root prepare-root mnt/base --prepare &
probe as_user prepare-user "$T/home/mnt/base" --prepare
wait $!
as_user setfattr -n user.discfs.commit -v BASE "$T/home/mnt" &
commit mnt BASE
wait $!
unmount mnt
mount_disc discs/root.img mnt -o suid,dev
probe as_root discfs-root-base mnt/base --prepared &
probe as_user discfs-user-base "$T/home/mnt/base" --prepared
wait $!
choose_base root
choose_base user
unmount mnt
as_user discfsctl umount "$T/home/mnt"
await_end "$daemon"

{ set +x; } 2>/dev/null
wrong=0
for variant in root root-base user user-base; do
	python3 "$TESTS/probe/compare.py" "host-$variant" "discfs-$variant" $variant "$TESTS/probe/differences.txt" || wrong=1
done
[ $wrong = 0 ] || fail "discfs and the host's file system differ"
