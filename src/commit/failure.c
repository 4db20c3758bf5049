/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/failure.h"

#include "base/exit_code.h"
#include "commit/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Not whatever failed in that phase: a journal that can't be written says nothing of the session. */
static bool is_not_verified(const struct failure *failure)
{
	return strncmp(failure->why->text, VERIFICATION_FAILED, strlen(VERIFICATION_FAILED)) == 0;
}

int failure_exit_code(const struct failure *failure)
{
	switch (failure->now ? failure->now : failure->why->err) {
	case ESTALE:
		return EXIT_CODE_WRONG_DISC;
	case ENOMEDIUM:
		return EXIT_CODE_NO_MEDIUM;
	case EROFS:
	case EMEDIUMTYPE:
	case EUCLEAN: /* damaged */
		return EXIT_CODE_NOT_APPENDABLE;
	case ENOSPC:
	case EDQUOT:
		return EXIT_CODE_NO_ROOM;
	case EBUSY:
	case EAGAIN: /* the drive isn't ready */
		return EXIT_CODE_BUSY;
	case ECANCELED:
		return EXIT_CODE_CANCELLED;
	default:
		return is_not_verified(failure) ? EXIT_CODE_VERIFY_FAILED
		       : failure->touched	? EXIT_CODE_BURN_FAILED
						: EXIT_CODE_SYSTEM;
	}
}

/* A bad session is EIO, whatever the detail was. */
int failure_errno(const struct failure *failure)
{
	int err = failure->now ? failure->now : failure->why->err;

	return err == EBADMSG || err == EPROTO ? EIO : err;
}

/* Of a disc that may have been changed. */
static const char *what_is_there(const struct failure *failure)
{
	if (!failure->sequential)
		return "The disc shows what it showed before, and everything is still staged";
	if (failure->had_sessions)
		return "What was begun doesn't count, the earlier sessions are as they were, and everything "
		       "is "
		       "still staged";
	return "What was begun on the disc doesn't count, and everything is still staged";
}

static const char *what_to_do(const struct failure *failure)
{
	if (failure->why->err == ECANCELED)
		return "";
	if (failure->now == ENOMEDIUM)
		return ". The disc was taken out of the drive: put it back and commit again";
	if (failure->now == ESTALE)
		return ". What is in the drive now is another disc: put the right one back and commit again";
	if (failure->closed)
		return ". The drive has closed the disc, though: nothing can be added to it any more. Copy "
		       "what "
		       "is staged to another place before you unmount";
	if (failure->image && (failure->why->err == EIO || failure->why->err == EBADMSG))
		return ". Commit again; if that fails too, look at the file system that holds the image";
	if (failure->why->err == EIO || failure->why->err == EBADMSG)
		return ". Commit again; if that fails too, clean the disc or burn slower (--speed)";
	return "";
}

void failure_sentence(const struct failure *failure, char *ret, size_t room)
{
	const char *text = failure->why->text;

	if (failure->unsettled) /* and the reason says what is left to do */
		snprintf(ret, room, "%s", text);
	else if (!failure->touched)
		snprintf(ret, room, "%.380s. Nothing was burned, and everything is still staged", text);
	else
		snprintf(ret, room, "%.260s. %s%s", text, what_is_there(failure), what_to_do(failure));
}
