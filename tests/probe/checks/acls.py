# SPDX-License-Identifier: GPL-2.0-or-later
"""POSIX ACLs: storing, what modes make of them, inheritance, and who is let in."""
import os

import calls
from calls import ACCESS, DEFAULT, get_acl, set_acl
from core import GROUP, GROUP2, OTHER, THIRD, Group, as_user, changed, forked, get, mode_of, names, opened, put, said

group = Group("acls")
KINDS = {"f": b"text", "d/": None, "l": "f", "p": os.mkfifo}
NAMED = "u::rw-,u:%d:rwx,g::r-x,g:%d:-w-,m::rwx,o::r--" % (OTHER, GROUP)


@group.check(fixture=KINDS)
def stored_and_read():
    set_acl("f", NAMED)
    return get_acl("f") == NAMED, mode_of("f"), get_acl("f", DEFAULT)


def stored():
    put("f", b"text")
    os.mkdir("d")
    set_acl("f", NAMED)
    set_acl("d", "u::rwx,u:%d:r-x,g::r-x,m::r-x,o::---" % OTHER)
    set_acl("d", NAMED, DEFAULT)


@group.check(fixture=stored)
def of_old_files():
    return get_acl("f"), get_acl("d"), get_acl("d", DEFAULT), mode_of("f"), mode_of("d")


@group.check(fixture=stored)
def inherited_from_an_old_dir():
    put("d/f")
    os.mkdir("d/e")
    return get_acl("d/f"), get_acl("d/e"), get_acl("d/e", DEFAULT), mode_of("d/f")


@group.check(fixture=stored)
def of_old_files_changed():
    os.chmod("f", 0o700)
    os.removexattr("d", DEFAULT)
    return get_acl("f"), mode_of("f"), get_acl("d", DEFAULT)


@group.check(fixture=KINDS)
def minimal_becomes_the_mode():
    set_acl("f", "u::rwx,g::r-x,o::--x")
    return mode_of("f"), get_acl("f"), os.listxattr("f")


@group.check(fixture=KINDS)
def minimal_with_a_mask():
    set_acl("f", "u::rwx,g::r-x,m::--x,o::--x")
    return mode_of("f"), get_acl("f")


@group.check(fixture=KINDS)
def mask_is_shown_as_group():
    set_acl("f", "u::rw-,u:%d:rwx,g::---,m::r-x,o::---" % OTHER)
    return mode_of("f")


@group.check(fixture=KINDS)
def chmod_changes_the_mask():
    set_acl("f", NAMED)
    told = []
    for mode in (0o640, 0o777, 0o000, 0o070):
        os.chmod("f", mode)
        told.append((get_acl("f"), mode_of("f")))
    return told


@group.check(fixture=KINDS)
def removed():
    set_acl("f", NAMED)
    os.removexattr("f", ACCESS)
    return mode_of("f"), get_acl("f"), said(os.removexattr, "f", ACCESS), said(os.removexattr, "d", DEFAULT)


@group.check(fixture=KINDS)
def set_to_nothing():
    set_acl("f", NAMED)
    set_acl("d", NAMED, DEFAULT)
    return (
        said(os.setxattr, "f", ACCESS, b""),
        said(os.setxattr, "d", DEFAULT, calls.struct.pack("I", 2)),
        get_acl("f"),
        get_acl("d", DEFAULT),
        mode_of("f"),
    )


@group.check(fixture=KINDS)
def listed_as_an_attribute():
    set_acl("f", NAMED)
    set_acl("d", NAMED, DEFAULT)
    return set(os.listxattr("f")), set(os.listxattr("d"))


BAD = {
    "no-owner": "g::r--,o::r--",
    "no-mask": "u::rw-,u:5:r--,g::r--,o::r--",
    "two-owners": "u::rw-,u::r--,g::r--,o::r--",
    "two-of-one-user": "u::rw-,u:5:r--,u:5:r--,g::r--,m::r--,o::r--",
    "wrong-order": "o::r--,u::rw-,g::r--",
    "no-others": "u::rw-,g::r--",
    "unsorted-users": "u::rw-,u:9:r--,u:5:r--,g::r--,m::r--,o::r--",
}
for word, words in BAD.items():
    group.add(
        "bad-" + word,
        lambda words=words: (said(set_acl, "f", words), said(set_acl, "d", words, DEFAULT), mode_of("f")),
        KINDS,
    )


@group.check(fixture=KINDS)
def bad_bytes():
    good = calls.acl(NAMED)
    wrong = (
        b"\0",
        b"\3\0\0\0",
        good[:-1],
        good + b"\0" * 8,
        b"\1" + good[1:],
        good[:6] + b"\x10" + good[7:],
        good[:4] + b"\x40" + good[5:],
    )
    return (
        [said(os.setxattr, "f", ACCESS, value) for value in wrong],
        said(os.setxattr, "f", ACCESS, good, os.XATTR_REPLACE),
        said(os.setxattr, "f", ACCESS, good, os.XATTR_CREATE),
    )


@group.check(fixture=KINDS)
def on_other_kinds():
    return (
        said(set_acl, "f", NAMED, DEFAULT),
        said(set_acl, "p", NAMED),
        said(os.setxattr, "l", ACCESS, calls.acl(NAMED), follow_symlinks=False),
        said(os.getxattr, "l", ACCESS, follow_symlinks=False),
        said(set_acl, "p", NAMED, DEFAULT),
        get_acl("p"),
    )


@group.check(fixture=KINDS)
def by_descriptor_and_through_a_link():
    os.setxattr(os.open("f", os.O_RDONLY), ACCESS, calls.acl(NAMED))
    told = get_acl("l") == NAMED
    set_acl("l", "u::r--,g::r--,o::r--")
    return told, mode_of("f")


# --- inheritance ---


def inherit(words, umask, mode):
    def check():
        set_acl("d", words, DEFAULT)
        os.umask(umask)
        put("d/f", b"", mode)
        os.mkdir("d/e", mode)
        os.mkfifo("d/p", mode)
        os.symlink("x", "d/l")
        told = [(name, get_acl("d/" + name), mode_of("d/" + name)) for name in ("f", "e", "p")]
        return told, get_acl("d/e", DEFAULT), get_acl("d/f", DEFAULT), mode_of("d/l")

    return check


for word, words in (
    ("named", "u::rwx,u:%d:rwx,g::r-x,m::rwx,o::--x" % OTHER),
    ("minimal", "u::rwx,g::rwx,o::rwx"),
    ("narrow", "u::r--,g::---,o::---"),
):
    for umask, mode in ((0o022, 0o666), (0o077, 0o777), (0o000, 0o640)):
        group.add("inherited-%s-umask-%03o-mode-%03o" % (word, umask, mode), inherit(words, umask, mode), KINDS)


@group.check(fixture=KINDS)
def inherited_deeper():
    set_acl("d", NAMED, DEFAULT)
    os.makedirs("d/e/f/g")
    put("d/e/f/g/h")
    return get_acl("d/e/f/g", DEFAULT), get_acl("d/e/f/g/h")


@group.check(fixture=KINDS)
def inherited_by_a_tmpfile_of_a_dir():
    set_acl("d", NAMED, DEFAULT)
    fd = os.open("d", os.O_TMPFILE | os.O_RDWR, 0o666)
    return "%o" % os.fstat(fd).st_mode, get_acl("/proc/self/fd/%d" % fd)


@group.check(fixture=KINDS)
def not_by_renaming_or_linking():
    set_acl("d", NAMED, DEFAULT)
    os.link("f", "d/g")
    os.rename("f", "d/f")
    return get_acl("d/f"), get_acl("d/g")


@group.check(fixture=KINDS)
def default_rules_nobody_itself():
    set_acl("d", "u::---,g::---,o::---", DEFAULT)
    return mode_of("d"), said(put, "d/x"), mode_of("d/x")


@group.check(fixture=KINDS)
def setgid_and_default():
    os.chmod("d", 0o2755)
    set_acl("d", NAMED, DEFAULT)
    os.mkdir("d/e")
    put("d/f", b"", 0o2755)
    return mode_of("d/e"), mode_of("d/f"), mode_of("d")


# --- who is let in ---


def enforce(words, uid=OTHER, gid=OTHER, groups=(), owner=THIRD, file_group=GROUP2):
    def check():
        os.chmod(".", 0o755)
        put("f", b"text")
        os.chown("f", owner, file_group)
        set_acl("f", words)
        return as_user(
            lambda: [said(opened, "f", flags) for flags in (os.O_RDONLY, os.O_WRONLY)]
            + [os.access("f", how) for how in (4, 2, 1)],
            uid=uid,
            gid=gid,
            groups=groups,
        )

    return check


for word, words, who in (
    ("named-user", "u::---,u:%d:rw-,g::---,m::rwx,o::---" % OTHER, {}),
    ("named-user-masked", "u::---,u:%d:rw-,g::---,m::r--,o::rwx" % OTHER, {}),
    ("named-user-shut-out", "u::rwx,u:%d:---,g::rwx,m::rwx,o::rwx" % OTHER, {}),
    (
        "named-user-before-his-group",
        "u::rwx,u:%d:r--,g::rwx,g:%d:rwx,m::rwx,o::rwx" % (OTHER, GROUP),
        {"groups": (GROUP, GROUP2)},
    ),
    ("named-group", "u::---,g::---,g:%d:rw-,m::rwx,o::---" % GROUP, {"groups": (GROUP,)}),
    ("named-group-masked", "u::---,g::---,g:%d:rwx,m::-w-,o::rwx" % GROUP, {"groups": (GROUP,)}),
    ("one-of-two-groups", "u::---,g::r--,g:%d:-w-,m::rwx,o::rwx" % GROUP, {"groups": (GROUP, GROUP2)}),
    ("owning-group-masked", "u::---,u:9:rwx,g::rwx,m::r--,o::rwx", {"groups": (GROUP2,)}),
    ("owner-is-not-masked", "u::rwx,u:9:---,g::---,m::---,o::---", {"uid": THIRD}),
    ("others-are-not-masked", "u::---,u:9:---,g::---,m::---,o::rw-", {}),
    ("group-named-but-other-allowed", "u::---,g::---,g:%d:---,m::rwx,o::rwx" % GROUP, {"groups": (GROUP,)}),
):
    group.add("lets-in-" + word, enforce(words, **who), root=True)


@group.check(root=True, fixture=stored)
def lets_in_of_old_files():
    os.chmod(".", 0o755)
    return (
        as_user(lambda: (said(get, "f"), said(opened, "f", os.O_RDWR), said(os.listdir, "d"), said(put, "d/x"))),
        as_user(get, "f", uid=THIRD),
        as_user(os.listdir, "d", uid=THIRD),
    )


@group.check(root=True)
def dir_rights_by_acl():
    os.chmod(".", 0o755)
    os.mkdir("d", 0o700)
    put("d/f", b"x")
    told = []
    for rights in ("r--", "--x", "-wx", "rwx"):
        set_acl("d", "u::rwx,u:%d:%s,g::---,m::rwx,o::---" % (OTHER, rights))
        told.append(as_user(lambda: (said(names, "d"), said(get, "d/f"), said(put, "d/new"), said(os.unlink, "d/new"))))
    return told


@group.check(root=True)
def only_the_owner_sets():
    os.chmod(".", 0o755)
    put("f", b"x", 0o666)
    os.chmod("f", 0o666)
    os.mkdir("d")
    os.chmod("d", 0o777)
    return as_user(
        lambda: (
            said(set_acl, "f", NAMED),
            said(set_acl, "d", NAMED, DEFAULT),
            said(os.removexattr, "d", DEFAULT),
            get_acl("f"),
        )
    )


@group.check
def own_acl_on_own_file():
    put("f")
    set_acl("f", "u::r--,u:%d:rw-,g::---,m::rw-,o::---" % os.getuid())
    return said(opened, "f", os.O_WRONLY), said(opened, "f")


@group.check(root=True)
def setgid_dropped_by_a_change():
    """Who isn't in the file's group loses setgid when he changes the ACL."""
    os.chmod(".", 0o755)
    told = []
    for groups in ((), (GROUP,)):
        for words in (NAMED, "u::rwx,g::r-x,o::r-x"):
            put("f")
            os.chown("f", OTHER, GROUP)
            os.chmod("f", 0o2755)
            told.append((as_user(set_acl, "f", words, groups=groups), mode_of("f")))
            os.unlink("f")
    return told


@group.check(root=True)
def setgid_kept_for_root():
    put("f")
    os.chmod("f", 0o6755)
    set_acl("f", NAMED)
    return mode_of("f")


@group.check(fixture=KINDS)
def change_ctime():
    return (
        changed("f", set_acl, "f", NAMED),
        changed("d", set_acl, "d", NAMED, DEFAULT),
        changed("f", os.chmod, "f", 0o600),
    )


@group.check(fixture=KINDS)
def many_entries():
    words = "u::rw-," + ",".join("u:%d:r--" % (1000 + number) for number in range(50)) + ",g::r--,m::r--,o::---"
    set_acl("f", words)
    return get_acl("f") == words, forked(lambda: get_acl("f") == words)


@group.check(fixture=KINDS)
def through_the_tools():
    import subprocess

    told = [
        subprocess.run(words, capture_output=True, text=True)
        for words in (
            ["setfacl", "-m", "u:%d:rw,d:u:%d:rx" % (OTHER, OTHER), "d"],
            ["getfacl", "-cpn", "d"],
            ["setfacl", "-b", "d"],
            ["getfacl", "-cpn", "d"],
        )
    ]
    return [(done.returncode, done.stdout.replace("\n", ",")) for done in told]
