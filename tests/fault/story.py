#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs do in a mount, with one failure of its state directory after the other.

story.py ORDERS MOUNT EXPECTED SLOWNESS

ORDERS is the file that the daemon's failing.so follows. Each round makes the Nth call of a kind fail. What succeeds in
the mount is done in the directory EXPECTED as well; what fails must say ENOSPC, EIO or ENOMEM and must have changed
nothing. Then the failure ends: the mount must take everything again, without being mounted anew, and both trees must be
equal. SLOWNESS: only every so many rounds."""
import errno
import os
import sys

FAULTS = {errno.ENOSPC, errno.EIO, errno.ENOMEM}
# kind, errno, files, how many fail in a row, the first that fails, steps between them, rounds at most
TABLE = [
    ("write", "ENOSPC", "spool", 1, 1, 1, 10),
    ("write", "EIO", "spool", 2, 1, 2, 5),
    ("write", "SHORT", "spool", 1, 1, 3, 3),
    ("write", "ENOSPC", "overlay.db", 1, 1, 7, 12),
    ("write", "ENOSPC", "overlay.db", 60, 2, 11, 6),
    ("write", "EIO", "overlay.db", 3, 3, 13, 6),
    ("sync", "EIO", "spool", 1, 1, 1, 4),
    ("sync", "EIO", "overlay.db", 1, 1, 1, 4),
    ("sync", "EIO", "", 5, 1, 3, 4),
    ("step", "ENOSPC", "", 1, 1, 11, 10),
    ("step", "EIO", "", 1, 5, 13, 8),
    ("statement", "ENOSPC", "", 1, 3, 17, 6),
    ("memory", "ENOMEM", "", 1, 1, 23, 10),
]


class Orders:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR)
        self.serial = 0

    def give(self, order):
        self.serial += 1  # the same order twice is two orders
        os.pwrite(self.fd, ("%s #%d" % (order, self.serial)).encode().ljust(64, b"\0"), 0)
        os.pwrite(self.fd, b"0 0".ljust(64, b"\0"), 64)

    def failed(self):
        return int(os.pread(self.fd, 64, 64).split()[0])


def pattern(seed, length):
    block = bytes((seed + i * 7) % 256 for i in range(251))  # no page is like the next
    return (block * (length // len(block) + 1))[:length]


def put(path, data, flags=0, offset=0, sync=False):
    fd = os.open(path, os.O_WRONLY | flags, 0o644)
    try:
        while data:
            done = os.pwrite(fd, data, offset)
            data, offset = data[done:], offset + done
        if sync:
            os.fsync(fd)
    finally:
        os.close(fd)


def write(name, seed, length, sync=False):
    """A whole file. After a failure nobody knows what is in it: it's written again later."""
    def act(top):
        put(top + "/" + name, pattern(seed, length), os.O_CREAT | os.O_TRUNC, 0, sync)
    return act, name


def patch(name, seed, offset, length):
    def act(top):
        put(top + "/" + name, pattern(seed, length), 0, offset, True)
    return act, name


def call(function, *words):
    """A change to names or attributes: done or not done. Words that begin with / are paths."""
    def act(top):
        function(*[top + word if isinstance(word, str) and word.startswith("/") else word for word in words])
    return act, None


def sync_dir(name):
    def act(top):
        fd = os.open(top + "/" + name, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    return act, None


def story(number):
    this, last = "r%d" % number, "r%d" % (number - 1)
    return [
        call(os.mkdir, "/" + this),
        write(this + "/a", number, 10000, True),
        call(os.mkdir, "/" + this + "/sub"),
        call(os.rename, "/" + this + "/a", "/" + this + "/sub/b"),
        call(os.symlink, "nowhere", "/" + this + "/symlink"),
        call(os.link, "/" + this + "/sub/b", "/" + this + "/linked"),
        write(this + "/big", number + 1, 200000),
        patch(this + "/sub/b", number + 2, 100, 5000),
        call(os.setxattr, "/" + this + "/sub/b", "user.note", b"round %d" % number),
        call(os.chmod, "/" + this + "/sub", 0o700),
        write(this + "/c", number + 3, 3000),
        call(os.replace, "/" + this + "/c", "/" + this + "/linked"),
        call(os.truncate, "/" + this + "/big", 150000),
        patch("base", number + 4, 1000 * number % 50000, 2000),
        sync_dir(this),
        call(os.unlink, "/" + last + "/big"),
        call(os.rename, "/" + last + "/sub", "/" + this + "/moved"),
        call(os.utime, "/" + this + "/sub/b", (number, number)),
    ]


def attempt(act, top):
    try:
        act(top)
    except OSError as error:
        return error.errno
    return 0


def tell(top, name=""):
    """All that can be seen below, but for the times, which are set by an utime only."""
    path = os.path.join(top, name)
    st = os.lstat(path)
    line = "%s %o %d" % (name, st.st_mode, st.st_nlink)
    if os.path.islink(path):
        return [line + " -> " + os.readlink(path)]
    line += " %s" % sorted((key, os.getxattr(path, key)) for key in os.listxattr(path) if key.startswith("user."))
    if not os.path.isdir(path):
        with open(path, "rb") as file:
            data = file.read()
        return ["%s %d %x%s" % (line, len(data), hash(data), " %d" % st.st_mtime if st.st_mtime < 10000 else "")]
    lines = [line]
    for entry in sorted(os.listdir(path)):
        lines += tell(top, os.path.join(name, entry))
    return lines


def compare(mount, expected, what, names):
    found, wanted = [sum([tell(top, name) for name in names], sorted(os.listdir(top))) for top in (mount, expected)]
    if found == wanted:
        return
    for line in sorted(set(found) ^ set(wanted)):
        print("%s %s" % ("only in the mount:" if line in found else "missing in the mount:", line))
    sys.exit("FAIL: %s: the trees differ" % what)


def succeed(act, top, what):
    """Linux tells of a write that failed once more, at the first sync of the file, whoever asks for it."""
    for _ in range(3):
        last = attempt(act, top)
        if last == 0:
            return
    sys.exit("FAIL: after the failure %s: %s" % (what, os.strerror(last)))


def is_there(path):
    for _ in range(10):
        got = attempt(os.lstat, path)
        if got not in FAULTS:
            return got == 0
    sys.exit("FAIL: %s can't be looked at: %s" % (path, os.strerror(got)))


def write_again(numbers, mount, expected):
    """Those files, wherever they are by now, get what they must have."""
    for folder, _, names in os.walk(expected):
        for name in names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            if st.st_ino in numbers:
                with open(path, "rb") as file:
                    data = file.read()
                succeed(lambda to: put(to, data, os.O_TRUNC, 0, True), mount + path[len(expected):],
                        path + " can't be written")
                os.utime(mount + path[len(expected):], ns=(st.st_atime_ns, st.st_mtime_ns))


def play(orders, order, number, mount, expected):
    """One round. Returns how often something failed, for the daemon and for programs."""
    unknown, refused = set(), 0
    orders.give(order)
    for act, content in story(number):
        got = attempt(act, mount)
        if got in FAULTS:
            refused += 1
            if content and is_there(mount + "/" + content):
                act(expected)
                unknown.add(os.stat(expected + "/" + content).st_ino)
            continue
        wanted = attempt(act, expected)
        if got != wanted:
            sys.exit("FAIL: %s: %s instead of %s" % (order, os.strerror(got), os.strerror(wanted)))
    struck = orders.failed()
    orders.give("off")
    succeed(sync_dir("")[0], mount, "nothing can be synced")
    write_again(unknown, mount, expected)
    compare(mount, expected, order, ["base"] + [name for name in ("r%d" % number, "r%d" % (number - 1))
                                               if os.path.exists(expected + "/" + name)])
    return struck, refused


def main():
    orders, mount, expected, slowness = Orders(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    number = 1
    for kind, err, files, count, first, stride, most in TABLE:
        struck = refused = rounds = 0
        for i in range(0, most, slowness):
            order = "%s:%d:%d:%s%s" % (kind, first + i * stride, count, err, ":" + files if files else "")
            one = play(orders, order, number, mount, expected)
            struck, refused, rounds, number = struck + one[0], refused + one[1], rounds + 1, number + 1
        print("%s %s %s: %d failures in %d rounds, of which programs saw %d" % (kind, err, files, struck, rounds, refused))
        if struck == 0:
            sys.exit("FAIL: nothing failed")
    compare(mount, expected, "at the end", sorted(os.listdir(expected)))


main()
