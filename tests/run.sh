#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs test scripts one by one, each with a time limit, and shows the log of those that fail.
#   tests/run.sh TEST.sh…         each log goes to $BUILD/log
# The last line is the sum: "N passed, N failed, N skipped". Exits with 1 if any failed.
# A test's limit in seconds stands in its line "# limit: N"; $DISCFS_SLOWNESS multiplies it (for sanitizers).
set -u
cd "$(dirname "$0")/.." || exit 2
build=${DISCFS_BUILD:-build}
logs=$build/log
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# What a test that was cut off left behind: it is known by the word in its environment.
end_leftovers() {
	local environ pid
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		grep -qsz "^DISCFS_TEST_ID=$1\$" "$environ" 2>/dev/null && echo "$pid"
	done | xargs -r kill -9 2>/dev/null
}

show_log() {
	cut -c 1-400 "$1" | sed -e 's/^/    | /' | tail -n "${DISCFS_LOG_LINES:-60}"
}

run_test() {
	local script=$1 name id log limit code began took
	name=$(basename "$script" .sh)
	log=$logs/$name.log
	limit=$(sed -n 's/^# limit: \([0-9]*\).*/\1/p' "$script" | head -n 1)
	limit=$((${limit:-120} * ${DISCFS_SLOWNESS:-1}))
	id=run-$$-$name
	printf '%-14s ' "$name"
	began=$(date +%s.%N)
	timeout -k 30 "$limit" env DISCFS_TEST_ID="$id" bash "$script" >"$log" 2>&1 </dev/null
	code=$?
	end_leftovers "$id"
	took=$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
	case $code in
	0)
		passed=$((passed + 1))
		echo "ok       $took s"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skipped  $(sed -n 's/^SKIP: //p' "$log" | tail -n 1)"
		;;
	*)
		failed=$((failed + 1))
		[ $code != 124 ] || echo "cut off after $limit s" >>"$log"
		echo "FAILED   $took s: $(grep '^FAIL: ' "$log" | head -n 1)"
		show_log "$log"
		;;
	esac
}

for script in "$@"; do
	run_test "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
