#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 600
# A CD of 700 MB, and the rest of a half full one, filled with files of mixed sizes until write() says that there's no
# more room: what was accepted burns. df tells the truth before and after, and what is kept in reserve is enough for a
# further session that deletes something.
# FULL_KIND, FULL_SECTORS: another medium (tests/long/dvd.sh).
# shellcheck source=lib_drive.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_drive.sh"
requires_fuse
requires xorriso jq
kind=${FULL_KIND:-cd-r}
sectors=${FULL_SECTORS:-359845}
requires_room $((sectors * 3 / 512))

ctl() {
	timeout 600 discfsctl "$@"
}

# Sectors that df calls free.
df_free() {
	echo $(($(stat -f -c '%a * %S' mnt) / 2048))
}

# fill DIR: files of 0 bytes to 1/40 of the medium until one doesn't fit, then ever smaller ones until none does. Their
# checksums are left in $T/accepted.
fill() {
	python3 -I -S - "$1" $((sectors * 2048 / 40)) <<'END'
import errno, hashlib, os, random, sys
top, most = sys.argv[1], int(sys.argv[2])
block = random.Random(1).randbytes(1 << 20)
dice = random.Random(2)
count = 0
os.mkdir(top)
with open("accepted", "a") as accepted:
    limit = most
    while limit > 1000:
        directory = "%s/%d" % (top, count // 50)
        size = min(int(limit * dice.random() ** 3), limit)
        name = "%s/%d" % (directory, count)
        try:
            os.makedirs(directory, exist_ok=True)
            whole = hashlib.sha256()
            with open(name, "wb", buffering=0) as file:
                while size > 0:
                    start = dice.randrange(1000)
                    piece = block[start:start + size]
                    taken = file.write(piece)
                    whole.update(piece[:taken])
                    size -= taken
            accepted.write("%s  %s\n" % (whole.hexdigest(), name))
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            if os.path.exists(name):
                os.unlink(name)
            limit //= 4
        count += 1
print(count, "files")
END
}

# What was accepted is there; its size in sectors goes to $accepted.
check_accepted() { # DIR
	(cd "$1" && sed 's|  mnt/|  |' "$T/accepted" | sha256sum --check --quiet)
	accepted=$(sed "s|.*  mnt/|$1/|" "$T/accepted" | tr '\n' '\0' | xargs -0 stat -c %s | awk '{ n += int(($1 + 2047) / 2048) } END { print n }')
}

# until_full DIR: what df promised, within 2 %, is taken and burned, and nearly nothing is free then.
until_full() {
	local before free
	: >accepted
	before=$(df_free)
	fill "$1"
	free=$(df_free)
	assert_less "$free" $((sectors / 500)) "free sectors when it's full"
	assert_fails "No space left on device" sh -c "head -c 4000000 /dev/zero >mnt/more"
	rm -f mnt/more
	ctl commit mnt
	check_accepted mnt
	assert_less $((before * 98 / 100)) "$accepted" "sectors accepted, of $before that df told"
	assert_less "$accepted" $((before + 8)) "sectors accepted, of those that df told" # in blocks of its own
	assert_less "$(df_free)" $((sectors / 500)) "free sectors of a full disc"
	unmount mnt
	mount_medium mnt
	check_accepted mnt
}

# Deleting takes a session, which the reserve is for.
delete_something() {
	local n
	n=$(status mnt '.sessions | length')
	rm -r "$1"
	ctl commit mnt
	assert_equal "$(status mnt '.sessions | length')" $((n + 1)) sessions
}

new_disc "$kind" "$sectors"
mount_medium mnt
if [ -z "${FULL_HALF:-}" ]; then
	until_full mnt/first
	delete_something mnt/first/0
	unmount mnt
fi

# half full by a first session
[ -n "${FULL_KIND:-}" ] || sectors=80000
new_disc "$kind" "$sectors"
mount_medium mnt
head -c $((sectors * 1024)) /dev/urandom >mnt/half
ctl commit mnt
until_full mnt/second
unmount mnt
extract_session found 0
check_accepted found
mount_medium mnt
delete_something mnt/second/0
unmount mnt
