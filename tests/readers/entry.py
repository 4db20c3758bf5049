# SPDX-License-Identifier: GPL-2.0-or-later
"""One file as a reader shows it. What a reader doesn't tell is None."""
import dataclasses
import hashlib
import os
import re
import stat
import typing

COLUMNS = ("type", "mode", "owner", "mtime", "size", "device", "target", "same", "xattr", "sha256")
TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFSOCK: "s",
         stat.S_IFCHR: "c", stat.S_IFBLK: "b"}


@dataclasses.dataclass
class Entry:
    path: bytes  # "." is the top
    type: str = None
    mode: int = None
    owner: str = None  # uid:gid
    mtime: int = None  # ns
    size: int = None  # of regular files
    device: str = None  # major:minor
    target: bytes = None
    links: int = None
    file: typing.Any = None  # equal for the names of one file
    same: bytes = None  # the first of the names of this file, if it has several
    xattr: str = None  # ACLs are among them
    sha256: str = None


def shown(name):
    return "".join(chr(b) if 0x20 < b < 0x7f and b != 0x5c else "\\%03o" % b for b in name)


def unescaped(text):
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found.group(1), 8)]), text)


class Digest:
    """SHA-256 of a content that comes in blocks. Of a gigabyte and more, blocks of zeroes are left out, and the others go
    in with their places: the virtual machine would take minutes."""
    BLOCK = 256 * 1024
    HUGE = 1 << 30

    def __init__(self, size):
        self.whole, self.huge, self.at = hashlib.sha256(), size >= self.HUGE, 0

    def add(self, block):
        if not self.huge or block.strip(b"\0"):
            self.whole.update((self.at.to_bytes(8, "big") if self.huge else b"") + block)
        self.at += len(block)


def digest_of(path):
    digest = Digest(os.path.getsize(path))
    with open(path, "rb") as file:
        while block := file.read(Digest.BLOCK):
            digest.add(block)
    return digest.whole.hexdigest()


def settle_links(entries):
    """Fills in the column same."""
    first = {}
    for entry in sorted(entries, key=lambda entry: entry.path):
        if entry.type == "f" and entry.file is not None and entry.links != 1:
            first.setdefault(entry.file, []).append(entry)
    for names in first.values():
        for entry in names if len(names) > 1 else []:
            entry.same = names[0].path
    return entries


def xattrs_of(path):
    return " ".join("%s=%s" % (name, shown(os.getxattr(path, name, follow_symlinks=False)))
                    for name in sorted(os.listxattr(path, follow_symlinks=False)))


def walk(top, with_xattr=False):
    """The entries of a mounted or unpacked tree."""
    top = os.fsencode(top)
    entries = []
    pending = [b"."]
    while pending:
        name = pending.pop()
        path = os.path.join(top, name)
        st = os.lstat(path)
        entries.append(entry_at(path, name, st))
        if with_xattr and entries[-1].type != "l":
            entries[-1].xattr = xattrs_of(path)
        if stat.S_ISDIR(st.st_mode):
            pending.extend(entry if name == b"." else name + b"/" + entry for entry in os.listdir(path))
    return settle_links(entries)


def entry_at(path, name, st):
    kind = TYPES[stat.S_IFMT(st.st_mode)]
    return Entry(path=name, type=kind, mode=stat.S_IMODE(st.st_mode), owner="%d:%d" % (st.st_uid, st.st_gid),
                 mtime=st.st_mtime_ns, size=st.st_size if kind == "f" else None,
                 device="%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev)) if kind in "bc" else None,
                 target=os.readlink(path) if kind == "l" else None, links=st.st_nlink, file=(st.st_dev, st.st_ino),
                 sha256=digest_of(path) if kind == "f" else None)
