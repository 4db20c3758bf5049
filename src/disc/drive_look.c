/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/drive_look.h"

#include "base/bytes.h"

#include <string.h>

#define HEAD_SECTOR 16u /* the first volume descriptor (ECMA-119 6.7.1) */
#define VOLUME_ID   40u /* ECMA-119 8.4.7 */
#define VOLUME_SIZE 80u /* ECMA-119 8.4.8 */

/* False: nothing is recorded where one could be. */
static bool newest_descriptor(const struct drive_report *report, uint64_t *ret)
{
	*ret = HEAD_SECTOR;
	if (report->drive.overwriteable)
		return report->drive.formatted;
	for (size_t i = report->tracks.count; i-- > 0;)
		if (report->tracks.items[i].data) {
			*ret = report->tracks.items[i].start + HEAD_SECTOR;
			return true;
		}
	return false;
}

/* A message's strings end with a NUL and have none inside. */
static void take_label(const uint8_t *volume, char *ret)
{
	size_t length = strnlen((const char *)volume + VOLUME_ID, LABEL_LIMIT);

	while (length && volume[VOLUME_ID + length - 1] == ' ')
		length--;
	memcpy(ret, volume + VOLUME_ID, length);
	ret[length] = '\0';
}

void drive_look(struct drive *drive, struct drive_report *report)
{
	static const uint8_t zeroes[SECTOR];
	struct reason ignored = { 0 };
	uint8_t volume[SECTOR];
	uint64_t at;

	if (!newest_descriptor(report, &at))
		return;
	if (drive_read(drive, at, 1, volume, &ignored) < 0) {
		report->drive.head = HEAD_UNREADABLE;
	} else if (volume[0] == 1 && memcmp(volume + 1, "CD001", 5) == 0) {
		report->drive.head = HEAD_VOLUME;
		report->drive.volume_sectors = get_le32(volume + VOLUME_SIZE);
		take_label(volume, report->drive.label);
	} else {
		report->drive.head = memcmp(volume, zeroes, SECTOR) == 0 ? HEAD_ZERO : HEAD_OTHER;
	}
	drive_forget_messages();
}
