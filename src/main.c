/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/daemon.h"
#include "worker/worker.h"

#include <string.h>

#define WORKER_LINK_FD 3

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argv[2], WORKER_LINK_FD);
	return daemon_main(argc, argv);
}
