/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MD5 sums of a session that libisofs made over other bytes than those that go out: computed anew while
 * its blocks pass.
 *
 * They cover everything from the session's begin: the tag behind the descriptors, the tag behind the
 * directories, the first sum of the array of sums near the end, the sum of that array itself, and the tag
 * behind it. See libisofs' doc/checksums.txt.
 */
#pragma once

#include "base/bytes.h"
#include "base/reason.h"

#include <openssl/evp.h>

struct session_tags {
	uint32_t start;
	uint32_t superblock; /* where the tag behind the descriptors is; 0: they're as libisofs made them */
	uint32_t tree;	     /* where the tag behind the directories is */
	uint32_t array;	     /* first block of the array of sums */
	uint32_t sums;	     /* in it, of 16 bytes: the session's first, the array's last */
	uint32_t end;	     /* where the tag behind the array is, the last block to pass */
	EVP_MD_CTX *all;
	EVP_MD_CTX *of_array;
};

/* Where libisofs keeps the sums of files, by an attribute of the root (susp_aaip_isofs_names.txt). */
struct sums_place {
	uint32_t start; /* of the session */
	uint32_t array; /* first block of the array */
	uint32_t sums;	/* in it, of 16 bytes; the last is that of the others */
};

/* isofs_ca: value of that attribute. False: it isn't as libisofs writes it. */
bool session_tags_place(const uint8_t *isofs_ca, size_t length, struct sums_place *ret);
/* First block behind the array. */
uint32_t sums_place_end(const struct sums_place *place);

/* isofs_ca: value of that attribute of the root, which tells where the array is. 0, -EIO or -ENOMEM. */
int session_tags_open(struct session_tags *tags, uint32_t start, uint32_t tree, const uint8_t *isofs_ca,
		      size_t length, struct reason *why);
void session_tags_close(struct session_tags *tags);
/* The tag of the head in block at, which libisofs made for another block, is made for what stands before it
 * now. head: blocks 0 to at. 0 or -EIO. */
int session_tags_move(uint8_t *head, uint32_t at, struct reason *why);
/* Whether a block is the tag behind the descriptors. */
bool session_tags_is_superblock(const uint8_t *block);
/* Takes the session's blocks one by one in their order, and changes those that hold a sum. -EIO when one
 * isn't what must be there. */
int session_tags_pass(struct session_tags *tags, uint32_t lba, uint8_t *block, struct reason *why);
