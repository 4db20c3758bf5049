#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every fault point of a commit x what can happen there, on one kind of medium.

matrix.py POINTS KIND [PART OF]     in an empty directory that is a test's $T

POINTS prints the table of points, so none can be forgotten. KIND: image, or a medium of the simulated burner. What
happens at each point: kill -9 of the worker that runs then, of the daemon, of both, EIO, ENOSPC. PART OF: of each OF
cells in a row one is played, so that each point and each happening still comes by.

After each: who asked for the commit wasn't told that it succeeded unless it did; the tree in the mount is what it was;
what was staged is either on the disc as a whole or staged as a whole, also after the next mount; the next commit
succeeds. And at the end of each disc every good session is read back by xorriso, byte for byte.
"""
import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

HAPPENINGS = ["kill-worker", "kill-daemon", "kill-both", "EIO", "ENOSPC"]
T = os.environ["T"]
MNT, MODEL, SEEN, GO = (os.path.join(T, name) for name in ("mnt", "model", "seen", "go"))
WAIT = 60


def fail(text):
    raise SystemExit("FAIL: " + text)


def until(what, condition, seconds=WAIT):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            fail("%s: not within %d s" % (what, seconds))
        time.sleep(0.005)
    return found


def picture(top):
    """What a session must bring back, path by path."""
    tree = {}
    for at, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(at, name)
            st = os.lstat(path)
            words = [stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode)]
            if stat.S_ISLNK(st.st_mode):
                words.append(os.readlink(path))
            elif not stat.S_ISDIR(st.st_mode):
                with open(path, "rb") as file:
                    words += [st.st_nlink, st.st_size, int(st.st_mtime), hashlib.sha256(file.read()).hexdigest()]
            tree[os.path.relpath(path, top)] = words
    return tree


def same(found, expected, what):
    for path in sorted(set(found) | set(expected)):
        if found.get(path) != expected.get(path):
            fail("%s: %s is %s, expected %s" % (what, path, found.get(path), expected.get(path)))


class Disc:
    """The medium, the mount, and what must be on both."""

    def __init__(self, kind):
        self.kind = kind
        self.drive = kind != "image"
        self.has_head = kind in ("image", "dvd+rw", "bd-re", "dvd-ram")
        self.source = "/dev/sr0" if self.drive else os.path.join(T, "disc.img")
        self.state = os.path.join(T, "st")
        self.good = {}  # pictures by first sector
        self.number = 0
        self.env = dict(os.environ)
        if self.drive:
            self.env["LD_PRELOAD"] = os.environ["MMCSIM_SO"]
        self.begin()

    def begin(self):
        for tree in (self.state, MODEL):
            shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(MODEL)
        os.makedirs(MNT, exist_ok=True)
        self.good.clear()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(T, "disc") if self.drive else self.source)
        if self.drive:
            self.run(["mmcsim", "new", self.kind, os.path.join(T, "disc"), "--sectors", "200000"])
            self.run(["mmcsim", "insert", os.path.join(os.environ["MMCSIM"], "sr0"), os.path.join(T, "disc")])
        else:
            self.run(["discfsctl", "create", "--media", "dvd", self.source])
        self.mount()
        self.stage()
        self.commit_well()
        self.unmount()

    def run(self, command, **options):
        done = subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=WAIT, **options)
        if done.returncode:
            fail("%s: %s" % (" ".join(command), done.stdout))
        return done.stdout

    def mount(self, fault=""):
        """A drive may still be busy with what a dead daemon began."""
        env = dict(self.env, DISCFS_FAULT=fault, DISCFS_FAULT_SEEN=SEEN) if fault else self.env
        end = time.monotonic() + WAIT
        while True:
            done = subprocess.run(["discfs", self.source, MNT, "-o", "state=" + self.state], env=env, timeout=WAIT,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode == 0:
                break
            if time.monotonic() > end or not ("in use" in done.stdout or "busy" in done.stdout or
                                              "has this disc" in done.stdout):
                fail("mount: " + done.stdout)
            time.sleep(0.1)
        print(done.stdout, end="")
        self.pid = self.status()["pid"]

    def status(self):
        with open(os.path.join(MNT, ".discfs/status.json")) as file:
            return json.load(file)

    def changes(self):
        with open(os.path.join(MNT, ".discfs/changes"), "rb") as file:
            return file.read()

    def unmount(self):
        end = os.pidfd_open(self.pid)
        self.run(["fusermount3", "-u", MNT])
        self.await_death(end)

    @staticmethod
    def await_death(end):
        import select
        if not select.select([end], [], [], WAIT)[0]:
            fail("the daemon doesn't end")
        os.close(end)

    def stage(self):
        """New, changed, renamed and deleted files; the same in the mount and in the model."""
        self.number += 1
        n, content = self.number, os.urandom(60000)
        for top in (MNT, MODEL):
            def at(name):
                return os.path.join(top, name)
            os.mkdir(at("dir%d" % n))
            with open(at("dir%d/new" % n), "wb") as file:
                file.write(content)
            os.link(at("dir%d/new" % n), at("linked%d" % n))
            with open(at("log"), "a") as file:
                file.write("%d\n" % n)
            with open(at("random"), "wb") as file:
                file.write(content[::-1])
            if os.path.exists(at("dir%d" % (n - 1))):
                os.rename(at("dir%d" % (n - 1)), at("moved%d" % (n - 1)))
            if os.path.exists(at("linked%d" % (n - 2))):
                os.unlink(at("linked%d" % (n - 2)))
            else:
                os.symlink("log", at("pointing%d" % n))
            for path, _, files in os.walk(top):
                for name in files:
                    os.utime(os.path.join(path, name), (1500000000 + n,) * 2, follow_symlinks=False)
        self.staged = picture(MODEL)

    def commit(self):
        """0 or the errno."""
        try:
            os.setxattr(MNT, "user.discfs.commit", b"")
        except OSError as err:
            return err.errno
        return 0

    def committed(self):
        self.good[self.status()["sessions"][-1]["start"]] = self.staged
        if len(self.status()["sessions"]) != len(self.good):
            fail("%d sessions, expected %d" % (len(self.status()["sessions"]), len(self.good)))

    def commit_well(self):
        err = self.commit()
        if err:
            fail("commit: %s: %s" % (os.strerror(err), self.status()["last"]["message"]))
        if self.changes():
            fail("after a commit there is still staged: %s" % self.changes())
        same(picture(MNT), self.staged, "after a commit")
        self.committed()

    def check_sessions(self):
        found = os.path.join(T, "found")
        for start, expected in self.good.items():
            shutil.rmtree(found, ignore_errors=True)
            self.run(["xorriso", "-abort_on", "FAILURE", "-return_with", "SORRY", "32", "-report_about", "SORRY",
                      "-hardlinks", "on", "-load", "sbsector", str(start), "-indev", self.source,
                      "-osirrox", "on:auto_chmod_on:o_excl_off", "-extract", "/", found])
            same(picture(found), expected, "the session at %d by xorriso" % start)


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open("/proc/%s/stat" % name) as file:
                if int(file.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(name))
    return found


def seen(point):
    with contextlib.suppress(FileNotFoundError), open(SEEN) as file:
        return point in file.read().split()
    return False


class Cell:
    def __init__(self, disc, point, happening):
        self.disc, self.point, self.happening = disc, point, happening
        self.what = "%s, %s%s, %s" % (disc.kind, point["name"], point["also"], happening)
        self.kills = happening.startswith("kill")

    def fault(self):
        action = "await=" + GO if self.kills else str(getattr(errno, self.happening))
        return "%s:%s%s" % (self.point["name"], action, self.point["also"])

    def happen(self):
        workers = children(self.disc.pid)
        victims = {"kill-worker": workers, "kill-daemon": [self.disc.pid], "kill-both": workers + [self.disc.pid]}
        for pid in victims[self.happening]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with open(GO, "w"):
            pass

    def play(self):
        disc, results = self.disc, []
        for path in (SEEN, GO):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        disc.mount(self.fault())
        disc.stage()
        changes, end = disc.changes(), os.pidfd_open(disc.pid)
        thread = threading.Thread(target=lambda: results.append(disc.commit()))
        thread.start()
        until(self.what + ": comes by", lambda: seen(self.point["name"]) or not thread.is_alive())
        if not seen(self.point["name"]):
            fail("%s: the commit never came by" % self.what)
        if self.kills:
            self.happen()
        thread.join(WAIT)
        if thread.is_alive():
            fail(self.what + ": the commit doesn't end")
        if self.happening in ("kill-daemon", "kill-both"):
            disc.await_death(end)
            subprocess.run(["fusermount3", "-uz", MNT], check=True)
            if not results[0]:
                fail(self.what + ": who asked a dead daemon was told of success")
        else:
            os.close(end)
            self.check_answer(results[0], changes)
            disc.unmount()
        self.check_afterwards(changes, results[0])

    def check_answer(self, err, changes):
        disc = self.disc
        if not err and not self.kills and self.point["ends"] == "badly":
            fail(self.what + ": an error passed for success")
        same(picture(MNT), disc.staged, self.what)
        if disc.changes() != (changes if err else b""):
            fail("%s: the commit ended with %d, and staged is %s" % (self.what, err, disc.changes()))
        last = disc.status()["last"]
        if bool(last["exit"]) != bool(err) or (err and not last["message"]):
            fail("%s: the commit ended with %d, and the status says %s" % (self.what, err, last))

    def check_afterwards(self, changes, err):
        disc = self.disc
        disc.mount()
        same(picture(MNT), disc.staged, self.what + ", mounted again")
        if not disc.changes():
            disc.committed()
            disc.stage()
        elif disc.changes() != changes:
            fail("%s, mounted again: staged is %s instead of %s" % (self.what, disc.changes(), changes))
        elif not err:
            fail("%s: success was told, and nothing is on the disc" % self.what)
        disc.commit_well()
        disc.unmount()


def points_of(table, disc):
    """Those that a commit comes by on this medium; "also" is what must go wrong besides."""
    for line in subprocess.check_output([table], text=True).splitlines():
        point = dict(zip(("name", "in", "when", "ends"), line.split()))
        if point["when"] == "never" or (point["when"] == "head" and not disc.has_head):
            continue
        if point["when"] != "spoilt":
            yield dict(point, also="")
        if point["when"] in ("spoilt", "ends"):
            yield dict(point, also=",burn-middle:5")


def main():
    table, kind = sys.argv[1:3]
    part, of = map(int, sys.argv[3:5]) if len(sys.argv) > 3 else (0, 1)
    disc, cells = Disc(kind), 0
    for row, point in enumerate(points_of(table, disc)):
        for column, happening in enumerate(HAPPENINGS):
            if (row + column) % of != part % of:
                continue
            began = time.monotonic()
            Cell(disc, point, happening).play()
            cells += 1
            print("%-32s %-12s %.2f s" % (point["name"], happening, time.monotonic() - began), flush=True)
        if len(disc.good) > 8:
            disc.check_sessions()
            disc.begin()
    disc.check_sessions()
    print("%s: %d cells" % (kind, cells))


main()
