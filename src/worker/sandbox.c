/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#define MEMORY_LIMIT (4ull << 30) /* a million files take some 600 MB of libisofs' tree */
#define FILE_LIMIT   64u

/* Address sanitizers reserve terabytes of addresses for their shadow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void limit(int what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) != 0)
		return;
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	(void)setrlimit((__rlimit_resource_t)what, &now);
}

void sandbox_enter(unsigned cpu_seconds)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, cpu_seconds);
	limit(RLIMIT_NOFILE, FILE_LIMIT);
	if (!SANITIZED)
		limit(RLIMIT_AS, MEMORY_LIMIT);
}
