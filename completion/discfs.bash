# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash of the mount program. What its help lists is offered, so no option is missing here.

# The names behind -o; those that take a value end in =.
_discfs_options() {
	"$1" --help 2>/dev/null | sed -n '/^Options:/,$s/^  \([a-z_]*=\{0,1\}\)  .*/\1/p'
}

_discfs_values() {
	case $1 in
	commit) printf '%s\n' manual unmount ;;
	umount) printf '%s\n' wait handover refuse ;;
	import) printf '%s\n' auto rockridge udf joliet iso9660 ;;
	base) echo blank ;;
	udf_links) printf '%s\n' yes no ;;
	state | spool) compgen -d -- "$2" ;;
	esac
}

# See _discfsctl_beginning: names of directories aren't commands.
_discfs_beginning() { # WORD
	local line
	while IFS= read -r line; do
		[[ $line != "$1"* ]] || printf '%s\n' "$line"
	done
}

# readline takes commit=unmount apart at the =.
_discfs() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} name last

	COMPREPLY=()
	[ "$word" != = ] || { name=$before word='' before='='; }
	if [ "$before" = = ]; then
		name=${name:-${COMP_WORDS[COMP_CWORD - 2]}}
		mapfile -t COMPREPLY < <(_discfs_values "${name##*,}" "$word" | _discfs_beginning "$word")
		[[ ${name##*,} != state && ${name##*,} != spool ]] || compopt -o filenames 2>/dev/null || true
	elif [ "$before" = -o ]; then
		last=${word##*,}
		mapfile -t COMPREPLY < <(compgen -P "${word%"$last"}" -W "$(_discfs_options "$1")" -- "$last")
		[[ ${COMPREPLY[0]-} != *= || ${#COMPREPLY[@]} != 1 ]] || compopt -o nospace 2>/dev/null
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "-o -f -d --offline --foreground --debug --help --version" -- "$word")
	else
		mapfile -t COMPREPLY < <(
			[[ $COMP_CWORD != 1 ]] || compgen -W "$(compgen -G '/dev/sr[0-9]*')" -- "$word"
			compgen -f -- "$word"
		)
		compopt -o filenames 2>/dev/null || true
	fi
}
complete -F _discfs discfs
