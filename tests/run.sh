#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs test scripts, one more at a time than there are processors (they wait a lot), each with a time limit, and shows
# the log of those that fail.  tests/run.sh TEST.sh…
# What failed is said once more, shortly, at the end; the last line is the sum: "N passed, N failed, N skipped". Exits with
# 1 if any failed.
# Lines in a test: "# limit: N" its limit in seconds, of which a machine that has other work as well gets three times as
# much, and which $DISCFS_SLOWNESS multiplies (for sanitizers);
# "# alone" it measures time, so nothing runs beside it.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${DISCFS_BUILD:-build}
logs=$build/log
jobs=${DISCFS_TEST_JOBS:-$(($(nproc) + 1))}
passed=0 failed=0 skipped=0
declare -A names=() # by process
remarks=()          # on those that failed
mkdir -p "$logs"

# What a test that was cut off left behind: it is known by the word in its environment.
end_leftovers() {
	local environ pid
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		grep -qsz "^DISCFS_TEST_ID=$1\$" "$environ" 2>/dev/null && echo "$pid"
	done | xargs -r kill -9 2>/dev/null
}

run_test() { # SCRIPT NAME
	local id=run-$$-$2-$BASHPID limit code began end
	limit=$(sed -n 's/^# limit: \([0-9]*\).*/\1/p' "$1" | head -n 1)
	limit=$((${limit:-120} * 3 * ${DISCFS_SLOWNESS:-1}))
	began=$(date +%s.%N)
	timeout -k 30 "$limit" env DISCFS_TEST_ID="$id" bash "$1" >"$logs/$2.log" 2>&1 </dev/null
	code=$?
	end=$(date +%s.%N)
	# What the test itself limits ends with 124, too.
	[ $code != 124 ] || [ "${end%.*}" -lt $((${began%.*} + limit)) ] || echo "FAIL: cut off after $limit s" >>"$logs/$2.log"
	end_leftovers "$id"
	awk -v a="$began" -v b="$end" 'BEGIN { printf "%.1f\n", b - a }' >"$logs/$2.seconds"
	return $code
}

tell_result() { # NAME CODE
	local log=$logs/$1.log took
	took=$(cat "$logs/$1.seconds")
	case $2 in
	0)
		passed=$((passed + 1))
		printf '%-14s ok       %s s\n' "$1" "$took"
		;;
	77)
		skipped=$((skipped + 1))
		printf '%-14s skipped  %s\n' "$1" "$(sed -n 's/^SKIP: //p' "$log" | tail -n 1)"
		;;
	*)
		failed=$((failed + 1))
		printf '%-14s FAILED   %s s: %s\n' "$1" "$took" "$(grep -a '^FAIL: ' "$log" | head -n 1)"
		tail -n "${DISCFS_LOG_LINES:-60}" "$log" | cut -c 1-400 | sed -e 's/^/    | /'
		remarks+=("FAILED: $1: $(grep -a '^FAIL: ' "$log" | cut -c 1-200 | head -n 3 | tr '\n' ' ')")
		;;
	esac
}

await_one() {
	local pid code
	wait -n -p pid "${!names[@]}"
	code=$?
	tell_result "${names[$pid]}" $code
	unset "names[$pid]"
}

start() { # SCRIPT AT-MOST
	local name
	name=$(basename "$1" .sh)
	while [ ${#names[@]} -ge "$2" ]; do
		await_one
	done
	run_test "$1" "$name" &
	names[$!]=$name
}

is_alone() {
	grep -q '^# alone' "$1"
}

for script in "$@"; do
	is_alone "$script" || start "$script" "$jobs"
done
for script in "$@"; do
	! is_alone "$script" || start "$script" 1
done
while [ ${#names[@]} -gt 0 ]; do
	await_one
done
[ $failed = 0 ] || printf '%s\n' "${remarks[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
