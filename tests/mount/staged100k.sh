#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 300
# 100,000 staged changes are committed with less than 200 MB in the daemon at any time; the burn worker tells its peak.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires xorriso python3 jq
changes=100000
! is_instrumented || changes=4000

cat >work.py <<'END'
"""The Nth tenth of all files is renamed, deleted, gets another mode, and as many others come."""
import os, sys
top, count = sys.argv[1], int(sys.argv[2])
if sys.argv[3] == "plant":
    for d in range(0, count, 500):
        os.mkdir("%s/%d" % (top, d))
        for f in range(500):
            with open("%s/%d/file%d" % (top, d, f), "w") as file:
                file.write("%d %d\n" % (d, f))
else:
    for d in range(0, count, 500):
        for f in range(500):
            name = "%s/%d/file%d" % (top, d, f)
            if d % 1500 == 0:
                os.rename(name, "%s/%d/renamed%d" % (top, (d + 500) % count, f + d))
            elif d % 1500 == 500:
                os.chmod(name, 0o600)
            else:
                os.unlink(name)
    for d in range(0, count, 500):
        os.mkdir("%s/new%d" % (top, d))
        for f in range(500):
            with open("%s/new%d/file%d" % (top, d, f), "w") as file:
                file.write("new %d %d\n" % (d, f))
END
mkdir tree
python3 work.py tree $((changes / 2)) plant
xorriso -joliet on -padding 0 -outdev disc.img -map tree / -commit 2>/dev/null
mount_disc disc.img mnt
python3 work.py mnt $((changes / 2)) change
assert_less $((changes - 2000)) "$(status mnt '.staged | .added + .modified + .deleted + .renamed')" "staged changes"
time commit mnt
assert_equal "$(cat mnt/.discfs/changes)" ""
peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$(cat .daemon-mnt)/status")
worker=$(status mnt .last.worker_kib)
echo "the daemon had $peak kB at most, the burn worker $worker kB"
is_instrumented || assert_less "$peak" 200000 "kB of the daemon"
assert_less 10000 "$worker" "kB of the burn worker"
is_instrumented || assert_less "$worker" 400000 "kB of the burn worker"
assert_equal "$(find mnt -type f | wc -l)" "$(find mnt -type f -size +0 | wc -l)"
unmount mnt
