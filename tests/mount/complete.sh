#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# discfsctl is complete: every command has help, options and completion that agree with its table, says what was meant by
# a misspelt word, and exits with a documented code; JSON has no key that docs/json.md doesn't name; the map is true, and
# its picture well-formed.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq script xorriso xmllint rsvg-convert zsh python3

mapfile -t commands < <(discfsctl --list-commands | cut -f 1)
for name in drives info create status diff commit cancel discard log restore verify blank format finalize eject load map find \
	umount wait catalog boot; do
	[[ " ${commands[*]} " == *" $name "* ]] || fail "there is no command $name"
done

lacks() { # FILE WORDS
	if grep -F -- "$2" "$1"; then
		fail "$1 has \"$2\""
	fi
}

# --- help, the table of options, completion
program=discfsctl
complete_bash() { # WORD…: what bash offers for the last word
	(
		set +x
		# shellcheck disable=SC1090 # the file under test
		. "$TOP/completion/$program.bash"
		COMP_WORDS=("$program" "$@")
		COMP_CWORD=$#
		_$program $program "${!#}" "${*: -2:1}" 2>/dev/null
		printf '%s\n' "${COMPREPLY[@]}"
	)
}
complete_zsh() { # the same from zsh, whose completion functions only say what they were given
	# shellcheck disable=SC2016
	timeout 20 zsh -f -c '
		compadd() { while [[ $1 == -* && $1 != -- ]]; do [[ $1 == -[Sp] ]] && shift; shift; done; shift; (( ! $# )) || print -rl -- "$@" }
		_describe() { local -a words; words=(${(P)@[-1]}); print -rl -- ${words%%:*} }
		_files() { }
		words=("$@[2,-1]"); CURRENT=$#words; PREFIX=$words[-1]
		source "$1"' zsh "$TOP/completion/_$program" $program "$@"
}
for shell in bash zsh; do
	complete_$shell "" >offered
	for name in "${commands[@]}"; do
		grep -qx -- "$name" offered || fail "$shell doesn't offer $name"
	done
done
for name in "${commands[@]}"; do
	assert_exit 0 discfsctl "$name" --help
	cp out help
	grep -q "^Usage: discfsctl $name" help
	discfsctl "$name" --list-options >options
	sed -nE 's/^ +((-[a-z0-9]), )?(--[a-z0-9-]+).*/\2\n\3/p' help | sed '/^$/d' | sort -u >in_help
	sed -e 's/=$//' -e '/^--help$/d' -e '/^-h$/d' options | sort -u >in_table
	diff in_help in_table || fail "$name: help (<) and the table of options (>) differ"
	for shell in bash zsh; do
		complete_$shell "$name" - | sort >offered
		diff <(sort options) offered || fail "$shell: not the options of $name"
	done
done
assert_equal "$(complete_bash commit --dr)" --dry-run
assert_equal "$(complete_bash create --media dvd | tr '\n' ' ')" "dvd dvd-dl "
assert_equal "$(complete_bash catalog sh)" show
assert_equal "$(complete_zsh catalog sh | head -n 1)" list
program=discfs
discfs --help | sed -n '/^Options:/,$s/^  \([a-z][^ ]*\)  .*/\1/p' | sort >options
assert_less 14 "$(wc -l <options)" options
for shell in bash zsh; do
	complete_$shell -o "" | sort | diff options - || fail "$shell: not the options of discfs"
done
assert_equal "$(complete_bash -o ro,comm)" ro,commit=
assert_equal "$(complete_bash -o ro,commit = u)" unmount
assert_equal "$(complete_bash -o umount = | tr '\n' ' ')" "wait handover refuse "
assert_equal "$(complete_zsh -o commit= | tr '\n' ' ')" "commit=manual commit=unmount "
mkdir folder
assert_equal "$(complete_bash fol)" folder
# what stands in labels and names of directories is no command
# shellcheck disable=SC2016
command='$(>obeyed)'
mkdir -p "c d$command" other
assert_equal "$(complete_bash -o state = c)" "c d$command"
xorriso -dev label.img -volid "$command" -map folder /folder -commit >/dev/null 2>&1
xorriso -dev plain.img -volid PLAIN -map folder /folder -commit >/dev/null 2>&1
mount_disc label.img other
unmount other
mount_disc plain.img "c d$command"
program=discfsctl
assert_equal "$(complete_bash find --disc "")" PLAIN
assert_equal "$(complete_bash status "$T/c " | uniq)" "$T/c d$command"
complete_zsh status "" | grep -qxF "$T/c d$command"
for shell in bash zsh; do
	complete_$shell status "" >offered
	complete_$shell find --disc "" >offered
done
[ ! -e obeyed ] || fail "completion obeys a disc"
unmount "c d$command"
rm -r "$XDG_STATE_HOME"

# --- the exit codes: in the program's table, its help, and README
grep -oE '= [0-9]+' "$TOP/src/base/exit_code.h" | tr -dc '0-9\n' | sort -n >codes
discfsctl --help | sed -n '/^Exit codes/,$p' | tr ',:' '\n' | grep -oE '^ ?[0-9]+ ' | tr -d ' ' | sort -n >in_help
sed -n 's/^| \([0-9]*\) | .*/\1/p' "$TOP/README.md" | sort -n >in_readme
diff codes in_help
diff codes in_readme

# --- what was meant
assert_exit 1 discfsctl comit
grep -q "did you mean 'commit'?" out
assert_exit 1 discfsctl mount
grep -q "there is no command 'mount': discfs mounts" out
assert_exit 1 discfsctl status --exit-cod
grep -q "did you mean '--exit-code'?" out
assert_exit 1 discfsctl commit --labl=X
grep -q "did you mean '--label'?" out
assert_exit 1 discfsctl status --nonsense
lacks out "did you mean"

# --- keys
documented() { # OF-WHAT: JSON on stdin, one value or several
	jq -rs '[.. | objects | keys[]] | unique[]' >keys
	while read -r key; do
		# shellcheck disable=SC2016 # the marks of code
		grep -qF '`'"$key"'`' "$TOP/docs/json.md" || fail "$1: docs/json.md doesn't name the key $key"
	done <keys
	[ -s keys ] || fail "$1: no keys"
}
# those that no test here brings about
grep -ohE '\\"[a-z0-9_]+\\":' "$TOP"/src/{control,ctl,wire,proc}/*.c | tr -d '\\":' | sort -u | jq -R '{(.): 0}' | documented sources
discfsctl create disc.img --media cd --json | documented create
mount_disc disc.img mnt
mkdir mnt/old
head -c 30000000 /dev/urandom >mnt/old/large
echo x >mnt/old/name
discfsctl commit mnt --label "ONE & <two>" --json | documented commit
mv mnt/old mnt/new
echo y >mnt/small
discfsctl commit mnt
head -c 90000000 /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt 2>/dev/null >mnt/staged
cp mnt/staged mnt/copy
for query in status diff info log "log --stat" map "commit --dry-run"; do
	# shellcheck disable=SC2086
	(cd mnt && discfsctl $query --json) >json
	documented "$query" <json
done
discfsctl verify mnt --json | documented verify
discfsctl catalog --json | documented catalog
discfsctl find '*' --json | documented find
discfsctl info disc.img --json | documented info
discfsctl map disc.img --json | documented map
discfsctl wait mnt --json | documented wait

# --- words: of two sizes that can't be the same it's said why; hints lead to what was meant
discfsctl status mnt >out
grep -q "90 MB of new data; the session will take at most 18[0-9] MB, less where files are copies" out
assert_match "$(discfsctl commit mnt --dry-run | head -n 1)" "the session takes 9[0-9] MB"
assert_exit 2 discfsctl restore 1 mnt/new/name
grep -q "session 1 has nothing there, but it has old/name: restore that, or copy it from $T/mnt/.discfs/sessions/1/old/name" out
assert_exit 2 discfsctl restore 1 mnt/new/nowhere
lacks out "but it has"
assert_match "$(discfsctl log mnt | tail -n 1)" "ONE & <two>"

# --- .discfs lists what is in it; what goes through the tree doesn't get there
ls mnt/.discfs >listed
assert_equal "$(tr '\n' ' ' <listed)" \
	"boot boot.json changes changes.json control log-stat.json log.json map.json map.svg sessions status status.json sums trial trial.json "
assert_equal "$(find mnt/.discfs -maxdepth 1 -mindepth 1 -type f | wc -l)" 14
ls -l mnt/.discfs
while read -r name; do
	assert_equal "$(stat -c %i "mnt/.discfs/$name")" "$(find mnt/.discfs -maxdepth 1 -name "$name" -printf %i)" "inode of $name"
done <listed
assert_equal "$(find mnt | grep -c discfs || true)" 0
cp -a mnt copied
[ ! -e copied/.discfs ]
# shellcheck disable=SC2012 # as people see it
assert_equal "$(ls -A mnt | tr '\n' ' ')" "copy new small staged "

# --- the map: parts without gaps, as large as the disc; the bar as wide as asked, in true proportion
discfsctl map mnt --json >map.json
jq -e '.sectors == .capacity_sectors and (.parts | map(.sectors) | add) == .sectors and
	([.parts, .parts[1:]] | transpose | map(select(.[1])) | all(.[0].start + .[0].sectors == .[1].start)) and
	([.parts[].kind] | unique - ["kept"] == ["between", "free", "session", "staged"]) and
	([.parts[] | select(.kind == "kept").sectors] | add // 0) < 32' map.json # sessions end at multiples of that
jq -r '.parts[] | select(.kind == "session") | "\(.start) \(.sectors)"' map.json >sessions
status mnt '.sessions[] | "\(.start) \(.sectors)"' | sort -n >expected
diff <(cut -d ' ' -f 1 sessions) <(cut -d ' ' -f 1 expected)
for columns in 40 120; do
	script -qec "stty cols $columns; LC_ALL=C NO_COLOR=1 discfsctl map mnt" /dev/null | tr -d '\r' >said
	cat said
	bar=$(sed -n 2p said)
	lacks said "in reserve"
	assert_equal ${#bar} $((columns - 1)) "width"
	assert_match "$bar" '^\[[#=+.x-]*\]$'
	staged=${bar//[^+]/}
	assert_less ${#staged} $((columns * 30 / 100)) # 182 MB of 737
	assert_less $((columns * 20 / 100)) ${#staged}
done
lacks said $'\e'
script -qec "LC_ALL=C.UTF-8 TERM=xterm discfsctl map mnt" /dev/null >said
grep -q $'\e\\[3.m' said
grep -q '█' said
discfsctl map mnt >said
lacks said $'\e'
# the picture
cp mnt/.discfs/map.svg map.svg
xmllint --noout map.svg
rsvg-convert map.svg -o map.png
assert_equal "$(xmllint --xpath 'string(/*/*[local-name()="title"])' map.svg)" "ONE & <two>"
grep -q 'prefers-color-scheme:dark' map.svg
cat >rings.py <<'END'
# The areas of the rings against the sectors of the parts: true but for those that would be too thin to be seen.
import json, re, sys
parts = [p for p in json.load(open("map.json"))["parts"] if p["sectors"] > 32 or p["kind"] not in ("between", "kept")]
rings = [(float(a), float(b)) for a, b in re.findall(
    r'fill-rule="evenodd"\s+d="M\S+ \S+a(\S+) \S+ 0 1 0 \S+ 0a\S+ \S+ 0 1 0 \S+ 0zM\S+ \S+a(\S+) ', open("map.svg").read())]
assert len(rings) == len(parts), (len(rings), len(parts))
whole = rings[-1][0] ** 2 - rings[0][1] ** 2
sectors = sum(p["sectors"] for p in parts)
at = rings[0][1]
for part, (outer, inner) in zip(parts, rings):
    assert abs(inner - at) < .02, "the rings follow each other"
    at = outer
    assert outer - inner > 1, part
    share, true = (outer ** 2 - inner ** 2) / whole, part["sectors"] / sectors
    assert abs(share - true) < .03, (part, share, true)
END
python3 -I -S rings.py

# --- status again and again, until it's ended
: >watched
timeout 150 discfsctl status mnt --watch --json >watched &
watcher=$!
watched_is() { # JSON: how much was staged, by the lines that are written to their end
	[ "$(head -n "$(wc -l <watched)" watched | jq -s -c 'map(.staged.added) | unique')" = "$1" ]
}
await watched_is "[2]"
echo z >mnt/later
await watched_is "[2,3]"
kill $watcher
wait $watcher || true
discfsctl cancel mnt
discfsctl discard --yes mnt
unmount mnt
assert_exit 3 discfsctl status mnt --watch
assert_match "$(discfsctl info disc.img)" "The next session begins at sector [0-9,]+"
