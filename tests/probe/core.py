# SPDX-License-Identifier: GPL-2.0-or-later
"""What every check is written with: registration, fixtures, results as text, children of another identity.

A check is a function in a module of checks/. It runs in a process of its own, in a fresh directory that is its working
directory, with umask 022, and what it returns becomes its result. An OSError becomes the name of its errno. So

    @group.check(fixture={"f": b"text"})
    def exclusive_on_a_file():
        os.open("f", os.O_CREAT | os.O_EXCL)

prints "create/exclusive-on-a-file: EEXIST". A fixture is what is there before the check: a dict of "path": bytes (a
file), "path/": mode or None (a directory), "path": str (a symbolic link), or any function; it may be on the disc when
the check begins. Results must not tell times, inode numbers or identities as such: they are compared.
"""
import errno
import os
import pickle
import signal
import sys
import time

CHECKS = []
OTHER, THIRD = 54321, 54322  # identities that own nothing
GROUP, GROUP2 = 54331, 54332
LIMIT = 120  # seconds of a check that hangs; syncfs on the host waits for what all others wrote there
TICK = 0.012  # more than a jiffy, which is what coarse times are counted in
MOST = 64 << 20  # of a file that grew by mistake
AM_ROOT = os.geteuid() == 0


class Check:
    def __init__(self, name, function, fixture, root):
        self.name, self.function, self.fixture, self.root = name, function, fixture, root

    def prepare(self):
        if isinstance(self.fixture, dict):
            build(self.fixture)
        elif self.fixture:
            self.fixture()

    def run(self):
        return self.function()


class Group:
    def __init__(self, name):
        self.name = name

    def check(self, function=None, *, fixture=None, root=False):
        """root: only root can do that, so it isn't run as anybody else."""

        def register(function):
            self.add(function.__name__.strip("_").replace("_", "-"), function, fixture, root)
            return function

        return register(function) if function else register

    def add(self, name, function, fixture=None, root=False):
        """For families of checks that are made in a loop."""
        CHECKS.append(Check(self.name + "/" + name, function, fixture, root))


# --- results as text ---


def text(value):
    if value is None:
        return "ok"
    if isinstance(value, OSError) and value.errno:
        return errno.errorcode.get(value.errno, str(value.errno))
    if isinstance(value, BaseException):
        return "%s %s" % (type(value).__name__, value)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return repr(value)[1:] if len(value) <= 80 else "%d bytes, sum %d" % (len(value), sum(value))
    if isinstance(value, (list, tuple)):
        if not value:
            return "()"
        return " ".join(text(part) for part in value)
    if isinstance(value, (set, frozenset)):
        return "{%s}" % " ".join(sorted(text(part) for part in value))
    if isinstance(value, dict):
        return " ".join("%s=%s" % (key, text(part)) for key, part in value.items())
    return str(value)


def said(function, *args, **named):
    """The result of a call, or the name of its errno: for checks with several steps."""
    try:
        return text(function(*args, **named))
    except OSError as error:
        return text(error)


def yes(value, true="yes", false="no"):
    return true if value else false


# --- processes ---


def forked(function, *args):
    """Calls it in a child; its result, its errno, or the signal that killed it, as text."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(LIMIT)
        try:
            result = text(function(*args))
        except BaseException as error:  # whatever it is, it is the result
            result = text(error)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said_it = pipe.read()
    status = os.waitpid(child, 0)[1]
    if said_it:
        return pickle.loads(said_it)
    return signal.Signals(status & 127).name if status & 127 else "exit %d" % (status >> 8)


def become(uid, gid, groups=()):
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def as_user(function, *args, uid=OTHER, gid=OTHER, groups=()):
    """Calls it in a child of that identity. Only root can."""

    def other():
        become(uid, gid, groups)
        return function(*args)

    return forked(other)


class Beside:
    """A child that runs function(step) beside the check; go() lets it pass its next step(), and waits for that."""

    def __init__(self, function):
        self.down, self.up = os.pipe(), os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.close(self.down[1])
            signal.alarm(LIMIT)
            try:
                function(self.step)
            except BaseException as error:
                os.write(self.up[1], b"!" + text(error).encode())
            os._exit(0)
        os.close(self.down[0])
        os.close(self.up[1])
        self.read()

    def step(self):
        os.write(self.up[1], b".")
        os.read(self.down[0], 1)

    def read(self):
        word = os.read(self.up[0], 200)
        if word.startswith(b"!"):
            raise RuntimeError("beside: " + word.decode())

    def go(self):
        os.write(self.down[1], b".")
        self.read()

    def end(self):
        os.close(self.down[1])
        os.waitpid(self.child, 0)


# --- fixtures and small deeds ---


def put(path, data=b"", mode=0o644):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    while data:
        data = data[os.write(fd, data) :]
    os.close(fd)


def get(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        data = b""
        while len(data) < MOST and (block := os.read(fd, 1 << 20)):
            data += block
        return data
    finally:
        os.close(fd)


def build(spec):
    for path, what in spec.items():
        if path.endswith("/"):
            os.mkdir(path)
            os.chmod(path, 0o755 if what is None else what)
        elif isinstance(what, bytes):
            put(path, what)
        elif isinstance(what, str):
            os.symlink(what, path)
        else:
            what(path)


def mode_of(path, follow=False):
    return "%04o" % (os.stat(path, follow_symlinks=follow).st_mode & 0o7777)


def kind_of(path):
    kinds = {
        0o100000: "file",
        0o040000: "dir",
        0o120000: "link",
        0o010000: "fifo",
        0o140000: "socket",
        0o020000: "char",
        0o060000: "block",
    }
    try:
        return kinds[os.lstat(path).st_mode & 0o170000]
    except FileNotFoundError:
        return "none"


def names(path="."):
    return sorted(os.listdir(path))


def size_of(path):
    return os.stat(path).st_size


def links_of(path):
    return os.lstat(path).st_nlink


def same_file(one, two):
    a, b = os.lstat(one), os.lstat(two)
    return yes((a.st_ino, a.st_dev) == (b.st_ino, b.st_dev), "same file", "two files")


def opened(path, flags=os.O_RDONLY, mode=0o644):
    """Opens and closes: for checks of the open itself."""
    os.close(os.open(path, flags, mode))


def sleep():
    time.sleep(TICK)


def times_of(path):
    if isinstance(path, int):
        st = os.fstat(path)
    else:
        st = os.lstat(path)
    return {"atime": st.st_atime_ns, "mtime": st.st_mtime_ns, "ctime": st.st_ctime_ns}


def changed(paths, deed, *args):
    """Which times of the file(s) change by the deed: "mtime ctime", or "none"; and what the deed said if it failed."""
    several = isinstance(paths, (list, tuple))
    paths = paths if several else [paths]
    before = [times_of(path) for path in paths]
    sleep()
    result = ""
    try:
        deed(*args)
    except OSError as error:
        result = " (%s)" % text(error)
    words = []
    for path, old in zip(paths, before):
        new = times_of(path)
        told = ",".join(name for name in old if new[name] != old[name]) or "none"
        words.append("%s: %s" % (path, told) if several else told)
    return "; ".join(words) + result
