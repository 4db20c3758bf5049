/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a call of libc is replaced: a function of its name that the library shows to others, and CALL_REAL for
 * the original.
 *
 * These files must not be compiled with _FILE_OFFSET_BITS=64: open and open64 are both wanted. */
#pragma once

#include "host.h"

#include <dlfcn.h>
#include <errno.h>

_Static_assert(sizeof(off_t) == 8, "struct stat and struct stat64 must be the same");

#define EXPORT __attribute__((visibility("default")))

/* The function of that name which comes after ours. It is looked up once. */
#define REAL(name)                                                                                           \
	(__extension__({                                                                                     \
		static __typeof__(&name) real_##name;                                                        \
		if (!real_##name)                                                                            \
			*(void **)&real_##name = dlsym(RTLD_NEXT, #name);                                    \
		real_##name;                                                                                 \
	}))

/* A result of the host side as libc gives it. */
static inline long answer(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}
