#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No failure passes for success: each way to ask for a commit, at each fault point, with each thing that can go wrong there.

truth.py POINTS TEMPLATE WHERE [all]

POINTS is the program that prints the table of fault points. TEMPLATE is an image with one session; each case gets a
copy of it below WHERE. Two cases run at a time. Without "all" each point meets an EIO in all ways, and the other things in
some of them, others for each point.

Whoever is told that a commit went well must find the session on the disc and nothing staged. Whoever isn't told so gets
an errno or exit code that isn't 0, the same as status says, and a sentence; finds all that was staged; and the same
commit goes well once the fault is gone.
"""
import concurrent.futures
import errno
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import traceback

LIMIT_S = 120 * int(os.environ.get("DISCFS_SLOWNESS", "1"))
DEAD = (errno.ENOTCONN, errno.ECONNABORTED)
EXIT_DEAD, EXIT_BUSY = 3, 14
NOTHING_BURNED = "Nothing was burned, and everything is still staged"
STAGED = "everything is still staged"
LATER = "mount again|mounted again"

# Points where the stream to the medium breaks off, whatever the errno.
BROKEN_OFF = ("burn-middle",)


def fault_points(program):
    """The table of fault points: name, when a commit comes by, how it ends when the point returns an error."""
    for line in subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines():
        name, _, when, ends = line.split()
        yield name, when, ends


class Failed(Exception):
    pass


def check(right, *words):
    if not right:
        raise Failed(" ".join(str(word) for word in words))


class Outcome:
    """What somebody who asked for a commit was told: an errno (of a system call) or an exit code, and words."""

    def __init__(self, err=None, code=None, words=""):
        self.err, self.code, self.words = err, code, words

    def is_success(self):
        return not self.err and not self.code

    def __str__(self):
        name = errno.errorcode.get(self.err, self.err) if self.err is not None else "exit %s" % self.code
        return "%s %r" % (name, self.words)


def run(*argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=LIMIT_S, **more)
    return done.returncode, done.stdout.decode(errors="replace")


def await_end(pid):
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        check(select.select([end], [], [], LIMIT_S)[0], "process", pid, "doesn't end")
    finally:
        os.close(end)


class Place:
    """A copy of the template, mounted or not."""

    def __init__(self, template, where, name):
        self.dir = os.path.join(where, name)
        self.image, self.mnt = self.dir + "/disc.img", self.dir + "/mnt"
        os.makedirs(self.mnt)
        run("cp", "--sparse=always", template, self.image)
        self.pid, self.front, self.tree, self.number, self.sessions = None, None, {}, 0, 1
        self.mount()
        self.tree = self.read_tree()
        self.unmount()

    def mount(self, fault=None, front=False):
        environment = dict(os.environ)
        if fault:
            environment["DISCFS_FAULT"] = fault
        argv = ["discfs", self.image, self.mnt, "-o", "commit=unmount,state=" + self.dir + "/state"]
        if front:
            self.log = open(self.dir + "/log", "w+b")
            self.front = subprocess.Popen(argv + ["-f"], env=environment, stderr=self.log, stdin=subprocess.DEVNULL)
            while not os.path.ismount(self.mnt):
                check(self.front.poll() is None, "discfs -f ended with", self.front.returncode)
                time.sleep(0.01)
        else:
            code, words = run(*argv, env=environment)
            for _ in range(100):
                if code != EXIT_BUSY:
                    break
                time.sleep(0.05)  # a worker outlives its daemon by a moment, and the disc is in use as long
                code, words = run(*argv, env=environment)
            check(code == 0, "mount:", code, words)
        self.pid = self.status()["pid"]

    def status(self):
        with open(self.mnt + "/.discfs/status.json") as file:
            return json.load(file)

    def is_alive(self):
        try:
            self.status()
            return True
        except OSError as error:
            check(error.errno in DEAD, "status:", error)
            return False

    def unmount(self):
        """Without a commit: what is staged stays staged."""
        if self.pid is None:
            return
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        await_end(self.pid)
        subprocess.run(["umount", "-l", self.mnt], stderr=subprocess.DEVNULL)
        if self.front:
            self.front.wait(LIMIT_S)
        self.pid = self.front = None

    def read_tree(self):
        tree = {}
        for folder, _, names in os.walk(self.mnt):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    tree[os.path.relpath(path, self.mnt)] = file.read()
        return tree

    def changes(self):
        with open(self.mnt + "/.discfs/changes") as file:
            return sorted(file.read().splitlines())

    def stage(self):
        """A new file, a changed one, one less."""
        self.number += 1
        new, old = "new%d" % self.number, sorted(name for name in self.tree if name.startswith("base"))
        self.tree[new] = os.urandom(5000)
        self.tree[old[0]] += b"more %d\n" % self.number
        for name in new, old[0]:
            with open(os.path.join(self.mnt, name), "wb") as file:
                file.write(self.tree[name])
        if len(old) > 2:
            os.unlink(os.path.join(self.mnt, old[-1]))
            del self.tree[old[-1]]

    def sessions_on_disc(self):
        code, words = run("discfsctl", "info", "--json", self.image)
        check(code == 0, "info:", words)
        return len(json.loads(words)["sessions"])

    def settle_committed(self):
        """The session is on the disc, and nothing is left to be committed."""
        self.sessions += 1
        check(self.changes() == [], "committed, but staged is", self.changes())
        found = len(self.status()["sessions"])
        check(found == self.sessions, "committed, but the mount shows", found, "sessions instead of", self.sessions)
        check(self.sessions_on_disc() == self.sessions, "committed, but the disc has", self.sessions_on_disc())

    def check_tree(self):
        found = self.read_tree()
        check(found == self.tree, "the tree is another: only found", found.keys() - self.tree.keys(), "only expected",
              self.tree.keys() - found.keys(), "different", [n for n in found if self.tree.get(n) != found[n]])

    def last_words(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


# --- ways to ask for a commit, and to be told what came of it --------------------------------------------------------

def system_call(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return Outcome(err=error.errno)
    return Outcome(err=0)


def by_xattr(place):
    return system_call(os.setxattr, place.mnt, "user.discfs.commit", b"X")


def by_setfattr(place):
    code, words = run("setfattr", "-n", "user.discfs.commit", "-v", "", place.mnt)
    return Outcome(code=code, words=words)


def tell(place, line):
    control = os.open(place.mnt + "/.discfs/control", os.O_WRONLY)
    try:
        os.write(control, line)
    finally:
        try:
            os.close(control)
        except OSError:
            pass


def by_write(place):
    return system_call(tell, place, b"commit\n")


def by_echo(place):
    code, words = run("sh", "-c", 'echo commit >"$0/.discfs/control"', place.mnt)
    return Outcome(code=code, words=words)


def by_ctl(place):
    code, words = run("discfsctl", "commit", place.mnt)
    return Outcome(code=code, words=words)


def by_wait(place):
    code, words = run("discfsctl", "commit", "--no-wait", place.mnt)
    check(code == 0 or not place.is_alive(), "not accepted:", code, words)
    code, words = run("discfsctl", "wait", place.mnt)
    return Outcome(code=code, words=words)


def by_status(place):
    """A program that asks without waiting, and looks at status.json."""
    try:
        before = place.status()["last"]
        tell(place, b"commit-nowait\n")
        while True:
            status = place.status()
            if not status["work"] and status["last"] != before:
                return Outcome(err=status["last"]["errno"], code=status["last"]["exit"])
            time.sleep(0.02)
    except OSError as error:
        return Outcome(err=error.errno)


def by_umount(place):
    code, words = run("discfsctl", "umount", place.mnt)
    return Outcome(code=code, words=words)


def by_front(place):
    """The mount goes at once; the exit code of a discfs in the foreground tells."""
    end = time.monotonic() + LIMIT_S / 4
    while (refused := run("fusermount3", "-u", place.mnt))[0] and time.monotonic() < end:
        time.sleep(0.1)  # somebody may still look at it
    check(refused[0] == 0, "can't be unmounted:", refused)
    code = place.front.wait(LIMIT_S)
    return Outcome(code=code, words=place.last_words())


WAYS = (by_xattr, by_ctl, by_write, by_umount, by_wait, by_front, by_echo, by_status, by_setfattr)
UNMOUNTING = (by_umount, by_front)


# --- one case ----------------------------------------------------------------------------------------------------------

def check_words(last, told):
    """What status says of a commit that failed, and whether the one who asked was told the same."""
    check(last and last["errno"] and last["exit"] and last["message"], "status says", last)
    check(told.err in (None, last["errno"]), "told", told, "but status says", last)
    check(told.code in (None, 1, last["exit"]), "told", told, "but status says", last)
    check(bool(re.search("%s|%s" % (STAGED, LATER), last["message"])), "it isn't said what is left:", last)
    untouched = NOTHING_BURNED in last["message"]
    check(last["exit"] not in (20, 21) or not untouched, "exit", last["exit"], "but:", last["message"])
    unverified = "verification failed" in last["message"]
    check(last["exit"] not in (20, 21) or unverified == (last["exit"] == 21), "exit", last["exit"], "but:", last["message"])
    check(last["exit"] != 2 or untouched, "exit 2, but:", last["message"])


def check_expected(fault, last):
    broken = (errno.EIO, (2, 20, 21))
    full = fault.action == "28" and fault.point not in BROKEN_OFF and not fault.fails_anyhow
    wanted = (errno.ENOSPC, (13,)) if full else broken
    check(last["errno"] == wanted[0] and last["exit"] in wanted[1], "it failed with", last)


def settle_alive(place, way, fault, told):
    """Told of a failure by a daemon that lives."""
    if way is by_front:
        check(re.search("commit failed: .*(%s|%s)" % (STAGED, LATER), told.words), "in front:", told)
        return False
    last = place.status()["last"]
    check_words(last, told)
    check_expected(fault, last)
    if way in (by_ctl, by_wait, by_umount):
        check(last["message"] in told.words, "told", told, "instead of", last["message"])
        check(told.code == last["exit"], "told", told, "but status says", last)
    if way is by_umount:
        check("stays mounted" in told.words and os.path.ismount(place.mnt), "unmounted all the same:", told)
    code, words = run("discfsctl", "status", place.mnt)
    check(code == 0 and last["message"] in words, "status doesn't say it:", code, words)
    place.check_tree()
    return not place.status()["warnings"]


def settle_dead(way, told):
    if way in (by_xattr, by_write, by_status):
        check(told.err in DEAD, "the daemon died, and it is told", told)
    elif way in (by_ctl, by_wait, by_umount):
        check(told.code == EXIT_DEAD and "died" in told.words, "the daemon died, and it is told", told)
    elif way is by_front:
        check(told.code == -signal.SIGKILL, "the daemon was killed, and ended with", told)


def settle_again(place):
    """After the next mount: all is as before the commit or as after it."""
    place.check_tree()
    if place.changes():
        check(len(place.status()["sessions"]) == place.sessions, "staged, and yet there is a session")
    else:
        place.settle_committed()


def try_way(place, way, fault):
    """Asks once."""
    if place.pid is None:
        place.mount(fault.words, way is by_front)
    place.stage()
    told = way(place)
    if told.is_success():
        check(fault.may_go_well, "told of success")
        if way not in UNMOUNTING:
            place.check_tree()
        place.unmount()
        place.mount()
        place.settle_committed()
        place.check_tree()
        place.unmount()
        return
    if told.code < 0 if way is by_front else not place.is_alive():
        settle_dead(way, told)
    elif settle_alive(place, way, fault, told):
        return
    place.unmount()
    place.mount()
    settle_again(place)
    place.unmount()


def commit_well(place, way):
    """The fault is gone: the same commit goes well."""
    place.unmount()
    place.mount(front=way is by_front)
    place.stage()
    told = way(place)
    check(told.is_success(), "without a fault:", told)
    if way in UNMOUNTING:
        place.unmount()
        place.mount()
    place.settle_committed()
    place.check_tree()
    place.unmount()


class Fault:
    """What is to go wrong at a point; where a commit comes by only when it fails, it does so before."""

    def __init__(self, point, when, ends, action):
        self.point, self.action = point, action
        self.fails_anyhow = when == "spoilt"
        self.words = ("burn-middle:5," if self.fails_anyhow else "") + "%s:%s" % (point, action)
        self.may_go_well = ends != "badly" and not self.fails_anyhow


def case(template, where, fault, ways):
    place = None
    at = ""
    try:
        place = Place(template, where, "%s-%s" % (fault.point, fault.action))
        for way in ways:
            at = way.__name__
            if way is by_front:
                place.unmount()
            try_way(place, way, fault)
        at = "afterwards " + ways[0].__name__
        commit_well(place, ways[0])
        run("rm", "-rf", place.dir)
        return None
    except Exception as error:  # told at the end, with all others
        words = str(error) if isinstance(error, Failed) else traceback.format_exc()
        return "%s %s: %s" % (fault.words, at, words)
    finally:
        if place and place.pid:
            try:
                os.kill(place.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            subprocess.run(["umount", "-l", place.mnt], stderr=subprocess.DEVNULL)


def some_ways(number, how_many):
    return [WAYS[(number + i) % len(WAYS)] for i in range(how_many)]


def main():
    template, where = sys.argv[2], sys.argv[3]
    everything = sys.argv[4:] == ["all"]
    only = os.environ.get("DISCFS_TRUTH", "")
    points = [row for row in fault_points(sys.argv[1]) if row[1] != "never"]
    check(len(points) >= 20, "only", len(points), "fault points are found")
    cases = []
    for number, row in enumerate(points):
        cases.append((Fault(*row, "5"), WAYS))
        cases.append((Fault(*row, "28"), WAYS if everything else some_ways(2 * number, 1)))
        cases.append((Fault(*row, "kill"), WAYS if everything else some_ways(2 * number + 5, 2)))
    cases = [one for one in cases if only in one[0].words]
    with concurrent.futures.ThreadPoolExecutor(2) as two:
        failures = [words for words in two.map(lambda one: case(template, where, *one), cases) if words]
    for words in failures:
        print("FAIL:", words)
    print("%d fault points, %d commits, %d failures" % (len(points), sum(len(one[1]) for one in cases), len(failures)))
    sys.exit(1 if failures else 0)


main()
