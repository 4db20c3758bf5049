/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which trees the next session gets beside ISO 9660 with Rock Ridge, which it always has. */
#pragma once

#include <stdbool.h>

struct session_formats {
	bool joliet;
	bool udf;
	bool udf_links; /* with symbolic links, devices and pipes in it: 7-Zip refuses a UDF that has one */
};

/* As the option has them. */
static inline const char *session_formats_words(const struct session_formats *formats)
{
	static const char *const words[] = { "iso", "iso,joliet", "iso,udf", "iso,joliet,udf" };

	return words[formats->joliet + 2 * formats->udf];
}

/* Unless -o formats= says otherwise. */
#define SESSION_FORMATS_DEFAULT ((struct session_formats){ .joliet = true, .udf = true, .udf_links = true })
