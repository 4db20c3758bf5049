#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stored.sh FILE: returns when the daemon has stored, by itself as it does twice a second, all that it was told before:
# that lasts, whatever becomes of the daemon. FILE, which lies in the mount or is it, gets an attribute: when its database
# has that, it has what came before.
set -eu
mark=stored-$$-$(date +%s%N)
setfattr -n user.stored -v "$mark" "$1"
for ((i = 0; i < 600; i++)); do # a database in the middle of something is asked again, too
	for db in "$XDG_STATE_HOME"/discfs/*/overlay.db; do
		found=$(sqlite3 "$db" "SELECT count(*) FROM node WHERE instr(xattrs, CAST('$mark' AS BLOB))") || continue
		[ "$found" = 0 ] || exit 0
	done
	sleep 0.1
done
echo "$1: nothing is stored" >&2
exit 1
