/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Burn programs sleep half a second after most commands. In a process that has a simulated drive open, sleeps
 * are cut to a hundredth, or to MMCSIM_SLEEP percent. Timers that aren't sleeps (poll and select on
 * descriptors, pthread_cond_timedwait) keep their time. */
#undef _FILE_OFFSET_BITS
#include "interpose.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

static uint64_t percent(void)
{
	const char *text = getenv("MMCSIM_SLEEP");

	return text ? strtoull(text, NULL, 10) : 1;
}

static struct timespec shorter(const struct timespec *time)
{
	uint64_t ns = ((uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec) / 100 * percent();

	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };
}

static int sleep_shorter(const struct timespec *time)
{
	struct timespec left = shorter(time);

	sched_yield();
	return REAL(nanosleep)(&left, NULL);
}

EXPORT int nanosleep(const struct timespec *time, struct timespec *ret_left)
{
	return host_in_use() ? sleep_shorter(time) : REAL(nanosleep)(time, ret_left);
}

/* Absolute times are timers. */
EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *ret_left)
{
	if (!host_in_use() || (flags & TIMER_ABSTIME))
		return REAL(clock_nanosleep)(clock, flags, time, ret_left);
	return sleep_shorter(time) < 0 ? errno : 0;
}

EXPORT int usleep(useconds_t time)
{
	struct timespec full = { .tv_sec = time / 1000000, .tv_nsec = (long)(time % 1000000) * 1000 };

	return host_in_use() ? sleep_shorter(&full) : REAL(usleep)(time);
}

EXPORT unsigned sleep(unsigned seconds)
{
	struct timespec full = { .tv_sec = (time_t)seconds };

	if (!host_in_use())
		return REAL(sleep)(seconds);
	sleep_shorter(&full);
	return 0;
}

/* On no descriptor they are sleeps: growisofs' and libusal's way. */
EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec full = { .tv_sec = timeout / 1000, .tv_nsec = (long)(timeout % 1000) * 1000000 };

	if (count > 0 || timeout < 0 || !host_in_use())
		return REAL(poll)(fds, count, timeout);
	return sleep_shorter(&full);
}

EXPORT int select(int count, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout)
{
	struct timespec full = { 0 };

	if (count > 0 || !timeout || !host_in_use())
		return REAL(select)(count, read, write, except, timeout);
	full.tv_sec = timeout->tv_sec;
	full.tv_nsec = timeout->tv_usec * 1000;
	return sleep_shorter(&full);
}
