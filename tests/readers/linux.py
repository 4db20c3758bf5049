# SPDX-License-Identifier: GPL-2.0-or-later
"""Has the Linux kernel read images, in a virtual machine without acceleration: see guest.c, which runs in it."""
import collections
import os
import re
import struct
import subprocess

from entry import Entry, unescaped

MODULES = ["virtio_pci", "virtio_scsi", "sd_mod", "sr_mod", "isofs", "udf", "nls_utf8"]
ANSWER_SIZE = 512 << 20  # sparse
DRIVES_MAX = 200

# One way to look at one image. device: hd, a disk, or cd, a drive for optical media
Job = collections.namedtuple("Job", "image device fstype options")


class Answer:
    def __init__(self):
        self.entries = []
        self.errors = []
        self.messages = []


def cpio_record(name, data, mode, number):
    head = b"070701" + b"".join(b"%08x" % value for value in (
        number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
    head += name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def cpio(files):
    """files: of (name, data, mode)"""
    records = [cpio_record(name, data, mode, i + 1) for i, (name, data, mode) in enumerate(files)]
    return b"".join(records) + cpio_record("TRAILER!!!", b"", 0, 0)


def module_order(folder, wanted):
    """The modules and what they depend on, in the order of loading. Some may be part of the kernel instead."""
    order = []

    def add(name):
        path = os.path.join(folder, name + ".ko")
        for candidate in (path, os.path.join(folder, name.replace("_", "-") + ".ko")):
            if os.path.exists(candidate):
                path = candidate
        if path in order or not os.path.exists(path):
            return
        with open(path, "rb") as file:
            found = re.search(rb"\0depends=([^\0]*)\0", file.read())
        for dependency in found.group(1).decode().split(",") if found else []:
            if dependency:
                add(dependency)
        order.append(path)

    for name in wanted:
        add(name)
    return order


def initial_disk(folder, lines):
    files = [(name, b"", 0o40755) for name in ("proc", "sys", "dev", "mnt", "m")]
    with open(os.path.join(folder, "init"), "rb") as file:
        files.append(("init", file.read(), 0o100755))
    paths = module_order(os.path.join(folder, "modules"), MODULES)
    for path in paths:
        with open(path, "rb") as file:
            files.append(("m/" + os.path.basename(path), file.read(), 0o100644))
    files.append(("modules", "".join("/m/%s\n" % os.path.basename(path) for path in paths).encode(), 0o100644))
    files.append(("jobs", "".join(lines).encode(), 0o100644))
    return cpio(files)


def run(folder, work, jobs, timeout):
    """Returns an answer for each job. folder: what kernel.sh made; work: a directory for what is needed meanwhile."""
    drives = sorted({(job.image, job.device) for job in jobs})
    assert len(drives) < DRIVES_MAX
    lines = ["%d\t%d\t%s\t%s\n" % (i, drives.index((job.image, job.device)) + 1, job.fstype, job.options)
             for i, job in enumerate(jobs)]
    disk, answer = os.path.join(work, "initrd"), os.path.join(work, "answer")
    with open(disk, "wb") as file:
        file.write(initial_disk(folder, lines))
    with open(answer, "wb") as file:
        file.truncate(ANSWER_SIZE)
    command = ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "Nehalem", "-smp", "1", "-m", "512",
               "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
               "-kernel", os.path.join(folder, "vmlinux"), "-initrd", disk,
               "-append", "console=ttyS0 quiet loglevel=3 panic=-1 reboot=t tsc=unstable no_timer_check nokaslr mitigations=off "
               "printk.devkmsg=on ratelimit_disable log_buf_len=4M",
               "-device", "virtio-scsi-pci,id=scsi"]
    for number, (image, device) in enumerate([(answer, "hd")] + drives):
        read_only = "off" if number == 0 else "on"
        name = image.replace(",", ",,")
        command += ["-drive", "if=none,id=d%d,format=raw,file=%s,readonly=%s,cache=unsafe" % (number, name, read_only),
                    "-device", "scsi-%s,bus=scsi.0,scsi-id=%d,drive=d%d" % (device, number, number)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    answers = parse(answer, len(jobs))
    if answers is None:
        raise RuntimeError("the virtual machine gave no whole answer: " + done.stdout.decode(errors="replace")[-2000:])
    os.unlink(answer)
    os.unlink(disk)
    return answers


def parse(path, count):
    answers = [Answer() for _ in range(count)]
    current = None
    with open(path, "rb") as file:
        for line in file:
            words = line.rstrip(b"\n").split(b"\t")
            if words[0] == b".":
                return answers
            if words[0] == b"J":
                current = answers[int(words[1])]
            elif words[0] == b"F":
                current.entries.append(entry_of(words))
            elif words[0] == b"E":
                current.errors.append((unescaped(words[1]), words[2].decode()))
            elif words[0] == b"K":
                current.messages.append(words[1].decode(errors="replace"))
            else:
                return None
    return None


def entry_of(words):
    _, kind, mode, uid, gid, mtime, size, device, links, inode, digest, target, path = words
    kind = kind.decode()
    whole, _, fraction = mtime.partition(b".")
    return Entry(path=unescaped(path), type=kind, mode=int(mode, 8), owner="%d:%d" % (int(uid), int(gid)),
                 mtime=int(whole) * 10**9 + int(fraction), size=int(size) if kind == "f" else None,
                 device=device.decode() if kind in "bc" else None, target=unescaped(target) if kind == "l" else None,
                 links=int(links), file=int(inode), sha256=digest.decode() if kind == "f" else None)
