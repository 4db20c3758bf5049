# SPDX-License-Identifier: GPL-2.0-or-later
"""Extended attributes in each namespace, on each kind of file, by each kind of caller."""
import os

from core import AM_ROOT, OTHER, Group, as_user, changed, get, put, said

group = Group("xattrs")
KINDS = {"f": b"text", "d/": None, "l": "f", "p": os.mkfifo}
NAMES = (
    "user.a",
    "trusted.a",
    "security.a",
    "system.a",
    "other.a",
    "user.",
    "user",
    "",
    "trusted.",
    "USER.a",
    "system.posix_acl_access",
)


def every_call(path, name, follow):
    told = [
        said(os.setxattr, path, name, b"value", follow_symlinks=follow),
        said(os.getxattr, path, name, follow_symlinks=follow),
        said(os.removexattr, path, name, follow_symlinks=follow),
    ]
    return told


for kind in ("f", "d", "l", "p"):
    for name in NAMES if kind == "f" else NAMES[:4]:
        group.add(
            "of-%s-%s" % ({"f": "file", "d": "dir", "l": "link", "p": "fifo"}[kind], name or "nothing"),
            lambda kind=kind, name=name: every_call(kind, name, False),
            KINDS,
        )


def many(path="f"):
    for number in range(20):
        os.setxattr(path, "user.%02d" % number, b"v%d" % number)


@group.check(fixture=KINDS)
def list_as_a_set():
    many()
    os.removexattr("f", "user.07")
    return sorted(os.listxattr("f")) == sorted(
        "user.%02d" % number for number in range(20) if number != 7
    ), os.listxattr("d")


def stored():
    put("f", b"text")
    os.mkdir("d")
    for path in ("f", "d"):
        many(path)
        os.setxattr(path, "user.empty", b"")
        os.setxattr(path, "user.binary", bytes(range(256)))
    if AM_ROOT:
        os.setxattr("f", "trusted.word", b"trusted")
        os.setxattr("f", "security.word", b"secure")
        os.symlink("f", "l")
        os.setxattr("l", "trusted.word", b"of the link", follow_symlinks=False)


@group.check(fixture=stored)
def stored_values():
    told = []
    for path in ("f", "d"):
        told.append(
            [
                len(os.listxattr(path)),
                os.getxattr(path, "user.13"),
                os.getxattr(path, "user.empty"),
                os.getxattr(path, "user.binary") == bytes(range(256)),
            ]
        )
    return told


@group.check(fixture=stored, root=True)
def stored_values_of_root():
    return (
        os.getxattr("f", "trusted.word"),
        os.getxattr("f", "security.word"),
        os.getxattr("l", "trusted.word", follow_symlinks=False),
        [name for name in sorted(os.listxattr("f")) if not name.startswith("user.")],
    )


@group.check(fixture=stored)
def stored_values_changed():
    os.setxattr("f", "user.13", b"new")
    os.removexattr("f", "user.12")
    os.setxattr("f", "user.new", b"", os.XATTR_CREATE)
    os.setxattr("f", "user.14", b"r", os.XATTR_REPLACE)
    return (
        os.getxattr("f", "user.13"),
        said(os.getxattr, "f", "user.12"),
        said(os.setxattr, "f", "user.12", b"", os.XATTR_REPLACE),
        os.getxattr("f", "user.14"),
    )


@group.check(fixture=stored, root=True)
def listed_by_others():
    """trusted.* isn't shown to others, security.* is."""
    os.chmod(".", 0o755)
    return (
        as_user(lambda: [name for name in sorted(os.listxattr("f")) if not name.startswith("user.")]),
        as_user(os.getxattr, "f", "trusted.word"),
        as_user(os.getxattr, "f", "security.word"),
    )


@group.check(fixture=KINDS)
def create_and_replace():
    told = []
    for flags in (
        os.XATTR_REPLACE,
        os.XATTR_CREATE,
        os.XATTR_CREATE,
        os.XATTR_REPLACE,
        0,
        os.XATTR_CREATE | os.XATTR_REPLACE,
        8,
    ):
        told.append(said(os.setxattr, "f", "user.a", b"v%d" % flags, flags))
    return told, os.getxattr("f", "user.a")


@group.check(fixture=KINDS)
def missing():
    return (
        said(os.getxattr, "f", "user.none"),
        said(os.removexattr, "f", "user.none"),
        said(os.getxattr, "none", "user.a"),
        said(os.listxattr, "none"),
    )


def raw_get(path, name, size):
    import ctypes
    from calls import libc

    buffer = ctypes.create_string_buffer(max(size, 1))
    got = libc.getxattr(os.fsencode(path), os.fsencode(name), buffer, ctypes.c_size_t(size))
    return got if got >= 0 else os.strerror(ctypes.get_errno())


def raw_list(path, size):
    import ctypes
    from calls import libc

    buffer = ctypes.create_string_buffer(max(size, 1))
    got = libc.listxattr(os.fsencode(path), buffer, ctypes.c_size_t(size))
    return got if got >= 0 else os.strerror(ctypes.get_errno())


@group.check(fixture=KINDS)
def buffer_sizes():
    os.setxattr("f", "user.a", b"12345")
    os.setxattr("f", "user.empty", b"")
    return (
        [raw_get("f", "user.a", size) for size in (0, 4, 5, 6, 100000)],
        [raw_get("f", "user.empty", size) for size in (0, 1)],
        [raw_list("f", size) for size in (0, 10, 17, 18, 100)],
        raw_list("d", 0),
    )


@group.check(fixture=KINDS)
def value_sizes():
    """A block of ext4 holds less than 4 KiB; what the format may hold is told by the discfs part of the tests."""
    return [said(os.setxattr, "f", "user.a", b"v" * size) for size in (0, 1, 255, 1000, 3000)], len(
        os.getxattr("f", "user.a")
    )


@group.check(fixture=KINDS)
def value_of_64_kib():
    return said(os.setxattr, "f", "user.a", b"v" * 65537), said(os.setxattr, "f", "user.a", b"v" * 100000)


@group.check(fixture=KINDS)
def value_of_20_kib():
    told = said(os.setxattr, "f", "user.a", b"v" * 20000)
    return told, said(lambda: len(os.getxattr("f", "user.a")))


@group.check(fixture=KINDS)
def name_lengths():
    return [said(os.setxattr, "f", "user." + "n" * length, b"v") for length in (1, 200, 249, 250, 251)], [
        len(name) for name in sorted(os.listxattr("f"))
    ]


@group.check(fixture=KINDS)
def strange_names():
    told = []
    for name in (
        "user.ü",
        "user.a b",
        "user.a=b",
        "user.a\nb",
        "user." + os.fsdecode(b"\xff"),
        "user.user.a",
        "user..",
        "user.A",
    ):
        os.setxattr("f", name, name.encode(errors="surrogateescape"))
    for name in sorted(os.listxattr("f")):
        told.append(os.getxattr("f", name) == name.encode(errors="surrogateescape"))
    return told


@group.check(fixture=KINDS)
def on_links():
    return (
        said(os.setxattr, "l", "user.a", b"x"),
        said(os.getxattr, "f", "user.a"),
        said(os.setxattr, "l", "user.a", b"x", follow_symlinks=False),
        said(os.getxattr, "l", "user.a", follow_symlinks=False),
        said(os.listxattr, "l", follow_symlinks=False),
    )


@group.check(fixture=KINDS)
def by_descriptor():
    fd, dir_fd = os.open("f", os.O_RDONLY), os.open("d", os.O_RDONLY)
    path_fd = os.open("f", os.O_PATH)
    return (
        said(os.setxattr, fd, "user.a", b"x"),
        said(os.setxattr, dir_fd, "user.b", b"y"),
        os.listxattr(fd),
        os.listxattr(dir_fd),
        said(os.getxattr, path_fd, "user.a"),
    )


def by_mode(mode):
    def check():
        os.setxattr("f", "user.old", b"v")
        os.chmod("f", mode)
        return (
            said(os.setxattr, "f", "user.a", b"x"),
            said(os.getxattr, "f", "user.old"),
            said(os.removexattr, "f", "user.old"),
            said(os.listxattr, "f"),
        )

    return check


for mode in (0o000, 0o200, 0o400, 0o600):
    group.add("own-file-of-%03o" % mode, by_mode(mode), KINDS)


def by_others(mode, owner=0):
    def check():
        os.chmod(".", 0o755)
        os.setxattr("f", "user.old", b"v")
        os.chown("f", owner, 0)
        os.chmod("f", mode)

        def deed():
            return (
                said(os.setxattr, "f", "user.a", b"x"),
                said(os.getxattr, "f", "user.old"),
                said(os.removexattr, "f", "user.old"),
                said(os.setxattr, "f", "trusted.a", b"x"),
                said(os.getxattr, "f", "trusted.a"),
                said(os.setxattr, "f", "security.a", b"x"),
                said(os.listxattr, "f"),
            )

        return as_user(deed)

    return check


for mode in (0o666, 0o644, 0o602, 0o600):
    group.add("others-file-of-%03o" % mode, by_others(mode), KINDS, True)
group.add("own-file-of-400-by-owner", by_others(0o400, OTHER), KINDS, True)


@group.check(root=True)
def sticky_dir_of_others():
    os.chmod(".", 0o755)
    os.mkdir("d")
    os.chmod("d", 0o1777)
    os.mkdir("e")
    os.chmod("e", 0o777)
    return as_user(lambda: (said(os.setxattr, "d", "user.a", b"x"), said(os.setxattr, "e", "user.a", b"x")))


@group.check(root=True)
def on_devices():
    told = []
    for name, kind in (("c", 0o020666), ("b", 0o060666)):
        os.mknod(name, kind, os.makedev(1, 3))
        told.append([every_call(name, xattr, False) for xattr in ("user.a", "trusted.a", "security.a")])
    return told


@group.check(fixture=KINDS)
def change_ctime_only():
    return (
        changed("f", os.setxattr, "f", "user.a", b"x"),
        changed("f", os.getxattr, "f", "user.a"),
        changed("f", os.removexattr, "f", "user.a"),
    )


@group.check(fixture=KINDS)
def kept_over_rename_link_and_truncate():
    os.setxattr("f", "user.a", b"x")
    os.link("f", "g")
    os.rename("f", "h")
    os.truncate("h", 0)
    put("h", b"new")
    return os.getxattr("g", "user.a"), os.getxattr("h", "user.a"), get("g")


@group.check(fixture=KINDS)
def thousand_changes():
    for number in range(1000):
        os.setxattr("f", "user.n%d" % (number % 7), b"x" * (number % 50))
    return [(name, len(os.getxattr("f", name))) for name in sorted(os.listxattr("f"))]


@group.check(fixture=KINDS)
def not_inherited():
    os.setxattr("d", "user.a", b"x")
    put("d/f")
    os.mkdir("d/e")
    return os.listxattr("d/f"), os.listxattr("d/e")
