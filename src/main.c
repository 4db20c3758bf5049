/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit_code.h"
#include "base/fd.h"
#include "mount/daemon.h"
#include "worker/worker.h"

#include <string.h>

#define WORKER_LINK_FD 3

int main(int argc, char **argv)
{
	if (fd_keep_standard() < 0)
		return EXIT_CODE_SYSTEM;
	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argv[2], WORKER_LINK_FD);
	return daemon_main(argc, argv);
}
