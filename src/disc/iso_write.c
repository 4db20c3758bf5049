/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_write.h"

#include "disc/anchor.h"
#include "disc/bridge_base.h"
#include "disc/bridge_stream.h"
#include "disc/front_sum.h"
#include "disc/iso_tree.h"
#include "disc/lineage.h"
#include "disc/session_stream.h"
#include "disc/udf_session.h"
#include "disc/verify_tags.h"
#include "model/medium.h"
#include "model/name.h"

#include <libburn/libburn.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ALIGN 32u /* sessions begin and end at multiples: drives write in such chunks */
#define PADDING                                                                                              \
	150u /* behind a session: drives and kernels read ahead, and a CD track ends in two unreadable       \
		sectors */
#define TRACK_LEAST 300u  /* sectors of a track: 4 s, the least on CD (MMC-5 4.2.3.6) */
#define DESCRIPTOR  16u	  /* sector of a session, ECMA-119 6.7.1 */
#define FIFO_BLOCKS 4096u /* 8 MiB between the library's writer thread and the burner */

struct iso_session {
	struct iso_medium medium;
	struct synth synth;
	struct body_context bodies;
	IsoImage *image;
	struct burn_source *source;
	struct session_stream stream;
	bool bridged;
	enum anchor_place anchor;
	uint32_t late;	      /* see anchor.h */
	struct reason no_udf; /* as of verb_planned */
	struct bridge bridge;
	struct bridge_stream bridge_stream;
	struct front_sum front;
	struct verb_planned planned;
	uint64_t size;	/* bytes of libisofs' part */
	uint64_t bytes; /* that the stream gives: of all but the padding */
	uint8_t identity[HEAD_BYTES];
	uint8_t head[HEAD_BYTES];
	uint8_t area[16 * SECTOR]; /* of the session itself, where it differs from the head's */
	struct lineage_load lineage;
};

static void dispose_read_opts(IsoReadOpts **opts)
{
	if (*opts)
		iso_read_opts_free(*opts);
}

static void dispose_write_opts(IsoWriteOpts **opts)
{
	if (*opts)
		iso_write_opts_free(*opts);
}

static void dispose_session(struct iso_session **session)
{
	iso_session_free(*session);
}

int iso_write_start(struct reason *why)
{
	/* With anything above MISHAP a stream that can't be read is filled with zeroes and called good; at
	 * WARNING, symlinks that Joliet can't hold would end the burn. */
	return iso_lib_start("MISHAP", why);
}

static int import_references(struct iso_session *session, struct reason *why)
{
	CLEANUP(dispose_read_opts) IsoReadOpts *opts = NULL;
	int code;

	if (iso_image_new("", &session->image) < 0 || iso_read_opts_new(&opts, 0) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	iso_read_opts_set_start_block(opts, SYNTH_START);
	iso_read_opts_set_no_aaip(opts, 0);
	iso_read_opts_set_no_md5(opts, 2); /* load the array, look for no tags */
	iso_read_opts_set_no_joliet(opts, 1);
	iso_read_opts_set_no_iso1999(opts, 1);
	iso_read_opts_load_system_area(opts, 0);
	session->medium.overlay =
	    (struct iso_overlay){ SYNTH_START, session->synth.blocks, session->synth.data };
	code = iso_image_import(session->image, session->medium.data_source, opts, NULL);
	if (session->medium.failed.err)
		return reason_set(why, session->medium.failed.err, "%s", session->medium.failed.text);
	return code < 0 ? iso_lib_failed(code, "the references to old files", why) : 0;
}

static int check_extents(const struct plan *plan, uint64_t nwa, struct reason *why)
{
	for (uint32_t i = 0; i < plan->nodes.count; i++) {
		const struct extent_map *map = &plan->nodes.items[i].node.map;
		char path[300];

		for (size_t j = 0; j < map->count; j++)
			if (map->items[j].kind == EXTENT_DISC &&
			    !range_within(map->items[j].origin, map->items[j].length, nwa * SECTOR))
				return reason_set(why, EINVAL, "%s: its content lies beyond what is recorded",
						  plan_path(plan, i, path, sizeof path));
	}
	return 0;
}

static void set_names(struct iso_session *session, const struct verb_job *job)
{
	const char *application = iso_image_get_application_id(session->image);
	const char *label = iso_image_get_volume_id(session->image);

	if (job->label[0])
		iso_image_set_volume_id(session->image, job->label);
	else if (!label || !label[0])
		iso_image_set_volume_id(session->image, LABEL_NONE);
	/* Tells a session of ours that was never published from one that somebody appended: see sessions.h.
	 */
	iso_image_set_data_preparer_id(session->image, job->sequential
							   ? VOLUME_APPLICATION_HEADLESS " " DISCFS_VERSION
							   : VOLUME_APPLICATION " " DISCFS_VERSION);
	if (!application || !application[0] || volume_is_our_name(application))
		iso_image_set_application_id(session->image, VOLUME_APPLICATION " " DISCFS_VERSION);
}

/* Where libisofs' part begins. */
static uint32_t inner_start(const struct iso_session *session, const struct verb_job *job)
{
	return (uint32_t)job->nwa + (session->bridged ? BRIDGE_SECTORS : 0);
}

/* libisofs takes data as char *. */
static int make_opts(struct iso_session *session, const struct verb_job *job, const struct volume *base,
		     IsoWriteOpts **ret)
{
	char system_area[16 * SECTOR];
	char charset[] = "UTF-8", no_uuid[] = "";
	IsoWriteOpts *opts;

	if (iso_write_opts_new(ret, 0) < 0)
		return -ENOMEM;
	opts = *ret;
	iso_write_opts_set_iso_level(opts, 3);
	iso_write_opts_set_rockridge(opts, 1);
	iso_write_opts_set_rrip_version_1_10(opts, 0);
	iso_write_opts_set_rrip_1_10_px_ino(opts, 1);
	iso_write_opts_set_hardlinks(opts, 1);
	iso_write_opts_set_aaip(opts, 1);
	/* Not announced by ER, nor by ES in each record: fuseiso loses Rock Ridge over a second ER, and
	 * 100,000 files save half a megabyte to one in each session. libisofs reads both. */
	iso_write_opts_set_aaip_susp_1_10(opts, 1);
	iso_write_opts_set_joliet(opts, job->joliet);
	iso_write_opts_set_omit_version_numbers(opts, 2); /* in Joliet: some readers show ";1" */
	iso_write_opts_set_no_force_dots(opts, 2);	  /* nor a dot behind names without extension */
	iso_write_opts_set_joliet_longer_paths(opts, 1);
	iso_write_opts_set_joliet_long_names(opts, 1);
	iso_write_opts_set_joliet_utf16(opts,
					1); /* a superset of what Joliet says; Windows and Linux read it */
	iso_write_opts_set_allow_deep_paths(opts, 1);
	iso_write_opts_set_allow_longer_paths(opts, 1);
	iso_write_opts_set_relaxed_vol_atts(opts, 1);
	iso_write_opts_set_always_gmt(opts, 1);
	iso_write_opts_set_dir_rec_mtime(opts, 1 | 2); /* Joliet, too: else all has the session's time */
	iso_write_opts_set_record_md5(opts, 1, 1);
	iso_write_opts_set_output_charset(opts, charset);
	iso_write_opts_set_fifo_size(opts, FIFO_BLOCKS);
	iso_write_opts_set_appendable(opts, 1);
	iso_write_opts_set_ms_block(opts, inner_start(session, job));
	/* The head's checksum tag covers its system area: it must be the one that is there. */
	memcpy(system_area, session->head, sizeof system_area);
	iso_write_opts_set_system_area(opts, system_area, 0, 0);
	if (!job->sequential)
		iso_write_opts_set_overwrite_buf(opts, session->head);
	iso_write_opts_set_pvd_times(opts, (time_t)base->created, 0, (time_t)base->expires,
				     (time_t)base->effective, no_uuid); /* 0: as libisofs has it */
	return 0;
}

static int compare_bodies(const void *left, const void *right)
{
	const struct node *a = *(const struct node *const *)left, *b = *(const struct node *const *)right;

	if (a->attr.size != b->attr.size)
		return a->attr.size < b->attr.size ? -1 : 1;
	return extent_map_compare(&a->map, &b->map);
}

/* Equal bodies are recorded once. */
static int count_new_data(const struct plan *plan, uint64_t *ret)
{
	AUTO_FREE const struct node **bodies = calloc(plan->nodes.count + 1, sizeof *bodies);
	size_t count = 0;

	if (!bodies)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->nodes.count; i++)
		if (S_ISREG(plan->nodes.items[i].node.attr.mode) && !plan->nodes.items[i].reference)
			bodies[count++] = &plan->nodes.items[i].node;
	qsort(bodies, count, sizeof *bodies, compare_bodies);
	*ret = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || compare_bodies(&bodies[i - 1], &bodies[i]) != 0)
			*ret += bodies[i]->attr.size;
	return 0;
}

/* Two discs that were begun in the same second with equal trees would be known by equal blocks: what is
 * staged for one would show with the other. So the end of the system area, which ECMA-119 6.2.1 leaves open,
 * gets a random word where nothing is. */
static int make_unique(struct iso_session *session, const struct verb_job *job, struct reason *why)
{
	static const uint8_t nothing[SECTOR];
	static const char word[] = "discfs session ";
	uint8_t *block = session->head + (size_t)MEDIUM_MARK_BLOCK * SECTOR;
	uint64_t random[2];

	if (!job->is_drive || (job->has_base && !job->sequential))
		return 0;
	if (memcmp(block, nothing, SECTOR) != 0 && memcmp(block, word, sizeof word - 1) != 0)
		return 0;
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return reason_set(why, EIO, "no random numbers can be had: %s", strerror(errno));
	snprintf((char *)block, SECTOR, "%s%016" PRIx64 "%016" PRIx64 "\n", word, random[0], random[1]);
	return 0;
}

/* What was read of the old head stays where libisofs wrote nothing; beyond the end of the file there are
 * zeroes, and on a blank disc nothing can be read. Sequential media have no head: each session brings its
 * system area along. */
static int read_head(struct iso_session *session, const struct source *source, const struct verb_job *job,
		     struct reason *why)
{
	uint64_t from = job->sequential ? job->session : 0;
	uint64_t there =
	    source->is_drive && !job->has_base ? 0 : source->sectors - min_u64(from, source->sectors);
	uint32_t have = (uint32_t)min_u64(HEAD_SECTORS, there);
	int got = have ? source_read(source, from, have, session->head, why) : 0;

	memcpy(session->identity, session->head, sizeof session->identity);
	if (got == 0 && !job->has_base)
		memset(session->head + (size_t)16 * SECTOR, 0, (size_t)16 * SECTOR);
	if (got == 0 && !job->sequential)
		udf_session_leave(session->head);
	return got;
}

static int check_head(const struct iso_session *session, const struct source *source, struct reason *why)
{
	uint8_t old[HEAD_BYTES] = { 0 };
	uint32_t have = (uint32_t)min_u64(16, source->sectors);
	int got = have ? source_read(source, 0, have, old, why) : 0;

	udf_session_leave(old);
	if (got == 0 && memcmp(old, session->head, (size_t)16 * SECTOR) != 0)
		return reason_set(why, EIO, "libisofs changed the system area of the disc: refused");
	return got;
}

/* Where the base session begins, also where it is known by the head alone. */
static uint64_t base_start(const struct source *source, const struct verb_job *job)
{
	uint64_t inner;

	if (!job->has_base || !job->inherit)
		return BRIDGE_NO_BASE;
	if (job->session || job->sequential)
		return bridge_start_of(source, job->session);
	inner = verify_tags_relocated(source);
	return inner > BRIDGE_SECTORS ? inner - BRIDGE_SECTORS : BRIDGE_NO_BASE;
}

/* Files of a disc that others began at sector 0 may lie where the recognition sequence would stand in the
 * head: behind four descriptors at most, and before their tag. */
static bool head_is_taken(const struct plan *plan)
{
	const uint64_t end = (uint64_t)(DESCRIPTOR + 4 + RECOGNITION + 1) * SECTOR;

	for (uint32_t i = 0; i < plan->nodes.count; i++) {
		const struct extent_map *map = &plan->nodes.items[i].node.map;

		for (size_t j = 0; j < map->count; j++)
			if (map->items[j].kind == EXTENT_DISC && map->items[j].origin < end)
				return true;
	}
	return false;
}

static int plan_bridge(struct iso_session *session, const struct iso_session_request *request,
		       struct reason *why)
{
	const struct verb_job *job = request->job;
	int got = anchor_place(request->source, job, &session->anchor, &session->late, &session->no_udf, why);

	if (got == 0 && session->anchor != ANCHOR_NOWHERE && !job->sequential &&
	    head_is_taken(request->plan)) {
		session->anchor = ANCHOR_NOWHERE;
		reason_set(&session->no_udf, EMEDIUMTYPE, "files lie where its descriptors must stand");
	}
	session->bridged = got == 0 && session->anchor != ANCHOR_NOWHERE;
	if (!session->bridged)
		return got;
	return bridge_plan(&session->bridge, request->plan, request->source, base_start(request->source, job),
			   job->udf_links, why);
}

/* Where the files are that UDF refers to is in libisofs' directories, which were read ahead. */
static int open_bridge(struct iso_session *session, const struct verb_job *job, struct reason *why)
{
	const struct session_stream *inner = &session->stream;
	const uint8_t *descriptor = inner->ahead + (size_t)DESCRIPTOR * SECTOR;
	struct bridge_wish wish = {
		.start = (uint32_t)job->nwa,
		.inner_sectors = sectors_of(session->size),
		.dirs = session->front.part.sectors - BRIDGE_SECTORS,
		.sectors = session->planned.sectors,
		.absolute = job->sequential,
		.first = session->anchor == ANCHOR_FRONT,
		.label = iso_image_get_volume_id(session->image),
		.time_ns = (int64_t)time(NULL) * NS_PER_SEC,
	};
	int got = getrandom(&wish.set, sizeof wish.set, 0) == (ssize_t)sizeof wish.set
		      ? 0
		      : reason_set(why, EIO, "no random numbers can be had: %s", strerror(errno));

	if (got == 0)
		got = bridge_place(&session->bridge, wish.start, inner->start + (uint32_t)wish.inner_sectors,
				   why);
	if (got == 0)
		got =
		    bridge_locate(&session->bridge, inner->ahead, (uint32_t)(inner->ahead_length / SECTOR),
				  inner->start, get_le32(descriptor + 158), get_le32(descriptor + 166), why);
	if (got == 0)
		got = bridge_stream_open(&session->bridge_stream, &session->bridge, &session->stream, &wish,
					 why);
	if (got == 0 && session->lineage.copied)
		memcpy(session->bridge_stream.front + (size_t)LINEAGE_FRONT_AT * SECTOR,
		       session->lineage.copy, (size_t)session->lineage.copied * SECTOR);
	if (got == 0 && !job->sequential)
		got = bridge_make_head(session->head, wish.start, wish.sectors, session->late, why);
	return got;
}

static uint64_t padded(const struct iso_session *session, const struct verb_job *job)
{
	uint64_t sectors = sectors_of(session->size);

	if (session->bridged)
		sectors += BRIDGE_SECTORS + session->bridge.sectors + BRIDGE_SUMS_BACK;
	return round_up(max_u64(sectors + (job->sequential ? PADDING : 0), job->sequential ? TRACK_LEAST : 0),
			ALIGN);
}

/* Where the sessions before it are. The drive tells that of a medium without a head. */
static int set_lineage(struct iso_session *session, const struct iso_session_request *request,
		       struct reason *why)
{
	const struct verb_job *job = request->job;
	struct lineage_load *load = &session->lineage;
	int got = job->sequential
		      ? 0
		      : lineage_make(request->source, !job->has_base, job->nwa, session->bridged, load, why);

	if (got < 0 || job->sequential)
		return got;
	iso_image_set_app_use(session->image, (const char *)load->record, (int)sizeof load->record);
	if (!load->copied || session->bridged)
		return 0;
	memcpy(session->area, session->head, sizeof session->area);
	memcpy(session->area + (size_t)LINEAGE_AREA_AT * SECTOR, load->copy, (size_t)load->copied * SECTOR);
	session->stream.area = session->area;
	return 0;
}

static int open_front(struct iso_session *session, const struct verb_job *job, uint32_t files,
		      struct reason *why)
{
	struct verb_front part = { .sectors = files - (uint32_t)job->nwa };

	if (session->bridged) {
		part.tail = BRIDGE_SECTORS + (uint32_t)sectors_of(session->size);
		part.tail_sectors = (uint32_t)session->planned.sectors - part.tail;
	}
	return front_sum_open(&session->front, &part, why);
}

static int start_stream(struct iso_session *session, const struct iso_session_request *request,
			struct reason *why)
{
	const struct verb_job *job = request->job;
	CLEANUP(dispose_write_opts) IsoWriteOpts *opts = NULL;
	struct volume base = { 0 };
	uint32_t files = 0;
	int code, got = 0;

	if (job->has_base)
		got = volume_read(request->source, job->session, &base, why);
	if (got < 0)
		return got;
	got = read_head(session, request->source, job, why);
	if (got == 0)
		got = make_unique(session, job, why);
	if (got == 0)
		got = set_lineage(session, request, why);
	if (got < 0)
		return got;
	if (make_opts(session, job, &base, &opts) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	code = iso_image_create_burn_source(session->image, opts, &session->source);
	if (code < 0)
		return iso_lib_failed(code, "the session can't be laid out", why);
	session->size = (uint64_t)session->source->get_size(session->source);
	session->planned.sectors = padded(session, job);
	session->bytes = session->bridged ? session->planned.sectors * SECTOR : session->size;
	if (iso_write_opts_get_data_start(opts, &files, 0) < 0 || files < inner_start(session, job) ||
	    (files - inner_start(session, job)) * SECTOR > session->size)
		return reason_set(why, EPROTO, "libisofs doesn't tell where the files begin");
	got = open_front(session, job, files, why);
	if (got < 0)
		return got;
	if (!job->sequential && !(request->source->is_drive && !job->has_base))
		got = check_head(session, request->source, why);
	if (got == 0)
		got = session_stream_open(&session->stream, session->source, session->image,
					  inner_start(session, job),
					  job->sequential && job->nwa && !session->bridged, why);
	return got == 0 && session->bridged ? open_bridge(session, job, why) : got;
}

static int describe(struct iso_session *session, const struct verb_job *job, const struct plan *plan,
		    struct reason *why)
{
	AUTO_FREE uint8_t *first = calloc(1, HEAD_BYTES);
	struct verb_planned *planned = &session->planned;

	planned->start = job->nwa;
	if (!first || count_new_data(plan, &planned->new_data) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	if (session->bridged)
		memcpy(first, session->bridge_stream.front, HEAD_BYTES);
	else
		session_stream_peek(&session->stream, HEAD_SECTORS, first);
	if (job->sequential) /* what the disc is known by is the begin of its newest session */
		memcpy(session->head, first, sizeof session->head);
	planned->head = session->head;
	planned->head_length = job->sequential ? 0 : HEAD_BYTES;
	if (sessions_fingerprint(session->head, 0, NULL, planned->fingerprint) < 0 ||
	    sessions_print(first, planned->start, planned->print) < 0)
		return reason_set(why, EIO, "can't compute SHA-256");
	if (job->limit && !range_within(planned->start, planned->sectors, job->limit))
		return reason_set(
		    why, ENOSPC,
		    "the session needs %" PRIu64 " sectors but only %" PRIu64 " are free on this medium",
		    planned->sectors, job->limit > planned->start ? job->limit - planned->start : 0);
	return 0;
}

static int make(struct iso_session *session, const struct iso_session_request *request, struct reason *why)
{
	const struct verb_job *job = request->job;
	const struct synth_base base = {
		.source = request->source,
		.volume = job->session,
		.has_base = job->has_base,
		.boot_anew = job->boot_anew,
	};
	int got = plan_check(request->plan, why);

	if (got == 0)
		got = check_extents(request->plan, job->nwa, why);
	if (got == 0)
		got = iso_medium_open(&session->medium, request->source, job->nwa, why);
	if (got == 0)
		got = synth_make(request->plan, &base, &session->synth, why);
	session->bodies.serial_first = session->synth.serials;
	if (got == 0)
		got = import_references(session, why);
	if (got == 0)
		got = iso_tree_build(session->image, &session->synth, &session->bodies, why);
	if (got < 0)
		return got;
	set_names(session, job);
	got = job->udf ? plan_bridge(session, request, why) : 0;
	if (got < 0)
		return got;
	got = start_stream(session, request, why);
	return got < 0 ? got : describe(session, job, request->plan, why);
}

int iso_session_make(const struct iso_session_request *request, struct iso_session **ret, struct reason *why)
{
	CLEANUP(dispose_session) struct iso_session *session = calloc(1, sizeof *session);
	uint64_t nwa = request->job->nwa;
	int got;

	if (!session)
		return reason_set(why, ENOMEM, "out of memory");
	session->bodies = (struct body_context){ .plan = request->plan,
						 .spool = request->spool,
						 .source = request->source,
						 .medium_limit = nwa * SECTOR,
						 .current = NO_NAME };
	pthread_mutex_init(&session->bodies.lock, NULL);
	if ((!request->job->sequential && (nwa < ALIGN || nwa % ALIGN != 0)) || nwa >= SYNTH_START)
		return reason_set(why, EINVAL, "a session can't begin at sector %" PRIu64, nwa);
	got = make(session, request, why);
	if (got == 0)
		*ret = TAKE(session);
	return got;
}

void iso_session_free(struct iso_session *session)
{
	if (!session)
		return;
	if (session->source) {
		if (iso_image_generator_is_running(session->image))
			session->source->cancel(session->source);
		burn_source_free(session->source);
	}
	bridge_stream_close(&session->bridge_stream);
	bridge_close(&session->bridge);
	session_stream_close(&session->stream);
	front_sum_close(&session->front);
	if (session->image)
		iso_image_unref(session->image);
	iso_medium_close(&session->medium);
	synth_clear(&session->synth);
	pthread_mutex_destroy(&session->bodies.lock);
	free(session);
}

void iso_session_describe(const struct iso_session *session, struct verb_planned *ret)
{
	*ret = session->planned;
	ret->no_udf = session->no_udf.text;
	ret->no_udf_length = strlen(session->no_udf.text);
}

const uint8_t *iso_session_identity(const struct iso_session *session)
{
	return session->identity;
}

uint64_t iso_session_size(const struct iso_session *session)
{
	return session->bytes;
}

int iso_session_read(void *session, uint8_t *buffer, int size)
{
	struct iso_session *from = (struct iso_session *)session;
	int got = from->bridged ? bridge_stream_read(&from->bridge_stream, buffer, size)
				: session_stream_read(&from->stream, buffer, size);

	if (got > 0)
		front_sum_add(&from->front, buffer, (size_t)got);
	return got;
}

void iso_session_front(struct iso_session *session, struct verb_front *ret)
{
	front_sum_end(&session->front, ret);
}

bool iso_session_failed(struct iso_session *session, struct reason *why)
{
	const struct reason *broken = &session->bridge_stream.broken;

	return body_context_failed(&session->bodies, why) || session_stream_failed(&session->stream, why) ||
	       (broken->err && reason_set(why, broken->err, "%s", broken->text) < 0);
}

const char *iso_session_current(struct iso_session *session, char *ret, size_t room)
{
	uint32_t node = body_context_current(&session->bodies);

	ret[0] = '\0';
	return node == NO_NAME ? ret : plan_path(session->bodies.plan, node, ret, room);
}
