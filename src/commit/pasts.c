/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/pasts.h"

#include "commit/adopt.h"
#include "store/past.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OPEN_MOST 8u /* unless more are in use */

void pasts_init(struct pasts *pasts, struct disc *disc)
{
	*pasts = (struct pasts){ .disc = disc };
	pthread_mutex_init(&pasts->importing, NULL);
	pthread_mutex_init(&pasts->lock, NULL);
}

static void past_free(struct past *past)
{
	past_close(&past->tree);
	free(past);
}

void pasts_close(struct pasts *pasts)
{
	vec_each (&pasts->open, past)
		past_free(*past);
	vec_clear(&pasts->open);
	session_list_clear(&pasts->list);
	pthread_mutex_destroy(&pasts->importing);
	pthread_mutex_destroy(&pasts->lock);
}

uint32_t pasts_count(struct pasts *pasts)
{
	WITH_LOCK(&pasts->lock);
	session_list_update(&pasts->list, pasts->disc);
	return (uint32_t)pasts->list.all.count;
}

int pasts_find(struct pasts *pasts, uint32_t number, struct verb_session *ret)
{
	int err;

	WITH_LOCK(&pasts->lock);
	err = session_list_update(&pasts->list, pasts->disc);
	if (err < 0)
		return err;
	if (number == 0 || number > pasts->list.all.count)
		return -ENOENT;
	*ret = pasts->list.all.items[number - 1];
	return 0;
}

/* Needs lock. */
static struct past *find_open(struct pasts *pasts, const struct verb_session *session)
{
	vec_each (&pasts->open, open)
		if ((*open)->session.number == session->number && (*open)->session.start == session->start) {
			(*open)->refs++;
			(*open)->used = ++pasts->clock;
			return *open;
		}
	return NULL;
}

/* Needs lock. NULL: none that nobody uses. */
static struct past *take_oldest(struct pasts *pasts)
{
	struct past **oldest = NULL, *taken;

	vec_each (&pasts->open, open)
		if ((*open)->refs == 0 && (!oldest || (*open)->used < (*oldest)->used))
			oldest = open;
	if (!oldest)
		return NULL;
	taken = *oldest;
	*oldest = pasts->open.items[--pasts->open.count];
	return taken;
}

/* Makes one of those that are open, and closes another for it. Somebody may have been faster. */
static int add_open(struct pasts *pasts, struct past *past, struct past **ret)
{
	struct past *old = NULL, **place;

	WITH_LOCK(&pasts->lock);
	*ret = find_open(pasts, &past->session);
	if (*ret) {
		past_free(past);
		return 0;
	}
	if (pasts->open.count >= OPEN_MOST)
		old = take_oldest(pasts);
	if (old)
		past_free(old);
	place = vec_push(&pasts->open);
	if (!place) {
		past_free(past);
		return -ENOMEM;
	}
	past->refs = 1;
	past->used = ++pasts->clock;
	*ret = *place = past;
	return 0;
}

static int make_path(const struct pasts *pasts, const struct verb_session *session, char *ret, size_t room)
{
	const char *state = pasts->disc->state.path;

	snprintf(ret, room, "%s/sessions", state);
	if (mkdir(ret, 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(ret, room, "%s/sessions/%" PRIu64 "-%" PRId64 "-%" PRIu64 "-%s.db", state, session->start,
		 session->time, session->sectors, tree_format_word(adopt_format(pasts->disc, session)));
	return 0;
}

/* What is damaged is only a copy of what the disc says. */
static int open_file(struct past *past, const char *path, uint64_t limit, struct reason *why)
{
	int ret = past_open(&past->tree, path, limit, why);

	if (ret != -EUCLEAN)
		return ret;
	past_close(&past->tree);
	*why = (struct reason){ 0 };
	return unlink(path) < 0 ? reason_set(why, errno, "%s: %s", path, strerror(errno))
				: past_open(&past->tree, path, limit, why);
}

static int open_past(struct pasts *pasts, const struct verb_session *session, struct past **ret,
		     struct reason *why)
{
	char path[PATH_LIMIT + 160];
	struct past *past;
	int err = make_path(pasts, session, path, sizeof path);

	if (err < 0)
		return reason_set(why, -err, "%s: %s", path, strerror(-err));
	past = calloc(1, sizeof *past);
	if (!past)
		return reason_set(why, ENOMEM, "out of memory");
	past->session = *session;
	err = open_file(past, path, atomic_load(&pasts->disc->tree.disc.limit), why);
	if (err < 0) {
		past_free(past);
		return err;
	}
	*ret = past;
	return 0;
}

/* The disc is read by a worker: the next burn waits for its end. */
static int import(struct pasts *pasts, struct past *past, struct reason *why)
{
	struct disc_reader *reader = &pasts->disc->tree.disc;
	int ret = disc_reader_enter(reader);

	if (ret == -ENOMEDIUM)
		return reason_set(why, ENOMEDIUM,
				  "session %" PRIu32 " isn't known yet, and the disc %s isn't here",
				  past->session.number, reader->missing);
	if (ret < 0)
		return reason_set(why, EBUSY, "session %" PRIu32 " can't be read while a session is burned",
				  past->session.number);
	ret = adopt_session(pasts->disc, &past->session, &past->tree, why);
	disc_reader_leave(reader);
	if (ret == 0)
		db_checkpoint(&past->tree.db, true);
	return ret;
}

/* 1: imported by somebody meanwhile, or now; 0: not kept; or -errno. */
static int fill(struct pasts *pasts, struct past *past, bool wanted, struct reason *why)
{
	int ret;

	if (tree_has_base(&past->tree))
		return 1;
	if (!wanted)
		return 0;
	WITH_LOCK(&pasts->importing);
	ret = tree_has_base(&past->tree) ? 0 : import(pasts, past, why);
	return ret < 0 ? ret : 1;
}

int pasts_hold(struct pasts *pasts, uint32_t number, bool import, struct past **ret, struct reason *why)
{
	struct verb_session session;
	struct past *past;
	int err = pasts_find(pasts, number, &session);

	if (err < 0)
		return reason_set(why, ENOENT, "the disc has no session %" PRIu32, number);
	{
		WITH_LOCK(&pasts->lock);
		*ret = find_open(pasts, &session);
	}
	if (*ret)
		return 0;
	err = open_past(pasts, &session, &past, why);
	if (err == 0) {
		err = fill(pasts, past, import, why);
		if (err <= 0)
			past_free(past);
	}
	if (err <= 0)
		return err < 0 ? err
			       : reason_set(why, ESTALE, "session %" PRIu32 " isn't known any more", number);
	err = add_open(pasts, past, ret);
	return err < 0 ? reason_set(why, -err, "out of memory") : 0;
}

struct past *pasts_held(struct pasts *pasts, uint32_t number)
{
	WITH_LOCK(&pasts->lock);
	vec_each (&pasts->open, open)
		if ((*open)->session.number == number && (*open)->refs)
			return *open;
	return NULL;
}

void pasts_release(struct pasts *pasts, struct past *past)
{
	WITH_LOCK(&pasts->lock);
	past->refs--;
}

static int compute_change(struct pasts *pasts, const struct verb_session *session, struct session_change *ret,
			  struct reason *why)
{
	struct past *before = NULL, *after = NULL;
	int err = pasts_hold(pasts, session->number, true, &after, why);

	if (err == 0 && session->number > 1)
		err = pasts_hold(pasts, session->number - 1, true, &before, why);
	if (err == 0) {
		err = session_change_compare(before ? &before->tree : NULL, &after->tree, session->start,
					     session->sectors, ret);
		if (err < 0)
			reason_set(why, -err, "its tree can't be read: %s", strerror(-err));
	}
	if (before)
		pasts_release(pasts, before);
	if (after)
		pasts_release(pasts, after);
	return err;
}

/* It needn't be found out again. */
static void keep_change(struct tree *tree, uint64_t start, const struct session_change *change)
{
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret == 0)
		ret = db_begin(&tree->db);
	if (ret == 0)
		ret = session_change_put(&tree->db, start, change);
	if (ret == 0)
		db_commit(&tree->db);
	else
		db_rollback(&tree->db);
}

int pasts_change(struct pasts *pasts, const struct verb_session *session, bool compute,
		 struct session_change *ret, struct reason *why)
{
	struct tree *tree = &pasts->disc->tree;
	int known;

	{
		WITH_LOCK(&tree->lock);
		known = session_change_get(&tree->db, session->start, ret);
	}
	if (known < 0)
		return reason_set(why, -known, "%s can't be read", tree->db.path);
	if (known || !compute)
		return known;
	known = compute_change(pasts, session, ret, why);
	if (known < 0)
		return known;
	keep_change(tree, session->start, ret);
	return 1;
}
