/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/front_sum.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 256u /* sectors */

int front_sum_open(struct front_sum *sum, const struct verb_front *part, struct reason *why)
{
	*sum = (struct front_sum){ .hash = EVP_MD_CTX_new(), .part = *part };
	return sum->hash && EVP_DigestInit_ex(sum->hash, EVP_sha256(), NULL) == 1
		   ? 0
		   : reason_set(why, ENOMEM, "can't compute SHA-256");
}

static uint64_t end_of(const struct verb_front *part)
{
	return (part->tail_sectors ? (uint64_t)part->tail + part->tail_sectors : part->sectors) * SECTOR;
}

/* How many bytes from at on are of the same kind; *ret_counts: they're summed. */
static uint64_t run_at(const struct verb_front *part, uint64_t at, bool *ret_counts)
{
	const uint64_t front = (uint64_t)part->sectors * SECTOR, tail = (uint64_t)part->tail * SECTOR;

	*ret_counts = at < front || (at >= tail && at < end_of(part));
	if (at < front)
		return front - at;
	if (at < tail)
		return tail - at;
	return at < end_of(part) ? end_of(part) - at : UINT64_MAX;
}

void front_sum_add(struct front_sum *sum, const uint8_t *data, size_t length)
{
	while (length) {
		bool counts;
		size_t take = (size_t)min_u64(length, run_at(&sum->part, sum->at, &counts));

		if (counts && EVP_DigestUpdate(sum->hash, data, take) != 1)
			sum->failed = true;
		sum->at += take;
		data += take;
		length -= take;
	}
}

void front_sum_end(struct front_sum *sum, struct verb_front *ret)
{
	*ret = (struct verb_front){ 0 };
	if (sum->failed || sum->at < end_of(&sum->part) ||
	    EVP_DigestFinal_ex(sum->hash, sum->part.sha256, NULL) != 1)
		return;
	*ret = sum->part;
}

void front_sum_close(struct front_sum *sum)
{
	EVP_MD_CTX_free(sum->hash);
	*sum = (struct front_sum){ 0 };
}

static int add_range(struct front_sum *sum, const struct source *source, uint64_t from, uint32_t sectors,
		     struct reason *why)
{
	AUTO_FREE uint8_t *data = malloc((size_t)AT_ONCE * SECTOR);
	int got = data ? 0 : reason_set(why, ENOMEM, "out of memory");

	for (uint32_t at = 0; got == 0 && at < sectors; at += AT_ONCE) {
		uint32_t count = (uint32_t)min_u64(AT_ONCE, sectors - at);

		got = source_read(source, from + at, count, data, why);
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
	int got = front_sum_open(&sum, front, why);

	if (got == 0)
		got = add_range(&sum, source, start, front->sectors, why);
	if (got == 0 && front->tail_sectors) {
		sum.at = (uint64_t)front->tail * SECTOR; /* what lies between isn't read */
		got = add_range(&sum, source, start + front->tail, front->tail_sectors, why);
	}
	if (got < 0)
		return got;
	front_sum_end(&sum, &found);
	if (found.sectors && memcmp(found.sha256, front->sha256, sizeof found.sha256) == 0)
		return 0;
	return reason_set(
	    why, EBADMSG,
	    "the session's descriptors, directories or path tables (those of Joliet and UDF among them) "
	    "are not what was burned");
}
