/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/verbs.h"

#include <string.h>

#define ERRNO_LIMIT   4096u
#define TEXT_LIMIT    480u
#define ZF_LIMIT      255u
#define SESSION_LIMIT 65535u

/* Bytes that must be exactly length long. */
static void get_exact(struct msg *msg, void *ret, size_t length)
{
	size_t got;
	const uint8_t *at = msg_get_bytes(msg, length, &got);

	if (got != length)
		msg->bad = true;
	else
		memcpy(ret, at, length);
}

/* Either nothing (NULL) or exactly length bytes. */
static const uint8_t *get_optional(struct msg *msg, size_t length, size_t *ret_length)
{
	const uint8_t *at = msg_get_bytes(msg, length, ret_length);

	if (*ret_length == 0)
		return NULL;
	if (*ret_length != length)
		msg->bad = true;
	return at;
}

static bool understood(const struct msg *msg, enum verb verb)
{
	return msg->verb == (uint32_t)verb && msg_done(msg);
}

static void put_front(struct msg *msg, const struct verb_front *front)
{
	msg_put_u32(msg, front->sectors);
	msg_put_u32(msg, front->tail);
	msg_put_u32(msg, front->tail_sectors);
	msg_put_bytes(msg, front->sha256, sizeof front->sha256);
}

static void get_front(struct msg *msg, struct verb_front *ret)
{
	ret->sectors = msg_get_u32(msg);
	ret->tail = msg_get_u32(msg);
	ret->tail_sectors = msg_get_u32(msg);
	get_exact(msg, ret->sha256, sizeof ret->sha256);
}

void put_job(struct msg *msg, const struct verb_job *job)
{
	msg_start(msg, VERB_JOB);
	msg_put_string(msg, job->path);
	msg_put_u64(msg, job->session);
	msg_put_u64(msg, job->nwa);
	msg_put_u64(msg, job->recorded);
	msg_put_u64(msg, job->limit);
	msg_put_u8(msg, job->has_base);
	msg_put_string(msg, job->label);
	msg_put_u32(msg, job->format);
	msg_put_u8(msg, job->own);
	put_front(msg, &job->front);
	msg_put_u8(msg, job->damaged);
	msg_put_u8(msg, job->is_drive);
	msg_put_u8(msg, job->sequential);
	msg_put_u8(msg, job->finalize);
	msg_put_u8(msg, job->simulate);
	msg_put_u8(msg, job->stream);
	msg_put_u8(msg, job->to_file);
	msg_put_u8(msg, job->joliet);
	msg_put_u8(msg, job->udf);
	msg_put_u8(msg, job->udf_links);
	msg_put_u8(msg, job->inherit);
	msg_put_u8(msg, job->boot_anew);
	msg_put_u32(msg, job->speed_kbps);
	msg_put_u32(msg, job->wanted);
	msg_put_u32(msg, job->bad_count);
	for (uint32_t i = 0; i < job->bad_count && i < BAD_SESSIONS_LIMIT; i++)
		msg_put_u64(msg, job->bad[i]);
}

bool get_job(struct msg *msg, struct verb_job *ret)
{
	msg_get_string(msg, ret->path, sizeof ret->path);
	ret->session = msg_get_u64(msg);
	ret->nwa = msg_get_u64(msg);
	ret->recorded = msg_get_u64(msg);
	ret->limit = msg_get_u64(msg);
	ret->has_base = msg_get_bool(msg);
	msg_get_string(msg, ret->label, sizeof ret->label);
	ret->format = msg_get_choice(msg, FORMAT_AUTO, FORMAT_UDF);
	ret->own = msg_get_bool(msg);
	get_front(msg, &ret->front);
	ret->damaged = msg_get_bool(msg);
	ret->is_drive = msg_get_bool(msg);
	ret->sequential = msg_get_bool(msg);
	ret->finalize = msg_get_bool(msg);
	ret->simulate = msg_get_bool(msg);
	ret->stream = msg_get_bool(msg);
	ret->to_file = msg_get_bool(msg);
	ret->joliet = msg_get_bool(msg);
	ret->udf = msg_get_bool(msg);
	ret->udf_links = msg_get_bool(msg);
	ret->inherit = msg_get_bool(msg);
	ret->boot_anew = msg_get_bool(msg);
	ret->speed_kbps = msg_get_u32(msg);
	ret->wanted = msg_get_u32(msg);
	ret->bad_count = msg_get_choice(msg, 0, BAD_SESSIONS_LIMIT);
	for (uint32_t i = 0; i < ret->bad_count && i < BAD_SESSIONS_LIMIT; i++)
		ret->bad[i] = msg_get_u64(msg);
	return understood(msg, VERB_JOB);
}

void put_failed(struct msg *msg, const struct reason *why)
{
	msg_start(msg, VERB_FAILED);
	msg_put_u32(msg, (uint32_t)why->err);
	msg_put_string(msg, why->text);
}

bool get_failed(struct msg *msg, struct verb_failed *ret)
{
	ret->err = msg_get_choice(msg, 1, ERRNO_LIMIT - 1);
	msg_get_string(msg, ret->text, sizeof ret->text);
	return understood(msg, VERB_FAILED);
}

void put_warning(struct msg *msg, const char *text)
{
	msg_start(msg, VERB_WARNING);
	msg_put_bytes(msg, text, strnlen(text, TEXT_LIMIT - 1));
}

bool get_warning(struct msg *msg, char *ret, size_t room)
{
	msg_get_string(msg, ret, room);
	return understood(msg, VERB_WARNING);
}

void put_lost(struct msg *msg, enum loss loss, const char *text)
{
	msg_start(msg, VERB_LOST);
	msg_put_u32(msg, loss);
	msg_put_bytes(msg, text, strnlen(text, TEXT_LIMIT - 1));
}

bool get_lost(struct msg *msg, enum loss *ret_loss, char *ret, size_t room)
{
	*ret_loss = (enum loss)msg_get_choice(msg, LOSS_PART, LOSS_DOUBT);
	msg_get_string(msg, ret, room);
	return understood(msg, VERB_LOST);
}

void put_session(struct msg *msg, const struct verb_session *session)
{
	msg_start(msg, VERB_SESSION);
	msg_put_u32(msg, session->number);
	msg_put_u64(msg, session->start);
	msg_put_u64(msg, session->sectors);
	msg_put_i64(msg, session->time);
	msg_put_u32(msg, session->formats);
	msg_put_string(msg, session->label);
	msg_put_u64(msg, session->copy);
	msg_put_u32(msg, session->copied);
	msg_put_u8(msg, session->broken);
}

bool get_session(struct msg *msg, struct verb_session *ret)
{
	ret->number = msg_get_choice(msg, 1, SESSION_LIMIT);
	ret->start = msg_get_u64(msg);
	ret->sectors = msg_get_u64(msg);
	ret->time = msg_get_i64(msg);
	ret->formats = msg_get_choice(msg, 0, FORMAT_SET_LIMIT - 1);
	msg_get_string(msg, ret->label, sizeof ret->label);
	ret->copy = msg_get_u64(msg);
	ret->copied = msg_get_choice(msg, 0, HEAD_SECTORS - 16);
	ret->broken = msg_get_bool(msg);
	return understood(msg, VERB_SESSION);
}

void put_disc(struct msg *msg, const struct verb_disc *disc)
{
	msg_start(msg, VERB_DISC);
	msg_put_u32(msg, disc->state);
	msg_put_string(msg, disc->profile);
	msg_put_u64(msg, disc->capacity);
	msg_put_u64(msg, disc->recorded);
	msg_put_u64(msg, disc->nwa);
	msg_put_u64(msg, disc->base);
	msg_put_u32(msg, disc->formats);
	msg_put_u8(msg, disc->bridge);
	msg_put_u8(msg, disc->anchor_stale);
	msg_put_u32(msg, disc->sessions);
	msg_put_bytes(msg, disc->fingerprint, sizeof disc->fingerprint);
	msg_put_bytes(msg, disc->print, sizeof disc->print);
	msg_put_string(msg, disc->closed_why);
}

bool get_disc(struct msg *msg, struct verb_disc *ret)
{
	ret->state = msg_get_choice(msg, DISC_BLANK, DISC_CLOSED);
	msg_get_string(msg, ret->profile, sizeof ret->profile);
	ret->capacity = msg_get_u64(msg);
	ret->recorded = msg_get_u64(msg);
	ret->nwa = msg_get_u64(msg);
	ret->base = msg_get_u64(msg);
	ret->formats = msg_get_choice(msg, 0, FORMAT_SET_LIMIT - 1);
	ret->bridge = msg_get_bool(msg);
	ret->anchor_stale = msg_get_bool(msg);
	ret->sessions = msg_get_choice(msg, 0, SESSION_LIMIT);
	get_exact(msg, ret->fingerprint, sizeof ret->fingerprint);
	get_exact(msg, ret->print, sizeof ret->print);
	msg_get_string(msg, ret->closed_why, sizeof ret->closed_why);
	return understood(msg, VERB_DISC);
}

static void put_attr(struct msg *msg, const struct node_attr *attr)
{
	msg_put_u64(msg, attr->ino);
	msg_put_u32(msg, attr->mode);
	msg_put_u32(msg, attr->uid);
	msg_put_u32(msg, attr->gid);
	msg_put_u32(msg, attr->nlink);
	msg_put_u64(msg, attr->size);
	msg_put_u64(msg, attr->rdev);
	msg_put_i64(msg, attr->atime_ns);
	msg_put_i64(msg, attr->mtime_ns);
	msg_put_i64(msg, attr->ctime_ns);
}

static void get_attr(struct msg *msg, struct node_attr *ret)
{
	*ret = (struct node_attr){ 0 }; /* what isn't told follows from the extents */
	ret->ino = msg_get_u64(msg);
	ret->mode = msg_get_u32(msg);
	ret->uid = msg_get_u32(msg);
	ret->gid = msg_get_u32(msg);
	ret->nlink = msg_get_u32(msg);
	ret->size = msg_get_u64(msg);
	ret->rdev = msg_get_u64(msg);
	ret->atime_ns = msg_get_i64(msg);
	ret->mtime_ns = msg_get_i64(msg);
	ret->ctime_ns = msg_get_i64(msg);
}

void put_node(struct msg *msg, const struct verb_node *node)
{
	msg_start(msg, VERB_NODE);
	msg_put_u64(msg, node->parent);
	msg_put_bytes(msg, node->name, node->name_length);
	put_attr(msg, &node->attr);
	msg_put_bytes(msg, node->target, node->target_length);
	msg_put_bytes(msg, node->md5, node->md5 ? MD5_LENGTH : 0);
	msg_put_bytes(msg, node->zf, node->zf_length);
	msg_put_u8(msg, node->again);
	msg_put_u8(msg, node->name_kept);
	msg_put_u8(msg, node->node_kept);
	msg_put_bytes(msg, node->was, node->was_length);
}

bool get_node(struct msg *msg, struct verb_node *ret)
{
	size_t length;

	ret->parent = msg_get_u64(msg);
	ret->name = (const char *)msg_get_bytes(msg, NAME_LIMIT, &ret->name_length);
	get_attr(msg, &ret->attr);
	ret->target = msg_get_bytes(msg, TARGET_LIMIT, &ret->target_length);
	ret->md5 = get_optional(msg, MD5_LENGTH, &length);
	ret->zf = msg_get_bytes(msg, ZF_LIMIT, &ret->zf_length);
	if (!ret->zf_length)
		ret->zf = NULL;
	ret->again = msg_get_bool(msg);
	ret->name_kept = msg_get_bool(msg);
	ret->node_kept = msg_get_bool(msg);
	ret->was = (const char *)msg_get_bytes(msg, WAS_LIMIT, &ret->was_length);
	return understood(msg, VERB_NODE);
}

void put_xattr(struct msg *msg, const struct verb_xattr *xattr)
{
	msg_start(msg, VERB_XATTR);
	msg_put_bytes(msg, xattr->name, xattr->name_length);
	msg_put_bytes(msg, xattr->value, xattr->value_length);
}

bool get_xattr(struct msg *msg, struct verb_xattr *ret)
{
	ret->name = (const char *)msg_get_bytes(msg, NAME_LIMIT, &ret->name_length);
	ret->value = msg_get_bytes(msg, XATTR_LIMIT, &ret->value_length);
	return understood(msg, VERB_XATTR) && ret->name_length;
}

void put_extent(struct msg *msg, const struct extent *extent)
{
	msg_start(msg, VERB_EXTENT);
	msg_put_u32(msg, extent->kind);
	msg_put_u64(msg, extent->offset);
	msg_put_u64(msg, extent->length);
	msg_put_u64(msg, extent->origin);
}

bool get_extent(struct msg *msg, struct extent *ret)
{
	ret->kind = (enum extent_kind)msg_get_choice(msg, EXTENT_DISC, EXTENT_SPOOL);
	ret->offset = msg_get_u64(msg);
	ret->length = msg_get_u64(msg);
	ret->origin = msg_get_u64(msg);
	return understood(msg, VERB_EXTENT) && ret->length;
}

void put_boot(struct msg *msg, const struct verb_boot *boot)
{
	const struct boot_entry *entry = &boot->entry;

	msg_start(msg, VERB_BOOT);
	msg_put_u8(msg, entry->platform);
	msg_put_u8(msg, entry->media);
	msg_put_u8(msg, entry->bootable);
	msg_put_u32(msg, entry->load_segment);
	msg_put_u32(msg, entry->load_size);
	msg_put_u32(msg, entry->lba);
	msg_put_bytes(msg, entry->id, sizeof entry->id);
	msg_put_bytes(msg, entry->criteria, sizeof entry->criteria);
	msg_put_u64(msg, boot->ino);
	msg_put_u8(msg, boot->table);
}

bool get_boot(struct msg *msg, struct verb_boot *ret)
{
	struct boot_entry *entry = &ret->entry;

	entry->platform = msg_get_u8(msg);
	entry->media = msg_get_u8(msg);
	entry->bootable = msg_get_bool(msg);
	entry->load_segment = (uint16_t)msg_get_choice(msg, 0, UINT16_MAX);
	entry->load_size = (uint16_t)msg_get_choice(msg, 0, BOOT_LOAD_MOST);
	entry->lba = msg_get_u32(msg);
	get_exact(msg, entry->id, sizeof entry->id);
	get_exact(msg, entry->criteria, sizeof entry->criteria);
	ret->ino = msg_get_u64(msg);
	ret->table = msg_get_bool(msg);
	return understood(msg, VERB_BOOT);
}

void put_imported(struct msg *msg, const struct verb_imported *imported)
{
	msg_start(msg, VERB_IMPORTED);
	msg_put_u64(msg, imported->nodes);
	msg_put_u32(msg, imported->format);
	msg_put_u32(msg, imported->warnings);
	msg_put_string(msg, imported->label);
}

bool get_imported(struct msg *msg, struct verb_imported *ret)
{
	ret->nodes = msg_get_u64(msg);
	ret->format = msg_get_choice(msg, FORMAT_AUTO, FORMAT_UDF);
	ret->warnings = msg_get_u32(msg);
	msg_get_string(msg, ret->label, sizeof ret->label);
	return understood(msg, VERB_IMPORTED);
}

void put_empty(struct msg *msg, enum verb verb)
{
	msg_start(msg, (uint32_t)verb);
}

void put_planned(struct msg *msg, const struct verb_planned *planned)
{
	msg_start(msg, VERB_PLANNED);
	msg_put_u64(msg, planned->start);
	msg_put_u64(msg, planned->sectors);
	msg_put_u64(msg, planned->new_data);
	msg_put_bytes(msg, planned->fingerprint, sizeof planned->fingerprint);
	msg_put_bytes(msg, planned->print, sizeof planned->print);
	msg_put_bytes(msg, planned->head, planned->head ? planned->head_length : 0);
	msg_put_bytes(msg, planned->no_udf, min_u64(planned->no_udf_length, WHY_LIMIT));
}

bool get_planned(struct msg *msg, struct verb_planned *ret)
{
	ret->start = msg_get_u64(msg);
	ret->sectors = msg_get_u64(msg);
	ret->new_data = msg_get_u64(msg);
	get_exact(msg, ret->fingerprint, sizeof ret->fingerprint);
	get_exact(msg, ret->print, sizeof ret->print);
	ret->head = get_optional(msg, HEAD_BYTES, &ret->head_length);
	ret->no_udf = (const char *)msg_get_bytes(msg, WHY_LIMIT, &ret->no_udf_length);
	return understood(msg, VERB_PLANNED);
}

void put_progress(struct msg *msg, const struct verb_progress *progress)
{
	msg_start(msg, VERB_PROGRESS);
	msg_put_u64(msg, progress->done);
	msg_put_u64(msg, progress->total);
	msg_put_bytes(msg, progress->file, min_u64(progress->file_length, PATH_LIMIT));
}

bool get_progress(struct msg *msg, struct verb_progress *ret)
{
	ret->done = msg_get_u64(msg);
	ret->total = msg_get_u64(msg);
	ret->file = (const char *)msg_get_bytes(msg, PATH_LIMIT, &ret->file_length);
	return understood(msg, VERB_PROGRESS);
}

void put_written(struct msg *msg, const struct verb_written *written)
{
	msg_start(msg, VERB_WRITTEN);
	msg_put_u64(msg, written->start);
	msg_put_u64(msg, written->sectors);
	put_front(msg, &written->front);
}

bool get_written(struct msg *msg, struct verb_written *ret)
{
	ret->start = msg_get_u64(msg);
	ret->sectors = msg_get_u64(msg);
	get_front(msg, &ret->front);
	return understood(msg, VERB_WRITTEN);
}

void put_head(struct msg *msg, const struct verb_head *head)
{
	msg_start(msg, VERB_HEAD);
	msg_put_bytes(msg, head->data, head->length);
}

bool get_head(struct msg *msg, struct verb_head *ret)
{
	ret->data = get_optional(msg, HEAD_BYTES, &ret->length);
	return understood(msg, VERB_HEAD) && ret->length == HEAD_BYTES;
}
