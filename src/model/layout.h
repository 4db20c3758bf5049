/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many sectors a directory takes in a session, in ISO 9660 with Rock Ridge and in Joliet: libisofs' own
 * reckoning, from names and nodes alone; and in the UDF that stands behind these. Pure; a test holds it
 * against what the burn worker plans. */
#pragma once

#include "model/name.h"
#include "model/node.h"
#include "model/session_formats.h"
#include "model/target.h"

/* What counts of a node for the records of each of its names. */
struct record_facts {
	bool is_dir, is_link;
	bool in_joliet;	     /* it has neither symlinks nor devices */
	bool not_in_udf;     /* a symlink whose target has no room there */
	uint8_t fixed;	     /* bytes in the system use area besides name, target, attributes */
	uint8_t link_fields; /* a symlink's target, in SL entries */
	uint8_t links[TARGET_FIELDS];
	bool compressed;     /* a ZF entry */
	bool sum;	     /* an MD5 of its own */
	uint32_t sections;   /* records for each name: one for each 4 GiB */
	uint32_t attributes; /* bytes of AAIP components, without the heads of fields and the filler */
	bool ends_empty;     /* the last attribute has no value */
};

void record_facts_of(const struct node *node, struct record_facts *ret);
/* The most that one name of it takes of continuation areas; 0: it needs none, however its ISO 9660 name comes
 * out. */
uint64_t record_continued_most(const struct record_facts *facts, size_t name_length);

/* The filler: an attribute that means nothing, so that libisofs 1.5.4 doesn't write more than it reserves.
 * Its value's length, 0: none is needed.
 * - It can't read back a list of attributes that ends with one without a value.
 * - Of a symlink it forgets the target when it looks whether the attributes fit into the record: they would
 *   go in, and the record grow beyond its 254 bytes. So they are made too long for any record, unless all of
 *   it fits.
 * - The root's it lays out as if nothing stood before them, and writes them behind 182 bytes: they are made
 * as long as it takes that they end no later than reserved. */
uint32_t record_filler(const struct record_facts *facts, size_t name_length);
uint32_t root_filler(const struct record_facts *self);

/* What one directory takes. */
struct dir_cost {
	uint64_t iso, joliet;		    /* sectors of records */
	uint64_t continued;		    /* sectors of continuation areas */
	uint64_t iso_tables, joliet_tables; /* bytes of its subdirectories in a path table */
	uint64_t clashed;		    /* names that were numbered, in either tree */
	uint64_t sums;			    /* names of files with an MD5 */
	uint64_t udf, udf_linkless; /* sectors of its file entry and of its names, without symlinks' */
	/* Names that UDF changes, of directories and of others: what they lead to isn't inherited. */
	uint64_t udf_lost_dirs, udf_lost;
};

/* A directory, name by name in byte order; then its cost. */
struct layout {
	struct labels iso, joliet;
	VEC(struct layout_entry {
		struct record_facts facts;
		uint32_t length; /* of the true name */
		uint32_t fid;	 /* bytes of its descriptor in UDF */
		bool lost;	 /* UDF shows another name */
	})
	entries;
};

void layout_clear(struct layout *layout); /* to be filled anew */
void layout_free(struct layout *layout);
/* 0 or -ENOMEM. */
int layout_add(struct layout *layout, const char *name, size_t length, const struct record_facts *facts);
/* self: of the directory; is_root: it carries what describes the whole session. 0, -ENOMEM, or -EOVERFLOW
 * when no session can be made of it. */
int layout_cost(struct layout *layout, const struct record_facts *self, bool is_root, struct dir_cost *ret);

/* Sectors of a session besides directories, path tables, bodies, and the file entries of what isn't a
 * directory (in UDF: one for each). sums: files that have an MD5 there. */
uint64_t layout_fixed(const struct session_formats *formats, uint64_t sums);

/* Sectors of a directory, or of all that were summed up, with their path tables. */
uint64_t layout_sectors(const struct dir_cost *sum, const struct session_formats *formats);

/* UDF's descriptors take so many sectors before libisofs' stream. */
#define UDF_FRONT 288u
/* The most bytes that a name takes in a directory of UDF. */
#define UDF_FID_MOST 296u
