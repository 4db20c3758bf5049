/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry of the worker wing: one role, one job, one link to the parent. */
#pragma once

/* link_fd: the worker's end of the socket (taken). Returns the exit code of the process. */
int worker_main(const char *role, int link_fd);
