/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locals that release what they own when they leave scope, and TAKE() to give it away instead. */
#pragma once

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn)	 __attribute__((cleanup(fn)))
#define UNUSED		 __attribute__((unused))
#define MUST_CHECK	 __attribute__((warn_unused_result))
#define PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))

/* Returns the value of a pointer variable and leaves NULL in it. */
#define TAKE(var)                                                                                            \
	({                                                                                                   \
		__typeof__(var) took_ = (var);                                                               \
		(var) = NULL;                                                                                \
		took_;                                                                                       \
	})

/* Returns a descriptor and leaves -1 behind. */
#define TAKE_FD(var)                                                                                         \
	({                                                                                                   \
		int took_ = (var);                                                                           \
		(var) = -1;                                                                                  \
		took_;                                                                                       \
	})

static inline void cleanup_free(void *where)
{
	free(*(void **)where);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_unlock(pthread_mutex_t **lock)
{
	if (*lock)
		pthread_mutex_unlock(*lock);
}

static inline void cleanup_rw_unlock(pthread_rwlock_t **lock)
{
	if (*lock)
		pthread_rwlock_unlock(*lock);
}

static inline pthread_mutex_t *lock_taken(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	return lock;
}

static inline pthread_rwlock_t *read_lock_taken(pthread_rwlock_t *lock)
{
	pthread_rwlock_rdlock(lock);
	return lock;
}

static inline pthread_rwlock_t *write_lock_taken(pthread_rwlock_t *lock)
{
	pthread_rwlock_wrlock(lock);
	return lock;
}

#define AUTO_FREE  CLEANUP(cleanup_free)
#define AUTO_CLOSE CLEANUP(cleanup_close)

#define CLEANUP_JOIN2(a, b) a##b
#define CLEANUP_JOIN(a, b)  CLEANUP_JOIN2(a, b)
/* Hold a lock until the end of the enclosing block. */
#define WITH_LOCK(lock)                                                                                      \
	CLEANUP(cleanup_unlock) UNUSED pthread_mutex_t *CLEANUP_JOIN(held_, __LINE__) = lock_taken(lock)
#define WITH_READ_LOCK(lock)                                                                                 \
	CLEANUP(cleanup_rw_unlock)                                                                           \
	UNUSED pthread_rwlock_t *CLEANUP_JOIN(held_, __LINE__) = read_lock_taken(lock)
#define WITH_WRITE_LOCK(lock)                                                                                \
	CLEANUP(cleanup_rw_unlock)                                                                           \
	UNUSED pthread_rwlock_t *CLEANUP_JOIN(held_, __LINE__) = write_lock_taken(lock)
