#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# desktop-file-validate on what file managers' menus are made of: FILE.desktop…  It knows programs only, so what the
# specifications of such menus add (DES-EMA, KIO's service menus) is no fault.
set -u
known='value "(Action|Menu)" for key "Type"'
known+='|file contains key "(ShowIfTrue|Profiles|ItemsList|Capabilities|SelectionCount)"'
known+='|key "(MimeType|Actions)" is present in group "Desktop Entry", but the type is "Service"'
[ $# -gt 0 ] || exit 2
! desktop-file-validate "$@" | grep -vE "$known"
