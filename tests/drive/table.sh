#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what the tests in this folder have seen: sessions that each program burned on each medium, all of them read back.
#   tests/drive/table.sh DIR      DIR has the files table-PROGRAM, and media of media.sh
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
