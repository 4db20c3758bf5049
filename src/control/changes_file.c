/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/control.h"

#include "store/changes.h"

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
	text_add(text, "\n");
	return text->failed ? -ENOMEM : 0;
}

int control_changes_text(struct control *control, struct text *ret)
{
	return changes_list(&control->disc->tree, add_line, ret);
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
	err = changes_list(&control->disc->tree, add_object, ret);
	text_add(ret, "]\n");
	return err;
}
