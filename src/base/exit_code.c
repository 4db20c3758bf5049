/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit_code.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	int err;
	enum exit_code code;
} exit_codes[] = {
	{ 0, EXIT_CODE_DONE },
	{ ENOMEDIUM, EXIT_CODE_NO_MEDIUM },
	{ ESTALE, EXIT_CODE_WRONG_DISC },
	{ EMEDIUMTYPE, EXIT_CODE_NOT_APPENDABLE },
	{ EROFS, EXIT_CODE_NOT_APPENDABLE },
	{ EUCLEAN, EXIT_CODE_NOT_APPENDABLE },
	{ ENOSPC, EXIT_CODE_NO_ROOM },
	{ EFBIG, EXIT_CODE_NO_ROOM },
	{ EBUSY, EXIT_CODE_BUSY },
	{ EIO, EXIT_CODE_BURN_FAILED },
	{ ECANCELED, EXIT_CODE_CANCELLED },
	{ ETIMEDOUT, EXIT_CODE_TIMED_OUT },
};

enum exit_code exit_code_of_errno(int err)
{
	for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
		if (exit_codes[i].err == err)
			return exit_codes[i].code;
	return EXIT_CODE_SYSTEM;
}
