/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int command_cancel(int argc, char **argv)
{
	const struct option_spec options[] = { { 0 } };
	struct target target;
	int count, err, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	if (code)
		return code;
	err = target_tell(&target, "cancel");
	switch (-err) {
	case 0:
		puts("The commit is cancelled: everything is still staged");
		return EXIT_CODE_DONE;
	case ESRCH:
		puts("Nothing is under way");
		return EXIT_CODE_DONE;
	case ENOTCONN:
		return target_died(target.root);
	case EALREADY:
		return ctl_fail(EXIT_CODE_SYSTEM,
				"too late: the commit came to its end (discfsctl status tells how)");
	case EACCES:
	case EPERM:
		return ctl_fail(EXIT_CODE_SYSTEM, "only the owner of the mount may control it");
	}
	return ctl_fail(exit_code_of_errno(-err), "%s: %s", target.root, strerror(-err));
}
