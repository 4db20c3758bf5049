#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# Every fault point of a commit, and everything that can happen there, on the three families of media: see
# tests/fault/matrix.py. Each medium gets a third of the cells, every point and every happening among them; PARTS=1 plays
# all of them (tests/long/matrix.sh).
. "$(dirname "$0")/lib_drive.sh"
requires_fuse
requires python3 xorriso
part=0
for kind in ${KINDS:-dvd+rw bd-r cd-r}; do
	T=$T MMCSIM_SO=$MMCSIM_SO "$TESTS/fault/matrix.py" "$BUILD/fault/points" "$kind" $part "${PARTS:-3}"
	part=$((part + 1))
done
