#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""discfs at home: fstab, automount, umount, systemd, udev, logind, the end of the system and of its power, in a virtual
Debian with the real ones.    systemd.py GUEST-FOLDER TREE    (of build.sh, and of `make install DESTDIR=TREE`)

A commit is made slow by a fault point: it stands still in the middle of the burn until /run/go is there. systemd cuts
off after ten seconds instead of 90 in that guest; whatever is said to wait here waits longer."""
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from machine import PATIENCE_S, Failed, Machine

FSTAB = """
/srv/auto.img /mnt/auto discfs noauto,nofail,umount=refuse,x-systemd.automount,x-systemd.idle-timeout=3s,x-systemd.mount-timeout=infinity 0 0
/srv/disc.img /mnt/disc discfs noauto,nofail,x-systemd.mount-timeout=infinity,x-gvfs-show 0 0
/srv/last.img /mnt/last discfs noauto,nofail,x-systemd.mount-timeout=infinity,commit=unmount 0 0
/srv/idle.img /mnt/idle discfs noauto,nofail,commit=unmount,x-systemd.automount,x-systemd.idle-timeout=6s,x-systemd.mount-timeout=infinity 0 0
/srv/given.img /mnt/given discfs noauto,nofail,x-systemd.mount-timeout=infinity,commit=unmount,umount=handover 0 0
/home/anna/disc.img /home/anna/mnt discfs user,noauto,nofail,commit=unmount 0 0
/dev/sr0 /media/sr0 discfs noauto,nofail,x-systemd.mount-timeout=infinity 0 0
"""
SHORT = 10  # seconds after which systemd cuts off what it stops, instead of 90
LONGER = 15


def equal(found, expected, what):
    if found != expected:
        raise Failed("%s: found %r, expected %r" % (what, found, expected))


def fault(guest, words):
    """What the next daemons of the service fail or wait at; empty: nowhere."""
    guest.do("rm -f /run/go; for i in auto disc last given; do echo DISCFS_FAULT=%s >/etc/discfs/mnt-$i.conf; done" % words)


def slow(guest):
    fault(guest, "burn-middle:await=/run/go")


def sessions(guest, image):
    return int(guest.do("discfsctl info %s --json | jq '.sessions | length'" % image))


def begin_commit(guest, folder, user="root"):
    guest.do("runuser -u %s -- bash -c 'echo commit-nowait >%s/.discfs/control'" % (user, folder))
    guest.until("[ $(runuser -u %s -- jq -r .work.phase %s/.discfs/status.json) = burning ]" % (user, folder))


def still_at_work(guest, number, what):
    answer = guest.end(number, LONGER)
    if answer is not None:
        raise Failed("%s didn't wait: %r" % (what, answer))


def prepare(guest):
    """systemd reads its files again only once: that takes half a minute on a busy machine."""
    guest.do("tar -C / -xf /dev/vdb && ldconfig && systemd-tmpfiles --create discfs.conf")
    guest.do("mkdir -p /etc/discfs /mnt/auto /mnt/idle /mnt/disc /mnt/last /mnt/given /media/sr0 /etc/systemd/system.conf.d\n"
             "printf '[Manager]\\nDefaultTimeoutStopSec=%ds\\n' >/etc/systemd/system.conf.d/short.conf\n"
             "cat >>/etc/fstab <<'END'%sEND\n" % (SHORT, FSTAB))
    guest.do("for i in auto idle disc last given; do discfsctl create /srv/$i.img --size 100M; done")
    guest.do("cp /usr/share/doc/discfs/examples/90-discfs.rules /etc/udev/rules.d/ && udevadm control --reload")
    guest.do("systemctl daemon-reload && systemctl start mnt-auto.automount mnt-idle.automount")


def automount(guest):
    """mounts on access, in a unit of its own; idles out without burning"""
    equal(guest.run("systemctl is-active mnt-auto.mount")[1], "inactive", "before")
    guest.do("ls /mnt/auto && echo staged >/mnt/auto/file")
    equal(guest.do("systemctl is-active mnt-auto.mount discfs@mnt-auto.service"), "active\nactive", "after an access")
    pid = guest.do("jq .pid /mnt/auto/.discfs/status.json")
    cgroup = guest.do("cat /proc/%s/cgroup" % pid)
    if not cgroup.endswith("discfs@mnt-auto.service"):
        raise Failed("the daemon is in " + cgroup)
    guest.until("[ $(systemctl is-active mnt-auto.mount) = inactive ] && [ $(systemctl is-active discfs@mnt-auto) = inactive ]")
    equal(guest.do("systemctl is-active mnt-auto.automount"), "active", "the automount")
    equal(sessions(guest, "/srv/auto.img"), 0, "sessions")
    slow(guest)
    equal(guest.do("cat /mnt/auto/file"), "staged", "what was staged")
    begin_commit(guest, "/mnt/auto")
    time.sleep(LONGER)  # a time-out while it burns: the folder can be used all the same
    equal(guest.do("cat /mnt/auto/file; jq -r .work.phase /mnt/auto/.discfs/status.json"), "staged\nburning", "while it burns")
    guest.do("touch /run/go")
    guest.until("[ $(systemctl is-active discfs@mnt-auto) = inactive ]")
    fault(guest, "")
    equal(sessions(guest, "/srv/auto.img"), 1, "sessions")


def idle_keeps(guest):
    """commit=unmount: an idle time-out and systemctl stop burn nothing, a person's umount does"""
    gone = "[ $(systemctl is-active mnt-idle.mount) = inactive ] && [ $(systemctl is-active discfs@mnt-idle) = inactive ]"
    guest.do("echo staged >/mnt/idle/file && mountpoint -q /mnt/idle")
    guest.until(gone)
    guest.do("grep -q staged /mnt/idle/file && systemctl stop mnt-idle.mount")
    guest.until(gone)
    equal(sessions(guest, "/srv/idle.img"), 0, "sessions")
    said = guest.do("journalctl -o cat -u mnt-idle.mount | sort -u")
    if "nothing is burned now, since it's systemd that unmounts" not in said:
        raise Failed("the journal has: " + said)
    guest.do("grep -q staged /mnt/idle/file && umount /mnt/idle")
    equal(sessions(guest, "/srv/idle.img"), 1, "sessions")


def umount_waits(guest):
    """waits for a commit of a minute, and tells how it ended"""
    slow(guest)
    before = sessions(guest, "/srv/disc.img")
    guest.do("mount /mnt/disc && echo one >/mnt/disc/one")
    begin_commit(guest, "/mnt/disc")
    began = time.monotonic()
    number = guest.begin("umount /mnt/disc")
    inhibited = guest.do("systemd-inhibit --list")
    if "discfs" not in inhibited or "sleep:shutdown:idle" not in inhibited.replace("shutdown:sleep:idle", "sleep:shutdown:idle"):
        raise Failed("nothing is inhibited: " + inhibited)
    status = guest.do("systemctl show -p StatusText --value discfs@mnt-disc")
    if not status.startswith("Commit: burning"):
        raise Failed("the unit's status is " + status)
    if guest.end(number, 60) is not None:
        raise Failed("umount didn't wait")
    guest.do("mountpoint -q /mnt/disc && touch /run/go")
    equal(guest.end(number), (0, ""), "umount")
    if time.monotonic() - began < 60:
        raise Failed("it took less than a minute")
    guest.do("! mountpoint -q /mnt/disc")
    if "discfs" in guest.do("systemd-inhibit --list"):
        raise Failed("still inhibited")
    equal(sessions(guest, "/srv/disc.img"), before + 1, "sessions")
    fault(guest, "burn-middle:5")
    guest.do("mount /mnt/last && echo one >/mnt/last/one")
    code, text = guest.run("umount /mnt/last")
    equal(code, 32, "exit code where the commit fails")
    if "stays mounted" not in text:
        raise Failed(text)
    guest.do("mountpoint -q /mnt/last && grep -q one /mnt/last/one && systemctl stop discfs@mnt-last")
    fault(guest, "")


def stop_waits(guest):
    """systemctl stop of the .mount, and of the service, wait for a commit"""
    before = sessions(guest, "/srv/disc.img")
    for number, unit in enumerate(("mnt-disc.mount", "discfs@mnt-disc.service")):
        slow(guest)
        guest.do("mount /mnt/disc && echo %d >/mnt/disc/two" % number)
        begin_commit(guest, "/mnt/disc")
        stop = guest.begin("systemctl stop " + unit)
        still_at_work(guest, stop, "systemctl stop " + unit)
        guest.do("touch /run/go")
        equal(guest.end(stop), (0, ""), "systemctl stop " + unit)
        guest.until("[ $(systemctl is-active discfs@mnt-disc) = inactive ]")
        equal(sessions(guest, "/srv/disc.img"), before + 1 + number, "sessions")
    fault(guest, "")


def handed_over(guest):
    """umount=handover: unmounted at once, committed behind; a mount meanwhile says that it's busy"""
    slow(guest)
    guest.do("mount /mnt/given && echo one >/mnt/given/one")
    guest.do("umount /mnt/given && ! mountpoint -q /mnt/given")
    code, text = guest.run("mount /mnt/given")
    equal(code, 32, "mount meanwhile")
    if "busy" not in text:
        raise Failed(text)
    equal(guest.run("discfs /srv/given.img /mnt/given")[0], 14, "discfs meanwhile")
    guest.do("touch /run/go")
    guest.until("[ $(systemctl is-active discfs@mnt-given) = inactive ]")
    equal(sessions(guest, "/srv/given.img"), 1, "sessions")
    fault(guest, "")
    guest.do("mount /mnt/given && cat /mnt/given/one && umount /mnt/given")


def busy(guest):
    """a mount that is in use stays; a service without a mount says why it can't; a name is a name"""
    guest.do("mount /mnt/disc")
    holder = guest.begin("cd /mnt/disc && exec sleep 30")
    time.sleep(2)
    equal(guest.run("umount /mnt/disc")[0], 32, "umount")
    equal(guest.run("systemctl stop mnt-disc.mount")[0], 1, "systemctl stop")
    guest.do("mountpoint -q /mnt/disc && pkill sleep")
    guest.end(holder)
    guest.do("umount /mnt/disc")
    code, text = guest.run("mount -t discfs /srv/none.img /mnt/disc")
    equal(code, 32, "mount of nothing")
    if "none.img" not in text or "No such file" not in text:
        raise Failed(text)
    place = "'/mnt/anna-s ${HOME} of $A %n'"
    guest.do("mkdir %s && mount -t discfs /srv/disc.img %s && systemctl list-units 'discfs@*' | grep -q running" % (place, place))
    guest.do("mountpoint -q %s && umount %s" % (place, place))


def ordinary_user(guest):
    """an ordinary user mounts, stages, commits and unmounts"""
    def anna(command):
        return guest.do("runuser -l anna -c '%s'" % command)

    anna("discfsctl create disc.img --size 50M && mkdir mnt && mount mnt && id -un >mnt/who && "
         "discfsctl commit mnt --label ANNA && echo more >mnt/more")
    equal(guest.do("ps -o user= -C discfs"), "anna", "the daemon's owner")
    anna("umount mnt")
    equal(sessions(guest, "/home/anna/disc.img"), 2, "sessions")
    anna("mount mnt && cat mnt/more && rm mnt/more")
    guest.do("umount /home/anna/mnt")  # by root
    equal(sessions(guest, "/home/anna/disc.img"), 3, "sessions")


def disc_put_in(guest):
    """a disc that is put into the drive is mounted"""
    guest.do("[ -b /dev/sr0 ] && ! mountpoint -q /media/sr0")
    image = guest.path("given.iso")
    source = tempfile.mkdtemp(dir=guest.place)
    with open(source + "/hello", "w") as file:
        file.write("hello\n")
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", image, source], check=True, stderr=subprocess.DEVNULL)
    guest.tell("blockdev-change-medium", id="cd", filename=image, format="raw")
    guest.until("mountpoint -q /media/sr0")
    equal(guest.do("cat /media/sr0/hello"), "hello", "a file of the disc")
    equal(guest.do("systemctl is-active discfs@media-sr0 media-sr0.mount"), "active\nactive", "units")
    guest.do("umount /media/sr0")
    guest.do("eject /dev/sr0 2>/dev/null || discfsctl eject /dev/sr0")


def power_cut(guest):
    """power fails in the middle of rsync: nothing that was synced is lost"""
    guest.do("mount /mnt/disc && mkdir -p /srv/source")
    guest.do("for i in $(seq 120); do head -c $((i * 501)) /dev/urandom >/srv/source/$i; done; sync")
    guest.begin("rsync -a --fsync --bwlimit=60 /srv/source/ /mnt/disc/copy/")  # a minute
    guest.begin("mkdir /mnt/disc/own; for i in $(seq 120); do cp /srv/source/$i /mnt/disc/own/ && sync /mnt/disc/own/$i && "
                "echo $i >>/srv/synced; sync /srv/synced; done")
    guest.until("[ $(wc -l </srv/synced) -ge 10 ] && [ $(ls /mnt/disc/copy | wc -l) -ge 20 ]")
    guest.cut_power()
    guest.start()
    guest.do("mount /mnt/disc")
    # the end of that list, which wasn't synced yet, may be zeroes
    synced = int(guest.do("n=0; for i in $(tr -d '\\0' </srv/synced); do cmp /srv/source/$i /mnt/disc/own/$i || exit 1; "
                          "n=$((n + 1)); done; echo $n"))
    if synced < 10:
        raise Failed("only %d were synced" % synced)
    copied = int(guest.do("cd /mnt/disc/copy; n=0; for i in [0-9]*; do cmp /srv/source/$i $i || exit 1; n=$((n + 1)); done; echo $n"))
    if copied == 120:
        raise Failed("rsync was done before")
    # what rsync had begun lies there under a name of its own
    guest.do("rsync -a --delete /srv/source/ /mnt/disc/copy/ && diff -r /srv/source /mnt/disc/copy")
    guest.do("umount /mnt/disc")
    return "%d synced, %d of rsync's" % (synced, copied)


# What somebody at the desktop may do.
POLKIT = """polkit.addRule(function(action, subject) {
    if (/^org\\.freedesktop\\.login1\\.(inhibit-.*|power-off|power-off-multiple-sessions)$/.test(action.id))
        return polkit.Result.YES;
});"""
CAN_POWER_OFF = ("runuser -u anna -- busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager "
                 "CanPowerOff")


def user_burns(guest):
    """Anna, who has logged in, burns with a daemon of her own. systemctl refuses her at a terminal; logind wouldn't, since
    it's she who keeps it up."""
    guest.do("cat >/etc/polkit-1/rules.d/10-anna.rules <<'END'\n%s\nEND" % POLKIT)
    guest.do("runuser -l anna -c 'discfsctl create own.img --size 50M && mkdir own && "
             "DISCFS_FAULT=burn-middle:await=/run/go discfs own.img own && echo own >own/own'")
    guest.until(CAN_POWER_OFF + " | grep -q yes")
    cgroup = guest.do("cat /proc/$(runuser -u anna -- jq .pid /home/anna/own/.discfs/status.json)/cgroup")
    if ".scope" not in cgroup:
        raise Failed("her daemon is in " + cgroup)
    begin_commit(guest, "/home/anna/own", "anna")
    guest.until("systemd-inhibit --list --no-legend | grep '^discfs '")
    code, text = guest.run("runuser -u anna -- script -qec 'systemctl poweroff' /dev/null")
    if code == 0 or "Operation inhibited by" not in text:
        raise Failed("she may switch off at a terminal while it burns: %d, %s" % (code, text))


def power_off(guest):
    """the end of the system waits for root's commit and, with discfs-hold, for a user's; it begins none"""
    slow(guest)
    guest.do("systemctl enable --now discfs-hold && "
             "mount /mnt/disc && echo last >/mnt/disc/last && mount /mnt/last && echo last >/mnt/last/last")
    staged = guest.do("jq .staged.added /mnt/last/.discfs/status.json")
    before = sessions(guest, "/srv/last.img"), sessions(guest, "/srv/disc.img")
    user_burns(guest)
    begin_commit(guest, "/mnt/disc")
    guest.until(CAN_POWER_OFF + " | grep -v yes")  # another's burn keeps her from it everywhere
    guest.begin("systemctl poweroff")
    if guest.ended(3 * LONGER):
        raise Failed("it didn't wait")
    jobs = guest.do("systemctl list-jobs; mountpoint /mnt/disc")
    guest.do("touch /run/go")
    if not guest.ended(PATIENCE_S):
        raise Failed("it never ends; jobs were: " + jobs)
    guest.start()
    equal((sessions(guest, "/srv/last.img"), sessions(guest, "/srv/disc.img")), (before[0], before[1] + 1), "sessions")
    equal(sessions(guest, "/home/anna/own.img"), 1, "sessions of the user's")
    guest.do("mount /mnt/disc && cat /mnt/disc/last && mount /mnt/last")
    equal(guest.do("cat /mnt/last/last; jq .staged.added /mnt/last/.discfs/status.json"), "last\n" + staged, "what is staged where nothing was burned")
    guest.do("umount /mnt/disc")


STORY = (automount, idle_keeps, umount_waits, stop_waits, handed_over, busy, ordinary_user, disc_put_in, power_cut, power_off)


def play(guest, chapter):
    began = time.monotonic()
    try:
        said = chapter(guest)
    except Exception as error:
        if not isinstance(error, Failed):
            traceback.print_exc()
        print("%-14s FAILED   %.1f s: %s: %s" % (chapter.__name__, time.monotonic() - began, chapter.__doc__, error), flush=True)
        with contextlib.suppress(OSError, Failed):  # the next one begins with nothing mounted
            guest.run("touch /run/go; umount -a -t fuse.discfs")
        return False
    print("%-14s ok       %.1f s: %s%s" % (chapter.__name__, time.monotonic() - began, chapter.__doc__,
                                           " (%s)" % said if said else ""), flush=True)
    return True


def main(folder, tree, names):
    place = tempfile.mkdtemp(prefix="discfs-guest.")
    disk = place + "/tree.tar"
    subprocess.run(["tar", "-C", tree, "--owner=0", "--group=0", "-cf", disk, "."], check=True)
    guest = Machine(folder, place, disk)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # the machine goes, too
    chapters = [chapter for chapter in STORY if not names or chapter.__name__ in names]
    good = 0
    try:
        began = time.monotonic()
        guest.start()
        print("%-14s ok       %.1f s" % ("boot", time.monotonic() - began), flush=True)
        prepare(guest)
        for chapter in chapters:
            good += play(guest, chapter)
    finally:
        guest.clear()
    print("%d passed, %d failed, 0 skipped" % (good, len(chapters) - good))
    return good != len(chapters)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
