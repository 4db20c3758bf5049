/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/formats.h"

#include "disc/udf_read.h"
#include "disc/volume.h"

#include <errno.h>
#include <string.h>

#define FIRST_DESCRIPTOR 16u
#define DESCRIPTORS	 16u
#define RECORD_LEAST	 34u
#define AT_ESCAPES	 88u /* of a supplementary descriptor, ECMA-119 8.5.6 */

/* What the descriptors from 16 on say, ECMA-119 8 and ECMA-167 2/9. */
struct found {
	uint32_t formats;
	uint64_t root; /* of the primary descriptor; 0: there's none */
	bool udf;      /* a volume recognition sequence says so */
};

static bool is_joliet(const uint8_t *block)
{
	const uint8_t *escapes = block + AT_ESCAPES;

	return block[6] == 1 && escapes[0] == '%' && escapes[1] == '/' &&
	       (escapes[2] == '@' || escapes[2] == 'C' || escapes[2] == 'E');
}

static void take_descriptor(const uint8_t *block, struct found *found)
{
	if (memcmp(block + 1, "NSR0", 4) == 0)
		found->udf = true;
	if (memcmp(block + 1, "CD001", 5) != 0)
		return;
	if (block[0] == 1 && !found->root) {
		found->formats |= FORMAT_BIT(FORMAT_ISO9660);
		found->root = get_le32(block + 158);
	} else if (block[0] == 2 && is_joliet(block)) {
		found->formats |= FORMAT_BIT(FORMAT_JOLIET);
	}
}

/* The record "." of a root directory with Rock Ridge begins with SP (SUSP 5.3), and has PX (RRIP 4.1.1). */
static bool has_rock_ridge(const uint8_t *record)
{
	uint32_t length = record[0], at = RECORD_LEAST;
	bool susp = false, posix = false;

	if (length < RECORD_LEAST || record[32] != 1)
		return false;
	/* CD-ROM XA puts 14 bytes of its own before (SUSP 5.3 gives their number, after the fact). */
	if (length - at >= 21 && memcmp(record + at, "SP", 2) != 0 && memcmp(record + at + 14, "SP", 2) == 0)
		at += 14;
	for (; at + 4 <= length && record[at + 2] >= 4 && record[at + 2] <= length - at;
	     at += record[at + 2]) {
		susp |= memcmp(record + at, "SP", 2) == 0;
		posix |= memcmp(record + at, "PX", 2) == 0;
	}
	return susp && posix;
}

static int read_descriptors(const struct source *source, uint64_t start, struct found *found,
			    struct reason *why)
{
	uint8_t block[SECTOR];
	int got = 0;

	for (uint64_t i = 0; got == 0 && i < DESCRIPTORS; i++) {
		if (start + FIRST_DESCRIPTOR + i >= source->sectors)
			break;
		got = source_read(source, start + FIRST_DESCRIPTOR + i, 1, block, why);
		if (got == 0)
			take_descriptor(block, found);
		if (got < 0 || memcmp(block + 1, "TEA01", 5) == 0 || block[1] == 0)
			break;
	}
	if (got == 0 && found->root && found->root < source->sectors) {
		got = source_read(source, found->root, 1, block, why);
		if (got == 0 && has_rock_ridge(block))
			found->formats |= FORMAT_BIT(FORMAT_ROCK_RIDGE);
	}
	return got;
}

int formats_probe(const struct source *source, uint64_t start, uint32_t *ret, struct reason *why)
{
	struct found found = { 0 };
	int got = read_descriptors(source, start, &found, why);
	uint64_t inner = start;

	/* Its descriptors may be damaged, but not those that they're copies of. */
	if (!(found.formats & FORMAT_BIT(FORMAT_ROCK_RIDGE)))
		inner = volume_inner(source, start);
	if (inner != start) {
		found = (struct found){ .udf = true };
		got = read_descriptors(source, inner, &found, why);
	}
	if (got == 0 && (found.udf || !found.formats)) {
		struct udf_volume volume;
		struct reason ignored = { 0 };

		if (udf_volume_open(&volume, source, start, 0, &ignored) > 0)
			found.formats |= FORMAT_BIT(FORMAT_UDF);
		udf_volume_close(&volume);
	}
	*ret = found.formats;
	return got;
}

int formats_read_tree(const struct source *source, uint64_t session, uint64_t limit, uint32_t format,
		      const struct tree_sink *sink, void *self, struct verb_imported *ret, struct reason *why)
{
	uint32_t formats = 0;
	int got = 0;

	if (format == FORMAT_AUTO)
		got = formats_probe(source, session, &formats, why);
	if (got < 0)
		return got;
	if (tree_format_best(formats) == FORMAT_UDF)
		format = FORMAT_UDF;
	if (format == FORMAT_UDF) {
		got = iso_read_check_root(source, session, limit, sink, self, why);
		return got < 0 ? got : udf_read_tree(source, session, limit, sink, self, ret, why);
	}
	return iso_read_tree(source, session, limit, format, sink, self, ret, why);
}
