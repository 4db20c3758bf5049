/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of discfs: one table for parsing and --help. */
#pragma once

#include "base/reason.h"
#include "base/text.h"
#include "model/litter.h"
#include "model/session_formats.h"

#include <stdbool.h>
#include <stdint.h>

struct options {
	char *source;
	char *mountpoint;
	char *place;	      /* NULL, or another way to the mount point: see mount.discfs */
	char *state_root;     /* NULL: the default place */
	char *spool_dir;      /* NULL: with the rest of the state */
	uint64_t spool_limit; /* bytes; 0: none */
	bool foreground;
	bool debug;
	uint32_t session; /* 0: the newest */
	uint32_t import;  /* enum tree_format */
	struct session_formats formats;
	bool has_iso; /* formats= must name it */
	bool afresh;  /* base=blank */
	bool damaged;
	bool read_only;
	bool offline; /* source is the id or the label of a disc that isn't here */
	bool allow_other;
	bool commit_on_unmount;
	const char *umount_mode; /* what umount(8) does where nobody sits at a terminal; static */
	bool help;
	bool version;
	struct litter litter;	  /* exclude= */
	bool has_litter;	  /* it was given */
	struct text fuse_options; /* what goes on to the kernel, comma-separated */
};

/* 0, or -EINVAL with a reason. Free with options_clear in both cases. */
int options_parse(struct options *options, int argc, char **argv, struct reason *why);
void options_clear(struct options *options);
void options_print_help(void);
