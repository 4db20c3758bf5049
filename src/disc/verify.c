/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify.h"

#include "disc/checking.h"
#include "disc/lineage.h"
#include "disc/verify_bridge.h"
#include "disc/verify_files.h"
#include "disc/verify_tags.h"
#include "disc/verify_tree.h"
#include "disc/volume.h"

#include <errno.h>

/* What is known of the sessions may be of before somebody put another disc into the drive. One that can't be
 * read is damaged. */
static int check_disc(const struct checking *checking)
{
	const struct verb_session *session = checking->session;
	struct reason failed = { 0 };
	struct volume volume;
	int got;

	if (!checking->verify->source->is_drive || !session->time)
		return 0;
	got = volume_read_either(checking->verify->source, session->start, &volume, &failed);
	if (got == 0 || (got > 0 && volume.time != session->time))
		return reason_set(checking->why, ESTALE, "another disc is in the drive");
	return got < 0 && failed.err != EIO && failed.err != EMEDIUMTYPE
		   ? reason_set(checking->why, failed.err, "%s", failed.text)
		   : 0;
}

static int check_udf(struct checking *checking)
{
	int got = checking_progress(checking, 0);

	if (got == 0)
		got = verify_files_collect_udf(checking);
	if (got == 0 && checking->own_start == checking->session->start)
		got = verify_bridge(checking);
	return got == 0 ? verify_files_check(checking) : got;
}

/* ---- all of a session ---- */

static int check_session(struct checking *checking)
{
	int got;

	if (tree_format_best(checking->session->formats) == FORMAT_UDF)
		return check_udf(checking);
	got = check_disc(checking);

	if (got == 0)
		got = checking_progress(checking, 0);
	if (got == 0)
		got = verify_tree_import(checking);
	if (got == 0)
		got = verify_tree_check(checking);
	if (got == 0)
		got = verify_bridge(checking);
	if (got == 0 && checking->result.imported)
		got = verify_files_collect(checking);
	if (got == 0)
		got = verify_files_check(checking);
	return got == 0 ? verify_tree_chain(checking) : got;
}

/* Of a session at 0, whose place the head took, the copy of its descriptors is as good. */
static int verify_first(struct verify *verify, const struct verb_session *session, uint8_t *head,
			struct reason *why)
{
	CLEANUP(checking_clear)
	struct checking checking = { .verify = verify, .session = session, .lost = NO_SECTOR, .why = why };
	const struct source *medium = verify->source;
	struct source source = *medium;
	struct reason lost = { 0 };
	int got;

	checking.result.session = session->number;
	if (lineage_read_copy(medium, session->copy, session->copied, head, &lost) == 0)
		source.head = head;
	verify->source = &source;
	got = check_session(&checking);
	verify->source = medium;
	return got < 0 ? got : verify->sink->checked(verify->self, &checking.result);
}

int verify_session(struct verify *verify, const struct verb_session *session, bool head, struct reason *why)
{
	CLEANUP(checking_clear)
	struct checking checking = {
		.verify = verify, .session = session, .start = session->start, .lost = NO_SECTOR, .why = why
	};
	AUTO_FREE uint8_t *first = !session->start && session->copy ? malloc(HEAD_BYTES) : NULL;
	int got;

	if (first)
		return verify_first(verify, session, first, why);
	if (!session->start && session->copy)
		return reason_set(why, ENOMEM, "out of memory");
	checking.result.session = session->number;
	if (!checking.start)
		checking.start = verify_tags_relocated(verify->source);
	checking.head = checking.start && (head || !session->start);
	checking.own_start = checking.start;
	checking.start = volume_inner(verify->source, checking.start);
	got = check_session(&checking);
	return got < 0 ? got : verify->sink->checked(verify->self, &checking.result);
}

int verify_open(struct verify *verify, const struct source *source, const struct verify_sink *sink,
		void *self, struct reason *why)
{
	*verify = (struct verify){ .source = source, .sink = sink, .self = self };
	verify->buffer = malloc((size_t)BODY_BUFFER * SECTOR);
	return verify->buffer ? 0 : reason_set(why, ENOMEM, "out of memory");
}

void verify_close(struct verify *verify)
{
	free(verify->buffer);
	vec_clear(&verify->known);
}
