/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker may do, since it parses what a disc holds: limits on memory, time and files, no new
 * privileges, no core files, and a seccomp filter of system calls. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum sandbox_filter {
	/* Reads the medium it was given, talks on its link, calculates: whatever isn't on the list kills it
	 * with SIGSYS. Names of files can't be opened or looked at (EACCES: libraries try that, and do
	 * without). */
	SANDBOX_READER,
	/* The same on a drive, which is asked by SG_IO, and opened anew by libburn: everything is allowed but
	 * what a burner never needs (other programs and processes, the network, mounts, modules, the clock,
	 * …). */
	SANDBOX_DRIVE,
};

/* cpu_seconds: for the whole of the work. Never fails: a limit that the system refuses (a debugger, valgrind)
 * is left as it is. */
void sandbox_enter(unsigned cpu_seconds);
/* Lower limits for a medium of that size: what a tree takes to read is in proportion to its records. cpu: of
 * time, too. */
void sandbox_scale(uint64_t sectors, bool cpu);
/* After sandbox_enter, once everything is open, and what libraries load at their first use is loaded; before
 * the first byte of the medium is parsed. 0, or -errno where the kernel has no such filters. In a build with
 * a sanitizer there's none: its library needs system calls of its own. */
int sandbox_filter(enum sandbox_filter filter);
/* Does this build have filters? */
bool sandbox_filters(void);
