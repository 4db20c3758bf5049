#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 60
# How programs replace a file: vim, sed -i, perl -i, Python's os.replace, patch, sort -o, tee; with backup files,
# swap files, through symlinks and hard links. Content, mode, owner, ACL, attributes and links come out as on this
# machine, for new files and for those of the disc, and after a commit.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires_root # owners
requires vim.tiny perl python3 patch setfattr setfacl jq
export HOME=$T/home
mkdir "$HOME"

programs=(vim vim-yes vim-no swap sed perl python patch)
populate() {
	local program
	for program in "${programs[@]}"; do
		(mkdir "$program" && cd "$program" && write_files)
	done
}
write_files() {
	local name
	for name in plain private executable owned listed linked soft-target read-only swapped; do
		seq 1 2000 >$name
	done
	chmod 600 private
	chmod 755 executable
	chown 12:34 owned
	chmod 4640 owned
	setfacl -m u:1234:rw listed
	setfattr -n user.note -v kept listed
	ln linked other-name
	ln -s soft-target soft
	chmod 444 read-only
	mkdir dir
	chmod 2775 dir
	chgrp 55 dir
	seq 1 2000 >dir/inside
}
all=(plain private executable owned listed linked soft read-only dir/inside)

# Which names are the same file, and what each of them is.
describe() {
	stat -c '%n %F %A %u:%g %h %s' "${all[@]}" other-name
	if [ linked -ef other-name ]; then echo "linked: the same file"; fi
	if [ -L soft ]; then readlink soft; fi
	getfacl -c listed
	getfattr -d --absolute-names listed
	find . -name '*~' -o -name '*.sw?' -o -name '*.bak' -o -name '4913' -o -name 'sed*'
	cat "${all[@]}" other-name | cksum
}

with_vim() { # VIM-OPTIONS…: each of the files
	local name
	for name in "${all[@]}"; do
		vim.tiny -u NONE -N -es "$@" -c '%s/$/./' -c 2d -c 'w!' -c 'q!' "$name" || echo "vim: $?"
	done
	describe
}
with_swap() { # vim dies and leaves its swap file; another one recovers from it
	# shellcheck disable=SC2016 # for vim
	{ vim.tiny -u NONE -N -es -c 'set updatecount=1' -c '1d' -c 'preserve' -c '!kill -9 $PPID' swapped; } 2>/dev/null ||
		echo "killed: $?"
	ls -d .swapped.*
	vim.tiny -u NONE -N -es -c 'recover' -c 'w! recovered' -c 'q!' swapped </dev/null || echo "vim: $?"
	cksum recovered swapped
	rm .swapped.sw?
}
with_sed() {
	sed -i 's/^2/two /' "${all[@]}" || echo "sed: $?"
	sed -i.bak --follow-symlinks '3d' soft plain
	describe
}
with_perl() {
	perl -i -pe 's/^3/three /' "${all[@]}" || echo "perl: $?"
	perl -i.bak -ne 'print unless $. == 7' private
	describe
}
with_python() {
	python3 -c '
import os, shutil, sys, tempfile
for name in sys.argv[1:]:
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(name) or ".", delete=False) as new, open(name) as old:
        new.writelines(line.replace("4", "four ") for line in old)
        new.flush()
        os.fsync(new.fileno())
    shutil.copystat(name, new.name)
    os.replace(new.name, name)' "${all[@]}"
	describe
}
with_patch() {
	seq 1 100 >before
	sed -e 's/^5/five /' -e 50d before >after
	diff -u --label before --label after before after >change || true
	patch -b before change
	cmp before after
	patch -R before change
	patch -R before change </dev/null || echo "patch: $?"
	rm -f before.rej
	sort -o plain -r plain
	tee -a private <change >/dev/null
	ed=$(sed 's/1/uno /' executable) && echo "$ed" >executable
	dd if=change of=owned conv=notrunc status=none
	describe
}
edit() { # PROGRAM COMMAND…
	cd "$1"
	"${@:2}"
}
story() {
	both_do edit vim with_vim
	both_do edit vim-yes with_vim -c 'set backup backupcopy=yes'
	both_do edit vim-no with_vim -c 'set backup backupcopy=no'
	both_do edit swap with_swap
	both_do edit sed with_sed
	both_do edit perl with_perl
	both_do edit python with_python
	both_do edit patch with_patch
}

mkdir host
make_disc disc.img cd
mount_disc disc.img mnt
both_do populate
story
assert_same_tree mnt host --without mtime,root
both_do sh -c 'find . -mindepth 1 -delete; ls -A'
both_do populate
commit mnt FILES
unmount mnt
mount_disc disc.img mnt
story
assert_same_tree mnt host --without mtime,root
commit mnt EDITED
unmount mnt
mount_disc disc.img mnt
for program in "${programs[@]}"; do
	both_do edit "$program" describe
done
assert_same_tree mnt host --without mtime,root
unmount mnt
