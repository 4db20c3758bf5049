#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Places in the newest session with UDF that discfs wrote to an image, and in the head, one of each kind, and flips of one
bit there.

bitflip.py places IMAGE START VICTIM   "KIND BYTE" a line; START: the session's first sector; VICTIM: a file in its root,
                                       of a size that isn't a multiple of 2048, whose name is longer than 8 bytes
bitflip.py flip FILE BYTE              flips the lowest bit of that byte
bitflip.py verify FILE PLACES          what discfsctl verify says with each of these flips: "KIND EXIT-CODE DAMAGES PATHS" a line
"""
import json
import struct
import subprocess
import sys

SECTOR = 2048
FRONT = 288  # see src/disc/bridge.h


class Session:
    def __init__(self, image, start, victim):
        with open(image, "rb") as file:
            self.all = file.read()
        self.start, self.victim = start * SECTOR, victim.encode()
        self.part = self.start + FRONT * SECTOR  # where libisofs' part begins, with its sums
        self.found = {}

    def put(self, kind, at):
        assert self.start <= at < len(self.all), kind
        self.found[kind] = at

    def find(self, what, behind=None):
        at = self.all.find(what, self.start if behind is None else behind)
        assert at >= 0, what
        return at

    def le32(self, at):
        return struct.unpack_from("<I", self.all, at)[0]

    def descriptor(self, name, at):
        """ECMA-119 8.4."""
        for field, where in (("type", 0), ("id", 1), ("volume-id", 41), ("size-le", 80), ("size-be", 87), ("path-le", 140),
                             ("path-be", 151), ("root-lba-le", 158), ("root-lba-be", 165), ("root-size", 166),
                             ("application", 575), ("created", 815), ("unused", 900), ("reserved", 1500)):
            self.put("%s-%s" % (name, field), at + where)
        for order, where in ("le", 140), ("be", 148):
            table = struct.unpack_from("<I" if order == "le" else ">I", self.all, at + where)[0]
            self.put("%s-path-table-%s" % (name, order), table * SECTOR + 3)
        root = at + 156
        return self.le32(root + 2) * SECTOR, self.le32(root + 10)

    def records(self, at, size):
        """Of a directory (ECMA-119 9.1); none crosses a sector's end."""
        end = at + size
        while at < end:
            length = self.all[at]
            if length:
                yield at, length
                at += length
            else:
                at += SECTOR - at % SECTOR

    def record(self, at, length, prefix):
        for field, where in (("length", 0), ("lba-le", 2), ("lba-be", 9), ("size-le", 10), ("size-be", 17), ("date", 19),
                             ("flags", 25), ("sequence", 28), ("name", 34)):
            self.put("%s-%s" % (prefix, field), at + where)
        return at + 33 + self.all[at + 32] + (self.all[at + 32] + 1) % 2, at + length

    def susp(self, at, end, prefix):
        """SUSP 1.12, RRIP 1.12."""
        while at + 4 <= end and self.all[at]:
            word, length = self.all[at:at + 2].decode(), self.all[at + 2]
            self.put("%s-%s" % (prefix, word), at + 4)
            if word == "PX":
                self.put(prefix + "-PX-be", at + 11)
                self.put(prefix + "-PX-uid", at + 20)
            if word == "TF":
                self.put(prefix + "-TF-time", at + 8)
            if word == "NM":
                self.put(prefix + "-NM-text", at + 6)
            if word == "CE":
                self.put(prefix + "-CE-offset", at + 12)
                self.put(prefix + "-CE-area", self.le32(at + 4) * SECTOR + self.le32(at + 12) + 6)
            at += length

    def tree(self):
        root, size = self.descriptor("pvd", self.part + 16 * SECTOR)
        joliet, joliet_size = self.descriptor("svd", self.part + 17 * SECTOR)
        for at, length in self.records(root, size):
            whole = self.all[at:at + length]
            for name, prefix in (self.victim, "file"), (b"link", "link"), (b"attributes", "attr"), (b"longname", "long"):
                if b"NM" in whole and name in whole[whole.index(b"NM"):]:
                    self.susp(*self.record(at, length, prefix), prefix)
                    if prefix == "file":
                        body, bytes_ = self.le32(at + 2) * SECTOR, self.le32(at + 10)
        at = self.find(self.victim.decode().encode("utf-16-be"), joliet)
        assert at < joliet + joliet_size
        self.put("joliet-name", at + 1)
        self.put("joliet-lba", at - 33 + 2)
        self.put("link-target", self.find(b"some-target"))
        self.put("attr-value", self.find(b"some-attribute-value"))
        self.put("body-first", body)
        self.put("body-middle", body + bytes_ // 2)
        self.put("body-last", body + bytes_ - 1)
        self.put("slack", body + bytes_)

    def rest(self):
        self.put("system-area", self.part + 100)
        self.put("terminator-type", self.part + 18 * SECTOR)
        self.put("terminator-rest", self.part + 18 * SECTOR + 900)
        for kind in "sb", "tree":
            at = self.find(b"libisofs_%s_checksum_tag_v1" % kind.encode())
            text = self.all[at:at + 300]
            self.put("tag-%s-word" % kind, at + 3)
            self.put("tag-%s-pos" % kind, at + text.index(b"pos=") + 4)
            self.put("tag-%s-md5" % kind, at + text.index(b" md5=") + 9)
            self.put("tag-%s-self" % kind, at + text.index(b"self=") + 9)
            self.put("tag-%s-rest" % kind, at + 1500)
        at = self.find(b"libisofs_checksum_tag_v1")
        text = self.all[at:at + 300]
        self.put("tag-end-word", at + 3)
        self.put("tag-end-md5", at + text.index(b" md5=") + 9)
        self.put("tag-end-rest", at + 1500)
        self.put("sums-first", at - SECTOR + 16 + 3)
        self.put("sums-last", at - 1)

    def udf(self):
        """What bridge.h shows; ECMA-167 3/10."""
        self.put("front-empty", self.start + 100)
        self.put("front-volume-id", self.start + 16 * SECTOR + 41)
        self.put("front-joliet-id", self.start + 17 * SECTOR + 41)
        self.put("front-recognition", self.find(b"NSR02"))
        self.put("front-recognition-rest", self.find(b"TEA01") + 1500)
        self.put("front-reserve", self.start + 51 * SECTOR + 250)
        self.put("front-space", self.start + 200 * SECTOR)
        self.put("front-copy", self.start + 240 * SECTOR)
        self.put("front-last", self.part - 1)
        anchor = self.start + 256 * SECTOR
        self.put("front-anchor", anchor + 20)
        self.put("front-anchor-rest", anchor + 2000)
        at, partition = self.le32(anchor + 20) * SECTOR, None
        while self.all[at] != 8:
            kind = struct.unpack_from("<H", self.all, at)[0]
            self.put("front-descriptor-%d" % kind, at + 30)
            if kind == 5:
                partition = self.le32(at + 188)
            if kind == 6:
                files = self.le32(at + 248 + 4)
                self.put("front-integrity", self.le32(at + 436) * SECTOR + 81)
            at += SECTOR
        tail = (partition + files) * SECTOR
        self.put("tail-file-set", tail + 20)
        self.put("tail-root", (partition + self.le32(tail + 400 + 4)) * SECTOR + 21)
        self.put("tail-name", self.find(b"victim_file", tail))
        last = len(self.all) - SECTOR
        sums = last - SECTOR
        self.put("tail-zeroes", sums - 1)
        assert not self.all[sums - 1] and self.all[sums + 512:].startswith(b"DISCFS UDF SUM")
        for field, where in ("anchor", 20), ("word", 515), ("start", 528), ("first", 532), ("sum", 540), ("piece", 572), ("rest", 2000), ("own", 2047):
            self.put("tail-sums-" + field, sums + where)
        self.put("tail-anchor", last + 20)
        self.put("tail-anchor-rest", len(self.all) - 1)

    def head(self):
        """Whose lowest sectors are a copy of the session's descriptors."""
        for kind, at in ("volume-id", 16 * SECTOR + 41), ("joliet-id", 17 * SECTOR + 41), ("anchor", 31 * SECTOR + 20), ("256", 256 * SECTOR + 20):
            self.found["head-" + kind] = at
        self.found["head-recognition"] = self.all.index(b"NSR02")
        self.found["head-tag"] = self.all.index(b"libisofs_rlsb32_checksum_tag_v1") + 3

    def show(self):
        self.head()
        self.tree()
        self.rest()
        self.udf()
        for kind, at in self.found.items():
            print(kind, at)


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def verify(path, places):
    with open(places) as file:
        lines = file.readlines()
    for line in lines:
        kind, at = line.split()
        flip(path, int(at))
        done = subprocess.run(["discfsctl", "verify", "--json", path], capture_output=True, text=True, timeout=60)
        found = json.loads(done.stdout)
        print(kind, done.returncode, found["damages"], *sorted(each["path"] for each in found["damaged"] if each["path"]))
        flip(path, int(at))


if sys.argv[1] == "places":
    Session(sys.argv[2], int(sys.argv[3]), sys.argv[4]).show()
elif sys.argv[1] == "verify":
    verify(sys.argv[2], sys.argv[3])
else:
    flip(sys.argv[2], int(sys.argv[3]))
