/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random system calls with random arguments, all numbers, from short-lived processes: nothing may harm the system, hang
 * a process beyond SIGKILL, or disturb the parent. Usage: random_syscalls [SECONDS [SEED [root]]]; default 10 seconds, a
 * seed from the clock (printed), as an ordinary user. "root" keeps the privileges: for a guest only.
 *
 * The calls happen in a folder of their own, "arena". What they write is bounded: by a limit on the size of files, and for root,
 * who can lift that, by a file system of its own, which must be as empty as before when its files are removed.
 */
static int deadline_s = 60;
#define CHECK_DEADLINE_S deadline_s
#include "check.h"
#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { FILE_LIMIT = 1 << 20 };
static int seconds = 10, as_root;
static uint64_t seed, state;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

/* Left out: what would end the machine or the test, make processes that escape the parent, or reach other processes. */
static const short left_out[] = {
	SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_fork, SYS_vfork, SYS_clone, 435 /* clone3 */, SYS_setsid, SYS_setpgid, SYS_exit, SYS_exit_group,
	SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, 424 /* pidfd_send_signal */,
	SYS_ptrace, SYS_process_vm_writev, SYS_process_vm_readv, SYS_migrate_pages, SYS_move_pages, SYS_settimeofday,
	SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_vhangup, SYS_sethostname, SYS_setdomainname, SYS_mount,
	SYS_umount2, SYS_pivot_root, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_iopl, SYS_ioperm, SYS_syslog,
	SYS_prlimit64, SYS_setpriority, SYS_ioprio_set, SYS_shmget, SYS_semget, SYS_msgget, SYS_add_key,
	SYS_request_key, SYS_keyctl, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr, SYS_sched_setaffinity,
};

static int allowed(long nr)
{
	if (nr >= 428 && nr <= 433) /* mounting by descriptors */
		return 0;
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
		if (left_out[i] == nr)
			return 0;
	return 1;
}

static char *pool; /* 4 writable pages, then a hole */
static char *names;
static int fds[24], nfds;

static void make_objects(void)
{
	int p[2];
	pool = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pool + 4 * PAGE, PAGE);
	names = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const char *const some[] = { "a", "b", "d", "d/e", "link", "sock", ".", "d/../a", "a/b", "" };
	for (int i = 0; i < 10; i++)
		strcpy(names + 32 * i, some[i]);
	memset(names + 320, 'n', 300);
	int null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	fds[nfds++] = null;
	fds[nfds++] = open("a", O_CREAT | O_RDWR, 0666);
	fds[nfds++] = open(".", O_RDONLY);
	mkdir("d", 0777);
	fds[nfds++] = open("d", O_PATH);
	if (pipe2(p, rnd() % 2 ? O_NONBLOCK : 0) == 0)
		fds[nfds++] = p[0], fds[nfds++] = p[1];
	for (int type = 0; type < 3; type++)
		if (socketpair(AF_UNIX, (int[]){ SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET }[type], 0, p) == 0)
			fds[nfds++] = p[0], fds[nfds++] = p[1];
	fds[nfds++] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[nfds++] = epoll_create1(0);
	fds[nfds++] = eventfd(3, 0);
	fds[nfds++] = timerfd_create(CLOCK_MONOTONIC, 0);
	fds[nfds++] = open("/dev/zero", O_RDWR);
	fds[nfds++] = open("/proc/self/status", O_RDONLY);
	fds[nfds++] = open("/proc", O_RDONLY);
	fds[nfds++] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static uint64_t random_pointer(void)
{
	switch (rnd() % 12) {
	case 0:
		return (uint64_t)bad_unmapped();
	case 1:
		return (uint64_t)bad_kernel();
	case 2:
		return (uint64_t)bad_noncanonical();
	case 3:
		return (uint64_t)bad_readonly();
	case 4:
		return (uint64_t)(pool + 4 * PAGE - rnd() % 200); /* runs into the hole */
	case 5:
	case 6:
		return (uint64_t)(names + 32 * (rnd() % 11));
	default:
		return (uint64_t)(pool + rnd() % (3 * PAGE) / 8 * 8);
	}
}

static uint64_t random_argument(void)
{
	switch (rnd() % 16) {
	case 0:
	case 1:
		return rnd() % 10;
	case 2:
		return rnd() % 4096;
	case 3:
		return 1ULL << rnd() % 64;
	case 4:
		return 0 - rnd() % 100;
	case 5:
		return rnd();
	case 6:
		return rnd() >> 32;
	case 7:
		return (uint64_t[]){ PAGE, 1 << 20, INT64_MAX, UINT32_MAX, INT32_MAX, 1ULL << 47, PAGE - 1, 65536 }[rnd() % 8];
	case 8:
	case 9:
	case 10:
		return (uint64_t)fds[rnd() % (unsigned)nfds];
	default:
		return random_pointer();
	}
}

/* Random bytes, without those that make paths leading elsewhere; pointers and descriptors in between. */
static void refill_pool(void)
{
	for (int i = 0; i < 60; i++) {
		uint64_t v = rnd() % 3 ? random_argument() : rnd() % 8;
		char *at = pool + rnd() % (4 * PAGE - 8) / 8 * 8;
		memcpy(at, &v, 8);
		for (int k = 0; k < 8; k++)
			if (at[k] == '/' || at[k] == '.')
				at[k] = '_';
	}
}

static volatile unsigned long *calls;

static long raw6(long nr, const uint64_t *a)
{
	long ret;
	register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static void worker(uint64_t number)
{
	state = seed + number * 0x9e3779b97f4a7c15ULL;
	for (int i = 0; i < 5; i++)
		rnd();
	struct rlimit rl = { FILE_LIMIT, FILE_LIMIT };
	setrlimit(RLIMIT_FSIZE, &rl);
	signal(SIGXFSZ, SIG_IGN);
	make_objects();
	if (!as_root)
		become_user(60010);
	for (int i = 0; i < 20000; i++) {
		uint64_t a[6];
		long nr = rnd() % 20 ? (long)(rnd() % 470) : rnd() % 3 ? (long)(rnd() % 600) : (long)(0x1000 + rnd() % 64);
		if (rnd() % 500 == 0)
			nr = (long)rnd();
		if (!allowed(nr))
			continue;
		refill_pool();
		for (int k = 0; k < 6; k++)
			a[k] = random_argument();
		__atomic_add_fetch(calls, 1, __ATOMIC_RELAXED);
		raw6(nr, a);
	}
}

/* SIGKILL must end it, whatever state it got itself into. */
static int dies(pid_t pid)
{
	for (int i = 0; i < 3000; i++) {
		kill(pid, SIGKILL);
		kill(pid, SIGCONT);
		if (waitpid(pid, NULL, WNOHANG | __WALL) == pid)
			return 1;
		sleep_ms(i < 20 ? 1 : 10);
	}
	return 0;
}

static void works(void)
{
	int p[2];
	char c = 0;
	IN_CHILD
	{
		NEED(pipe(p) == 0);
		CHECK_EQ(write(p[1], "x", 1), 1);
		CHECK_EQ(read(p[0], &c, 1), 1);
		file_put("check", "the system still works");
		CHECK_STR(file_get("check"), "the system still works");
		CHECK_EQ(unlink("check"), 0);
	}
}

static void remove_below(const char *path);

static void remove_all(const char *path)
{
	chmod(path, 0700);
	if (unlink(path) == 0)
		return;
	remove_below(path);
	rmdir(path);
}

/* Free space in the arena's file system, in KiB. */
static unsigned long arena_free(void)
{
	struct statvfs sv;
	NEED(statvfs("arena", &sv) == 0);
	return sv.f_bfree * (sv.f_frsize / 1024);
}

static unsigned long arena_free_at_first;

static void arena_open(void)
{
	NEED(chmod(".", 0755) == 0 && mkdir("arena", 0777) == 0);
	if (as_root)
		NEED(mount("none", "arena", "tmpfs", 0, "size=64m") == 0);
	NEED(chmod("arena", 0777) == 0);
	arena_free_at_first = arena_free();
}

static void remove_below(const char *path)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		char below[4300];
		snprintf(below, sizeof below, "%s/%s", path, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_all(below);
	}
	if (d)
		closedir(d);
}

static void arena_empty(void)
{
	chmod("arena", 0777);
	remove_below("arena");
	CHECK_ERR(rmdir("arena/d"), ENOENT);
	if (!as_root)
		return;
	for (int i = 0; i < 100 && arena_free() != arena_free_at_first; i++)
		sleep_ms(10); /* what the dead held open may take a moment to go */
	CHECK_EQ(arena_free(), arena_free_at_first);
}

static void arena_close(void)
{
	arena_empty();
	if (as_root)
		CHECK_EQ(umount("arena"), 0);
	CHECK_EQ(rmdir("arena"), 0);
}

static void random_calls_harm_nobody(void)
{
	long long end = now_ms() + seconds * 1000LL, told = now_ms();
	uint64_t number = 0;
	/* between guard pages, because calls write far beyond the buffers they are given */
	char *guarded = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(mprotect(guarded, PAGE, PROT_NONE) == 0 && mprotect(guarded + 2 * PAGE, PAGE, PROT_NONE) == 0);
	calls = (unsigned long *)(guarded + PAGE);
	arena_open();
	while (now_ms() < end) {
		pid_t pid[3];
		for (int i = 0; i < 3; i++) {
			pid[i] = fork();
			NEED(pid[i] >= 0);
			if (pid[i] == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
				munmap(check_page, PAGE); /* the parent's book-keeping must be out of reach */
				check_page = &check_private;
				if (chdir("arena") == 0)
					worker(number + (unsigned)i);
				_exit(0);
			}
		}
		for (int i = 0; i < 60; i++) {
			sleep_ms(5);
			siginfo_t si = { 0 };
			if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid != 0)
				break;
		}
		for (int i = 0; i < 3; i++)
			NEED(dies(pid[i]));
		number += 3;
		chmod("arena", 0777);
		works();
		if (now_ms() - told > 10000) {
			told = now_ms();
			say("%llu processes, %lu calls\n", (unsigned long long)number, *calls);
		}
		if (number % 30 == 0)
			arena_empty();
	}
	arena_close();
	say("%llu processes, %lu calls in all\n", (unsigned long long)number, *calls);
	CHECK(*calls > 100);
}

int main(int argc, char **argv)
{
	seconds = argc > 1 ? atoi(argv[1]) : 10;
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	as_root = argc > 3 && strcmp(argv[3], "root") == 0;
	deadline_s = seconds + 240;
	say("seed %llu\n", (unsigned long long)seed);
	RUN(random_calls_harm_nobody);
	return check_end();
}
