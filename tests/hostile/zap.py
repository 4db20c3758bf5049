#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages one sector of a directory of an ISO 9660 image: zap.py IMAGE PATH SECTOR HOW [SESSION]

PATH: names as the plain tree or Rock Ridge have them. SECTOR: from 0, -1 is the last one. HOW: zeroes, noise, ones;
begin: its own extent is another one; record: the third record's length of its
name; length: the third record's own length; name: the first letter of the first name of
Rock Ridge. SESSION: where it starts. Prints the sector's address, and how many names are left."""
import random
import struct
import sys

SECTOR = 2048


def le32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def records(data, lba, size):
    for sector in range((size + SECTOR - 1) // SECTOR):
        at = (lba + sector) * SECTOR
        end = at + SECTOR
        while at < end and data[at]:
            yield at
            at += data[at]


def names(data, at):
    length = data[at + 32]
    yield data[at + 33:at + 33 + length].split(b";")[0].lower()
    use = at + 33 + length + (length % 2 == 0)
    while use + 4 < at + data[at]:
        if data[use:use + 2] == b"NM":
            yield data[use + 5:use + data[use + 2]]
        if data[use + 2] < 4:
            break
        use += data[use + 2]


def find(data, path, start):
    lba, size = le32(data, (start + 16) * SECTOR + 158), le32(data, (start + 16) * SECTOR + 166)
    for part in filter(None, path.encode().split(b"/")):
        at = next(at for at in records(data, lba, size) if data[at + 25] & 2 and part in names(data, at))
        lba, size = le32(data, at + 2), le32(data, at + 10)
    return lba, size // SECTOR


def main():
    image, path, sector, how = sys.argv[1:5]
    with open(image, "rb") as file:
        data = bytearray(file.read())
    lba, count = find(data, path, int(sys.argv[5]) if len(sys.argv) > 5 else 0)
    at = (lba + int(sector) % count) * SECTOR
    left = sum(1 for one in records(data, lba, count * SECTOR)
               if one // SECTOR != at // SECTOR and data[one + 32:one + 34] not in (b"\1\0", b"\1\1"))
    if how == "begin":
        struct.pack_into("<I", data, at + 2, lba + 1)
    elif how == "record":
        data[at + data[at] + data[at + data[at]] + 32] = 255
    elif how == "name":
        at = next(at for at in range(at, len(data)) if data[at:at + 2] == b"NM" and data[at + 2] > 5)
        data[at + 5] ^= 1
    elif how == "length":
        data[at + data[at] + data[at + data[at]]] -= 1
        left += 1
    else:
        data[at:at + SECTOR] = {"zeroes": bytes(SECTOR), "ones": b"\xff" * SECTOR,
                                "noise": random.Random(1).randbytes(SECTOR)}[how]
    with open(image, "wb") as file:
        file.write(data)
    print(at // SECTOR, left)


main()
