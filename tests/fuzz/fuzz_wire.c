/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as any message: the first one says which. */
#include "fuzz.h"

#include "wire/drive_verbs.h"
#include "wire/verbs.h"
#include "wire/verify_verbs.h"

#define FITS(kind)                                                                                           \
	static void take_##kind(struct msg *msg)                                                             \
	{                                                                                                    \
		struct verb_##kind value = { 0 };                                                            \
		(void)get_##kind(msg, &value);                                                               \
	}

FITS(job)
FITS(failed)
FITS(session)
FITS(disc)
FITS(node)
FITS(xattr)
FITS(boot)
FITS(imported)
FITS(planned)
FITS(progress)
FITS(written)
FITS(head)
FITS(drive)
FITS(track)
FITS(speed)
FITS(task)
FITS(verify)
FITS(damaged)
FITS(checked)

static void take_extent(struct msg *msg)
{
	struct extent extent;

	(void)get_extent(msg, &extent);
}

static void take_warning(struct msg *msg)
{
	char text[480];

	(void)get_warning(msg, text, sizeof text);
}

static void take_lost(struct msg *msg)
{
	enum loss loss;
	char text[480];

	(void)get_lost(msg, &loss, text, sizeof text);
}

static const struct {
	uint32_t verb;
	void (*take)(struct msg *msg);
} verbs[] = {
	{ VERB_JOB, take_job },		  { VERB_FAILED, take_failed },	  { VERB_WARNING, take_warning },
	{ VERB_SESSION, take_session },	  { VERB_DISC, take_disc },	  { VERB_NODE, take_node },
	{ VERB_XATTR, take_xattr },	  { VERB_BOOT, take_boot },	  { VERB_EXTENT, take_extent },
	{ VERB_IMPORTED, take_imported }, { VERB_PLANNED, take_planned }, { VERB_PROGRESS, take_progress },
	{ VERB_WRITTEN, take_written },	  { VERB_HEAD, take_head },	  { VERB_DRIVE, take_drive },
	{ VERB_TRACK, take_track },	  { VERB_SPEED, take_speed },	  { VERB_TASK, take_task },
	{ VERB_VERIFY, take_verify },	  { VERB_DAMAGED, take_damaged }, { VERB_CHECKED, take_checked },
	{ VERB_LOST, take_lost },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg msg = { 0 };
	uint8_t *copy; /* its end is where the sanitizer watches */
	size_t which;

	if (size < 1)
		return 0;
	which = data[0] % (sizeof verbs / sizeof *verbs);
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	msg = (struct msg){ .verb = verbs[which].verb, .data = copy, .length = size - 1 };
	verbs[which].take(&msg);
	free(copy);
	return 0;
}
