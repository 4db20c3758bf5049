#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 180
# Every disc that was ever mounted stays known: `catalog` lists them, and `find` says which holds a file, as find(1) does
# in the trees that the discs were made of.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires jq python3 xorriso sqlite3

known() { # JQ-EXPRESSION
	discfsctl catalog list --json | jq -r "$1"
}

# What find tells, and what find(1) tells of the trees: lines "LABEL path".
ours() { # FIND-ARGUMENTS…
	discfsctl find "$@" --json | jq -j '.[] | "\(.label) \(.path)\n"' | sort
}
theirs() { # FIND(1)-EXPRESSION…
	local label
	for label in ALPS BEACH CELLAR; do
		(cd "tree-$label" && find . -mindepth 1 "$@" -printf "$label %P\n")
	done | sort
}
assert_found() { # HOW-MANY-AT-LEAST
	{ set +x; } 2>/dev/null
	ours "${want[@]}" >found
	theirs "${find[@]}" >expected
	diff expected found >difference || fail "find ${want[*]}: $(head -n 20 difference)"
	assert_less "$(($1 - 1))" "$(wc -l <found)" "what find ${want[*]} finds"
	set -x
}

# --- three discs of two programs
python3 - <<'END'
import os, random
random.seed(7)
words = ["summer", "Winter", "b[1]", "Straße", "räume", "a b", "x*y", "été", "notes"]
ends = ["jpg", "JPG", "txt", "tar.gz", ""]
for label, count in ("ALPS", 400), ("BEACH", 300), ("CELLAR", 500):
    for number in range(count):
        depth = number % 4
        path = "/".join(["tree-" + label] + ["%s%d" % (random.choice(words), random.randrange(3)) for _ in range(depth)])
        os.makedirs(path, exist_ok=True)
        path += "/%s_%d.%s" % (random.choice(words), number, random.choice(ends))
        if number % 17 == 0:
            os.symlink("away", path)
            continue
        size = random.choice((0, 1, 100, 1023, 1024, 1025, 5000, 20480, 30000))
        with open(path, "wb") as file:
            file.write(b"x" * size)
        os.utime(path, (1500000000 + number * 86400, 1500000000 + number * 86400))
        if number % 23 == 0 and size:
            os.link(path, path + ".link")
END
ln -s x "$(printf 'tree-CELLAR/line\nbreak\033[1m')"
mkdir mnt
for label in ALPS BEACH; do
	xorriso -as mkisofs -quiet -R -J -joliet-long -V $label -o $label.img tree-$label 2>/dev/null
	mount_disc $label.img mnt
	unmount mnt
done
make_disc CELLAR.img dvd
mount_disc CELLAR.img mnt
cp -a tree-CELLAR/. mnt
tell mnt sync
assert_equal "$(known '.[] | select(.label == "") | .staged.added > 400 and .mounted')" true
commit mnt CELLAR
assert_equal "$(known 'map(select(.mounted)) | map(.label) | join(" ")')" CELLAR
unmount mnt

# --- the list
assert_equal "$(known 'map(.label) | sort | join(" ")')" "ALPS BEACH CELLAR"
assert_equal "$(known '.[] | select(.label == "CELLAR") | "\(.medium.profile) \(.medium.state) \(.sessions | length) \(.mounted) \(.superseded)"')" \
	"dvd appendable 1 false null"
for label in ALPS BEACH CELLAR; do
	assert_equal "$(known ".[] | select(.label == \"$label\") | \"\\(.base.files) \\(.base.bytes) \\(.source)\"")" \
		"$(find tree-$label -type f -printf '%i %s\n' | awk '!($1 in seen) { s += $2; seen[$1] } END { print NR, s }') $T/$label.img"
done
assert_less "$(($(date +%s) - $(known 'map(.seen) | min')))" 120 "seconds since a disc was seen"
discfsctl catalog >said
assert_equal "$(wc -l <said)" 4
grep -q "^[0-9a-f]* *CELLAR .*DVD.*$T/CELLAR.img\$" said
discfsctl catalog show ALPS >said
grep -q "^Image: $T/ALPS.img" said
grep -q '^Nothing is staged' said
grep -q '^ *1 .* ALPS$' said

# --- find, in all its options
want=('*.jpg') find=(-name '*.jpg')
assert_found 100
want=(-i '*.jpg') find=(-iname '*.jpg')
assert_found 200
want=(-i 'STRAßE*') find=(-iname 'straße*')
assert_found 50
want=('*.jpg' '*.txt') find=('(' -name '*.jpg' -o -name '*.txt' ')')
assert_found 200
want=('?té_*') find=(-name '?té_*')
assert_found 50
want=('b\[1\]*') find=(-name 'b\[1\]*')
assert_found 50
want=('[r-x]*[!g]') find=(-name '[r-x]*[!g]')
assert_found 50
want=('*' -t d) find=(-type d)
assert_found 20
want=('*' --type l) find=(-type l)
assert_found 60
want=('*' --type 'f,l') find=(-type 'f,l')
assert_found 1000
want=('*' --size +1k) find=(-type f -size +1024c)
assert_found 400
want=('*' --size -1k) find=(-type f -size -1024c)
assert_found 300
want=('*' --size 20480) find=(-type f -size 20480c)
assert_found 50
want=('*.txt' --newer 2018-03-01) find=(-name '*.txt' -newermt '2018-02-28 23:59:59')
assert_found 50
want=('*' -t f --newer 2018-01-01T12:00:00Z --older 2018-02) \
	find=(-type f -newermt '2018-01-01 11:59:59' ! -newermt '2018-01-31 23:59:59')
assert_found 60
want=('summer*/*') find=(-path './summer*/*')
assert_found 50
want=('/summer*/*.jpg') find=(-path './summer*/*.jpg')
assert_found 10
want=('*/Win*/?ummer*' -i) find=(-ipath './*/Win*/?ummer*')
assert_found 5
want=(-r '^[a-u]+_[0-9]+[.]t') find=(-regextype posix-extended -regex '.*/[a-u]+_[0-9]+[.]t[^/]*')
assert_found 20
want=(-r '^summer./.*[.]jpg$') find=(-regextype posix-extended -regex '[.]/summer./.*[.]jpg')
assert_found 5
want=(-r -i 'SUMMER|winter') find=('(' -iname '*summer*' -o -iname '*winter*' ')')
assert_found 100
want=('nothing.like.that') find=(-false)
assert_found 0
want=(-- '-r') find=(-false)
assert_found 0

discfsctl find '*' -0 --disc ALPS >names
id=$(known '.[] | select(.label == "ALPS") | .id')
(cd tree-ALPS && find . -mindepth 1 -printf "$id/%P\\0") | sort -z >expected
sort -z names | cmp - expected
assert_equal "$(discfsctl find '*.jpg' --disc "${id:0:7}" --json | jq -r 'map(.label) | unique | join(" ")')" ALPS
assert_equal "$(discfsctl find '*' --limit 7 | wc -l)" 7
discfsctl find 'line*' >said
assert_equal "$(wc -l <said)" 1
grep -qF 'line\012break\033[1m' said
assert_equal "$(discfsctl find 'line*' -0 | tr '\0\n' '|+')" "$(known '.[] | select(.label == "CELLAR") | .id')/$(printf 'line+break\033[1m|')"
# Of a name with brackets the pattern would have to be another; directories list their names in an order of their own.
file=$(find tree-ALPS -type f -size +1k ! -path '*[*[]*' | sort | sed -n 1p)
discfsctl find "${file#tree-ALPS/}" -d ALPS --json | jq -r '.[] | "\(.size) \(.time) \(.type)"' |
	grep -qx "$(stat -c '%s %Y' "$file") file"

assert_exit 1 discfsctl find
assert_exit 1 discfsctl find -r '('
assert_exit 1 discfsctl find '*' --size lots
assert_exit 1 discfsctl find '*' --newer yesterday
assert_exit 1 discfsctl find '*' --type q
assert_exit 2 discfsctl find '*' --disc NOBODY

# --- what is staged counts, on the shelf and while it's mounted
mount_disc BEACH.img mnt
mkdir mnt/fresh
echo new >mnt/fresh/only-staged.txt
dir=$(cd tree-BEACH && find . -maxdepth 1 -mindepth 1 -type d -printf '%P\n' | sort | sed -n 1p)
mv "mnt/$dir" mnt/fresh/moved
gone=$(cd tree-BEACH && find . -maxdepth 1 -type f -printf '%P\n' | sort | sed -n 1p)
rm "mnt/$gone"
tell mnt sync
check_staged() {
	assert_equal "$(discfsctl find only-staged.txt --json | jq -r '.[] | "\(.label) \(.path) \(.staged)"')" \
		"BEACH fresh/only-staged.txt true"
	discfsctl find only-staged.txt | grep -q ' staged  fresh/only-staged.txt$'
	(cd "tree-BEACH/$dir" && find . -type f -printf 'fresh/moved/%P\n') | sort >expected
	discfsctl find 'fresh/moved/*' -t f --json | jq -r '.[].path' | sort | cmp - expected
	assert_equal "$(discfsctl find -d BEACH --json "${gone//[\[\]\*]/?}")" '[]'
	assert_equal "$(discfsctl find --staged '*' --json | jq -r 'map(.path) | sort | join(" ")')" \
		"fresh fresh/moved fresh/only-staged.txt"
	assert_equal "$(known '.[] | select(.label == "BEACH") | .staged | "\(.added) \(.deleted) \(.renamed) \(.bytes)"')" "2 1 1 4"
}
check_staged
assert_exit 14 discfsctl catalog forget BEACH --force
unmount mnt
check_staged
discfsctl catalog show BEACH | grep -q '^Staged: 2 added, 0 modified, 1 deleted, 1 renamed; 4 B'
assert_exit 4 discfsctl catalog forget BEACH
grep -q -- --force "$T/out"
known 'map(.label)' | grep -q BEACH

# --- beginnings of ids, labels, and several that are called alike
cp -r tree-ALPS tree-other
echo other >tree-other/other
xorriso -as mkisofs -quiet -R -V ALPS -o other.img tree-other 2>/dev/null
mount_disc other.img mnt
unmount mnt
assert_exit 1 discfsctl catalog show ALPS
grep -q "$(known 'map(select(.label == "ALPS"))[0].brief').*$(known 'map(select(.label == "ALPS"))[1].brief')" "$T/out"
assert_exit 2 discfs --offline ALPS mnt
other=$(discfsctl find other -0 | tr '\0' '\n' | cut -d / -f 1)
assert_equal "$(discfsctl catalog show "${other:0:9}" --json | jq -r '"\(.label) \(.source)"')" "ALPS $T/other.img"
# Two ids that begin alike: the directories are called after the fingerprint, so one is renamed here.
state=$XDG_STATE_HOME/discfs
mv "$state/$id" "$state/${other:0:10}xxxxxx"
assert_exit 1 discfsctl catalog show "${other:0:9}"
discfsctl catalog show "${other:0:11}" --json | jq -r .id | grep -qx "$other"
assert_equal "$(known 'map(.brief | length) | sort | join(" ")')" "8 8 11 11"
mv "$state/${other:0:10}xxxxxx" "$state/$id"

# --- forget: the state goes with all that leads there, and the disc is mounted as new
find "$state/by-fingerprint" -lname "../$other" | grep -q .
discfsctl catalog forget "$other"
[ ! -e "$state/$other" ]
assert_equal "$(find "$state/by-fingerprint" -lname "../$other" | wc -l)" 0
assert_equal "$(known 'map(.label) | sort | join(" ")')" "ALPS BEACH CELLAR"
mkdir elsewhere
mount_disc other.img mnt -o spool="$T/elsewhere"
echo staged >mnt/staged
unmount mnt
ls elsewhere/*.spool
assert_exit 4 discfsctl catalog forget "$other"
discfsctl catalog forget "$other" --force
assert_equal "$(ls elsewhere)" ""
assert_exit 2 discfsctl catalog forget "$other"

# --- another program appends a session: the disc shows once, and work that was staged before isn't lost
mount_disc ALPS.img mnt
unmount mnt
before=$(known '.[] | select(.label == "ALPS") | .id')
xorriso -dev ALPS.img -map tree-BEACH/"$gone" /appended -volid ALPS2 -commit 2>/dev/null
mount_disc ALPS.img mnt
unmount mnt
assert_equal "$(known 'map(.label) | sort | join(" ")')" "ALPS2 BEACH CELLAR"
[ ! -e "$state/$before" ]
mount_disc CELLAR.img mnt
echo before >mnt/staged-before
unmount mnt
before=$(known '.[] | select(.label == "CELLAR") | .id')
xorriso -dev CELLAR.img -map tree-BEACH/"$gone" /appended -commit 2>/dev/null
mount_disc CELLAR.img mnt
[ ! -e mnt/staged-before ]
unmount mnt
now=$(known '.[] | select(.label == "CELLAR" and .superseded == null) | .id')
assert_equal "$(known ".[] | select(.id == \"$before\") | .superseded")" "$now"
assert_equal "$(discfsctl catalog show CELLAR --json | jq -r .id)" "$now"
discfsctl catalog show "$before" | grep -q "has the id $now"
assert_equal "$(discfsctl find appended 'staged-before' --json | jq -r '.[] | "\(.label) \(.path) \(.staged)"' | sort | tr '\n' ' ')" \
	"ALPS2 appended false CELLAR appended false CELLAR staged-before true "
assert_equal "$(discfsctl find -r '^line' --json | jq length)" 1
# an older session that somebody looks at is no disc of its own
mount_disc CELLAR.img mnt -o session=1
[ ! -e mnt/appended ]
unmount mnt
assert_equal "$(known 'map(.label) | sort | join(" ")')" "ALPS2 BEACH CELLAR CELLAR"
assert_equal "$(discfsctl find -r '^line' --json | jq length)" 1

# --- a copy of a blank image is the same disc, and it's said where the work on it was staged
make_disc blank.img cd
mount_disc blank.img mnt -o state="$T/root3"
echo of the original >mnt/staged
assert_equal "$(status mnt .staged_at)" ""
unmount mnt
mv blank.img named.img
timeout 100 discfs named.img mnt -o state="$T/root3" 2>said
daemon_of mnt >.daemon-mnt
assert_equal "$(cat said) $(status mnt .staged_at)" " " # another name is no copy
unmount mnt
cp named.img copied.img
for _ in 1 2; do
	timeout 100 discfs copied.img mnt -o state="$T/root3" 2>said
	daemon_of mnt >.daemon-mnt
	grep -qF "copied.img is a copy of $T/named.img: what was staged there shows here too" said
	assert_equal "$(status mnt .staged_at)" "$T/named.img"
	discfsctl status mnt | grep -qF "It was staged at $T/named.img, of which this image is a copy"
	[ -e mnt/staged ]
	unmount mnt
done
mount_disc copied.img mnt -o state="$T/root3"
commit mnt COPIED
echo more >mnt/more
assert_equal "$(status mnt .staged_at)" ""
unmount mnt
mount_disc named.img mnt -o state="$T/root3"
[ ! -e mnt/staged ]
unmount mnt
discfsctl catalog list --state root3 >said
cat said
id=$(discfsctl catalog list --state root3 --json | jq -r 'map(.brief)[]' | sort | head -n 1)
assert_equal "$(discfsctl catalog list --state root3 --json | jq -r 'map(.brief)[]' | sort | tail -n 1)" "$id-2"
grep -q "^$id    (no label)\|^$id    COPIED" said
grep -q "^$id-2  (no label)\|^$id-2  COPIED" said

# --- several roots, an empty one, and one with a damaged database
mkdir root2
mount_disc BEACH.img mnt -o state="$T/root2"
unmount mnt
assert_equal "$(discfsctl catalog list --state root2 --json | jq -r 'map(.label) | join(" ")')" BEACH
assert_equal "$(discfsctl find --state root2 only-staged.txt --json)" '[]'
assert_equal "$(discfsctl find --state "$T/root2" "*.txt" --json | jq length)" "$(find tree-BEACH -name '*.txt' | wc -l)"
assert_equal "$(discfsctl catalog list --state "$T/nowhere" --json)" '[]'
damaged=$(find root2 -name overlay.db)
echo "no database" >"$damaged"
assert_exit 2 discfsctl find --state root2 '*'
discfsctl catalog list --state root2 | grep -q 'not a discfs database'
assert_exit 2 discfsctl catalog forget --state root2 "$(basename "$(dirname "$damaged")")"
discfsctl catalog forget --force --state root2 "$(basename "$(dirname "$damaged")")"
assert_equal "$(discfsctl catalog list --state root2 --json)" '[]'
assert_exit 1 discfsctl catalog show
assert_exit 1 discfsctl catalog burn
check_state
