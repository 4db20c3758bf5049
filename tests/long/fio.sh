#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 1800
# The story of tests/mount/fio.sh, blocks in random order, with 2 GB.
FIO_SIZE=80m
FIO_ROOM=10000
. "$(dirname "$0")/../mount/fio.sh"
