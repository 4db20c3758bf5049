/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/probe.h"
#include "proc/child.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PROBE_TIMEOUT_MS 120000 /* a drive may spin up and settle for a minute */
#define PAD_SLACK	 192u	/* sectors: 150 of padding and the rounding to 32 */
#define SESSIONS_LIMIT	 4096u
#define ADDRESS_LIMIT	 (1ull << 32) /* sectors: block addresses are 32 bits wide */

void probe_clear(struct probe *probe)
{
	vec_clear(&probe->sessions);
	drive_facts_clear(&probe->facts);
	*probe = (struct probe){ 0 };
}

static int probe_error(struct reason *why, const char *what)
{
	return reason_set(why, EPROTO, "The probe worker talks nonsense: %s", what);
}

/* Whole sectors that an image file holds now; of a drive, what it says. */
static int medium_sectors(const struct probe *probe, int fd, uint64_t *ret, struct reason *why)
{
	const struct drive_facts *facts = &probe->facts;
	size_t count = facts->tracks.count;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return reason_set(why, errno, "Can't look at the medium: %s", strerror(errno));
	*ret = sectors_of((uint64_t)st.st_size);
	if (probe->is_drive)
		*ret = facts->drive.overwriteable ? facts->drive.capacity
		       : count ? facts->tracks.items[count - 1].start + facts->tracks.items[count - 1].sectors
			       : 0;
	return 0;
}

static int probe_session(struct probe *probe, struct msg *msg, struct reason *why)
{
	struct verb_session session, *kept;

	if (!get_session(msg, &session))
		return probe_error(why, "a malformed session");
	if (probe->sessions.count >= SESSIONS_LIMIT || session.number != probe->sessions.count + 1)
		return probe_error(why, "sessions out of order");
	/* One may lie beyond the end of an image that is cut off: reading it fails then. */
	if (session.start >= ADDRESS_LIMIT || session.sectors > ADDRESS_LIMIT - session.start ||
	    session.copy >= ADDRESS_LIMIT)
		return probe_error(why, "a session beyond any medium");
	kept = vec_push(&probe->sessions);
	if (!kept)
		return reason_set(why, ENOMEM, "No memory for the list of sessions");
	*kept = session;
	return 0;
}

static int probe_disc(struct probe *probe, struct msg *msg, uint64_t sectors, bool damaged,
		      struct reason *why)
{
	struct verb_disc *disc = &probe->disc;

	if (!get_disc(msg, disc) || memchr(disc->profile, '\0', sizeof disc->profile) == disc->profile)
		return probe_error(why, "a malformed disc");
	if (disc->sessions != probe->sessions.count)
		return probe_error(why, "a wrong count of sessions");
	if (disc->capacity > ADDRESS_LIMIT || disc->nwa > ADDRESS_LIMIT || disc->recorded > ADDRESS_LIMIT)
		return probe_error(why, "addresses beyond 32 bits");
	/* Of a closed disc only a part may be left: a cut image can still be read as far as it goes. Of an
	 * appendable one the padding may be missing. */
	if (disc->state == DISC_APPENDABLE && !damaged && disc->recorded > sectors + PAD_SLACK)
		return probe_error(why, "more recorded than there is");
	if (disc->state == DISC_APPENDABLE && disc->nwa < disc->recorded)
		return probe_error(why, "an address for the next session inside the ones before");
	if (disc->base && disc->base >= sectors)
		return probe_error(why, "a base session beyond the medium");
	return 0;
}

static int send_facts(struct child *child, const struct drive_facts *facts)
{
	struct msg msg = { 0 };
	int got = 0;

	for (size_t i = 0; got == 0 && i < facts->tracks.count; i++) {
		put_track(&msg, &facts->tracks.items[i]);
		got = link_send(&child->link, &msg);
	}
	put_drive(&msg, &facts->drive);
	return got < 0 ? got : link_send(&child->link, &msg);
}

static int send_job(struct child *child, int fd, const char *path, const struct probe_wish *wish,
		    const struct probe *probe, struct reason *why)
{
	struct verb_job job = { .is_drive = probe->is_drive };
	struct msg msg;
	int got;

	if (strlen(path) >= sizeof job.path)
		return reason_set(why, ENAMETOOLONG, "The path of the medium is too long");
	memcpy(job.path, path, strlen(path));
	if (wish) {
		job.wanted = wish->wanted;
		job.damaged = wish->damaged;
		job.bad_count = wish->bad_count;
		memcpy(job.bad, wish->bad, sizeof job.bad);
	}
	put_job(&msg, &job);
	got = link_send_fds(&child->link, &msg, &fd, 1);
	if (got == 0 && probe->is_drive)
		got = send_facts(child, &probe->facts);
	/* A worker that dies at once has its reason told by what is received. */
	return got < 0 && got != -EPIPE
		   ? reason_set(why, -got, "Can't talk to the probe worker: %s", strerror(-got))
		   : 0;
}

static int probe_talk(struct child *child, int fd, const char *path, const struct probe_wish *wish,
		      struct probe *probe, struct reason *why)
{
	uint64_t sectors = 0;
	struct msg msg;
	int err = medium_sectors(probe, fd, &sectors, why);

	if (err == 0)
		err = send_job(child, fd, path, wish, probe, why);
	while (err == 0) {
		err = child_receive(child, &msg, why);
		if (err < 0)
			return err;
		if (msg.verb == VERB_DISC)
			return probe_disc(probe, &msg, sectors, wish && wish->damaged, why);
		if (msg.verb != VERB_SESSION)
			return probe_error(why, "an unexpected message");
		err = probe_session(probe, &msg, why);
	}
	return err;
}

/* What the drive says; an image file has none. */
static int look_at_drive(int fd, const char *path, struct probe *probe, struct reason *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return reason_set(why, errno, "Can't look at the medium: %s", strerror(errno));
	probe->is_drive = S_ISBLK(st.st_mode);
	return probe->is_drive ? drive_inquire(path, &probe->facts, why) : 0;
}

int probe_run(int fd, const char *path, const struct probe_wish *wish, struct probe *ret, struct reason *why)
{
	CLEANUP(probe_clear) struct probe probe = { 0 };
	struct child child = { 0 };
	int err = look_at_drive(fd, path, &probe, why);

	if (err == 0)
		err = child_start(&child, "probe", why);
	if (err < 0)
		return err;
	child.link.timeout_ms = PROBE_TIMEOUT_MS;
	err = probe_talk(&child, fd, path, wish, &probe, why);
	if (err < 0) {
		child_kill(&child);
		child_finish(&child, NULL);
		return err;
	}
	err = child_finish(&child, why);
	if (err < 0)
		return err;
	*ret = probe;
	probe = (struct probe){ 0 };
	return 0;
}
