# SPDX-License-Identifier: GPL-2.0-or-later
"""What Linux' block, cdrom and sr layers promise of /dev/sr0, asked of the simulated one. Run by host.sh, which has made
drive sr0 without a disc, an empty sr1, and the discs cd-r and dvd+rw with a session on them."""
import ctypes
import errno
import fcntl
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time

T = sys.argv[1]
parent = os.getpid()
SR0 = T + '/drives/sr0'
BLKGETSIZE64, BLKSSZGET, BLKFLSBUF = 0x80081272, 0x1268, 0x1261
CDROM_DRIVE_STATUS, CDROM_DISC_STATUS, CDROM_MEDIA_CHANGED = 0x5326, 0x5327, 0x5325
CDROMEJECT, CDROMCLOSETRAY, CDROMMULTISESSION, CDROMREADTOCHDR, CDROMREADTOCENTRY = 0x5309, 0x5319, 0x5310, 0x5305, 0x5306
CDROM_LOCKDOOR = 0x5329
SG_IO, SG_GET_VERSION_NUM, SG_GET_SCSI_ID, GET_IDLUN, GET_BUS_NUMBER = 0x2285, 0x2282, 0x2276, 0x5382, 0x5386
NO_DISC, TRAY_OPEN, NOT_READY, DISC_OK, DATA = 1, 2, 3, 4, 101


def mmcsim(*words):
    plain = {name: value for name, value in os.environ.items() if name != 'LD_PRELOAD'}
    return subprocess.run(['mmcsim', *words], env=plain, check=True, capture_output=True, text=True).stdout


def show(key):
    return next(line[len(key) + 1:] for line in mmcsim('show', SR0).splitlines() if line.startswith(key + '='))


def equal(found, expected, what=''):
    if found != expected:
        raise AssertionError(f'{what}: found {found!r}, expected {expected!r}')


def fails(code, call, *arguments):
    try:
        r = call(*arguments)
    except OSError as e:
        equal(errno.errorcode[e.errno], errno.errorcode[code], f'{call.__name__}{arguments}')
        return
    raise AssertionError(f'{call.__name__}{arguments} gave {r!r} instead of {errno.errorcode[code]}')


def open_sr0(flags=os.O_NONBLOCK):
    return os.open('/dev/sr0', flags)


def settle():
    for _ in range(20):
        try:
            os.close(open_sr0(0))
            return
        except OSError as e:
            equal(e.errno, errno.ENOMEDIUM, 'not ready')
    raise AssertionError('never ready')


def insert(name):
    mmcsim('insert', SR0, f'{T}/{name}')
    settle()


def ioctl_int(fd, request):
    return struct.unpack('i', fcntl.ioctl(fd, request, b'\0' * 4))[0]


def size(fd):
    return struct.unpack('Q', fcntl.ioctl(fd, BLKGETSIZE64, b'\0' * 8))[0]


class Header(ctypes.Structure):
    _fields_ = [('interface_id', ctypes.c_int), ('direction', ctypes.c_int), ('cmd_len', ctypes.c_ubyte),
                ('mx_sb_len', ctypes.c_ubyte), ('iovec_count', ctypes.c_ushort), ('dxfer_len', ctypes.c_uint),
                ('dxferp', ctypes.c_void_p), ('cmdp', ctypes.c_void_p), ('sbp', ctypes.c_void_p),
                ('timeout', ctypes.c_uint), ('flags', ctypes.c_uint), ('pack_id', ctypes.c_int),
                ('usr_ptr', ctypes.c_void_p), ('status', ctypes.c_ubyte), ('masked', ctypes.c_ubyte),
                ('msg', ctypes.c_ubyte), ('sb_len_wr', ctypes.c_ubyte), ('host', ctypes.c_ushort),
                ('driver', ctypes.c_ushort), ('resid', ctypes.c_int), ('duration', ctypes.c_uint),
                ('info', ctypes.c_uint)]


def scsi(fd, cdb, length=0, data=None, timeout=30000, pieces=1):
    """SG_IO: the header, what came, the sense."""
    command = (ctypes.c_ubyte * len(cdb))(*cdb)
    sense = (ctypes.c_ubyte * 32)()
    room = ctypes.create_string_buffer(data, length) if data else ctypes.create_string_buffer(max(length, 1))
    header = Header(ord('S'), -2 if data else -3 if length else -1, len(cdb), 32, 0, length, ctypes.addressof(room),
                    ctypes.addressof(command), ctypes.addressof(sense), timeout)
    if pieces > 1:
        part = length // pieces
        vector = (ctypes.c_size_t * (2 * pieces))(
            *[value for i in range(pieces) for value in (ctypes.addressof(room) + i * part, part)])
        header.iovec_count, header.dxferp = pieces, ctypes.addressof(vector)
    fcntl.ioctl(fd, SG_IO, header)
    return header, room.raw[:length], bytes(sense[:header.sb_len_wr])


INQUIRY = bytes([0x12, 0, 0, 0, 36, 0])
READY = bytes(6)
MODE_SENSE = bytes([0x5A, 0, 5, 0, 0, 0, 0, 0, 60, 0])
PREVENT = bytes([0x1E, 0, 0, 0, 1, 0])


def read_10(lba, count):
    return struct.pack('>BBIBHB', 0x28, 0, lba, 0, count, 0)


# --- names ------------------------------------------------------------------------

def test_node():
    status = os.stat('/dev/sr0')
    assert stat.S_ISBLK(status.st_mode)
    equal(stat.S_IMODE(status.st_mode), 0o660, 'mode')
    equal((os.major(status.st_rdev), os.minor(status.st_rdev)), (11, 0), 'numbers')
    equal(os.minor(os.stat('/dev/sr1').st_rdev), 1, 'the second drive')
    fails(errno.ENOENT, os.stat, '/dev/sr2')
    fails(errno.ENOENT, os.open, '/dev/sr2', os.O_RDONLY | os.O_NONBLOCK)
    os.symlink('/dev/sr0', T + '/cdrom')
    os.symlink('cdrom', T + '/link')
    equal(os.path.realpath(T + '/link'), '/dev/sr0')
    equal(os.stat(T + '/link').st_rdev, status.st_rdev, 'through links')
    assert stat.S_ISLNK(os.lstat(T + '/link').st_mode)
    assert os.access('/dev/sr0', os.R_OK | os.W_OK)
    fd = os.open(T + '/link', os.O_RDONLY | os.O_NONBLOCK)
    equal(os.fstat(fd).st_rdev, status.st_rdev, 'of the descriptor')
    equal(os.readlink(f'/proc/self/fd/{fd}'), '/dev/sr0')
    os.close(fd)
    said = subprocess.run(['stat', '-c', '%F %t:%T %G', '/dev/sr0'], check=True, capture_output=True, text=True).stdout
    equal(said, 'block special file b:0 cdrom\n', 'coreutils')


# --- opening ----------------------------------------------------------------------

def test_no_disc():
    fails(errno.ENOMEDIUM, open_sr0, os.O_RDONLY)
    fd = open_sr0()
    equal(fcntl.ioctl(fd, CDROM_DRIVE_STATUS, 0x7FFFFFFF), NO_DISC)
    fails(errno.EIO, fcntl.ioctl, fd, CDROMREADTOCHDR, bytearray(2))
    mmcsim('open', SR0)
    equal(fcntl.ioctl(fd, CDROM_DRIVE_STATUS, 0x7FFFFFFF), TRAY_OPEN)
    os.close(fd)
    fails(errno.ENOMEDIUM, open_sr0, os.O_RDONLY)
    equal(show('tray'), 'closed', 'an open pulls the tray in')


def test_writable():
    insert('cd-r')
    fails(errno.EROFS, open_sr0, os.O_RDWR)
    os.close(open_sr0(os.O_RDWR | os.O_NONBLOCK))
    insert('dvd+rw')
    fd = open_sr0(os.O_RDWR)
    before = os.pread(fd, 4096, 100 * 2048)
    equal(os.pwrite(fd, b'x' * 4096, 100 * 2048), 4096)
    equal(os.pread(fd, 4096, 100 * 2048), b'x' * 4096, 'what was written')
    os.pwrite(fd, before, 100 * 2048)
    os.close(fd)


def test_exclusive():
    first = open_sr0(os.O_RDWR | os.O_NONBLOCK | os.O_EXCL)
    fails(errno.EBUSY, open_sr0, os.O_RDWR | os.O_NONBLOCK | os.O_EXCL)
    fails(errno.EBUSY, open_sr0, os.O_RDONLY | os.O_NONBLOCK | os.O_EXCL)
    os.close(open_sr0())
    other = os.dup(first)
    os.close(first)
    fails(errno.EBUSY, open_sr0, os.O_RDWR | os.O_NONBLOCK | os.O_EXCL)
    # Locks of programs, to the end of the file, are another matter.
    fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(open_sr0())
    os.close(other)
    os.close(open_sr0(os.O_RDWR | os.O_NONBLOCK | os.O_EXCL))


def child(work):
    """A process that does something, says so, and waits to be killed."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        work()
        os.write(told, b'x')
        signal.pause()
    os.close(told)
    equal(os.read(ready, 1), b'x', 'the child')
    os.close(ready)
    return pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_killed():
    pid = child(lambda: open_sr0(os.O_RDWR | os.O_NONBLOCK | os.O_EXCL))
    fails(errno.EBUSY, open_sr0, os.O_RDWR | os.O_NONBLOCK | os.O_EXCL)
    kill(pid)
    os.close(open_sr0(os.O_RDWR | os.O_NONBLOCK | os.O_EXCL))
    pid = child(lambda: open_sr0(os.O_RDONLY))
    equal(show('locked'), '1', 'the door while it is open for data')
    kill(pid)
    mmcsim('button', SR0)
    equal(show('tray'), 'open', 'nobody holds the door any more')
    mmcsim('button', SR0)
    settle()


def test_door():
    fd = open_sr0(os.O_RDONLY)
    mmcsim('button', SR0)
    equal(show('tray'), 'closed', 'a locked door')
    event = scsi(fd, bytes([0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8, 0]), 8)[1]
    equal(event[4] & 15, 1, 'the drive says that somebody pressed the button')
    other = open_sr0()
    fails(errno.EBUSY, fcntl.ioctl, fd, CDROMEJECT)
    os.close(other)
    fcntl.ioctl(fd, CDROMEJECT)
    equal(show('tray'), 'open')
    fcntl.ioctl(fd, CDROMCLOSETRAY)
    fcntl.ioctl(fd, CDROM_LOCKDOOR, 1)
    equal(show('locked'), '1', 'locked')
    os.close(fd)
    equal(show('locked'), '0', 'after the last close')
    settle()


# --- descriptors ------------------------------------------------------------------

def test_descriptors():
    fd = open_sr0(os.O_RDONLY)
    expected = os.pread(fd, 8192, 32768)
    equal(expected[1:6], b'CD001')
    other = os.dup(fd)
    os.lseek(other, 32768, os.SEEK_SET)
    equal(os.read(fd, 4096) + os.read(other, 4096), expected, 'a shared position')
    equal(os.lseek(fd, 0, os.SEEK_END), size(fd))
    equal(os.read(fd, 100), b'', 'at the end')
    pieces = [bytearray(2), bytearray(5)]
    equal(os.preadv(fd, pieces, 32767), 7)
    equal(bytes(pieces[1]), b'CD001')
    again = os.open(f'/proc/self/fd/{fd}', os.O_RDONLY)
    equal(os.pread(again, 8192, 32768), expected, 'by /proc')
    # A program after exec knows the descriptor, too, and so does one that gets it by a socket.
    os.set_inheritable(fd, True)
    code = f'import os; os.write(1, os.pread({fd}, 8192, 32768))'
    equal(subprocess.run([sys.executable, '-c', code], check=True, capture_output=True, close_fds=False).stdout, expected)
    here, there = socket.socketpair()
    code = ('import os, socket, sys; _, fds, _, _ = socket.recv_fds(socket.socket(fileno=0), 1, 1); '
            'os.write(1, os.pread(fds[0], 8192, 32768))')
    program = subprocess.Popen([sys.executable, '-c', code], stdin=there, stdout=subprocess.PIPE)
    socket.send_fds(here, [b'x'], [fd])
    equal(program.communicate()[0], expected, 'by a socket')
    for each in (fd, other, again):
        os.close(each)


# --- SCSI -------------------------------------------------------------------------

def test_scsi():
    fd = open_sr0(os.O_RDWR | os.O_NONBLOCK)
    header, data, _ = scsi(fd, INQUIRY, 36)
    equal((header.status, header.resid, data[0], data[8:14]), (0, 0, 5, b'MMCSIM'))
    header, data, _ = scsi(fd, INQUIRY, 96)
    equal(header.resid, 60, 'bytes that did not come')
    header, data, _ = scsi(fd, read_10(16, 2), 4096, pieces=4)
    equal((header.status, data[1:6]), (0, b'CD001'), 'in four pieces')
    header, data, sense = scsi(fd, read_10(0x7FFFFFFF, 1), 2048)
    equal((header.status, header.masked, header.driver, header.info & 1), (2, 1, 8, 1), 'CHECK CONDITION')
    equal((sense[0] & 0x7F, sense[2] & 15, sense[12]), (0x70, 5, 0x21))
    header, data, sense = scsi(fd, bytes([0xD8] + [0] * 11))
    equal((sense[2] & 15, sense[12]), (5, 0x20), 'an unknown command')
    fails(errno.EMSGSIZE, scsi, fd, bytes(4))
    fails(errno.EIO, scsi, fd, read_10(0, 2000), 2000 * 2048)
    with open(SR0 + '/rules', 'w') as rules:
        rules.write('op=0 delay=60\n')
    equal(scsi(fd, READY, timeout=20)[0].host, 3, 'the host lost patience')
    os.unlink(SR0 + '/rules')
    assert ioctl_int(fd, SG_GET_VERSION_NUM) >= 30000
    equal(ioctl_int(fd, GET_BUS_NUMBER), 0)
    fcntl.ioctl(fd, GET_IDLUN, bytearray(8))
    fails(errno.ENOTTY, fcntl.ioctl, fd, SG_GET_SCSI_ID, bytearray(64))
    os.close(fd)


def as_user(groups, work):
    """In a child without root's rights; what fails there fails here."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(groups)
            os.setgid(65534)
            os.setuid(65534)
            work()
            os._exit(0)
        except BaseException as e:
            print(e, file=sys.stderr, flush=True)
            os._exit(1)
    equal(os.waitpid(pid, 0)[1], 0, 'as a user')


def test_user():
    def without():
        fails(errno.EACCES, open_sr0, os.O_RDONLY | os.O_NONBLOCK)
        assert not os.access('/dev/sr0', os.R_OK)

    def within():
        fd = open_sr0(os.O_RDONLY)
        equal(os.pread(fd, 6, 32768)[1:], b'CD001')
        equal(scsi(fd, INQUIRY, 36)[0].status, 0)
        equal(scsi(fd, MODE_SENSE, 60)[0].status, 0)
        fails(errno.EPERM, scsi, fd, PREVENT)
        fails(errno.EACCES, fcntl.ioctl, fd, BLKFLSBUF)
        os.close(fd)
        fd = open_sr0(os.O_RDWR | os.O_NONBLOCK | os.O_EXCL)
        equal(scsi(fd, PREVENT)[0].status, 0, 'a writer may')
        fails(errno.EPERM, scsi, fd, bytes([0xD8] + [0] * 11))
        os.close(fd)

    as_user([], without)
    as_user([os.stat('/dev/sr0').st_gid], within)


# --- what the kernel knows --------------------------------------------------------

def multisession(fd):
    buffer = bytearray(8)
    buffer[5] = 1  # LBA
    fcntl.ioctl(fd, CDROMMULTISESSION, buffer)
    return struct.unpack('i', buffer[:4])[0]


def burn(*words):
    subprocess.run(['xorriso', '-abort_on', 'FAILURE', '-dev', '/dev/sr0', *words, '-commit'], check=True,
                   capture_output=True)


def test_stale():
    """After a burn the kernel still knows the disc from before, until it has been out."""
    mmcsim('new', 'cd-r', T + '/fresh', '--sectors', '60000')
    insert('fresh')
    fd = open_sr0()
    equal(size(fd), 2048, 'a blank disc')
    os.close(fd)
    burn('-map', T + '/t1', '/t1')
    mmcsim('button', SR0)
    mmcsim('button', SR0)
    settle()
    fd = open_sr0()
    one = size(fd)
    assert one > 1 << 17
    equal(multisession(fd), 0)
    equal(ioctl_int(fd, BLKSSZGET), 2048)
    os.close(fd)
    burn('-map', T + '/t1', '/t2')
    fd = open_sr0(os.O_RDONLY)
    equal((size(fd), multisession(fd)), (one, 0), 'stale')
    start = next(line for line in mmcsim('show', SR0).splitlines() if line.startswith('track=2 ')).split(' start=')[1]
    start = int(start.split()[0])
    equal(os.pread(fd, 2048, (start + 16) * 2048), b'', 'behind the end')
    equal(scsi(fd, read_10(start + 16, 1), 2048)[1][1:6], b'CD001', 'but the drive has it')
    os.close(fd)
    mmcsim('button', SR0)
    mmcsim('button', SR0)
    settle()
    fd = open_sr0(os.O_RDONLY)
    equal(multisession(fd), start)
    assert size(fd) > start * 2048
    equal(os.pread(fd, 2048, (start + 16) * 2048)[1:6], b'CD001')
    equal(fcntl.ioctl(fd, CDROM_DISC_STATUS), DATA)
    tracks = bytearray(2)
    fcntl.ioctl(fd, CDROMREADTOCHDR, tracks)
    equal(bytes(tracks), b'\1\2', 'tracks')
    entry = bytearray([2, 0, 1, 0] + [0] * 8)
    fcntl.ioctl(fd, CDROMREADTOCENTRY, entry)
    equal((entry[1] >> 4, struct.unpack('i', entry[4:8])[0]), (4, start), 'track 2')
    # The gap between the sessions can't be read: EIO, and what is before it comes.
    fails(errno.EIO, os.pread, fd, 2048, 5000 * 2048)
    os.close(fd)


def test_swapped():
    insert('dvd+rw')
    fd = open_sr0(os.O_RDONLY)
    fcntl.ioctl(fd, CDROM_MEDIA_CHANGED, 0x7FFFFFFF)
    equal(fcntl.ioctl(fd, CDROM_MEDIA_CHANGED, 0x7FFFFFFF), 0)
    mmcsim('insert', SR0, T + '/cd-r')
    fails(errno.EIO, os.pread, fd, 2048, 32768)
    fails(errno.EIO, os.pread, fd, 2048, 32768)
    equal(fcntl.ioctl(fd, CDROM_DRIVE_STATUS, 0x7FFFFFFF), NOT_READY)
    while fcntl.ioctl(fd, CDROM_DRIVE_STATUS, 0x7FFFFFFF) != DISC_OK:
        pass
    equal(fcntl.ioctl(fd, CDROM_MEDIA_CHANGED, 0x7FFFFFFF), 1)
    equal(fcntl.ioctl(fd, CDROM_MEDIA_CHANGED, 0x7FFFFFFF), 0)
    equal(os.pread(fd, 6, 32768)[1:], b'CD001', 'of the other disc, as in life')
    os.close(fd)
    settle()


def test_crowd():
    """Processes that die in the middle of anything leave the drive usable for the others."""
    def read_on():
        os.write(told, b'x')
        fd = open_sr0()
        while True:
            os.pread(fd, 65536, 32768)
            scsi(fd, INQUIRY, 36)

    fd = open_sr0(os.O_RDONLY)
    for n in range(60):
        ready, told = os.pipe()
        pids = [os.fork() for _ in range(2) if os.getpid() == parent]
        if os.getpid() != parent:
            read_on()
        os.read(ready, 1)
        time.sleep(n * 0.0001)
        for pid in pids:
            kill(pid)
        os.close(ready)
        os.close(told)
        equal(os.pread(fd, 6, 32768)[1:], b'CD001')
    os.close(fd)


def content(lba, count):
    return b''.join(at.to_bytes(4, 'big') * 512 for at in range(lba, lba + count))


def write_10(fd, lba, count):
    return scsi(fd, struct.pack('>BBIBHB', 0x2A, 0, lba, 0, count, 0), count * 2048, content(lba, count))[0].status


def track_1(key):
    line = next(line for line in mmcsim('show', SR0).splitlines() if line.startswith('track=1 '))
    return int(line.split(f' {key}=')[1].split()[0])


def test_killed_writers():
    """A drive doesn't notice that a program dies: whatever the next writable address says is written, and right."""
    page = (bytes(8) + bytes([5, 0x32, 1, 0xC4, 8])).ljust(60, b'\0')  # track at once, for CD

    def write_on():
        fd = open_sr0(os.O_RDWR | os.O_NONBLOCK)
        scsi(fd, bytes([0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0]), 60, page)
        lba = track_1('nwa')
        os.write(told, b'x')
        while True:
            if write_10(fd, lba, 32) != 0:
                os._exit(1)
            lba += 32

    for kind in ('cd-r', 'dvd+r', 'bd-r'):
        mmcsim('new', kind, f'{T}/{kind}-killed', '--sectors', '300000')
        insert(f'{kind}-killed')
        ready, told = os.pipe()
        for n in range(40):
            pid = os.fork()
            if pid == 0:
                write_on()
            os.read(ready, 1)
            time.sleep(0.0005 + n * 0.0001)
            os.kill(pid, signal.SIGKILL)
            equal(os.WTERMSIG(os.waitpid(pid, 0)[1]), signal.SIGKILL, f'the writer of {kind}')
        fd = open_sr0(os.O_RDWR | os.O_NONBLOCK)
        end = track_1('nwa')
        assert end > 1600, f'{kind}: {end} sectors'
        equal(write_10(fd, end, 32), 0)
        equal(scsi(fd, bytes([0x35] + [0] * 9))[0].status, 0, 'SYNCHRONIZE CACHE')
        for lba in range(0, end + 32, 32):
            if scsi(fd, read_10(lba, 32), 65536)[1] != content(lba, 32):
                raise AssertionError(f'{kind}: other content between {lba} and {lba + 31}')
        os.close(fd)
        os.close(ready)
        os.close(told)


def test_power():
    fd = open_sr0()
    mmcsim('power-loss', SR0)
    _, _, sense = scsi(fd, READY)
    equal((sense[2] & 15, sense[12], sense[13]), (6, 0x29, 0), 'power on')
    os.close(fd)
    settle()


def test_sleep():
    """Sleeps are short in a process with a drive open; others aren't, and timers never."""
    began = time.monotonic()
    subprocess.run(['sleep', '0.2'], check=True)
    assert time.monotonic() - began >= 0.2
    fd = open_sr0()
    began = time.monotonic()
    ctypes.CDLL(None).usleep(2000000)
    assert time.monotonic() - began < 1
    began = time.monotonic()
    threading.Event().wait(0.2)
    assert time.monotonic() - began >= 0.2
    os.close(fd)


for name, test in list(globals().items()):
    if name.startswith('test_'):
        print(name, flush=True)
        os.environ['MMCSIM_POLL'] = '0'
        test()
