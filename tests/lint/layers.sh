#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks what the compiler can't: who includes whom, licence lines, and the sizes of functions and files.
# Prints each violation as file:line: text; exits with 1 if there are any.
set -u
cd "$(dirname "$0")/../.." || exit 2

# A folder may include itself and these (see docs/architecture.md).
declare -A below=(
	[base]="" [model]="base" [wire]="model base" [proc]="wire model base" [store]="wire model base"
	[commit]="store proc wire model base" [control]="commit store proc wire model base"
	[host]="base" [mount]="control commit store proc wire model host base"
	[disc]="wire model base" [worker]="disc wire model base" [ctl]="store proc wire model host base"
	[.]="mount worker base")
# A foreign header may be included only in the files that match.
foreign='<(sqlite3\.h)>:^src/(store/|ctl/json\.c)
<(fuse_lowlevel\.h|fuse\.h|fuse3/.*)>:^src/mount/
<(systemd/.*)>:^src/host/
<(libudev\.h)>:^src/ctl/watch\.c
<(seccomp\.h)>:^src/worker/sandbox\.c
<(libisofs/.*|libburn/.*|udfread/.*)>:^src/disc/'
function_most=80 file_most=700
mapfile -t sources < <(find src tests mount-helpers \( -name '*.[ch]' -o -name '*.sh' -o -name '*.sql' \) 2>/dev/null | sort)

check_includes() {
	local file line text folder to rule
	grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' src | while IFS=: read -r file line text; do
		folder=$(dirname "${file#src/}")
		if [[ $text =~ \"([^/\"]+)/[^\"]*\" ]]; then
			to=${BASH_REMATCH[1]}
			[[ " $folder ${below[$folder]-} " == *" $to "* ]] || echo "$file:$line: $folder must not include $to"
		elif [[ $text =~ \" && $text != *.inc\"* ]]; then # generated ones have no folder
			echo "$file:$line: name the folder in an include"
		fi
		while IFS= read -r rule; do
			[[ $text =~ ${rule%%:*} && ! $file =~ ${rule#*:} ]] &&
				echo "$file:$line: $text: not in this folder"
		done <<<"$foreign"
	done
}

check_licence() {
	local file
	for file in "${sources[@]}"; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ' || echo "$file:1: no SPDX line"
	done
}

check_sizes() {
	wc -l "${sources[@]}" | awk -v most=$file_most \
		'$2 != "total" && $1 > most { print $2 ":" most ": a file of " $1 " lines" }'
	printf '%s\n' "${sources[@]}" | grep '\.[ch]$' |
		ctags -x --_xformat='%F %n %{end} %N' --languages=C --kinds-C=f -L - |
		awk -v most=$function_most '$3 - $2 + 1 > most { print $1 ":" $2 ": " $4 " has " $3 - $2 + 1 " lines" }'
}

found=$(check_includes; check_licence; check_sizes)
[ -z "$found" ] && exit 0
echo "$found"
exit 1
