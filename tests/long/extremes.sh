#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# tests/mount/extremes.sh with as many hard links as a file can have.
export LINKS=64999
. "$(dirname "$0")/../mount/extremes.sh"
