/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/disc_map.h"

#include "model/cost.h"

#include <errno.h>
#include <math.h>

const char *map_kind_word(enum map_kind kind)
{
	static const char *const words[MAP_KINDS] = { "session", "between", "staged", "kept", "free" };

	return words[kind];
}

uint64_t map_shown_sectors(const struct map_part *part)
{
	bool rounding = (part->kind == MAP_BETWEEN && part->sectors <= SESSION_ALIGN) ||
			(part->kind == MAP_KEPT && part->sectors < SESSION_ALIGN);

	return rounding ? 0 : part->sectors;
}

void disc_map_clear(struct disc_map *map)
{
	vec_clear(&map->parts);
	map->sectors = 0;
}

/* Up to an end; what lies before it already is left alone. */
static int add_until(struct disc_map *map, enum map_kind kind, uint64_t end, size_t session)
{
	struct map_part *part;

	if (end <= map->sectors)
		return 0;
	part = vec_push(&map->parts);
	if (!part)
		return -ENOMEM;
	*part = (struct map_part){
		.kind = kind, .start = map->sectors, .sectors = end - map->sectors, .session = session
	};
	map->sectors = end;
	return 0;
}

static int add_sessions(struct disc_map *map, const struct map_facts *facts)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < facts->count; i++) {
		const struct map_session *session = &facts->sessions[i];

		ret = add_until(map, MAP_BETWEEN, session->start, 0);
		if (ret == 0)
			ret = add_until(map, MAP_SESSION, session->start + session->sectors, i);
	}
	return ret < 0 ? ret : add_until(map, MAP_BETWEEN, facts->recorded, 0);
}

static int add_coming(struct disc_map *map, const struct map_facts *facts)
{
	uint64_t end = facts->capacity;
	int ret = 0;

	if (facts->staged)
		ret = add_until(map, MAP_BETWEEN, facts->next, 0);
	if (ret == 0 && facts->staged)
		ret = add_until(map, MAP_STAGED, facts->next + facts->staged, 0);
	if (ret == 0 && end > map->sectors)
		ret =
		    add_until(map, MAP_KEPT,
			      end - (facts->free < end - map->sectors ? facts->free : end - map->sectors), 0);
	return ret < 0 ? ret : add_until(map, MAP_FREE, end, 0);
}

int disc_map_make(struct disc_map *map, const struct map_facts *facts)
{
	int ret = add_sessions(map, facts);

	if (ret == 0 && facts->appendable)
		ret = add_coming(map, facts);
	if (ret == 0)
		ret = add_until(map, MAP_KEPT, facts->capacity, 0);
	if (ret < 0)
		disc_map_clear(map);
	return ret;
}

static uint64_t sum_of(const uint64_t *sizes, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += sizes[i];
	return sum;
}

/* By the largest remainder; what is too small for a cell takes one from the largest. */
void map_share_cells(const uint64_t *sizes, size_t count, unsigned cells, unsigned *ret)
{
	uint64_t sum = sum_of(sizes, count);
	unsigned left = cells;

	for (size_t i = 0; i < count; i++) {
		ret[i] = sum ? (unsigned)((double)sizes[i] * cells / (double)sum) : 0;
		left -= ret[i] < left ? ret[i] : left;
	}
	while (left && sum) {
		size_t best = 0;
		double most = -1;

		for (size_t i = 0; i < count; i++) {
			double missing = (double)sizes[i] * cells / (double)sum - ret[i];

			if (sizes[i] && missing > most) {
				most = missing;
				best = i;
			}
		}
		ret[best]++;
		left--;
	}
	for (size_t i = 0; i < count; i++) {
		size_t largest = 0;

		for (size_t j = 1; j < count; j++)
			if (ret[j] > ret[largest])
				largest = j;
		if (!sizes[i] || ret[i] || !count || ret[largest] < 2)
			continue;
		ret[largest]--;
		ret[i]++;
	}
}

/* Rings that get the least are taken out until all others have more than that by area. */
void map_share_rings(const uint64_t *sizes, size_t count, double inner, double outer, double least,
		     double *ret)
{
	double total = (double)sum_of(sizes, count), at = inner, taken = 0;

	if (count && least * (double)count > (outer - inner) / 2)
		least = (outer - inner) / 2 / (double)count;
	for (size_t i = 0; i < count; i++) {
		double area = total > 0 ? (double)sizes[i] / total * (outer * outer - inner * inner) : 0;
		double end = sqrt(at * at + area);

		ret[i] = sizes[i] && end - at < least ? least : end - at; /* thickness, for now */
		at = end;
		taken += ret[i];
	}
	/* What the thin ones got too much, the thick ones give. */
	for (double over = taken - (outer - inner), thick = 0; over > 1e-9; over = 0, thick = 0) {
		for (size_t i = 0; i < count; i++)
			thick += ret[i] > least ? ret[i] - least : 0;
		for (size_t i = 0; thick > 0 && i < count; i++)
			if (ret[i] > least)
				ret[i] -= (ret[i] - least) * over / thick;
	}
	at = inner;
	for (size_t i = 0; i < count; i++)
		at = ret[i] += at;
}
