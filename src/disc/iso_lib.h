/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libisofs started, its messages collected, and the medium behind its IsoDataSource.
 *
 * The library keeps globals: one image in a process at a time, used from one thread (its writer thread
 * apart). */
#pragma once

#include "disc/source.h"

#include <libisofs/libisofs.h>

/* Blocks that don't exist on the medium: where synthesised descriptors stand. */
struct iso_overlay {
	uint32_t start;
	uint32_t count;
	const uint8_t *data;
};

/* What the library reads from, with a limit on how much: directories and continuation areas of a hostile disc
 * may point back at each other. */
struct iso_medium {
	const struct source *source;
	uint64_t limit;		    /* sectors readable */
	uint64_t budget;	    /* reads left */
	struct iso_overlay overlay; /* count 0: none */
	struct reason failed;	    /* the first reading error */
	bool lenient;		    /* sectors that can't be read are shown as zeroes, and counted */
	uint64_t holes, first_hole;
	/* with lenient: told of each, and sectors beyond the end are holes too; may be NULL */
	void (*hole)(void *self);
	/* changes a block that isn't as it should be, and says so; may be NULL. One that can't be read comes
	 * as zeroes */
	bool (*mend)(void *self, uint32_t lba, uint8_t *block);
	void *self;
	uint8_t *windows; /* read-ahead: directories and continuation areas are small and close together */
	uint64_t window_at[8];
	IsoDataSource *data_source; /* owned: one reference */
};

/* Must be called once in the process, before anything else. severity: from which messages on work is given
 * up. */
int iso_lib_start(const char *severity, struct reason *why);

/* iconv loads a charset's table from a file, which a worker in its sandbox can't open any more: loads those
 * that names on discs come in, of Joliet and of systems that recorded theirs (isofs.cs), for good. */
void iso_lib_charsets(void);

/* Takes what the library has reported: warnings go to each (may be NULL), the first error becomes why's text
 * when why holds nothing yet (err as given). */
void iso_lib_messages(void (*each)(void *self, const char *text), void *self, int err, struct reason *why);
/* As above, but a message for which expected (asked for warnings and errors) says true is no error. */
void iso_lib_messages_but(bool (*expected)(void *self, const char *text), void *self, int err,
			  struct reason *why);
/* As above, but errors go to lost instead. */
void iso_lib_messages_lost(void (*each)(void *self, const char *text),
			   void (*lost)(void *self, const char *text), void *self);
/* Translates a result below 0: sets why with the messages, or else with the library's word for the code.
 * Returns -errno. */
int iso_lib_failed(int code, const char *doing, struct reason *why);

int iso_medium_open(struct iso_medium *medium, const struct source *source, uint64_t limit,
		    struct reason *why);
void iso_medium_close(struct iso_medium *medium);
