/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/queries.h"

#define NODE_COLUMNS                                                                                         \
	"ino,gen,mode,uid,gid,nlink,size,rdev,atime,mtime,ctime,parent,target,xattrs,zf,md5,map,lost"

#define IS_BODY "mode BETWEEN 32768 AND 36863 AND zf IS NULL" /* S_IFREG */
/* By the indices node_content and former_content. */
#define CONTENTS_OLD(more)                                                                                   \
	"SELECT node.ino,map,md5,sha256 FROM node LEFT JOIN digest ON digest.ino=node.ino WHERE gen=0 AND "  \
	"size>0 AND size=?1 AND " IS_BODY more " UNION ALL "                                                 \
	"SELECT -id,map,md5,sha256 FROM former LEFT JOIN digest ON digest.ino=-id WHERE size=?1" more

/* A file of the base by its first piece. */
#define BOOT_AT                                                                                              \
	"SELECT ino FROM node WHERE gen=0 AND mode BETWEEN 32768 AND 36863 AND substr(map,1,8)=?1 AND "      \
	"substr(map,17,8)=?2 AND "

/* Of the document that store/shelf.c keeps. */
#define FACT(key) "json_extract(value,'$." #key "'),"
#define EACH(key) "json_extract(s.value,'$." #key "'),"

#define HISTORY(compared)                                                                                    \
	"SELECT time,label,start,sectors,err,message,old_head IS NOT NULL FROM history WHERE err" compared   \
	"0 ORDER BY id"

static const char *const query_texts[QUERY_COUNT] = {
	[QUERY_BEGIN] = "BEGIN IMMEDIATE",
	[QUERY_COMMIT] = "COMMIT",
	[QUERY_ROLLBACK] = "ROLLBACK",
	[QUERY_HOLD] = "SELECT key FROM meta",
	[QUERY_META_GET] = "SELECT value FROM meta WHERE key=?1",
	[QUERY_META_PUT] = "INSERT OR REPLACE INTO meta VALUES(?1,?2)",

	[QUERY_SHELF_GET] = "SELECT " FACT(fingerprint) FACT(path) FACT(drive) FACT(older) FACT(label)
	    FACT(profile) FACT(state) FACT(capacity) FACT(recorded) FACT(nwa) FACT(base) FACT(formats)
		FACT(bridge) FACT(closed_why) FACT(medium) FACT(overwriteable) FACT(damaged) FACT(single)
		    FACT(free) FACT(host_free) FACT(format) FACT(nodes) FACT(names) FACT(folders)
			FACT(bytes) "ifnull((SELECT value FROM meta WHERE key='seen'),0),"
				    "ifnull((SELECT value FROM meta WHERE key='superseded'),'') "
				    "FROM meta WHERE key='shelf' AND json_valid(value)",
	[QUERY_SHELF_SESSIONS] =
	    "SELECT " EACH(number) EACH(start) EACH(sectors) EACH(time) EACH(label) EACH(formats)
		EACH(damaged) "1 "
			      "FROM meta,json_each(meta.value,'$.sessions') s WHERE meta.key='shelf'",
	[QUERY_SHELF_COUNT] =
	    "SELECT count(*),(SELECT count(*) FROM dirent WHERE gen=0 AND type=8),"
	    "(SELECT count(*) FROM dirent WHERE gen=0 AND type=4),"
	    "ifnull(sum(CASE WHEN mode BETWEEN 32768 AND 36863 THEN size END),0) FROM node WHERE gen=0",
	[QUERY_STAGED_ANY] = "SELECT EXISTS(SELECT 1 FROM dirent WHERE gen>0) OR EXISTS(SELECT 1 FROM node "
			     "WHERE gen>0 AND nlink>0) OR EXISTS(SELECT 1 FROM journal) "
			     "OR EXISTS(SELECT 1 FROM boot WHERE gen>0)",
	[QUERY_SEARCH_NAMES] = "SELECT parent,name,gen,ino,type FROM dirent WHERE wanted(name)",
	[QUERY_SEARCH_NODES] = "SELECT ino FROM node WHERE mtime>=?1 AND mtime<?2 AND size BETWEEN ?3 AND ?4",
	[QUERY_SEARCH_NODE] =
	    "SELECT mode,size,mtime,gen,nlink FROM node WHERE ino=?1 ORDER BY gen DESC LIMIT 1",

	/* Names: the row of the highest generation is what counts. */
	[QUERY_NAME_GET] =
	    "SELECT ino,type,gen FROM dirent WHERE parent=?1 AND name=?2 ORDER BY gen DESC LIMIT 1",
	[QUERY_NAME_GET_UPTO] = "SELECT ino,type,gen FROM dirent WHERE parent=?1 AND name=?2 AND gen<=?3 "
				"ORDER BY gen DESC LIMIT 1",
	[QUERY_NAME_PLACE] =
	    "SELECT ino,gen FROM dirent WHERE parent=?1 AND name=?2 ORDER BY gen DESC LIMIT 2",
	[QUERY_NAME_PUT] = "INSERT OR REPLACE INTO dirent VALUES(?1,?2,?3,?4,?5)",
	[QUERY_NAME_DELETE] = "DELETE FROM dirent WHERE parent=?1 AND name=?2 AND gen=?3",
	[QUERY_NAME_LIST] = "SELECT name,ino,type,gen FROM dirent WHERE parent=?1 ORDER BY name,gen",
	[QUERY_NAME_LIST_UPTO] =
	    "SELECT name,ino,type,gen FROM dirent WHERE parent=?1 AND gen<=?2 ORDER BY name,gen",
	[QUERY_NAME_CHILD] = "SELECT 1 FROM (SELECT ino,max(gen) FROM dirent WHERE parent=?1 GROUP BY name) "
			     "WHERE ino<>0 LIMIT 1",
	[QUERY_NAMES_OF_BASE] = "SELECT parent,name FROM dirent WHERE gen=0 AND ino=?1",
	[QUERY_NAMES_OF_STAGED] = "SELECT parent,name FROM dirent WHERE gen=?1 AND gen>0 AND ino=?2",
	/* The + keeps SQLite from walking all names of the disc in the order of the primary key. */
	[QUERY_NAMES_STAGED] =
	    "SELECT parent,name,ino,type,gen FROM dirent WHERE gen>0 ORDER BY +parent,name",

	[QUERY_NODE_ATTR] = "SELECT mode,uid,gid,nlink,size,rdev,atime,mtime,ctime,"
			    "CASE WHEN gen>0 THEN map END,gen FROM node WHERE ino=?1 "
			    "ORDER BY gen DESC LIMIT 1",
	[QUERY_NODE_GET] = "SELECT " NODE_COLUMNS " FROM node WHERE ino=?1 ORDER BY gen DESC LIMIT 1",
	[QUERY_NODE_GET_UPTO] =
	    "SELECT " NODE_COLUMNS " FROM node WHERE ino=?1 AND gen<=?2 ORDER BY gen DESC LIMIT 1",
	[QUERY_NODE_PUT] = "INSERT OR REPLACE INTO node(" NODE_COLUMNS
			   ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)",
	[QUERY_NODE_DELETE] = "DELETE FROM node WHERE ino=?1 AND gen=?2",
	[QUERY_NODE_BELOW] = "SELECT gen FROM node WHERE ino=?1 AND gen<?2 ORDER BY gen DESC LIMIT 1",
	[QUERY_NODE_ABOVE] = "SELECT gen FROM node WHERE ino=?1 AND gen>?2 LIMIT 1",
	[QUERY_NODE_PARENT] =
	    "SELECT parent,nlink FROM node WHERE ino=?1 AND gen<=?2 ORDER BY gen DESC LIMIT 1",
	[QUERY_NODES_STAGED] = "SELECT " NODE_COLUMNS " FROM node WHERE gen>0",
	[QUERY_NODES_LOST] =
	    "SELECT ino,lost FROM node WHERE lost IS NOT NULL AND gen>0 AND gen<=?1 AND "
	    "nlink>0 AND NOT EXISTS "
	    "(SELECT 1 FROM node b WHERE b.ino=node.ino AND b.gen>node.gen AND b.gen<=?1) ORDER BY ino",
	/* Backwards, as the primary key allows it too: the first row of an inode is the one that counts. */
	[QUERY_NODE_BODIES] = "SELECT ino,mode,nlink,size,map FROM node WHERE ino>=?1 AND ino<?2 AND gen<=?3 "
			      "ORDER BY ino DESC,gen DESC",
	[QUERY_ORPHANS_DELETE] = "DELETE FROM node WHERE gen>0 AND nlink=0 AND NOT EXISTS "
				 "(SELECT 1 FROM node b WHERE b.ino=node.ino AND b.gen<node.gen)",
	[QUERY_TOMBSTONES_EMPTY] =
	    "UPDATE node SET map=NULL,size=0 WHERE gen>0 AND nlink=0 AND map IS NOT NULL",
	/* Bodies that may be the same: regular files that no zisofs reader would take for something else.
	 * Those of the base by the index node_content. */
	[QUERY_CONTENTS_STAGED] = "SELECT ino,size,map,(SELECT b.map FROM node b WHERE b.ino=node.ino AND "
				  "b.gen=0 AND b.size=node.size AND b.zf IS NULL) FROM node WHERE gen=?1 AND "
				  "gen>0 AND ino>=?2 AND ino<?3 AND nlink>0 AND size>0 AND " IS_BODY,
	[QUERY_CONTENTS_SIZE] =
	    "SELECT 1 FROM node WHERE gen=0 AND size>0 AND size=?1 AND " IS_BODY " UNION ALL "
	    "SELECT 1 FROM former WHERE size=?1 LIMIT 1",
	[QUERY_CONTENTS_OF_SIZE] = CONTENTS_OLD(""),
	[QUERY_CONTENTS_SUMMED] = CONTENTS_OLD(" AND md5=?2"),
	[QUERY_CONTENTS_UNSUMMED] = CONTENTS_OLD(" AND md5 IS NULL"),
	[QUERY_FORMER_GET] = "SELECT size,md5,map FROM former WHERE id=?1",
	[QUERY_CONTENTS_NO_SUM] = "SELECT ino,size,map,(SELECT sha256 FROM digest d WHERE d.ino=node.ino) "
				  "FROM node WHERE gen=0 AND size>0 AND md5 IS NULL AND " IS_BODY,
	[QUERY_DIGEST_PUT] = "INSERT OR REPLACE INTO digest VALUES(?1,?2)",
	[QUERY_DIGESTS_DROP] =
	    "DELETE FROM digest WHERE ino IN (SELECT ino FROM node WHERE gen=?1 AND gen>0)",
	[QUERY_COUNT_NODES] = "SELECT count(*) FROM node WHERE gen=0",
	[QUERY_MAX_GEN] = "SELECT max(0,ifnull((SELECT max(gen) FROM node WHERE gen>0),0),"
			  "ifnull((SELECT max(gen) FROM dirent WHERE gen>0),0),"
			  "ifnull((SELECT max(gen) FROM boot),0))",

	[QUERY_JOURNAL_GET] = "SELECT phase,gen,label,start,sectors,fingerprint,head,old_head FROM journal",
	[QUERY_JOURNAL_PUT] = "INSERT OR REPLACE INTO journal VALUES(1,?1,?2,?3,?4,?5,?6,?7,?8)",
	[QUERY_JOURNAL_PHASE] = "UPDATE journal SET phase=?1",
	[QUERY_JOURNAL_CLEAR] = "DELETE FROM journal",
	[QUERY_JOURNAL_COUNT] = "SELECT count(*) FROM journal",
	[QUERY_HISTORY_ADD] = "INSERT INTO history(time,label,start,sectors,err,message,old_head) "
			      "VALUES(?1,?2,?3,?4,?5,?6,?7)",
	[QUERY_HISTORY_FAILED] = HISTORY("<>"),
	[QUERY_HISTORY_GOOD] = HISTORY("="),
	[QUERY_HISTORY_HEAD] = "SELECT old_head FROM history WHERE err=0 ORDER BY id LIMIT 1",
	[QUERY_CHANGE_PUT] = "INSERT OR REPLACE INTO session_change VALUES(?1,?2,?3,?4,?5,?6)",
	[QUERY_CHANGE_GET] = "SELECT added,modified,deleted,renamed,bytes FROM session_change WHERE start=?1",
	[QUERY_LINKS_SET] = "UPDATE node SET nlink=?2 WHERE ino=?1 AND gen=0",
	[QUERY_LANDED_PUT] = "INSERT OR REPLACE INTO landed VALUES(?1,?2,?3,?4,?5,?6)",
	[QUERY_LANDED_MAPS] = "SELECT map FROM landed WHERE map IS NOT NULL",
	[QUERY_LANDED_COUNT] = "SELECT count(*) FROM landed",
	[QUERY_LANDED_CLEAR] = "DELETE FROM landed",

	[QUERY_ROOM_GET] =
	    "SELECT iso,joliet,continued,iso_tables,joliet_tables,clashed,sums,udf,udf_linkless,"
	    "udf_lost_dirs,udf_lost FROM dir_cost "
	    "WHERE ino=?1",
	[QUERY_ROOM_PUT] = "INSERT OR REPLACE INTO dir_cost VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
	[QUERY_ROOM_DELETE] = "DELETE FROM dir_cost WHERE ino=?1",
	[QUERY_ROOM_CLEAR] = "DELETE FROM dir_cost",
	[QUERY_DIRS_OF] = "SELECT parent FROM dirent WHERE ino=?1 AND gen=0",
	[QUERY_DIRS_CHANGED] = "SELECT parent FROM dirent WHERE gen>0 "
			       "UNION SELECT ino FROM node WHERE gen>0 AND mode&61440=16384 "
			       "UNION SELECT dirent.parent FROM node CROSS JOIN dirent "
			       "WHERE node.gen>0 AND dirent.ino=node.ino AND dirent.gen=0 "
			       "UNION SELECT ino FROM dir_cost WHERE udf_lost>0",
	[QUERY_DROP_NAMES] = "DELETE FROM dirent",
	[QUERY_DROP_NODES] = "DELETE FROM node",
	[QUERY_DROP_DIGESTS] = "DELETE FROM digest",
	[QUERY_ROOM_SUMS] =
	    "SELECT sum(iso),sum(joliet),sum(continued),sum(iso_tables),sum(joliet_tables),0,"
	    "sum(sums),sum(udf),sum(udf_linkless),sum(udf_lost_dirs),sum(udf_lost) FROM dir_cost",

	[QUERY_BOOT_LIST] = "SELECT slot,ino,load_size,tabled,path FROM boot WHERE gen>0 AND gen<=?1 "
			    "ORDER BY gen,slot",
	[QUERY_BOOT_PUT] = "INSERT OR REPLACE INTO boot VALUES(?1,?2,?3,?4,?5,?6)",
	[QUERY_BOOT_DISCARD] = "DELETE FROM boot WHERE gen=?1",
	[QUERY_BOOT_DISCARD_SLOT] = "DELETE FROM boot WHERE gen=?1 AND slot=?2",
	[QUERY_BOOT_KNOWN] = BOOT_AT "ino IN (SELECT ino FROM boot WHERE gen=0) LIMIT 1",
	[QUERY_BOOT_FIND] = BOOT_AT "size>0 LIMIT 1",

	/* Publish: generation ?1 becomes the base. */
	[QUERY_PUBLISH_DROP_NAMES] = "DELETE FROM dirent WHERE gen=0 AND (parent,name) IN "
				     "(SELECT parent,name FROM dirent WHERE gen=?1 AND gen>0)",
	[QUERY_PUBLISH_WHITEOUTS] = "DELETE FROM dirent WHERE gen=?1 AND gen>0 AND ino=0",
	[QUERY_PUBLISH_NAMES] = "UPDATE dirent SET gen=0 WHERE gen=?1 AND gen>0",
	[QUERY_PUBLISH_FORMER] =
	    "INSERT OR IGNORE INTO former(size,md5,map) SELECT size,md5,map FROM node WHERE gen=0 AND size>0 "
	    "AND " IS_BODY
	    " AND map IS NOT NULL AND ino IN (SELECT ino FROM node WHERE gen=?1 AND gen>0) AND map IS NOT "
	    "(SELECT n.map FROM node n WHERE n.ino=node.ino AND n.gen=?1 AND n.nlink>0)",
	[QUERY_PUBLISH_DROP_NODES] =
	    "DELETE FROM node WHERE gen=0 AND ino IN (SELECT ino FROM node WHERE gen=?1 AND gen>0)",
	[QUERY_PUBLISH_GONE] = "DELETE FROM node WHERE gen=?1 AND gen>0 AND nlink=0",
	[QUERY_PUBLISH_NODES] = "UPDATE node SET gen=0 WHERE gen=?1 AND gen>0",
	[QUERY_PUBLISH_LANDED] =
	    "UPDATE node SET (atime,mtime,ctime,md5,map)="
	    "(SELECT atime,mtime,ctime,md5,map FROM landed l WHERE l.ino=node.ino) "
	    "WHERE gen=0 AND ino IN (SELECT ino FROM landed)", /* by key: UPDATE FROM scans all of node */

	/* A body that nobody touched since the freeze is on the disc now: ?2 is the generation above. */
	[QUERY_PUBLISH_ABOVE] =
	    "UPDATE node SET map=l.map,md5=l.md5 FROM landed l WHERE node.gen=?2 AND node.gen>0 AND "
	    "node.ino=l.ino AND (node.map,node.size) IS "
	    "(SELECT map,size FROM node n WHERE n.ino=l.ino AND n.gen=?1)",

	/* The disc itself tells what it boots; which of the files that share an image's place was meant, it
	 * can't. */
	[QUERY_PUBLISH_DROP_BOOT] = "DELETE FROM boot WHERE gen=0 AND EXISTS "
				    "(SELECT 1 FROM boot b WHERE b.gen=?1 AND b.slot IN (0,boot.slot))",
	[QUERY_PUBLISH_BOOT] = "UPDATE boot SET gen=0 WHERE gen=?1",

	/* Thaw: what generation ?1 holds goes over to the next one, ?2, where that has nothing newer. */
	[QUERY_THAW_DROP_NAMES] = "DELETE FROM dirent WHERE gen=?1 AND gen>0 AND (parent,name) IN "
				  "(SELECT parent,name FROM dirent WHERE gen=?2 AND gen>0)",
	[QUERY_THAW_NAMES] = "UPDATE dirent SET gen=?2 WHERE gen=?1 AND gen>0",
	[QUERY_THAW_DROP_NODES] = "DELETE FROM node WHERE gen=?1 AND gen>0 AND ino IN "
				  "(SELECT ino FROM node WHERE gen=?2 AND gen>0)",
	[QUERY_THAW_NODES] = "UPDATE node SET gen=?2 WHERE gen=?1 AND gen>0",
	[QUERY_THAW_DROP_BOOT] = "DELETE FROM boot WHERE gen=?1 AND EXISTS "
				 "(SELECT 1 FROM boot b WHERE b.gen=?2 AND b.slot IN (0,boot.slot))",
	[QUERY_THAW_BOOT] = "UPDATE boot SET gen=?2 WHERE gen=?1",
	[QUERY_THAW_WHITEOUTS] =
	    "DELETE FROM dirent WHERE gen=?1 AND gen>0 AND ino=0 AND NOT EXISTS (SELECT 1 FROM "
	    "dirent b WHERE b.parent=dirent.parent AND b.name=dirent.name AND b.gen<?1)",
	[QUERY_THAW_GONE] = "DELETE FROM node WHERE gen=?1 AND gen>0 AND nlink=0 AND NOT EXISTS "
			    "(SELECT 1 FROM node b WHERE b.ino=node.ino AND b.gen<?1)",
};

const char *query_text(enum query query)
{
	return query_texts[query];
}
