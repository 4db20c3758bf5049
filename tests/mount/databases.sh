#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limit: 120
# SQLite databases in the mount, with a rollback journal and with a write-ahead log (which needs shared memory maps):
# several processes write at once and no row is lost; a writer dies by kill -9, then the mount's daemon does, and each
# time what was committed is there. So it is after a commit of the disc, and from the disc alone, also of a disc that was
# burned while they wrote.
. "$(dirname "$0")/../lib.sh"
requires_fuse
requires python3 sqlite3 jq
writers() { python3 "$TESTS/writers.py" "$@"; }

# What one writer says until it's cut off; there must be all of that, and at most the row that was under way.
check_last() { # DB SAID [ROWS-THAT-MAY-BE-MISSING]
	local said count
	said=$(tail -n 1 "$2") # counts from 0
	count=$(sqlite3 "$1" 'SELECT count(*) FROM entry WHERE writer < 0')
	assert_less $((said - ${3:-0})) "$count" "rows in $1 after the one with number $said was committed"
	assert_less "$count" $((said + 3)) "rows in $1"
	assert_equal "$(sqlite3 "$1" 'SELECT rows - (SELECT count(*) FROM entry) FROM total; PRAGMA integrity_check')" $'0\nok'
}
write_on() { # DB FIRST: in the background, until a few rows are in
	: >said.one # the line below may look before the writer has opened it
	python3 "$TESTS/writers.py" one "$1" "$2" >said.one &
	writer=$!
	for _ in {1..500}; do
		[ "$(wc -l <said.one)" -lt 5 ] || return 0
		sleep 0.02
	done
	fail "no rows in $1"
}

mkdir host
make_disc disc.img dvd
mount_disc disc.img mnt
for mode in delete wal; do
	both_do writers create $mode.db $mode
	both_do writers many $mode.db 6 100
	both_do writers check $mode.db
	assert_match "$(cat said)" "^ok $mode 600 0 "
	write_on mnt/$mode.db 0
	kill -9 "$writer"
	wait "$writer" || true
	check_last mnt/$mode.db said.one
done

# --- the commands, with one writer: dump and restore, VACUUM, a copy while it is open
cat >commands.sql <<'END'
PRAGMA journal_mode=MEMORY;
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, hex(i * 7919) FROM n;
DELETE FROM t WHERE a % 3 = 0;
VACUUM;
PRAGMA mmap_size=10000000;
SELECT count(*), sum(length(b)) FROM t;
.backup copy.db
VACUUM INTO 'into.db';
ATTACH 'copy.db' AS copy;
SELECT count(*) FROM t JOIN copy.t USING (a, b);
UPDATE copy.t SET b = b || 'x';
PRAGMA integrity_check;
END
both_do sqlite3 -bail plain.db '.read ../commands.sql'
for db in plain copy into; do
	assert_same_bytes mnt/$db.db host/$db.db
done

# --- the daemon dies under a writer: what SQLite said is committed was synced, so it is there
for mode in delete wal; do
	first=$(sqlite3 mnt/$mode.db 'SELECT count(*) FROM entry WHERE writer < 0')
	write_on mnt/$mode.db "$first"
	kill_daemon mnt
	wait "$writer" || true # it got an error
	mount_disc disc.img mnt
	# SQLite calls it committed when the journal is unlinked and it then can't open the directory to sync that
	missing=0
	[ $mode = wal ] || missing=1
	check_last mnt/$mode.db said.one $missing
done

# --- at rest on the disc
both_do sqlite3 wal.db 'PRAGMA wal_checkpoint(TRUNCATE)'
commit mnt DATABASES
for round in remounted "from the disc alone"; do
	unmount mnt
	[ "$round" = remounted ] || rm -rf "$XDG_STATE_HOME"
	mount_disc disc.img mnt
	for mode in delete wal; do
		both_do writers check $mode.db
	done
	assert_same_bytes mnt/copy.db host/copy.db
done

# --- what is on the disc is written again, by all at once
for mode in delete wal; do
	for place in mnt host; do
		sqlite3 $place/$mode.db 'DELETE FROM entry; UPDATE total SET rows = 0; VACUUM'
	done
	both_do writers many $mode.db 3 20
	both_do writers check $mode.db
	assert_match "$(cat said)" "^ok $mode 60 0 "
done

# --- discs are burned while they write: nobody notices, and what is on each disc is whole, as after a power cut
begin_writers() {
	running=()
	for mode in delete wal; do
		sqlite3 mnt/$mode.db 'DELETE FROM entry; UPDATE total SET rows = 0'
		python3 "$TESTS/writers.py" many mnt/$mode.db 4 600 >said.$mode &
		running+=($!)
	done
}
begin_writers
for mode in delete wal; do
	until [ "$(sqlite3 -cmd '.timeout 20000' mnt/$mode.db 'SELECT count(*) FROM entry')" -gt 0 ]; do
		sleep 0.02
	done
done
for session in 1 2 3; do
	sleep 0.2
	discfsctl commit mnt --label "WHILE WRITING $session" # setfattr would make them wait for the root directory
done
for pid in "${running[@]}"; do
	wait "$pid"
done
for mode in delete wal; do
	assert_equal "$(cat said.$mode)" "" "errors of the writers"
	assert_match "$(writers check mnt/$mode.db)" "^ok $mode 2400 0 "
done
unmount mnt
rm -rf "$XDG_STATE_HOME"
mount_disc disc.img mnt
for mode in delete wal; do
	# some of the rows, and each transaction whole or not at all
	assert_match "$(writers check mnt/$mode.db)" "^ok $mode [1-9][0-9]* 0 "
done
unmount mnt
