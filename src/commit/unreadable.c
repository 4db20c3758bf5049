/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/unreadable.h"

#include "wire/session_advice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Not what the host lacks, or a disc that isn't here. */
static bool is_damage(int err)
{
	return err == EIO || err == EBADMSG || err == EMEDIUMTYPE || err == EUCLEAN || err == EINVAL ||
	       err == ELOOP || err == EPROTO;
}

/* Its sessions, and the one that was to be shown. */
static uint32_t number_shown(const struct disc *disc)
{
	return disc->wish.wanted ? disc->wish.wanted : (uint32_t)disc->probe.sessions.count;
}

int unreadable_tell(const struct disc *disc, const struct reason *failed, struct reason *why)
{
	const struct probe *probe = &disc->probe;
	uint64_t limit = disc->is_drive ? 0 : disc->image_sectors;
	uint32_t shown = number_shown(disc);
	const struct verb_session *session = shown ? &probe->sessions.items[shown - 1] : NULL;
	char advice[160], missing[120] = "";

	if (!is_damage(failed->err) || !probe->sessions.count)
		return reason_set(why, failed->err, "%s", failed->text);
	session_advice(probe->sessions.items, probe->sessions.count, shown, limit, advice, sizeof advice);
	if (session->copy && session->start)
		snprintf(missing, sizeof missing,
			 ", and its descriptors aren't at sector %" PRIu64
			 ": destroyed, or never written there",
			 session->start + 16);
	return reason_set(why, failed->err, "%s: session %" PRIu32 " can't be read (%.150s%s)%s%s%s",
			  disc->path, shown, failed->text, missing,
			  disc->wish.damaged ? "" : ". -o damaged shows what can be read of it",
			  advice[0] ? "; " : "", advice);
}
