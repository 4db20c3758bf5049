#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 900
# The story of tests/mount/mirror.sh, rsync night after night, with 20,000 files.
MIRROR_FILES=20000
. "$(dirname "$0")/../mount/mirror.sh"
