# SPDX-License-Identifier: GPL-2.0-or-later
"""File handles, as an NFS server uses them, also with caches dropped; what inotify tells."""
import os

import calls
from core import Group, forked, get, names, put, said

group = Group("handles")
TREE = {"f": b"text", "d/": None, "d/e/": None, "d/e/g": b"deep", "l": "f"}


def drop_caches():
    """Names and inodes that nobody uses are forgotten: the next look-up by handle has to ask."""
    calls.forget_sync_errors()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("2\n")


def by_handle(handle, flags=os.O_RDONLY):
    fd = calls.open_handle(os.open(".", os.O_RDONLY), handle, flags)
    try:
        if os.path.isdir("/proc/self/fd/%d" % fd):
            return sorted(os.listdir(fd))
        return os.read(fd, 100)
    finally:
        os.close(fd)


@group.check(fixture=TREE)
def handle_given():
    """Asking for it takes no privilege."""
    told = []
    for name in ("f", "d", "l", "d/e/g"):
        told.append(said(lambda: len(calls.handle_of(name)[1]) > 0))
    return told, said(calls.handle_of, "none")


@group.check(fixture=TREE)
def opened_by_handle():
    return said(by_handle, calls.handle_of("f")), said(by_handle, calls.handle_of("d"))


@group.check(root=True, fixture=TREE)
def equal_for_equal_files():
    os.link("f", "g")
    return (
        calls.handle_of("f") == calls.handle_of("g"),
        calls.handle_of("f") == calls.handle_of("d"),
        calls.handle_of("l") == calls.handle_of("f"),
        calls.handle_of("l", calls.AT_SYMLINK_FOLLOW) == calls.handle_of("f"),
    )


def after(deed, name="f"):
    def check():
        handle = calls.handle_of(name)
        deed()
        told = said(by_handle, handle)
        drop_caches()
        return told, said(by_handle, handle)

    return check


for word, name, deed in (
    ("nothing", "f", lambda: None),
    ("nothing-to-a-dir", "d", lambda: None),
    ("rename", "f", lambda: os.rename("f", "d/h")),
    ("rename-of-a-dir", "d/e", lambda: os.rename("d/e", "e")),
    ("unlink", "f", lambda: os.unlink("f")),
    ("unlink-of-one-name", "f", lambda: os.link("f", "g") or os.unlink("f")),
    ("rename-over", "f", lambda: put("x") or os.rename("x", "f")),
    ("writing", "f", lambda: put("f", b"new")),
    ("rename-of-the-parent", "d/e/g", lambda: os.rename("d", "z")),
):
    group.add("after-" + word, after(deed, name), TREE, True)


@group.check(root=True)
def after_rmdir():
    os.mkdir("d")
    handle = calls.handle_of("d")
    os.rmdir("d")
    told = said(by_handle, handle)
    drop_caches()
    return told, said(by_handle, handle)


@group.check(root=True, fixture=TREE)
def with_cold_caches():
    handles = [calls.handle_of(name) for name in ("f", "d", "d/e", "d/e/g")]
    drop_caches()
    return [said(by_handle, handle) for handle in reversed(handles)]


@group.check(root=True, fixture=TREE)
def path_of_what_was_opened_by_handle():
    """The kernel finds the way up: ".." of each directory is asked for."""
    handle = calls.handle_of("d/e")
    drop_caches()
    fd = calls.open_handle(os.open(".", os.O_RDONLY), handle, os.O_RDONLY)
    return os.readlink("/proc/self/fd/%d" % fd)[-4:], os.path.samestat(os.stat("..", dir_fd=fd), os.stat("d"))


@group.check(root=True, fixture=TREE)
def written_by_handle():
    handle = calls.handle_of("f")
    drop_caches()
    fd = calls.open_handle(os.open(".", os.O_RDONLY), handle, os.O_RDWR)
    os.write(fd, b"TE")
    os.close(fd)
    return get("f")


@group.check(root=True, fixture=TREE)
def unlinked_but_open():
    fd = os.open("f", os.O_RDONLY)
    handle = calls.handle_of("f")
    os.unlink("f")
    told = said(by_handle, handle)
    return told, os.read(fd, 9)


@group.check(root=True, fixture=TREE)
def made_again_is_another():
    handle = calls.handle_of("f")
    os.unlink("f")
    drop_caches()
    for number in range(20):
        put("f%d" % number, b"other")
    return said(by_handle, handle)


@group.check(root=True, fixture=TREE)
def made_up():
    kind, data = calls.handle_of("f")
    return (
        said(by_handle, (kind, b"\xff" * len(data))),
        said(by_handle, (0, b"")),
        said(by_handle, (kind, data[:4])),
        said(by_handle, (77, data)),
    )


@group.check(root=True, fixture=TREE)
def caches_dropped_and_all_is_there():
    fd = os.open("d/e/g", os.O_RDWR)
    os.write(fd, b"D")
    os.setxattr("f", "user.a", b"x")
    os.chmod("d", 0o700)
    drop_caches()
    return get("d/e/g"), os.getxattr("f", "user.a"), "%o" % os.stat("d").st_mode, names("d"), os.pread(fd, 4, 0)


# --- inotify ---

watch = Group("inotify")
ALL = 0xFFF & ~1 & ~16 & ~32  # all but access, close and open


def told_by(deed, path="."):
    def check():
        fd = calls.inotify(path, ALL)
        deed()
        return ", ".join(calls.events(fd))

    return check


def modify():
    fd = os.open("f", os.O_WRONLY)
    os.write(fd, b"x")
    os.ftruncate(fd, 1)
    os.close(fd)


for word, deed, path in (
    ("create", lambda: put("new"), "."),
    ("create-dir", lambda: os.mkdir("new"), "."),
    ("modify", modify, "."),
    ("delete", lambda: os.unlink("f"), "."),
    ("delete-dir", lambda: os.rmdir("d/e"), "d"),
    ("rename", lambda: os.rename("f", "g"), "."),
    ("rename-out", lambda: os.rename("f", "d/g"), "."),
    ("rename-in", lambda: os.rename("f", "d/g"), "d"),
    ("rename-over", lambda: os.rename("f", "g"), "."),
    ("link", lambda: os.link("f", "h"), "."),
    ("symlink", lambda: os.symlink("f", "s"), "."),
    ("chmod", lambda: os.chmod("f", 0o600), "."),
    ("utime", lambda: os.utime("f"), "."),
    ("setxattr", lambda: os.setxattr("f", "user.a", b"x"), "."),
    ("mkfifo", lambda: os.mkfifo("p"), "."),
    ("of-the-file-itself", modify, "f"),
    ("of-the-file-unlinked", lambda: os.unlink("f"), "f"),
    ("of-the-file-renamed", lambda: os.rename("f", "z"), "f"),
    ("fallocate", lambda: calls.fallocate(os.open("f", os.O_RDWR), 0, 0, 100), "f"),
    ("exchange", lambda: calls.rename2("f", "g", calls.RENAME_EXCHANGE), "."),
):
    watch.add(
        word,
        told_by(deed, path),
        {"f": b"text", "g": b"text", "d/": None, **({"d/e/": None} if word == "delete-dir" else {})},
    )


@watch.check(fixture={"f": b"text"})
def open_read_and_close():
    fd = calls.inotify(".", 0xFFF)
    get("f")
    return ", ".join(calls.events(fd))


@watch.check(fixture={"d/": None})
def watch_on_a_removed_dir():
    fd = calls.inotify("d", ALL)
    os.rmdir("d")
    return ", ".join(calls.events(fd))


@watch.check(fixture={"f": b"text"})
def changes_of_another_process():
    fd = calls.inotify(".", ALL)
    forked(put, "f", b"new")
    return ", ".join(calls.events(fd))
