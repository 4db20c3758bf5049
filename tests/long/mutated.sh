#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 3600
# Thousands of discs with random damage: no crash, none that takes more than 10 s or 512 MB (see tests/mount/hostile.sh).
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../hostile/bases.sh
. "$TESTS/hostile/bases.sh"
requires xorriso genisoimage setfattr
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
make_bases bases
seed=${DISCFS_SEED:-$RANDOM}
timeout 3000 "$BUILD/hostile/try" --mutate "${DISCFS_MUTATIONS:-5000}" "$seed" bases/* >said 2>log || fail "seed $seed: $(cat said)"
cat said
