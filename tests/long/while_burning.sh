#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 1500
# The story of tests/mount/while_burning.sh with 2 GiB from the beginning, and files of up to 64 MiB.
BURNING_ROUNDS=3 BURNING_FILES=50 BURNING_BYTES=$((64 << 20)) BURNING_BIG=32 BURNING_SIZE=23G BURNING_LIMIT=1400
. "$(dirname "$0")/../mount/while_burning.sh"
