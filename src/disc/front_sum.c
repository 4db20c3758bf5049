/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/front_sum.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 256u /* sectors */

int front_sum_open(struct front_sum *sum, uint32_t sectors, struct reason *why)
{
	*sum = (struct front_sum){ .hash = EVP_MD_CTX_new(),
				   .left = (uint64_t)sectors * SECTOR,
				   .sectors = sectors };
	return sum->hash && EVP_DigestInit_ex(sum->hash, EVP_sha256(), NULL) == 1
		   ? 0
		   : reason_set(why, ENOMEM, "can't compute SHA-256");
}

void front_sum_add(struct front_sum *sum, const uint8_t *data, size_t length)
{
	size_t take = (size_t)min_u64(length, sum->left);

	if (take && EVP_DigestUpdate(sum->hash, data, take) != 1)
		sum->failed = true;
	sum->left -= take;
}

void front_sum_end(struct front_sum *sum, struct verb_front *ret)
{
	*ret = (struct verb_front){ 0 };
	if (!sum->failed && sum->left == 0 && EVP_DigestFinal_ex(sum->hash, ret->sha256, NULL) == 1)
		ret->sectors = sum->sectors;
}

void front_sum_close(struct front_sum *sum)
{
	EVP_MD_CTX_free(sum->hash);
	*sum = (struct front_sum){ 0 };
}

static int add_all(struct front_sum *sum, const struct source *source, uint64_t start, struct reason *why)
{
	AUTO_FREE uint8_t *data = malloc((size_t)AT_ONCE * SECTOR);
	int got = data ? 0 : reason_set(why, ENOMEM, "out of memory");

	for (uint32_t at = 0; got == 0 && at < sum->sectors; at += AT_ONCE) {
		uint32_t count = (uint32_t)min_u64(AT_ONCE, sum->sectors - at);

		got = source_read(source, start + at, count, data, why);
		if (got == 0)
			front_sum_add(sum, data, (size_t)count * SECTOR);
	}
	return got;
}

int front_sum_check(const struct source *source, uint64_t start, const struct verb_front *front,
		    struct reason *why)
{
	CLEANUP(front_sum_close) struct front_sum sum = { 0 };
	struct verb_front found;
	int got = front_sum_open(&sum, front->sectors, why);

	if (got == 0)
		got = add_all(&sum, source, start, why);
	if (got < 0)
		return got;
	front_sum_end(&sum, &found);
	if (found.sectors && memcmp(found.sha256, front->sha256, sizeof found.sha256) == 0)
		return 0;
	return reason_set(
	    why, EBADMSG,
	    "the session's descriptors, directories or path tables (those of Joliet among them) "
	    "are not what was burned");
}
