#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A run of the model check on a fresh disc, to reproduce a difference:
#   tests/model/once.sh --seed 7 --steps 20000     see `build/model/model` for all options
#   tests/model/once.sh --seed 7 --steps 20000 --record ops; tests/model/shrink.py ops
from=$PWD
. "$(dirname "$0")/../lib.sh" >/dev/null 2>&1
{ set +x; } 2>/dev/null
requires_fuse
requires_root
requires discfsctl jq
{
	make_disc disc.img dvd
	mount_disc disc.img mnt -o allow_other
	mkdir plain
	chmod 777 plain mnt
} >/dev/null
code=0
cd "$from"
timeout "${LIMIT:-600}" "$BUILD/model/model" run "$T/mnt" "$T/plain" \
	--hook "$TESTS/model/restart.sh $T/disc.img $T/mnt $T/.daemon-mnt" "$@" || code=$?
exit $code
