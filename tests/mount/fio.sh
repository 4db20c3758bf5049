#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 150
# fio writes blocks of many sizes in random order, by write(), through shared maps, asynchronously, in order, past the
# cache, and reads back what it wrote by its checksums: at once, after a commit, and from the disc alone.
# FIO_SIZE is how much each of four jobs writes; FIO_ROOM: the megabytes needed.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires fio jq
requires_room "${FIO_ROOM:-500}"
size=${FIO_SIZE:-4m}

run_fio() { # NAME FIO-OPTIONS…
	local name=$1
	shift
	timeout 500 fio --name="$name" --directory=mnt/blocks --size="$size" --numjobs=4 --verify=crc32c --verify_fatal=1 \
		--verify_state_save=0 --randrepeat=1 --group_reporting --eta=never --direct=0 "$@" >"said.$name" ||
		fail "fio: $name: $(grep -a -m 3 -e verify: -e err= "said.$name")"
	# it says how much it read to verify, for there are checks that read nothing
	assert_match "$(grep -a ' READ: ' "said.$name")" 'io=[1-9]'
}

# Every way in which a program writes; each is run again later with --verify_only.
jobs() { # FIO-OPTIONS…
	run_fio psync --ioengine=psync --rw=randwrite --bsrange=1k-128k --bs_unaligned=0 "$@"
	run_fio small --ioengine=psync --rw=randwrite --bs=512 --verify_interval=512 --fsync=500 --size=400k "$@"
	run_fio mmap --ioengine=mmap --rw=randwrite --bs=4k "$@"
	run_fio libaio --ioengine=libaio --iodepth=8 --rw=randwrite --bs=16k "$@"
	run_fio uncached --ioengine=psync --direct=1 --rw=randwrite --bs=64k "$@"
	run_fio growing --ioengine=sync --rw=write --bs=16k --fallocate=none "$@"
	run_fio sparse --ioengine=pvsync --rw=randwrite --bs=8k --fallocate=truncate --io_size=25% "$@"
}
verify() {
	jobs --verify_only=1
}

make_disc disc.img bd
mount_disc disc.img mnt
mkdir mnt/blocks
jobs
commit mnt BLOCKS
verify
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
verify

# --- over what is on the disc, with another pattern
jobs --randseed=4711 --verify_pattern=0xdeadbeef --verify=pattern
unmount mnt
mount_disc disc.img mnt
jobs --randseed=4711 --verify_pattern=0xdeadbeef --verify=pattern --verify_only=1

# --- a block that isn't as it was written would have been found
printf X | dd of=mnt/blocks/growing.2.0 bs=1 seek=1000000 conv=notrunc status=none
assert_exit 1 run_fio growing --ioengine=sync --rw=write --bs=16k --verify_only=1 --randseed=4711 \
	--verify_pattern=0xdeadbeef --verify=pattern
rm -r mnt/blocks
unmount mnt
check_state
