#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""with_pycdlib.py IMAGE rr|joliet|plain|udf: what pycdlib finds in an image, a line for each file: path, type, mode, owner,
mtime in ns, size, device, symlink target, links, SHA-256."""
import datetime
import hashlib
import io
import stat
import sys

import pycdlib

TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFSOCK: "s",
         stat.S_IFCHR: "c", stat.S_IFBLK: "b"}


def shown(name):
    return "".join(chr(b) if 0x20 < b < 0x7f and b != 0x5c else "\\%03o" % b for b in name)


def time_of(date):
    when = datetime.datetime(1900 + date.years_since_1900, date.month, date.day_of_month, date.hour, date.minute, date.second,
                             tzinfo=datetime.timezone.utc)
    return int(when.timestamp()) - date.gmtoffset * 900


def digest_of(iso, record):
    # By the record: paths would have to be text.
    whole = hashlib.sha256()
    with pycdlib.pycdlibio.PyCdlibIO(record.inode, iso.logical_block_size) as file:
        while block := file.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()


def put(*words):
    print("\t".join(str(word) for word in words))


def put_iso(iso, record, path, tree):
    rock = None
    if tree == "rr":  # the top directory has it in its "." alone
        rock = record.children[0].rock_ridge if path == b"." else record.rock_ridge
    kind = "d" if record.is_dir() else "f"
    mode, owner, target, links = "", "", b"", 1
    if rock is not None:
        entry = rock.dr_entries.px_record or rock.ce_entries.px_record
        mode, owner = "%o" % stat.S_IMODE(entry.posix_file_mode), "%d:%d" % (entry.posix_user_id, entry.posix_group_id)
        kind = TYPES[stat.S_IFMT(entry.posix_file_mode)]
        links = entry.posix_file_links
        target = rock.symlink_path() if rock.is_symlink() else b""
    size = record.get_data_length() if kind == "f" else ""
    digest = ""
    if kind == "f":
        digest = digest_of(iso, record) if record.inode is not None else hashlib.sha256(b"").hexdigest()
    put(shown(path), kind, mode, owner, time_of(record.date) * 10**9, size, "", shown(target), links, digest)


def walk_iso(iso, tree, top):
    pending = [(top, b".")]
    while pending:
        record, path = pending.pop()
        put_iso(iso, record, path, tree)
        if not record.is_dir():
            continue
        for child in record.children:
            if child.is_dot() or child.is_dotdot():
                continue
            if tree == "rr":
                name = child.rock_ridge.name()
            else:
                name = child.file_identifier()
                name = name.decode("utf-16-be").encode() if tree == "joliet" else name
            pending.append((child, name if path == b"." else path + b"/" + name))


def walk_udf(iso):
    pending = [(iso.udf_root, b".")]
    while pending:
        entry, path = pending.pop()
        kind = "d" if entry.is_dir() else "l" if entry.is_symlink() else "f"
        perms = entry.perms
        mode = (perms & 7) | (perms >> 5 & 7) << 3 | (perms >> 10 & 7) << 6
        when = entry.mod_time
        mtime = datetime.datetime(when.year, when.month, when.day, when.hour, when.minute, when.second,
                                  tzinfo=datetime.timezone.utc).timestamp()
        digest, size = "", ""
        if kind == "f":
            size = entry.get_data_length()
            digest = digest_of(iso, entry) if entry.inode is not None else hashlib.sha256(b"").hexdigest()
        put(shown(path), kind, "%o" % mode, "%d:%d" % (entry.uid, entry.gid), int(mtime) * 10**9, size, "", "", entry.file_link_count, digest)
        if kind != "d":
            continue
        for ident in entry.fi_descs:
            if ident.is_parent() or ident.file_entry is None:
                continue
            encoding = "utf-16-be" if ident.encoding == "utf-16_be" else "latin-1"
            name = ident.fi.decode(encoding).encode()
            pending.append((ident.file_entry, name if path == b"." else path + b"/" + name))


def main():
    path, tree = sys.argv[1:3]
    iso = pycdlib.PyCdlib()
    with open(path, "rb") as file:
        iso.open_fp(io.BufferedReader(file.raw))
        if tree == "udf":
            walk_udf(iso)
        elif tree == "joliet":
            walk_iso(iso, tree, iso.joliet_vd.root_directory_record())
        else:
            walk_iso(iso, tree, iso.pvd.root_directory_record())
        iso.close()


main()
