/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a name where Rock Ridge doesn't count: in plain ISO 9660 and in Joliet, as libisofs 1.5.4
 * writes them. Pure rules; tests hold them against what it writes.
 *
 * Names are strings of 16-bit units, ISO 9660's too, so that both are numbered by the same code. */
#pragma once

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define NAME_ISO_MOST	 31u  /* level 2 and 3: 30 and a dot (ECMA-119 7.5.1), directories 31 (7.6.3) */
#define NAME_JOLIET_MOST 104u /* what libisofs gives: 103, and the dot of a file's extension */

/* ret: room for NAME_ISO_MOST units. Returns the length. */
size_t name_to_iso(const char *name, size_t length, bool is_dir, uint16_t *ret);
/* ret: room for NAME_JOLIET_MOST units of UTF-16. Returns the length; 0: nothing is left of it, and it isn't
 * shown there. */
size_t name_to_joliet(const char *name, size_t length, bool is_dir, uint16_t *ret);

/* From so many bytes on Linux' isofs (fs/isofs/rock.c) drops the last pieces of a Rock Ridge name. */
#define NAME_LINUX_CUT 254u

/* Why a reader of Joliet sees another name. */
enum {
	NAME_BYTES = 1,	   /* it isn't UTF-8 */
	NAME_CHARS = 2,	   /* control characters (but DEL), or one of * : ; ? \ */
	NAME_CUT = 4,	   /* more than 103 units, or 104 with an extension: its dot doesn't count */
	NAME_NUMBERED = 8, /* the same as another's */
	NAME_DOT = 16,	   /* a dot at the end */
	NAME_BEYOND = 32,  /* it's seen as it is, by readers of UTF-16: characters beyond U+FFFF */
};
/* Of what name_to_joliet makes of it, so not NAME_NUMBERED. */
unsigned name_joliet_changes(const char *name, size_t length, bool is_dir);
/* What readers show of a name of Joliet, in UTF-8, terminated: Windows and Linux take away dots at the end,
 * with which libisofs marks that there's no extension. ret: room for 3 * NAME_JOLIET_MOST + 1 bytes. Returns
 * the length. */
size_t name_of_joliet(const uint16_t *units, size_t length, char *ret);
#define LABEL_NONE	"DISC" /* a volume without a name gets that */
#define NAME_LABEL_MOST 16u    /* units of a volume's name in Joliet */
/* What Joliet has of a volume's name, in UTF-8. ret: room for 3 * NAME_LABEL_MOST + 1 bytes. */
void name_label_of_joliet(const char *label, char *ret);
/* Does plain ISO 9660 show something else, but for case? units: as name_to_iso or a number made them. */
bool name_iso_changes(const char *name, size_t length, const uint16_t *units, size_t count, bool is_dir);

/* The names of one directory in one of these trees. */
struct label {
	size_t at;	/* in units */
	uint32_t entry; /* the caller's number */
	uint8_t length;
	bool is_dir;
	bool clashed; /* it had to be numbered */
};

struct labels {
	VEC(struct label) list;
	VEC(uint16_t) units;
	bool joliet;
	size_t clashed; /* how many had to be numbered */
};

void labels_clear(struct labels *labels);
/* 0 or -ENOMEM. */
int labels_add(struct labels *labels, const uint16_t *name, size_t length, bool is_dir, uint32_t entry);
/* Sorts them, and numbers those that became equal, so that the list is in the order of the directory
 * records. They must have been added in byte order of the true names. 0, -ENOMEM, or -EOVERFLOW: too many
 * are equal. */
int labels_settle(struct labels *labels);
