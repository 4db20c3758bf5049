# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the simulated drive tells, and what it refuses to: answers.py asks through SG_IO.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires python3

sim python3 -B "$TESTS/drive/answers.py" "$T" "$MMCSIM/sr0"
