/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void side_open(struct side *side)
{
	side->top = open(side->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (side->top < 0) {
		perror(side->dir);
		exit(2);
	}
	for (unsigned i = 0; i < SLOTS; i++)
		side->fd[i] = -1;
	for (unsigned i = 0; i < MAPS; i++)
		side->map[i] = (struct map){ .fd = -1 };
	if (!side->data)
		side->data = malloc(DATA_ROOM);
	if (!side->data)
		abort();
}

void side_close_all(struct side *side)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (side->fd[i] >= 0)
			close(side->fd[i]);
		side->fd[i] = -1;
	}
	for (unsigned i = 0; i < MAPS; i++) {
		if (side->map[i].at) {
			munmap(side->map[i].at, side->map[i].length);
			close(side->map[i].fd);
		}
		side->map[i] = (struct map){ .fd = -1 };
	}
}

void side_close(struct side *side)
{
	side_close_all(side);
	close(side->top);
	side->top = -1;
}
