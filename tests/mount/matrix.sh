#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 400
# Every fault point of a commit x everything that can happen there, on an image file: see tests/fault/matrix.py.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires python3 xorriso
T=$T timeout 390 "$TESTS/fault/matrix.py" "$BUILD/fault/points" image
