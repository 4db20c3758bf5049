/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File entries of UDF (ECMA-167 4/14.9 and 4/14.17): what kind of file, its attributes, and where its content
 * lies. */
#pragma once

#include "disc/udf_space.h"
#include "model/node.h"

/* ECMA-167 4/14.6.6. */
enum udf_file_type {
	UDF_FILE_UNKNOWN = 0,
	UDF_FILE_DIRECTORY = 4,
	UDF_FILE_REGULAR = 5,
	UDF_FILE_BLOCK = 6,
	UDF_FILE_CHARACTER = 7,
	UDF_FILE_FIFO = 9,
	UDF_FILE_SOCKET = 10,
	UDF_FILE_SYMLINK = 12,
	UDF_FILE_REALTIME = 249,
	UDF_FILE_METADATA = 250,
	UDF_FILE_METADATA_MIRROR = 251
};

struct udf_icb {
	struct udf_address at;
	uint64_t lba; /* of the entry */
	uint32_t file_type;
	struct node_attr attr; /* ino and nlink apart; type 0 where nothing here has it */
	uint64_t size;	       /* information length */
	bool has_owner;
	bool has_streams; /* named streams: there's nothing like them here */
	bool lacks_device;
	uint32_t descriptors; /* kind of allocation descriptors, ECMA-167 4/14.6.8 */
	uint32_t body_at;     /* where they, or the content, begin in the block */
	uint32_t body_length; /* bytes of them */
	uint8_t block[SECTOR];
};

/* Reads and checks one. why doesn't name the file. 0 or -EBADMSG, -EMEDIUMTYPE (of a kind that isn't
 * supported), -EIO. */
int udf_icb_read(struct udf_space *space, struct udf_address at, struct udf_icb *ret, struct reason *why);
/* Its content piece by piece, in order, without holes; origin is in bytes on the medium. each returns 0 or
 * -errno. */
int udf_icb_extents(struct udf_space *space, const struct udf_icb *icb,
		    int (*each)(void *self, const struct extent *extent), void *self, struct reason *why);
/* Its content as a whole, of at most limit bytes. Of a lenient space: 0 also where something of it couldn't
 * be read, which why tells then. */
int udf_icb_content(struct udf_space *space, const struct udf_icb *icb, uint64_t limit, struct blob *ret,
		    struct reason *why);
