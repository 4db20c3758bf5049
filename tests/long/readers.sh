#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 3600
# tests/readers with the large images: 20,000 files, 5 GiB.
export READERS=long
# shellcheck source=../readers/readers.sh
. "$(dirname "$0")/../readers/readers.sh"
