#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs unit test programs, also when one fails; what a program said is shown when it failed.  tests/unit.sh PROGRAM…
# What failed is said once more, shortly, at the end; the last line is the sum over all their tests: "N passed, N failed". Exits with 1 if any failed.
set -u
passed=0 failed=0
remarks=() # on those that failed
for program in "$@"; do
	printf '%-32s ' "${program##*/}"
	code=0
	timeout -k 10 "$((300 * ${DISCFS_SLOWNESS:-1}))" "$program" >"$program.log" 2>&1 || code=$?
	good=$(grep -ac ' OK \] ' "$program.log")
	bad=$(grep -ac '^\[  FAILED  \] [a-z_0-9]*$' "$program.log")
	if [ $code = 0 ] && [ "$good" -gt 0 ]; then
		echo "ok, $good tests"
	else
		[ "$bad" -gt 0 ] || bad=1
		echo "FAILED with $code"
		cat "$program.log"
		remarks+=("FAILED: ${program##*/}: $(grep -aE '^\[  (ERROR|FAILED)   ?\] |^\[   LINE   \] ' "$program.log" | cut -c 1-160 | head -n 6 | tr '\n' ' ')")
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
done
[ ${#remarks[@]} = 0 ] || printf '%s\n' "${remarks[@]}"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
