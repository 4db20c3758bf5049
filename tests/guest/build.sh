#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A whole Debian with systemd as its first process, for QEMU without acceleration.
#   build.sh DIR: afterwards DIR/root.ext4, DIR/vmlinux and DIR/initrd are there. What is there already stays.
# Packages come from where this machine gets its own. As root; takes some two minutes, once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
packages=systemd-sysv,udev,dbus,libpam-systemd,polkitd,fuse3,libisofs6,libburn4,libsqlite3-0,libssl3,libudev1,libseccomp2,libsystemd0,rsync,jq,attr,kmod,mount,procps

# What the kernel needs to find its root.
make_initrd() {
	local folder=initrd.tree name
	rm -rf $folder
	mkdir -p $folder/bin $folder/new
	cp "$(command -v busybox)" $folder/bin/busybox
	printf '%s\n' '#!/bin/busybox sh' >$folder/init
	for name in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk virtio_console; do
		[ -e modules/$name.ko ] || continue # some are part of the kernel
		cp modules/$name.ko $folder/
		echo "/bin/busybox insmod /$name.ko" >>$folder/init
	done
	printf '/bin/busybox %s\n' 'mkdir /dev' 'mount -t devtmpfs dev /dev' 'mount -t ext4 /dev/vda /new' 'umount /dev' \
		'mount -t devtmpfs dev /new/dev' >>$folder/init
	echo 'exec /bin/busybox switch_root /new /lib/systemd/systemd' >>$folder/init
	chmod +x $folder/init
	(cd $folder && find . | cpio -o -H newc --quiet) >initrd.new
	mv initrd.new initrd
}

make_root() {
	local sources=(/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list) given=() file release
	for file in "${sources[@]}"; do
		[ ! -s "$file" ] || given+=("$file")
	done
	rm -rf root
	mmdebstrap --quiet --variant=minbase --include=$packages --dpkgopt=path-exclude=/usr/share/doc/* \
		--dpkgopt=path-exclude=/usr/share/man/* --dpkgopt=path-exclude=/usr/share/locale/* bookworm root "${given[@]}"
	cp modules/fuse.ko root/
	release=$(chroot root modinfo -F vermagic /fuse.ko | cut -d ' ' -f 1)
	rm root/fuse.ko
	mkdir -p "root/usr/lib/modules/$release"
	cp -a modules/. "root/usr/lib/modules/$release/"
	chroot root depmod "$release" 2>/dev/null
	install -m 755 "$here/agent.sh" root/usr/local/sbin/agent
	install -m 644 "$here/agent.service" root/etc/systemd/system/
	chroot root systemctl enable agent.service 2>/dev/null
	# A minute less until it's up: nothing of a first boot, no log on the disk, nobody to log in.
	chroot root systemctl mask getty@tty1.service serial-getty@ttyS0.service systemd-journal-flush.service e2scrub_reap.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer 2>/dev/null
	chroot root useradd -m -G cdrom anna
	printf 'fuse\nsr_mod\nvirtio_scsi\n' >root/etc/modules-load.d/guest.conf
	echo guest >root/etc/hostname
	rm -rf root/var/cache/apt root/var/lib/apt/lists root/var/log/journal
	echo 0123456789abcdef0123456789abcdef >root/etc/machine-id
	touch root/etc/.updated root/var/.updated
	truncate -s 1500M root.new
	mke2fs -q -t ext4 -d root root.new
	rm -rf root
	mv root.new root.ext4
}

bash "$here/../readers/kernel.sh" .
[ initrd -nt "$here/build.sh" ] || make_initrd
for file in build.sh agent.sh agent.service; do
	[ root.ext4 -nt "$here/$file" ] || make_root
done
