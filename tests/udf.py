#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDF images for the tests, and lists of what they hold.

udf.py list DIR [--seconds]      a tree, one file a line, sorted by path: type, mode, uid, gid, links (- of directories),
                                 size (0 of directories), mtime, SHA-256, path, symlink target
udf.py stored TSV [--seconds]    a list beside tests/images/ in the same form
udf.py left-open IMAGE           marks the integrity of the logical volume as open
udf.py make KIND IMAGE DIR       an image made here, since no program for Linux makes such: see KINDS.
                                 What it shall show is written as a tree below DIR
"""
import hashlib
import os
import stat
import struct
import sys

SECTOR = 2048
TYPES = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}


# ---- lists ----

def escaped(name):
    return "".join("\\%03o" % b if b < 0x20 or b == 0x5c else chr(b) for b in name)


def mtime_of(ns, seconds):
    return "%d" % (ns // 10**9) if seconds else "%d.%09d" % divmod(ns, 10**9)


def list_tree(top, seconds):
    lines = []
    top = os.fsencode(top)
    for place, dirs, files in os.walk(top):
        for path in [place] + [os.path.join(place, name) for name in files + dirs]:
            if path != place or place == top:
                lines.append(list_file(path, b"." + path[len(top):], seconds))
    return lines


def list_file(path, shown, seconds):
    st = os.lstat(path)
    kind = TYPES[stat.S_IFMT(st.st_mode)]
    digest = "-"
    if kind == "f":
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    target = escaped(os.readlink(path)) if kind == "l" else ""
    return "\t".join([kind, "%04o" % stat.S_IMODE(st.st_mode), str(st.st_uid), str(st.st_gid),
                      "-" if kind == "d" else str(st.st_nlink), "0" if kind == "d" else str(st.st_size),
                      mtime_of(st.st_mtime_ns, seconds), digest, escaped(shown), target])


def list_stored(path, seconds):
    lines = []
    with open(path, encoding="latin-1") as file:
        for line in file:
            words = line.rstrip("\n").split("\t") + [""]
            kind, mode, uid, gid, links, size, mtime, digest, _, name, target = words[:11]
            whole, _, fraction = mtime.partition(".")
            ns = int(whole) * 10**9 + int(fraction.ljust(9, "0") or 0)
            lines.append("\t".join([kind, mode, uid, gid, "-" if kind == "d" else links, size,
                                    mtime_of(ns, seconds), digest, name, target]))
    return lines


# ---- descriptors ----

def crc(data):
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xffff
    return value


def tagged(ident, location, body):
    """A descriptor with its tag; body: what follows it."""
    tag = bytearray(struct.pack("<HHBBHHHI", ident, 3, 0, 0, 1, crc(body), len(body), location))
    tag[4] = sum(tag) & 0xff
    return bytes(tag) + body


def left_open(path):
    with open(path, "r+b") as file:
        image = file.read()
        main = struct.unpack_from("<I", image, 256 * SECTOR + 20)[0]
        for block in range(main, main + 16):
            at = block * SECTOR
            if struct.unpack_from("<H", image, at)[0] == 6:
                place = struct.unpack_from("<I", image, at + 436)[0]
        at = place * SECTOR
        ident, length = struct.unpack_from("<H8xH", image, at)
        assert ident == 9
        body = bytearray(image[at + 16:at + 16 + length])
        struct.pack_into("<I", body, 28 - 16, 0)
        file.seek(at)
        file.write(tagged(9, place, bytes(body)))


def entity(name, suffix=b""):
    return b"\0" + name.encode().ljust(23, b"\0") + suffix.ljust(8, b"\0")


def dstring(text, size):
    recorded = b"\x08" + text.encode("latin-1")
    return recorded.ljust(size - 1, b"\0") + bytes([len(recorded)])


def name_of(text):
    try:
        return b"\x08" + text.encode("latin-1")
    except UnicodeEncodeError:
        return b"\x10" + text.encode("utf-16-be")


CHARSET = b"\0" + b"OSTA Compressed Unicode".ljust(63, b"\0")
WHEN = struct.pack("<HHBBBBBBBB", 0x1000 | 120, 2021, 3, 4, 7, 6, 7, 12, 34, 56)  # 05:06:07.123456 UTC
WHEN_NS = 1614834367123456000
REVISION = {"plain": 0x201, "metadata": 0x250, "pieces": 0x260}


class Volume:
    """Blocks of a partition that begins at START; metadata are in a partition of their own, made of two pieces of it
    unless kind says otherwise."""
    START = 300
    BLOCKS = 4000
    META = 400  # blocks of metadata
    BITMAP = 990

    def __init__(self, kind):
        self.kind = kind
        self.blocks = {}
        self.meta = 0
        self.data = 1000
        self.unique = 16

    def meta_place(self, block):
        """Block of the partition where a block of metadata is."""
        if self.kind == "plain":
            return block
        if self.kind == "pieces":
            return 100 + block if block < 150 else 900 + block
        return 100 + block

    def take_meta(self, count=1):
        self.meta += count
        assert self.meta < self.META
        return self.meta - count

    def put_meta(self, block, data):
        for i in range(0, len(data), SECTOR):
            self.blocks[self.meta_place(block + i // SECTOR)] = data[i:i + SECTOR].ljust(SECTOR, b"\0")

    def put_data(self, data):
        """Returns the block of the partition."""
        at = self.data
        for i in range(0, len(data), SECTOR):
            self.blocks[self.data] = data[i:i + SECTOR].ljust(SECTOR, b"\0")
            self.data += 1
        self.data += 1
        return at

    @property
    def meta_map(self):
        return 0 if self.kind == "plain" else 1

    def long_ad(self, length, block, partition, unique=0):
        return struct.pack("<IIHHI", length, block, partition, 0, unique)

    def entry(self, block, file_type, size, body, ads, mode=0o644, links=1, attributes=b"", owner=(1000, 100), flags=0):
        """Extended file entry; ads: 0 short, 1 long, 3 the content itself."""
        permissions = (mode & 7) | (mode >> 3 & 7) << 5 | (mode >> 6 & 7) << 10
        flags |= ads | (mode & 0o4000) >> 5 | (mode & 0o2000) >> 3 | (mode & 0o1000) >> 1
        flags &= 0xffff
        icb = struct.pack("<IHHHBBIHH", 0, 4, 0, 1, 0, file_type, 0, 0, flags)
        self.unique += 1
        data = icb + struct.pack("<IIIHBBI", owner[0], owner[1], permissions, links, 0, 0, 0)
        data += struct.pack("<QQQ", size, size, 0) + WHEN * 4 + struct.pack("<II", 1, 0) + bytes(32)
        data += entity("*discfs test") + struct.pack("<QII", self.unique, len(attributes), len(body))
        self.put_meta(block, tagged(266, block, data + attributes + body))

    def fid(self, block, name, icb, characteristics=0):
        recorded = name_of(name) if name else b""
        body = struct.pack("<HBB", 1, characteristics, len(recorded))
        body += self.long_ad(SECTOR, icb, self.meta_map) + struct.pack("<H", 0) + recorded
        body += b"\0" * (-(len(body) + 16) % 4)
        return tagged(257, block, body)

    def directory(self, block, parent, entries, mode=0o755):
        """entries: of (name, block of its entry, characteristics)."""
        content = self.fid(block, "", parent, 0x0a)
        at = self.take_meta()  # so that the two pieces of its content aren't neighbours
        first = None
        for name, icb, characteristics in entries:
            content += self.fid(block, name, icb, characteristics)
        blocks = -(-len(content) // SECTOR)
        first = self.take_meta()
        ads = self.long_ad(min(len(content), SECTOR), first, self.meta_map)
        self.put_meta(first, content[:SECTOR])
        if blocks > 1:
            self.take_meta()
            rest = self.take_meta(blocks - 1)
            self.put_meta(rest, content[SECTOR:])
            ads += self.long_ad(len(content) - SECTOR, rest, self.meta_map)
        self.entry(block, 4, len(content), ads, 1, mode=mode, links=2)
        return at

    def file(self, data, **how):
        block = self.take_meta()
        ads = self.long_ad(len(data), self.put_data(data), 0) if data else b""
        self.entry(block, 5, len(data), ads, 1, **how)
        return block

    def inline(self, data, file_type=5, **how):
        block = self.take_meta()
        self.entry(block, file_type, len(data), data, 3, **how)
        return block

    def scattered(self, pieces):
        """A file whose pieces (a sector each; None: not recorded) lie apart, so many that their descriptors need a
        chain of allocation extents."""
        block = self.take_meta()
        ads = []
        for piece in pieces:
            ads.append(struct.pack("<IIHHI", SECTOR | 2 << 30, 0, 0, 0, 0) if piece is None
                       else self.long_ad(len(piece), self.put_data(piece), 0))
        size = sum(len(piece) if piece else SECTOR for piece in pieces)
        room = 100
        first, rest = ads[:room], ads[room:]
        chain = b""
        if rest:
            areas = [rest[i:i + 110] for i in range(0, len(rest), 110)]
            places = [self.take_meta() for _ in areas]
            chain = struct.pack("<IIHHI", SECTOR | 3 << 30, places[0], self.meta_map, 0, 0)
            for i, area in enumerate(areas):
                body = b"".join(area)
                if i + 1 < len(areas):
                    body += struct.pack("<IIHHI", SECTOR | 3 << 30, places[i + 1], self.meta_map, 0, 0)
                self.put_meta(places[i], tagged(258, places[i], struct.pack("<II", 0, len(body)) + body))
        self.entry(block, 5, size, b"".join(first) + chain, 1)
        return block

    # -- what leads to it --

    def maps(self):
        plain = struct.pack("<BBHH", 1, 6, 1, 0)
        if self.kind == "plain":
            return [plain]
        suffix = struct.pack("<H", REVISION[self.kind])
        second = struct.pack("<BBH", 2, 64, 0) + entity("*UDF Metadata Partition", suffix)
        second += struct.pack("<HHIIIIHB5x", 1, 0, 10, 11, 0xffffffff, 32, 1, 0)
        return [plain, second]

    def metadata_files(self):
        for block, kind in ((10, 250), (11, 251)):
            if self.kind == "pieces":
                ads = [(150, 100), (self.META - 150, 1050)]
            else:
                ads = [(self.META, 100)]
            body = b"".join(struct.pack("<II", count * SECTOR, at) for count, at in ads)
            icb = struct.pack("<IHHHBBIHH", 0, 4, 0, 1, 0, kind, 0, 0, 0)
            size = self.META * SECTOR
            data = icb + struct.pack("<IIIHBBI", 0xffffffff, 0xffffffff, 0, 0, 0, 0, 0)
            data += struct.pack("<QQQ", size, size, self.META) + WHEN * 4 + struct.pack("<II", 1, 0) + bytes(32)
            data += entity("*discfs test") + struct.pack("<QII", 0, 0, len(body)) + body
            self.blocks[block] = tagged(266, block, data).ljust(SECTOR, b"\0")

    def sequence(self, at):
        domain = entity("*OSTA UDF Compliant", struct.pack("<HB", REVISION[self.kind], 0))
        maps = self.maps()
        primary = struct.pack("<II", 1, 0) + dstring("MADE " + self.kind, 32) + struct.pack("<HHHHII", 1, 1, 2, 2, 1, 1)
        primary += dstring("0123456789abcdefset", 128) + CHARSET * 2 + bytes(16) + entity("*discfs test") + WHEN
        primary += entity("*discfs test") + bytes(64) + struct.pack("<IH22x", 0, 1)
        partition = struct.pack("<IHH", 2, 1, 0) + b"\x02" + b"+NSR03".ljust(31, b"\0")
        partition += bytes(8) + struct.pack("<II", SECTOR, self.BITMAP) + bytes(112)
        partition += struct.pack("<III", 1, self.START, self.BLOCKS) + entity("*discfs test") + bytes(128 + 156)
        logical = struct.pack("<I", 3) + CHARSET + dstring("MADE " + self.kind, 128) + struct.pack("<I", SECTOR) + domain
        logical += self.long_ad(SECTOR, 0, self.meta_map) + struct.pack("<II", sum(map(len, maps)), len(maps))
        logical += entity("*discfs test") + bytes(128) + struct.pack("<II", 2 * SECTOR, 64) + b"".join(maps)
        space = struct.pack("<II", 4, 0)
        bodies = [(1, primary), (5, partition), (6, logical), (7, space), (8, bytes(496))]
        return b"".join(tagged(ident, at + i, body).ljust(SECTOR, b"\0") for i, (ident, body) in enumerate(bodies))

    def write(self, path, root):
        domain = entity("*OSTA UDF Compliant", struct.pack("<HB", REVISION[self.kind], 0))
        files = WHEN + struct.pack("<HHIIII", 3, 3, 1, 1, 0, 0) + CHARSET + dstring("MADE", 128) + CHARSET
        files += dstring("SET", 32) + bytes(64) + self.long_ad(SECTOR, root, self.meta_map) + domain + bytes(16 + 16 + 32)
        self.put_meta(0, tagged(256, 0, files))
        if self.kind != "plain":
            self.metadata_files()
        # a bit for each block, set where it's free; what is used at all is at the begin
        used = max(max(self.blocks) + 1, self.BITMAP + 1, 1050 + self.META)
        bitmap = bytearray(b"\xff" * (self.BLOCKS // 8))
        for block in range(used):
            bitmap[block // 8] &= ~(1 << block % 8)
        self.blocks[self.BITMAP] = tagged(264, self.BITMAP, struct.pack("<II", self.BLOCKS, len(bitmap)) + bitmap)
        integrity = WHEN + struct.pack("<III", 1, 0, 0) + struct.pack("<Q24x", 1000)
        integrity += struct.pack("<II", len(self.maps()), 46)
        integrity += b"\xff\xff\xff\xff" * len(self.maps()) + struct.pack("<I", self.BLOCKS) * len(self.maps())
        integrity += entity("*discfs test") + struct.pack("<IIHHH", 1, 1, 0x102, REVISION[self.kind], REVISION[self.kind])
        anchor = struct.pack("<IIII", 16 * SECTOR, 32, 16 * SECTOR, 48) + bytes(480)
        with open(path, "wb") as file:
            def put(block, data):
                file.seek(block * SECTOR)
                file.write(data)
            for i, ident in enumerate((b"BEA01", b"NSR03", b"TEA01")):
                put(16 + i, b"\0" + ident + b"\x01")
            put(32, self.sequence(32))
            put(48, self.sequence(48))
            put(64, tagged(9, 64, integrity))
            put(65, tagged(8, 65, bytes(496)))
            put(256, tagged(2, 256, anchor))
            for block, data in self.blocks.items():
                put(self.START + block, data)
            last = self.START + self.BLOCKS
            put(last, tagged(2, last, anchor).ljust(SECTOR, b"\0"))


def noise(seed, size):
    data = b""
    while len(data) < size:
        data += hashlib.sha256(b"%d %d" % (seed, len(data))).digest()
    return data[:size]


def component(kind, name=""):
    recorded = name_of(name) if name else b""
    return struct.pack("<BBH", kind, len(recorded), 0) + recorded


def make(kind, image, top):
    """KINDS: plain (2.01), metadata (2.50: a metadata partition and its mirror), pieces (2.60: that in two pieces)."""
    volume = Volume(kind)
    os.makedirs(top + "/sub/deeper")
    assert volume.take_meta() == 0  # the file set
    root, sub, deeper = (volume.take_meta() for _ in range(3))

    def show(path, data, mode=0o644, owner=(1000, 100)):
        with open(os.path.join(top, path), "wb") as file:
            file.write(data)
        os.chown(os.path.join(top, path), *owner)
        os.chmod(os.path.join(top, path), mode)

    entries, below = [], []
    content = {"whole": noise(1, 5000), "empty": b"", "exact": noise(2, 4096), "setuid": noise(3, 10)}
    for name, data in content.items():
        mode = 0o4751 if name == "setuid" else 0o644
        entries.append((name, volume.file(data, mode=mode), 0))
        show(name, data, mode)
    entries.append(("inside", volume.inline(b"in its entry"), 0))
    show("inside", b"in its entry")
    both = volume.file(b"two names", links=2)
    entries += [("one", both, 0), ("hidden", volume.file(b"shown all the same"), 1), ("deleted", both, 4)]
    below.append(("two", both, 0))
    show("one", b"two names")
    os.link(top + "/one", top + "/sub/two")
    show("hidden", b"shown all the same")
    pieces = [None if i % 50 == 7 else noise(100 + i, SECTOR) for i in range(450)] + [noise(99, 777)]
    entries.append(("scattered", volume.scattered(pieces), 0))
    show("scattered", b"".join(piece or bytes(SECTOR) for piece in pieces))
    if kind != "pieces":  # 7-Zip refuses discs with symbolic links
        target = component(5, "sub") + component(3) + component(4) + component(5, "whole")
        entries.append(("link", volume.inline(target, 12, mode=0o777), 0))
        os.symlink("sub/.././whole", top + "/link")
        os.chown(top + "/link", 1000, 100, follow_symlinks=False)
    for i in range(60):
        name = "日本語の長い名前 %02d 😀 %s" % (i, "x" * (i % 23))
        below.append((name, volume.inline(b"%d\n" % i), 0))
        show("sub/" + name, b"%d\n" % i)
    volume.directory(deeper, sub, [("nobody's", volume.inline(b"?", owner=(0xffffffff, 0xffffffff), mode=0o444), 0)])
    show("sub/deeper/nobody's", b"?", 0o644, (os.geteuid(), os.getegid()))
    below.append(("deeper", deeper, 2))
    entries.append(("sub", sub, 2))
    volume.directory(sub, root, below)
    volume.directory(root, root, entries)
    volume.write(image, root)
    for place, dirs, files in os.walk(top, topdown=False):
        for name in files + ["."]:
            os.utime(os.path.join(place, name), ns=(WHEN_NS, WHEN_NS), follow_symlinks=False)
        os.chown(place, 1000, 100)


def main(words):
    seconds = "--seconds" in words
    words = [word for word in words if word != "--seconds"]
    if words[0] in ("list", "stored"):
        lines = (list_tree if words[0] == "list" else list_stored)(words[1], seconds)
        with open(sys.stdout.fileno(), "w", encoding="latin-1") as out:
            out.write("".join(line + "\n" for line in sorted(lines, key=lambda line: line.split("\t")[8])))
    elif words[0] == "left-open":
        left_open(words[1])
    elif words[0] == "make":
        make(*words[1:])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
