/* SPDX-License-Identifier: BSD-2-Clause */
/* Every pointer argument of every call, given a bad address of each kind, answers EFAULT and the process lives on. */
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>

/*
 * The columns: call, arguments, which of them are pointers that the call must reject. A pointer argument is written
 * IN (read by the call) or OUT (written by it); in turn each of them gets the bad addresses while the others hold
 * good memory. Before each row the good memory is prepared as the row's arguments need it.
 */
enum {
	IN = -1000,  /* a readable structure or string; content: see text */
	OUT = -1001, /* a writable buffer */
	PATH = -1002, /* the name of an existing file */
	NEWP = -1003, /* a name that does not exist */
	DIRP = -1004, /* an existing directory */
	NUL = 0,
	FD = -1010, /* an open regular file, read and write */
	DFD = -1011, /* an open directory */
	PIPE_R = -1012, /* a pipe with data */
	PIPE_W = -1013,
	SOCK = -1014, /* one end of a connected pair with data waiting */
	EPFD = -1015,
	TFD = -1016, /* a timerfd */
	SELF = -1017, /* own pid */
	LISTEN = -1018, /* a listening socket with a connection waiting */
	FRESH = -1019, /* an unconnected socket */
};

struct row {
	const char *name;
	int nr;
	long arg[6];
	int fails_with; /* 0 means EFAULT */
};

#define ROW(call, ...) { #call, SYS_##call, { __VA_ARGS__ }, 0 }

static const struct row rows[] = {
	/* files by name */
	ROW(open, PATH, O_RDONLY, 0),
	ROW(open, NEWP, O_CREAT | O_EXCL | O_RDWR, 0600),
	ROW(openat, AT_FDCWD, PATH, O_RDONLY, 0),
	ROW(creat, NEWP, 0600),
	ROW(stat, PATH, OUT),
	ROW(lstat, PATH, OUT),
	ROW(fstat, FD, OUT),
	ROW(newfstatat, DFD, PATH, OUT, 0),
	ROW(statx, DFD, PATH, 0, 0x7ff, OUT),
	ROW(statfs, PATH, OUT),
	ROW(fstatfs, FD, OUT),
	ROW(access, PATH, R_OK),
	ROW(faccessat, DFD, PATH, R_OK),
	ROW(chmod, PATH, 0644),
	ROW(fchmodat, DFD, PATH, 0644),
	ROW(chown, PATH, 0, 0),
	ROW(lchown, PATH, 0, 0),
	ROW(fchownat, DFD, PATH, 0, 0, 0),
	ROW(truncate, PATH, 100),
	ROW(link, PATH, NEWP),
	ROW(linkat, DFD, PATH, DFD, NEWP, 0),
	ROW(symlink, IN, NEWP),
	ROW(symlinkat, IN, DFD, NEWP),
	ROW(unlink, NEWP),
	ROW(unlinkat, DFD, NEWP, 0),
	ROW(rename, PATH, PATH),
	ROW(renameat, DFD, PATH, DFD, PATH),
	ROW(renameat2, DFD, PATH, DFD, PATH, 0),
	ROW(mkdir, NEWP, 0700),
	ROW(mkdirat, DFD, NEWP, 0700),
	ROW(rmdir, NEWP),
	ROW(mknod, NEWP, S_IFIFO | 0600, 0),
	ROW(mknodat, DFD, NEWP, S_IFIFO | 0600, 0),
	ROW(chdir, DIRP),
	ROW(chroot, DIRP),
	ROW(getcwd, OUT, 4096),
	ROW(utimensat, DFD, PATH, IN, 0),
	ROW(utimes, PATH, IN),
	ROW(utime, PATH, IN),
	ROW(getdents64, DFD, OUT, 4096),
	ROW(getdents, DFD, OUT, 4096),
	ROW(umount2, NEWP, 0),
	ROW(execve, PATH, IN, IN),
	/* data */
	ROW(read, FD, OUT, 100),
	ROW(write, FD, IN, 100),
	ROW(pread64, FD, OUT, 100, 0),
	ROW(pwrite64, FD, IN, 100, 0),
	ROW(readv, FD, IN, 1),
	ROW(writev, FD, IN, 1),
	ROW(preadv, FD, IN, 1, 0, 0),
	ROW(pwritev, FD, IN, 1, 0, 0),
	ROW(preadv2, FD, IN, 1, 0, 0, 0),
	ROW(pwritev2, FD, IN, 1, 0, 0, 0),
	ROW(read, PIPE_R, OUT, 100),
	ROW(write, PIPE_W, IN, 100),
	ROW(sendfile, PIPE_W, FD, OUT, 10),
	ROW(copy_file_range, FD, OUT, FD, NUL, 1, 0),
	ROW(copy_file_range, FD, NUL, FD, OUT, 1, 0),
	ROW(pipe, OUT),
	ROW(pipe2, OUT, 0),
	ROW(fcntl, FD, F_GETLK, OUT),
	ROW(fcntl, FD, F_SETLK, IN),
	ROW(fcntl, FD, F_SETLKW, IN),
	ROW(fcntl, FD, 36 /* F_OFD_GETLK */, OUT),
	ROW(ioctl, PIPE_R, 0x541b /* FIONREAD */, OUT),
	ROW(ioctl, FD, 0x5421 /* FIONBIO */, IN),
	/* waiting for descriptors */
	ROW(poll, OUT, 1, 0),
	ROW(ppoll, OUT, 1, IN, NUL, 8),
	ROW(ppoll, OUT, 1, IN, IN, 8),
	ROW(select, 8, OUT, NUL, NUL, IN),
	ROW(select, 8, NUL, OUT, NUL, IN),
	ROW(select, 8, NUL, NUL, OUT, IN),
	ROW(pselect6, 8, OUT, NUL, NUL, IN, NUL),
	ROW(pselect6, 8, NUL, OUT, NUL, IN, NUL),
	ROW(pselect6, 0, NUL, NUL, NUL, IN, NUL),
	ROW(pselect6, 0, NUL, NUL, NUL, IN, IN),
	ROW(epoll_ctl, EPFD, 1, PIPE_R, IN),
	ROW(epoll_wait, EPFD, OUT, 1, 0),
	ROW(epoll_pwait, EPFD, OUT, 1, 0, NUL, 8),
	ROW(timerfd_settime, TFD, 0, IN, NUL),
	ROW(timerfd_settime, TFD, 0, IN, OUT),
	ROW(timerfd_gettime, TFD, OUT),
	ROW(signalfd4, -1, IN, 8, 0),
	/* processes */
	ROW(getrusage, 0, OUT),
	ROW(getrlimit, 7, OUT),
	ROW(setrlimit, 7, IN),
	ROW(prlimit64, 0, 7, IN, NUL),
	ROW(prlimit64, 0, 7, NUL, OUT),
	ROW(setgroups, 1, IN),
	ROW(getresuid, OUT, OUT, OUT),
	ROW(getresgid, OUT, OUT, OUT),
	ROW(uname, OUT),
	ROW(sysinfo, OUT),
	ROW(times, OUT),
	ROW(sethostname, IN, 4),
	ROW(prctl, PR_SET_NAME, IN),
	ROW(prctl, PR_GET_NAME, OUT),
	ROW(arch_prctl, 0x1003, OUT),
	ROW(sched_getaffinity, 0, 128, OUT),
	ROW(sched_setaffinity, 0, 128, IN),
	ROW(sched_getparam, 0, OUT),
	ROW(sched_rr_get_interval, 0, OUT),
	ROW(getcpu, OUT, OUT, NUL),
	ROW(getrandom, OUT, 16, 0),
	/* signals */
	ROW(rt_sigaction, SIGUSR1, IN, NUL, 8),
	ROW(rt_sigaction, SIGUSR1, NUL, OUT, 8),
	ROW(rt_sigprocmask, SIG_BLOCK, IN, NUL, 8),
	ROW(rt_sigprocmask, SIG_BLOCK, NUL, OUT, 8),
	ROW(rt_sigpending, OUT, 8),
	ROW(rt_sigsuspend, IN, 8),
	ROW(rt_sigtimedwait, IN, NUL, IN, 8),
	ROW(rt_sigqueueinfo, SELF, 0, IN),
	ROW(sigaltstack, IN, NUL),
	ROW(sigaltstack, NUL, OUT),
	/* time */
	ROW(clock_gettime, CLOCK_MONOTONIC, OUT),
	ROW(clock_getres, CLOCK_MONOTONIC, OUT),
	ROW(clock_settime, CLOCK_REALTIME, IN),
	ROW(nanosleep, IN, NUL),
	ROW(clock_nanosleep, CLOCK_MONOTONIC, 0, IN, NUL),
	ROW(gettimeofday, OUT, NUL),
	ROW(time, OUT),
	ROW(getitimer, ITIMER_VIRTUAL, OUT),
	ROW(setitimer, ITIMER_VIRTUAL, IN, NUL),
	ROW(setitimer, ITIMER_VIRTUAL, NUL, OUT),
	ROW(timer_create, CLOCK_MONOTONIC, IN, NUL),
	ROW(timer_create, CLOCK_MONOTONIC, NUL, OUT),
	/* memory */
	ROW(futex, IN, 0, 0, NUL, NUL, 0),
	ROW(futex, IN, 0, 0, IN, NUL, 0),
	/* sockets */
	ROW(socketpair, AF_UNIX, SOCK_STREAM, 0, OUT),
	ROW(bind, FRESH, IN, 20),
	ROW(connect, FRESH, IN, 20),
	ROW(accept, LISTEN, OUT, OUT),
	ROW(accept4, LISTEN, OUT, OUT, 0),
	ROW(getsockname, SOCK, OUT, OUT),
	ROW(getpeername, SOCK, OUT, OUT),
	ROW(getsockopt, SOCK, SOL_SOCKET, SO_TYPE, OUT, OUT),
	ROW(setsockopt, SOCK, SOL_SOCKET, SO_REUSEADDR, IN, 4),
	ROW(sendto, SOCK, IN, 20, 0, NUL, 0),
	ROW(recvfrom, SOCK, OUT, 20, 0, NUL, NUL),
	ROW(sendmsg, SOCK, IN, 0),
	ROW(recvmsg, SOCK, IN, MSG_DONTWAIT),
};

static long fd_for(long kind)
{
	static int pipes[2], pair[2];
	int fd = -1;
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "sock" };
	char junk[200] = "";
	switch (kind) {
	case FD:
		fd = open("file", O_RDWR);
		break;
	case DFD:
		fd = open(".", O_RDONLY | O_DIRECTORY);
		break;
	case PIPE_R:
	case PIPE_W:
		if (!pipes[0]) {
			NEED(pipe(pipes) == 0);
			NEED(write(pipes[1], junk, 200) == 200);
		}
		fd = pipes[kind == PIPE_W];
		break;
	case SOCK:
		NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		NEED(write(pair[1], junk, 200) == 200);
		fd = pair[0];
		break;
	case EPFD:
		fd = (int)syscall(SYS_epoll_create1, 0);
		{
			struct {
				uint32_t events;
				uint64_t data;
			} __attribute__((packed)) ev = { 1, 0 };
			NEED(pipe(pair) == 0 && write(pair[1], "x", 1) == 1);
			NEED(syscall(SYS_epoll_ctl, fd, 1, pair[0], &ev) == 0);
		}
		break;
	case TFD:
		fd = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
		break;
	case LISTEN:
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		NEED(bind(fd, (void *)&un, sizeof un) == 0 && listen(fd, 5) == 0);
		NEED(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, sizeof un) == 0);
		unlink("sock");
		break;
	case FRESH:
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		break;
	}
	NEED(fd >= 0);
	return fd;
}

static int is_pointer(long a)
{
	return a <= IN && a >= DIRP;
}

static long good_pointer(const struct row *r, long kind)
{
	static char out[6][PAGE], file[] = "file", fresh[] = "new-name", dir[] = "dir";
	static int n;
	char *p = out[n++ % 6];
	switch (kind) {
	case PATH:
		return (long)file;
	case NEWP:
		return (long)fresh;
	case DIRP:
		return (long)dir;
	}
	memset(p, 0, PAGE);
	if (r->nr == SYS_symlink || r->nr == SYS_symlinkat)
		strcpy(p, "target");
	if (r->nr >= SYS_accept && kind == OUT && (r->nr == SYS_accept || r->nr == SYS_getsockname || r->nr == SYS_getpeername ||
						 r->nr == SYS_accept4 || r->nr == SYS_getsockopt))
		*(int *)p = 100; /* a length, where it is one */
	if (r->nr == SYS_fcntl)
		((struct flock *)p)->l_type = F_RDLCK;
	if (kind == OUT && (r->nr == SYS_poll || r->nr == SYS_ppoll))
		*(int *)p = -1; /* a descriptor to skip */
	return (long)p;
}

/* Run in a child: some calls would change the process when they wrongly succeed, and a crash must be seen. */
static int try_bad(const struct row *r, int which, void *bad)
{
	pid_t pid = fork();
	if (pid == 0) {
		long a[6];
		for (int i = 0; i < 6; i++) {
			a[i] = r->arg[i];
			if (i == which)
				a[i] = (long)bad;
			else if (is_pointer(a[i]))
				a[i] = good_pointer(r, a[i]);
			else if (a[i] <= FD && a[i] >= FRESH)
				a[i] = a[i] == SELF ? getpid() : fd_for(a[i]);
		}
		alarm(3);
		long ret = syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(ret == -1 ? errno : 0);
	}
	int st = wait_status(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

static void check_row(const struct row *r, int which, const char *kind, void *bad)
{
	char what[120], got[60];
	int e = try_bad(r, which, bad);
	snprintf(what, sizeof what, "%s: argument %d %s", r->name, which + 1, kind);
	snprintf(got, sizeof got, e < 0 ? "signal %d" : "errno %d", e < 0 ? -e : e);
	if (e != EFAULT)
		check_fail(__FILE__, __LINE__, what, got, "EFAULT");
}

static void all_rows(int first, int step)
{
	file_put("file", "some text in a file");
	mkdir("dir", 0755);
	NEED(chmod("file", 0755) == 0);
	for (size_t k = (size_t)first; k < sizeof rows / sizeof *rows; k += (size_t)step) {
		const struct row *r = &rows[k];
		for (int i = 0; i < 6; i++) {
			if (!is_pointer(r->arg[i]))
				continue;
			check_page->line = (int)k;
			check_row(r, i, "unmapped", bad_unmapped());
			check_row(r, i, "of the kernel", bad_kernel());
			if (k % 4 == 0) {
				check_row(r, i, "not canonical", bad_noncanonical());
				check_row(r, i, "inaccessible", bad_none());
			}
			if (r->arg[i] == OUT && r->nr != SYS_fcntl && r->nr != SYS_copy_file_range)
				check_row(r, i, "read-only", bad_readonly());
		}
	}
	unlink("file"), rmdir("dir"), unlink("new-name"), unlink("sock");
}

static void every_pointer_of_every_call(void)
{
	all_rows(0, 1);
}

static void strings_that_run_into_a_hole(void)
{
	char *s = unterminated("file");
	struct stat st;
	CHECK_ERR(syscall(SYS_open, s, O_RDONLY), EFAULT);
	CHECK_ERR(syscall(SYS_stat, s, &st), EFAULT);
	CHECK_ERR(syscall(SYS_mkdir, s, 0755), EFAULT);
	CHECK_ERR(syscall(SYS_chdir, s), EFAULT);
	CHECK_ERR(syscall(SYS_symlink, s, "x"), EFAULT);
	CHECK_ERR(syscall(SYS_rename, "x", s), EFAULT);
	char *t = page_end(6);
	memcpy(t, ".////", 6); /* terminated by the page's last byte: fine */
	CHECK_EQ(syscall(SYS_stat, t, &st), 0);
}

int main(void)
{
	RUN(every_pointer_of_every_call);
	RUN(strings_that_run_into_a_hole);
	return check_end();
}
