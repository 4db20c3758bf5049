#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 900
# tests/drive/hazard_killed.sh on the media that `make check` leaves out.
KINDS="${KINDS:-dvd-r dvd-ram bd-re}" . "$(dirname "$0")/../drive/hazard_killed.sh"
