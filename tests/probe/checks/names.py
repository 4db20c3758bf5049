# SPDX-License-Identifier: GPL-2.0-or-later
"""What names there may be, how long they and paths are, dots and slashes."""
import os

from core import Group, build, get, kind_of, names, opened, put, said

group = Group("names")
LONG = "n" * 255


def every_kind(name):
    made = [
        said(put, name),
        said(os.unlink, name),
        said(os.mkdir, name),
        said(os.rmdir, name),
        said(os.symlink, "x", name),
        said(os.unlink, name),
        said(os.mkfifo, name),
        said(os.unlink, name),
    ]
    put("plain")
    made += [
        said(os.link, "plain", name),
        said(os.unlink, name),
        said(os.rename, "plain", name),
        said(os.lstat, name) != "",
    ]
    return made


@group.check
def length_255():
    return every_kind(LONG), names() == [LONG]


@group.check
def length_256():
    return every_kind(LONG + "n"), names()


@group.check
def length_255_in_utf8():
    return every_kind("ü" * 127 + "x"), every_kind("ü" * 128)


@group.check(fixture={LONG: b"text", "x" + LONG[1:] + "/": None})
def length_255_read():
    return get(LONG), kind_of("x" + LONG[1:]), [len(name) for name in names()]


@group.check
def length_256_below_nothing():
    return said(os.stat, LONG + "n"), said(os.stat, "none/" + LONG + "n"), said(os.stat, LONG + "n/x")


@group.check
def path_4095_and_4096():
    path = "./" * 2047 + "f"
    put("f")
    return said(opened, path), said(opened, "/" + path), said(opened, path + "f"), said(opened, "." * 0 + "./" * 2048)


@group.check
def depth_beyond_path_max():
    for depth in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    put("f", b"deep")
    return get("f"), len(os.getcwd()) > 5000, names()


EVERY_BYTE = [bytes([byte]) for byte in range(1, 256) if byte not in (0x2F, 0x2E)]


def bytes_fixture():
    for name in EVERY_BYTE:
        os.close(os.open(b"x" + name, os.O_WRONLY | os.O_CREAT))
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT))


@group.check(fixture=bytes_fixture)
def every_byte():
    found = set(os.listdir(b"."))
    return len(found), found == set(EVERY_BYTE) | {b"x" + name for name in EVERY_BYTE}, len([os.stat(n) for n in found])


STRANGE = {
    "dash": "-rf",
    "newline": "a\nb",
    "blank": " ",
    "tab": "\t",
    "backslash": "a\\b",
    "quotes": "'\"`$(x)",
    "star": "*?[]",
    "colon": "C:",
    "three-dots": "...",
    "dot-end": "name.",
    "blank-end": "name ",
    "control": "\x01\x7f",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "emoji": "\U0001f4bf",
    "not-utf-8": os.fsdecode(b"\xff\xfe"),
    "cut-utf-8": os.fsdecode(b"a\xc3"),
    "overlong": os.fsdecode(b"\xc0\xaf"),
    "surrogate": os.fsdecode(b"\xed\xa0\x80"),
    "device": "CON",
    "semicolon": "FILE.TXT;1",
    "percent": "%2F%00",
    "fuse-hidden": ".fuse_hidden1",
}


def strange(name):
    return lambda: (
        get(name),
        names() == [name],
        said(os.rename, name, name + "x"),
        said(os.unlink, name + "x"),
        names(),
    )


for word, strange_name in STRANGE.items():
    group.add("strange-" + word, strange(strange_name), fixture={strange_name: b"text"})


@group.check(fixture={"name": b"lower", "NAME": b"upper", "\u00e9": b"one", "e\u0301": b"two"})
def case_and_form_count():
    return [get(name) for name in ("name", "NAME", "\u00e9", "e\u0301")], said(os.stat, "Name")


@group.check(fixture={"d/": None})
def dots():
    return [
        said(call, name) for call in (os.rmdir, os.unlink, os.mkdir) for name in (".", "..", "d/.", "d/..", "d/../d")
    ]


@group.check(fixture={"d/": None, "d/e/": None})
def rename_of_dots():
    return [
        said(os.rename, old, new)
        for old, new in (
            ("d/.", "x"),
            ("d/..", "x"),
            ("d", "d/e/."),
            ("d", "d/e/.."),
            (".", "x"),
            ("d/e", "."),
            ("d/e", ".."),
        )
    ]


@group.check(fixture={"f": b"", "d/": None, "lf": "f", "ld": "d", "ln": "none"})
def slash_behind():
    told = []
    for call in (os.stat, os.lstat, os.unlink, os.rmdir, os.listdir):
        told.append([said(lambda name: call(name) and None, name + "/") for name in ("f", "lf", "ln")])
    return told, said(os.unlink, "d/"), said(os.unlink, "ld/"), said(os.rmdir, "ld/")


@group.check
def slash_behind_new_names():
    put("f")
    return (
        said(os.mkdir, "d/"),
        said(os.mkdir, "e///"),
        said(os.symlink, "x", "l/"),
        said(os.link, "f", "g/"),
        said(os.mkfifo, "p/"),
        said(os.rename, "f", "g/"),
        said(os.rename, "d", "c/"),
        said(os.rename, "e/", "b"),
        names(),
    )


@group.check(fixture={"d/": None, "l": "d"})
def mkdir_on_a_link_with_slash():
    return said(os.mkdir, "l/"), said(os.mkdir, "l"), said(os.rename, "l/", "m"), names()


@group.check(fixture={"l": "new"})
def mkdir_on_a_dangling_link():
    return said(os.mkdir, "l"), said(os.mkdir, "l/"), names()


@group.check(fixture={"d/": None, "d/e/": None, "d/e/f": b"deep"})
def many_slashes_and_dots():
    return get("d//e///f"), get("./d/./e/../e/f"), get("d/e/../../d/e/f"), said(get, "d/none/../e/f")


@group.check
def empty_name():
    return [said(call, "") for call in (os.stat, os.unlink, os.rmdir, os.mkdir, os.readlink)], said(os.rename, "", "x")


@group.check(fixture={".hidden": b"", "..two": b"", "...": b""})
def leading_dots():
    return names()


@group.check
def reserved_elsewhere():
    build({".discfs": b"x", ".discfs-": b"y", "lost+found/": None, ".Trash-0/": None})
    return names()
