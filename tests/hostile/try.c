/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes images through the daemon's part of an import, and real workers, and says how each fared: whether it
 * was shown or refused, how long that took, and how much memory the largest worker had.
 *
 * try IMAGE…                     one line each: NAME shown|refused SECONDS MB NODES LOST TEXT
 * try --damaged IMAGE…           the same with what can be read of damaged ones
 * try --mutate COUNT SEED IMAGE… COUNT times one of them with some bytes changed; a summary, and the worst
 * Exits with 1 when one took longer or more than is allowed, or a worker died of a signal other than its
 * limits. */
#include "base/bytes.h"
#include "base/reason.h"
#include "proc/import.h"
#include "proc/probe.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MOST 10.0
#define MB_MOST	     512

struct outcome {
	double seconds;
	uint64_t nodes, lost;
	struct reason why;
	int result;
};

static bool damaged;
static uint64_t chance;

static uint64_t below(uint64_t limit)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return limit ? chance * 0x2545F4914F6CDD1Dull % limit : 0;
}

static int count_node(void *self, struct node *node, uint64_t parent, const char *name, size_t length,
		      struct reason *why)
{
	((struct outcome *)self)->nodes++;
	return 0;
}

static int count_link(void *self, uint64_t ino, uint64_t parent, const char *name, size_t length,
		      struct reason *why)
{
	((struct outcome *)self)->nodes++;
	return 0;
}

static int count_lost(void *self, const char *text, struct reason *why)
{
	((struct outcome *)self)->lost++;
	return 0;
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static long worst_mb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_maxrss / 1024;
}

static void try_fd(int fd, const char *name, struct outcome *ret)
{
	const struct import_sink sink = { .node = count_node,
					  .link = count_link,
					  .lost = damaged ? count_lost : NULL,
					  .doubt = count_lost };
	const struct probe_wish wish = { .damaged = damaged };
	struct verb_imported imported;
	struct probe probe = { 0 };
	double began = now();

	*ret = (struct outcome){ 0 };
	ret->result = probe_run(fd, name, &wish, &probe, &ret->why);
	if (ret->result == 0 && probe.disc.state != DISC_BLANK)
		ret->result = import_run(fd, name, probe.disc.base, probe.disc.recorded, FORMAT_AUTO, &sink,
					 ret, &imported, &ret->why);
	probe_clear(&probe);
	ret->seconds = now() - began;
}

/* Workers may run into a limit or out of memory; a crash is an error of the program, or of a library. */
static bool is_crash(const struct outcome *outcome)
{
	return outcome->result < 0 &&
	       (strstr(outcome->why.text, "killed by signal 11") ||
		strstr(outcome->why.text, "killed by signal 6") ||
		strstr(outcome->why.text, "killed by signal 7") || strstr(outcome->why.text, "exit status") ||
		strstr(outcome->why.text, "forbidden system call"));
}

/* Only the largest worker so far is known: it's one that is larger than those before. */
static bool too_much(const struct outcome *outcome)
{
	static long known;
	bool large =
	    worst_mb() > known && worst_mb() > MB_MOST && sandbox_filters(); /* sanitizers have their own */

	known = worst_mb();
	return outcome->seconds > SECONDS_MOST || large;
}

static int try_all(char **names)
{
	int code = 0;

	for (; *names; names++) {
		struct outcome outcome;
		int fd = open(*names, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			perror(*names);
			return 2;
		}
		try_fd(fd, *names, &outcome);
		close(fd);
		printf("%s %s %.2f %ld %llu %llu %s\n",
		       strrchr(*names, '/') ? strrchr(*names, '/') + 1 : *names,
		       outcome.result < 0 ? "refused" : "shown", outcome.seconds, worst_mb(),
		       (unsigned long long)outcome.nodes, (unsigned long long)outcome.lost,
		       outcome.result < 0 ? outcome.why.text : "");
		if (too_much(&outcome) || is_crash(&outcome))
			code = 1;
	}
	return code;
}

struct image {
	uint8_t *data;
	size_t size;
};

static bool load(const char *name, struct image *ret)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool good;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	ret->size = (size_t)st.st_size;
	ret->data = malloc(ret->size + 1);
	good = ret->data && read(fd, ret->data, ret->size) == (ssize_t)ret->size;
	close(fd);
	return good;
}

/* Where a change bites: in the descriptors, or in a sector that isn't empty. */
static size_t place(const struct image *image)
{
	size_t sectors = image->size / SECTOR, at;

	if (below(4) == 0)
		return 16 * SECTOR + below(4 * SECTOR);
	for (int tries = 0; tries < 50; tries++) {
		at = (16 + below(sectors - 16)) * SECTOR;
		if (image->data[at])
			return at + below(below(2) ? 128 : SECTOR);
	}
	return below(image->size);
}

static void mutate(struct image *image)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
	size_t at = place(image), other, length;

	switch (below(8)) {
	case 0: /* a bit */
		image->data[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		image->data[at] = (uint8_t)below(256);
		break;
	case 2:
	case 3: /* a number at its limits */
		length = 1ul << below(4);
		for (size_t i = 0; i < length && at + i < image->size; i++)
			image->data[at + i] = odd[below(sizeof odd)];
		break;
	case 4: /* another number: a sector of this disc */
		if (at + 8 <= image->size) {
			put_le32(image->data + at, (uint32_t)below(image->size / SECTOR + 2));
			put_be32(image->data + at + 4, get_le32(image->data + at));
		}
		break;
	case 5: /* another place's bytes */
		other = place(image);
		length = 1 + below(64);
		if (at + length <= image->size && other + length <= image->size)
			memmove(image->data + at, image->data + other, length);
		break;
	case 6: /* a whole sector of another place, or none */
		other = place(image) / SECTOR * SECTOR;
		at = at / SECTOR * SECTOR;
		if (at + SECTOR > image->size || other + SECTOR > image->size)
			break;
		if (below(2))
			memmove(image->data + at, image->data + other, SECTOR);
		else
			memset(image->data + at, 0, SECTOR);
		break;
	default:
		length = 1 + below(16);
		for (size_t i = 0; i < length && at + i < image->size; i++)
			image->data[at + i] = (uint8_t)below(256);
	}
}

static void keep(const struct image *image, uint64_t number, const struct outcome *outcome)
{
	char name[100];
	int fd;

	snprintf(name, sizeof name, "finding-%llu.img", (unsigned long long)number);
	printf("%s: %.2f s, %ld MB: %s\n", name, outcome->seconds, worst_mb(), outcome->why.text);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, image->data, image->size) != (ssize_t)image->size)
		perror(name);
	close(fd);
}

static int mutate_all(uint64_t count, char **names)
{
	uint64_t shown = 0, refused = 0, bad = 0, bases = 0;
	double slowest = 0;
	struct image base[32];

	for (; names[bases] && bases < 32; bases++)
		if (!load(names[bases], &base[bases]) || base[bases].size < 20 * SECTOR)
			return 2;
	for (uint64_t i = 0; i < count && bases; i++) {
		const struct image *from = &base[i % bases];
		struct image image = { malloc(from->size), from->size };
		int fd = memfd_create("mutated", MFD_CLOEXEC);
		struct outcome outcome;

		if (!image.data || fd < 0)
			return 2;
		memcpy(image.data, from->data, image.size);
		for (uint64_t changes = 1 + below(6); changes; changes--)
			mutate(&image);
		if (below(16) == 0)
			image.size = below(image.size);
		if (write(fd, image.data, image.size) != (ssize_t)image.size)
			return 2;
		damaged = below(2);
		try_fd(fd, "mutated", &outcome);
		close(fd);
		*(outcome.result < 0 ? &refused : &shown) += 1;
		slowest = outcome.seconds > slowest ? outcome.seconds : slowest;
		if (too_much(&outcome) || is_crash(&outcome)) {
			bad++;
			keep(&image, i, &outcome);
		}
		free(image.data);
	}
	printf("%llu shown, %llu refused, %llu bad; slowest %.2f s, largest worker %ld MB\n",
	       (unsigned long long)shown, (unsigned long long)refused, (unsigned long long)bad, slowest,
	       worst_mb());
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argv[2], 3);
	if (argc >= 5 && strcmp(argv[1], "--mutate") == 0) {
		chance = strtoull(argv[3], NULL, 10) * 2 + 1;
		return mutate_all(strtoull(argv[2], NULL, 10), argv + 4);
	}
	damaged = argc >= 3 && strcmp(argv[1], "--damaged") == 0;
	return argc >= 2 ? try_all(argv + (damaged ? 2 : 1)) : 2;
}
