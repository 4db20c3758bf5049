# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a reader doesn't show what was committed: each row with the reason, of the format or of the reader, and with a test
that is as narrow as the reason. What no row explains is a failure."""
import hashlib
import re
import unicodedata

from views import Limit, joliet_name

BEGIN_2038 = 2**31
TWICE = {hashlib.sha256(text).hexdigest() for text in (b"deep\n", b"of session 1\n")}  # what several files hold


def seconds(ns):
    return ns // 10**9


def same_second(d):
    return d.found == seconds(d.expected) * 10**9


def same_micro(d):
    return d.found == d.expected // 1000 * 1000


def same_day(d):
    return d.found == seconds(d.expected) // 86400 * 86400 * 10**9


def wrapped(d):
    """As if the seconds were a signed number of 32 bits."""
    return seconds(d.expected) >= BEGIN_2038 and seconds(d.found) == (seconds(d.expected) + 2**31) % 2**32 - 2**31


def last(path):
    return path.rsplit(b"/", 1)[-1]


def text_of(name):
    return name.decode(errors="replace")


def joliet_like(d):
    """Cut, or with _ where Joliet can't have the character."""
    wanted, found = text_of(joliet_name(d.expected)), text_of(d.found)
    if len(wanted.encode("utf-16-le")) > 64 * 2:
        return found[:20] == wanted[:20] and len(found.encode("utf-16-le")) <= 104 * 2
    if "\ufffd" in text_of(d.expected):
        return found.rstrip("_") == wanted.rstrip("_")
    return found == wanted


def plain_like(d):
    name = re.sub(rb"\.?(;1)?$", b"", d.found)
    return bool(re.fullmatch(rb"[A-Z0-9_]*(\.[A-Z0-9_]*)?", name.upper())) and len(name) <= 31


def udf_like(d):
    """Cut, or with _ for what isn't text, and then with a sum of the whole name."""
    wanted, found = text_of(d.expected), text_of(d.found)
    units = len(wanted.encode("utf-16-le")) // 2
    fits = units <= 254 if all(letter <= "\xff" for letter in wanted) else units <= 127
    if fits and "\ufffd" not in wanted:
        return False
    stem = re.sub(r"#[0-9A-F]{4}(\..{1,5})?$", "", found)
    return stem != found and wanted.replace("\ufffd", "_").startswith(stem)


def dots_cut(d):
    return d.found == joliet_name(d.expected).rstrip(b".")


def not_latin1(path):
    try:
        path.decode().encode("latin-1")
        return not path.isascii()
    except UnicodeError:
        return True


def among_case_twins(d):
    return d.path.split(b"/")[-2].lower() in (b"case", b"renamed", b"dir")


LINUX = "linux/(rr|cd|session)"
LINUX_ALL = "linux/(rr|cd|session|joliet|plain|old)"

LIMITS = [
    # -- the formats --
    Limit("whole seconds", "ISO 9660, Rock Ridge and Joliet have whole seconds.", ".*/(rr|joliet|plain|cd|session|old)", "mtime",
          same_second, everywhere=True),
    Limit("microseconds", "UDF has microseconds.", ".*/udf(-old)?", "mtime", same_micro, everywhere=True),
    Limit("Joliet names", "Joliet: at most 103 characters, 104 with an extension; what isn't UTF-8 becomes _; names that get equal get a number.",
          ".*/(joliet|old)", "name", joliet_like),
    Limit("ISO names", "Plain ISO 9660: 31 capitals, digits and _; names that get equal get a number.", ".*/plain", "name", plain_like),
    Limit("UDF names", "UDF: at most 254 8-bit or 127 16-bit characters; longer ones are cut, and what isn't UTF-8 becomes _, with a sum "
          "behind it.", "linux/udf(-old)?|pycdlib/udf|7z/udf|libudfread/udf", "name", udf_like),
    Limit("no links", "Left out as -o udf_links=no says.", ".*/udf", "missing", lambda d: d.entry.type not in "fd", cases="nolinks"),
    # -- Linux --
    Limit("Linux udf: 254 bytes", "Linux's udf shows 254 bytes of UTF-8, and a sum instead of the rest.", "linux/udf(-old)?", "name",
          lambda d: len(d.expected) > 254 and d.expected.startswith(re.sub(rb"#[0-9A-F]{4}$", b"", d.found))),
    Limit("Linux: 2038", "Linux 6.1's isofs keeps the seconds in 32 bits: wrong from 2038-01-19T03:14:08 on.", LINUX_ALL, "mtime", wrapped),
    Limit("Linux: 254 bytes", "Linux's isofs (rock.c) drops the piece of a Rock Ridge name that would make it longer than 253 bytes.", LINUX,
          "name", lambda d: len(d.expected) >= 254 and d.expected.startswith(d.found)),
    Limit("Linux: 254 bytes", "", LINUX, "missing", lambda d: len(last(d.path)) >= 254),
    Limit("Linux: 254 bytes", "", LINUX, "extra", lambda d: re.search(rb"n{70,}$", d.path)),
    Limit("Linux: minor 255", "Linux's isofs takes 8 bits of a device's minor number.", LINUX, "device",
          lambda d: int(d.expected.split(":")[1]) > 255 and d.found.split(":")[0] == d.expected.split(":")[0]),
    Limit("Linux: Joliet case", "Linux looks Joliet's names up without regard to case: of twins it shows the first one's content.",
          "linux/(joliet|old)", "sha256 size mtime", among_case_twins),
    Limit("Linux: Joliet dots", "Linux takes a dot at the end of a Joliet name for ISO 9660's separator.", "linux/(joliet|old)", "name", dots_cut),
    Limit("Linux: Joliet dots", "", "linux/(joliet|old)", "missing", lambda d: not last(d.path).strip(b".")),
    # -- the others --
    Limit("isoinfo: days", "isoinfo shows days.", "isoinfo/.*", "mtime", same_day),
    Limit("isoinfo: permissions", "isoinfo shows no set-id and sticky bits.", "isoinfo/rr", "mode", lambda d: d.found == d.expected & 0o777),
    Limit("isoinfo: root", "isoinfo shows a symbolic link to / as one to nothing.", "isoinfo/rr", "target", lambda d: d.expected == b"/"),
    Limit("isoinfo: ISO 8859-1", "isoinfo shows Joliet's names in ISO 8859-1, with _ for what isn't in it.", "isoinfo/joliet",
          "name missing extra type size sha256", lambda d: not_latin1(d.path) or not d.path.isascii() or b"_" in d.path),
    Limit("xorriso: sockets", "xorriso unpacks no sockets.", "xorriso/.*", "missing", lambda d: d.expected == "s"),
    Limit("unpacking: links", "Programs that unpack give symbolic links the time of unpacking.", "(xorriso|bsdtar)/rr", "mtime",
          lambda d: d.entry.type == "l"),
    Limit("unpacking: top", "Programs that unpack leave the top directory as it is.", "(xorriso|bsdtar|7z)/.*", "mtime mode owner xattr",
          lambda d: d.path == b"."),
    Limit("bsdtar: sockets", "bsdtar unpacks sockets as empty files.", "bsdtar/rr", "type size sha256", lambda d: d.entry.type == "s"),
    Limit("bsdtar: hard links", "bsdtar finds a hard link only when nothing else that begins at the same sector comes between.", "bsdtar/rr", "same",
          lambda d: d.found is None and d.entry.sha256 in TWICE),
    Limit("bsdtar: composed", "bsdtar composes characters (NFC).", "bsdtar/joliet", "name",
          lambda d: text_of(d.found) == unicodedata.normalize("NFC", text_of(d.expected))),
    Limit("bsdtar: long links", "libarchive loses a slash where a symbolic link's target goes on in another SL entry.", "bsdtar/rr", "target",
          lambda d: len(d.expected) > 150 and d.found.replace(b"/", b"") == d.expected.replace(b"/", b"")),
    Limit("libcdio: sticky", "iso-info shows no sticky bit.", "libcdio/rr", "mode", lambda d: d.found == d.expected & ~0o1000),
    Limit("libcdio: long names", "iso-info shows the first piece of a long Rock Ridge name.", "libcdio/rr", "name",
          lambda d: len(d.expected) > 100 and d.expected.startswith(d.found)),
    Limit("libcdio: long names", "", "libcdio/rr", "missing", lambda d: len(last(d.path)) > 100),
    Limit("libcdio: long names", "", "libcdio/rr", "extra", lambda d: re.search(rb"(n{70,}|m{70,})$", d.path)),
    Limit("libcdio: Joliet names", "iso-info leaves out Joliet's names that aren't ASCII, or are longer than 64 characters.", "libcdio/joliet",
          "missing", lambda d: not d.path.isascii() or len(last(d.path)) > 64),
    Limit("7z: names", "7-Zip changes names of dots alone, and drops a dot at the end.", "7z/.*", "name",
          lambda d: text_of(d.found).strip("_") == text_of(joliet_name(d.expected)).rstrip(".")),
    Limit("fuseiso: 2028", "fuseiso takes the year for a signed number of 8 bits: wrong from 2028 on.", "fuseiso/.*", "mtime",
          lambda d: seconds(d.expected) >= 1830297600),
    Limit("pycdlib: AAIP", "pycdlib takes AL entries (extended attributes, ACLs) for something else, and gives the disc up.", "pycdlib/.*", "failed",
          lambda d: "new_al_record.parse" in d.found),
    Limit("7z: links", "7-Zip refuses a UDF volume with a symbolic link, a device, a FIFO or a socket; -o udf_links=no leaves them out. Unless told -tudf it opens Joliet then.", "7z/udf", "failed",
          lambda d: "Unsupported feature" in d.found),
    Limit("anchor", "The disc's sector 256 belongs to what another program put there: the anchor is at the end alone, where 7-Zip and blkid "
          "don't look.", "7z/udf", "failed", lambda d: "Is not archive" in d.found, cases="xorriso|bdre"),
    Limit("libudfread: CESU-8", "libudfread writes characters beyond U+FFFF as two surrogates.", "libudfread/.*", "name",
          lambda d: d.found.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le") == text_of(d.expected)),
    Limit("libudfread: links", "libudfread shows symbolic links as files.", "libudfread/.*", "extra", lambda d: d.entry and d.entry.type == "l"),
    Limit("libudfread: backslash", "libudfread takes a backslash for a separator.", "libudfread/.*", "missing", lambda d: b"\\" in d.path),
    Limit("libcdio: long links", "libcdio crashes on symbolic links with long targets, also on discs of xorriso.", "libcdio/rr", "failed",
          lambda d: "exit code -11" in d.found),
    Limit("bsdtar: continuation", "libarchive refuses a disc on which a file of an older session has a continuation area (names from 98 bytes on, "
          "attributes), also one of xorriso: it wants these areas before the file's content. bsdtar --options '!rockridge' reads Joliet there.", "bsdtar/rr", "failed", lambda d: 'Invalid parameter in SUSP "CE" extension' in d.found),
    Limit("sections", "isoinfo and iso-info show the sections of a file of 4 GiB and more one by one.", "(isoinfo|libcdio)/rr", "size sha256 extra",
          lambda d: d.path == b"5GiB", cases="large"),
    Limit("7z: boot", "7-Zip shows El Torito's boot images, too, in [BOOT].", "7z/joliet", "extra", lambda d: d.path.startswith(b"[BOOT]"), cases="xorriso|sessions"),
    Limit("pycdlib: file set", "pycdlib looks for UDF's file set at the partition's begin, wherever the volume says it is, and gives the disc up.",
          "pycdlib/.*", "failed", lambda d: "_parse_udf_descriptors" in d.found),
    Limit("fuseiso: devices", "fuseiso shows no device numbers.", "fuseiso/rr", "device", lambda d: d.found == "0:0"),
    Limit("fuseiso: top", "fuseiso shows the top directory with 0555.", "fuseiso/rr", "mode", lambda d: d.path == b"." and d.found == 0o555),
    Limit("fuseiso: 255 bytes", "fuseiso shows the plain name where Rock Ridge's has 255 bytes.", "fuseiso/rr", "name",
          lambda d: len(d.expected) == 255 and len(d.found) <= 31),
    Limit("pycdlib: root", "pycdlib shows a symbolic link to / as one to nothing.", "pycdlib/rr", "target", lambda d: d.expected == b"/"),
]
