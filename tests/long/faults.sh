#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 3600
# Every place in a script of operations at which a write, a sync, a read, a step of SQLite, an allocation can fail: see
# tests/unit/test_faults.c, of which make check-unit runs a part.
. "$(dirname "$0")/../lib.sh"

DISCFS_FAULTS=long timeout 3500 "$BUILD/unit/test_faults"
