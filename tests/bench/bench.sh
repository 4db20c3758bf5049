#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures discfs beside fuse-overlayfs, libfuse's passthrough_hp, the host's own file system and xorriso, all in one run,
# and prints how the times compare. Runs are interleaved (A B C A B C …), and the medians are compared: the ratios mean something
# on any machine, the seconds only on this one.
#
# Usage: bench.sh [--quick] [CASE…]     without a CASE: all of them
#
# Environment:
#   BENCH_DIR          where to work; a directory of its own is made in it, and removed (default: /var/tmp).
#                      Needs 9 GB on a file system like the one that staged work lies on; never a tmpfs
#   BENCH_RUNS         runs of each case (default: 5)
#   BENCH_KEEP         a file that gets every single time: case, peer, seconds
#   BENCH_PASSTHROUGH  libfuse's example passthrough_hp; `make bench` builds it with passthrough.sh
#   DISCFS, DISCFSCTL, FSLOAD   the programs (default: those in build/)
#
# Cold means: nothing in any cache. Only root can empty the kernel's; without, the cold cases measure a fresh mount.
set -u
LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$here/../.." && pwd)/build
discfs=${DISCFS:-$build/discfs} ctl=${DISCFSCTL:-$build/discfsctl} fsload=${FSLOAD:-$build/bench/fsload}
runs=${BENCH_RUNS:-5} passthrough=${BENCH_PASSTHROUGH-}
work='' peers=() skipped=() notes=()
# Sizes: directories and files in each; the files of the cold search; MiB; files to commit; bytes in each.
dirs=10 files=1000 tree_dirs=100 big=1024 commit_big=2048 commit_dirs=20 size=2000
limit=600 # seconds for one command: then something hangs

die() { echo "bench.sh: $*" >&2; exit 1; }

tell() { # what is under way, to someone who looks on
	[ ! -t 2 ] || printf '\r\e[K%s' "$1" >&2
}

bounded() { timeout "$limit" "$@"; }

# ---- peers: each has a writable folder at $top between start and stop; fresh begins with an empty one ----

choose_peers() {
	peers=(discfs)
	if ! command -v fuse-overlayfs >/dev/null; then
		skipped+=("fuse-overlayfs: not installed")
	else
		peers+=(overlay)
	fi
	if [ ! -x "$passthrough" ]; then
		skipped+=("passthrough_hp: not built")
	else
		peers+=(passthrough)
		(ulimit -n "$descriptors") 2>/dev/null || notes+=("passthrough_hp may not open $descriptors files here: it has no tree")
	fi
	peers+=(host)
	command -v xorriso >/dev/null || skipped+=("xorriso: not installed")
	[ -w /proc/sys/vm/drop_caches ] || notes+=("not root: the kernel's caches stay warm in the cold cases")
}

# Starts PEER. lower: a tree that is already there (discfs: the image of it).
start() {
	local own=$work/$1 lower=${2-} image=$work/$1/disc.img

	top=$own/top
	[ -z "$lower" ] || image=$work/tree.img
	mkdir -p "$own/top" "$own/state" "$own/upper" "$own/work" "$own/empty"
	case $1 in
	discfs)
		bounded "$discfs" "$image" "$top" -o "state=$own/state" || die "discfs doesn't mount" ;;
	no-udf)
		bounded "$discfs" "$image" "$top" -o "state=$own/state,formats=iso,joliet" || die "discfs doesn't mount" ;;
	overlay)
		bounded fuse-overlayfs -o "lowerdir=${lower:-$own/empty},upperdir=$own/upper,workdir=$own/work" \
			"$top" 2>/dev/null || die "fuse-overlayfs doesn't mount" ;;
	passthrough)
		(ulimit -n "$descriptors" 2>/dev/null
			bounded "$passthrough" "${lower:-$own/upper}" "$top") || die "passthrough_hp doesn't mount" ;;
	host)
		top=${lower:-$own/upper} ;;
	esac
}

stop() {
	case $1 in
	discfs | no-udf) bounded "$ctl" umount "$work/$1/top" >/dev/null || die "discfs doesn't unmount" ;;
	overlay | passthrough) bounded umount "$work/$1/top" || die "$1 doesn't unmount" ;;
	esac
}

fresh() {
	rm -rf "${work:?}/$1"
	mkdir -p "$work/$1"
	case $1 in
	discfs | no-udf) "$ctl" create "$work/$1/disc.img" --size 20G >/dev/null || die "no image" ;;
	esac
	start "$1"
}

cold() {
	sync
	[ ! -w /proc/sys/vm/drop_caches ] || echo 3 >/proc/sys/vm/drop_caches
}

# ---- timing ----

record() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$work/times"; } # case peer seconds

# CASE PEER COMMAND…: how long the command takes.
timed() {
	local name=$1 peer=$2 began=$EPOCHREALTIME ended

	shift 2
	"$@" >/dev/null || die "$name: $peer: $* failed"
	ended=$EPOCHREALTIME
	record "$name" "$peer" "$(awk "BEGIN { print $ended - $began }")"
}

# CASE PEER LOAD…: how long fsload says it took.
loaded() {
	local name=$1 peer=$2 seconds

	shift 2
	seconds=$(bounded "$fsload" "$@") || die "$name: $peer: fsload $* failed"
	record "$name" "$peer" "$seconds"
}

# ---- cases ----

case_names() { # create, rename, rm of 10,000 files
	local peer=$1

	fresh "$peer"
	sync
	loaded "create $total files" "$peer" create "$top" $dirs "$files" $size
	sync
	loaded "rename $total files" "$peer" rename "$top" $dirs "$files"
	sync
	timed "rm -rf $total files" "$peer" bounded rm -rf "$top/"dir*
	stop "$peer"
}

case_rsync() {
	local peer=$1

	fresh "$peer"
	sync
	timed "rsync -a $total files" "$peer" bounded rsync -a "$work/source/" "$top/"
	stop "$peer"
}

case_data() { # one large file
	local peer=$1

	fresh "$peer"
	sync
	loaded "write $big MiB, fsync" "$peer" write "$top/big" "$big"
	stop "$peer"
	cold
	start "$peer"
	loaded "read $big MiB, cold" "$peer" read "$top/big"
	loaded "read $big MiB, warm" "$peer" read "$top/big"
	rm "$top/big"
	stop "$peer"
}

case_tree() { # find with stat over a tree that was there before, and removing a tenth of it
	local peer=$1

	rm -rf "${work:?}/$peer"
	if [ "$peer" = discfs ]; then
		start discfs "$work/tree" # the first mount takes the disc's tree over: measured in case_mount
		stop discfs
	fi
	cold
	start "$peer" "$work/tree"
	timed "find $tree_total files, cold" "$peer" bounded find "$top" -size +1000k
	timed "find $tree_total files, warm" "$peer" bounded find "$top" -size +1000k
	timed "ls -lR $tree_total files, warm" "$peer" bounded ls -lR "$top"
	if [ "$peer" = overlay ] || [ "$peer" = discfs ]; then
		timed "rm -rf $((tree_total / 10)) old files" "$peer" bounded rm -rf "$top/"dir0[0-9][0-9]0
	fi
	stop "$peer"
}

case_mount() { # of a disc with 100,000 files; nothing to compare with
	local began=$EPOCHREALTIME kib

	[ "$1" = discfs ] || return 0
	rm -rf "${work:?}/discfs"
	cold
	timed_start "first mount of $tree_total files"
	bounded find "$top" -size +1000k
	kib=$(awk '/VmRSS/ { print $2 }' "/proc/$(pid_of "$top")/status")
	record "memory after find (MB)" discfs "$((kib / 1024))"
	stop discfs
	cold
	timed_start "second mount of $tree_total files"
	stop discfs
}

timed_start() {
	local began=$EPOCHREALTIME

	start discfs "$work/tree"
	record "$1" discfs "$(awk "BEGIN { print $EPOCHREALTIME - $began }")"
}

pid_of() { sed -n 's/^"pid":\([0-9]*\),$/\1/p' "$1/.discfs/status.json"; }

append_session() { bounded xorriso -dev "$1" -md5 on -joliet on -map "$2" /new -commit -end 2>&1; }
copy_safely() { bounded cp -a "$1" "$2" && sync -f "$2"; }

# CASE SOURCE PEER: one commit of what is in SOURCE, and one more when a file was changed. The peers: discfs without UDF,
# xorriso appending to an image, and cp with fsync.
commit_one() {
	local name=$1 source=$2 peer=$3 own=$work/$3

	rm -rf "$own"
	mkdir -p "$own"
	case $peer in
	discfs | no-udf)
		fresh "$peer"
		cp -a "$source" "$top/new" || die "cp into discfs failed"
		bounded "$fsload" phases "$top" >"$work/phases" &
		sync
		timed "$name" "$peer" bounded "$ctl" commit "$top"
		wait $!
		while read -r phase seconds; do record "$name: $phase" "$peer" "$seconds"; done <"$work/phases"
		echo new >"$top/new/changed"
		timed "$name, one more" "$peer" bounded "$ctl" commit "$top"
		stop "$peer" ;;
	xorriso)
		xorriso -outdev "$own/disc.img" -md5 on -map "$here/bench.sh" /first -commit -end >/dev/null 2>&1 ||
			die "xorriso makes no image"
		sync
		timed "$name" xorriso append_session "$own/disc.img" "$source" ;;
	host)
		sync
		timed "$name" host copy_safely "$source" "$own/new" ;;
	esac
	rm -rf "$own"
}

case_commit_big() { commit_one "commit of $commit_big MiB" "$work/big" "$1"; }

case_commit_small() { commit_one "commit of $commit_total files" "$work/small" "$1"; }

# ---- what the cases read ----

prepare_rsync() {
	mkdir "$work/source"
	"$fsload" create "$work/source" $dirs "$files" $size >/dev/null || die "no source"
}

prepare_tree() {
	[ ! -e "$work/tree" ] || return 0
	mkdir "$work/tree"
	"$fsload" create "$work/tree" $tree_dirs "$files" 100 >/dev/null || die "no tree"
	xorriso -outdev "$work/tree.img" -md5 on -joliet on -map "$work/tree" / -commit -end >/dev/null 2>&1 ||
		die "no image of the tree"
}
prepare_mount() { prepare_tree; }

prepare_commit_big() {
	mkdir "$work/big"
	"$fsload" write "$work/big/file" "$commit_big" >/dev/null || die "no file"
}
finish_commit_big() { rm -rf "$work/big"; }

prepare_commit_small() {
	mkdir "$work/small"
	"$fsload" create "$work/small" $commit_dirs "$files" $size >/dev/null || die "no files"
}

peers_of() { # CASE: who runs it
	case $1 in
	commit_*) command -v xorriso >/dev/null && echo discfs no-udf xorriso host || echo discfs no-udf host ;;
	mount) echo discfs ;;
	tree) (ulimit -n "$descriptors") 2>/dev/null && echo "${peers[@]}" || echo "${peers[@]/passthrough/}" ;;
	*) echo "${peers[@]}" ;;
	esac
}

run_case() {
	local name=$1 run peer

	[[ $(type -t "prepare_$name") != function ]] || "prepare_$name"
	for ((run = 1; run <= runs; run++)); do
		for peer in $(peers_of "$name"); do
			tell "$name: run $run of $runs: $peer"
			"case_$name" "$peer"
			rm -rf "${work:?}/$peer"
		done
	done
	tell ''
	[[ $(type -t "finish_$name") != function ]] || "finish_$name"
}

# ---- the result ----

report() {
	echo
	echo "Medians of $runs interleaved runs, seconds; in brackets the peer's time by that of discfs: above 1, discfs is faster."
	awk -F '\t' '
		function median(case_peer,   list, count, i, j, swap) {
			count = split(times[case_peer], list, " ")
			for (i = 2; i <= count; i++)
				for (j = i; j > 1 && list[j - 1] + 0 > list[j] + 0; j--) {
					swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
				}
			return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
		}
		{
			if (!($1 in seen)) { order[++cases] = $1; seen[$1] = 1 }
			if (!($2 in known)) { column[++columns] = $2; known[$2] = 1 }
			times[$1 "\t" $2] = times[$1 "\t" $2] " " $3
		}
		END {
			printf "%-32s", "case"
			for (c = 1; c <= columns; c++) printf "%18s", column[c]
			print ""
			for (i = 1; i <= cases; i++) {
				printf "%-32s", order[i]
				own = median(order[i] "\tdiscfs")
				for (c = 1; c <= columns; c++) {
					key = order[i] "\t" column[c]
					if (!(key in times)) printf "%18s", "-"
					else if (column[c] == "discfs") printf "%18s", sprintf("%.3f", own)
					else printf "%18s", sprintf("%.3f (%.2f)", median(key), own > 0 ? median(key) / own : 0)
				}
				print ""
			}
		}' "$work/times"
	for line in "${notes[@]/#/Note: }" "${skipped[@]/#/Skipped: }"; do [ -z "$line" ] || echo "$line"; done
}

clean_up() {
	local peer

	[ -n "$work" ] || return
	for peer in discfs no-udf overlay passthrough; do
		! mountpoint -q "$work/$peer/top" 2>/dev/null || timeout 60 umount "$work/$peer/top" || umount -l "$work/$peer/top"
	done
	[ -z "${BENCH_KEEP-}" ] || [ ! -e "$work/times" ] || cat "$work/times" >>"$BENCH_KEEP"
	rm -rf "$work"
}

main() {
	local all=(names rsync data tree mount commit_big commit_small) chosen=() name

	for name; do
		case $name in
		--quick) runs=1 files=100 big=128 commit_big=128 ;;
		--help | -h) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
		*) [[ " ${all[*]} " == *" $name "* ]] || die "cases: ${all[*]}"; chosen+=("$name") ;;
		esac
	done
	descriptors=$((tree_dirs * files + 10000)) # passthrough_hp has one for each inode that the kernel knows
	total=$((dirs * files)) tree_total=$((tree_dirs * files)) commit_total=$((commit_dirs * files))
	[ -x "$fsload" ] || die "$fsload isn't there: run make bench"
	work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/discfs-bench.XXXXXX") || exit 1
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	choose_peers
	[ ${#chosen[@]} -gt 0 ] || chosen=("${all[@]}")
	for name in "${chosen[@]}"; do run_case "$name"; done
	report
}

main "$@"
