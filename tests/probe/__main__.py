# SPDX-License-Identifier: GPL-2.0-or-later
"""Says how a file system behaves, in some hundred lines that are the same wherever it behaves the same.

python3 tests/probe DIR [--only GROUP[/NAME]]… [--without GROUP[/NAME]]… [--prepare | --prepared]

Each check runs in a fresh directory below DIR and prints "group/name: result". --prepare makes only what the checks
start from, for all that start from something; --prepared runs these checks on it: on discfs there may be a commit in
between. tests/mount/behaviour.sh compares what a mount says with what the host's file system says.
"""
import argparse
import importlib
import json
import os
import pkgutil
import resource
import sys
import time

sys.dont_write_bytecode = True  # the sources may lie where the caller mustn't write

import checks  # noqa: E402
import core  # noqa: E402


def load():
    for module in sorted(module.name for module in pkgutil.iter_modules(checks.__path__)):
        importlib.import_module("checks." + module)


def is_among(check, words):
    return any(check.name == word or check.name.startswith(word + "/") for word in words)


def is_wanted(check, args):
    if check.root and not core.AM_ROOT:
        return False
    return (not args.only or is_among(check, args.only)) and not is_among(check, args.without)


def begin(top, check):
    os.umask(0o022)
    place = os.path.join(top, check.name)
    os.makedirs(place, exist_ok=True)
    os.chdir(place)


def prepare(top, check):
    begin(top, check)
    check.prepare()


def run(top, check):
    begin(top, check)
    return check.run()


def both(top, check):
    prepare(top, check)
    return check.run()


def prepare_all(top, wanted):
    """What can't be made is told by the checks."""
    failed = {check.name: result for check in wanted if (result := core.forked(prepare, top, check)) != "ok"}
    with open(os.path.join(top, "failed"), "w") as file:
        json.dump(failed, file)


def run_all(top, wanted, step, slow):
    failed = {}
    if step == run:
        with open(os.path.join(top, "failed")) as file:
            failed = json.load(file)
    for check in wanted:
        began = time.monotonic()
        result = "fixture: " + failed[check.name] if check.name in failed else core.forked(step, top, check)
        if slow and time.monotonic() - began > 0.2:
            print("%s took %.1f s" % (check.name, time.monotonic() - began), file=sys.stderr)
        line = result.strip().replace("\n", "\\n").encode("ascii", "backslashreplace").decode()
        print("%s: %s" % (check.name, line))


def main():
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("dir")
    parser.add_argument("--only", action="append", default=[], help="a group, or group/name")
    parser.add_argument("--without", action="append", default=[], help="the same, not to be run")
    parser.add_argument("--prepare", action="store_true", help="make only what the checks start from")
    parser.add_argument("--prepared", action="store_true", help="run the checks that start from something, on that")
    parser.add_argument("--slow", action="store_true", help="say on standard error what takes longer than 0.2 s")
    parser.add_argument("--list", action="store_true", help="names only")
    args = parser.parse_args()
    load()
    wanted = [check for check in core.CHECKS if is_wanted(check, args)]
    if args.prepare or args.prepared:
        wanted = [check for check in wanted if check.fixture]
    top = os.path.abspath(args.dir)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    if args.list:
        print("\n".join(check.name for check in wanted))
    elif args.prepare:
        prepare_all(top, wanted)
    else:
        run_all(top, wanted, run if args.prepared else both, args.slow)
    return 0


sys.exit(main())
