#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 3600
# All cells of tests/drive/matrix.sh on all media.
PARTS=1 KINDS="${KINDS:-dvd+rw bd-r cd-r dvd-r dvd+r dvd-ram bd-re}" . "$(dirname "$0")/../drive/matrix.sh"
