-- SPDX-License-Identifier: GPL-2.0-or-later
-- One database per disc: the imported tree (generation 0), the overlay (generations above), the commit journal.
-- What the mount shows is, for each key, the row of the highest generation.
-- Also run on the database of an older discfs: what has been added since is made.

CREATE TABLE IF NOT EXISTS meta (
	key   TEXT PRIMARY KEY,
	value
) WITHOUT ROWID;

-- A name in a directory. ino 0 is a whiteout: the name of a lower generation is gone.
CREATE TABLE IF NOT EXISTS dirent (
	parent INTEGER NOT NULL,
	name   BLOB NOT NULL,
	gen    INTEGER NOT NULL,
	ino    INTEGER NOT NULL,
	type   INTEGER NOT NULL, -- st_mode >> 12
	PRIMARY KEY (parent, name, gen)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dirent_base ON dirent (ino) WHERE gen = 0;
CREATE INDEX IF NOT EXISTS dirent_staged ON dirent (gen, ino) WHERE gen > 0;

-- A node with everything that belongs to it. nlink 0: gone in this generation. Times in ns, map as extent_map packs
-- it, xattrs as xattr_set does.
CREATE TABLE IF NOT EXISTS node (
	ino    INTEGER NOT NULL,
	gen    INTEGER NOT NULL,
	mode   INTEGER NOT NULL,
	uid    INTEGER NOT NULL,
	gid    INTEGER NOT NULL,
	nlink  INTEGER NOT NULL,
	size   INTEGER NOT NULL,
	rdev   INTEGER NOT NULL,
	atime  INTEGER NOT NULL,
	mtime  INTEGER NOT NULL,
	ctime  INTEGER NOT NULL,
	parent INTEGER NOT NULL,
	target BLOB,
	xattrs BLOB,
	zf     BLOB,
	md5    BLOB,
	map    BLOB,
	lost   BLOB, -- ranges of which the last write was refused, packed as the map is
	PRIMARY KEY (ino, gen)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS node_staged ON node (gen, ino) WHERE gen > 0;
CREATE INDEX IF NOT EXISTS node_lost ON node (ino, gen) WHERE lost IS NOT NULL;
-- What a staged body may be the same as.
CREATE INDEX IF NOT EXISTS node_content ON node (size, md5) WHERE gen = 0 AND size > 0;

-- Bodies that the base had once: they are on the disc still, and what is staged may be the same as one of them.
CREATE TABLE IF NOT EXISTS former (
	id   INTEGER PRIMARY KEY,
	size INTEGER NOT NULL,
	md5  BLOB,
	map  BLOB NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS former_content ON former (size, md5);

-- SHA-256 of bodies of the base (ino) or former ones (-id) that the disc records no MD5 of, once they were read.
CREATE TABLE IF NOT EXISTS digest (
	ino    INTEGER PRIMARY KEY,
	sha256 BLOB NOT NULL
);

-- What each directory takes in the next session (see store/dir_costs.h): sectors, then bytes of path tables. True of the
-- tree unless room_stale in meta says otherwise.
CREATE TABLE IF NOT EXISTS dir_cost (
	ino           INTEGER PRIMARY KEY,
	iso           INTEGER NOT NULL,
	joliet        INTEGER NOT NULL,
	continued     INTEGER NOT NULL,
	iso_tables    INTEGER NOT NULL,
	joliet_tables INTEGER NOT NULL,
	clashed       INTEGER NOT NULL,
	sums          INTEGER NOT NULL,
	udf           INTEGER NOT NULL, -- sectors again
	udf_linkless  INTEGER NOT NULL,
	udf_lost_dirs INTEGER NOT NULL, -- names
	udf_lost      INTEGER NOT NULL
);
-- An older discfs' table: what that discfs did isn't in the new one.
DELETE FROM dir_cost WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'room');
DROP TABLE IF EXISTS room;
-- At most, where an older discfs didn't count them; the table is filled when it's empty.
INSERT OR IGNORE INTO meta SELECT 'files', count(*) FROM node
	WHERE mode & 61440 = 32768 AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'files');
INSERT OR IGNORE INTO meta SELECT 'entries', count(DISTINCT ino) FROM node
	WHERE mode & 61440 <> 16384 AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'entries');
INSERT OR IGNORE INTO meta SELECT 'links', 0;

-- The commit that is under way: one row while phase isn't IDLE (see commit/commit.h).
CREATE TABLE IF NOT EXISTS journal (
	id          INTEGER PRIMARY KEY CHECK (id = 1),
	phase       INTEGER NOT NULL,
	gen         INTEGER NOT NULL, -- the frozen generation
	label       TEXT NOT NULL,
	start       INTEGER NOT NULL, -- sector of the new session
	sectors     INTEGER NOT NULL,
	fingerprint BLOB,             -- of the disc once the head is written
	head        BLOB,             -- the new blocks 0..31
	old_head    BLOB
);

-- Every commit that was tried, and what came of it.
CREATE TABLE IF NOT EXISTS history (
	id       INTEGER PRIMARY KEY,
	time     INTEGER NOT NULL, -- seconds since 1970
	label    TEXT NOT NULL,
	start    INTEGER NOT NULL,
	sectors  INTEGER NOT NULL,
	err      INTEGER NOT NULL, -- 0 or a positive errno
	message  TEXT NOT NULL,
	old_head BLOB              -- blocks 0..31 before it: the way back to a session that began at block 0
);

-- What a session changed against the one before it: of our own since they were published, of others once somebody asked.
CREATE TABLE IF NOT EXISTS session_change (
	start    INTEGER PRIMARY KEY, -- sector
	added    INTEGER NOT NULL,    -- paths
	modified INTEGER NOT NULL,
	deleted  INTEGER NOT NULL,
	renamed  INTEGER NOT NULL,
	bytes    INTEGER NOT NULL     -- of content recorded in it
);

-- What holds of each new body and node once its session is in force: what the disc says while it is verified, and the
-- fractions of seconds that it can't hold; empty otherwise.
CREATE TABLE IF NOT EXISTS landed (
	ino   INTEGER PRIMARY KEY,
	atime INTEGER NOT NULL,
	mtime INTEGER NOT NULL,
	ctime INTEGER NOT NULL,
	md5   BLOB,
	map   BLOB
);

-- What is staged of boot images, see store/boot.h; gen 0: what was, for the sessions on the disc.
CREATE TABLE IF NOT EXISTS boot (
	slot      INTEGER NOT NULL, -- 0: what the disc has isn't kept; 1: 80x86, 2: UEFI
	gen       INTEGER NOT NULL,
	ino       INTEGER NOT NULL, -- 0: none
	load_size INTEGER NOT NULL, -- blocks of 512 bytes; 0: as the platform has it
	tabled    INTEGER NOT NULL, -- 1: with a boot information table
	path      BLOB NOT NULL,    -- where the node was then
	PRIMARY KEY (slot, gen)
) WITHOUT ROWID;
