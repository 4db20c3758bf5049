# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine without acceleration, with a Debian that build.sh made, and what is said to it: commands through
agent.sh, and QEMU's own through QMP."""
import base64
import json
import os
import shutil
import socket
import subprocess
import threading
import time

BOOT_S = 240
PATIENCE_S = 180  # what takes two seconds takes a minute where the machine has other work
TRACED = os.environ.get("GUEST_TRACE")  # each command, and how long it took
KERNEL_WORDS = "root=/dev/vda rw console=ttyS0 panic=-1 systemd.show_status=false mitigations=off quiet"


class Failed(Exception):
    pass


class Lines:
    """Lines of a socket, with a time limit."""

    def __init__(self, path, seconds):
        self.socket = socket.socket(socket.AF_UNIX)
        until = time.monotonic() + seconds
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        self.file = self.socket.makefile("rb")

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def read(self):
        line = self.file.readline()
        if not line:
            raise EOFError
        return line.decode(errors="replace").strip()

    def close(self):
        self.file.close()
        self.socket.close()


class Machine:
    """folder: what build.sh made. place: a private directory; its root file system and spare disk are there. disk: a file
    that the guest has as /dev/vdb."""

    def __init__(self, folder, place, disk):
        self.folder, self.place, self.disk = folder, place, disk
        self.root = os.path.join(place, "root.ext4")
        self.number = 0
        subprocess.run(["cp", "--sparse=always", os.path.join(folder, "root.ext4"), self.root], check=True)

    def path(self, name):
        return os.path.join(self.place, name)

    def start(self):
        for name in ("agent.sock", "qmp.sock"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        self.process = subprocess.Popen([
            "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-cpu", "Nehalem", "-m", "512", "-nodefaults",
            "-display", "none", "-no-user-config",
            "-kernel", os.path.join(self.folder, "vmlinux"), "-initrd", os.path.join(self.folder, "initrd"),
            "-append", KERNEL_WORDS, "-serial", "file:" + self.path("console.log"),
            "-drive", "file=" + self.root + ",format=raw,if=none,id=root,cache=unsafe",
            "-device", "virtio-blk-pci,drive=root",
            "-drive", "file=" + self.disk + ",format=raw,if=none,id=spare,readonly=on",
            "-device", "virtio-blk-pci,drive=spare",
            "-device", "virtio-scsi-pci", "-device", "scsi-cd,id=cd",
            "-device", "virtio-serial-pci", "-chardev", "socket,id=agent,server=on,wait=off,path=" + self.path("agent.sock"),
            "-device", "virtserialport,chardev=agent,name=agent",
            "-qmp", "unix:" + self.path("qmp.sock") + ",server=on,wait=off"])
        self.qmp = Lines(self.path("qmp.sock"), 20)
        self.qmp.read()
        self.tell("qmp_capabilities")
        self.listen()

    def listen(self):
        self.answers, self.changed = {}, threading.Condition()
        self.agent = Lines(self.path("agent.sock"), 20)
        threading.Thread(target=self.collect, args=(self.agent,), daemon=True).start()
        if not self.await_answer(0, BOOT_S):
            raise Failed("the guest doesn't come up: see " + self.path("console.log"))
        state = self.run("systemctl is-system-running --wait", BOOT_S)[1]
        if state != "running":
            raise Failed("the guest is %s: %s" % (state, self.run("systemctl --failed")[1]))

    def collect(self, agent):
        try:
            while True:
                words = agent.read().split(" ")
                if len(words) < 2:
                    continue
                text = base64.b64decode(words[2] if len(words) > 2 else "").decode(errors="replace").strip()
                with self.changed:
                    self.answers[int(words[0])] = (int(words[1] or 0), text)
                    self.changed.notify_all()
        except (EOFError, OSError, ValueError):
            pass

    def await_answer(self, number, seconds):
        with self.changed:
            self.changed.wait_for(lambda: number in self.answers, seconds)
            return self.answers.get(number)

    def begin(self, command):
        """Starts a command and returns a number to ask for its end by."""
        self.number += 1
        self.agent.send("%d %s" % (self.number, base64.b64encode(command.encode()).decode()))
        return self.number

    def end(self, number, seconds=PATIENCE_S):
        """(exit code, what it said), or None: it goes on."""
        return self.await_answer(number, seconds)

    def run(self, command, seconds=PATIENCE_S):
        began = time.monotonic()
        answer = self.end(self.begin(command), seconds)
        if TRACED:
            print("    %6.1f s: %s" % (time.monotonic() - began, command.replace("\n", "\\n")[:150]), flush=True)
        if answer is None:
            raise Failed("no end within %d s: %s" % (seconds, command))
        return answer

    def do(self, command, seconds=PATIENCE_S):
        """What it says; it must go well."""
        code, text = self.run(command, seconds)
        if code:
            raise Failed("%s: %d, %s" % (command, code, text))
        return text

    def until(self, command, seconds=PATIENCE_S):
        """Again and again until it goes well."""
        stop = time.monotonic() + seconds
        while True:
            code, text = self.run(command)
            if code == 0:
                return text
            if time.monotonic() > stop:
                raise Failed("not within %d s: %s: %d, %s" % (seconds, command, code, text))
            time.sleep(0.3)

    def tell(self, command, **arguments):
        self.qmp.send(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = json.loads(self.qmp.read())
            if "error" in answer:
                raise Failed("%s: %s" % (command, answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]

    def cut_power(self):
        """What the guest had in its memory is lost."""
        self.process.kill()
        self.ended(20)

    def ended(self, seconds):
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def clear(self):
        if hasattr(self, "process") and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)
