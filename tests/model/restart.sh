#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ends a daemon and mounts the disc again.  restart.sh FILE DIR PID-FILE kill|kill-stored|unmount
# The file holds the daemon's process, as tests/lib.sh writes it. kill-stored: when all is stored, see tests/stored.sh.
set -eu
file=$1 dir=$2 pid_file=$3
pid=$(cat "$pid_file")
case $4 in
kill*)
	[ "$4" = kill ] || bash "$(dirname "$0")/../stored.sh" "$dir"
	mapfile -t workers < <(pgrep -P "$pid") # they end a moment later, and hold the image until then
	kill -9 "$pid"
	for pid in "$pid" "${workers[@]}"; do
		timeout 120 tail --pid="$pid" -f /dev/null
	done
	fusermount3 -uz "$dir" 2>/dev/null || true
	;;
unmount)
	timeout 120 fusermount3 -u "$dir"
	timeout 120 tail --pid="$pid" -f /dev/null
	;;
esac
# A fault in $MODEL_FAULT (see the architecture's fault points) is there in every other mount.
if [ -n "${MODEL_FAULT:-}" ]; then
	if [ -e "$pid_file.faulty" ]; then
		rm "$pid_file.faulty"
	else
		: >"$pid_file.faulty"
		export DISCFS_FAULT=$MODEL_FAULT
	fi
fi
timeout 300 discfs "$file" "$dir" -o allow_other
[ "$4" != kill-stored ] || setfattr -x user.stored "$dir"
timeout 60 jq -r .pid "$dir/.discfs/status.json" >"$pid_file"
