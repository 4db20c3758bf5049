# SPDX-License-Identifier: GPL-2.0-or-later
"""flock, POSIX and open-file locks between processes, leases."""
import fcntl
import os
import signal
import time

from calls import F_GETLEASE, F_OFD_GETLK, F_OFD_SETLK, F_SETLEASE, lock
from core import Beside, Group, forked, opened, put, said

group = Group("locks")
FILE = {"f": b"0123456789", "d/": None}
RD, WR, UN = fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK
SHARED, EXCLUSIVE = fcntl.LOCK_SH | fcntl.LOCK_NB, fcntl.LOCK_EX | fcntl.LOCK_NB


def another(how):
    """What somebody who opens the file anew is told when he asks for such a flock."""
    return forked(lambda: fcntl.flock(os.open("f", os.O_RDWR), how))


@group.check(fixture=FILE)
def flock_kinds():
    fd = os.open("f", os.O_RDWR)
    told = []
    for how in (fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN):
        fcntl.flock(fd, how)
        told.append((another(SHARED), another(EXCLUSIVE)))
    return told


@group.check(fixture=FILE)
def flock_in_one_process():
    one, two = os.open("f", os.O_RDWR), os.open("f", os.O_RDONLY)
    fcntl.flock(one, EXCLUSIVE)
    told = said(fcntl.flock, two, EXCLUSIVE), said(fcntl.flock, os.dup(one), EXCLUSIVE)
    os.close(one)
    return told, said(fcntl.flock, two, EXCLUSIVE)


@group.check(fixture=FILE)
def flock_goes_with_the_last_descriptor():
    fd = os.open("f", os.O_RDWR)
    fcntl.flock(fd, EXCLUSIVE)
    other = os.dup(fd)
    os.close(fd)
    told = another(EXCLUSIVE)
    os.close(other)
    return told, another(EXCLUSIVE)


@group.check(fixture=FILE)
def flock_on_a_read_only_descriptor_and_a_dir():
    return (
        said(fcntl.flock, os.open("f", os.O_RDONLY), EXCLUSIVE),
        said(fcntl.flock, os.open("d", os.O_RDONLY), EXCLUSIVE),
        said(fcntl.flock, os.open("f", os.O_PATH), SHARED),
    )


@group.check(fixture=FILE)
def flock_of_a_dead_process():
    def other(step):
        fcntl.flock(os.open("f", os.O_RDWR), EXCLUSIVE)
        step()
        step()

    beside = Beside(other)
    beside.go()
    told = another(EXCLUSIVE)
    os.kill(beside.child, signal.SIGKILL)
    os.waitpid(beside.child, 0)
    return told, another(EXCLUSIVE)


def await_sleep(child):
    """Until it waits in the kernel."""
    for _ in range(1000):
        with open("/proc/%d/stat" % child) as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] in "SD":
                return
        time.sleep(0.005)


def waits_for(take, release):
    """Somebody waits for a lock until it's released: did he wait, did he get it?"""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"a")
        take()
        os.write(writer, b"b")
        os._exit(0)
    os.read(reader, 1)
    time.sleep(0.05)
    os.set_blocking(reader, False)
    try:
        early = os.read(reader, 1)
    except BlockingIOError:
        early = b"waited"
    release()
    os.waitpid(child, 0)
    return early, os.read(reader, 1) if early == b"waited" else b""


@group.check(fixture=FILE)
def flock_is_waited_for():
    fd = os.open("f", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return waits_for(
        lambda: fcntl.flock(os.open("f", os.O_RDWR), fcntl.LOCK_EX), lambda: fcntl.flock(fd, fcntl.LOCK_UN)
    )


@group.check(fixture=FILE)
def posix_is_waited_for():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR, 0, 5)
    return waits_for(
        lambda: lock(os.open("f", os.O_RDWR), fcntl.F_SETLKW, WR, 4, 1), lambda: lock(fd, fcntl.F_SETLK, UN, 0, 5)
    )


@group.check(fixture=FILE)
def waiting_is_interrupted():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR)

    def wait():
        def stop(*_):
            raise InterruptedError(4, "stopped")

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        lock(os.open("f", os.O_RDWR), fcntl.F_SETLKW, WR)

    return forked(wait)


def posix_by_another(kind, start, length):
    return forked(lambda: lock(os.open("f", os.O_RDWR), fcntl.F_SETLK, kind, start, length) and None)


def posix_told(kind, start=0, length=0):
    return forked(lambda: lock(os.open("f", os.O_RDWR), fcntl.F_GETLK, kind, start, length))


@group.check(fixture=FILE)
def posix_ranges():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR, 10, 10)
    lock(fd, fcntl.F_SETLK, RD, 30, 10)
    return [
        posix_by_another(kind, *where)
        for kind in (RD, WR)
        for where in ((0, 10), (5, 6), (19, 1), (20, 10), (30, 5), (40, 0), (0, 0))
    ]


@group.check(fixture=FILE)
def posix_told_by_getlk():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR, 100, 50)
    return posix_told(RD, 0, 100), posix_told(RD, 0, 101), posix_told(WR, 149, 1), lock(fd, fcntl.F_GETLK, WR)


@group.check(fixture=FILE)
def posix_split_and_joined():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR, 0, 30)
    lock(fd, fcntl.F_SETLK, UN, 10, 10)
    told = [posix_told(WR, at, 1) for at in (5, 15, 25)]
    lock(fd, fcntl.F_SETLK, WR, 10, 10)
    return told, posix_told(WR)


@group.check(fixture=FILE)
def posix_goes_with_any_descriptor():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR)
    told = posix_by_another(WR, 0, 1)
    opened("f")
    return told, posix_by_another(WR, 0, 1)


@group.check(fixture=FILE)
def posix_upgrade_and_downgrade():
    fd = os.open("f", os.O_RDWR)
    told = []
    for kind in (RD, WR, RD, UN):
        lock(fd, fcntl.F_SETLK, kind)
        told.append((posix_by_another(RD, 0, 0), posix_by_another(WR, 0, 0)))
    return told


@group.check(fixture=FILE)
def posix_needs_the_right_descriptor():
    reader, writer = os.open("f", os.O_RDONLY), os.open("f", os.O_WRONLY)
    return (
        said(lambda: lock(reader, fcntl.F_SETLK, WR) and None),
        said(lambda: lock(writer, fcntl.F_SETLK, RD) and None),
        said(lambda: lock(os.open("d", os.O_RDONLY), fcntl.F_SETLK, RD) and None),
        said(lambda: lock(reader, fcntl.F_SETLK, RD, -1, 1)),
    )


@group.check(fixture=FILE)
def posix_deadlock():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR, 0, 1)

    def other(step):
        other_fd = os.open("f", os.O_RDWR)
        lock(other_fd, fcntl.F_SETLK, WR, 1, 1)
        step()
        os.write(beside_up, b"x")
        lock(other_fd, fcntl.F_SETLKW, WR, 0, 1)

    reader, beside_up = os.pipe()
    beside = Beside(other)
    os.write(beside.down[1], b".")
    os.read(reader, 1)
    await_sleep(beside.child)
    try:
        return said(lambda: lock(fd, fcntl.F_SETLKW, WR, 1, 1) and None)
    finally:
        os.kill(beside.child, signal.SIGKILL)
        os.waitpid(beside.child, 0)


@group.check(fixture=FILE)
def posix_and_flock_dont_meet():
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.F_SETLK, WR)
    return another(EXCLUSIVE)


@group.check(fixture=FILE)
def ofd_kinds():
    one, two = os.open("f", os.O_RDWR), os.open("f", os.O_RDWR)
    lock(one, F_OFD_SETLK, WR, 0, 10)
    told = [said(lambda: lock(two, F_OFD_SETLK, WR, at, 1) and None) for at in (5, 10)]
    opened("f")
    return told, lock(two, F_OFD_GETLK, WR, 5, 1), posix_by_another(WR, 5, 1)


@group.check(fixture=FILE)
def ofd_goes_with_its_file():
    one, two = os.open("f", os.O_RDWR), os.open("f", os.O_RDWR)
    lock(one, F_OFD_SETLK, WR)
    copy = os.dup(one)
    os.close(one)
    told = said(lambda: lock(two, F_OFD_SETLK, WR) and None)
    os.close(copy)
    return told, said(lambda: lock(two, F_OFD_SETLK, WR) and None)


@group.check(fixture=FILE)
def locks_of_an_unlinked_file():
    one, two = os.open("f", os.O_RDWR), os.open("f", os.O_RDWR)
    os.unlink("f")
    fcntl.flock(one, EXCLUSIVE)
    put("f")
    return said(fcntl.flock, two, EXCLUSIVE), another(EXCLUSIVE)


@group.check(fixture=FILE)
def locks_follow_a_rename():
    fd = os.open("f", os.O_RDWR)
    fcntl.flock(fd, EXCLUSIVE)
    os.rename("f", "g")
    os.rename("g", "f")
    return another(EXCLUSIVE)


@group.check(fixture=FILE)
def leases():
    fd = os.open("f", os.O_RDONLY)
    told = [
        said(fcntl.fcntl, fd, F_SETLEASE, RD),
        said(fcntl.fcntl, fd, F_GETLEASE),
        said(fcntl.fcntl, fd, F_SETLEASE, UN),
    ]
    fd2 = os.open("f", os.O_RDWR)
    return told, said(fcntl.fcntl, fd2, F_SETLEASE, WR), said(fcntl.fcntl, fd2, F_SETLEASE, RD)


@group.check(fixture=FILE)
def write_lease_by_the_only_one():
    fd = os.open("f", os.O_RDWR)
    return said(fcntl.fcntl, fd, F_SETLEASE, WR), said(fcntl.fcntl, fd, F_GETLEASE)


@group.check(fixture=FILE)
def lease_is_broken():
    fd = os.open("f", os.O_RDONLY)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    told = said(fcntl.fcntl, fd, F_SETLEASE, RD)
    return told, forked(opened, "f", os.O_WRONLY | os.O_NONBLOCK), signal.SIGIO in signal.sigpending()


@group.check(fixture=FILE)
def dir_notification():
    fd = os.open("d", os.O_RDONLY)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    fcntl.fcntl(fd, fcntl.F_NOTIFY, fcntl.DN_CREATE)
    put("d/new")
    return signal.SIGIO in signal.sigpending()
