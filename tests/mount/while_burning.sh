#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 240
# Commits while rsync and other writers change the very files that are being burned: each session is the tree at the freeze, and
# the mount afterwards what the writers left (tests/while_burning.py). Of 50 rounds with a small tree.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires python3 rsync xorriso sqlite3
rounds=${BURNING_ROUNDS:-50} files=${BURNING_FILES:-24} bytes=${BURNING_BYTES:-60000} big=${BURNING_BIG:-0}
seed=${BURNING_SEED:-$((RANDOM * 32768 + RANDOM))}

! is_instrumented || rounds=5
mkdir host
make_disc disc.img "${BURNING_SIZE:-2G}"
DISCFS_FAULT=phase-frozen-after:await=$T/go-frozen,burn-start:await=$T/go-burn,phase-written-after:await=$T/go-written \
	mount_disc disc.img mnt
echo "BURNING_SEED=$seed shows it again"
timeout $((${BURNING_LIMIT:-200} * ${DISCFS_SLOWNESS:-1})) \
	python3 -I "$TESTS/while_burning.py" "$T" "$seed" "$rounds" "$files" "$bytes" "$big"
manifest mnt --with nanoseconds >last
commit mnt
assert_same_tree mnt last --with nanoseconds
unmount mnt
mount_disc disc.img mnt
assert_same_tree mnt last --with nanoseconds
check_state
unmount mnt
