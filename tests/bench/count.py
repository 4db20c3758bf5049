#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts what an operation costs on a discfs mount: requests of the kernel, SQLite statements, syncs and system calls of
the daemon. Counts, unlike seconds, are the same on any machine.

  count.py [--calls] [--statements] [--peer PASSTHROUGH_HP] [OPERATION…]

  --calls       the daemon's system calls too, in a second run below strace
  --statements  the text of each statement
  --peer        the same on libfuse's passthrough_hp: its requests, and its system calls

Environment: DISCFS, DISCFSCTL, COUNTER (the library made of counter.c), COUNT_DIR (where to work; default /var/tmp).
What is done "now" is done while the caller waits; "later" comes once for all that changed in the half second before.
"""
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

SLOT = struct.Struct("248sQ")  # struct slot of counter.c
SLOTS = 512
FILES = 1000
BODY = bytes(range(250)) * 8
BASE, MIB = "base", 1 << 20
SETTLE_S = 1.3  # two flushes
BACKGROUND = {"futex", "clock_nanosleep", "restart_syscall", "rt_sigreturn", "ppoll", "rt_sigtimedwait"}
OPCODES = {
    1: "LOOKUP", 2: "FORGET", 3: "GETATTR", 4: "SETATTR", 5: "READLINK", 6: "SYMLINK", 8: "MKNOD", 9: "MKDIR", 10: "UNLINK",
    11: "RMDIR", 12: "RENAME", 13: "LINK", 14: "OPEN", 15: "READ", 16: "WRITE", 17: "STATFS", 18: "RELEASE", 20: "FSYNC",
    21: "SETXATTR", 22: "GETXATTR", 23: "LISTXATTR", 24: "REMOVEXATTR", 25: "FLUSH", 26: "INIT", 27: "OPENDIR",
    28: "READDIR", 29: "RELEASEDIR", 30: "FSYNCDIR", 34: "ACCESS", 35: "CREATE", 36: "INTERRUPT", 38: "DESTROY",
    42: "BATCH_FORGET", 43: "FALLOCATE", 44: "READDIRPLUS", 45: "RENAME2", 46: "LSEEK", 47: "COPY_FILE_RANGE", 50: "SYNCFS",
    51: "TMPFILE", 52: "STATX",
}


def run(*command, **more):
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL, **more)


# --- what is counted: each function works in the mount, on FILES files or once, and returns by how much to divide ---


def names(prefix, count=FILES):
    return [f"{prefix}{i:04}" for i in range(count)]


def put(name, body, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL, sync=False):
    fd = os.open(name, flags, 0o644)
    os.write(fd, body)
    if sync:
        os.fsync(fd)
    os.close(fd)


def create():
    for name in names("d/f"):
        put(name, BODY)
    return FILES


def overwrite():
    for name in names("d/f"):
        put(name, BODY[::-1], os.O_WRONLY)
    return FILES


def chmod():
    for name in names("d/f"):
        os.chmod(name, 0o600)
    return FILES


def rename():
    for old, new in zip(names("d/f"), names("d/g")):
        os.rename(old, new)
    return FILES


def replace():  # what editors do: a new file takes the name of the old one
    for name in names("d/g"):
        put(name + ".tmp", BODY)
        os.rename(name + ".tmp", name)
    return FILES


def absent():
    for _ in range(3):
        for name in names("d/absent"):
            assert not os.path.exists(name)
    return 3 * FILES


def mkdir():
    for name in names("d/dir"):
        os.mkdir(name)
    return FILES


def symlink():
    for name in names("d/link"):
        os.symlink("target", name)
    return FILES


def unlink():
    for name in names("d/g"):
        os.unlink(name)
    return FILES


def unlink_base():
    for entry in list(os.scandir("base/1")):
        os.unlink(entry.path)
    return FILES


def find_cold():
    run("find", "base/0", "-size", "+1000k")
    return FILES


def find_warm():
    return find_cold()


def list_cold():
    run("ls", "-l", "base/2")
    return FILES


def list_warm():
    return list_cold()


def cat_cold():
    for name in names("base/0/f"):
        with open(name, "rb", buffering=0) as file:
            file.read(4096)
    return FILES


def cat_warm():
    return cat_cold()


def rsync():
    run("rsync", "-a", SOURCE + "/", "r/")
    return FILES


def rsync_again():
    return rsync()


def write_large():
    fd = os.open("large", os.O_WRONLY | os.O_CREAT, 0o644)
    piece = os.urandom(128 << 10)
    for _ in range(1024 * MIB // len(piece)):
        os.write(fd, piece)
    os.fsync(fd)
    os.close(fd)
    return 1


def write_small_pieces():
    fd = os.open("pieces", os.O_WRONLY | os.O_CREAT, 0o644)
    for _ in range(20 * MIB // 4096):
        os.write(fd, bytes(4096))
    os.close(fd)
    return 1


def sync_small():
    for name in names("d/s", 50):
        put(name, BODY, sync=True)
    return 50


def git():
    run("git", "init", "-q", "repo")
    for name in names("repo/f", 100):
        put(name, name.encode())
    run("git", "-C", "repo", "add", ".")
    run("git", "-C", "repo", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "gc.auto=0", "commit", "-qm", "all")
    return 100


OPERATIONS = [
    (create, "create, write 2,000 bytes, close"),
    (overwrite, "open, write 2,000 bytes over it, close"),
    (chmod, "chmod"),
    (rename, "rename"),
    (replace, "create anew beside it and rename over it"),
    (absent, "stat of a name that isn't there, three times: each"),
    (mkdir, "mkdir"),
    (symlink, "symlink"),
    (unlink, "unlink of a staged file"),
    (unlink_base, "scandir and unlink of files on the disc"),
    (find_cold, "find -size, nothing cached: an entry"),
    (find_warm, "the same again"),
    (list_cold, "ls -l, nothing cached: a file"),
    (list_warm, "the same again"),
    (cat_cold, "open, read, close of a file on the disc, not cached"),
    (cat_warm, "the same again"),
    (rsync, "rsync -a: a file"),
    (rsync_again, "the same again, nothing to do: a file"),
    (sync_small, "create, write, fsync, close"),
    (write_large, "1 GiB in write()s of 128 KiB, fsync: in all"),
    (write_small_pieces, "20 MiB in write()s of 4 KiB: in all"),
    (git, "git add and commit of 100 small files: a file"),
]


# --- the mount ---


def make_source():
    os.mkdir(SOURCE)
    for name in names(SOURCE + "/f"):
        put(name, BODY)


def make_base(top):
    for part in range(3):
        os.makedirs(f"{top}/{BASE}/{part}")
        for name in names(f"{top}/{BASE}/{part}/f"):
            put(name, BODY)


class Discfs:
    def __init__(self, work):
        self.top, self.image, self.state = work + "/mnt", work + "/disc.img", work + "/state"
        os.mkdir(self.top)
        run(CTL, "create", self.image, "--size", "8G")
        self.mount({})
        make_base(self.top)
        run(CTL, "commit", self.top)
        self.unmount()

    def mount(self, environment):
        run(DISCFS, self.image, self.top, "-o", "state=" + self.state, env={**os.environ, **environment})
        with open(self.top + "/.discfs/status.json", encoding="utf-8") as status:
            return int(re.search(r'"pid": ?(\d+)', status.read())[1])

    def unmount(self):
        run(CTL, "umount", self.top)


class Passthrough:
    def __init__(self, work):
        self.top, self.below = work + "/mnt", work + "/below"
        os.mkdir(self.top)
        make_base(self.below)

    def mount(self, environment):
        # Without splice, or nobody could see the requests; in the foreground, to know the process.
        daemon = subprocess.Popen([PEER, "--nosplice", "--foreground", self.below, self.top], stdout=subprocess.DEVNULL,
                                  env={**os.environ, **environment})
        while not os.path.ismount(self.top):
            time.sleep(0.05)
        return daemon.pid

    def unmount(self):
        run("umount", self.top)


# --- counting ---


def snapshot(path):
    with open(path, "rb") as file:
        data = file.read()
    found = {}
    for name, count in SLOT.iter_unpack(data[: len(data) // SLOT.size * SLOT.size]):
        if name[0]:
            found[name.split(b"\0")[0].decode()] = count
    return found


def difference(before, after):
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}


def by_counter(path):
    """What the library counted while the operation ran and until it was flushed."""
    before = snapshot(path)

    def result():
        time.sleep(SETTLE_S)
        return difference(before, snapshot(path))
    return result


def by_strace(pid, work):
    log = work + "/strace"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", log, "-p", str(pid)], stderr=subprocess.PIPE)
    tracer.stderr.readline()  # it says that it is attached

    def result():
        time.sleep(SETTLE_S)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=60)
        calls = {}
        with open(log, encoding="utf-8") as file:
            for line in file:
                found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
                if found and found[2] not in BACKGROUND | {"total"}:
                    calls["call " + found[2]] = int(found[1])
        return calls
    return result


def measure(make, chosen, strace):
    """{operation: {what: count}} for a mount of its own."""
    results = {}
    work = tempfile.mkdtemp(prefix="discfs-count.", dir=os.environ.get("COUNT_DIR", "/var/tmp"))
    mount, mounted, counts = None, False, work + "/counts"
    try:
        mount = make(work)
        open(counts, "wb").close()
        environment = {} if strace else {"LD_PRELOAD": COUNTER, "COUNTER_FILE": counts}
        pid = mount.mount(environment)
        mounted = True
        os.chdir(mount.top)
        for name in "d", "r":
            os.mkdir(name)
        time.sleep(SETTLE_S)
        for operation, _ in OPERATIONS:
            counting = by_strace(pid, work) if strace else by_counter(counts)
            by = operation()
            results[operation] = {what: count / by for what, count in counting().items()}
            if operation.__name__ not in chosen:
                del results[operation]
    finally:
        os.chdir("/")
        if mounted:
            mount.unmount()
        shutil.rmtree(work)
    return results


# --- the table ---


def number(value):
    return f"{value:.0f}" if value >= 10 or abs(value - round(value)) < 0.02 else f"{value:.2g}"


def total(counts, kind):
    return sum(count for what, count in counts.items() if what.startswith(kind + " "))


def listing(counts, kind, least=0.02):
    found = [(count, what.split(" ", 1)[1]) for what, count in counts.items() if what.startswith(kind + " ")]
    words = []
    for count, what in sorted(found, key=lambda pair: (-pair[0], pair[1])):
        if kind == "fuse":
            opcode, *name = what.split()
            what = " ".join([OPCODES.get(int(opcode), "opcode " + opcode), *name])
        if count >= least:
            words.append(f"{number(count)} {what}")
    return ", ".join(words)


def show(results, calls, statements):
    for operation, title in OPERATIONS:
        counts = results.get(operation)
        if counts is None:
            continue
        print(f"{title}\n    requests {number(total(counts, 'fuse'))}: {listing(counts, 'fuse')}")
        if any(what.startswith(("now", "later", "sync")) for what in counts):
            print(f"    statements {number(total(counts, 'now'))} now, {number(total(counts, 'later'))} later; "
                  f"syncs {number(counts.get('sync now', 0))} now")
        for kind in ("now", "later") if statements else ():
            for what, count in sorted(counts.items(), key=lambda pair: -pair[1]):
                if what.startswith(kind + " "):
                    print(f"        {kind} {number(count)}: {what.split(' ', 1)[1][:90]}")
        if calls:
            counts = calls[operation]
            print(f"    system calls {number(total(counts, 'call'))}: {listing(counts, 'call')}")


def main():
    global SOURCE, DISCFS, CTL, COUNTER, PEER
    arguments = sys.argv[1:]
    build = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build")
    DISCFS, CTL, COUNTER = (os.path.abspath(os.environ.get(name, f"{build}/{file}")) for name, file in
                            (("DISCFS", "discfs"), ("DISCFSCTL", "discfsctl"), ("COUNTER", "bench/counter.so")))
    PEER = None
    if "--peer" in arguments:
        at = arguments.index("--peer")
        PEER = os.path.abspath(arguments[at + 1])
        del arguments[at: at + 2]
    flags = {word for word in arguments if word.startswith("--")}
    if flags - {"--calls", "--statements"}:
        sys.exit(__doc__)
    every = [operation.__name__ for operation, _ in OPERATIONS]
    chosen = [word for word in arguments if word not in flags] or every
    if set(chosen) - set(every):
        sys.exit("operations: " + " ".join(every))
    with tempfile.TemporaryDirectory(prefix="discfs-count.", dir=os.environ.get("COUNT_DIR", "/var/tmp")) as place:
        SOURCE = place + "/source"
        make_source()
        for title, make in (("discfs", Discfs),) + ((("passthrough_hp", Passthrough),) if PEER else ()):
            results = measure(make, chosen, False)
            calls = measure(make, chosen, True) if "--calls" in flags else None
            print(f"== {title}")
            show(results, calls, "--statements" in flags)


if __name__ == "__main__":
    main()
