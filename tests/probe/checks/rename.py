# SPDX-License-Identifier: GPL-2.0-or-later
"""rename and renameat2: every kind onto every kind, flags, what can't be renamed, what happens to what is open."""
import os

import calls
from core import GROUP, Group, as_user, get, kind_of, links_of, mode_of, names, put, said, same_file

group = Group("rename")
KINDS = {
    "file": {"%s": b"text"},
    "dir": {"%s/": None},
    "full": {"%s/": None, "%s/x": b"in"},
    "link": {"%s": "nowhere"},
    "dirlink": {"%s": "."},
    "fifo": {"%s": os.mkfifo},
    "none": {},
}


def spec(kind, name):
    return {path.replace("%s", name): what for path, what in KINDS[kind].items()}


def onto(flags):
    def deed():
        told = said(calls.rename2, "a", "b", flags)
        return told, kind_of("a"), kind_of("b"), names()

    return deed


for old in KINDS:
    for new in KINDS:
        if old != "none" or new in ("none", "file"):
            group.add("%s-onto-%s" % (old, new), onto(0), {**spec(old, "a"), **spec(new, "b")})
for old, new in (("file", "none"), ("file", "file"), ("dir", "dir"), ("file", "dir"), ("link", "file")):
    group.add("noreplace-%s-onto-%s" % (old, new), onto(calls.RENAME_NOREPLACE), {**spec(old, "a"), **spec(new, "b")})
for old, new in (
    ("file", "file"),
    ("file", "full"),
    ("full", "link"),
    ("fifo", "dir"),
    ("file", "none"),
    ("full", "full"),
):
    group.add("exchange-%s-and-%s" % (old, new), onto(calls.RENAME_EXCHANGE), {**spec(old, "a"), **spec(new, "b")})
for word, flags in (("exchange-noreplace", 3), ("unknown", 8), ("exchange-whiteout", 6)):
    group.add("flags-" + word, onto(flags), {**spec("file", "a"), **spec("file", "b")})


@group.check(fixture={"a": b"text"})
def whiteout():
    told = said(calls.rename2, "a", "b", calls.RENAME_WHITEOUT)
    return told, kind_of("a"), kind_of("b"), os.lstat("a").st_rdev if kind_of("a") == "char" else "-"


@group.check(fixture={"a": b"one", "b": b"two"})
def whiteout_onto_a_file():
    return said(calls.rename2, "a", "b", calls.RENAME_WHITEOUT), kind_of("a"), get("b")


@group.check(fixture={"a": b"one", "b": b"two"})
def whiteout_noreplace():
    flags = calls.RENAME_WHITEOUT | calls.RENAME_NOREPLACE
    return said(calls.rename2, "a", "b", flags), get("b"), said(calls.rename2, "a", "c", flags), kind_of("a"), get("c")


@group.check(fixture={"a/": None, "a/b/": None, "a/b/c/": None})
def into_itself():
    return said(os.rename, "a", "a/x"), said(os.rename, "a", "a/b/c/x"), said(os.rename, "a", "a/b"), names("a")


@group.check(fixture={"a/": None, "a/b/": None})
def exchange_with_an_ancestor():
    return (
        said(calls.rename2, "a", "a/b", calls.RENAME_EXCHANGE),
        said(calls.rename2, "a/b", "a", calls.RENAME_EXCHANGE),
        said(os.rename, "a/b", "a"),
    )


@group.check(fixture={"a": b"text"})
def onto_itself():
    os.rename("a", "a")
    return names(), get("a")


@group.check(fixture={"a": b"text", "b": lambda path: os.link("a", path)})
def onto_another_name_of_it():
    os.rename("a", "b")
    return names(), links_of("a"), links_of("b")


@group.check(fixture={"a": b"text", "b": lambda path: os.link("a", path)})
def noreplace_onto_another_name_of_it():
    return (
        said(calls.rename2, "a", "b", calls.RENAME_NOREPLACE),
        said(calls.rename2, "a", "b", calls.RENAME_EXCHANGE),
        names(),
    )


@group.check(fixture={"d/": None, "d/f": b"text", "e/": None})
def between_dirs():
    os.rename("d/f", "e/g")
    return names("d"), names("e"), get("e/g")


@group.check(fixture={"d/": None, "d/s/": None, "d/s/f": b"text", "e/": None})
def dir_between_dirs_and_link_counts():
    before = links_of("d"), links_of("e")
    os.rename("d/s", "e/t")
    return before, links_of("d"), links_of("e"), get("e/t/f"), same_file("e", "e/t/..")


@group.check(fixture={"d/": None, "d/s/": None, "e/": None, "e/f": b"x"})
def exchange_between_dirs_and_link_counts():
    calls.rename2("d/s", "e/f", calls.RENAME_EXCHANGE)
    return links_of("d"), links_of("e"), kind_of("d/s"), kind_of("e/f"), get("d/s")


@group.check(fixture={"a/": None, "a/f": b"text", "b/": None})
def dir_onto_empty_dir_and_link_counts():
    before = links_of(".")
    os.rename("a", "b")
    return before - links_of("."), names("b")


@group.check(fixture={"a": b"new", "b": b"old"})
def over_an_open_file():
    fd = os.open("b", os.O_RDWR)
    os.rename("a", "b")
    os.pwrite(fd, b"O", 0)
    return os.pread(fd, 9, 0), os.fstat(fd).st_nlink, get("b")


@group.check(fixture={"a": b"text"})
def of_an_open_file():
    fd = os.open("a", os.O_RDWR)
    os.rename("a", "b")
    os.write(fd, b"T")
    return get("b"), os.path.basename(os.readlink("/proc/self/fd/%d" % fd)), names()


@group.check(fixture={"a/": None, "a/f": b"text"})
def of_an_open_dir():
    fd = os.open("a", os.O_RDONLY)
    os.rename("a", "b")
    put("b/g")
    return (
        sorted(os.listdir(fd)),
        said(os.stat, "f", dir_fd=fd) != "",
        os.path.basename(os.readlink("/proc/self/fd/%d" % fd)),
    )


@group.check(fixture={"a/": None, "a/b/": None})
def of_the_working_dir():
    os.chdir("a/b")
    os.rename("../../a", "../../c")
    return os.getcwd()[-3:], names("..")


@group.check(fixture={"a/": None, "b/": None})
def over_the_working_dir():
    os.chdir("b")
    os.rename("../a", "../b")
    return said(os.getcwd), said(os.mkdir, "x")


@group.check(fixture={"a": b"text"})
def keeps_mode_and_identity():
    os.chmod("a", 0o4711)
    before = os.stat("a")
    os.rename("a", "b")
    after = os.stat("b")
    return mode_of("b"), before.st_ino == after.st_ino, before.st_mtime_ns == after.st_mtime_ns


@group.check(fixture={"d/": None, "d/e/": 0o500, "f/": None})
def read_only_dir_moved():
    """ ".." of a directory changes when it's moved: that takes the right to write to it."""
    return said(os.rename, "d/e", "f/e"), said(os.rename, "d/e", "d/g")


@group.check(fixture={"d/": 0o555, "f": b""})
def in_a_read_only_dir():
    return said(os.rename, "f", "d/f"), said(os.rename, "d/none", "x"), names("d")


@group.check
def to_another_file_system():
    put("f", b"text")
    return said(os.rename, "f", "/dev/shm/discfs-probe-x"), said(os.link, "f", "/dev/shm/discfs-probe-x"), names()


@group.check(fixture={"f": b"", "d/": None})
def below_a_file():
    return (
        said(os.rename, "f", "f/x"),
        said(os.rename, "f/x", "g"),
        said(os.rename, "d", "f/x"),
        said(os.rename, "f", "none/x"),
    )


@group.check(fixture={"f": b"text", "d/": None, "l": "d", "m": "f"})
def through_links():
    return said(os.rename, "f", "l"), kind_of("l"), said(os.rename, "m", "d/m"), os.readlink("d/m")


@group.check(fixture={"a/": None, "a/b/": None, "c/": None})
def three_levels_around():
    os.rename("a/b", "c/b")
    os.rename("a", "c/b/a")
    os.rename("c", "a")
    return names(), names("a"), names("a/b"), said(os.rename, "a", "a/b/a/x")


@group.check(fixture={"%02d" % number: b"%d" % number for number in range(20)})
def ring():
    """Twenty names, each file one further."""
    os.rename("19", "tmp")
    for number in reversed(range(19)):
        os.rename("%02d" % number, "%02d" % (number + 1))
    os.rename("tmp", "00")
    return [get("%02d" % number).decode() for number in range(20)]


def sticky(dir_mode, dir_owner, file_owner):
    def check():
        os.chmod(".", 0o755)
        os.mkdir("d")
        for name in ("d/f", "d/g", "d/mine"):
            put(name)
            os.chown(name, file_owner, GROUP)
        os.mkdir("d/s")
        os.chown("d/s", file_owner, GROUP)
        os.chmod("d/s", 0o777)
        os.chown("d/mine", 54321, GROUP)
        os.chown("d", dir_owner, GROUP)
        os.chmod("d", dir_mode)
        return as_user(
            lambda: (
                said(os.unlink, "d/f"),
                said(os.rename, "d/g", "d/h"),
                said(os.rmdir, "d/s"),
                said(os.rename, "d/mine", "d/g"),
                said(put, "d/new"),
                said(os.rename, "d/new", "d/newer"),
            )
        )

    return check


for word, args in (
    ("of-others", (0o1777, 54322, 54322)),
    ("own-files", (0o1777, 54322, 54321)),
    ("own-dir", (0o1777, 54321, 54322)),
    ("not-sticky", (0o777, 54322, 54322)),
):
    group.add("sticky-" + word, sticky(*args), root=True)


@group.check(root=True)
def sticky_exchange():
    os.chmod(".", 0o755)
    os.mkdir("d")
    os.chmod("d", 0o1777)
    put("d/theirs")

    def deed():
        put("d/mine")
        return (
            said(calls.rename2, "d/mine", "d/theirs", calls.RENAME_EXCHANGE),
            said(os.rename, "d/mine", "d/theirs"),
            said(calls.rename2, "d/mine", "d/x", calls.RENAME_WHITEOUT),
            sorted(os.listdir("d")),
        )

    return as_user(deed)


@group.check
def own_sticky_dir():
    os.mkdir("d")
    os.chmod("d", 0o1777)
    put("d/f")
    os.rename("d/f", "d/g")
    os.unlink("d/g")
    return names("d"), mode_of("d")
