/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/names.h"

#include <errno.h>

void names_clear(struct names *names)
{
	vec_clear(&names->list);
	text_clear(&names->bytes);
}

static int add(void *self, const char *bytes, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	struct names *names = self;
	struct name *name = vec_push(&names->list);

	if (!name)
		return -ENOMEM;
	*name = (struct name){ names->bytes.length, length, ino, type };
	text_add_bytes(&names->bytes, bytes, length);
	return names->bytes.failed ? -ENOMEM : 0;
}

int names_take(struct names *names, struct db *db, uint64_t dir, uint32_t gen)
{
	return rows_name_list(db, dir, gen, add, names);
}
