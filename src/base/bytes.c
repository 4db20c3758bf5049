/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"

#include <errno.h>
#include <string.h>

int blob_set(struct blob *blob, const void *data, size_t length)
{
	uint8_t *copy = NULL;

	if (length) {
		copy = malloc(length);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, length);
	}
	free(blob->data);
	blob->data = copy;
	blob->length = length;
	return 0;
}

void blob_clear(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){ 0 };
}
