#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest and does what the test says: lines "NUMBER COMMAND" come in, the command in base64; "NUMBER CODE OUTPUT"
# goes back when it has ended. Several at a time.
until compgen -G '/dev/vport*p1' >/dev/null; do
	sleep 0.2
done
exec 3<>"$(compgen -G '/dev/vport*p1')"

answer() { # NUMBER COMMAND
	local output code
	output=$(base64 -d <<<"$2" | bash 2>&1)
	code=$?
	{
		flock 9
		echo "$1 $code $(base64 -w 0 <<<"$output")" >&3
	} 9>/run/agent.lock
}

echo "0 0 " >&3
while read -r number command <&3; do
	answer "$number" "$command" &
done
