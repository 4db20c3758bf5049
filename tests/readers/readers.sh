#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 400
# Every kind of image that discfs burns, read by programs that nobody here wrote and by the Linux kernel, compared file by
# file with what was committed. READERS=long: the large images instead; all: both. The table of docs/readers.md comes out of it:
# build/readers/readers.md; a row that differs from docs/ is a failure.
# shellcheck source=../drive/lib_drive.sh
. "$(dirname "$0")/../drive/lib_drive.sh"
# shellcheck source=images.sh
. "$TESTS/readers/images.sh"
requires_fuse
requires_root # owners, devices
requires xorriso genisoimage isoinfo iso-info iso-read bsdtar 7z fuseiso udfinfo blkid qemu-system-x86_64 lz4 apt-get dpkg jq \
	setfattr setfacl
requires_room 500

timeout 300 bash "$TESTS/readers/kernel.sh" "$BUILD/readers/kernel" >kernel.log 2>&1 &
kernel=$!
make_lane() { # LANE
	local name when lane
	while read -r name when lane; do
		[ "$when" = "${READERS:-quick}" ] || [ "${READERS:-}" = all ] || continue
		[ "$lane" != "$1" ] || make_image "$name"
	done <<<"$(grep . <<<"$IMAGE_LIST")"
}

( # each has a place and a state directory of its own
	T=$T/lane
	mkdir "$T"
	cd "$T"
	export XDG_STATE_HOME=$T/state
	make_lane 2
) &
lane=$!
make_lane 1
wait $lane || fail "an image of lane 2 can't be made"
wait $kernel || fail "no kernel to read with: $(tail -n 5 kernel.log)"

set +x
timeout 3000 python3 "$TESTS/readers/run.py" "$IMAGES" "$BUILD/readers/kernel" "$BUILD/udflist" "$BUILD/readers" "$TOP/docs/readers.md" ||
	fail "see above"
