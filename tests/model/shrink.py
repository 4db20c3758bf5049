#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the few operations that a difference needs: leaves out ever smaller parts of a recorded sequence, as long as the
same kind of operation goes on failing.

shrink.py FILE [OPTIONS FOR once.sh]    FILE is what --record wrote; the result goes to FILE.small
"""
import os
import re
import subprocess
import sys

ONCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "once.sh")


def failure(lines, path, options):
    """What fails when just these are run: the kind of operation, or None."""
    with open(path, "w") as file:
        file.writelines(lines)
    done = subprocess.run([ONCE, "--replay", path] + options, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL)
    found = re.search(rb"^FAIL: (?:seed \d+, step \d+: )?(.*)", done.stdout, re.MULTILINE)
    return (found.group(1), done.stdout) if found else (None, done.stdout)


def main():
    source, options = sys.argv[1], sys.argv[2:]
    with open(source) as file:
        lines = file.readlines()
    path = source + ".small"
    wanted, said = failure(lines, path, options)
    if not wanted:
        sys.exit("these operations don't fail:\n" + said.decode(errors="replace"))
    piece = max(len(lines) // 2, 1)
    while piece:
        at = 0
        while at < len(lines):
            shorter = lines[:at] + lines[at + piece:]
            if shorter and failure(shorter, path, options)[0] == wanted:
                lines = shorter
                print("%d left" % len(lines), file=sys.stderr)
            else:
                at += piece
        piece //= 2
    print(failure(lines, path, options)[1].decode(errors="replace"))


main()
