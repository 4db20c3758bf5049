/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes of discfsctl, which the daemon also puts into "last.exit" of its status. Scripts rely on them:
 * never renumber. */
#pragma once

enum exit_code {
	EXIT_CODE_DONE = 0,
	EXIT_CODE_USAGE = 1,	       /* wrong command line */
	EXIT_CODE_SYSTEM = 2,	       /* a system call failed, or something that has no code of its own */
	EXIT_CODE_NO_DISCFS = 3,       /* no discfs is mounted there */
	EXIT_CODE_PENDING = 4,	       /* status --exit-code: changes wait to be committed */
	EXIT_CODE_TIMED_OUT = 5,       /* wait --timeout */
	EXIT_CODE_NO_MEDIUM = 10,      /* the drive is empty */
	EXIT_CODE_WRONG_DISC = 11,     /* another disc than the one that was mounted */
	EXIT_CODE_NOT_APPENDABLE = 12, /* closed, read-only or of an unsupported type */
	EXIT_CODE_NO_ROOM = 13,	       /* it doesn't fit on the medium */
	EXIT_CODE_BUSY = 14,	       /* the drive is in use, or a commit is running */
	EXIT_CODE_BURN_FAILED = 20,    /* staged work kept */
	EXIT_CODE_VERIFY_FAILED = 21,  /* what was read back differs; staged work kept */
	EXIT_CODE_CANCELLED = 22,      /* staged work kept */
	EXIT_CODE_INTERRUPTED = 130,   /* Ctrl-C while waiting; the work itself goes on */
};

/* For a positive errno of a refused or failed command; 0 gives EXIT_CODE_DONE. */
enum exit_code exit_code_of_errno(int err);
