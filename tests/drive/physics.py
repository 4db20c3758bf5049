#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Command by command: addresses, closing, gaps, padding, formats, the cache and damage on each simulated medium."""

import struct

from burner import (
    AT_ONCE, be, blank, close, command, disc, drive, expect, fail, form, fresh, mmcsim, no_rules, PACKET,
    page_05, read, read_raw, read_zeroes, ready, reserve, rules, SECTOR, settle, show, sync, track,
    TRACK_AT_ONCE, use_drive, write)


# --- CD ------------------------------------------------------------------------


def cd_by_tracks():
    fresh("cd-r", 60000)
    page_05(PACKET)
    write(0, 16, "5/64/00")  # no packets here
    page_05(TRACK_AT_ONCE, multi=True, mode=0)
    write(0, 16, "5/64/00")  # not a data track
    page_05(TRACK_AT_ONCE, multi=True)
    write(16, 16, "5/21/02")
    write(0, 16)
    write(0, 16, "5/21/02")
    write(16, 400)
    read(0, 416)
    disc(status="incomplete", last_session="incomplete")
    sync()
    track(1, start=0, size=418, state="closed")  # two run-out blocks
    track(2, start=418 + 150, state="invisible")
    read(410, 6)
    read_raw(416, 1, "5/64/00")
    read_raw(568, 1, "5/21/00")
    write(568, 10)  # a second track in the session: at least 300 sectors
    sync()
    track(2, size=302)
    read(568, 10)
    read_zeroes(578, 290)
    close(2)
    disc(status="incomplete", last_session="empty", sessions=2)
    second = 568 + 302 + 11400
    track(3, start=second, session=2, nwa=second)
    read_raw(3000, 1, "5/64/00")  # lead-out
    close(2)  # nothing is open: nothing happens
    disc(sessions=2)
    write(second, 320)
    read(second, 320)
    read_raw(second - 1, 1)  # the pause before it was recorded with it
    close(2)  # without SYNCHRONIZE CACHE: closing does that
    track(3, size=322, state="closed")
    third = second + 322 + 6900
    track(4, start=third, session=3)
    page_05(TRACK_AT_ONCE)
    write(third, 300)
    sync()
    close(2)
    disc(status="complete", last_session="complete", sessions=3, tracks=4)
    write(third + 302 + 150, 16, "5/30/05")
    page_05(TRACK_AT_ONCE, multi=True)
    close(2, wanted="5/30/05")
    read(0, 416)
    read(third, 300)


def cd_full():
    fresh("cd-r", 12000)
    page_05(TRACK_AT_ONCE, multi=True)
    write(0, 11900)
    write(11900, 99, "5/63/00")  # the last two are for the run-out
    write(11900, 98)
    write(11998, 1, "5/63/00")
    sync()
    track(1, size=12000)
    close(2)
    disc(status="complete")  # no room for another session
    read(11000, 998)


def cue(*entries):
    """(track, index, form, lba)"""
    sheet = b""
    for number, index, kind, lba in entries:
        frame = lba + 150
        sheet += bytes([0x41, number, index, kind, 0, frame // 4500, frame // 75 % 60, frame % 75])
    return sheet


def send_cue(sheet, wanted="ok"):
    expect(wanted, [0x5D, 0, 0, 0, 0, 0] + be(len(sheet), 3) + [0], send=sheet)


def cd_at_once():
    good = cue((0, 0, 0x14, -150), (1, 0, 0x10, -150), (1, 1, 0x10, 0), (2, 0, 0x10, 600), (2, 1, 0x10, 750),
               (0xAA, 1, 0x14, 1100))
    fresh("cd-rw", 60000)
    page_05(TRACK_AT_ONCE)
    send_cue(good, "5/2c/00")
    page_05(AT_ONCE, multi=True)
    write(-150, 16, "5/2c/00")  # no cue sheet
    send_cue(cue((1, 0, 0x10, -150), (1, 1, 0x10, 0), (0xAA, 1, 0x14, 1000)), "5/26/02")  # no lead-in
    send_cue(cue((0, 0, 0x14, -150), (1, 0, 0x10, -150), (1, 1, 0x10, 0)), "5/26/02")  # no lead-out
    send_cue(cue((0, 0, 0x14, -150), (1, 0, 0x10, -150), (1, 1, 0x10, 0), (0xAA, 1, 0x14, 60001)), "5/26/02")
    send_cue(cue((0, 0, 0x14, -150), (1, 0, 0x10, -150), (1, 1, 0x10, 0), (0xAA, 1, 0x14, 200)), "5/26/02")
    send_cue(good)
    write(0, 16, "5/21/02")
    write(-150, 150)
    write(-150, 150, "5/21/02")
    write(0, 1000)
    read_raw(0, 1, "5/2c/00")  # not while it's being written
    write(1000, 101, "5/21/02")  # beyond the lead-out
    write(1000, 100)
    sync()
    disc(status="incomplete", last_session="empty", sessions=2, tracks=3)
    track(1, start=0, size=600)
    track(2, start=750, size=350, session=1)
    track(3, start=1100 + 11400, session=2)
    read(0, 1100)
    # A writer that gives up leaves a damaged track; closing its session is all that can be done.
    begin = 1100 + 11400
    send_cue(cue((0, 0, 0x14, begin - 150), (3, 0, 0x10, begin - 150), (3, 1, 0x10, begin), (0xAA, 1, 0x14, begin + 900)))
    write(begin - 150, 150)
    write(begin, 400)
    expect("ok", [0x1B, 0, 0, 0, 1, 0])
    track(3, state="damaged", start=begin)
    page_05(TRACK_AT_ONCE, multi=True)
    write(begin + 400, 16, "5/72/03")
    close(2)
    track(3, state="closed", size=402)
    disc(last_session="empty", sessions=3)
    read(begin, 400)


def cd_blanking():
    fresh("cd-r", 60000)
    blank(0, wanted="5/30/05")
    fresh("cd-rw", 60000)
    page_05(TRACK_AT_ONCE, multi=True)
    write(0, 320)
    close(2)
    write(322 + 11400, 320)
    close(2)
    for kind in 2, 3, 4, 5, 6:
        blank(kind, wanted="5/24/00")
    read(0, 320)
    blank(1)
    disc(status="empty", sessions=1)
    read_raw(0, 1, "5/21/00")
    write(0, 320, who=b"b")
    read(0, 320, who=b"b")


def dummy():
    """Test writing: addresses as always, and nothing happens."""
    for kind, page in (("cd-r", dict(kind=TRACK_AT_ONCE)), ("dvd-r", dict(kind=PACKET, mode=5))):
        fresh(kind, 60000)
        page_05(multi=True, test=True, **page)
        write(16, 16, "5/21/02")
        write(0, 16)
        write(0, 16, "5/21/02")
        write(16, 16)
        sync()
        close(2)
        disc(status="empty", writes=0)
        page_05(multi=True, **page)
        write(0, 320)
        read(0, 320)


# --- DVD-R, DVD-RW -------------------------------------------------------------


def dvd_r():
    fresh("dvd-r", 80000)
    page_05(TRACK_AT_ONCE)
    write(0, 16, "5/64/00")
    page_05(PACKET, multi=True, mode=5)
    write(0, 20)
    sync()
    track(1, nwa=32, state="open")  # the drive fills the ECC block
    read(0, 20)
    read_zeroes(20, 12)
    write(20, 12, "5/21/02")
    write(32, 16)
    close(1, 2, "5/24/00")
    close(2, wanted="5/72/03")
    close(1, 1)
    track(1, size=48, state="closed")
    track(2, start=48, state="invisible", session=1)
    close(1, 2)  # nothing in it, and nothing happens
    track(2, state="invisible")
    close(2)
    disc(sessions=2, last_session="empty")
    second = 48 + 24576
    track(2, start=second, session=2)
    write(second, 16)
    close(1, 2)
    close(2)
    third = second + 16 + 6144
    track(3, start=third)
    close(5, wanted="5/24/00")
    page_05(PACKET, mode=5)
    write(third, 16)
    close(1, 3)
    close(2)
    disc(status="complete", sessions=3)
    write(third + 16, 16, "5/30/05")
    for lba in (0, second, third):
        read(lba, 16)


def dvd_r_at_once():
    fresh("dvd-r", 80000)
    page_05(AT_ONCE, mode=5)
    write(0, 16, "5/2c/00")  # RESERVE TRACK must tell the size
    reserve(0, "5/21/00")
    reserve(80001, "5/21/00")
    reserve(1000)
    reserve(1000, "5/72/05")
    write(0, 600)
    sync()
    disc(status="incomplete")
    write(600, 300)
    write(900, 101, "5/63/00")
    write(900, 100)
    sync()
    disc(status="complete", sessions=1)
    track(1, size=1000)
    read(0, 1000)
    # Given up in the middle.
    fresh("dvd-r", 80000)
    reserve(1000)
    write(0, 600)
    expect("ok", [0x1B, 0, 0, 0, 1, 0])
    track(1, state="damaged")
    disc(last_session="damaged")
    page_05(PACKET, multi=True, mode=5)
    write(600, 16, "5/72/03")
    close(2, wanted="5/72/03")
    close(1, 1)
    close(2)
    disc(last_session="empty", sessions=2)
    read(0, 600)


def dvd_rw():
    fresh("dvd-rw", 80000)
    page_05(PACKET, multi=True, mode=5)
    write(0, 32)
    close(1, 1)
    close(2)
    blank(1)  # minimal: from now on only at once
    disc(status="empty", profile="0x14")
    write(0, 16, "5/64/00")
    reserve(100, "5/64/00")
    page_05(AT_ONCE, multi=True, mode=5)
    reserve(96)
    write(0, 96, who=b"b")
    sync()
    read(0, 96, who=b"b")
    blank(0)
    page_05(PACKET, multi=True, mode=5)
    # Restricted overwrite: whole ECC blocks, which grow while the border is open.
    form(0x15, 0)
    disc(profile="0x13", formatted=0)
    write(16, 16, "5/21/02")
    write(0, 16)
    write(16, 32)
    write(20, 16, "5/21/02")
    write(16, 20, "5/24/00")
    write(0, 16, who=b"b")
    read(0, 16, who=b"b")
    read_raw(48, 16, "5/21/00")
    close(2)
    write(48, 16, "5/21/00")
    form(0x13, 0)
    write(48, 16)
    close(2)
    disc(formatted=64)
    form(0x00, 80000)
    disc(formatted=80000)
    read_zeroes(79984, 16)
    blank(0)
    disc(profile="0x14", status="empty")


def dvd_r_dl():
    fresh("dvd-r-dl", 80000)
    page_05(PACKET, multi=True, mode=5)
    write(0, 16)
    close(1, 1)
    close(2)
    disc(status="complete", sessions=1)  # one session, whatever the page says


# --- DVD+R, BD-R ---------------------------------------------------------------


def dvd_plus_r():
    fresh("dvd+r", 80000)
    write(16, 16, "5/21/02")
    reserve(100)  # 112 with whole ECC blocks
    track(1, size=112, state="reserved")
    track(2, start=112, state="invisible", session=1)
    write(0, 32)
    write(32, 96, "5/63/00")
    close(2, wanted="5/72/03")
    write(112, 20)  # another fragment at the same time
    sync()
    track(2, nwa=144)
    write(32, 16)
    close(1, 1)  # filled up with zeroes
    track(1, state="closed", size=112)
    read(0, 48)
    read_zeroes(48, 64)
    close(3, wanted="5/24/00")
    close(2, wanted="5/72/03")
    close(1, 2)
    close(2)
    disc(sessions=2, tracks=2)  # the session's fragments became one track
    track(1, start=0, size=144)
    second = 144 + 2048
    track(2, start=second)
    read_raw(1000, 1, "8/00/00")
    reserve(second + 64, by_address=True)
    track(2, size=64)
    write(second, 64)
    close(2)
    close(6)
    disc(status="complete", sessions=2)
    fresh("dvd+r", 80000)
    reserve(64)
    close(1, 1)  # reserved and blank: it is filled
    track(1, state="closed", size=64)
    read_zeroes(0, 64)
    fresh("dvd+r", 80000)
    close(6, wanted="5/72/04")
    write(0, 16)
    close(1, 1)
    close(5)
    disc(status="complete", sessions=1)


def bd_r():
    fresh("bd-r", 64000)
    write(0, 32)  # formats it by itself, without spare area
    close(1, 1)
    close(2)
    track(2, start=32, session=2)  # no gap
    form(0x00, 0, sub=1, wanted="5/30/05")
    write(32, 40)
    sync()
    track(2, nwa=96)
    write(32, 32, "5/21/02")  # no pseudo-overwrite
    read(32, 40)
    close(2)
    close(5, wanted="5/24/00")
    close(6)
    disc(status="complete", sessions=2)
    fresh("bd-r", 64000)
    form(0x32, 60000, sub=0, wanted="5/26/00")  # with pseudo-overwrite
    form(0x00, 0, sub=1)
    disc(status="incomplete", last_session="empty", sessions=1)
    now, tracks = show()
    if int(now["spare"]) == 0 or int(tracks[1]["size"]) != 64000 - int(now["spare"]):
        fail("the spare area isn't taken off")
    write(0, 32)
    read(0, 32)
    write(32, 32, op=0x2E)  # WRITE AND VERIFY
    disc(cached=0)


# --- overwriteable media -------------------------------------------------------


def dvd_plus_rw():
    fresh("dvd+rw", 80000)
    write(0, 16, "3/31/00")
    form(0x26, 0xFFFFFFFF)
    write(100, 3)  # any sectors
    read(100, 3)
    read_zeroes(0, 100)
    read_raw(112, 1, "5/21/00")
    write(101, 1, who=b"b")
    read(101, 1, who=b"b")
    read(102, 1)
    close(2)  # stops formatting where it is
    disc(formatted=112)
    write(112, 1, "5/21/00")
    form(0x26, 0xFFFFFFFF)
    write(112, 1)
    sync()
    for _ in range(70):  # with nothing else to do it goes on formatting
        ready()
    disc(formatted=80000)
    read_zeroes(79999, 1)
    blank(0, wanted="5/30/05")
    close(1, 1, "5/24/00")


def others():
    fresh("dvd-ram", 80000)
    write(70000, 3)
    read(70000, 3)
    write(79999, 1, "5/21/00")  # the spare area
    form(0x00, 80000)
    write(79999, 1)
    fresh("bd-re", 64000)
    write(0, 16, "3/31/00")
    form(0x31, 0)
    disc(formatted=64000)
    write(63999, 1)
    form(0x30, 0)
    now, _ = show()
    if not 50000 < int(now["formatted"]) < 64000:
        fail("no spare area")
    write(5, 1, op=0x2E)
    read(5, 1)
    write(63999, 1, "5/21/00")
    close(2, wanted="5/24/00")


# --- the drive -----------------------------------------------------------------


def cache():
    fresh("dvd+rw", 80000)
    form(0x26, 0xFFFFFFFF)
    write(0, 64)
    sync()
    write(0, 64, who=b"b")
    read(0, 64, who=b"b")  # from the cache
    disc(cached=64)
    mmcsim("power-loss", drive)
    ready("6/29/00")
    settle()
    read_raw(0, 1, "3/11/05")  # where the laser was
    read(16, 48)
    write(0, 16, who=b"b")
    sync()
    read(0, 16, who=b"b")
    # Write-once: the track ends there, and must be closed.
    for kind, page, ecc in (("cd-r", TRACK_AT_ONCE, 1), ("dvd-r", PACKET, 16), ("dvd+r", None, 16), ("bd-r", None, 32)):
        fresh(kind, 60000)
        if page is not None:
            page_05(page, multi=True, mode=4 + (page == PACKET))
        write(0, 3200)
        now, tracks = show()
        if int(tracks[1]["nwa"]) != 3200 or int(now["cached"]) == 0:
            fail("what is in the cache doesn't count as written")
        kept = 3200 - int(now["cached"])
        mmcsim("power-loss", drive)
        settle()
        track(1, state="damaged", nwa=kept + (ecc if ecc > 1 else 0))
        if page is not None:
            page_05(page, multi=True, mode=4 + (page == PACKET))
        write(kept, 32, "5/72/03")
        if kind != "cd-r":
            close(2, wanted="5/72/03")
            close(1, 1)
        close(2)
        disc(last_session="empty", sessions=2)
        read(0, kept)
        if ecc > 1:
            read_raw(kept, 1, "3/11/05")
        _, tracks = show()
        write(int(tracks[2]["nwa"]), 320)


def errors():
    for kind, state in (("cd-r", "open"), ("bd-r", "open"), ("dvd+r", "damaged")):
        fresh(kind, 60000)
        page_05(TRACK_AT_ONCE, multi=True)
        write(0, 320)
        rules("writing lba=100 sense=3/0c/00")
        sync("3/0c/00")
        no_rules()
        track(1, state=state)
        read(0, 96)
        read_raw(100, 1, "3/11/05")
        if state == "damaged":
            close(1, 1)
        close(2)
        disc(sessions=2)
    # A session at once can't be gone on with.
    fresh("cd-r", 60000)
    page_05(AT_ONCE, multi=True)
    send_cue(cue((0, 0, 0x14, -150), (1, 0, 0x10, -150), (1, 1, 0x10, 0), (0xAA, 1, 0x14, 2000)))
    write(-150, 150)
    write(0, 900)
    rules("writing lba=100 sense=3/0c/00")
    write(900, 160, "3/0c/00")
    no_rules()
    track(1, state="damaged", nwa=101)
    write(1060, 160, "5/2c/00")
    close(2)
    disc(sessions=2)
    read(0, 100)
    fresh("bd-r", 60000)
    write(0, 320)
    rules("writing lba=100 sense=3/0c/00 deferred")
    sync()
    no_rules()
    ready("3/0c/00 deferred")
    ready()
    fresh("dvd+rw", 60000)
    form(0x26, 0xFFFFFFFF)
    write(0, 320)
    sync()
    rules("reading lba=100 sense=3/11/05")
    data = expect("3/11/05", [0x28, 0, 0, 0, 0, 96, 0, 0, 16, 0], room=16 * SECTOR)
    if data[0] & 0x80 == 0 or struct.unpack(">I", data[3:7])[0] != 100:
        fail("the address of a read error isn't told")
    no_rules()
    rules("op=0x5b/2 sense=5/72/01")
    fresh("dvd+r", 60000)
    write(0, 16)
    close(1, 1)
    close(2, wanted="5/72/01")
    disc(last_session="incomplete")
    close(2)
    disc(last_session="empty", sessions=2)
    no_rules()


def tray():
    fresh("dvd+r", 60000)
    expect("ok", [0x1E, 0, 0, 0, 1, 0])
    expect("5/53/02", [0x1B, 0, 0, 0, 2, 0])
    write(0, 20)
    expect("ok", [0x1E, 0, 0, 0, 0, 0])
    expect("ok", [0x1B, 0, 0, 0, 2, 0])
    ready("2/3a/02")
    read_raw(0, 1, "2/3a/02")
    expect("ok", [0x1B, 1, 0, 0, 3, 0])  # Immed: it gets ready later
    ready("6/28/00")
    ready("2/04/01")
    settle()
    read(0, 20)  # the cache went out before the tray
    track(1, nwa=32, state="open")
    mmcsim("remove", drive)
    ready("2/3a/02")
    expect("ok", [0x1B, 0, 0, 0, 3, 0])
    ready("2/3a/01")


def immediate():
    fresh("bd-re", 64000)
    form(0x00, 0, flags=2)
    told = []
    while True:
        said, sense = command([0] * 6)
        if said == "ok":
            break
        if said != "2/04/04" or not sense[15] & 0x80:
            fail(f"formatting: {said}")
        told.append(struct.unpack(">H", sense[16:18])[0])
    if len(told) < 2 or told != sorted(set(told)):
        fail(f"formatting doesn't go on: {told}")


if __name__ == "__main__":
    use_drive()
    for test in (cd_by_tracks, cd_full, cd_at_once, cd_blanking, dummy, dvd_r, dvd_r_at_once, dvd_rw, dvd_r_dl,
                 dvd_plus_r, bd_r, dvd_plus_rw, others, cache, errors, tray, immediate):
        print(test.__name__, flush=True)
        test()
