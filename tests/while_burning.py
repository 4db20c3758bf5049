#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits while others change the tree all the time, the files that are being burned among them.

while_burning.py PLACE SEED ROUNDS FILES BYTES BIG

In PLACE are the mount mnt of disc.img and the state directory state; the mount's DISCFS_FAULT waits for PLACE/go-NAME at
frozen, burn and written. Writers with up to FILES files of up to BYTES each do the same, in the same order, in mnt/m
and in host/m, a directory of this machine; one of them lets rsync make mnt/r equal to a source that changes. BIG files of BYTES are
there from the beginning.

Each round the writers are stopped (rsync by SIGSTOP, wherever it is), a commit freezes the tree, and a snapshot is taken
of it; then they go on, and behind every third of their doings the commit may take a step. What xorriso extracts of the
session must be the snapshot; what the mount shows at the next stop must be what the host has. One process keeps files open
through it all: an mmap, an O_APPEND, one without a name, and locks.
"""
import contextlib
import fcntl
import json
import mmap
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.abspath(__file__))
WRITERS = 2
LIMIT_S = int(os.environ.get("BURNING_PATIENCE", "100"))
MAP_BYTES = 65536
STOP, COUNTS = 0, 8  # places in the shared page: a byte; then for each writer its state (8 bytes) and count (8 bytes)


class Failed(Exception):
    pass


def check(right, *words):
    if not right:
        raise Failed(" ".join(str(word) for word in words))


class Signals:
    """What the writers and the one who stops them share."""

    def __init__(self):
        self.page = mmap.mmap(-1, 4096)

    def word(self, at):
        return struct.unpack_from("q", self.page, at)[0]

    def rest(self, number):
        """A writer's turn is over: it waits here while it should be still."""
        at = COUNTS + 16 * number
        struct.pack_into("q", self.page, at + 8, self.word(at + 8) + 1)
        while self.page[STOP]:
            struct.pack_into("q", self.page, at, 1)
            time.sleep(0.001)
        struct.pack_into("q", self.page, at, 0)

    def count(self):
        return sum(self.word(COUNTS + 16 * number + 8) for number in range(WRITERS + 1))

    def are_still(self):
        return all(self.word(COUNTS + 16 * number) for number in range(WRITERS + 1))


# --- a writer: each change is made below the mount and below the host ----------------------------------------------------

class Writer:
    def __init__(self, tops, number, seed, files, limit):
        self.tops = [os.path.join(top, "m", "w%d" % number) for top in tops]
        self.random = random.Random(seed * 1000 + number)
        self.files, self.limit, self.named = files, limit, 0

    def both(self, change):
        told = []
        for top in self.tops:
            try:
                told.append(change(top))
            except OSError as error:
                told.append(error.errno)
        check(told[0] == told[-1], "mount and host answer differently:", change, told)

    def look(self):
        self.dirs, self.names, self.links = [""], [], []
        top = self.tops[-1]
        for folder, dirs, files in os.walk(top):
            self.dirs += [os.path.relpath(os.path.join(folder, name), top) for name in dirs]
            for name in files:
                path = os.path.join(folder, name)
                (self.links if os.path.islink(path) else self.names).append(os.path.relpath(path, top))

    def new_name(self):
        self.named += 1
        return os.path.join(self.random.choice(self.dirs), "%s%d" % (self.random.choice(("n", "name", "x" * 70)), self.named))

    def data(self):
        size = self.random.choice((0, 1, 100, 2048, 5000, 12000, self.random.randrange(self.limit)))
        return self.random.randbytes(min(size, self.limit))

    def any_file(self):
        return self.random.choice(self.names) if self.names else None

    def create(self):
        name, data = self.new_name(), self.data()

        def change(top):
            with open(os.path.join(top, name), "wb") as file:
                file.write(data)
        return change

    def append(self):
        name, data = self.any_file(), self.data()

        def change(top):
            with open(os.path.join(top, name), "ab") as file:
                file.write(data)
        return change

    def patch(self):
        name, data, where = self.any_file(), self.data()[:20000], self.random.random()

        def change(top):
            with open(os.path.join(top, name), "r+b") as file:
                file.seek(int(where * os.fstat(file.fileno()).st_size))
                file.write(data)
        return change

    def truncate(self):
        name, share = self.any_file(), self.random.random() * 1.3
        return lambda top: os.truncate(os.path.join(top, name), int(share * os.stat(os.path.join(top, name)).st_size))

    def map(self):
        name, data, where = self.any_file(), self.random.randbytes(500), self.random.random()

        def change(top):
            with open(os.path.join(top, name), "r+b") as file:
                size = os.fstat(file.fileno()).st_size
                if size < 1000:
                    return
                with mmap.mmap(file.fileno(), size) as pages:
                    at = int(where * (size - 500))
                    pages[at:at + 500] = data
        return change

    def rewrite(self):
        """The same content once more."""
        name = self.any_file()

        def change(top):
            with open(os.path.join(top, name), "r+b") as file:
                data = file.read()
                file.seek(0)
                file.write(data)
        return change

    def copy(self):
        name, other = self.any_file(), self.new_name()

        def change(top):
            with open(os.path.join(top, name), "rb") as source, open(os.path.join(top, other), "wb") as target:
                while os.copy_file_range(source.fileno(), target.fileno(), 1 << 20):
                    pass
        return change

    def move(self):
        name = self.any_file()
        other = self.new_name() if self.random.random() < 0.6 else self.any_file()
        return lambda top: os.rename(os.path.join(top, name), os.path.join(top, other))

    def move_dir(self):
        name, other = self.random.choice(self.dirs), self.new_name()
        return lambda top: os.rename(os.path.join(top, name), os.path.join(top, other))

    def remove(self):
        name = self.random.choice(self.names + self.links)
        return lambda top: os.unlink(os.path.join(top, name))

    def remove_dir(self):
        name = self.random.choice(self.dirs[1:])
        return lambda top: shutil.rmtree(os.path.join(top, name))

    def make_dir(self):
        name = self.new_name()
        return lambda top: os.mkdir(os.path.join(top, name))

    def link(self):
        name, other = self.any_file(), self.new_name()
        return lambda top: os.link(os.path.join(top, name), os.path.join(top, other))

    def symlink(self):
        name, target = self.new_name(), "../" * self.random.randrange(3) + "t" * self.random.randrange(1, 200)
        return lambda top: os.symlink(target, os.path.join(top, name))

    def mode(self):
        name, mode = self.any_file(), self.random.choice((0o600, 0o644, 0o755, 0o4755, 0o400))
        return lambda top: os.chmod(os.path.join(top, name), mode)

    def stamp(self):
        name, when = self.any_file(), self.random.randrange(10**9, 2 * 10**9)
        return lambda top: os.utime(os.path.join(top, name), (when, when))

    def attribute(self):
        name, value = self.any_file(), self.random.randbytes(self.random.choice((1, 30, 300)))
        return lambda top: os.setxattr(os.path.join(top, name), "user.a%d" % (value[0] % 3), value)

    def step(self):
        self.look()
        few = len(self.names) < self.files // 2 or not self.names
        many = len(self.names) + len(self.links) > self.files
        if few:
            making = self.random.choice((self.create, self.create, self.create, self.make_dir, self.symlink))
        elif many:
            making = self.random.choice((self.remove, self.remove, self.remove_dir if len(self.dirs) > 1 else self.remove))
        else:
            making = self.random.choice(
                (self.create, self.append, self.append, self.patch, self.patch, self.truncate, self.map, self.map, self.rewrite,
                 self.copy, self.move, self.move, self.remove, self.make_dir, self.link, self.symlink, self.mode, self.stamp,
                 self.attribute) + ((self.move_dir,) * 2 if len(self.dirs) > 1 else ()))
        self.both(making())


def write_on(signals, tops, number, seed, files, limit):
    writer = Writer(tops, number, seed, files, limit)
    while True:
        writer.step()
        signals.rest(number)


# --- the one who keeps files open ------------------------------------------------------------------------------------------

class Holder:
    def __init__(self, tops, seed):
        self.random = random.Random(seed)
        self.sides = [self.open_all(os.path.join(top, "m", "held")) for top in tops]
        self.lines, self.nameless, self.marks = 0, b"", {}

    @staticmethod
    def open_all(top):
        side = {"top": top}
        os.mkdir(top)
        with open(top + "/mapped", "wb") as file:
            file.write(b"m" * MAP_BYTES)
        file = os.open(top + "/mapped", os.O_RDWR)
        side["map"] = mmap.mmap(file, MAP_BYTES)
        side["mapped"] = file
        side["log"] = os.open(top + "/log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        side["flock"] = os.open(top + "/flock", os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(side["flock"], fcntl.LOCK_EX)
        side["lock"] = os.open(top + "/lock", os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.lockf(side["lock"], fcntl.LOCK_EX)
        side["gone"] = os.open(top + "/gone", os.O_CREAT | os.O_RDWR, 0o644)
        os.unlink(top + "/gone")
        side["inos"] = {name: os.fstat(side[name]).st_ino for name in ("mapped", "log", "flock", "lock", "gone")}
        return side

    def step(self):
        at, mark = self.random.randrange(MAP_BYTES - 8), self.random.randbytes(8)
        self.lines += 1
        more = self.random.randbytes(700)
        for side in self.sides:
            side["map"][at:at + 8] = mark
            os.write(side["log"], b"line %d\n" % self.lines)
            os.pwrite(side["gone"], more, len(self.nameless))
        self.nameless = self.nameless + more if len(self.nameless) < 200000 else b""
        if not self.nameless:
            for side in self.sides:
                os.truncate(side["gone"], 0)
        self.check()

    def check(self):
        for side in self.sides:
            found = os.pread(side["gone"], 300000, 0)
            check(found == self.nameless, "the file without a name has", len(found), "other bytes than", len(self.nameless))
            check(os.fstat(side["gone"]).st_nlink == 0, "the file without a name has one")
            for name, ino in side["inos"].items():
                check(os.fstat(side[name]).st_ino == ino, name, "has another inode number")
                check(name == "gone" or os.stat(side["top"] + "/" + name).st_ino == ino, name, "is another file")
        check(self.sides[0]["map"][:] == self.sides[1]["map"][:], "the map shows other bytes")
        check(os.pread(self.sides[0]["mapped"], MAP_BYTES, 0) == self.sides[1]["map"][:], "the mapped file has other bytes")


def hold_on(signals, tops, seed):
    holder = Holder(tops, seed)
    while True:
        holder.step()
        signals.rest(WRITERS)
        time.sleep(0.002)


def check_locks(mount):
    """By another process than the one that holds them."""
    for name, lock in ("flock", fcntl.flock), ("lock", fcntl.lockf):
        with open("%s/m/held/%s" % (mount, name), "r+b") as file:
            try:
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            raise Failed("the %s is lost" % name)


# --- rsync ----------------------------------------------------------------------------------------------------------------

def sync_once(place):
    done = subprocess.run(["rsync", "-a", "--delete", "--no-whole-file", "--modify-window=-1", place + "/source/", place + "/mnt/r/"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(done.returncode == 0, "rsync:", done.stdout.decode())


def sync_on(place, seed, files, limit):
    writer = Writer([place + "/source"], 0, seed, files, limit)
    writer.tops = [place + "/source"]
    while True:
        for _ in range(8):
            writer.step()
        sync_once(place)


def group_processes(group):
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as file:
                    words = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[2]) == group and words[0] not in "ZX":
                yield words[0]


# --- all of it ------------------------------------------------------------------------------------------------------------

class Trial:
    def __init__(self, place, seed, rounds, files, limit, big):
        self.place, self.rounds = place, rounds
        self.mount, self.host = place + "/mnt", place + "/host"
        self.signals, self.children = Signals(), []
        tops = [self.mount, self.host]
        for top in tops:
            for number in range(WRITERS):
                os.makedirs("%s/m/w%d" % (top, number))
        os.makedirs(self.mount + "/r")
        os.makedirs(place + "/source")
        self.plant(tops, seed, limit, big)
        for number in range(WRITERS):
            self.start(write_on, self.signals, tops, number, seed, files, limit)
        self.start(hold_on, self.signals, tops, seed)
        self.sync_group = self.start(sync_on, place, seed + 77, files, limit)

    def plant(self, tops, seed, limit, big):
        numbers = random.Random(seed)
        for i in range(big):
            data = numbers.randbytes(limit)
            for top in tops:
                with open("%s/m/w%d/big%d" % (top, i % WRITERS, i), "wb") as file:
                    file.write(data)

    def start(self, work, *arguments):
        child = os.fork()
        if child:
            self.children.append(child)
            return child
        try:
            os.setpgid(0, 0)
            work(*arguments)
        except BaseException as error:
            print("FAIL: %s: %r" % (work.__name__, error), flush=True)
        os._exit(1)

    def check_children(self):
        for child in self.children:
            ended, _ = os.waitpid(child, os.WNOHANG)
            check(not ended, "a writer has ended")

    def until(self, what, *arguments):
        began = time.monotonic()
        while not what(*arguments):
            self.check_children()
            check(time.monotonic() - began < LIMIT_S, "it never comes to", what.__qualname__, *arguments, self.tell())
            time.sleep(0.003)

    def tell(self):
        with open(self.mount + "/.discfs/status") as file:
            status = file.read()
        processes = subprocess.run(["ps", "-eo", "pid,pgid,stat,wchan:30,args"], stdout=subprocess.PIPE).stdout.decode()
        return "\n".join([status] + [line for line in processes.splitlines() if self.place in line])

    def stop(self):
        self.signals.page[STOP] = 1
        self.until(self.signals.are_still)
        self.until(self.stop_sync)

    def stop_sync(self):
        """Who has just made a process waits until that has its program, which it never gets while it's stopped."""
        os.killpg(self.sync_group, signal.SIGSTOP)
        for _ in range(50):
            if all(state in "Tt" for state in group_processes(self.sync_group)):
                return True
            time.sleep(0.01)
        os.killpg(self.sync_group, signal.SIGCONT)
        return False

    def go_on(self):
        self.signals.page[STOP] = 0
        os.killpg(self.sync_group, signal.SIGCONT)

    def some_doings(self, how_many):
        began = self.signals.count()
        self.until(lambda: self.signals.count() - began >= how_many)

    def status(self):
        with open(self.mount + "/.discfs/status.json") as file:
            return json.load(file)

    def is_frozen(self):
        with contextlib.closing(sqlite3.connect("file:%s/overlay.db?mode=ro" % self.state, uri=True)) as db:
            return bool(db.execute("SELECT count(*) FROM journal").fetchone()[0])

    def manifest(self, top, *options):
        done = subprocess.run(["python3", "-I", "-S", TESTS + "/manifest.py", top, *options], stdout=subprocess.PIPE)
        check(done.returncode == 0, "the manifest of", top, "can't be made")
        return done.stdout.decode().splitlines()

    def compare(self, found, expected, what):
        if found == expected:
            return
        for lines, sign in (found, "+"), (expected, "-"):
            other = set(expected if lines is found else found)
            for line in [line for line in lines if line not in other][:10]:
                print(sign, line[:300])
        raise Failed("%s isn't the same (found +, expected -)" % what)

    def compare_host(self, found):
        """What the writers left; when they did it is a matter of either side's clock."""
        def timeless(lines):
            words = [line.split(" ") for line in lines if line.startswith("m/")]
            return [" ".join(word if word[1] == "l" else word[:4] + word[5:]) for word in words]
        self.compare(timeless(found), timeless(self.manifest(self.host, "--without", "root,softmeta")), "what the mount shows")

    def extract(self):
        top = self.place + "/extracted"
        subprocess.run(["rm", "-rf", top])
        done = subprocess.run(
            ["xorriso", "-abort_on", "FATAL", "-return_with", "SORRY", "32", "-report_about", "SORRY", "-acl", "on", "-xattr", "on",
             "-hardlinks", "on", "-indev", self.place + "/disc.img", "-osirrox", "on:auto_chmod_on:device_files:o_excl_off",
             "-extract", "/", top], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        check(done.returncode == 0, "xorriso:", done.stdout.decode(errors="replace"))
        return self.manifest(top, "--without", "root,softmeta")

    def let(self, name):
        with open("%s/go-%s" % (self.place, name), "w"):
            pass

    def round(self, number):
        for name in "frozen", "burn", "written":
            if os.path.exists("%s/go-%s" % (self.place, name)):
                os.unlink("%s/go-%s" % (self.place, name))
        before = self.status()
        with open(self.mount + "/.discfs/control", "w") as control:
            control.write("commit-nowait\n")
        self.state = before["state_directory"]
        self.until(self.is_frozen)
        snapshot = self.manifest(self.mount, "--without", "root,softmeta")
        self.compare_host(snapshot)
        self.go_on()
        for name in "frozen", "burn", "written":
            self.let(name)
            self.some_doings(15)
        self.until(lambda: not self.status()["work"])
        last = self.status()["last"]
        check(last["errno"] == 0 and last["session"] == len(before["sessions"]) + 1, "the commit ended with", last)
        self.compare(self.extract(), snapshot, "session %d" % last["session"])
        check_locks(self.mount)
        self.stop()
        return last

    def run(self):
        self.some_doings(30)
        self.stop()
        seconds = 0
        for number in range(self.rounds):
            seconds += self.round(number)["seconds"]
        self.compare_host(self.manifest(self.mount, "--without", "root,softmeta"))
        print("%d commits of %.2f s on average, %d doings of the writers" %
              (self.rounds, seconds / self.rounds, self.signals.count()))

    def end(self):
        for child in self.children:
            try:
                os.killpg(child, signal.SIGKILL)
            except ProcessLookupError:
                pass


def main():
    place = sys.argv[1]
    trial = Trial(place, *map(int, sys.argv[2:]))
    try:
        trial.run()
        trial.end()
        sync_once(place)
        source, target = (trial.manifest(top, "--without", "root,links,softmeta,xattr") for top in (place + "/source", place + "/mnt/r"))
        trial.compare(target, source, "what rsync made")
    except Failed as error:
        print("FAIL:", error)
        sys.exit(1)
    finally:
        trial.end()


main()
