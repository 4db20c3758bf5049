# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what the probe said on the host's file system and on a mount, but for the differences that are documented.

python3 tests/probe/compare.py HOST DISCFS VARIANT DIFFERENCES [--undocumented]

Prints each difference that DIFFERENCES doesn't list for this variant, and each that it lists and that isn't so (any
more), then one line with the counts. Exits with 1 if there was any. --undocumented: entries as DIFFERENCES has them.
"""
import sys

VARIANTS = ["root", "user", "root-base", "user-base"]


def read_results(path):
    results = {}
    with open(path) as file:
        for line in file:
            name, _, result = line.rstrip("\n").partition(": ")
            if name in results:
                sys.exit("%s: %s comes twice" % (path, name))
            results[name] = result
    return results


def read_differences(path, variant):
    """{name: (host, discfs)} of this variant. Its format is told at the top of the file."""
    listed, entry, reason = {}, None, False
    with open(path) as file:
        lines = file.read().split("\n")
    for number, line in enumerate(lines, 1):
        where = "%s:%d: " % (path, number)
        words = line.split(None, 1)
        if not words or line.startswith("#"):
            continue
        if line.startswith("== "):
            reason = True
        elif line.startswith("    "):
            if entry is None or words[0] not in ("host", "discfs") or words[0] in entry:
                sys.exit(where + "a check with host and discfs is expected")
            entry[words[0]] = words[1] if len(words) > 1 else ""
        else:
            name, variants = words[0], words[1].split() if len(words) > 1 else VARIANTS
            if not reason or (entry is not None and len(entry) != 2) or not set(variants) <= set(VARIANTS):
                sys.exit(where + "a reason, both results of the check before, and known variants are expected")
            entry = {}
            if variant in variants:
                if name in listed:
                    sys.exit(where + name + " is listed twice")
                listed[name] = entry
    return {name: (entry.get("host"), entry.get("discfs")) for name, entry in listed.items()}


def main():
    host, discfs = read_results(sys.argv[1]), read_results(sys.argv[2])
    variant, show = sys.argv[3], "--undocumented" in sys.argv
    listed = read_differences(sys.argv[4], variant)
    wrong = 0
    found = {name: (host.get(name, "(not run)"), discfs.get(name, "(not run)")) for name in sorted({*host, *discfs})}
    for name, (expected, got) in found.items():
        if expected != got and listed.get(name) != (expected, got):
            wrong += 1
            if not show:
                print(
                    "%s: DIFFERENCE%s" % (variant, "" if name not in listed else " that isn't the one that is listed")
                )
            print("%s  %s\n    host   %s\n    discfs %s" % (name, variant, expected, got))
    for name, (expected, got) in listed.items():
        if name not in found or found[name][0] == found[name][1]:
            wrong += 1
            if not show:
                print(
                    "%s: NO DIFFERENCE any more, but listed: %s\n    listed host   %s\n    listed discfs %s\n    both          %s"
                    % (variant, name, expected, got, found.get(name, ["(not run)"])[0])
                )
    if not show:
        print("%s: %d checks, %d listed differences, %d that shouldn't be" % (variant, len(found), len(listed), wrong))
    return 1 if wrong or not found else 0


sys.exit(main())
