/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mount daemon from its command line to its end. */
#pragma once

/* Returns the exit code: 0, or a code of base/exit_code.h. */
int daemon_main(int argc, char **argv);
