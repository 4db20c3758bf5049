# SPDX-License-Identifier: GPL-2.0-or-later
"""What is at the edge of what Rock Ridge can express: extremes.py make DIR | check DIR, by extremes.sh.

make: each of it is refused by its system call with the right errno, or taken. check: what was taken is there as it was made."""
import errno
import json
import os
import stat
import sys

NAME_MOST, TARGET_MOST, PART_MOST = 255, 1023, 255
LINKS = int(os.environ.get("LINKS", "2000"))  # 64999: as many as there can be, and a refusal


def refuse(number, what, call, *arguments):
    """The call must fail with that errno."""
    try:
        call(*arguments)
    except OSError as error:
        if error.errno == number:
            return
        sys.exit("%s: %s instead of %s" % (what, errno.errorcode[error.errno], errno.errorcode[number]))
    sys.exit("%s: taken instead of refused with %s" % (what, errno.errorcode[number]))


def make_names():
    os.mkdir("bytes")
    for byte in set(range(1, 256)) - {ord("/"), ord(".")}:
        os.close(os.open(b"bytes/" + bytes([byte]), os.O_CREAT | os.O_WRONLY))
    for unit in (b"n", b"\xc3\xa4", b"\xe6\x97\xa5", b"\xf0\x9f\x99\x82", b"\xff", b".", b" ", b"\\", b"\n", b"\x01"):
        for length in (253, 254, 255):
            name = unit * (length // len(unit)) + b"x" * (length % len(unit))
            os.mkdir(b"long-" + b"%d-%s" % (length, unit.hex().encode()))
            os.mknod(b"long-" + b"%d-%s/" % (length, unit.hex().encode()) + name, stat.S_IFREG | 0o644)
    long = "n" * (NAME_MOST + 1)
    open("short", "w").close()
    os.mkdir("short-dir")
    for what, call, arguments in (("open", os.open, (long, os.O_CREAT | os.O_WRONLY)), ("mkdir", os.mkdir, (long,)), ("mknod", os.mknod, (long,)),
                                  ("mkfifo", os.mkfifo, (long,)), ("symlink", os.symlink, ("x", long)), ("link", os.link, ("short", long)),
                                  ("rename", os.rename, ("short", long)), ("rename", os.rename, ("short-dir", "short-dir/../" + long))):
        refuse(errno.ENAMETOOLONG, "%s of a name of 256 bytes" % what, call, *arguments)


def make_targets():
    os.mkdir("targets")
    targets = ["x", "/", "..", ".", "/..", "a/.", "a b", "\n", "\\", ";1", "x" * PART_MOST, "x" * PART_MOST + "/y", "x" * 248, "x" * 249, "x" * 250, "x/" * 511 + "x", "y/" * 240 + "x",
               "d" * 248 + "/" + "e" * 248, "/" + "/".join(["p" * 100] * 10), "../" * 300 + "x", "日" * 80]
    for i, target in enumerate(targets):
        os.symlink(target, "targets/%d" % i)
    refuse(errno.ENAMETOOLONG, "a target of 1024 bytes", os.symlink, "x/" * 512, "targets/long")
    refuse(errno.ENAMETOOLONG, "a target with a part of 256 bytes", os.symlink, "a/" + "x" * (PART_MOST + 1), "targets/part")
    refuse(errno.ENAMETOOLONG, "a long part with more behind it", os.symlink, "a" * 245 + "/" + "x" * PART_MOST + "/y", "targets/split")
    refuse(errno.ENOENT, "an empty target", os.symlink, "", "targets/empty")


def make_numbers():
    os.mkdir("numbers")
    for uid, gid in ((0, 2**32 - 2), (2**32 - 2, 0), (2**31, 2**31 - 1), (65535, 65536)):
        path = "numbers/%d-%d" % (uid, gid)
        os.mknod(path)
        os.chown(path, uid, gid)
    for major, minor in ((4095, 2**20 - 1), (0, 0), (0, 255), (255, 256), (300, 70000)):
        os.mknod("numbers/c%d-%d" % (major, minor), stat.S_IFCHR | 0o600, os.makedev(major, minor))
        os.mknod("numbers/b%d-%d" % (major, minor), stat.S_IFBLK | 0o600, os.makedev(major, minor))
    for mode in [1 << bit for bit in range(12)] + [0, 0o7777]:
        os.mknod("numbers/mode%04o" % mode)
        os.chmod("numbers/mode%04o" % mode, mode)
        os.mkdir("numbers/dir%04o" % mode)
        os.chmod("numbers/dir%04o" % mode, mode)
    for second in (-2208988800, -1, 0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 5869583999):  # 1900 to 2155
        os.mknod("numbers/time%d" % second)
        os.utime("numbers/time%d" % second, (second, second))


def make_deep():
    """30 directories with names of 255 bytes: a path longer than a system call takes."""
    top = os.open(".", os.O_RDONLY)
    os.mkdir("deep")
    os.chdir("deep")
    for i in range(30):
        os.mkdir("d%d-" % (i % 10) + "e" * 252)
        os.chdir("d%d-" % (i % 10) + "e" * 252)
    with open("f" * 255, "w", encoding="ascii") as file:
        file.write("deep")
    os.fchdir(top)
    os.close(top)


def make_attributes():
    os.mkdir("attributes")
    for name in ("value", "many", "name"):
        os.mknod("attributes/" + name)
    os.setxattr("attributes/value", "user.value", os.urandom(65536))
    refuse(errno.E2BIG, "an attribute of 65,537 bytes", os.setxattr, "attributes/value", "user.more", bytes(65537))
    os.setxattr("attributes/name", "user." + "n" * 250, b"")
    refuse(errno.ERANGE, "an attribute's name of 256 bytes", os.setxattr, "attributes/name", "user." + "n" * 251, b"")
    try:
        for i in range(100):
            os.setxattr("attributes/many", "user.%d" % i, bytes([i]) * 60000)
        sys.exit("a file took 6 MB of attributes")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    if len(os.listxattr("attributes/many")) < 10:
        sys.exit("a file took less than 600 kB of attributes")


def make_links():
    os.mkdir("links")
    with open("links/first", "w", encoding="ascii") as file:
        file.write("one body")
    top = os.open("links", os.O_RDONLY)
    for i in range(LINKS):
        os.link("first", "l%d" % i, src_dir_fd=top, dst_dir_fd=top)
    if LINKS == 64999:
        refuse(errno.EMLINK, "the 65,001st name", os.link, "links/first", "links/more")
    os.close(top)


def entry_of(dir_fd, name):
    st = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    kind = stat.S_IFMT(st.st_mode)
    entry = [st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_size if kind == stat.S_IFREG else 0, st.st_rdev, st.st_mtime_ns // 10**9]
    if kind == stat.S_IFLNK:
        entry.append(os.readlink(name, dir_fd=dir_fd).hex())
    return entry


def walk(dir_fd, path, ret):
    for name in os.listdir(dir_fd):
        raw = os.fsencode(name)
        entry = entry_of(dir_fd, raw)
        if stat.S_ISDIR(entry[0]):
            below = os.open(raw, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=dir_fd)
            walk(below, path + "/" + raw.hex(), ret)
            os.close(below)
        elif not path.endswith("/" + b"links".hex()):
            ret[path + "/" + raw.hex()] = entry
        else:  # each of them is the same
            ret.setdefault(path, [0, []])
            ret[path][0] += 1
            if entry not in ret[path][1]:
                ret[path][1].append(entry)
        if stat.S_ISDIR(entry[0]):
            ret[path + "/" + raw.hex()] = entry


def told():
    ret = {}
    top = os.open(".", os.O_RDONLY)
    walk(top, "", ret)
    os.close(top)
    for name in ("value", "many", "name"):
        path = "attributes/" + name
        ret["xattr " + name] = sorted([key, os.getxattr(path, key).hex()] for key in os.listxattr(path))
    return ret


def main():
    what, top, kept = sys.argv[1:4]
    kept = os.path.abspath(kept)
    os.chdir(top)
    os.umask(0o22)
    if what == "make":
        for make in (make_names, make_targets, make_numbers, make_deep, make_attributes, make_links):
            make()
        with open(kept, "w", encoding="ascii") as file:
            json.dump(told(), file)
        return
    with open(kept, encoding="ascii") as file:
        before = json.load(file)
    now = json.loads(json.dumps(told()))
    differ = [path for path in sorted(set(before) | set(now)) if before.get(path) != now.get(path)]
    for path in differ[:20]:
        print("%s: was %.200s, is %.200s" % (path, before.get(path), now.get(path)))
    print("%d things compared" % len(before))
    sys.exit(bool(differ))


main()
