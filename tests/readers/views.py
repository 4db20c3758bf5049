# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to look at an image (VIEWS), and why a way doesn't show what was committed (LIMITS): each row with the format's
or the reader's reason. What no row explains is a failure; a row that explains nothing any more is one in check-long."""
import dataclasses
import re
import typing

from compare import EMPTY

RR_COLUMNS = ("type", "mode", "owner", "mtime", "size", "device", "target", "sha256")
JOLIET_COLUMNS = ("type", "mtime", "size", "sha256")


# ---- what a tree holds ----

def same_entry(entry):
    return entry


def files_and_dirs(entry):
    return entry if entry.type in "fd" else None


def only_files(entry):
    return entry if entry.type == "f" else None


def as_empty_file(entry):
    """Plain ISO 9660 knows files and directories; other types have a record without content."""
    if entry.type in "fd":
        return entry
    return dataclasses.replace(entry, type="f", size=0, sha256=EMPTY, target=None, device=None)


EXPECTED = {"rr": same_entry, "joliet": files_and_dirs, "plain": as_empty_file, "udf": same_entry}


def same_name(name):
    return name


def joliet_name(name):
    text = name.decode(errors="replace").replace("\ufffd", "_")
    text = "".join("_" if letter in '*/:;?\\' or letter < " " else letter for letter in text)
    return text.encode()


NAMER = {"rr": same_name, "joliet": joliet_name, "plain": same_name, "udf": same_name}


@dataclasses.dataclass
class View:
    key: str
    title: str  # the same in each table
    tree: str  # rr, joliet, plain, udf
    columns: tuple
    read: typing.Callable = None  # (image, work directory) → entries; None: the virtual machine does
    mount: tuple = None  # for the kernel: device, type, options
    at_start: typing.Callable = None  # (image, work directory, first sector of a session) → entries
    softmeta: bool = False  # modes and owners of symbolic links mean nothing
    shows: typing.Callable = None

    @property
    def expected(self):
        return self.shows or EXPECTED[self.tree]

    @property
    def namer(self):
        return NAMER[self.tree]


@dataclasses.dataclass
class Limit:
    key: str  # of the footnote
    reason: str
    views: str  # regular expression of View.key
    columns: str  # separated by blanks
    test: typing.Callable = lambda difference: True
    cases: str = ""  # regular expression
    everywhere: bool = False  # said once, not in each cell
    used: int = 0

    def applies(self, view, case, difference):
        fits = (difference.column in self.columns.split() and re.fullmatch(self.views, view.key) and
                re.fullmatch(self.cases or ".*", case) and self.test(difference))
        self.used += bool(fits)
        return bool(fits)


def make_views(readers, udflist):
    """readers: the module; udflist: the program that calls libudfread."""
    rr, joliet, plain = RR_COLUMNS, JOLIET_COLUMNS, JOLIET_COLUMNS
    return [
        View("discfs/rr", "discfs", "rr", rr + ("links", "same", "xattr")),
        View("linux/rr", "Linux isofs", "rr", rr + ("links",), mount=("hd", "iso9660", "")),
        View("linux/cd", "Linux isofs on a CD drive", "rr", rr + ("links",), mount=("cd", "iso9660", "")),
        View("linux/joliet", "Linux isofs", "joliet", joliet, mount=("hd", "iso9660", "norock,utf8")),
        View("linux/plain", "Linux isofs", "plain", plain, mount=("hd", "iso9660", "norock,nojoliet")),
        View("linux/udf", "Linux udf", "udf", rr + ("links", "same"), mount=("hd", "udf", "")),
        View("xorriso/rr", "xorriso", "rr", rr + ("same", "xattr"), readers.read_xorriso, at_start=readers.read_xorriso, softmeta=True),
        View("isoinfo/rr", "isoinfo", "rr", ("type", "mode", "owner", "mtime", "size", "target", "sha256"),
             lambda image, work: readers.read_isoinfo(image, "rr"), at_start=lambda image, work, start: readers.read_isoinfo(image, "rr", start)),
        View("isoinfo/joliet", "isoinfo", "joliet", joliet, lambda image, work: readers.read_isoinfo(image, "joliet")),
        View("isoinfo/plain", "isoinfo", "plain", plain, lambda image, work: readers.read_isoinfo(image, "plain")),
        View("libcdio/rr", "iso-info", "rr", ("type", "mode", "owner", "mtime", "size", "target", "sha256"),
             lambda image, work: readers.read_isoinfo_cdio(image, "rr")),
        View("libcdio/joliet", "iso-info", "joliet", joliet, lambda image, work: readers.read_isoinfo_cdio(image, "joliet")),
        View("bsdtar/rr", "bsdtar", "rr", rr + ("same",),
             lambda image, work: readers.read_bsdtar(image, work, "rr"), softmeta=True),
        View("bsdtar/joliet", "bsdtar", "joliet", joliet, lambda image, work: readers.read_bsdtar(image, work, "joliet")),
        View("bsdtar/plain", "bsdtar", "plain", plain, lambda image, work: readers.read_bsdtar(image, work, "plain")),
        View("7z/joliet", "7z", "joliet", joliet, lambda image, work: readers.read_7z(image, work, "iso")),
        View("7z/udf", "7z", "udf", ("type", "mtime", "size", "target", "sha256"),
             lambda image, work: readers.read_7z(image, work, "udf")),
        View("fuseiso/rr", "fuseiso", "rr", rr, readers.read_fuseiso),
        View("pycdlib/rr", "pycdlib", "rr", ("type", "mode", "owner", "mtime", "size", "target", "sha256"),
             lambda image, work: readers.read_pycdlib(image, work, "rr")),
        View("pycdlib/udf", "pycdlib", "udf", ("type", "mode", "owner", "mtime", "size", "sha256"),
             lambda image, work: readers.read_pycdlib(image, work, "udf")),
        View("libudfread/udf", "libudfread", "udf", ("type", "size", "sha256"),
             lambda image, work: readers.read_libudfread(image, udflist), shows=only_files),
    ]
