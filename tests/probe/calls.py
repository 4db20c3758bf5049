# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that Python's os lacks, through libc; each raises OSError as os does."""
import ctypes
import fcntl
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.getdents64.restype = ctypes.c_ssize_t
libc.opendir.restype = ctypes.c_void_p
libc.telldir.restype = ctypes.c_long
libc.mmap.restype = ctypes.c_void_p
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH = 0x100, 0x200, 0x400, 0x1000
O_TMPFILE, O_PATH = os.O_TMPFILE, os.O_PATH

RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4
KEEP_SIZE, PUNCH_HOLE, COLLAPSE_RANGE, ZERO_RANGE, INSERT_RANGE, UNSHARE_RANGE = 1, 2, 8, 16, 32, 64
F_OFD_GETLK, F_OFD_SETLK, F_SETLEASE, F_GETLEASE = 36, 37, 1024, 1025
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2


def _checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _path(path):
    return os.fsencode(path)


def rename2(old, new, flags):
    _checked(libc.renameat2(AT_FDCWD, _path(old), AT_FDCWD, _path(new), ctypes.c_uint(flags)))


def fallocate(fd, mode, offset, length):
    _checked(libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)))


def linkat(fd, path, new, flags):
    _checked(libc.linkat(fd, _path(path), AT_FDCWD, _path(new), flags))


def unlinkat(path, flags):
    _checked(libc.unlinkat(AT_FDCWD, _path(path), flags))


def utimensat(path, atime, mtime, flags=0):
    """Times are (seconds, nanoseconds)."""
    spec = struct.pack("qqqq", *atime, *mtime)
    _checked(libc.utimensat(AT_FDCWD, None if path is None else _path(path), spec, flags))


def forget_sync_errors():
    """Syncs. What an earlier check wrote and couldn't be kept is told to who asks first: it shall not be a check."""
    libc.syncfs(os.open(".", os.O_RDONLY))


def syncfs(fd):
    _checked(libc.syncfs(fd))


def statx(path, mask, flags=AT_SYMLINK_NOFOLLOW):
    """A dict of the plain fields of struct statx."""
    buffer = ctypes.create_string_buffer(256)
    _checked(libc.statx(AT_FDCWD, _path(path), flags, ctypes.c_uint(mask), buffer))
    fields = struct.unpack_from("IIQIIIHxxQQQQ", buffer.raw)
    return dict(
        zip(
            (
                "mask",
                "blksize",
                "attributes",
                "nlink",
                "uid",
                "gid",
                "mode",
                "ino",
                "size",
                "blocks",
                "attributes_mask",
            ),
            fields,
        )
    )


def handle_of(path, flags=0):
    """The file handle as (type, bytes), and the id of the mount."""
    buffer = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 8 + 128)
    mount = ctypes.c_int()
    _checked(libc.name_to_handle_at(AT_FDCWD, _path(path), buffer, ctypes.byref(mount), flags))
    length, kind = struct.unpack_from("Ii", buffer.raw)
    return kind, buffer.raw[8 : 8 + length]


def open_handle(mount_fd, handle, flags):
    kind, data = handle
    buffer = ctypes.create_string_buffer(struct.pack("Ii", len(data), kind) + data)
    return _checked(libc.open_by_handle_at(mount_fd, buffer, flags))


def openat2(path, flags, resolve=0, mode=0, fd=AT_FDCWD):
    how = struct.pack("QQQ", flags, mode, resolve)
    return _checked(libc.syscall(ctypes.c_long(437), fd, _path(path), how, ctypes.c_size_t(len(how))))


def faccessat2(path, mode, flags):
    _checked(libc.syscall(ctypes.c_long(439), AT_FDCWD, _path(path), mode, flags))


def getdents(fd, size):
    """One call: a list of (name, type, offset); None at the end."""
    buffer = ctypes.create_string_buffer(size)
    got = _checked(libc.getdents64(fd, buffer, ctypes.c_size_t(size)))
    entries, at = [], 0
    while at < got:
        _, offset, length, kind = struct.unpack_from("QqHB", buffer.raw, at)
        name = buffer.raw[at + 19 : at + length].split(b"\0")[0]
        entries.append((os.fsdecode(name), kind, offset))
        at += length
    return entries or None


class Dir:
    """A directory stream of libc's, with its offsets."""

    def __init__(self, path):
        self.stream = libc.opendir(_path(path))
        if not self.stream:
            raise OSError(ctypes.get_errno(), "opendir")
        libc.readdir.restype = ctypes.c_void_p

    def read(self):
        entry = libc.readdir(ctypes.c_void_p(self.stream))
        if not entry:
            return None
        return os.fsdecode(ctypes.string_at(entry + 19))

    def rest(self):
        found = []
        while (name := self.read()) is not None:
            found.append(name)
        return found

    def tell(self):
        return libc.telldir(ctypes.c_void_p(self.stream))

    def seek(self, offset):
        libc.seekdir(ctypes.c_void_p(self.stream), ctypes.c_long(offset))

    def rewind(self):
        libc.rewinddir(ctypes.c_void_p(self.stream))

    def close(self):
        libc.closedir(ctypes.c_void_p(self.stream))


def inotify(path, mask):
    fd = _checked(libc.inotify_init1(os.O_NONBLOCK))
    _checked(libc.inotify_add_watch(fd, _path(path), ctypes.c_uint(mask)))
    return fd


EVENTS = {
    1: "access",
    2: "modify",
    4: "attrib",
    8: "close-write",
    16: "close",
    32: "open",
    64: "moved-from",
    128: "moved-to",
    256: "create",
    512: "delete",
    1024: "delete-self",
    2048: "move-self",
    0x8000: "ignored",
}


def events(fd):
    """What an inotify descriptor has to tell: ["create f", …]"""
    try:
        data = os.read(fd, 65536)
    except BlockingIOError:
        return []
    told, at = [], 0
    while at < len(data):
        _, mask, _, length = struct.unpack_from("iIII", data, at)
        name = data[at + 16 : at + 16 + length].split(b"\0")[0].decode()
        word = EVENTS.get(mask & 0xFFFF, hex(mask)) + (" dir" if mask & 0x40000000 else "")
        told.append((word + " " + name).strip())
        at += 16 + length
    return told


def lock(fd, command, kind, start=0, length=0):
    """fcntl with struct flock; what comes back as (type, start, length)."""
    request = struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0)
    answer = struct.unpack("hhqqi4x", fcntl.fcntl(fd, command, request))
    return answer[0], answer[2], answer[3]


# --- ACLs as the kernel takes them ---

TAGS = {"u": (1, 2), "g": (4, 8), "m": (16, 16), "o": (32, 32)}
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"


def acl(words):
    """u::rw-,u:ID:r--,g::r--,m::rw-,o::r--"""
    value = struct.pack("I", 2)
    for word in words.split(","):
        tag, who, bits = word.split(":")
        number = sum(bit for bit, char in zip((4, 2, 1), bits) if char != "-")
        value += struct.pack("HHI", TAGS[tag][bool(who)], number, int(who) if who else 0xFFFFFFFF)
    return value


def set_acl(path, words, which=ACCESS):
    os.setxattr(path, which, acl(words))


def get_acl(path, which=ACCESS):
    try:
        value = os.getxattr(path, which)
    except OSError as error:
        if error.errno == 61:
            return "none"
        raise
    letters = {1: "u", 2: "u", 4: "g", 8: "g", 16: "m", 32: "o"}
    words = []
    for at in range(4, len(value), 8):
        tag, bits, who = struct.unpack_from("HHI", value, at)
        shown = "".join(char if bits & bit else "-" for bit, char in zip((4, 2, 1), "rwx"))
        words.append("%s:%s:%s" % (letters[tag], who if tag in (2, 8) else "", shown))
    return ",".join(words)
