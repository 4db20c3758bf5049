#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a tree as text, one file a line, so that two trees can be compared with cmp and diff:
path, type and mode, owner, group, mtime in seconds, size or device, symlink target, names of the same file, extended
attributes (ACLs are among them), SHA-256.

manifest.py DIR [--without FIELD,...] [--with nanoseconds]
FIELDS: mode owner mtime links xattr content
        root      the top directory's own line
        dirtime   mtime of directories
        special   devices, FIFOs and sockets
        longlink  targets of symbolic links over 150 bytes
        softmeta  owner and mtime of symbolic links, which few programs set
"""
import hashlib
import os
import stat
import sys

TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFSOCK: "s",
         stat.S_IFCHR: "c", stat.S_IFBLK: "b"}


def shown(name):
    return "".join(chr(b) if 0x20 < b < 0x7f and b != 0x5c else "\\%03o" % b for b in name)


def digest(path):
    whole = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()


def xattrs(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return ",".join("%s=%s" % (shown(os.fsencode(name)), shown(os.getxattr(path, name, follow_symlinks=False)))
                    for name in names)


def line(path, name, st, without, grain, first):
    kind = TYPES[stat.S_IFMT(st.st_mode)]
    words = [shown(name), kind]
    if "mode" not in without:
        words.append("%04o" % stat.S_IMODE(st.st_mode))
    soft = kind == "l" and "softmeta" in without
    if "owner" not in without and not soft:
        words.append("%d:%d" % (st.st_uid, st.st_gid))
    if "mtime" not in without and not soft and not (kind == "d" and "dirtime" in without):
        words.append("%d" % (st.st_mtime_ns // grain))
    if kind == "f":
        words.append("size=%d" % st.st_size)
    if kind in "cb":
        words.append("device=%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev)))
    if kind == "l":
        target = os.readlink(path)
        words.append("-> " + ("long" if "longlink" in without and len(target) > 150 else shown(target)))
    if "links" not in without and kind != "d":
        words.append("links=%d" % st.st_nlink)
        if st.st_nlink > 1:
            words.append("same=" + shown(first.setdefault((st.st_dev, st.st_ino), name)))
    if "xattr" not in without and kind not in "l":
        words.append(xattrs(path))
    if "content" not in without and kind == "f":
        words.append(digest(path))
    return " ".join(words)


def walk(top):
    """Every path below top, in an order that depends on the names alone."""
    pending = [b""]
    while pending:
        name = pending.pop()
        yield name
        path = os.path.join(top, name) if name else top
        if stat.S_ISDIR(os.lstat(path).st_mode):
            pending.extend(os.path.join(name, entry) for entry in sorted(os.listdir(path), reverse=True))


def main():
    top = os.fsencode(sys.argv[1])
    options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
    without = set(options.get("--without", "").split(","))
    grain = 1 if options.get("--with") == "nanoseconds" else 1000000000
    first = {}
    out = []
    for name in walk(top):
        if not name and "root" in without:
            continue
        path = os.path.join(top, name) if name else top
        st = os.lstat(path)
        if "special" in without and TYPES[stat.S_IFMT(st.st_mode)] in "pscb":
            continue
        out.append(line(path, name or b".", st, without, grain, first))
    print("\n".join(out))


main()
