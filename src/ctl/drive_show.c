/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/drive_show.h"

#include "base/bytes.h"
#include "ctl/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_speeds(const struct json *info, const char *key, const char *does)
{
	int64_t count = json_count(info, "$.drive.%s", key);

	for (int i = 0; i < (int)count; i++)
		printf("%s%" PRId64, i ? ", " : does, json_int(info, "$.drive.%s[%d]", key, i));
	if (count)
		puts(" kB/s");
}

static void print_next(const struct json *info)
{
	char number[FORMAT_ROOM], size[FORMAT_ROOM];
	uint64_t cost = (uint64_t)json_int(info, "$.drive.closing_sectors");

	printf("The next session begins at sector %s, %s are free",
	       format_count(number, (uint64_t)json_int(info, "$.room.next_start")),
	       format_sectors(size, json_has(info, "$.room.free_sectors")
					? (uint64_t)json_int(info, "$.room.free_sectors")
					: (uint64_t)json_int(info, "$.room.free_bytes") / SECTOR));
	if (cost)
		printf("; closing it takes %s", format_sectors(size, cost));
	putchar('\n');
	if (!json_bool(info, "$.drive.appends"))
		puts("Another one can't follow it: this medium, as it is, takes a single session.");
	if (!json_bool(info, "$.drive.overwriteable"))
		puts(json_bool(info, "$.drive.simulates") ? "The drive can simulate a burn on it."
							  : "The drive can't simulate a burn on it.");
}

void drive_print(const struct json *info)
{
	AUTO_FREE char *vendor = json_string(info, "$.drive.vendor");
	AUTO_FREE char *product = json_string(info, "$.drive.product");
	AUTO_FREE char *revision = json_string(info, "$.drive.revision");
	AUTO_FREE char *state = json_string(info, "$.medium.state");
	char number[FORMAT_ROOM];

	if (!json_has(info, "$.drive"))
		return;
	fputs("Drive: ", stdout);
	format_print_name(vendor);
	putchar(' ');
	format_print_name(product);
	putchar(' ');
	format_print_name(revision);
	putchar('\n');
	if (json_bool(info, "$.drive.damaged"))
		printf("A burn was cut off: the track that it began at sector %s is closed by the next "
		       "commit.\n",
		       format_count(number, (uint64_t)json_int(info, "$.drive.damaged_start")));
	if (json_bool(info, "$.drive.overwriteable") && !json_bool(info, "$.drive.formatted"))
		puts("It isn't formatted yet (discfsctl format); the first commit does it.");
	else if (state && strcmp(state, "closed") != 0)
		print_next(info);
}

void drive_print_tracks(const struct json *info)
{
	int64_t count = json_count(info, "$.tracks");

	print_speeds(info, "write_kbps", "Writes at ");
	print_speeds(info, "read_kbps", "Reads at ");
	if (count)
		printf("%7s  %7s  %12s  %8s  %s\n", "Track", "Session", "Start", "Size", "Kind");
	for (int i = 0; i < (int)count; i++) {
		char start[FORMAT_ROOM], size[FORMAT_ROOM];

		printf("%7" PRId64 "  %7" PRId64 "  %12s  %8s  %s\n",
		       json_int(info, "$.tracks[%d].number", i), json_int(info, "$.tracks[%d].session", i),
		       format_count(start, (uint64_t)json_int(info, "$.tracks[%d].start", i)),
		       format_sectors(size, (uint64_t)json_int(info, "$.tracks[%d].sectors", i)),
		       json_bool(info, "$.tracks[%d].data", i) ? "data" : "audio");
	}
}
