/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/umount.h"

int command_umount(int argc, char **argv)
{
	struct umount_wish wish = { .wait = true };
	const struct option_spec options[] = {
		{ "force", 0, .flag = &wish.force },
		{ "quiet", 'q', .flag = &wish.quiet },
		{ 0 },
	};
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	return code ? code : umount_disc(&target, &wish);
}
