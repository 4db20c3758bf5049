#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes small disc images that mean harm: craft.py DIR writes NAME.iso for each, and the list "expected": NAME and how
it must fare: "refused", or "shown" where what is odd is harmless or is left out."""
import os
import struct
import sys
import zlib

SECTOR = 2048
DIRECTORY, MULTI = 0x02, 0x80
SP = b"SP\x07\x01\xbe\xef\x00"
ER = b"ER" + bytes((8 + 10 + 4, 1, 10, 4, 0, 1)) + b"RRIP_1991A" + b"RRIP"
images = {}


def both16(value):
    return struct.pack("<H", value & 0xffff) + struct.pack(">H", value & 0xffff)


def both32(value):
    return struct.pack("<I", value) + struct.pack(">I", value)


def px(mode, links=1):
    return b"PX\x24\x01" + both32(mode) + both32(links) + both32(0) + both32(0)


def nm(name, flags=0):
    return b"NM" + bytes((5 + len(name), 1, flags)) + name


def sl(*parts):
    body = b"".join(bytes((flags, len(text))) + text for flags, text in parts)
    return b"SL" + bytes((5 + len(body), 1, 0)) + body


def ce(lba, offset, length):
    return b"CE\x1c\x01" + both32(lba) + both32(offset) + both32(length)


def cl(lba):
    return b"CL\x0c\x01" + both32(lba)


def zf(size, log2=15):
    return b"ZF\x10\x01pz\x04" + bytes((log2,)) + both32(size)


def record(name, lba, size, flags=0, su=b""):
    pad = b"" if len(name) % 2 else b"\0"
    body = (both32(lba) + both32(size) + b"\x7e\1\1\0\0\0\0" + bytes((flags, 0, 0)) + both16(1) + bytes((len(name),)) +
            name + pad + su)
    body += b"\0" * (len(body) % 2)
    return bytes((len(body) + 2, 0)) + body


def directory(own, parent, records, size=SECTOR, root=False, parent_size=SECTOR):
    """Records never cross a sector."""
    out = b""
    dots = [record(b"\0", own, size, DIRECTORY, (SP + px(0o40755, 2) + ER) if root else px(0o40755, 2)),
            record(b"\1", parent, parent_size, DIRECTORY, px(0o40755, 2))]
    for one in dots + records:
        if len(out) % SECTOR + len(one) > SECTOR:
            out += b"\0" * (-len(out) % SECTOR)
        out += one
    return out + b"\0" * (-len(out) % SECTOR)


def sub(name, lba, size=SECTOR):
    return record(name.upper(), lba, size, DIRECTORY, px(0o40755, 2) + nm(name))


def plain(name, lba=40, size=100, su=b"", flags=0, iso=None):
    return record(iso or (b"F%d" % (zlib.crc32(name) % 10 ** 6)), lba, size, flags, px(0o100644) + nm(name) + su)


def image(name, expected, blocks, total=64, claim=None, root_size=SECTOR):
    """blocks: sector -> bytes; 20 is the root."""
    data = bytearray(total * SECTOR)
    pvd = bytearray(SECTOR)
    pvd[0:7] = b"\1CD001\1"
    pvd[40:72] = b"HOSTILE".ljust(32)
    pvd[80:88] = both32(claim or total)
    pvd[120:132] = both16(1) + both16(1) + both16(SECTOR)
    pvd[132:140] = both32(10)
    pvd[140:148] = struct.pack("<II", 18, 0)
    pvd[148:156] = struct.pack(">II", 19, 0)
    pvd[156:190] = record(b"\0", 20, root_size, DIRECTORY)
    pvd[813:830] = b"2020010100000000\0"
    pvd[881] = 1
    data[16 * SECTOR:17 * SECTOR] = pvd
    data[17 * SECTOR:17 * SECTOR + 7] = b"\xffCD001\1"
    data[18 * SECTOR:18 * SECTOR + 10] = struct.pack("<BBIH", 1, 0, 20, 1) + b"\0\0"
    data[19 * SECTOR:19 * SECTOR + 10] = struct.pack(">BBIH", 1, 0, 20, 1) + b"\0\0"
    for lba, content in blocks.items():
        data[lba * SECTOR:lba * SECTOR + len(content)] = content
    images[name] = (bytes(data), expected)


def root(*records, **more):
    return {20: directory(20, 20, list(records), root=True, **more)}


def chain(levels, entries):
    """Directories from sector 21 on, each with so many names of the next one."""
    blocks = root(*[sub(b"d%d" % i, 21) for i in range(entries)])
    for at in range(21, 21 + levels):
        blocks[at] = directory(at, at - 1, [sub(b"d%d" % i, at + 1) for i in range(entries)] if at + 1 < 21 + levels
                               else [plain(b"last")])
    return blocks


def make():
    image("honest", "shown", root(plain(b"file"), sub(b"dir", 21)) | {21: directory(21, 20, [plain(b"in")])})
    # circles
    image("loop-self", "refused", root(sub(b"loop", 20)))
    image("loop-two", "refused", root(sub(b"a", 21), sub(b"b", 22)) |
          {21: directory(21, 20, [sub(b"b", 22), sub(b"c", 22)]), 22: directory(22, 20, [sub(b"a", 21), sub(b"c", 21)])})
    image("loop-wide", "refused", root(*[sub(b"d%d" % i, 20) for i in range(15)]))
    image("doubling", "refused", chain(30, 2))
    image("deep", "refused", chain(200, 1), total=300)
    image("relocated-loop", "refused", root(record(b"UP", 40, 0, 0, px(0o40755, 2) + nm(b"up") + cl(20))))
    image("relocated-nowhere", "refused", root(record(b"UP", 40, 0, 0, px(0o40755, 2) + nm(b"up") + cl(10 ** 9))))
    # continuation areas
    image("ce-self", "refused", root(plain(b"f", su=ce(30, 0, 60))) | {30: nm(b"x" * 20, 1) + ce(30, 0, 60)})
    image("ce-two", "refused", root(plain(b"f", su=ce(30, 0, 28))) | {30: ce(31, 0, 28), 31: ce(30, 0, 28)})
    image("ce-beyond", "refused", root(plain(b"f", su=ce(4 * 10 ** 9, 0, 28))))
    image("ce-offset", "refused", root(plain(b"f", su=ce(30, 0xfffffff0, 0xfffffff0))))
    image("ce-long", "refused", root(plain(b"f", su=ce(30, 0, 0xffffffff))) | {30: nm(b"y" * 200, 1) * 9})
    # claims
    image("claims-ten-million", "refused", root(plain(b"f"), size=10 ** 7 * 40), root_size=10 ** 7 * 40)
    image("claims-four-gigabytes", "refused", root(sub(b"d", 21, 0xfffff800)) |
          {21: directory(21, 20, [plain(b"f")], size=0xfffff800)})
    image("claims-volume", "refused", root(plain(b"f")), claim=0xffffffff)
    # libisofs leaves a file without a last section out
    image("many-sections", "any", root(*[plain(b"f", 40, 0xfffff800, flags=MULTI, iso=b"F") for _ in range(16)]))
    image("zisofs-size", "shown", root(plain(b"z", 40, 100, su=zf(0xffffffff))))
    image("zisofs-block", "shown", root(plain(b"z", 40, 100, su=zf(100, 255))))
    image("descriptors-endless", "refused", root(plain(b"f")) | {lba: b"\3CD001\1" for lba in range(17, 64) if lba != 20})
    # places
    image("extent-beyond", "refused", root(plain(b"f", 10 ** 6, 10 ** 6)))
    image("extent-end", "refused", root(plain(b"f", 60, 5 * SECTOR)))
    image("extent-wraps", "refused", root(plain(b"f", 0xffffffff, 0xffffffff)))
    image("extents-overlap", "shown", root(plain(b"a", 40, 3000), plain(b"b", 41, 3000), plain(b"c", 20, SECTOR)))
    image("root-beyond", "refused", {})
    image("directory-beyond", "refused", root(sub(b"d", 10 ** 6)))
    image("directory-of-noise", "refused", root(sub(b"d", 30)) | {30: bytes((i * 37 + 200) % 256 for i in range(SECTOR))})
    # names
    image("name-slash", "any", root(plain(b"a/b"), plain(b"../../etc/passwd")))
    image("name-dots", "any", root(plain(b".", iso=b"A"), plain(b"..", iso=b"B"), plain(b"good", iso=b"C")))
    image("name-nul", "any", root(plain(b"a\0b"), plain(b"good")))
    image("name-empty", "any", root(plain(b""), record(b"", 40, 100, 0, px(0o100644))))
    image("name-flags", "any", root(record(b"A", 40, 9, 0, px(0o100644) + nm(b"", 2)),
                                    record(b"B", 40, 9, 0, px(0o100644) + nm(b"", 4))))
    image("name-twice", "shown", root(plain(b"same", iso=b"A"), plain(b"same", iso=b"B"), sub(b"same", 21)) |
          {21: directory(21, 20, [])})
    image("name-long", "any", root(plain(b"n" * 100, su=ce(30, 0, 600))) | {30: nm(b"n" * 195, 1) * 3})
    image("name-controls", "shown", root(plain(b"\x1b[2Jtitle\x07\n"), plain(b"\xff\xfe\x80")))
    # links and modes
    image("symlink-circle", "shown", root(record(b"A", 0, 0, 0, px(0o120777) + nm(b"a") + sl((0, b"b"))),
                                          record(b"B", 0, 0, 0, px(0o120777) + nm(b"b") + sl((0, b"a")))))
    image("symlink-empty", "any", root(record(b"A", 0, 0, 0, px(0o120777) + nm(b"a"))))
    image("symlink-long", "any", root(record(b"A", 0, 0, 0, px(0o120777) + nm(b"a") + ce(30, 0, SECTOR))) |
          {30: sl((0, b"x" * 240)) * 8})
    image("mode-odd", "any", root(record(b"A", 40, 9, 0, px(0xffffffff) + nm(b"a")),
                                  record(b"B", 40, 9, 0, px(0o40755) + nm(b"b")),
                                  record(b"C", 21, SECTOR, DIRECTORY, px(0o100644) + nm(b"c"))))
    image("record-short", "any", {20: directory(20, 20, [b"\x05\0\0\0\0"], root=True)})
    image("record-name", "any", {20: directory(20, 20, [b"\x40" + bytes(31) + b"\xff" + b"n" * 31], root=True)})
    images["root-beyond"] = (images["root-beyond"][0].replace(record(b"\0", 20, SECTOR, DIRECTORY),
                                                              record(b"\0", 10 ** 8, SECTOR, DIRECTORY)), "refused")


def main():
    make()
    with open(os.path.join(sys.argv[1], "expected"), "w", encoding="ascii") as listing:
        for name, (data, expected) in images.items():
            with open(os.path.join(sys.argv[1], name + ".iso"), "wb") as file:
                file.write(data)
            listing.write("%s.iso %s\n" % (name, expected))


main()
