/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/format.h"
#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

const char *format_count(char *buffer, uint64_t number)
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;

	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buffer[at++] = ',';
		buffer[at++] = digits[i];
	}
	buffer[at] = '\0';
	return buffer;
}

const char *format_sectors(char *buffer, uint64_t sectors)
{
	return text_size(buffer, sectors * SECTOR);
}

const char *format_time(char *buffer, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm parts;

	if (!seconds || !localtime_r(&time, &parts) ||
	    !strftime(buffer, FORMAT_ROOM, "%Y-%m-%d %H:%M", &parts))
		snprintf(buffer, FORMAT_ROOM, "-");
	return buffer;
}

const char *format_duration(char *buffer, int64_t seconds)
{
	int64_t minutes = seconds / 60;

	if (minutes < 60)
		snprintf(buffer, FORMAT_ROOM, "%" PRId64 ":%02d", minutes, (int)(seconds % 60));
	else
		snprintf(buffer, FORMAT_ROOM, "%" PRId64 ":%02d:%02d", minutes / 60, (int)(minutes % 60),
			 (int)(seconds % 60));
	return buffer;
}

int format_terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

void format_plural(struct text *text, uint64_t number, const char *word)
{
	char buffer[FORMAT_ROOM];

	text_add(text, "%s %s%s", format_count(buffer, number), word, number == 1 ? "" : "s");
}

void format_print_name(const char *name)
{
	AUTO_TEXT struct text text = { 0 };

	if (!name)
		return;
	text_add_escaped(&text, name, strlen(name));
	if (text.data)
		fputs(text.data, stdout);
}

void format_print_line(const char *sentence)
{
	AUTO_TEXT struct text text = { 0 };

	text_add_visible(&text, sentence, strlen(sentence));
	puts(text.data ? text.data : "");
}

void format_print_padded(const char *name, unsigned width)
{
	AUTO_TEXT struct text text = { 0 };
	unsigned shown = 0;

	text_add_escaped(&text, name, strlen(name));
	for (size_t i = 0; i < text.length; i++)
		shown += (text.data[i] & 0xC0) != 0x80; /* of UTF-8 the first byte of each character */
	printf("%s%*s", text.data ? text.data : "", shown < width ? (int)(width - shown) : 0, "");
}
