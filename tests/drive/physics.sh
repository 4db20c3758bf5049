#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the simulated drive takes and refuses, command by command: physics.py sends them through SG_IO.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires python3 sg_raw

sim python3 -B "$TESTS/drive/physics.py" "$T" "$MMCSIM/sr0"

# Another program's view of the same: a write that isn't at the next writable address.
new_disc dvd+r 20000
sim timeout 20 sh -c "until sg_raw /dev/sr0 00 00 00 00 00 00; do :; done" >/dev/null 2>&1
head -c 2048 /dev/zero >"$T/sector"
sim sg_raw -s 2048 -i "$T/sector" /dev/sr0 2a 00 00 00 00 10 00 00 01 00 >"$T/said" 2>&1 || true
grep -q 'Invalid address for write' "$T/said"
