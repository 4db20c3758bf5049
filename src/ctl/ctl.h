/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command of discfsctl shares: its place in the table, its options, its complaints.
 *
 * Functions here and in the commands return an exit code (base/exit_code.h) unless they say otherwise;
 * whoever returns another than EXIT_CODE_DONE has told the reason on stderr. One thread. */
#pragma once

#include "base/cleanup.h"
#include "base/exit_code.h"

#include <stdbool.h>
#include <stdint.h>

struct command {
	const char *name;
	const char *arguments;		   /* as the usage line shows them */
	const char *summary;		   /* one line of the list */
	const char *help;		   /* the rest of --help */
	int (*run)(int argc, char **argv); /* argv[0]: the command's name */
};

int command_create(int argc, char **argv);
int command_info(int argc, char **argv);
int command_status(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_log(int argc, char **argv);
int command_commit(int argc, char **argv);
int command_wait(int argc, char **argv);
int command_cancel(int argc, char **argv);
int command_discard(int argc, char **argv);
int command_boot(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_umount(int argc, char **argv);
int command_blank(int argc, char **argv);
int command_format(int argc, char **argv);
int command_eject(int argc, char **argv);
int command_load(int argc, char **argv);
int command_finalize(int argc, char **argv);
int command_drives(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_catalog(int argc, char **argv);
int command_map(int argc, char **argv);
int command_find(int argc, char **argv);

/* Says why on stderr and returns code. */
int ctl_fail(int code, const char *fmt, ...) PRINTF(2, 3);
/* The same for a wrong command line: points to --help. */
int ctl_usage(const char *command, const char *fmt, ...) PRINTF(2, 3);

/* Asks on the terminal; without one, the command's --yes is needed. what: "discard everything"; no: what to
 * say when the answer isn't yes. */
int ctl_confirm(const char *command, const char *what, const char *question, const char *no);

/* An option of a command. Exactly one of the three pointers is set. */
struct option_spec {
	const char *name;
	char letter; /* 0: none */
	bool *flag;
	const char **word; /* takes an argument */
	int64_t *number;   /* takes an argument: a whole number, 0 or more */
};

/* How many letters must be inserted, dropped or changed to make one word of the other; 99: it's too long. */
unsigned ctl_distance(const char *a, const char *b);

/* Reads the options (the table ends with a NULL name) and leaves the rest in argv[1..]. *ret_count: how many
 * those are, at most most. `--list-options` alone lists the table and ends the program: completion
 * asks for it. */
int ctl_options(int argc, char **argv, const struct option_spec *options, int most, int *ret_count);
