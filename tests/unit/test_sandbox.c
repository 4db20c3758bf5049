/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each role's filter, in a process that then does what it must not: it's refused, or is the end of it. */
#include "unit.h"

#include "worker/role.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int medium = -1; /* an image file that is open for writing, as the daemon's is */

static const char *const all[] = { "probe", "import", "verify", "burn", "head", "drive", "sync" };

static int do_open(void)
{
	return open("/dev/null", O_RDONLY);
}

static int do_create(void)
{
	return open("/tmp/discfs-sandbox-escaped", O_WRONLY | O_CREAT, 0600);
}

static int do_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static int do_exec(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	return execv("/bin/true", argv);
}

static int do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static int do_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int do_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int do_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int do_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int do_mount(void)
{
	return mount("none", "/tmp", "tmpfs", MS_REMOUNT | MS_BIND, NULL);
}

static int do_bpf(void)
{
	union bpf_attr attr = { 0 };

	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static int do_write_medium(void)
{
	return (int)pwrite(medium, "x", 1, 0);
}

static int do_append_medium(void)
{
	return (int)write(medium, "x", 1);
}

static int do_cut_medium(void)
{
	return ftruncate(medium, 0);
}

static int do_map_medium(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, medium, 0) == MAP_FAILED ? -1 : 0;
}

static int do_map_program(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
													 : 0;
}

static int do_ioctl(void)
{
	int bytes;

	return ioctl(medium, FIONREAD, &bytes);
}

static int do_kill_parent(void)
{
	return kill(getppid(), 0);
}

/* What must still go. */
static int do_work(void)
{
	char byte, *memory = malloc(10 << 20);
	struct stat st;

	memset(memory, 1, 10 << 20);
	free(memory);
	return pread(medium, &byte, 1, 0) == 1 && fstat(medium, &st) == 0 && geteuid() == getuid() ? 0 : -1;
}

/* How a process of that role ended that tried it: 0 = it could, EACCES and the like = refused, -SIGSYS. */
static int try_it(const char *role, int (*what)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const struct role *known = worker_role(role);
		struct reason why = { 0 };

		sandbox_enter(60);
		if (!known || (known->prepare && known->prepare(&why) < 0) ||
		    sandbox_filter(known->filter) < 0)
			_exit(255);
		_exit(what() < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 255);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static bool is_reader(const char *role)
{
	return worker_role(role)->filter == SANDBOX_READER;
}

struct attempt {
	const char *name;
	int (*what)(void);
	int reader, drive; /* how it ends */
};

static const struct attempt attempts[] = {
	{ "work", do_work, 0, 0 },
	{ "open", do_open, EACCES, 0 },
	{ "stat", do_stat, EACCES, 0 },
	{ "ioctl", do_ioctl, ENOTTY, 0 },
	{ "exec", do_exec, -SIGSYS, -SIGSYS },
	{ "socket", do_socket, -SIGSYS, -SIGSYS },
	{ "unix socket", do_unix_socket, -SIGSYS, -SIGSYS },
	{ "ptrace", do_ptrace, -SIGSYS, -SIGSYS },
	{ "unshare", do_unshare, -SIGSYS, -SIGSYS },
	{ "mount", do_mount, -SIGSYS, -SIGSYS },
	{ "bpf", do_bpf, -SIGSYS, -SIGSYS },
	{ "fork", do_fork, -SIGSYS, 0 },
	{ "kill the parent", do_kill_parent, -SIGSYS, 0 },
	{ "write to the medium", do_write_medium, -SIGSYS, 1 },
	{ "append to the medium", do_append_medium, -SIGSYS, 1 },
	{ "cut the medium", do_cut_medium, -SIGSYS, 1 },
	{ "map the medium", do_map_medium, -SIGSYS, 1 },
	{ "map a program", do_map_program, -SIGSYS, 1 },
};

static void test_attempts(void **state)
{
	if (!sandbox_filters())
		skip();
	for (size_t r = 0; r < sizeof all / sizeof *all; r++)
		for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
			const struct attempt *attempt = &attempts[i];
			int wanted = is_reader(all[r]) ? attempt->reader : attempt->drive;
			int got;

			if (wanted == 1) /* allowed, and would change what the others read */
				continue;
			got = try_it(all[r], attempt->what);
			if (got != wanted)
				printf("%s: %s: %d\n", all[r], attempt->name, got);
			assert_int_equal(got, wanted);
		}
}

/* Not that the attempts fail anyway. */
static void test_could_without(void **state)
{
	int fd = do_open();

	assert_true(fd >= 0);
	close(fd);
	fd = do_socket();
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(do_stat(), 0);
	assert_int_equal(do_map_medium(), 0);
	assert_int_equal(do_map_program(), 0);
	assert_int_equal(do_write_medium(), 1);
	assert_int_equal(do_fork(), 0);
}

static void test_nothing_made(void **state)
{
	if (!sandbox_filters())
		skip();
	for (size_t r = 0; r < sizeof all / sizeof *all; r++)
		if (is_reader(all[r]))
			assert_int_equal(try_it(all[r], do_create), EACCES);
	assert_int_equal(access("/tmp/discfs-sandbox-escaped", F_OK), -1);
}

/* All that parse what a disc holds. */
static void test_who_reads(void **state)
{
	assert_true(is_reader("probe") && is_reader("import") && is_reader("verify"));
	assert_null(worker_role("shell"));
}

static int start(void **state)
{
	char name[] = "/tmp/discfs-sandbox-XXXXXX";

	medium = mkstemp(name);
	if (medium < 0 || unlink(name) < 0 || ftruncate(medium, 65536) < 0)
		return -1;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_reads),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_nothing_made),
		cmocka_unit_test(test_could_without),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
