/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/reason.h"

#include <stdarg.h>
#include <stdio.h>

int reason_set(struct reason *why, int err, const char *fmt, ...)
{
	if (why && !why->err) {
		va_list args;

		va_start(args, fmt);
		vsnprintf(why->text, sizeof why->text, fmt, args);
		va_end(args);
		why->err = err;
	}
	return -err;
}
