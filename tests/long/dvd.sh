#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 1200
# A DVD-R of 4.4 GB, filled to the last file; see tests/drive/full.sh.
export FULL_KIND=dvd-r FULL_SECTORS=2298496
# shellcheck source=../drive/full.sh
. "$(dirname "$0")/../drive/full.sh"
