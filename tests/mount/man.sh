#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# The manual says what the programs can do: every option of discfs, every command and option of discfsctl and each exit
# code stands in its page, and nothing else does; two programs format the pages and find nothing wrong with them; whatever
# a page refers to is there.
. "$(dirname "$0")/../lib.sh"
requires man mandoc scdoc

make -s -C "$TOP" man BUILD="$BUILD"
pages=("$TOP"/docs/man/*.scd)
[ ${#pages[@]} -ge 5 ] || fail "only ${#pages[@]} pages"

part() { # FILE HEADING: what stands below it, up to the next one of its rank or above
	awk -v heading="$2" '
		/^#+ / { rank = index($0, " ") - 1; if (inside && rank <= top) inside = 0 }
		$0 == heading { inside = 1; top = rank; next }
		inside' "$1"
}
options() { # of what is on standard input, as *-x*, *--long*
	grep -oE '^(\*-[^ ]+\*,? ?)+' | grep -oE '\*-[-a-zA-Z0-9]+' | tr -d '*' | sort
}

# --- discfs: options and mount options, against --help
page=$TOP/docs/man/discfs.1.scd
discfs --help >help
sed -nE '/^Options:/q; s/^ +((-[a-zA-Z])[, ] ?)?(--[a-z-]+)?.*/\2\n\3/p' help | sed '/^$/d' | sort >in_help
part "$page" "# OPTIONS" | options >in_page
[ -s in_help ] || fail "no options in the help"
diff in_help in_page || fail "discfs: help (<) and manual (>) differ"
sed -nE '1,/^Options:/d; /and those of/q; s/^  ([a-z_]+=?) .*/\1/p' help | sort >in_help
part "$page" "# MOUNT OPTIONS" | sed -nE 's/^\*([a-z_]+=?)\*.*/\1/p' | sort >in_page
[ -s in_help ] || fail "no mount options in the help"
diff in_help in_page || fail "discfs: mount options of the help (<) and the manual (>) differ"
# What else the page says is taken, is.
for name in $(part "$page" "# MOUNT OPTIONS" | sed -n '/^Those of/,$p' | grep -oE '\*[\\_a-z]+\*[^(]' | tr -d '*\\,: '); do
	assert_exit 2 discfs "$T/absent.img" "$T" -o "$name"
	! grep -q "unknown option" out || fail "discfs doesn't know $name"
done

# --- discfsctl: commands, their options, their synopsis
page=$TOP/docs/man/discfsctl.1.scd
diff <(discfsctl --list-commands | cut -f 1) <(part "$page" "# COMMANDS" | sed -n 's/^## //p') ||
	fail "discfsctl: commands of the program (<) and the manual (>) differ"
for name in $(discfsctl --list-commands | cut -f 1); do
	part "$page" "## $name" >said
	diff <(discfsctl "$name" --list-options | sed -e 's/=$//' -e '/^--help$/d' -e '/^-h$/d' | sort) <(options <said) ||
		fail "discfsctl $name: options of the program (<) and the manual (>) differ"
	assert_equal "$(sed -n "/^\*discfsctl $name\*/{s/[*_]//g;p;q}" said)" "$(discfsctl "$name" --help | sed -n '1s/Usage: //p')"
done

# --- exit codes
diff <(grep -oE '= [0-9]+' "$TOP/src/base/exit_code.h" | tr -dc '0-9\n' | sort) \
	<(part "$page" "# EXIT STATUS" | sed -n 's/^\*\([0-9]*\)\*$/\1/p' | sort)

# --- the tables of the database
diff <(sed -n 's/^CREATE TABLE IF NOT EXISTS \([a-z_]*\) .*/\1/p' "$TOP/src/store/schema.sql" | sort) \
	<(part "$TOP/docs/man/discfs-state.5.scd" "# THE DATABASE" | grep -E '^\*[a-z_*, ]+\*$' | grep -oE '[a-z_]+' | sort)

# --- formatted without a warning; scdoc leaves empty paragraphs everywhere
for page in "${pages[@]}"; do
	name=$(basename "$page" .scd)
	LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$BUILD/man/$name" >"$name.txt" 2>warnings
	[ ! -s warnings ] || fail "$name: $(cat warnings)"
	[ "$(wc -l <"$name.txt")" -gt 30 ] || fail "$name is short"
	mandoc -Tlint -Wwarning "$BUILD/man/$name" >warnings 2>&1 || true
	! grep -v 'skipping paragraph macro' warnings || fail "$name isn't sound"
	# bold asterisks and underscores that nobody asked for are a slip in the source
	! grep -nE '\*\*|\*[a-z-]+\*' "$name.txt" || fail "$name shows its markup"
done
for name in $(sed -n '/^# SEE ALSO/,$p' "${pages[@]}" | grep -oE 'discfs[a-z-]*\*\([0-9]\)|[a-z]+\.[a-z.]*discfs\*\([0-9]\)' | tr -d '*)' | tr '(' .); do
	[ -e "$TOP/docs/man/$name.scd" ] || fail "there is no page $name"
done
