/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only program of the virtual machine in which the Linux kernel reads our images: /init of its initial
 * RAM disk.
 *
 * It loads the modules that /modules names, mounts each image as /jobs says, and writes what it found to the
 * disk with SCSI id 0: for each job a line "J", the files, what the kernel said meanwhile, and a line "."
 * when all jobs are done. Words are separated by tabs:
 *
 * - a job: ID DEVICE(hd|cd) FSTYPE OPTIONS
 * - a file: F type mode uid gid mtime size device links inode sha256 target path
 * - an error: E path text
 * - a message of the kernel: K text
 *
 * Names are bytes: whatever isn't printable is written as \ooo. */
#include <ctype.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 128,
	PATH_ROOM = 128 * 1024,
	TARGET_MAX = 8192,
	HASH_BLOCK = 256 * 1024,
	HUGE_SIZE = 1 << 30
};

static FILE *out;
static char path[PATH_ROOM]; /* of the file that is looked at, relative to the mount */

/* ---- SHA-256 (FIPS 180-4) ---- */

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};

static const uint32_t ROUNDS[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t value, int bits)
{
	return value >> bits | value << (32 - bits);
}

static void sha256_block(struct sha256 *sha, const uint8_t *at)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)at[4 * i] << 24 | (uint32_t)at[4 * i + 1] << 16 |
		       (uint32_t)at[4 * i + 2] << 8 | at[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       w[i - 7] + (turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, sha->state, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t one = s[7] + (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)) +
			       ((s[4] & s[5]) ^ (~s[4] & s[6])) + ROUNDS[i] + w[i];
		uint32_t two = (turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)) +
			       ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += one;
		s[0] = one + two;
	}
	for (int i = 0; i < 8; i++)
		sha->state[i] += s[i];
}

static void sha256_begin(struct sha256 *sha)
{
	static const uint32_t BEGIN[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(sha->state, BEGIN, sizeof(BEGIN));
	sha->length = 0;
}

static void sha256_add(struct sha256 *sha, const uint8_t *data, size_t length)
{
	while (length) {
		size_t used = sha->length % 64, part = length < 64 - used ? length : 64 - used;

		if (part == 64) {
			sha256_block(sha, data);
		} else {
			memcpy(sha->block + used, data, part);
			if (used + part == 64)
				sha256_block(sha, sha->block);
		}
		sha->length += part;
		data += part;
		length -= part;
	}
}

static void sha256_end(struct sha256 *sha, char text[65])
{
	static const uint8_t PADDING[64] = { 0x80 };
	uint64_t bits = sha->length * 8;
	uint8_t tail[8];

	for (int i = 0; i < 8; i++)
		tail[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(sha, PADDING, 1 + (119 - sha->length % 64) % 64);
	sha256_add(sha, tail, 8);
	for (int i = 0; i < 8; i++)
		snprintf(text + 8 * i, 9, "%08x", sha->state[i]);
}

/* ---- what is written ---- */

static void put_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text > 0x20 && *text < 0x7f && *text != '\\')
			putc(*text, out);
		else
			fprintf(out, "\\%03o", (unsigned char)*text);
	}
}

static void put_error(const char *what, int number)
{
	fputs("E\t", out);
	put_escaped(path[0] ? path : ".");
	fprintf(out, "\t%s: %s\n", what, strerror(number));
}

/* What the kernel said since the last time. */
static void put_messages(int kmsg, bool silent)
{
	char record[8192];
	ssize_t got;

	while ((got = read(kmsg, record, sizeof(record) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		char *text, *end;

		if (got < 0)
			continue;
		record[got] = 0;
		text = strchr(record, ';');
		end = text ? strchr(text, '\n') : NULL;
		if (!end || silent)
			continue;
		*end = 0;
		fprintf(out, "K\t%s\n", text + 1);
	}
}

/* ---- a tree ---- */

/* The whole next piece of a file. */
static ssize_t read_block(int fd, uint8_t *data, size_t length)
{
	size_t done = 0;
	ssize_t got = 1;

	while (done < length && (got = read(fd, data + done, length - done)) > 0)
		done += (size_t)got;
	return got < 0 ? -1 : (ssize_t)done;
}

/* Of a file of a gigabyte and more, blocks of zeroes are left out, and the others go in with their places:
 * see Digest of entry.py. */
static int hash_file(int dir, const char *name, bool huge, char text[65])
{
	static uint8_t data[HASH_BLOCK];
	static const uint8_t ZEROES[HASH_BLOCK];
	struct sha256 sha;
	uint64_t at = 0;
	ssize_t got;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	sha256_begin(&sha);
	for (; (got = read_block(fd, data, sizeof(data))) > 0; at += (uint64_t)got) {
		uint64_t place = htobe64(at);

		if (huge && memcmp(data, ZEROES, (size_t)got) == 0)
			continue;
		if (huge)
			sha256_add(&sha, (const uint8_t *)&place, sizeof(place));
		sha256_add(&sha, data, (size_t)got);
	}
	close(fd);
	sha256_end(&sha, text);
	return got < 0 ? -errno : 0;
}

static void put_file(int dir, const char *name, const struct stat *st)
{
	static const char TYPES[16] = { [S_IFIFO >> 12] = 'p', [S_IFCHR >> 12] = 'c', [S_IFDIR >> 12] = 'd',
					[S_IFBLK >> 12] = 'b', [S_IFREG >> 12] = 'f', [S_IFLNK >> 12] = 'l',
					[S_IFSOCK >> 12] = 's' };
	char digest[65] = "-", target[TARGET_MAX] = "";
	int r = 0;

	if (S_ISREG(st->st_mode))
		r = hash_file(dir, name, st->st_size >= HUGE_SIZE, digest);
	if (r < 0) {
		put_error("read", -r);
		return;
	}
	if (S_ISLNK(st->st_mode) && readlinkat(dir, name, target, sizeof(target) - 1) < 0) {
		put_error("readlink", errno);
		return;
	}
	fprintf(out, "F\t%c\t%04o\t%u\t%u\t%lld.%09ld\t%lld\t%u:%u\t%lu\t%llu\t%s\t",
		TYPES[st->st_mode >> 12 & 15], st->st_mode & 07777, st->st_uid, st->st_gid,
		(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (long long)st->st_size,
		major(st->st_rdev), minor(st->st_rdev), (unsigned long)st->st_nlink,
		(unsigned long long)st->st_ino, digest);
	put_escaped(target);
	putc('\t', out);
	put_escaped(path[0] ? path : ".");
	putc('\n', out);
}

static void put_tree(int dir, int depth);

static void put_entry(int dir, const char *name, size_t length, int depth)
{
	struct stat st;
	int below;

	if (length + strlen(name) + 2 > PATH_ROOM) {
		put_error("path", ENAMETOOLONG);
		return;
	}
	snprintf(path + length, PATH_ROOM - length, "%s%s", length ? "/" : "", name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		put_error("stat", errno);
		return;
	}
	put_file(dir, name, &st);
	if (!S_ISDIR(st.st_mode))
		return;
	below =
	    depth < DEPTH_MAX ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : (errno = ELOOP, -1);
	if (below < 0)
		put_error("open", errno);
	else
		put_tree(below, depth + 1);
}

/* Closes dir. */
static void put_tree(int dir, int depth)
{
	size_t length = strlen(path);
	struct dirent *entry;
	DIR *list = fdopendir(dir);

	if (!list) {
		put_error("fdopendir", errno);
		close(dir);
		return;
	}
	while (errno = 0, (entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		put_entry(dir, entry->d_name, length, depth);
		path[length] = 0;
	}
	if (errno)
		put_error("readdir", errno);
	closedir(list);
}

/* ---- jobs ---- */

/* The device node of the disk or CD drive with that SCSI id. */
static bool find_device(const char *id, char *node, size_t room)
{
	char dir[256];
	struct dirent *entry;
	DIR *list;
	bool found = false;

	for (int tries = 0; tries < 100 && !found; tries++) {
		for (int host = 0; host < 4 && !found; host++) {
			snprintf(dir, sizeof(dir), "/sys/class/scsi_device/%d:0:%s:0/device/block", host, id);
			list = opendir(dir);
			while (list && (entry = readdir(list))) {
				if (entry->d_name[0] == '.')
					continue;
				snprintf(node, room, "/dev/%s", entry->d_name);
				found = access(node, F_OK) == 0;
			}
			if (list)
				closedir(list);
		}
		if (!found)
			usleep(50000);
	}
	return found;
}

/* Returns the text up to the next tab or line end, which is cut off. */
static char *word(char **rest)
{
	char *text = *rest;

	*rest += strcspn(*rest, "\t\n");
	if (**rest)
		*(*rest)++ = 0;
	return text;
}

static void do_job(char *line, int kmsg)
{
	char *rest = line, *number = word(&rest), *id = word(&rest), *type = word(&rest),
	     *options = word(&rest);
	char node[300];
	struct stat st;
	int dir;

	put_messages(kmsg, true);
	fprintf(out, "J\t%s\n", number);
	path[0] = 0;
	if (!find_device(id, node, sizeof(node))) {
		put_error("find the device", ENODEV);
	} else if (mount(node, "/mnt", type, MS_RDONLY, options) != 0) {
		put_error("mount", errno);
	} else {
		dir = open("/mnt", O_RDONLY | O_DIRECTORY);
		if (dir < 0 || fstat(dir, &st) != 0) {
			put_error("open", errno);
		} else {
			put_file(dir, ".", &st);
			put_tree(dir, 0);
		}
		if (umount2("/mnt", 0) != 0)
			put_error("umount", errno);
	}
	put_messages(kmsg, false);
}

static void each_line(const char *file, void (*use)(char *line, int kmsg), int kmsg)
{
	FILE *list = fopen(file, "re");
	char line[4096];

	while (list && fgets(line, sizeof(line), list))
		use(line, kmsg);
	if (list)
		fclose(list);
}

static void load_module(char *line, int kmsg)
{
	int fd;

	(void)kmsg;
	line[strcspn(line, "\n")] = 0;
	fd = open(line, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
		printf("%s: %s\n", line, strerror(errno));
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	char node[300];
	int kmsg;

	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	each_line("/modules", load_module, -1);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	out = find_device("0", node, sizeof(node)) ? fopen(node, "r+e") : NULL;
	if (out && kmsg >= 0) {
		setvbuf(out, NULL, _IOFBF, 1 << 20);
		each_line("/jobs", do_job, kmsg);
		fputs(".\n", out);
		fflush(out);
		fsync(fileno(out));
	} else {
		printf("no disk for the answer, or no messages: %s\n", strerror(errno));
	}
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
