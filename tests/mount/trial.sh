#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 200
# What `commit --dry-run` tells is true: sizes, what goes in, and every name that Joliet changes, numbers or leaves out, as
# xorriso and isoinfo show it of the session that is burned then; what no session can be made of is named before anything
# is burned, with its path; long lists are cut, and say so.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires xorriso isoinfo mkudffs jq python3 touch mkfifo

dry_run() { # dry_run [OPTION…]: into trial.json and trial.txt
	timeout 60 discfsctl commit --dry-run --json "$@" mnt >trial.json
	timeout 60 discfsctl commit --dry-run --verbose "$@" mnt >trial.txt
}

told() {
	jq -r ".trial$1" trial.json
}

bytes_of() {
	find "$1" -type f ! -name 'hard:link' -printf '%s\n' | awk '{ sum += $1 } END { print sum }'
}

# --- names of every kind, in directories of every kind, each file with a content of its own
cat >names.py <<'EOP'
import os, random, socket, sys
top = os.fsencode(sys.argv[1])
count = 0
def put(*parts):
    global count
    path = os.path.join(top, *[part if isinstance(part, bytes) else part.encode() for part in parts])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(b"content %d\n" % count)
    count += 1
plain = ["readme", "README.TXT", "a.b.c", "two words", "dot.", ".hidden", "..twice", "noext", "Ünïcödé.txt", "日本語.txt", "ﬁ", "ẞ",
         "x" * 98 + ".jpg", "y" * 103, "~$word.doc", "100%", "a'b", 'say "so"', "back`tick", "(1)[2]{3}", "#!&|<>", "trailing "]
for name in plain:
    put(name)
    put("in plain", name)
for name in ["what?", "a*b", "a?b", "c:d", "e;f", "g\\h", "tab\there", "bell\a", "delete\x7f", "what is this\x7f?", "semi;1", "a*b.txt", "a?b.txt", "a_b.txt"]:
    put(name)
    put("dir: %s" % name, "inside")
put("dots in the end..")
put("dir with dots in the end..", "inside")
for length in (99, 100, 103, 104, 105, 150, 240, 253, 254, 255):
    put("l" * length)
    put("m" * (length - 4) + ".jpg")
    put("n" * (length - 20) + "." + "e" * 19)
    put("d" * length + "/inside")
for i in range(15):
    put("the same beginning " * 8 + "%d.txt" % i)
    put("the same directory " * 8 + "%d" % i, "inside")
for name in ["😀.txt", "😀" * 40 + ".txt", "a" * 102 + "😀.txt", "a" * 98 + "😀", "🏴\U000e0067\U000e007f", "\U0010ffff"]:
    put(name)
for name in [b"bad\xff", b"bad\xfe", b"\xc3\xa9t\xe9", b"cut\xe2\x82", b"\xed\xa0\x80", b"five\xfa\xbc\x8f\x81\x8b", b"six\xfc\x84\x80", b"latin \xe4\xf6\xfc/in it"]:
    put(name)
put(b"\xc3")  # nothing of it is left
put("s" * 60, "t" * 120, "u?", "deep")
os.symlink("readme", os.path.join(top, b"link"))
os.symlink("x/y/z", os.path.join(top, b"link?"))
os.symlink("x//y", os.path.join(top, b"doubled"))
os.symlink("/x/", os.path.join(top, b"ended"))
os.symlink("/", os.path.join(top, b"root"))
os.mkfifo(os.path.join(top, b"fifo"))
socket.socket(socket.AF_UNIX).bind(os.path.join(top, b"socket"))
os.link(os.path.join(top, b"readme"), os.path.join(top, b"hard:link"))
EOP

# compare.py: the lists of trial.txt against what xorriso reads of the image with Rock Ridge and without. Files are known by
# the place of their content; a directory by that of a file in it.
cat >compare.py <<'EOP'
import re, subprocess, sys
image = sys.argv[1]
def files(*options):
    out = subprocess.run(["xorriso", *options, "-indev", image, "-find", "/", "-type", "f", "-exec", "report_lba", "--"],
                         capture_output=True, timeout=60).stdout
    found = {}
    for line in out.splitlines():
        match = re.match(rb"File data lba:\s*\d+ ,\s*(\d+) ,\s*\d+ ,\s*\d+ , (.*)", line)
        if match:
            path = match[2].replace(rb"""'"'"'""", b"\0")[1:-1].replace(b"\0", b"'")
            found.setdefault(int(match[1]), []).append(path)
    return found
def unescape(text):
    return re.sub(rb"\\(\d{3})", lambda match: bytes([int(match[1], 8)]), text)
true, shown = files(), files("-read_fs", "norock")
changed, missing, seen = {}, set(), set()
for place, paths in true.items():
    # several names of one file come in the same order: neither is told from the other by its content
    if place not in shown:
        missing.update(path[1:] for path in paths)
        continue
    assert len(shown[place]) == len(paths), (paths, shown[place])
    if len(paths) > 1:
        continue
    # Windows and Linux show no dots at the end of a name
    parts, others = paths[0][1:].split(b"/"), [part.rstrip(b".") for part in shown[place][0][1:].split(b"/")]
    assert len(parts) == len(others), (parts, others)
    for i, (part, other) in enumerate(zip(parts, others)):
        path = b"/".join(parts[:i + 1])
        assert changed.get(path, other) == other
        seen.add(path)
        if part != other:
            changed[path] = other
lists = {"changed": {}, "missing": {}}
where = None
for line in open("trial.txt", "rb").read().splitlines():
    if not line.startswith(b"  "):
        where = "changed" if b"where Joliet" in line and b"other" in line else "missing" if b"shown where Joliet" in line else None
    elif where == "changed":
        path, rest = line[2:].split(b" -> ", 1)
        lists[where][unescape(path)] = unescape(rest[:rest.rindex(b" (")])
    elif where == "missing":
        lists[where][unescape(line[2:line.rindex(b" (")])] = line[line.rindex(b" (") + 2:-1]
several = {path[1:] for paths in true.values() if len(paths) > 1 for path in paths}
told = {path: name for path, name in lists["changed"].items() if path not in several}
for path in sorted(set(told) | set(changed)):
    if told.get(path) != changed.get(path):
        print("told", path, told.get(path), "shown", changed.get(path))
regular = {path for path, kind in lists["missing"].items() if kind == b"file"}
if regular != missing:
    print("left out", regular, missing)
print(len(seen), "names,", len(changed), "of them changed,", len(missing), "missing", file=sys.stderr)
sys.exit(told != changed or regular != missing or len(changed) < 50)
EOP

make_disc disc.img dvd
mount_disc disc.img mnt
python3 names.py mnt
setfattr -n user.x -v y mnt/readme
touch -d '1850-01-01' "mnt/two words"
touch -d '2200-01-01' mnt/noext
touch -d 2038-01-19T03:14:07Z mnt/dot.
touch -d 2038-01-19T03:14:08Z mnt/.hidden
label="A name of more than sixteen"
dry_run --label "$label"
sectors=$(told .sectors)
assert_equal "$(jq .sectors trial.json)" "$sectors" "the two results"
assert_equal "$(told .refused)" 0 "what can't be committed"
assert_equal "$(told .label)" "$label" "the label"
assert_equal "$(told .joliet_label)" "A name of more t" "the label in Joliet"
assert_equal "$(told .all.files)" "$(find mnt -type f ! -name 'hard:link' | wc -l)" "files"
assert_equal "$(told .added.directories)" "$(find mnt -mindepth 1 -type d | wc -l)" "directories"
assert_equal "$(told .names)" "$(find mnt -mindepth 1 -printf x | wc -c)" "names"
assert_equal "$(told .new_bytes)" "$(bytes_of mnt)" "new bytes"
assert_equal "$(told .attributed)" 1 "files with attributes"
assert_equal "$(told '.times.list|map(.path)|sort|join(",")')" "noext,two words" "times"
# and noext, which becomes 2155; ctime is today's
assert_equal "$(told .time_beyond_2038)" 3 "times that 32 bits don't hold"
assert_equal "$(told .long_names.count)" "$(find mnt -regextype egrep -regex '.*/[^/]{254,}' | wc -l)" "long names"
assert_equal "$(told '.long_names.list|map(.path|split("/")[0]|length)|unique|join(" ")')" "254 255" "long names"
assert_equal "$(told '.joliet_left_out.list|map(select(.type!="file")|.type)|sort|join(" ")')" "FIFO socket symlink symlink symlink symlink symlink" "what Joliet leaves out"
assert_equal "$(told '.targets_slashes.list|map(.path)|sort|join(" ")')" "doubled ended" "targets that lose slashes"
assert_equal "$(told '.joliet_changed.list[]|select(.path=="a*b.txt")|.why|join(" ")')" "characters numbered" "why"
grep -q '^  hard:link -> hard_link (characters)$' trial.txt
timeout 60 discfsctl commit --dry-run --label "$label" mnt >short.txt
grep -q ' more lines (--verbose)' short.txt
assert_less "$(wc -l <short.txt)" 50 "lines without --verbose"
assert_equal "$(status mnt .sessions)" "[]" "sessions"

commit mnt "$label"
assert_equal "$(status mnt .last.sectors)" "$sectors" "sectors as told"
cp trial.txt told.txt
python3 compare.py disc.img
assert_equal "$(dd if=disc.img bs=1 skip=$((17 * 2048 + 40)) count=32 status=none | iconv -f UTF-16BE -t UTF-8)" "A name of more t" "the label on the disc"
# another reader, of what it can show
isoinfo -J -f -i disc.img | sed 's/.*\///; s/\.*$//' | sort -u >isoinfo.txt
jq -r '.trial.joliet_changed.list[].shown' trial.json | LC_ALL=C grep -v '[^ -~]' | sort -u >ascii.txt
assert_less 40 "$(wc -l <ascii.txt)" "names that any program can show"
assert_equal "$(comm -23 ascii.txt isoinfo.txt)" "" "what isoinfo doesn't show"

# --- what is added to a disc: counted by kind; what stays and what is moved is no new data
echo more >mnt/more
echo changed >mnt/README.TXT
rm mnt/link mnt/100%
mv mnt/a.b.c mnt/moved
dry_run
assert_equal "$(told .added.files)$(told .deleted.files)$(told .deleted.symlinks)$(told .renamed)" 1111 "changes"
assert_equal "$(told .modified.files)" 1 "modified files"
assert_equal "$(told .new_bytes)" 13 "new bytes"
assert_equal "$(told .referenced_bytes)" $(($(bytes_of mnt) - 13)) "bytes that stay"
sectors=$(told .sectors)
commit mnt
assert_equal "$(status mnt .last.sectors)" "$sectors" "sectors as told"
dry_run # nothing is staged: nothing is told
assert_equal "$(cat trial.json)" null

# --- too deep: told where it is done; another program's is named with its path, by the dry run as by the commit
deep=deep$(printf '/d%.0s' {1..126})
mkdir -p "mnt/$deep"
assert_fails "File name too long" mkdir "mnt/$deep/d"
mkdir mnt/below
assert_fails "File name too long" mv mnt/deep mnt/below
assert_equal "$(find mnt/deep -type d | wc -l)" 127 "directories where they were"
rm -r mnt/deep mnt/below
assert_equal "$(status mnt .staged.added)" 0 "what is left of them"
unmount mnt
xorriso -outdev deep.img -mkdir "$deep/d" -- >/dev/null 2>&1
mount_disc deep.img mnt
echo more >mnt/more
attempt timeout 60 discfsctl commit --dry-run --verbose mnt >trial.txt
assert_equal "$attempted" 2 "exit code of a dry run of what can't be"
grep -q '^Can.t be committed: 1 directory is nested too deep:$' trial.txt
grep -qx "  $deep/d" trial.txt
assert_equal "$(jq -r '.too_deep.count' mnt/.discfs/trial.json)" 1 "too deep"
assert_equal "$(jq -r '.refused' mnt/.discfs/trial.json)" 1 "refused"
assert_exit 2 discfsctl commit mnt
rmdir "mnt/$deep/d"
commit mnt
unmount mnt

# --- long lists are cut
mount_disc disc.img mnt
mkdir mnt/long
python3 -c 'for i in range(2500): open("mnt/long/%d?" % i, "w")'
dry_run
assert_equal "$(told '.joliet_changed.list|length')" 1000 "items"
assert_equal "$(($(told .joliet_changed.count) - $(told .joliet_changed.left_out)))" 1000 "items that are told"
assert_less 2500 "$(told .joliet_changed.count)" "names that are changed"
grep -q '^  … and [0-9]* more$' trial.txt
unmount mnt

# --- of trees that the session won't have nothing is told, and UDF has its own limits
make_disc udf.img bd
mount_disc udf.img mnt -o formats=iso,udf,udf_links=no
python3 - <<'EOP'
import os
os.chdir(b"mnt")
for name in ["Ж" + "x" * 200 + ".txt", "Ж" * 127, "what?", "x" * 254, "y" * 255]:
    open(name, "w").close()
open(b"bad\xff", "w").close()
os.symlink("what?", "link")
EOP
dry_run
assert_equal "$(told .formats)" iso,udf
assert_equal "$(told .joliet_changed.count) $(told .joliet_left_out.count)" "0 0"
assert_equal "$(told '.udf_changed.list | map("\(.path[0:3]) \(.why | join("+"))") | sort | join(" ")')" "bad bytes yyy cut Жxx cut"
assert_equal "$(told '.udf_changed.list[] | select(.path[0:1] == "Ж").shown | test("^Жx{117}#[0-9A-F]{4}.txt$")')" true
assert_equal "$(told '.udf_left_out.list[].path')" link
grep -qx 'trees: *iso,udf' trial.txt || fail "the dry run doesn't tell the trees"
unmount mnt
mount_disc udf.img mnt -o formats=iso,joliet
dry_run
assert_equal "$(told .formats) $(told .udf_changed.count) $(told .udf_left_out.count)" "iso,joliet 0 0"
unmount mnt

# --- a disc on which UDF has no place: the dry run and the commit say why, and tell nothing of its names
mkudffs --new-file --blocksize=2048 --udfrev=1.02 other.img 2000 >/dev/null
mount_disc other.img mnt
: >"mnt/$(printf 'y%.0s' {1..255})"
dry_run
assert_equal "$(told .formats) $(told .udf_changed.count) $(told '.udf_changed.list | length')" "iso,joliet 0 0"
assert_match "$(told .message)" "nothing was written; it gets no UDF: sector 256 leads to"
grep -qx 'trees: *iso,joliet' trial.txt
assert_match "$(discfsctl commit mnt)" "It has no UDF: sector 256 leads to"
assert_match "$(status mnt .last.message)" "it gets no UDF: "
unmount mnt

assert_fails "iso must be among them" discfs udf.img mnt -o formats=joliet,udf
assert_fails "unknown option" discfs udf.img mnt -o ro,udf
