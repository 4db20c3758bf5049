/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model check: one pseudo-random sequence of operations, applied to two directories. A is below a discfs
 * mount, B is a plain directory of this machine, and so the model of what A must be. After each operation
 * both must have answered the same; at each comparison both trees must be the same.
 *
 * An operation is data (struct op): everything that it needs is in it, so a written sequence can be run
 * again, whole or with lines left out. Only making one draws random numbers. One thread; one process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SLOTS	  16 /* descriptors that stay open */
#define MAPS	  4
#define PATH_ROOM 2048
#define DATA_ROOM (400u << 10)
#define NUMBERS	  4
#define RING	  64

struct kind;

struct op {
	const struct kind *kind;
	unsigned user;				/* who does it: 0 is whoever started the program */
	unsigned slot, other;			/* descriptors, or a mapping */
	int64_t n[NUMBERS];			/* what they mean is said where the kind is made */
	char path[PATH_ROOM], path2[PATH_ROOM]; /* below the top */
};

struct map {
	unsigned char *at; /* NULL: none */
	size_t length;
	off_t offset;
	int fd; /* its own */
};

struct side {
	const char *dir;
	char mark; /* A or B */
	int top;
	int fd[SLOTS]; /* -1: none; using it gives EBADF on both sides */
	struct map map[MAPS];
	unsigned char *data;
};

/* What one side answered. */
struct result {
	long ret;
	int err;
	const unsigned char *data; /* bytes read, or text that tells */
	size_t length;
	bool timed;
	struct timespec mtime;
};

struct known_path {
	char *path;
	unsigned type; /* S_IFMT part of the mode */
};

struct known {
	struct known_path *items;
	size_t count, room;
};

struct options {
	uint64_t seed, steps, from;
	bool verbose, users, evict;
	bool may_fail;			   /* commits, as a fault was ordered */
	unsigned files;			   /* how many names the tree may have, about */
	unsigned commit, restart, compare; /* one in so many steps; 0 = never */
	const char *hook;		   /* run with "kill", "kill-stored" or "unmount": see restart.sh */
	const char *mount;		   /* the mount's top */
	const char *without;		   /* kinds left out: a,b,c */
	FILE *record, *replay;
};

struct model {
	struct options options;
	struct side side[2];
	uint64_t random;
	uint64_t step;
	struct known known;
	unsigned slot_type[SLOTS]; /* S_IFMT part of what is open; 0: nothing */
	bool whole_seconds;	   /* a commit cuts off fractions, whenever the kernel asks again */
	pid_t committing;	   /* discfsctl in the background; 0: none */
	char *ring[RING];	   /* the last operations */
};

struct kind {
	const char *name;
	unsigned weight;
	void (*make)(struct model *model, struct op *op);
	void (*run)(struct side *side, const struct op *op, struct result *ret);
	void (*after)(struct model *model, const struct op *op,
		      const struct result *result); /* may be NULL */
	void (*whole)(struct model *model,
		      const struct op *op); /* instead of run: not an operation on both sides */
};

/* Each ends with a kind without a name. */
extern const struct kind name_kinds[], file_kinds[], map_kinds[], attr_kinds[], xattr_kinds[], mount_kinds[];

/* random.c */
uint64_t random_next(uint64_t *state);
uint64_t below(struct model *model, uint64_t limit);
bool one_in(struct model *model, unsigned count);
void fill_bytes(unsigned char *data, size_t length, uint64_t seed);

/* paths.c: what the generator knows of the tree. Paths need PATH_ROOM bytes. */
void known_refresh(struct model *model); /* reads B */
void known_add(struct model *model, const char *path, unsigned type);
void known_clear(struct model *model);
void pick_name(struct model *model, char *ret);
void pick_any(struct model *model, char *ret);
void pick_type(struct model *model, unsigned type, char *ret); /* S_IFMT part; mostly of that type */
void pick_file(struct model *model, char *ret);
void pick_dir(struct model *model, char *ret);
void pick_place(struct model *model, char *ret);	/* a name in a directory that is there */
void pick_path(struct model *model, char *ret);		/* something, a place, or something odd */
unsigned pick_slot(struct model *model, unsigned type); /* mostly of that type */

/* run.c */
void done(struct result *result, long ret); /* with errno */
__attribute__((format(printf, 3, 4))) void tell(struct side *side, struct result *result, const char *format,
						...);
const struct kind *kind_find(const char *name);
const struct kind *kind_draw(struct model *model);
void run_op(struct model *model, const struct op *op);
_Noreturn void give_up(struct model *model, const char *what);
bool times_agree(const struct timespec *a, const struct timespec *b, bool whole_seconds);

/* script.c */
void op_print(FILE *file, const struct op *op);
void path_print(FILE *file, const char *path);
bool op_read(FILE *file, struct op *ret); /* false at the end */

/* side.c */
void side_open(struct side *side);
void side_close(struct side *side);	/* with all descriptors */
void side_close_all(struct side *side); /* descriptors and mappings */

/* compare.c */
struct rules {
	bool whole_seconds; /* A may have cut off what is below */
	bool settle;	    /* afterwards B's times are made A's */
	bool extracted;	    /* A is what xorriso unpacked: see is_left_out */
};
/* Prints the first differences; returns how many. *ret_inodes sums up which path has which inode in A. */
unsigned compare_trees(const char *a, const char *b, const struct rules *rules, uint64_t *ret_inodes);
