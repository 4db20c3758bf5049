/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_lib.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <string.h>

#define WINDOWS	       8u
#define WINDOW_SECTORS 16u
/* Every record with a continuation area reads its block again: some 20 of them share one. */
#define READS_PER_SECTOR 32u
/* A directory's length, or a row of volume descriptors, may claim to go on for ever. */
#define HOLES_SHOWN    10000u
#define READS_AT_LEAST 1000000u
#define READS_AT_MOST  400000000u

int iso_lib_start(const char *severity, struct reason *why)
{
	char name[] = "UTF-8";
	char queue[] = "WARNING";
	char print[] = "NEVER";
	char prefix[] = "";
	AUTO_FREE char *abort_at = strdup(severity);

	if (!abort_at || iso_init() < 0)
		return reason_set(why, ENOMEM, "libisofs doesn't start");
	if (iso_set_local_charset(name, 0) <= 0)
		return reason_set(why, EINVAL, "libisofs doesn't take UTF-8");
	iso_set_msgs_severities(queue, print, prefix);
	iso_set_abort_severity(abort_at);
	return 0;
}

void iso_lib_charsets(void)
{
	static const char *const names[] = {
		"UCS-2BE",     "UTF-16BE",   "UTF-16",	    "WCHAR_T",	   "ASCII",	  "ISO-8859-1",
		"ISO-8859-2",  "ISO-8859-3", "ISO-8859-4",  "ISO-8859-5",  "ISO-8859-6",  "ISO-8859-7",
		"ISO-8859-8",  "ISO-8859-9", "ISO-8859-10", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15",
		"ISO-8859-16", "CP437",	     "CP850",	    "CP852",	   "CP866",	  "CP1250",
		"CP1251",      "CP1252",     "KOI8-R",	    "KOI8-U",	   "SHIFT_JIS",	  "CP932",
		"EUC-JP",      "EUC-KR",     "CP949",	    "GB2312",	   "GBK",	  "GB18030",
		"BIG5",
	};
	/* a closed one could be unloaded */
	static iconv_t held[sizeof names / sizeof *names] __attribute__((used));

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		held[i] = iconv_open("UTF-8", names[i]);
}

/* Called errors, but the library read on and left nothing out: odd SUSP fields such as other systems write.
 */
static bool is_oddity(int code)
{
	static const int harmless[] = { (int)ISO_WRONG_RR, (int)ISO_UNSUPPORTED_RR,
					(int)ISO_UNSUPPORTED_SUSP };

	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
		if ((code & 0xffff) == (harmless[i] & 0xffff))
			return true;
	return false;
}

struct listener {
	void (*each)(void *self, const char *text);
	void (*lost)(void *self, const char *text);
	bool (*expected)(void *self, const char *text);
	void *self;
};

static void take_messages(const struct listener *listener, int err, struct reason *why)
{
	char text[ISO_MSGS_MESSAGE_LEN];
	char severity[80];
	char all[] = "ALL";
	int code, image;

	while (iso_obtain_msgs(all, &code, &image, text, severity) > 0) {
		int rank = 0, warning = 0;

		iso_text_to_sev(severity, &rank);
		iso_text_to_sev((char[]){ "WARNING" }, &warning);
		text[strcspn(text, "\n")] = '\0';
		if (rank < warning)
			continue;
		if (listener->each)
			listener->each(listener->self, text);
		if (listener->expected && listener->expected(listener->self, text))
			continue;
		if (rank <= warning || is_oddity(code))
			continue;
		if (listener->lost)
			listener->lost(listener->self, text);
		else
			reason_set(why, err, "%.440s", text);
	}
}

void iso_lib_messages(void (*each)(void *self, const char *text), void *self, int err, struct reason *why)
{
	take_messages(&(struct listener){ .each = each, .self = self }, err, why);
}

void iso_lib_messages_but(bool (*expected)(void *self, const char *text), void *self, int err,
			  struct reason *why)
{
	take_messages(&(struct listener){ .expected = expected, .self = self }, err, why);
}

void iso_lib_messages_lost(void (*each)(void *self, const char *text),
			   void (*lost)(void *self, const char *text), void *self)
{
	take_messages(&(struct listener){ .each = each, .lost = lost, .self = self }, 0, NULL);
}

int iso_lib_failed(int code, const char *doing, struct reason *why)
{
	int err = EIO;

	if (code == (int)ISO_OUT_OF_MEM)
		err = ENOMEM;
	else if (code == (int)ISO_RR_NAME_TOO_LONG || code == (int)ISO_RR_PATH_TOO_LONG)
		err = ENAMETOOLONG;
	iso_lib_messages(NULL, NULL, err, why);
	return reason_set(why, err, "%s: %s", doing, iso_error_to_msg(code));
}

static int medium_open(IsoDataSource *self)
{
	return 1;
}

static int medium_close(IsoDataSource *self)
{
	return 1;
}

/* The window that holds a block; NULL with failed set. */
static const uint8_t *window_with(struct iso_medium *medium, uint32_t lba)
{
	uint64_t first = lba - lba % WINDOW_SECTORS;
	size_t slot = (size_t)(first / WINDOW_SECTORS % WINDOWS);
	uint8_t *window = medium->windows + slot * WINDOW_SECTORS * SECTOR;
	uint64_t count = min_u64(WINDOW_SECTORS, medium->limit - first);
	struct reason ignored = { 0 };

	if (medium->window_at[slot] == first)
		return window + (size_t)(lba - first) * SECTOR;
	medium->window_at[slot] = UINT64_MAX;
	if (source_read(medium->source, first, (uint32_t)count, window,
			medium->lenient ? &ignored : &medium->failed) == 0) {
		medium->window_at[slot] = first;
		return window + (size_t)(lba - first) * SECTOR;
	}
	return NULL;
}

static void note_hole(struct iso_medium *medium, uint32_t lba)
{
	if (medium->holes++ == 0)
		medium->first_hole = lba;
	if (medium->hole)
		medium->hole(medium->self);
}

/* One sector, whatever can't be read around it. A disc that is gone is no hole. */
static bool read_leniently(struct iso_medium *medium, uint32_t lba, uint8_t *buffer)
{
	struct reason why = { 0 };

	memset(buffer, 0, SECTOR);
	if (medium->mend && medium->mend(medium->self, lba, buffer))
		return true;
	if (source_read(medium->source, lba, 1, buffer, &why) == 0)
		return true;
	if (why.err != EIO) {
		reason_set(&medium->failed, why.err, "%s", why.text);
		return false;
	}
	note_hole(medium, lba);
	memset(buffer, 0, SECTOR);
	return true;
}

static int medium_read(IsoDataSource *self, uint32_t lba, uint8_t *buffer)
{
	struct iso_medium *medium = (struct iso_medium *)self->data;
	const struct iso_overlay *overlay = &medium->overlay;
	const uint8_t *block;

	if (lba >= overlay->start && lba - overlay->start < overlay->count) {
		memcpy(buffer, overlay->data + (size_t)(lba - overlay->start) * SECTOR, SECTOR);
		return 1;
	}
	if (lba >= medium->limit && medium->hole && medium->holes < HOLES_SHOWN) {
		note_hole(medium, lba);
		memset(buffer, 0, SECTOR);
		return 1;
	}
	if (lba >= medium->limit) {
		reason_set(&medium->failed, EIO,
			   "the file system points at sector %" PRIu32 " but the medium ends at %" PRIu64
			   ": damaged or truncated",
			   lba, medium->limit);
		return (int)ISO_DATA_SOURCE_FATAL;
	}
	if (medium->budget-- == 0) {
		medium->budget = 0;
		reason_set(&medium->failed, EIO, "the file system leads in circles: damaged");
		return (int)ISO_DATA_SOURCE_FATAL;
	}
	block = window_with(medium, lba);
	if (!block)
		return medium->lenient && read_leniently(medium, lba, buffer) ? 1
									      : (int)ISO_DATA_SOURCE_FATAL;
	memcpy(buffer, block, SECTOR);
	if (medium->mend)
		medium->mend(medium->self, lba, buffer);
	return 1;
}

static void medium_free(IsoDataSource *self)
{
	self->data = NULL;
}

int iso_medium_open(struct iso_medium *medium, const struct source *source, uint64_t limit,
		    struct reason *why)
{
	IsoDataSource *data_source = calloc(1, sizeof *data_source);

	*medium = (struct iso_medium){ .source = source };
	medium->limit = limit ? min_u64(limit, source->sectors) : source->sectors;
	medium->budget = min_u64(READS_AT_LEAST + READS_PER_SECTOR * medium->limit, READS_AT_MOST);
	medium->windows = malloc((size_t)WINDOWS * WINDOW_SECTORS * SECTOR);
	memset(medium->window_at, 0xff, sizeof medium->window_at);
	if (!data_source || !medium->windows) {
		free(data_source);
		return reason_set(why, ENOMEM, "out of memory");
	}
	data_source->refcount = 1;
	data_source->open = medium_open;
	data_source->close = medium_close;
	data_source->read_block = medium_read;
	data_source->free_data = medium_free;
	data_source->data = medium;
	medium->data_source = data_source;
	return 0;
}

void iso_medium_close(struct iso_medium *medium)
{
	if (medium->data_source)
		iso_data_source_unref(medium->data_source);
	free(medium->windows);
	medium->data_source = NULL;
	medium->windows = NULL;
}
