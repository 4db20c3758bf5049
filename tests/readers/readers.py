# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that read images, each with a function that turns what it shows into entries. None was written here; of
libudfread, a library, only the program that calls it was."""
import datetime
import os
import re
import shutil
import subprocess
import time

from entry import Digest, Entry, unescaped, walk

SECTOR = 2048
MONTHS = {name: i + 1 for i, name in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
LETTERS = {"-": "f", "d": "d", "l": "l", "c": "c", "b": "b", "p": "p", "f": "p", "s": "s"}


class ReaderFailed(Exception):
    pass


def output_of(command, accept=(0,), warnings=None, **more):
    """warnings: a list that what it says besides is added to."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                          check=False, env=dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC"), **more)
    if done.returncode not in accept:
        said = (done.stderr + b"\n" + done.stdout[-300:]).decode(errors="replace").strip()
        raise ReaderFailed("%s: exit code %d: %s" % (command[0], done.returncode, said[-600:]))
    if warnings is not None:
        warnings += done.stderr.decode(errors="replace").splitlines()
    return done.stdout


def emptied(path):
    if os.path.isdir(path):
        subprocess.run(["chmod", "-R", "u+rwX", path], check=False)
        shutil.rmtree(path)
    os.makedirs(path)
    return path


def seconds_of(*numbers):
    return int(datetime.datetime(*numbers, tzinfo=datetime.timezone.utc).timestamp()) * 10**9


def mode_of(text):
    """Of "rwsr-x--T"."""
    mode = 0
    for i, letter in enumerate(text):
        if letter not in "-ST":
            mode |= 0o400 >> i
        if letter in "sStT":
            mode |= 0o4000 >> (i // 3)
    return mode


class Extents:
    """Hashes what an image has where a reader says that a file lies."""

    def __init__(self, image):
        self.image = image

    def digest(self, lba, size):
        digest = Digest(size)
        with open(self.image, "rb") as file:
            file.seek(lba * SECTOR)
            while size > 0:
                block = file.read(min(size, Digest.BLOCK))
                if not block:
                    raise ReaderFailed("sector %d is beyond the image" % lba)
                digest.add(block)
                size -= len(block)
        return digest.whole.hexdigest()


# ---- xorriso ----

def read_xorriso(image, work, start=None):
    top = emptied(work + "/tree")
    output_of(["xorriso", "-abort_on", "FATAL", "-return_with", "SORRY", "32", "-report_about", "SORRY", "-acl", "on", "-xattr", "on",
               "-hardlinks", "on"] + (["-load", "sbsector", str(start)] if start is not None else []) + ["-indev", image, "-osirrox", "on:auto_chmod_on:device_files:o_excl_off", "-extract", "/", top])
    return walk(top, with_xattr=True)


# ---- isoinfo: one line a file; names may have line ends in them ----

ISOINFO_LINE = re.compile(rb"(.)(.{9}) +(\d+) +(\d+) +(\d+) +(\d+) (\w{3}) +(\d+) +(\d+) \[ *(\d+) (\w\w)\]  (.*)")


def joined_lines(text, is_begin):
    """The lines, each together with those after it that don't begin one."""
    lines = []
    for line in text.split(b"\n"):
        if not lines or is_begin(line) or (not line and lines[-1] == b""):
            lines.append(line)
        else:
            lines[-1] += b"\n" + line
    return lines


def read_isoinfo(image, tree, start=0):
    text = output_of(["isoinfo", "-i", image, "-l", "-T", str(start)] + {"rr": ["-R"], "joliet": ["-J"], "plain": []}[tree])
    extents = Extents(image)
    entries, top = [], b""
    marker = b"\nDirectory listing of "
    for part in text.split(marker)[1:]:
        place, _, lines = part.partition(b"\n")
        top = place.strip(b"/")
        # The first two are the directory and the one above.
        for i, line in enumerate(joined_lines(lines.rstrip(b"\n"), ISOINFO_LINE.match)):
            found = ISOINFO_LINE.match(line.split(b"\n")[0])
            if i == 0 and not top:
                entries += isoinfo_entry(found, b". ", top, tree, extents)
            elif i >= 2:
                entries += isoinfo_entry(found, line[found.start(12):], top, tree, extents)
    return entries


def isoinfo_entry(found, name, top, tree, extents):
    letter, mode, _, uid, gid, size, month, day, year, lba, flags = (word.decode() for word in found.groups()[:11])
    # Behind the name stands a blank, unless it's a symbolic link.
    target = None
    if letter == "l":
        name, _, target = name.partition(b" -> ")
    elif name.endswith(b" "):
        name = name[:-1]
    kind = "d" if int(flags, 16) & 2 else LETTERS[letter] if tree == "rr" else "f"
    return [Entry(path=top + b"/" + name if top else name, type=kind, mode=mode_of(mode) if tree == "rr" else None,
                  owner="%d:%d" % (int(uid, 8), int(gid, 8)) if tree == "rr" else None, # as it prints them
                  mtime=seconds_of(int(year), MONTHS[month], int(day)),
                  size=int(size) if kind == "f" else None, target=target,
                  sha256=extents.digest(int(lba), int(size)) if kind == "f" else None)]


# ---- iso-info of libcdio ----

CDIO_LINE = re.compile(rb"  (?:(d|-)|(.)(.{9}) +\d+ (\d+) (\d+)) \[LSN +(\d+)\] +(\d+) (\w{3}) (\d\d) (\d{4}) (\d\d):(\d\d):(\d\d)  (.*)")


def read_isoinfo_cdio(image, tree):
    options = {"rr": ["--no-joliet"], "joliet": [], "plain": ["--no-joliet", "--no-rock-ridge"]}[tree]
    text = output_of(["iso-info", "-l", "-q", "--no-header", "-i", image] + options)
    extents = Extents(image)
    entries, top = [], b""
    for line in joined_lines(text, lambda line: CDIO_LINE.match(line) or (line[:1] == b"/" and line[-1:] == b":")):
        first = line.split(b"\n")[0]
        found = CDIO_LINE.match(first)
        if found:
            entries += cdio_entry(found, line[found.start(14):].rstrip(b"\n"), top, tree, extents)
        elif line.startswith(b"/"):
            top = line.rstrip(b"\n:").strip(b"/")
    return entries


def cdio_entry(found, name, top, tree, extents):
    short, letter, mode, uid, gid, lba, size = (word and word.decode() for word in found.groups()[:7])
    letter = short or letter
    month, day, year, hour, minute, second = (word.decode() for word in found.groups()[7:13])
    target = None
    if letter == "l":
        name, _, target = name.partition(b" -> ")
    if name == b".." or (name == b"." and top):
        return []
    kind = LETTERS[letter]
    path = name if not top else top + b"/" + name
    return [Entry(path=path, type=kind, mode=mode_of(mode) if mode else None,
                  owner="%s:%s" % (uid, gid) if mode else None,
                  mtime=seconds_of(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second)),
                  size=int(size) if kind == "f" else None, target=target,
                  sha256=extents.digest(int(lba), int(size)) if kind == "f" else None)]


# ---- bsdtar ----

BSDTAR_TREES = {"rr": [], "joliet": ["--options", "iso9660:!rockridge"], "plain": ["--options", "iso9660:!rockridge,iso9660:!joliet"]}


def read_bsdtar(image, work, tree):
    top = emptied(work + "/tree")
    output_of(["bsdtar", "-x", "-p", "--numeric-owner", "-f", image, "-C", top] + BSDTAR_TREES[tree])
    return walk(top)


# ---- 7z ----

def read_7z(image, work, kind):
    """kind: iso or udf"""
    top = emptied(work + "/tree")
    output_of(["7z", "x", "-y", "-bd", "-snl", "-t" + kind, "-o" + top, image])
    return walk(top)


# ---- fuseiso ----

def read_fuseiso(image, work):
    top = work + "/fuseiso"
    os.makedirs(top, exist_ok=True)
    output_of(["fuseiso", "-n", image, top])
    try:
        return walk(top)
    finally:
        unmount(top)


def unmount(top):
    """Whoever looks through all mounts of the machine may be in it for a moment."""
    for _ in range(100):
        if subprocess.run(["fusermount", "-u", top], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.1)
    output_of(["fusermount", "-u", "-z", top])


# ---- pycdlib ----

def read_pycdlib(image, work, tree):
    """In a process of its own: it runs into whatever a library can run into."""
    text = output_of(["/usr/bin/python3", "-I", os.path.join(os.path.dirname(os.path.abspath(__file__)), "with_pycdlib.py"), image, tree])
    entries = []
    for line in text.split(b"\n")[:-1]:
        path, kind, mode, owner, mtime, size, device, target, links, digest = line.split(b"\t")
        kind = kind.decode()
        entries.append(Entry(path=unescaped(path), type=kind, mode=int(mode, 8) if mode else None, owner=owner.decode() or None,
                             mtime=int(mtime), size=int(size) if kind == "f" else None, device=device.decode() or None,
                             target=unescaped(target) if kind == "l" else None, links=int(links or 1), sha256=digest.decode() or None))
    return entries


# ---- libudfread ----

UDFLIST_LINE = re.compile(rb"(\d+)\t([0-9a-f]{64})\t\./(.*)")


def read_libudfread(image, program):
    text = output_of([program, image], accept=(0, 1))  # 1: a file can't be opened, and is missing then
    entries = []
    for line in joined_lines(text.rstrip(b"\n"), UDFLIST_LINE.match):
        found = UDFLIST_LINE.match(line.split(b"\n")[0])
        entries.append(Entry(path=line[found.start(3):], type="f", size=int(found.group(1)), sha256=found.group(2).decode()))
    return entries


# ---- what says something of the volume alone ----

def volume_of_udfinfo(image, start):
    """With "warnings", a list."""
    warnings = []
    lines = output_of(["udfinfo", "--utf8", "--startblock=%d" % start, image], warnings=warnings).decode().split("\n")
    return dict((line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("start=")), warnings=warnings)


def volume_of_blkid(image, kind):
    """kind: iso9660 or udf"""
    lines = output_of(["blkid", "-p", "-d", "-n", kind, "-o", "export", image], accept=(0, 2)).decode().split("\n")
    return dict(line.partition("=")[::2] for line in lines if "=" in line)

