/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <string.h>

/* splitmix64: any seed will do, and it is the same everywhere. */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15ull);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

uint64_t below(struct model *model, uint64_t limit)
{
	return random_next(&model->random) % limit;
}

bool one_in(struct model *model, unsigned count)
{
	return below(model, count) == 0;
}

void fill_bytes(unsigned char *data, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i += sizeof seed) {
		uint64_t word = random_next(&seed);

		memcpy(data + i, &word, length - i < sizeof word ? length - i : sizeof word);
	}
}
