/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/control.h"

#include "store/changes.h"
#include "store/lost.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

static int add_line(void *self, const struct change *change)
{
	struct text *text = self;

	text_add(text, "%c ", change->kind);
	if (change->old) {
		text_add_escaped(text, change->old, strlen(change->old));
		text_add(text, " -> ");
	}
	text_add_escaped(text, change->path, strlen(change->path));
	if (change->kind == 'B' && !change->path[0])
		text_add(text, "(none)");
	text_add(text, "\n");
	return text->failed ? -ENOMEM : 0;
}

/* Those that are incomplete follow the changes, each with a line of its own. */
static int each_lost(struct tree *tree, changes_fn *entry, struct text *text)
{
	struct lost_files lost CLEANUP(lost_files_clear) = { 0 };
	int ret = lost_list(tree, GEN_NEWEST, SIZE_MAX, &lost);

	vec_each (&lost.list, file)
		if (ret == 0)
			ret = entry(text, &(struct change){ .kind = 'I', .path = file->path });
	return ret;
}

static int list(struct control *control, changes_fn *entry, struct text *text)
{
	int ret = changes_list(&control->disc->tree, entry, text);

	return ret ? ret : each_lost(&control->disc->tree, entry, text);
}

int control_changes_text(struct control *control, struct text *ret)
{
	return list(control, add_line, ret);
}

static int add_object(void *self, const struct change *change)
{
	struct text *text = self;

	text_add(text, "%s{\"change\":\"%c\",\"path\":", text->length > 1 ? ",\n" : "", change->kind);
	text_add_json(text, change->path, strlen(change->path));
	if (change->old) {
		text_add(text, ",\"old\":");
		text_add_json(text, change->old, strlen(change->old));
	}
	text_add(text, "}");
	return text->failed ? -ENOMEM : 0;
}

int control_changes_json(struct control *control, struct text *ret)
{
	int err;

	text_add(ret, "[");
	err = list(control, add_object, ret);
	text_add(ret, "]\n");
	return err;
}
