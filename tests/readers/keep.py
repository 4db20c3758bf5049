#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""keep.py DIR FILE: keeps what a mount shows, to be compared with what readers find on the disc."""
import os
import pickle
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import entry  # noqa: E402


def main():
    with open(sys.argv[2], "wb") as file:
        pickle.dump(entry.walk(sys.argv[1], with_xattr=True), file)


main()
