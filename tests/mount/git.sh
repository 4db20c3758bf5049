#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# A developer's day with git in the mount, and the same in a directory: clone, branches, merges, conflicts, rebase,
# stash, worktree, push, gc, fsck. All commits get the same hashes. What git knows about files by their attributes is
# still true after a commit of the disc and after a remount: it finds nothing changed. GIT_FILES: how many files.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires git python3 jq
export HOME=$T/home GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_EDITOR=true
export GIT_AUTHOR_DATE="1500000000 +0000" GIT_COMMITTER_DATE="1500000000 +0000"
mkdir "$HOME"
git config --global user.name Somebody
git config --global user.email somebody@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global gc.autoDetach false

write_files() { # FROM TO WORD: some in each of ten directories
	python3 -c '
import os, sys
for i in range(int(sys.argv[1]), int(sys.argv[2])):
    os.makedirs("part%d" % (i % 10), exist_ok=True)
    with open("part%d/file%d.c" % (i % 10, i), "w") as file:
        file.writelines("line %d of %s in file %d\n" % (line, sys.argv[3], i) for line in range(i % 60 + 5))' "$@"
}

# --- a repository with branches, outside
git init -q origin
(
	cd origin
	write_files 0 "${GIT_FILES:-500}" main
	printf '#!/bin/sh\necho run\n' >run.sh
	chmod +x run.sh
	ln -s part1/file1.c link
	git add .
	git commit -qm first
	git switch -qc feature
	write_files 40 60 feature
	git commit -qam feature
	git switch -qc conflict main
	write_files 41 42 conflict
	git commit -qam conflict
	git switch -q main
	git mv part3 renamed
	write_files "${GIT_FILES:-500}" $((${GIT_FILES:-500} + 20)) new
	git add .
	git commit -qm "rename and add"
)

begin() {
	git clone -q "$T/origin" clone
	cd clone
	git status --porcelain
	git log --oneline --stat --all
	git branch feature origin/feature
	git branch conflict origin/conflict
}
branches() {
	cd clone
	git merge -q --no-ff -m merge feature
	git merge -m fails conflict
}
resolve() {
	cd clone
	git status --porcelain
	git checkout --theirs part1/file41.c
	git add part1/file41.c
	git commit -qm resolved
	git switch -qc topic main~1
	write_files 204 210 topic
	git commit -qam topic
	git rebase -q main
	git switch -q conflict
	git cherry-pick topic
	git switch -q main
	write_files 5 9 stashed
	git stash -q
	git status --porcelain
	git stash pop -q
	git diff --stat
	git commit -qam "after the stash"
	git tag -am tagged v1
	git revert --no-edit HEAD
	git reset -q --hard v1
	git branch --list
}
more() {
	cd clone
	git worktree add -q ../tree conflict
	(cd ../tree && git mv part5 moved && git commit -qam "in the worktree" && git status --porcelain)
	git worktree list | sed 's/^[^ ]*//'
	git init -q --bare ../bare.git
	git push -q ../bare.git --all
	git clone -q ../bare.git ../again
	git -C ../again fsck --full
	: >untracked
	git clean -fdxq
	git archive HEAD | sha256sum
	git grep -c "stashed" | wc -l
	printf '#!/bin/sh\necho no >&2\nexit 1\n' >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	echo x >>run.sh
	if git commit -qam refused; then exit 9; fi
	rm .git/hooks/pre-commit
	git checkout -q run.sh
}
collect() {
	cd clone
	git gc -q --prune=now
	git fsck --full --strict
	git repack -adfq
	git prune-packed
	git count-objects -v | grep -v size
	git rev-parse HEAD 'HEAD^{tree}' v1 feature conflict
	git status --porcelain
}
# What git keeps of each file's inode, times and size: --refresh would say "needs update".
is_clean() {
	cd "$1"
	git update-index --really-refresh
	git diff-files --quiet
	git diff-index --quiet HEAD
	git status --porcelain
}
untouched() { # without a refresh before
	cd "$1"
	git diff-files --name-only
}

mkdir host
make_disc disc.img dvd
mount_disc disc.img mnt
both_do begin
both branches
assert_equal "$code" 1 "exit code of a merge with a conflict"
both_do resolve
both_do more
both_do collect
for repository in clone tree again; do
	both_do is_clean $repository
done
both_do sh -c 'cd clone && git ls-tree -r HEAD | sha256sum'

# --- from the disc
commit mnt REPOSITORIES
for when in committed remounted; do
	for repository in clone tree again; do
		both_do untouched $repository
		assert_equal "$(cat said)" "" "files that git must look at again when $when"
		both_do is_clean $repository
	done
	unmount mnt
	mount_disc disc.img mnt
done
next_day() {
	cd clone
	git switch -q topic
	write_files 104 110 "the next day"
	git commit -qam "the next day"
	git switch -q main
	git merge -q -m "the next day" topic
	git log --oneline | sed -n 1,3p
}
both_do next_day
commit mnt "NEXT DAY"
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
both_do is_clean clone
both_do sh -c 'cd clone && git fsck --full --strict'
both_do sh -c 'rm -rf again bare.git && git -C clone worktree remove ../tree && ls'
unmount mnt
