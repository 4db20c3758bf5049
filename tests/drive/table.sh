#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what the tests in this folder have seen: sessions that each program burned on each medium, all of them read back.
#   tests/drive/table.sh DIR      DIR has the files table-PROGRAM, media and continued
cat "$1"/table-* 2>/dev/null | awk '
	{
		if (!($1 in media)) {
			media[$1] = ++count
			name[count] = $1
		}
		if (!($2 in programs)) {
			programs[$2] = ++columns
			program[columns] = $2
		}
		if ($3 > sessions[$1, $2])
			sessions[$1, $2] = $3
	}
	END {
		if (!count)
			exit
		printf "%-18s", "sessions"
		for (column = 1; column <= columns; column++)
			printf "%-11s", program[column]
		print ""
		for (row = 1; row <= count; row++) {
			printf "%-18s", name[row]
			for (column = 1; column <= columns; column++)
				printf "%-11s", (name[row], program[column]) in sessions ? sessions[name[row], program[column]] : "-"
			print ""
		}
	}'
if [ -s "$1/media" ]; then
	echo
	echo "discfs on each medium"
	cat "$1/media"
fi
if [ -s "$1/continued" ]; then
	echo
	echo "begun by others and continued by discfs; begun by discfs and continued in turn with xorriso"
	awk '{ media[$2] = media[$2] " " $1 } END { for (program in media) printf "%-20s%s\n", program, media[program] }' "$1/continued" | sort
fi
[ ! -s "$1/speed" ] || awk '{ printf "\ncommit, as fast as xorriso times (%s): %s", $1, $2 } END { print "" }' "$1/speed"
