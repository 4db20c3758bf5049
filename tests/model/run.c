/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One operation on both sides, and whether they agree. */
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Times that an operation set lie before and behind all that clocks tell now. */
#define CLOCKS_FROM 1650000000
#define CLOCKS_TO   2100000000

static const struct kind *const tables[] = { name_kinds, file_kinds,  map_kinds,
					     attr_kinds, xattr_kinds, mount_kinds };

#define each_kind(kind)                                                                                      \
	for (size_t table_ = 0; table_ < sizeof tables / sizeof *tables; table_++)                           \
		for (const struct kind *kind = tables[table_]; kind->name; kind++)

const struct kind *kind_find(const char *name)
{
	each_kind(kind) if (strcmp(kind->name, name) == 0) return kind;
	return NULL;
}

/* Whether the list "a,b,c" has the name. */
static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (; list && *list; list += *list == ',') {
		if (strncmp(list, name, length) == 0 && (list[length] == ',' || !list[length]))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

static unsigned weight_of(const struct model *model, const struct kind *kind)
{
	return is_listed(model->options.without, kind->name) ? 0 : kind->weight;
}

const struct kind *kind_draw(struct model *model)
{
	uint64_t sum = 0, at;

	each_kind(kind) sum += weight_of(model, kind);
	at = below(model, sum);
	each_kind(kind)
	{
		unsigned weight = weight_of(model, kind);

		if (at < weight)
			return kind;
		at -= weight;
	}
	abort();
}

void done(struct result *result, long ret)
{
	result->ret = ret;
	result->err = ret < 0 ? errno : 0;
}

void tell(struct side *side, struct result *result, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf((char *)side->data + result->length, DATA_ROOM - result->length, format, args);
	va_end(args);
	result->data = side->data;
	result->length += (size_t)length;
	if (result->length >= DATA_ROOM)
		abort();
}

static bool is_clock(const struct timespec *time)
{
	return time->tv_sec >= CLOCKS_FROM && time->tv_sec < CLOCKS_TO;
}

bool times_agree(const struct timespec *a, const struct timespec *b, bool whole_seconds)
{
	if (is_clock(a) && is_clock(b))
		return true;
	return a->tv_sec == b->tv_sec && (a->tv_nsec == b->tv_nsec || (whole_seconds && a->tv_nsec == 0));
}

static bool agree(const struct model *model, const struct result *a, const struct result *b)
{
	return a->ret == b->ret && a->err == b->err && a->length == b->length &&
	       (a->length == 0 || memcmp(a->data, b->data, a->length) == 0) &&
	       (!a->timed || times_agree(&a->mtime, &b->mtime, model->whole_seconds));
}

static void print_result(char mark, const struct result *result)
{
	bool text = true;

	printf("%c: %ld", mark, result->ret);
	if (result->err)
		printf(" (%s)", strerror(result->err));
	if (result->timed)
		printf(" mtime %lld.%09ld", (long long)result->mtime.tv_sec, result->mtime.tv_nsec);
	for (size_t i = 0; i < result->length; i++)
		text &= result->data[i] >= 0x20 && result->data[i] < 0x7f;
	if (text && result->length)
		printf(": %.*s", (int)(result->length < 3000 ? result->length : 3000),
		       (const char *)result->data);
	else if (result->length)
		printf(", %zu bytes", result->length);
	putchar('\n');
}

static void print_bytes(const struct result *a, const struct result *b)
{
	size_t length = a->length < b->length ? a->length : b->length, count = 0, at = 0;

	for (size_t i = length; i-- > 0;)
		if (a->data[i] != b->data[i]) {
			at = i;
			count++;
		}
	if (count)
		printf("%zu bytes differ, the first at %zu: A %02x, B %02x\n", count, at, a->data[at],
		       b->data[at]);
}

void give_up(struct model *model, const char *what)
{
	printf("FAIL: seed %" PRIu64 ", step %" PRIu64 ": %s\n", model->options.seed, model->step, what);
	printf("The last operations, oldest first:\n");
	for (unsigned i = 1; i <= RING; i++)
		if (model->ring[(model->step + i) % RING])
			printf("  %s", model->ring[(model->step + i) % RING]);
	fflush(stdout);
	exit(1);
}

static void remember(struct model *model, const struct op *op)
{
	size_t length;
	char **place = &model->ring[model->step % RING];
	FILE *file;

	free(*place);
	file = open_memstream(place, &length);
	op_print(file, op);
	fclose(file);
	if (model->options.record)
		fputs(*place, model->options.record);
	if (model->options.verbose && model->step >= model->options.from)
		printf("%" PRIu64 ": %s", model->step, *place);
}

/* The calls themselves, since glibc's would change all threads; there is one. */
static void become(unsigned user)
{
	static const unsigned uids[] = { 0, 1000, 1001 }, gids[] = { 0, 1000, 1000 };

	if (syscall(SYS_setresgid, -1, gids[user % 3], -1) < 0 ||
	    syscall(SYS_setresuid, -1, uids[user % 3], -1) < 0) {
		perror("model: becoming another user");
		exit(2);
	}
}

static void become_self(void)
{
	if (syscall(SYS_setresuid, -1, 0, -1) < 0 || syscall(SYS_setresgid, -1, 0, -1) < 0)
		abort();
}

static void run_side(struct model *model, struct side *side, const struct op *op, struct result *ret)
{
	*ret = (struct result){ 0 };
	if (fchdir(side->top) < 0)
		give_up(model, side->mark == 'A' ? "A is gone" : "B is gone");
	if (op->user)
		become(op->user);
	errno = 0;
	op->kind->run(side, op, ret);
	if (op->user)
		become_self();
}

void run_op(struct model *model, const struct op *op)
{
	struct result a, b;

	remember(model, op);
	if (op->kind->whole) {
		op->kind->whole(model, op);
		return;
	}
	run_side(model, &model->side[0], op, &a);
	run_side(model, &model->side[1], op, &b);
	if (!agree(model, &a, &b)) {
		print_result('A', &a);
		print_result('B', &b);
		print_bytes(&a, &b);
		give_up(model, op->kind->name);
	}
	if (op->kind->after)
		op->kind->after(model, op, &b);
}
