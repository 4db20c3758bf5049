/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual files below .discfs/: hidden from listings, opened by name. One table. */
#pragma once

#include "control/control.h"

#define CONTROL_DIR ".discfs"

struct control_file {
	const char *name;
	int (*content)(struct control *control, struct text *ret);		  /* NULL: can't be read */
	int (*command)(struct control *control, const char *data, size_t length); /* NULL: can't be written */
};

/* The table, ended by a NULL name. */
extern const struct control_file control_files[];
