# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash. The program itself says which commands and options it has, so none is missing here.

# Of the lines of standard input those that begin with a word. compgen -W would expand them as the shell does: a mount
# point or a label, which are anybody's, would be commands.
_discfsctl_beginning() { # WORD
	local line
	while IFS= read -r line; do
		[[ $line != "$1"* ]] || printf '%s\n' "$line"
	done
}

# Where discs are mounted. The kernel writes odd bytes as \ooo.
_discfsctl_mounts() {
	local point
	awk '$3 == "fuse.discfs" { print $2 }' /proc/self/mounts | while read -r point; do
		[[ $point == *\\012* ]] || printf '%b\n' "$point"
	done
}

# Words of a fixed kind that an option takes; files where it's none of these.
_discfsctl_argument() {
	case $1 in
	--media | -m) printf '%s\n' cd dvd dvd-dl bd bd-dl bd-xl ;;
	--type | -t) printf '%s\n' f d l ;;
	--speed) printf '%s\n' 1x 2x 4x 8x 16x ;;
	--label | -l | --size | -s | --newer | --older | --timeout | --limit | -n) ;;
	--disc | -d) "$2" catalog list --json 2>/dev/null | sed -n 's/.*"label":"\([[:alnum:]_.,+@%-]\{1,\}\)".*/\1/p' ;;
	*) return 1 ;;
	esac
}

# What a command is about, where that isn't just a file.
_discfsctl_place() {
	case $1 in
	status | diff | commit | finalize | wait | cancel | umount) _discfsctl_mounts ;;
	load | blank | format | eject | info | log | map | verify)
		compgen -G '/dev/sr[0-9]*'
		_discfsctl_mounts
		;;
	catalog) printf '%s\n' list show forget ;;
	restore) [ -d .discfs/sessions ] && ls .discfs/sessions ;;
	esac 2>/dev/null
}

_discfsctl() {
	local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	local words

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words=$("$program" --list-commands 2>/dev/null | cut -f 1)$'\n--help\n--version'
		mapfile -t COMPREPLY < <(_discfsctl_beginning "$word" <<<"$words")
		return
	fi
	if [ "$before" = = ]; then # readline takes --media=cd apart
		before=${COMP_WORDS[COMP_CWORD - 2]}
	elif [ "$word" = = ]; then
		word=''
	fi
	if [[ $word == -* ]]; then
		words=$("$program" "$command" --list-options 2>/dev/null)
		mapfile -t COMPREPLY < <(_discfsctl_beginning "$word" <<<"$words")
		[[ ${COMPREPLY[0]-} != *= || ${#COMPREPLY[@]} != 1 ]] || compopt -o nospace 2>/dev/null
		return
	fi
	if words=$(_discfsctl_argument "$before" "$program"); then
		mapfile -t COMPREPLY < <(_discfsctl_beginning "$word" <<<"$words")
		return
	fi
	mapfile -t COMPREPLY < <(
		_discfsctl_place "$command" | _discfsctl_beginning "$word"
		compgen -f -- "$word"
	)
	compopt -o filenames 2>/dev/null || true
}
complete -F _discfsctl discfsctl
