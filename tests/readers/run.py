#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Has every reader read every image, compares, and writes the table.

run.py IMAGES GUEST UDFLIST OUT DOCS: IMAGES: what images.sh made; GUEST: what kernel.sh made; OUT: a directory for the
table; DOCS: the table that is compared with it, which has the rows of images that aren't made this time, too. The last
line is "N passed, N failed".
"""
import concurrent.futures
import dataclasses
import os
import pickle
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import limits  # noqa: E402
import linux  # noqa: E402
import readers  # noqa: E402
import table  # noqa: E402
import views  # noqa: E402
import volume  # noqa: E402
from entry import settle_links  # noqa: E402

# The parts of the image "odd" are cases of their own.
PARTS = ["unicode", "long", "case", "special", "deep", "symlinks", "hard", "modes", "devices", "years", "empty", "attributes", "sizes"]
BAD_MESSAGE = re.compile("out of volume|corrupt|error|warning|secondary root|I/O|Oops|BUG", re.I)
EXPECTED_MESSAGE = re.compile("udf_load_vrs: No (anchor|VRS) found")  # udf tries block sizes; at last a mount says whether it is there


class Image:
    def __init__(self, folder, name):
        self.name = name
        self.path = os.path.join(folder, name, "image")
        self.folder = os.path.join(folder, name)
        with open(os.path.join(self.folder, "starts")) as file:
            self.starts = [int(line) for line in file]
        self.has_udf = b"NSR0" in self.head()
        self.sequential = self.starts[0] == 0 and self.tree(1) is not None
        self.newest = max(n for n in range(1, 100) if self.tree(n) is not None)
        # Of a disc that another program began, only the newest one: the trees aren't known, or not where they are.
        self.older = range(1, self.newest) if len(self.starts) == self.newest and self.tree(1) else []

    def head(self):
        with open(self.path, "rb") as file:
            file.seek(16 * 2048)
            return file.read(16 * 2048)

    def tree(self, session):
        path = os.path.join(self.folder, "%s.tree" % session)
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return pickle.load(file)


class Result:
    """Of one view of one image."""

    def __init__(self, view, image, session):
        self.view, self.image, self.session = view, image, session
        self.entries, self.failed, self.messages = None, None, []
        self.differences = []
        self.took = 0


# What takes five gigabytes, and minutes; those that differ in how they follow extents.
LARGE_VIEWS = ["discfs/rr", "linux/rr", "linux/udf", "xorriso/rr", "isoinfo/rr", "libcdio/rr", "bsdtar/rr", "7z/udf", "7z/joliet"]


OLDER_VIEWS = [
    views.View("linux/session", "Linux, older sessions", "rr", views.RR_COLUMNS + ("links",)),
    views.View("linux/old", "Linux, older sessions", "joliet", views.JOLIET_COLUMNS),
    views.View("linux/udf-old", "Linux, older sessions", "udf", views.RR_COLUMNS + ("links", "same")),
]


def plan(images, all_views):
    """What is read: each view of each image's newest session, and with Linux each older one."""
    results = []
    for image in images:
        for view in all_views:
            if view.tree == "udf" and not image.has_udf or image.name == "large" and view.key not in LARGE_VIEWS:
                continue
            if image.sequential and view.key != "discfs/rr":
                view = at_session(view, image.starts[-1])
            if view:
                results.append(Result(view, image, image.newest))
        for session in image.older if image.name != "large" else []:
            results.append(Result(old_session(image, session), image, session))
            if image.has_udf:
                view = dataclasses.replace(OLDER_VIEWS[2], mount=("hd", "udf", "session=%d" % image.starts[session - 1]))
                results.append(Result(view, image, session))
    return results


def at_session(view, start):
    """On sequential media the newest session is behind the others, and a drive tells where. From a plain file only some
    readers can take it."""
    if view.mount and view.mount[0] == "hd":
        option = "sbsector" if view.mount[1] == "iso9660" else "session"
        options = ",".join(filter(None, [view.mount[2], "%s=%d" % (option, start)]))
        return dataclasses.replace(view, mount=view.mount[:2] + (options,))
    if view.at_start:
        return dataclasses.replace(view, read=lambda image, work: view.at_start(image, work, start))
    return None


def old_session(image, session):
    """On overwriteable media the descriptors of sessions count from their own start (docs/formats.md): Linux wouldn't
    take Rock Ridge from them."""
    start = image.starts[session - 1]
    if image.sequential:
        return dataclasses.replace(OLDER_VIEWS[0], mount=("hd", "iso9660", "sbsector=%d" % start))
    return dataclasses.replace(OLDER_VIEWS[1], mount=("hd", "iso9660", "norock,utf8,sbsector=%d" % start))


def out_of_volume(images):
    """Mounts over which the kernel must complain: it takes the sizes of later sessions' own descriptors for absolute ones, and
    Rock Ridge's continuation areas lie behind that."""
    return [linux.Job(image.path, "hd", "iso9660", "sbsector=%d" % image.starts[1]) for image in images if image.name == "sessions"]


def run_guest(guest, work, jobs):
    began = time.monotonic()
    answers = linux.run(guest, work, jobs, 1500)
    print("the virtual machine took %.1f s for %d mounts" % (time.monotonic() - began, len(jobs)), flush=True)
    return answers


def read_here(results, work):
    for result in results:
        if result.view.key == "discfs/rr":
            result.entries = result.image.tree("discfs")
        if not result.view.read:
            continue
        began = time.monotonic()
        try:
            result.entries = result.view.read(result.image.path, work)
        except readers.ReaderFailed as error:
            result.failed = str(error)
        result.took = time.monotonic() - began


def read_all(results, images, guest, work):
    """Returns what is wrong with the virtual machine itself."""
    in_guest = [result for result in results if result.view.mount]
    jobs = [linux.Job(result.image.path, *result.view.mount) for result in in_guest]
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        running = beside.submit(run_guest, guest, work, jobs + out_of_volume(images))
        read_here(results, work)
        answers = running.result()
    for result, answer in zip(in_guest, answers):
        result.entries, result.messages = answer.entries, answer.messages
        bad = [line for line in answer.messages if BAD_MESSAGE.search(line) and not EXPECTED_MESSAGE.search(line)]
        result.failed = "; ".join(["%s: %s" % (path.decode(errors="replace"), text) for path, text in answer.errors] + bad)
    return ["the kernel's complaint over %s with %s isn't seen" % (job.image, job.options)
            for job, answer in zip(out_of_volume(images), answers[len(jobs):])
            if not any("out of volume" in line for line in answer.messages)]


def judge(result):
    expected = result.image.tree(result.session)
    if result.entries is not None:
        settle_links(result.entries)
        result.differences = compare.compare(expected, result.entries, result.view)
    if result.failed:
        result.differences.append(compare.Difference(b".", "failed", None, result.failed))


def cases_of(result):
    return PARTS if result.image.name == "odd" else [result.image.name]


def case_of(result, difference):
    if result.image.name != "odd":
        return result.image.name
    part = difference.path.split(b"/")[0].decode(errors="replace")
    return part if part in PARTS else "odd"


def tell_failures(results):
    """Returns how many results have differences that nothing explains."""
    failed = 0
    for result in results:
        open_ones = [difference for difference in result.differences if not difference.limit]
        failed += bool(open_ones)
        if open_ones:
            print("FAIL: %s, session %d, read by %s (%s): %d differences" % (
                result.image.name, result.session, result.view.title, result.view.tree, len(open_ones)))
        for difference in open_ones[:int(os.environ.get("SHOW", "8"))]:
            print("    " + str(difference)[:500])
    return failed


def main():
    folder, guest, udflist, out, docs = sys.argv[1:6]
    images = [Image(folder, name) for name in sorted(os.listdir(folder)) if os.path.exists(os.path.join(folder, name, "starts"))]
    all_views = views.make_views(readers, udflist)
    results = plan(images, all_views)
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        said = read_all(results, images, guest, work)
        for result in results:
            judge(result)
            for difference in result.differences:
                compare.explain([difference], result.view, limits.LIMITS, case_of(result, difference))
        said += volume.check(images, work)
        readers.emptied(work)
    failed = tell_failures(results)
    if {"odd", "longlinks", "nolinks", "sessions", "xorriso", "genisoimage"} <= {image.name for image in images}:
        said += ["the note \"%s\" explains nothing any more" % limit.key for limit in limits.LIMITS
                 if not limit.used and any(re.fullmatch(limit.cases or ".*", image.name) for image in images)]
    for line in said:
        print("FAIL: " + line)
    slow = sorted(results, key=lambda result: -result.took)[:3]
    print("slowest: " + ", ".join("%s of %s %.1f s" % (result.view.key, result.image.name, result.took) for result in slow))
    stale = table.write(results, all_views + OLDER_VIEWS, cases_of, case_of, limits.LIMITS, os.path.join(out, "readers.md"), docs)
    for line in stale:
        print("FAIL: docs/readers.md has another row: " + line)
    print("%d passed, %d failed" % (len(results) - failed, failed + len(said) + len(stale)))
    sys.exit(failed + len(said) + len(stale) != 0)


main()
