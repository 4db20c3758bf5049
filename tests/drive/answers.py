#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the simulated drive tells of itself and of each medium, blank, appendable and closed: held against the state that
`mmcsim show` has, and against what MMC fixes. And what it refuses to tell."""

import struct

from burner import (AT_ONCE, be, close, command, disc, drive, expect, fail, fresh, mmcsim, PACKET, page_05, ready, settle,
                    show, sync, TRACK_AT_ONCE, use_drive, write)

# Of each kind: profile, and current features while it's blank, appendable, closed; "" where it has no such state.
KINDS = {
    "cd-r": (0x09, "1d 1e 21 2d 2e", "10 1d 1e 21 2d 2e", "10 1d 1e"),
    "cd-rw": (0x0A, "1d 1e 21 27 2d 2e 37", "10 1d 1e 21 27 2d 2e 37", "10 1d 1e 27 2d 2e 37"),
    "dvd-r": (0x11, "1f 21 2f", "10 1f 21 2f", "10 1f"),
    "dvd-rw": (0x14, "1f 21 23 2f", "10 1f 21 23 2f", "10 1f 23 2f"),
    "dvd-r-dl": (0x15, "1f 21 2f", "", "10 1f"),
    "dvd+r": (0x1B, "1f 21 2b", "10 1f 21 2b", "10 1f"),
    "dvd+r-dl": (0x2B, "1f 21 3b", "10 1f 21 3b", "10 1f"),
    "bd-r": (0x41, "23 25 40 41", "10 25 40 41", "10 40"),
    "dvd+rw": (0x1A, "04 1f 23 2a", "", ""),
    "bd-re": (0x43, "04 23 40 41", "", ""),
    "dvd-ram": (0x12, "", "", "04 10 1f 20 23 24"),
    "dvd-rw-overwrite": (0x13, "", "", "10 1f 23 26 2c 2f"),
    "cd-rom": (0x08, "", "", "10 1d 1e"),
    "dvd-rom": (0x10, "", "", "10 1f 106"),
    "bd-rom": (0x40, "", "", "10 40"),
}
OVERWRITEABLE = ("dvd+rw", "bd-re", "dvd-ram", "dvd-rw-overwrite")
ALWAYS = "00 01 02 03 100 104 105 107 108 10c"
STATUS = {"empty": 0, "incomplete": 1, "complete": 2, "other": 3}
SESSION = {"empty": 0, "incomplete": 1, "damaged": 2, "complete": 3}


def same(found, wanted, what):
    if found != wanted:
        fail(f"{what}: {found}, not {wanted}")


def word(data, at):
    return struct.unpack(">H", data[at:at + 2])[0]


def long(data, at):
    return struct.unpack(">i", data[at:at + 4])[0]


def minutes(data, at):
    return (data[at] * 60 + data[at + 1]) * 75 + data[at + 2] - 150


# --- asking ----------------------------------------------------------------------

# Where an allocation length stands in a CDB, and the length field of the answer: format, what it doesn't count.
ALLOCATIONS = {0x12: (3, 2, None), 0x1A: (4, 1, (">B", 1)), 0x43: (7, 2, (">H", 2)), 0x46: (7, 2, (">I", 4)),
               0x4A: (7, 2, None), 0x51: (7, 2, (">H", 2)), 0x52: (7, 2, (">H", 2)), 0x5A: (7, 2, (">H", 2)),
               0x5C: (7, 2, (">H", 2)), 0xAD: (8, 2, (">H", 2)), 0xBD: (8, 2, None)}
ROOM = 5000


def ask_for(cdb, length):
    at, width, _ = ALLOCATIONS[cdb[0]]
    return expect("ok", cdb[:at] + be(length, width) + cdb[at + width:], room=ROOM)


def ask(cdb):
    """The whole answer; also that shorter ones are its beginning, and that it tells how long it is."""
    at, width, field = ALLOCATIONS[cdb[0]]
    whole = ask_for(cdb, min(ROOM, 256 ** width - 1))
    if not field:
        return whole
    length = struct.unpack(field[0], whole[:struct.calcsize(field[0])])[0] + field[1]
    for short in {0, 1, 2, length - 1, length}:
        said = ask_for(cdb, short)
        if said[:short] != whole[:short] or said[short:].strip(b"\0"):
            fail(f"{bytes(cdb).hex(' ')} with {short} bytes")
    if whole[length:].strip(b"\0"):
        fail(f"{bytes(cdb).hex(' ')} has more than its {length} bytes")
    return whole[:length]


def cdb(*begin, length=10):
    return list(begin) + [0] * (length - len(begin))


# --- a medium in its state -------------------------------------------------------


def check_features(profile, wanted):
    every, current = ask(cdb(0x46)), ask(cdb(0x46, 1))
    same(word(every, 6), profile, "current profile")
    found, at = [], 8
    while at < len(every):
        code, flags, length = struct.unpack(">HBB", every[at:at + 4])
        same(length % 4, 0, f"feature {code:x}: its length")
        same(ask(cdb(0x46, 2, code >> 8, code & 255))[8:], every[at:at + 4 + length], f"feature {code:x} alone")
        if flags & 1:
            found.append(code)
        at += 4 + length
    same([f"{code:02x}" for code in found], sorted(f"{ALWAYS} {wanted}".split(), key=lambda x: int(x, 16)), "features")
    at, told = 8, []
    while at < len(current):
        told.append(word(current, at))
        at += 4 + current[at + 3]
    same(told, found, "current features alone")
    entries = every[12:12 + every[11]]
    same([word(entries, i) for i in range(0, len(entries), 4) if entries[i + 2] & 1], [profile], "profiles marked")
    same(len(ask(cdb(0x46, 2, 0x99, 0x99))), 8, "a feature that isn't there")


def check_track(number, known, kind):
    appendable = known["state"] in ("invisible", "reserved", "open") and kind not in OVERWRITEABLE
    data = ask(cdb(0x52, 1, *be(number, 4)))
    for what, found, wanted in (
            ("number", data[2] | data[32] << 8, number), ("session", data[3] | data[33] << 8, int(known["session"])),
            ("start", long(data, 8), int(known["start"])),
            ("next address", data[7] & 1, int(appendable)),
            ("damage", bool(data[5] & 0x20), known["state"] == "damaged")):
        same(found, wanted, f"track {number}: {what}")
    if data[7] & 1:
        same(long(data, 12), int(known["nwa"]), f"track {number}: next address")
    else:
        same(long(data, 12), 0, f"track {number}: next address that isn't")
        same(long(data, 16), 0, f"track {number}: free blocks")
    if known["state"] == "closed":
        same(long(data, 24), int(known["size"]), f"track {number}: size")
    if data[7] & 2:
        same(long(data, 28), int(known["lra"]), f"track {number}: last recorded address")
    if int(known["size"]):
        same(ask(cdb(0x52, 0, *be(long(data, 8), 4))), data, f"track {number} by its address")
    return data


def check_disc():
    known, tracks = show()
    data = ask(cdb(0x51))
    same(data[2] & 3, STATUS[known["status"]], "disc status")
    same(data[2] >> 2 & 3, SESSION[known["last_session"]], "state of the last session")
    same(data[4] | data[9] << 8, int(known["sessions"]), "sessions")
    same(data[6] | data[11] << 8, len(tracks) - 1, "tracks")
    first = next(n for n in range(1, len(tracks)) if tracks[n]["session"] == known["sessions"])
    same(data[5] | data[10] << 8, first, "first track of the last session")
    for number in range(1, len(tracks)):
        told = check_track(number, tracks[number], known["kind"])
        if tracks[number]["state"] == "invisible" and known["kind"] not in OVERWRITEABLE:
            same(long(told, 16), int(known["free"]), "free blocks")
        if tracks[number]["state"] == "invisible" and not known["kind"].startswith("bd"):
            same(ask(cdb(0x52, 1, 0, 0, 0, 255)), told, "the incomplete track")
    expect("5/24/00", cdb(0x52, 1, *be(len(tracks), 4), 0, 0, 36), room=36)
    expect("5/24/00", cdb(0x52, 2, *be(int(known["sessions"]) + 1, 4), 0, 0, 36), room=36)
    return known, tracks


def check_toc(known, tracks):
    closed = [each for each in tracks[1:] if each["state"] == "closed"]
    if not closed or known["last_session"] == "empty" and known["sessions"] == "1":
        for form in (0, 1):
            expect("5/24/00", cdb(0x43, 0, form, 0, 0, 0, 0, 0, 12), room=12)
        same(long(expect("ok", cdb(0x25), room=8), 0), 0, "capacity")
        return
    end = int(closed[-1]["start"]) + int(closed[-1]["size"])
    same(list(expect("ok", cdb(0x25), room=8)), be(end - 1, 4) + be(2048, 4), "capacity")
    toc, times = ask(cdb(0x43)), ask(cdb(0x43, 2))
    same((toc[2], toc[3], len(toc)), (1, len(closed), 4 + 8 * (len(closed) + 1)), "TOC")
    for i, (number, start) in enumerate([(int(t["number"] if "number" in t else n + 1), int(t["start"]))
                                         for n, t in enumerate(closed)] + [(0xAA, end)]):
        same((toc[4 + 8 * i + 2], long(toc, 8 + 8 * i)), (number, start), "TOC entry")
        same(minutes(times, 9 + 8 * i), start, "its time")
    last = ask(cdb(0x43, 0, 1))
    first = next(t for t in closed if t["session"] == closed[-1]["session"])
    same((last[3], long(last, 8)), (int(closed[-1]["session"]), int(first["start"])), "last session")
    same(ask(cdb(0x43, 0, 0, 0, 0, 0, 0, 0, 0, 0x40)), last, "format 1 asked for in the old way")


def check_cd(known, tracks):
    """Full TOC and ATIP, which only CDs have."""
    recordable = known["kind"] in ("cd-r", "cd-rw")
    if not recordable:
        expect("5/24/00", cdb(0x43, 2, 4, 0, 0, 0, 0, 0, 28), room=28)
    else:
        atip = ask(cdb(0x43, 2, 4))
        same((atip[6] >> 6 & 1, minutes(atip, 12)), (int(known["kind"] == "cd-rw"), int(known["capacity"])), "ATIP")
        same(atip[8], 97, "minute of the lead-in")
    closed = [each for each in tracks[1:] if each["state"] == "closed"]
    if not closed or not known["kind"].startswith("cd"):
        expect("5/24/00", cdb(0x43, 2, 2, 0, 0, 0, 0, 0, 28), room=28)
        return
    full = ask(cdb(0x43, 2, 2))
    points = {(full[at], full[at + 3]): full[at:at + 11] for at in range(4, len(full), 11)}
    for number, each in enumerate(closed, 1):
        session = int(each["session"])
        same(minutes(points[session, number], 8), int(each["start"]), f"track {number} in the lead-in")
        same(minutes(points[session, 0xA2], 8), int(each["start"]) + int(each["size"]), f"lead-out {session}")
        same((points[session, 0xA0][8], points[session, 0xA1][8]), (number, number), "first and last track")
    more = len(tracks) - 1 > len(closed)
    same((1, 0xB0) in points, more or len(closed) > 1, "pointer to the next session")
    if more:
        same(minutes(points[len(closed), 0xB0], 4), int(tracks[-1]["start"]), "start of the next session")


def check_structures(known):
    """All that the list has can be read, and is as long as it says there."""
    if known["kind"].startswith("cd"):
        expect("5/30/02", cdb(0xAD, 0, 0, 0, 0, 0, 0, 0, 0, 8, length=12), room=8)
        return
    media = int(known["kind"].startswith("bd"))
    entries = ask(cdb(0xAD, media, 0, 0, 0, 0, 0, 0xFF, length=12))[4:]
    for at in range(0, len(entries), 4):
        if entries[at + 1] & 0x40:
            data = ask(cdb(0xAD, media, 0, 0, 0, 0, 0, entries[at], length=12))
            same(word(data, 0), word(entries, at + 2), f"length of structure {entries[at]:02x}")
    expect("5/30/02", cdb(0xAD, 1 - media, 0, 0, 0, 0, 0, 0, 0, 8, length=12), room=8)
    expect("5/24/00", cdb(0xAD, media, 0, 0, 0, 0, 0, 0x7F, 0, 8, length=12), room=8)


def check_speeds(known):
    """GET PERFORMANCE, page 2A and what SET CD SPEED and SET STREAMING make of it agree."""
    told = expect("ok", cdb(0xAC, 0, 0, 0, 0, 0, 0, 0, 0, 32, 3, 0), room=520)
    count = (long(told, 0) - 4) // 16
    speeds = [long(told, 8 + 16 * i + 12) for i in range(count)]
    same(speeds, sorted(speeds, reverse=True), "speeds")
    page = ask(cdb(0x5A, 8, 0x2A))[8:]
    same([word(page, 32 + 4 * i + 2) for i in range(word(page, 30))], speeds, "speeds of page 2A")
    if not speeds:
        return
    for wanted, got in ((speeds[-1], speeds[-1]), (speeds[-1] + 1, speeds[-1]), (1, speeds[-1]), (0xFFFF, speeds[0])):
        expect("ok", [0xBB, 0, 255, 255] + be(wanted, 2) + [0] * 6)
        same(word(ask(cdb(0x5A, 8, 0x2A)), 8 + 28), got, f"speed when {wanted} is wanted")
        now = expect("ok", cdb(0xAC, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0), room=24)
        same((long(now, 12), long(now, 20)), (got, got), "speed in effect")
    descriptor = [0] * 8 + be(int(known["capacity"]) - 1, 4) + be(1000, 4) * 2 + be(speeds[-1], 4) + be(1000, 4)
    expect("ok", [0xB6] + [0] * 8 + be(28, 2) + [0], send=bytes(descriptor))
    same(word(ask(cdb(0x5A, 8, 0x2A)), 8 + 28), speeds[-1], "speed by SET STREAMING")
    expect("5/1a/00", [0xB6] + [0] * 8 + be(20, 2) + [0], send=bytes(20))
    expect("5/26/00", [0xB6] + [0] * 8 + be(28, 2) + [0], send=bytes(28))


def check(kind, features):
    profile = KINDS[kind][0]
    known, tracks = check_disc()
    check_features(profile, features)
    check_toc(known, tracks)
    check_cd(known, tracks)
    check_structures(known)
    check_speeds(known)


# --- states ----------------------------------------------------------------------


def record(kind, start, final):
    if kind.startswith("cd"):
        page_05(TRACK_AT_ONCE, multi=not final)
    elif kind == "dvd-r-dl" or kind.startswith("dvd-r"):
        page_05(PACKET, multi=not final)
    write(start, 320)
    sync()
    number = len(show()[1]) - 1
    if not kind.startswith("cd"):
        close(1, number)
    close(6 if final and kind.startswith(("dvd+", "bd")) else 2)


def media():
    for kind, (_, blank, appendable, closed) in KINDS.items():
        if kind.endswith("-rom"):
            with open("image", "wb") as image:
                image.write(bytes(2048 * 640))
            mmcsim("new", kind, "rom-" + kind, "--from", "image")
            mmcsim("insert", drive, "rom-" + kind)
            settle()
        else:
            fresh(kind, 60000)
        if blank:
            check(kind, blank)
        if appendable:
            for _ in range(2):
                record(kind, int(show()[0]["nwa"]), False)
                check(kind, appendable)
        if blank and closed:
            record(kind, int(show()[0]["nwa"]), True)
            disc(status="complete")
        if closed:
            check(kind, closed)


# --- the drive itself ------------------------------------------------------------


def identity():
    known = dict(line.split("=", 1) for line in mmcsim("show", drive).splitlines())
    told = ask(cdb(0x12, length=6))
    same((told[0], told[1] & 0x80), (5, 0x80), "device type")
    for begin, key, length in ((8, "vendor", 8), (16, "product", 16), (32, "revision", 4)):
        same(told[begin:begin + length].decode(), known[key].ljust(length), key)
    pages = ask(cdb(0x12, 1, length=6))
    for page in pages[4:4 + pages[3]]:
        same(ask(cdb(0x12, 1, page, length=6))[1], page, "page of INQUIRY")
    expect("5/24/00", cdb(0x12, 1, 0x77, 0, 64, length=6), room=64)
    expect("5/24/00", cdb(0x12, 0, 0x80, 0, 64, length=6), room=64)


def select(page, wanted="ok", flags=0x10, header=bytes(8), length=None):
    data = header + bytes(page)
    expect(wanted, [0x55, flags] + [0] * 5 + be(length or len(data), 2) + [0], send=data)


def mode_pages():
    whole = ask(cdb(0x5A, 8, 0x3F))
    at, codes = 8, []
    while at < len(whole):
        codes.append(whole[at] & 0x3F)
        length = 2 + whole[at + 1]
        for control in (0, 1, 2):
            told = ask(cdb(0x5A, 8, control << 6 | codes[-1]))[8:]
            same((told[0] & 0x3F, len(told)), (codes[-1], length), "a page")
        same(ask(cdb(0x1A, 8, codes[-1], length=6))[4:], ask(cdb(0x5A, 8, codes[-1]))[8:], "a page by MODE SENSE (6)")
        expect("5/39/00", cdb(0x5A, 8, 0xC0 | codes[-1], 0, 0, 0, 0, 0, 64), room=64)
        at += length
    same(codes, sorted(codes), "pages")
    for page in (0x01, 0x05, 0x08, 0x2A):
        same(page in codes, True, f"page {page:02x}")
    expect("5/24/00", cdb(0x5A, 8, 0x30, 0, 0, 0, 0, 0, 64), room=64)
    old = ask(cdb(0x5A, 8, 0x05))[8:]
    new = bytes([5, 0x32, 0x62, 0xC4, 8, 16]).ljust(52, b"\0")
    select(new)
    same(ask(cdb(0x5A, 8, 0x05))[8:], new, "page 05 after MODE SELECT")
    select(new[:-1], "5/1a/00")  # cut off
    select(bytes([5, 0x30]) + new[2:-2], "5/26/00")  # too short
    select(bytes([0x2A, 2, 0, 0]), "5/26/00")  # can't be changed
    select(new[:2] + b"\x03" + new[3:], "5/26/00")  # raw
    select(new[:4] + b"\x01" + new[5:], "5/26/00")  # raw blocks with subchannels
    select(new, "5/24/00", flags=0)  # vendor's format
    select(new, "5/24/00", flags=0x11)  # to be saved
    select(new, "5/1a/00", length=100)
    select(new, "5/26/00", header=bytes(7) + b"\x08")  # block descriptors
    # Nothing of a list is taken that has one bad page.
    select(bytes([1, 10, 0, 99]).ljust(12, b"\0") + bytes([0x2A, 2, 0, 0]), "5/26/00")
    same(ask(cdb(0x5A, 8, 0x01))[8 + 3], 30, "retries")
    select(bytes([1, 10, 0, 99]).ljust(12, b"\0"))
    same(ask(cdb(0x5A, 8, 0x01))[8 + 3], 99, "retries")
    mmcsim("power-loss", drive)
    ready("6/29/00")
    settle()
    same(ask(cdb(0x5A, 8, 0x05))[8:], old, "page 05 of a drive that was switched on")


def event(classes=0x10):
    return expect("ok", [0x4A, 1, 0, 0, classes, 0, 0, 0, 8, 0], room=8)


def events():
    """Media events are told once; new media not before the disc is ready."""
    fresh("dvd+r", 20000)
    event()
    same(list(event()), [0, 6, 4, 0x56, 0, 2, 0, 0], "no event")
    expect("ok", cdb(0x1E, 0, 0, 0, 1, length=6))
    mmcsim("button", drive)
    same(list(event()[4:6]), [1, 2], "eject request")
    same(event()[4], 0, "event told before")
    expect("ok", cdb(0x1E, length=6))
    mmcsim("button", drive)
    same(list(event()[4:6]), [3, 1], "removal")
    same(word(ask(cdb(0x46)), 6), 0, "profile without a disc")
    ready("2/3a/02")
    expect("2/3a/02", cdb(0x51, 0, 0, 0, 0, 0, 0, 0, 34), room=34)
    same(ask(cdb(0xBD, length=12))[1] & 0x10, 0x10, "door")
    mmcsim("close", drive)
    same(list(event()[4:6]), [0, 2], "event of a disc that isn't ready")
    ready("6/28/00")
    settle()
    same(list(event()[4:6]), [2, 2], "new media")
    same(list(event(0x80)[:3]), [0, 2, 0x80], "class that the drive doesn't know")
    same(list(event(0x50)[2:3]), [4], "the first of two classes")
    expect("5/24/00", [0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8, 0], room=8)


def refusals():
    fresh("dvd-r", 20000)
    for wanted, each in (
            ("5/20/00", cdb(0x4D, 0, 0x3F, 0, 0, 0, 0, 0, 64)),  # LOG SENSE
            ("5/20/00", cdb(0xAB, 1, 0, 0, 0, 0, 0, 0, 0, 4, length=12)),  # READ MEDIA SERIAL NUMBER
            ("5/20/00", cdb(0xEE)),
            ("5/24/00", cdb(0x43, 2, 5, 0, 0, 0, 0, 0, 64)),  # CD-TEXT
            ("5/24/00", cdb(0x46, 3, 0, 0, 0, 0, 0, 0, 64)),
            ("5/24/00", cdb(0x51, 1, 0, 0, 0, 0, 0, 0, 64)),  # track resources are BD's
            ("5/24/00", cdb(0xAC, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, length=12)),
            ("5/6f/01", cdb(0xA4, 0, 0, 0, 0, 0, 0, 0, 0, 64, 1, length=12)),  # a CSS key
            ("5/30/02", cdb(0x44, 0, 0, 0, 0, 0, 0, 0, 8)),  # READ HEADER
            ("5/24/00", cdb(0x25, 0, 0, 0, 0, 1)),
    ):
        expect(wanted, each, room=64)
    region = expect("ok", cdb(0xA4, 0, 0, 0, 0, 0, 0, 0, 0, 8, 8, length=12), room=8)
    same(list(region[4:7]), [0x25, 0xFF, 1], "region")
    expect("ok", cdb(0x54, 1))
    record("dvd-r", 0, True)
    expect("5/30/05", cdb(0x54, 1))


def buffer_and_session_at_once():
    """The buffer fills; DVD-R that was blanked in a minute shows no incremental writing."""
    fresh("dvd-r", 20000)
    page_05(PACKET)
    size = long(ask(cdb(0x5C)), 4)
    same((size, long(ask(cdb(0x5C)), 8)), (2 << 20, 2 << 20), "buffer")
    write(0, 32)
    same(long(ask(cdb(0x5C)), 8), size - 32 * 2048, "room in the buffer")
    sync()
    same(long(ask(cdb(0x5C)), 8), size, "room in the buffer")
    fresh("dvd-rw", 20000)
    record("dvd-rw", 0, True)
    expect("ok", cdb(0xA1, 1, length=12))
    check("dvd-rw", "1f 23 2f")
    page_05(AT_ONCE)
    expect("ok", [0x53, 0, 0, 0, 0] + be(320, 4) + [0])
    write(0, 320)
    sync()
    check("dvd-rw", "10 1f 23 2f")
    same(command(cdb(0x53))[0] != "ok", True, "a second session")


if __name__ == "__main__":
    use_drive()
    fresh("cd-r", 60000)
    for test in (identity, mode_pages, events, refusals, buffer_and_session_at_once, media):
        print(test.__name__, flush=True)
        test()
