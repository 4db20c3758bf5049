#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 900
# Debian's package: an ordinary user builds it without a network, lintian has nothing against it, each file that `make
# install` knows is at its place, and in a Debian where it's installed (this one, under an overlay that is thrown away) a
# disc is mounted with mount(8), burned, and unmounted with umount(8); then the package goes without leaving files.
. "$(dirname "$0")/../lib.sh"
requires_root
requires_fuse
requires dh lintian dpkg-buildpackage scdoc unshare setpriv fakeroot

mkdir tree
tar -C "$TOP" -c --exclude=./.git --exclude='./build*' . | tar -x -C tree
chown -R nobody tree
# A user of no group and no name here; a network namespace of its own has no way out.
unshare -n setpriv --reuid nobody --clear-groups env -u BUILD -u MAKEFLAGS HOME="$T/tree" make -s -C tree deb >built 2>&1 ||
	fail "it isn't built: $(tail -n 20 built)"
package=$(echo tree/build/deb/discfs_*.deb)
assert_equal "$(dpkg-deb -f "$package" Version)" "$(discfs --version | grep -oE '[0-9][0-9.]*' | head -n 1)"
lintian --allow-root --fail-on error,warning tree/build/deb/discfs_*.changes
for library in libfuse3 libisofs6 libburn4 libsqlite3 libseccomp2 libsystemd0; do
	dpkg-deb -f "$package" Depends | grep -q "$library" || fail "it doesn't depend on $library"
done

# --- the files of make install, and Debian's own
dpkg-deb -x "$package" files
make -s -C tree install BUILD=build DESTDIR="$T/wanted" PREFIX=/usr SBINDIR=/usr/sbin UNITDIR=/lib/systemd/system \
	TMPFILES=/usr/lib/tmpfiles.d ZSHDIR=/usr/share/zsh/vendor-completions LICENSE_FILE= >made 2>&1 || fail "$(cat made)"
list() {
	(cd "$1" && find . ! -type d | sed 's/\.gz$//' | sort)
}
diff <(list wanted) <(list files | grep -vE '/doc/discfs/(changelog|copyright)$') || fail "make install (<) and the package (>) differ"
for file in usr/bin/discfs usr/bin/discfsctl usr/sbin/mount.discfs usr/sbin/umount.fuse.discfs lib/systemd/system/discfs@.service \
	usr/lib/tmpfiles.d/discfs.conf usr/share/man/man1/discfs.1.gz usr/share/man/man8/mount.discfs.8.gz \
	usr/share/man/man5/discfs-state.5.gz usr/share/bash-completion/completions/discfsctl; do
	[ -e "files/$file" ] || [ -L "files/$file" ] || fail "$file isn't in the package"
done
grep -q '^ExecStart=/usr/bin/discfs ' files/lib/systemd/system/discfs@.service
! find files -perm /6002 ! -type l | grep . || fail "files that are setuid, setgid or for all to write"

# --- installed
mkdir over
mount -t tmpfs tmpfs over
cleanup_fn umount -l "$T/over"
mkdir over/upper over/work over/root
mount -t overlay -o lowerdir=/,upperdir=over/upper,workdir=over/work overlay over/root
cleanup_fn umount -l "$T/over/root"
mount --bind /dev over/root/dev
cleanup_fn umount -l "$T/over/root/dev"
mount -t proc proc over/root/proc
cleanup_fn umount -l "$T/over/root/proc"
cp "$package" over/root/discfs.deb
cat >over/root/story <<'END'
set -eux
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
unset XDG_STATE_HOME
! dpkg -s discfs 2>/dev/null
dpkg -i /discfs.deb
dpkg -V discfs
! discfs --version | grep -v "$VERSION"
man -w discfs umount.fuse.discfs discfs-state
mkdir /disc
cd /
discfsctl create /story.img --media cd
mount -t discfs /story.img /disc
cp /usr/share/common-licenses/GPL-2 /disc/licence
discfsctl commit /disc --label STORY
umount /disc
! mountpoint -q /disc
mount -t discfs -o ro /story.img /disc
cmp /disc/licence /usr/share/common-licenses/GPL-2
umount /disc
discfsctl verify /story.img
[ -d /var/lib/discfs ]
discfsctl catalog | grep STORY
dpkg --purge discfs
! test -e /usr/bin/discfs
! test -e /usr/sbin/umount.fuse.discfs
[ -d /var/lib/discfs ] # staged work is the user's
END
VERSION=$(dpkg-deb -f "$package" Version) timeout 200 chroot over/root bash /story
