/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/burn.h"

#include "base/text.h"
#include "model/xattr_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_TIMEOUT_MS 120000

/* A worker that gave up has said why: read that rather than tell of a broken pipe. One that is well waits for
 * more, and says nothing. */
static int send_failed(struct burn *burn, int err, struct reason *why)
{
	struct msg msg;

	if (err == -EMSGSIZE)
		return reason_set(why, ENOMEM, "no memory for what the burn worker must be told");
	if (err != -EPIPE)
		return reason_set(why, -err, "the burn worker can't be told what to write: %s",
				  strerror(-err));
	while (child_receive(&burn->child, &msg, why) == 0)
		;
	return why->err ? -why->err : reason_set(why, -err, "the burn worker is gone");
}

static int send_msg(struct burn *burn, struct msg *msg, struct reason *why)
{
	int ret = link_send(&burn->child.link, msg);

	return ret < 0 ? send_failed(burn, ret, why) : 0;
}

int burn_start(struct burn *burn, int disc_fd, int spool_fd, int file_fd, const struct verb_job *job,
	       struct reason *why)
{
	int fds[] = { disc_fd, spool_fd, file_fd };
	struct msg msg;
	int ret = child_start(&burn->child, "burn", why);

	if (ret < 0)
		return ret;
	burn->child.link.timeout_ms = -1;
	put_job(&msg, job);
	ret = link_send_fds(&burn->child.link, &msg, fds, job->to_file ? 3 : 2);
	return ret < 0 ? send_failed(burn, ret, why) : 0;
}

static int send_content(struct burn *burn, const struct node *node, struct reason *why)
{
	struct xattr_view view;
	struct msg msg;
	size_t at = 0;
	int ret = 0;

	while (ret == 0 && xattr_set_next(&node->xattrs, &at, &view)) {
		put_xattr(&msg,
			  &(struct verb_xattr){ view.name, view.name_length, view.value, view.value_length });
		ret = send_msg(burn, &msg, why);
	}
	for (size_t i = 0; ret == 0 && i < node->map.count; i++) {
		put_extent(&msg, &node->map.items[i]);
		ret = send_msg(burn, &msg, why);
	}
	return ret;
}

int burn_node(struct burn *burn, const struct node *node, const struct burn_name *name, struct reason *why)
{
	struct verb_node verb = {
		.parent = name->parent,
		.name = name->name,
		.name_length = name->length,
		.attr = node->attr,
		.target = node->target.data,
		.target_length = node->target.length,
		.md5 = node->md5.length == MD5_LENGTH ? node->md5.data : NULL,
		.zf = node->zf.data,
		.zf_length = node->zf.length,
		.again = name->again,
		.name_kept = name->name_kept,
		.node_kept = name->node_kept,
		.was = name->was,
		.was_length = name->was_length,
	};
	struct msg msg;
	int ret;

	put_node(&msg, &verb);
	ret = send_msg(burn, &msg, why);
	return ret < 0 || name->again ? ret : send_content(burn, node, why);
}

int burn_boot(struct burn *burn, const struct verb_boot *boot, struct reason *why)
{
	struct msg msg;

	put_boot(&msg, boot);
	return send_msg(burn, &msg, why);
}

static int protocol_error(struct reason *why)
{
	return reason_set(why, EPROTO, "the burn worker answered nonsense");
}

/* It may tell of what is on the disc: one line of printable text. */
static void keep_why(const struct verb_planned *planned, char ret[WHY_LIMIT + 1])
{
	AUTO_TEXT struct text line = { 0 };

	text_add_escaped(&line, planned->no_udf, planned->no_udf_length);
	snprintf(ret, WHY_LIMIT + 1, "%s", line.data && !line.failed ? line.data : "");
}

int burn_plan(struct burn *burn, struct verb_planned *ret, struct blob *ret_head, struct reason *why)
{
	struct verb_planned planned;
	struct msg msg;
	int err;

	put_empty(&msg, VERB_PLAN_END);
	err = send_msg(burn, &msg, why);
	if (err == 0)
		err = child_receive(&burn->child, &msg, why);
	if (err < 0)
		return err;
	if (msg.verb != VERB_PLANNED || !get_planned(&msg, &planned) ||
	    (planned.head_length && planned.head_length != HEAD_BYTES))
		return protocol_error(why);
	err = blob_set(ret_head, planned.head, planned.head_length);
	if (err < 0)
		return reason_set(why, ENOMEM, "out of memory");
	keep_why(&planned, burn->no_udf);
	*ret = planned;
	ret->head = ret_head->data;
	return 0;
}

int burn_go(struct burn *burn, burn_progress_fn *progress, void *self, struct verb_written *ret,
	    struct reason *why)
{
	struct verb_progress step;
	bool cancelled = false;
	struct msg msg;
	int err;

	put_empty(&msg, VERB_GO);
	err = send_msg(burn, &msg, why);
	while (err == 0) {
		err = child_receive(&burn->child, &msg, why);
		if (err < 0)
			return err;
		if (msg.verb != VERB_PROGRESS)
			break;
		if (!get_progress(&msg, &step))
			return protocol_error(why);
		if (cancelled || !progress || progress(self, &step) == 0)
			continue;
		cancelled = true;
		put_empty(&msg, VERB_CANCEL);
		err = send_msg(burn, &msg, why);
	}
	if (err < 0)
		return err;
	if (msg.verb != VERB_WRITTEN || !get_written(&msg, ret))
		return protocol_error(why);
	return child_finish(&burn->child, why);
}

void burn_close(struct burn *burn)
{
	struct reason ignored = { 0 };

	child_finish(&burn->child, &ignored);
}

static int send_head(struct child *child, const struct blob *head)
{
	struct msg msg;

	put_head(&msg, &(struct verb_head){ head->data, head->length });
	return link_send(&child->link, &msg);
}

static int head_talk(struct child *child, int disc_fd, const char *path, const struct blob *head,
		     const struct blob *before, struct reason *why)
{
	struct verb_job job = { .is_drive = before != NULL };
	struct verb_written written;
	struct msg msg;
	int ret;

	snprintf(job.path, sizeof job.path, "%s", path);
	child->link.timeout_ms = HEAD_TIMEOUT_MS;
	put_job(&msg, &job);
	ret = link_send_fds(&child->link, &msg, &disc_fd, 1);
	if (ret == 0)
		ret = send_head(child, head);
	if (ret == 0 && before)
		ret = send_head(child, before);
	if (ret == 0 || ret == -EPIPE) /* one that died at once has its reason told by what is received */
		ret = child_receive(child, &msg, why);
	if (ret < 0)
		return why->err ? ret : reason_set(why, -ret, "the head worker is gone");
	if (msg.verb != VERB_WRITTEN || !get_written(&msg, &written))
		return reason_set(why, EPROTO, "the head worker answered nonsense");
	return 0;
}

int head_run(int disc_fd, const char *path, const struct blob *head, const struct blob *before,
	     struct reason *why)
{
	struct reason ignored = { 0 };
	struct child child;
	int ret = child_start(&child, "head", why);
	int end;

	if (ret < 0)
		return ret;
	ret = head_talk(&child, disc_fd, path, head, before, why);
	end = child_finish(&child, ret < 0 ? &ignored : why);
	return ret < 0 ? ret : end;
}
