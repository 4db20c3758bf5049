#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends what udevd sends when something happens to a device: a message of libudev's monitor, to netlink group 2.
    udev_event.py ACTION NAME [PROPERTY=VALUE…]
Its form is libudev's (monitor_netlink_header): receivers filter by hashes of the subsystem and of the device type."""
import socket
import struct
import sys

NETLINK_KOBJECT_UEVENT = 15
GROUP_UDEV = 2
MAGIC = 0xFEEDCAFE
HEADER = 40


def murmur2(data):
    """MurmurHash2 with seed 0, as libudev uses it."""
    m, mask, h, at = 0x5BD1E995, 0xFFFFFFFF, len(data), 0
    while len(data) - at >= 4:
        k = struct.unpack_from("<I", data, at)[0] * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
        at += 4
    tail = data[at:]
    if tail:
        for shift, byte in enumerate(tail):
            h ^= byte << 8 * shift
        h = h * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def message(action, name, properties):
    lines = {
        "ACTION": action, "DEVPATH": "/devices/virtual/block/" + name, "SUBSYSTEM": "block", "DEVTYPE": "disk",
        "DEVNAME": "/dev/" + name, "MAJOR": "11", "MINOR": name.strip("sr"), "SEQNUM": "4711",
    }
    lines.update(properties)
    body = b"".join(b"%s=%s\0" % (key.encode(), value.encode()) for key, value in lines.items())
    header = struct.pack("=8s", b"libudev") + struct.pack("!I", MAGIC)
    header += struct.pack("=III", HEADER, HEADER, len(body))
    header += struct.pack("!IIII", murmur2(b"block"), murmur2(b"disk"), 0, 0)
    return header + body


def main():
    sender = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT)
    properties = dict(word.split("=", 1) for word in sys.argv[3:])
    sender.sendto(message(sys.argv[1], sys.argv[2], properties), (0, GROUP_UDEV))


main()
