/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/sandbox.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMORY_LIMIT (4ull << 30) /* a million files take some 600 MB of libisofs' tree */
#define FILE_LIMIT   64u
/* A directory record of 34 bytes becomes some 600 bytes of memory, so a sector of them 36,000; and a small
 * tree with attributes many times that. Measured: a million files take 3 s. */
#define MEMORY_AT_LEAST	 (384ull << 20)
#define MEMORY_A_SECTOR	 36000u
#define CPU_AT_LEAST	 8u
#define SECTORS_A_SECOND 2000u

/* Address sanitizers reserve terabytes of addresses for their shadow, and read /proc when they report. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void limit(int what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) != 0)
		return;
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	if (what == RLIMIT_CPU && value) /* SIGXCPU tells more than SIGKILL a second later */
		now.rlim_cur = value - 1;
	(void)setrlimit((__rlimit_resource_t)what, &now);
}

void sandbox_enter(unsigned cpu_seconds)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, cpu_seconds);
	limit(RLIMIT_NOFILE, FILE_LIMIT);
	if (!SANITIZED)
		limit(RLIMIT_AS, MEMORY_LIMIT);
}

void sandbox_scale(uint64_t sectors, bool cpu)
{
	if (cpu)
		limit(RLIMIT_CPU, CPU_AT_LEAST + sectors / SECTORS_A_SECOND);
	if (!SANITIZED)
		limit(RLIMIT_AS, min_u64(MEMORY_LIMIT, MEMORY_AT_LEAST + MEMORY_A_SECTOR * sectors));
}

/* A condition on one argument; without one (mask and value 0) the call is allowed as it is. */
struct rule {
	int call;
	unsigned argument;
	uint64_t mask, value; /* argument & mask == value */
};

#define WHOLE                                                                                                \
	0xffffffffu /* of descriptors, process numbers and requests: the kernel looks at 32 bits only        \
		     */

/* What glibc, libisofs, zlib and libcrypto use, as strace shows them. */
static const struct rule reader[] = {
	/* the medium; it may be open for writing, so there's no call that could, except to standard error */
	{ SCMP_SYS(read), 0, 0, 0 },
	{ SCMP_SYS(readv), 0, 0, 0 },
	{ SCMP_SYS(pread64), 0, 0, 0 },
	{ SCMP_SYS(lseek), 0, 0, 0 },
	{ SCMP_SYS(fstat), 0, 0, 0 },
	{ SCMP_SYS(fadvise64), 0, 0, 0 },
	{ SCMP_SYS(close), 0, 0, 0 },
	{ SCMP_SYS(write), 0, WHOLE, STDERR_FILENO },
	{ SCMP_SYS(writev), 0, WHOLE, STDERR_FILENO },
	/* the link */
	{ SCMP_SYS(sendmsg), 0, 0, 0 },
	{ SCMP_SYS(recvmsg), 0, 0, 0 },
	{ SCMP_SYS(shutdown), 0, 0, 0 },
	{ SCMP_SYS(poll), 0, 0, 0 },
	{ SCMP_SYS(ppoll), 0, 0, 0 },
	{ SCMP_SYS(fcntl), 1, WHOLE, F_GETFL },
	{ SCMP_SYS(fcntl), 1, WHOLE, F_GETFD },
	/* memory: none that is a program, or written back to a file */
	{ SCMP_SYS(brk), 0, 0, 0 },
	{ SCMP_SYS(munmap), 0, 0, 0 },
	{ SCMP_SYS(mremap), 0, 0, 0 },
	{ SCMP_SYS(madvise), 0, 0, 0 },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
	/* locks; there is one thread */
	{ SCMP_SYS(futex), 0, 0, 0 },
	{ SCMP_SYS(sched_yield), 0, 0, 0 },
	{ SCMP_SYS(sched_getaffinity), 0, 0, 0 },
	{ SCMP_SYS(gettid), 0, 0, 0 },
	/* time, chance, who and where we are */
	{ SCMP_SYS(clock_gettime), 0, 0, 0 },
	{ SCMP_SYS(clock_getres), 0, 0, 0 },
	{ SCMP_SYS(clock_nanosleep), 0, 0, 0 },
	{ SCMP_SYS(nanosleep), 0, 0, 0 },
	{ SCMP_SYS(gettimeofday), 0, 0, 0 },
	{ SCMP_SYS(time), 0, 0, 0 },
	{ SCMP_SYS(getrandom), 0, 0, 0 },
	{ SCMP_SYS(sysinfo), 0, 0, 0 },
	{ SCMP_SYS(getpid), 0, 0, 0 },
	{ SCMP_SYS(getuid), 0, 0, 0 },
	{ SCMP_SYS(getgid), 0, 0, 0 },
	{ SCMP_SYS(geteuid), 0, 0, 0 },
	{ SCMP_SYS(getegid), 0, 0, 0 },
	/* the end */
	{ SCMP_SYS(rt_sigaction), 0, 0, 0 },
	{ SCMP_SYS(rt_sigprocmask), 0, 0, 0 },
	{ SCMP_SYS(rt_sigreturn), 0, 0, 0 },
	{ SCMP_SYS(sigaltstack), 0, 0, 0 },
	{ SCMP_SYS(restart_syscall), 0, 0, 0 },
	{ SCMP_SYS(pause), 0, 0, 0 },
	{ SCMP_SYS(exit), 0, 0, 0 },
	{ SCMP_SYS(exit_group), 0, 0, 0 },
};

/* Refused with an error: what libraries try and can do without. newfstatat is how glibc does fstat. */
static const struct {
	int call, err;
} refused[] = {
	{ SCMP_SYS(open), EACCES },	  { SCMP_SYS(openat), EACCES },	    { SCMP_SYS(access), EACCES },
	{ SCMP_SYS(faccessat), EACCES },  { SCMP_SYS(faccessat2), EACCES }, { SCMP_SYS(stat), EACCES },
	{ SCMP_SYS(lstat), EACCES },	  { SCMP_SYS(statx), ENOSYS },	    { SCMP_SYS(readlink), EACCES },
	{ SCMP_SYS(readlinkat), EACCES }, { SCMP_SYS(prlimit64), EPERM },   { SCMP_SYS(ioctl), ENOTTY },
};

/* What no burner needs, of what can do harm outside the drive and its image. */
static const int forbidden[] = {
	/* other programs and processes */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	/* the network, and ways around this list */
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(bpf),
	/* namespaces and mounts */
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(quotactl),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	/* the kernel */
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(syslog),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(acct),
	/* other users */
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid),
	SCMP_SYS(capset),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	SCMP_SYS(personality),
};

static int allow(scmp_filter_ctx filter, const struct rule *rule)
{
	const struct scmp_arg_cmp test = { rule->argument, SCMP_CMP_MASKED_EQ, rule->mask, rule->value };

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->call, rule->mask ? 1 : 0, &test);
}

/* Rules with two conditions, and those on what is only known now. */
static int allow_special(scmp_filter_ctx filter)
{
	const struct rule to_self[] = { { SCMP_SYS(tgkill), 0, WHOLE, (uint64_t)getpid() },
					{ SCMP_SYS(kill), 0, WHOLE, (uint64_t)getpid() } };
	int got = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				   SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));

	if (got == 0)
		got = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
				       SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	if (got == 0)
		got = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1,
				       SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
	for (size_t i = 0; got == 0 && i < sizeof to_self / sizeof *to_self; i++)
		got = allow(filter, &to_self[i]);
	return got;
}

static int fill_reader(scmp_filter_ctx filter)
{
	int got = allow_special(filter);

	for (size_t i = 0; got == 0 && i < sizeof reader / sizeof *reader; i++)
		got = allow(filter, &reader[i]);
	for (size_t i = 0; got == 0 && i < sizeof refused / sizeof *refused; i++)
		got = seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)refused[i].err), refused[i].call, 0);
	return got;
}

static int fill_drive(scmp_filter_ctx filter)
{
	int got = 0;

	for (size_t i = 0; got == 0 && i < sizeof forbidden / sizeof *forbidden; i++)
		got = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, forbidden[i], 0);
	return got;
}

static void release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

bool sandbox_filters(void)
{
	return !SANITIZED;
}

int sandbox_filter(enum sandbox_filter kind)
{
	uint32_t other = kind == SANDBOX_READER ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW;
	CLEANUP(release) scmp_filter_ctx filter = NULL;
	int got;

	if (SANITIZED)
		return 0;
	filter = seccomp_init(other);
	if (!filter)
		return -ENOMEM;
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a row of comparisons */
	got = kind == SANDBOX_READER ? fill_reader(filter) : fill_drive(filter);
	return got < 0 ? got : seccomp_load(filter);
}
