/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/background.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static void wait_for_word(int fd, pid_t child)
{
	char word;
	int status = 0;

	if (read(fd, &word, 1) == 1)
		_exit(0);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 2);
}

int background_start(void)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0) {
		close(ends[1]);
		wait_for_word(ends[0], child);
	}
	close(ends[0]);
	setsid();
	return ends[1];
}

int background_ready(int fd)
{
	int null, ret;

	if (fd < 0)
		return 0;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (chdir("/") < 0 || null < 0)
		log_warning("can't leave the working directory or the terminal");
	log_to_syslog();
	for (int std = 0; null >= 0 && std < 3; std++)
		dup2(null, std);
	if (null > 2)
		close(null);
	ret = write(fd, "+", 1) == 1 ? 0 : -ECANCELED;
	close(fd);
	return ret;
}
