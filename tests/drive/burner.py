# SPDX-License-Identifier: GPL-2.0-or-later
"""SCSI commands to the simulated drive, for physics.py and answers.py: by SG_IO, as programs send them.

Sense is told as key/asc/ascq, as in the drive's log. A sector's content tells its address and who wrote it. Arguments
of the program: a place for files, and the drive's folder."""

import ctypes
import fcntl
import os
import subprocess
import sys

SG_IO, SECTOR = 0x2285, 2048
TO_DRIVE, FROM_DRIVE, NONE = -2, -3, -1
AT_A_TIME = 160  # the kernel takes no more with one command
PACKET, TRACK_AT_ONCE, AT_ONCE = 0, 1, 2
place, drive = sys.argv[1:3]
disc_file = place + "/disc"


class Header(ctypes.Structure):
    _fields_ = [
        ("interface_id", ctypes.c_int), ("direction", ctypes.c_int), ("cdb_length", ctypes.c_ubyte),
        ("sense_room", ctypes.c_ubyte), ("iovec_count", ctypes.c_ushort), ("length", ctypes.c_uint),
        ("data", ctypes.c_void_p), ("cdb", ctypes.c_void_p), ("sense", ctypes.c_void_p),
        ("timeout", ctypes.c_uint), ("flags", ctypes.c_uint), ("pack_id", ctypes.c_int),
        ("user", ctypes.c_void_p), ("status", ctypes.c_ubyte), ("masked_status", ctypes.c_ubyte),
        ("message_status", ctypes.c_ubyte), ("sense_written", ctypes.c_ubyte), ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort), ("residual", ctypes.c_int), ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint)]


def fail(text):
    for line in open(drive + "/log").readlines()[-8:]:
        print(line, end="")
    raise SystemExit("FAIL: " + text)


device = None


def command(cdb, send=None, room=0):
    """The sense, or "ok"; and what came."""
    buffer = ctypes.create_string_buffer(send, len(send)) if send else ctypes.create_string_buffer(max(room, 1))
    bytes_of_cdb = ctypes.create_string_buffer(bytes(cdb), len(cdb))
    sense = ctypes.create_string_buffer(32)
    header = Header(interface_id=ord("S"), cdb_length=len(cdb), sense_room=32, timeout=60000,
                    direction=TO_DRIVE if send else FROM_DRIVE if room else NONE,
                    length=len(send) if send else room, data=ctypes.addressof(buffer),
                    cdb=ctypes.addressof(bytes_of_cdb), sense=ctypes.addressof(sense))
    fcntl.ioctl(device, SG_IO, header)
    if header.status == 0:
        return "ok", buffer.raw[:room]
    raw = sense.raw
    kind = " deferred" if raw[0] & 0x7F == 0x71 else ""
    return f"{raw[2] & 15:x}/{raw[12]:02x}/{raw[13]:02x}{kind}", raw


def expect(wanted, cdb, send=None, room=0, why=""):
    said, data = command(cdb, send, room)
    if said != wanted:
        fail(f"{bytes(cdb).hex(' ')}: {said}, not {wanted} {why}")
    return data


def content(lba, count, who=b"a"):
    return b"".join((b"%s %010d " % (who, at % 2**32)).ljust(32, b".") * 64 for at in range(lba, lba + count))


def be(value, width):
    return list((value % (1 << 8 * width)).to_bytes(width, "big"))


def write(lba, count, wanted="ok", who=b"a", op=0x2A):
    while count > AT_A_TIME:
        write(lba, AT_A_TIME, wanted, who, op)
        lba, count = lba + AT_A_TIME, count - AT_A_TIME
    expect(wanted, [op, 0] + be(lba, 4) + [0] + be(count, 2) + [0], send=content(lba, count, who))


def read_raw(lba, count, wanted="ok"):
    if count > AT_A_TIME:
        return read_raw(lba, AT_A_TIME, wanted) + read_raw(lba + AT_A_TIME, count - AT_A_TIME, wanted)
    return expect(wanted, [0x28, 0] + be(lba, 4) + [0] + be(count, 2) + [0], room=count * SECTOR)


def read(lba, count, wanted="ok", who=b"a"):
    data = read_raw(lba, count, wanted)
    if wanted == "ok" and data != content(lba, count, who):
        fail(f"sectors {lba}..{lba + count - 1} aren't what was written")


def read_zeroes(lba, count):
    if read_raw(lba, count).strip(b"\0"):
        fail(f"sectors {lba}..{lba + count - 1} aren't zero")


def page_05(kind, multi=False, test=False, mode=4, block=8):
    page = bytes([5, 0x32, kind | test << 4, 0xC0 * multi | mode, block]).ljust(52, b"\0")
    expect("ok", [0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0], send=bytes(8) + page)


def sync(wanted="ok"):
    expect(wanted, [0x35] + [0] * 9)


def close(function, track=0, wanted="ok"):
    expect(wanted, [0x5B, 0, function, 0] + be(track, 2) + [0] * 4)


def reserve(sectors, wanted="ok", by_address=False):
    expect(wanted, [0x53, int(by_address), 0, 0, 0] + be(sectors, 4) + [0])


def blank(kind, address=0, wanted="ok"):
    expect(wanted, [0xA1, kind] + be(address, 4) + [0] * 6)


def form(kind, sectors, sub=0, wanted="ok", flags=0):
    expect(wanted, [4, 0x11, 0, 0, 0, 0], send=bytes([0, flags, 0, 8] + be(sectors, 4) + [kind << 2 | sub, 0, 0, 0]))


def ready(wanted="ok"):
    expect(wanted, [0] * 6)


def mmcsim(*arguments):
    return subprocess.run(["mmcsim", *arguments], check=True, capture_output=True, text=True).stdout


def show():
    """What mmcsim knows of the disc: the keys, and a dictionary for each track."""
    disc, tracks = {}, [None]
    for line in mmcsim("show", drive).split("\n"):
        words = dict(word.split("=", 1) for word in line.split(" ") if "=" in word)
        if "track" in words:
            tracks.append(words)
        else:
            disc.update(words)
    return disc, tracks


def track(number, **wanted):
    _, tracks = show()
    if number >= len(tracks):
        fail(f"there is no track {number}")
    for key, value in wanted.items():
        if tracks[number][key] != str(value):
            fail(f"track {number}: {key} is {tracks[number][key]}, not {value}")


def disc(**wanted):
    now, _ = show()
    for key, value in wanted.items():
        if now[key] != str(value):
            fail(f"{key} is {now[key]}, not {value}")


def settle():
    """After a change of media: its unit attention, then not ready, then ready."""
    for _ in range(20):
        if command([0] * 6)[0] == "ok":
            return
    fail("the drive doesn't become ready")


def fresh(kind, sectors=0):
    if os.path.exists(disc_file):
        os.remove(disc_file)
    mmcsim("new", kind, disc_file, *(["--sectors", str(sectors)] if sectors else []))
    mmcsim("insert", drive, disc_file)
    settle()


def rules(*lines):
    with open(drive + "/rules", "w") as file:
        file.write("".join(line + "\n" for line in lines))


def no_rules():
    os.remove(drive + "/rules")


def use_drive():
    global device
    open(drive + "/log", "a").close()
    device = os.open("/dev/sr0", os.O_RDONLY | os.O_NONBLOCK)
