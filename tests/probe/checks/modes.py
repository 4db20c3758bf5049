# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what: modes, owners, groups; the bits that Linux takes away when a file changes."""
import mmap
import os

import calls
from core import AM_ROOT, GROUP, GROUP2, OTHER, THIRD, Group, as_user, get, mode_of, names, opened, put, said

group = Group("modes")


def others_file(mode, uid=THIRD, gid=GROUP2, path="f"):
    os.chmod(".", 0o755)
    put(path, b"#!/bin/sh\nexit 0\n")
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def every_way(path="f"):
    told = [said(opened, path, flags) for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)]
    told += [os.access(path, how) for how in (os.R_OK, os.W_OK, os.X_OK, os.F_OK)]
    return told, said(os.truncate, path, 4), said(lambda: run_it(path))


def run_it(path):
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        try:
            os.execv(os.path.join(".", path), [path])
        except OSError as error:
            os._exit(error.errno)
    code = os.waitpid(child, 0)[1] >> 8
    if code:
        raise OSError(code, "exec")


def permission(mode, uid, gid, **who):
    def check():
        others_file(mode, uid, gid)
        return as_user(every_way, **who)

    return check


# Owner, group and others: exactly one class counts, whatever the others may.
for word, uid, gid, who in (
    ("owner", OTHER, GROUP2, {}),
    ("group", THIRD, OTHER, {}),
    ("other", THIRD, GROUP2, {}),
    ("supplementary", THIRD, GROUP2, {"groups": (GROUP, GROUP2)}),
):
    for mode in (0o700, 0o070, 0o007, 0o077, 0o707, 0o440, 0o111, 0o664):
        group.add("%s-of-%03o" % (word, mode), permission(mode, uid, gid, **who), root=True)


def own_file(mode):
    def check():
        put("f", b"#!/bin/sh\nexit 0\n")
        os.chmod("f", mode)
        return every_way()

    return check


for mode in (0o000, 0o077, 0o100, 0o200, 0o400, 0o700, 0o010):
    group.add("own-of-%03o" % mode, own_file(mode), fixture={"f": b"old"})


@group.check(root=True)
def search_permission():
    os.chmod(".", 0o755)
    told = []
    for mode in (0o700, 0o711, 0o744, 0o733, 0o755):
        path = "d%03o" % mode
        os.mkdir(path)
        put(path + "/f", b"x")
        os.chmod(path, mode)
        told.append(
            as_user(
                lambda: (
                    said(get, path + "/f"),
                    said(names, path),
                    said(put, path + "/g"),
                    said(mode_of, path),
                    said(mode_of, path + "/none"),
                    said(os.access, path, os.X_OK),
                )
            )
        )
    return told


@group.check(fixture={"d/": None, "d/f": b"x"})
def own_dir_modes():
    told = []
    for mode in (0o000, 0o100, 0o400, 0o600, 0o300, 0o500):
        os.chmod("d", mode)
        told.append(
            [said(get, "d/f"), said(names, "d"), said(put, "d/g"), said(os.chdir, "d") if mode & 0o100 == 0 else "-"]
        )
        if os.path.basename(os.getcwd()) == "d":
            os.chdir("..")
    os.chmod("d", 0o755)
    return told


@group.check(root=True)
def access_with_real_ids():
    """access() asks for the real ids, eaccess for the effective ones."""
    os.chmod(".", 0o755)
    others_file(0o600, OTHER)

    def deed():
        os.setresuid(THIRD, OTHER, OTHER)
        return os.access("f", os.R_OK), os.access("f", os.R_OK, effective_ids=True), said(get, "f")[:3]

    return as_user(deed, uid=0)


@group.check(fixture={"f": b""})
def access_words():
    return (
        [said(calls.faccessat2, path, how, 0) for path in ("f", ".", "none", "f/x") for how in (0, 4, 2)],
        said(calls.faccessat2, "f", 8, 0),
        said(calls.faccessat2, "f", 0, 0x4000),
    )


# --- chmod and chown ---


@group.check(fixture={"f": b""})
def chmod_every_mode():
    wrong = []
    for mode in range(0, 0o10000, 0o73):
        os.chmod("f", mode)
        if mode_of("f") != "%04o" % mode:
            wrong.append("%04o" % mode)
    os.chmod("f", 0o644)
    return wrong


@group.check(fixture={"d/": None, "p": os.mkfifo, "l": "d"})
def chmod_of_other_kinds():
    for name in ("l", "p"):
        os.chmod(name, 0o7711)
    return mode_of("d"), mode_of("p"), mode_of("l"), said(os.chmod, "none", 0), said(os.chmod, "p/x", 0)


@group.check(root=True)
def chmod_by_others():
    others_file(0o666)
    return (
        as_user(os.chmod, "f", 0o777),
        as_user(os.chmod, "f", 0o666),
        as_user(lambda: os.fchmod(os.open("f", os.O_RDWR), 0o777)),
        mode_of("f"),
    )


@group.check(root=True)
def chmod_by_owner_not_in_group():
    """setgid isn't given to who isn't a member."""
    told = []
    for path, gid in (("f", GROUP), ("g", GROUP2)):
        others_file(0o755, OTHER, gid, path)
        told += [as_user(os.chmod, path, 0o6755, groups=(GROUP,)), mode_of(path)]
    os.mkdir("d")
    os.chown("d", OTHER, GROUP2)
    return told, as_user(os.chmod, "d", 0o2755), mode_of("d")


@group.check
def own_setgid():
    put("f")
    os.chmod("f", 0o6755)
    os.mkdir("d")
    os.chmod("d", 0o3755)
    return mode_of("f"), mode_of("d")


@group.check(root=True)
def chown_by_others():
    others_file(0o666)
    return [as_user(os.chown, "f", *ids) for ids in ((OTHER, -1), (-1, OTHER), (-1, -1), (THIRD, GROUP2))]


@group.check(root=True)
def chown_by_owner():
    others_file(0o644, OTHER, OTHER)
    told = [
        as_user(os.chown, "f", *ids, groups=(GROUP,))
        for ids in ((THIRD, -1), (-1, GROUP2), (-1, GROUP), (OTHER, GROUP), (OTHER, OTHER))
    ]
    return told, os.stat("f").st_gid == OTHER


@group.check
def chown_own_file():
    put("f")
    mine = os.stat("f")
    return (
        said(os.chown, "f", -1, -1),
        said(os.chown, "f", mine.st_uid, mine.st_gid),
        said(os.chown, "f", OTHER, -1),
        said(os.chown, "f", -1, GROUP2),
        said(os.chown, "none", -1, -1),
    )


@group.check
def chgrp_to_each_own_group():
    put("f")
    told = []
    for number in sorted(os.getgroups()):
        told.append(said(os.chown, "f", -1, number))
        told.append(os.stat("f").st_gid == number)
    return told


@group.check(root=True, fixture={"f": b""})
def chown_big_ids():
    told = []
    for number in (65534, 65535, 65536, 2**31, 2**32 - 2):
        told += [said(os.chown, "f", number, number), os.stat("f").st_uid, os.stat("f").st_gid]
    return told


@group.check(root=True, fixture={"f": b"", "l": "f", "d/": None})
def chown_follows_links():
    os.chown("l", OTHER, GROUP)
    os.lchown("l", THIRD, GROUP2)
    os.chown("d", OTHER, GROUP)
    return [(os.lstat(name).st_uid, os.lstat(name).st_gid) for name in ("f", "l", "d")]


# --- setuid and setgid dropped ---


def write_it():
    fd = os.open("f", os.O_WRONLY)
    os.write(fd, b"x")
    os.close(fd)


def write_nothing():
    os.write(os.open("f", os.O_WRONLY), b"")


def fallocate_it(mode=0):
    fd = os.open("f", os.O_WRONLY)
    calls.fallocate(fd, mode, 0, 4096)


def copy_into():
    os.copy_file_range(os.open("s", os.O_RDONLY), os.open("f", os.O_WRONLY), 4)


def splice_into():
    reader, writer = os.pipe()
    os.write(writer, b"data")
    os.splice(reader, os.open("f", os.O_WRONLY), 4)


def map_it():
    fd = os.open("f", os.O_RDWR)
    area = mmap.mmap(fd, 4)
    area[0] = 65
    area.flush()


def o_trunc_it():
    opened("f", os.O_WRONLY | os.O_TRUNC)


DEEDS = {
    "write": write_it,
    "write-of-nothing": write_nothing,
    "truncate": lambda: os.truncate("f", 1),
    "truncate-to-the-same": lambda: os.truncate("f", os.stat("f").st_size),
    "o-trunc": o_trunc_it,
    "fallocate": fallocate_it,
    "punch-hole": lambda: fallocate_it(calls.PUNCH_HOLE | calls.KEEP_SIZE),
    "copy-file-range": copy_into,
    "splice": splice_into,
    "mmap": map_it,
    "chown-same": lambda: os.chown("f", os.stat("f").st_uid, os.stat("f").st_gid),
    "chown-nothing": lambda: os.chown("f", -1, -1),
    "chmod": lambda: os.chmod("f", os.stat("f").st_mode & 0o7777 ^ 0o001),
    "utimes": lambda: os.utime("f", (1, 1)),
    "link": lambda: os.link("f", "g"),
    "rename": lambda: os.rename("f", "g") or os.rename("g", "f"),
    "setxattr": lambda: os.setxattr("f", "user.a", b"b"),
    "read": lambda: get("f"),
}
BITS = (0o6777, 0o4666, 0o2777, 0o2767, 0o6666)


def told_bits(deed, run):
    told = []
    for mode in BITS:
        if os.path.exists("g"):
            os.unlink("g")
        run_as = run(mode)
        result = run_as(deed)
        told.append("%04o>%s" % (mode, mode_of("f")) + ("" if result == "ok" or result.isdigit() else "(%s)" % result))
    return told


def set_up(mode, uid, gid):
    os.chmod(".", 0o777)
    for name in ("f", "s"):
        if os.path.exists(name):
            os.unlink(name)
    put("f", b"0123456789")
    put("s", b"source")
    os.chown("f", uid, gid)
    os.chmod("f", mode)


def set_id_of(deed, who):
    """who: root; the owner, or somebody else who may write; in the file's group or not."""

    def run(mode):
        uid = OTHER if who.startswith("owner") else THIRD
        set_up(mode, uid, GROUP)
        if who == "root":
            return lambda deed: said(deed)
        groups = (GROUP,) if who.endswith("member") else ()
        return lambda deed: as_user(deed, groups=groups)

    return lambda: told_bits(deed, run)


def own_set_id_of(deed):
    def run(mode):
        set_up(mode, -1, -1)
        return lambda deed: said(deed)

    return lambda: told_bits(deed, run)


for word, deed in DEEDS.items():
    group.add("set-id-after-%s-by-self" % word, own_set_id_of(deed))
    group.add("set-id-after-%s-by-owner" % word, set_id_of(deed, "owner"), root=True)
    group.add("set-id-after-%s-by-owner-member" % word, set_id_of(deed, "owner-member"), root=True)
for word in ("write", "truncate", "o-trunc", "fallocate", "copy-file-range", "mmap"):
    group.add("set-id-after-%s-by-other" % word, set_id_of(DEEDS[word], "other"), root=True)
    group.add("set-id-after-%s-by-other-member" % word, set_id_of(DEEDS[word], "other-member"), root=True)


def base_set_id():
    for mode in BITS:
        put("%04o" % mode, b"0123456789")
        os.chmod("%04o" % mode, mode)


@group.check(fixture=base_set_id)
def set_id_of_old_files_after_write():
    for mode in BITS:
        fd = os.open("%04o" % mode, os.O_WRONLY)
        os.write(fd, b"x")
    return [name + ">" + mode_of(name) for name in names()]


@group.check(root=True, fixture=base_set_id)
def set_id_of_old_files_after_write_by_others():
    told = []
    for name in names():
        told.append(as_user(lambda: os.write(os.open(name, os.O_WRONLY), b"x")))
    return told, [name + ">" + mode_of(name) for name in names()]


@group.check(root=True)
def set_id_after_chown_by_root():
    told = []
    for mode in BITS + (0o2644,):
        set_up(mode, OTHER, GROUP)
        os.chown("f", THIRD, GROUP2)
        told.append("%04o>%s" % (mode, mode_of("f")))
    os.mkdir("d")
    os.chmod("d", 0o6777)
    os.chown("d", THIRD, GROUP2)
    return told, mode_of("d")


@group.check(root=True)
def set_id_after_chgrp_by_owner():
    told = []
    for mode in BITS:
        set_up(mode, OTHER, GROUP)
        told.append([as_user(os.chown, "f", -1, GROUP2, groups=(GROUP, GROUP2)), mode_of("f")])
    return told


@group.check(root=True)
def set_id_written_through_an_old_descriptor():
    """Root opened it; who writes is somebody else."""
    set_up(0o6777, OTHER, GROUP)
    fd = os.open("f", os.O_WRONLY)
    return as_user(os.write, fd, b"x"), mode_of("f")


CAP = bytes.fromhex("0100000200040000000000000000000000000000")


def capability(deed):
    def check():
        put("s", b"source")
        os.setxattr("f", "security.capability", CAP)
        told = said(deed)
        return told, said(lambda: len(os.getxattr("f", "security.capability")))

    return check


for word in (
    "write",
    "truncate",
    "o-trunc",
    "fallocate",
    "copy-file-range",
    "mmap",
    "chmod",
    "utimes",
    "rename",
    "link",
    "read",
    "chown-same",
):
    group.add("capability-after-" + word, capability(DEEDS[word]), {"f": b"0123456789"}, root=True)


def capability_fixture():
    put("f", b"0123456789")
    os.setxattr("f", "security.capability", CAP)


@group.check(root=True, fixture=capability_fixture)
def capability_of_an_old_file():
    told = len(os.getxattr("f", "security.capability"))
    write_it()
    return told, said(os.getxattr, "f", "security.capability")


@group.check
def capability_by_self():
    put("f")
    return said(os.setxattr, "f", "security.capability", CAP), said(
        lambda: len(os.getxattr("f", "security.capability"))
    )


# --- setgid directories ---


def setgid_dir():
    os.chmod(".", 0o755)
    os.mkdir("d")
    if AM_ROOT:
        os.chown("d", THIRD, GROUP)
    os.chmod("d", 0o2777)


def made_in_it():
    os.umask(0)
    put("d/f", b"", 0o777)
    put("d/s", b"", 0o2777)
    put("d/t", b"", 0o2767)
    os.mkdir("d/d", 0o777)
    os.symlink("x", "d/l")
    os.mkfifo("d/p", 0o2777)
    os.mkdir("d/d/deep", 0o700)
    return "made"


def what_was_made():
    gid = os.stat("d").st_gid
    return [
        "%s:%s:%s" % (name, mode_of("d/" + name), os.lstat("d/" + name).st_gid == gid) for name in names("d")
    ], mode_of("d/d/deep")


@group.check(fixture=setgid_dir)
def setgid_dir_by_self():
    return made_in_it(), what_was_made()


@group.check(root=True, fixture=setgid_dir)
def setgid_dir_by_others():
    return as_user(made_in_it), what_was_made()


@group.check(root=True, fixture=setgid_dir)
def setgid_dir_by_members():
    return as_user(made_in_it, groups=(GROUP,)), what_was_made()


@group.check(root=True, fixture=setgid_dir)
def setgid_dir_moved_into():
    put("f")
    os.rename("f", "d/f")
    os.mkdir("e")
    os.rename("e", "d/e")
    return os.stat("d/f").st_gid, os.stat("d/e").st_gid, mode_of("d/e")


@group.check(root=True, fixture=setgid_dir)
def setgid_dir_tmpfile():
    def deed():
        fd = os.open("d", os.O_TMPFILE | os.O_RDWR, 0o2777)
        return os.fstat(fd).st_gid, "%o" % os.fstat(fd).st_mode

    return as_user(deed)
