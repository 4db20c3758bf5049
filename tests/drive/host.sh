#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The simulated kernel: what programs get from /dev/sr0 beside the disc itself, as Linux gives it.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires_root
requires xorriso python3

make_tree "$T/t1" 1
for kind in cd-r dvd+rw; do
	mmcsim new $kind "$T/$kind" --sectors 60000
done
mmcsim insert "$MMCSIM/sr0" "$T/cd-r"
settle
sim xorriso -outdev /dev/sr0 -map "$T/t1" /t1 -commit
mmcsim insert "$MMCSIM/sr0" "$T/dvd+rw"
settle
sim xorriso -outdev /dev/sr0 -map "$T/t1" /t1 -commit
make_drive sr1 --vendor OTHER --product "SECOND DRIVE"
mmcsim remove "$MMCSIM/sr0"
mmcsim close "$MMCSIM/sr0"

chmod 711 "$T"
chgrp cdrom "$MMCSIM/sr0/anchor"
sim python3 "$TESTS/drive/host.py" "$T"
