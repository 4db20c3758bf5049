/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timed loads of bench.sh that would measure a shell's forks otherwise. Prints the seconds that the load
 * took. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PIECE	(128u << 10) /* what cp and rsync write at once, about */
#define POLL_MS 5

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "fsload: %s: %s\n", what, strerror(errno));
	exit(2);
}

static unsigned long number(const char *word)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);

	if (*end || end == word) {
		errno = EINVAL;
		die(word);
	}
	return value;
}

/* Bytes that nothing on the way can shrink. */
static void fill(unsigned char *data, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i += sizeof seed) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		memcpy(data + i, &seed, sizeof seed);
	}
}

static void write_all(int fd, const unsigned char *data, size_t length)
{
	while (length) {
		ssize_t put = write(fd, data, length);

		if (put < 0)
			die("write");
		data += put;
		length -= (size_t)put;
	}
}

static void path_of(char *path, size_t room, const char *top, const char *kind, unsigned long dir,
		    unsigned long file)
{
	snprintf(path, room, "%s/dir%04lu/%s%05lu.dat", top, dir, kind, file);
}

/* TOP DIRS FILES SIZE */
static void load_create(char **argument)
{
	unsigned long dirs = number(argument[1]), files = number(argument[2]), size = number(argument[3]);
	unsigned char *data = malloc(size + sizeof(uint64_t));
	char path[4200];

	if (!data)
		die("malloc");
	for (unsigned long dir = 0; dir < dirs; dir++) {
		snprintf(path, sizeof path, "%s/dir%04lu", argument[0], dir);
		if (mkdir(path, 0755) < 0)
			die(path);
		for (unsigned long file = 0; file < files; file++) {
			int fd;

			fill(data, size, dir * files + file + 1);
			path_of(path, sizeof path, argument[0], "file", dir, file);
			fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
			if (fd < 0)
				die(path);
			write_all(fd, data, size);
			if (close(fd) < 0)
				die(path);
		}
	}
	free(data);
}

/* TOP DIRS FILES: what load_create made */
static void load_rename(char **argument)
{
	unsigned long dirs = number(argument[1]), files = number(argument[2]);
	char from[4200], to[4200];

	for (unsigned long dir = 0; dir < dirs; dir++)
		for (unsigned long file = 0; file < files; file++) {
			path_of(from, sizeof from, argument[0], "file", dir, file);
			path_of(to, sizeof to, argument[0], "renamed", dir, file);
			if (rename(from, to) < 0)
				die(from);
		}
}

/* FILE MIB: with fsync */
static void load_write(char **argument)
{
	unsigned long pieces = number(argument[1]) * ((1u << 20) / PIECE);
	static unsigned char data[PIECE];
	int fd = open(argument[0], O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		die(argument[0]);
	fill(data, sizeof data, 1);
	for (unsigned long i = 0; i < pieces; i++) {
		memcpy(data, &i, sizeof i);
		write_all(fd, data, sizeof data);
	}
	if (fsync(fd) < 0 || close(fd) < 0)
		die(argument[0]);
}

/* FILE */
static void load_read(char **argument)
{
	static unsigned char data[PIECE];
	int fd = open(argument[0], O_RDONLY);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0)
		got = read(fd, data, sizeof data);
	if (got < 0)
		die(argument[0]);
	close(fd);
}

/* MOUNT: watches the commit that is about to start there, and prints each phase with its seconds. */
static void watch_phases(char **argument)
{
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000l };
	char phase[64] = "idle";
	double began = now();

	for (;;) {
		char word[1024] = "";
		ssize_t got = getxattr(argument[0], "user.discfs.progress", word, sizeof word - 1);

		if (got < 0)
			return;
		word[got] = '\0';
		word[strcspn(word, " ")] = '\0';
		if (strcmp(word, phase) != 0) {
			if (strcmp(phase, "idle") != 0) {
				printf("%s %.3f\n", phase, now() - began);
				fflush(stdout);
			}
			began = now();
			snprintf(phase, sizeof phase, "%s", word);
			if (strcmp(phase, "idle") == 0)
				return;
		}
		nanosleep(&pause, NULL);
	}
}

static const struct {
	const char *name;
	int arguments;
	void (*run)(char **argument);
} loads[] = {
	{ "create", 4, load_create }, { "rename", 3, load_rename },  { "write", 2, load_write },
	{ "read", 1, load_read },     { "phases", 1, watch_phases },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof loads / sizeof *loads; i++) {
		double began = now();

		if (strcmp(argv[1], loads[i].name) != 0 || argc - 2 != loads[i].arguments)
			continue;
		loads[i].run(argv + 2);
		if (loads[i].run != watch_phases)
			printf("%.4f\n", now() - began);
		return 0;
	}
	fprintf(
	    stderr,
	    "usage: fsload create TOP DIRS FILES SIZE | rename TOP DIRS FILES | write FILE MIB | read FILE | "
	    "phases MOUNT\n");
	return 2;
}
