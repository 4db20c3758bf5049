/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See model.h, and the usage below.
 *
 * A difference is told at once with seed, step and both answers. --record writes down all operations as
 * lines, --replay runs such lines instead of drawing any, and shrink.py finds the few that are needed. */
#include "model.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFRESH 100 /* steps after which the generator looks at the tree again */

static const char usage[] =
    "model run A B [OPTIONS]       applies the same operations to both directories; A is in a discfs mount\n"
    "  --seed S --steps N          which ones, and how many\n"
    "  --files N                   how many names the tree has, about (120)\n"
    "  --users                     some operations as users 1000 and 1001; the mount needs allow_other\n"
    "  --commit N                  a commit every N steps, about, by turns at once and in the background\n"
    "  --may-fail                  a commit need not succeed\n"
    "  --restart N --hook COMMAND  \"COMMAND kill\", kill-stored or unmount every N steps, about: it must "
    "mount again\n"
    "  --compare N                 compares the trees every N steps, about (2000), and at the end\n"
    "  --evict                     now and then makes the kernel forget names and inodes\n"
    "  --mount DIR                 the mount's top (A)\n"
    "  --without A,B               leaves out kinds of operations\n"
    "  --verbose [--from N]        prints each operation (from step N on)\n"
    "  --record FILE               writes all operations to FILE\n"
    "  --replay FILE               runs these instead\n"
    "model compare A B [OPTIONS]   compares two trees: exit code 1 if they differ\n"
    "  --whole-seconds             A's times may have lost their fractions (also for run: in commits "
    "before)\n"
    "  --extracted               A is what xorriso unpacked without attributes and ACLs\n";

static uint64_t number(const char *word)
{
	char *end;
	uint64_t value = strtoull(word, &end, 0);

	if (*end || end == word) {
		fprintf(stderr, "model: %s is no number\n", word);
		exit(2);
	}
	return value;
}

static FILE *file_open(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file) {
		perror(path);
		exit(2);
	}
	return file;
}

static void parse(int argc, char **argv, struct options *options, struct rules *rules)
{
	static const struct option names[] = {
		{ "seed", 1, NULL, 's' },
		{ "steps", 1, NULL, 'n' },
		{ "files", 1, NULL, 'f' },
		{ "users", 0, NULL, 'u' },
		{ "commit", 1, NULL, 'c' },
		{ "restart", 1, NULL, 'r' },
		{ "hook", 1, NULL, 'h' },
		{ "compare", 1, NULL, 'C' },
		{ "evict", 0, NULL, 'e' },
		{ "mount", 1, NULL, 'm' },
		{ "without", 1, NULL, 'w' },
		{ "verbose", 0, NULL, 'v' },
		{ "from", 1, NULL, 'F' },
		{ "record", 1, NULL, 'R' },
		{ "replay", 1, NULL, 'P' },
		{ "extracted", 0, NULL, 'l' },
		{ "whole-seconds", 0, NULL, 't' },
		{ "may-fail", 0, NULL, 'M' },
		{ 0 },
	};

	for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		uint64_t *numbers[128] = {
			['s'] = &options->seed, ['n'] = &options->steps, ['F'] = &options->from
		};
		unsigned *counts[128] = { ['f'] = &options->files,
					  ['c'] = &options->commit,
					  ['r'] = &options->restart,
					  ['C'] = &options->compare };
		bool *flags[128] = {
			['u'] = &options->users,   ['e'] = &options->evict,   ['M'] = &options->may_fail,
			['v'] = &options->verbose, ['l'] = &rules->extracted, ['t'] = &rules->whole_seconds
		};
		const char **words[128] = {
			['h'] = &options->hook, ['m'] = &options->mount, ['w'] = &options->without
		};

		if (numbers[option])
			*numbers[option] = number(optarg);
		else if (counts[option])
			*counts[option] = (unsigned)number(optarg);
		else if (flags[option])
			*flags[option] = true;
		else if (words[option])
			*words[option] = optarg;
		else if (option == 'R')
			options->record = file_open(optarg, "w");
		else if (option == 'P')
			options->replay = file_open(optarg, "r");
		else
			exit(2);
	}
}

/* What happens between the operations, each about every so many steps. */
static const char *pick_event(struct model *model)
{
	const struct options *options = &model->options;

	if (options->compare && one_in(model, options->compare))
		return "compare";
	if (options->restart && one_in(model, options->restart))
		return "restart";
	if (options->commit && one_in(model, options->commit))
		return one_in(model, 2) ? "commit" : "commit_begin";
	return options->evict && one_in(model, 1500) ? "evict" : NULL;
}

static unsigned pick_user(struct model *model)
{
	uint64_t draw = below(model, 20);

	return draw >= 4 || !model->options.users ? 0 : 1 + (draw == 0);
}

static void make_op(struct model *model, struct op *op)
{
	const char *event = pick_event(model);

	*op = (struct op){ 0 };
	op->kind = event ? kind_find(event) : kind_draw(model);
	op->user = pick_user(model);
	if (!event && model->known.count > model->options.files && one_in(model, 15))
		op->kind = kind_find("rmtree");
	op->kind->make(model, op);
}

static void die(int signal)
{
	static const char message[] = "FAIL: a mapped page can't be read (SIGBUS)\n";

	if (write(STDOUT_FILENO, message, sizeof message - 1) >= 0)
		_exit(1);
}

static void run_all(struct model *model)
{
	static struct op op;

	known_refresh(model);
	if (model->options.replay) {
		for (; op_read(model->options.replay, &op); model->step++)
			run_op(model, &op);
		return;
	}
	for (; model->step < model->options.steps; model->step++) {
		if (model->step % REFRESH == REFRESH - 1)
			known_refresh(model);
		make_op(model, &op);
		run_op(model, &op);
	}
}

static int run(struct model *model)
{
	const char *const last[] = { "commit_end", "compare" };

	if (model->options.record)
		setvbuf(model->options.record, NULL, _IOLBF, 0);
	if (model->options.users && setgroups(0, NULL) < 0) {
		perror("setgroups");
		return 2;
	}
	signal(SIGBUS, die);
	umask(022);
	model->random = model->options.seed;
	for (unsigned i = 0; i < 2; i++)
		side_open(&model->side[i]);
	run_all(model);
	for (unsigned i = 0; i < 2; i++) {
		const struct op op = { .kind = kind_find(last[i]) };

		run_op(model, &op);
	}
	printf("seed %" PRIu64 ": %" PRIu64 " operations, %zu names\n", model->options.seed, model->step,
	       model->known.count);
	for (unsigned i = 0; i < 2; i++)
		side_close(&model->side[i]);
	known_clear(model);
	return 0;
}

int main(int argc, char **argv)
{
	static struct model model = { .options = {
					  .seed = 1, .steps = 10000, .files = 120, .compare = 2000 } };
	struct rules rules = { 0 };
	uint64_t inodes;

	if (argc < 4) {
		fputs(usage, stderr);
		return 2;
	}
	parse(argc - 3, argv + 3, &model.options, &rules);
	if (strcmp(argv[1], "compare") == 0)
		return compare_trees(argv[2], argv[3], &rules, &inodes) ? 1 : 0;
	model.side[0].dir = argv[2];
	model.side[1].dir = argv[3];
	model.whole_seconds = rules.whole_seconds;
	model.side[0].mark = 'A';
	model.side[1].mark = 'B';
	if (!model.options.mount)
		model.options.mount = argv[2];
	return run(&model);
}
