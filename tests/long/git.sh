#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 900
# The story of tests/mount/git.sh with 20,000 files.
GIT_FILES=20000
. "$(dirname "$0")/../mount/git.sh"
