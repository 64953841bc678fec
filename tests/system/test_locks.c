/* SPDX-License-Identifier: BSD-2-Clause */
/* Record locks, open-file-description locks and flock: conflict, splitting, waiting, deadlock, and release. */
#include "check.h"
#include <sys/file.h>

enum { OFD_GETLK = 36, OFD_SETLK = 37, OFD_SETLKW = 38 };

static int fd;

static int lock(int file, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	return fcntl(file, cmd, &fl);
}

/* What another process would meet there: the type of the first conflicting lock, its range and owner. */
static struct flock probe(int type, off_t start, off_t len)
{
	struct flock *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	IN_CHILD
	{
		*shared = (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
		CHECK_EQ(fcntl(fd, F_GETLK, shared), 0);
	}
	struct flock fl = *shared;
	munmap(shared, PAGE);
	return fl;
}

static void conflict_rules(void)
{
	fd = file_make("f", "0123456789");
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 0, 5), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 5, 5), 0);
	struct flock q = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQ(fcntl(fd, F_GETLK, &q), 0);
	CHECK_EQ(q.l_type, F_UNLCK); /* own locks are no conflict */
	q = probe(F_RDLCK, 0, 5);
	CHECK_EQ(q.l_type, F_UNLCK);
	q = probe(F_WRLCK, 0, 0);
	CHECK(q.l_type == F_RDLCK && q.l_start == 0 && q.l_len == 5 && q.l_pid == getpid());
	q = probe(F_RDLCK, 7, 1);
	CHECK(q.l_type == F_WRLCK && q.l_start == 5 && q.l_len == 5);
	IN_CHILD
	{
		CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 2, 2), 0);
		CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 2, 2), EAGAIN);
		CHECK_ERR(lock(fd, F_SETLK, F_RDLCK, 4, 2), EAGAIN);
		CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
	}
	unlink("f");
}

static void splitting_and_joining(void)
{
	fd = file_make("f", "");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 100), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 40, 20), 0);
	struct flock q = probe(F_WRLCK, 0, 0);
	CHECK(q.l_start == 0 && q.l_len == 40);
	q = probe(F_WRLCK, 40, 20);
	CHECK_EQ(q.l_type, F_UNLCK);
	q = probe(F_WRLCK, 50, 0);
	CHECK(q.l_start == 60 && q.l_len == 40);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 40, 20), 0);
	q = probe(F_WRLCK, 30, 10);
	CHECK(q.l_start == 0 && q.l_len == 100); /* one again */
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 10, 10), 0); /* changed in the middle */
	q = probe(F_RDLCK, 0, 0);
	CHECK(q.l_start == 0 && q.l_len == 10 && q.l_type == F_WRLCK);
	q = probe(F_WRLCK, 10, 5);
	CHECK(q.l_start == 10 && q.l_len == 10 && q.l_type == F_RDLCK);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 1000, 0), 0); /* to the end of all */
	q = probe(F_WRLCK, 1LL << 60, 1);
	CHECK(q.l_start == 1000 && q.l_len == 0);
	unlink("f");
}

static void origins_and_errors(void)
{
	fd = file_make("f", "0123456789");
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -4, .l_len = 2 };
	CHECK_EQ(fcntl(fd, F_SETLK, &fl), 0);
	struct flock q = probe(F_WRLCK, 0, 0);
	CHECK(q.l_start == 6 && q.l_len == 2);
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 0, .l_len = -2 }; /* the two before */
	CHECK_EQ(fcntl(fd, F_SETLK, &fl), 0);
	q = probe(F_WRLCK, 0, 0);
	CHECK(q.l_start == 1 && q.l_len == 2);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
	CHECK_ERR(lock(fd, F_SETLK, 77, 0, 1), EINVAL);
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = 9 };
	CHECK_ERR(fcntl(fd, F_SETLK, &fl), EINVAL);
	int ro = open("f", O_RDONLY), wo = open("f", O_WRONLY);
	CHECK_ERR(lock(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK_ERR(lock(wo, F_SETLK, F_RDLCK, 0, 1), EBADF);
	CHECK_ERR(lock(-1, F_SETLK, F_RDLCK, 0, 1), EBADF);
	CHECK_ERR(fcntl(fd, F_SETLK, bad_unmapped()), EFAULT);
	CHECK_ERR(fcntl(fd, F_GETLK, bad_readonly()), EFAULT);
	unlink("f");
}

static void closing_any_descriptor_releases(void)
{
	fd = file_make("f", "");
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	close(open("f", O_RDONLY)); /* POSIX's famous rule */
	struct flock q = probe(F_WRLCK, 0, 0);
	CHECK_EQ(q.l_type, F_UNLCK);
	unlink("f");
}

static void exit_releases_and_wakes(void)
{
	int go[2];
	char c;
	pid_t pid;
	fd = file_make("f", "");
	NEED(pipe(go) == 0);
	CHILD(pid)
	{
		CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
		NEED(write(go[1], "x", 1) == 1);
		sleep_ms(60);
	}
	NEED(read(go[0], &c, 1) == 1);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
	CHECK_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 0), 0); /* waits for the holder's end */
	CHECK_EXIT(pid, 0);
	unlink("f");
}

static void deadlock_is_found(void)
{
	int ready[2], err;
	char c;
	pid_t pid;
	fd = file_make("f", "");
	NEED(pipe(ready) == 0);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	CHILD(pid)
	{
		CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 1, 1), 0);
		NEED(write(ready[1], "x", 1) == 1);
		CHECK_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 1), 0); /* goes on when the other gives up */
	}
	NEED(read(ready[0], &c, 1) == 1);
	wait_asleep(pid);
	err = lock(fd, F_SETLKW, F_WRLCK, 1, 1) == -1 ? errno : 0;
	CHECK_EQ(err, EDEADLK);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	CHECK_EXIT(pid, 0);
	unlink("f");
}

static void nothing(int sig)
{
	(void)sig;
}

static void interrupted_wait(void)
{
	int ready[2];
	char c;
	pid_t pid;
	fd = file_make("f", "");
	NEED(pipe(ready) == 0);
	CHILD(pid)
	{
		CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
		NEED(write(ready[1], "x", 1) == 1);
		pause();
	}
	NEED(read(ready[0], &c, 1) == 1);
	on_signal(SIGALRM, nothing, 0);
	struct itimerval it = { .it_value.tv_usec = 40000 };
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	unlink("f");
}

static void ofd_locks_belong_to_the_description(void)
{
	int a = file_make("f", ""), b = open("f", O_RDWR), c = dup(a);
	CHECK_EQ(lock(a, OFD_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_ERR(lock(b, OFD_SETLK, F_WRLCK, 5, 10), EAGAIN); /* even in one process */
	CHECK_EQ(lock(c, OFD_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_ERR(lock(b, F_SETLK, F_WRLCK, 0, 1), EAGAIN); /* and against the other kind */
	struct flock q = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQ(fcntl(b, OFD_GETLK, &q), 0);
	CHECK(q.l_type == F_WRLCK && q.l_pid == -1 && q.l_len == 10);
	close(open("f", O_RDONLY)); /* does not release them */
	CHECK_ERR(lock(b, OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	IN_CHILD
	{
		CHECK_EQ(lock(a, OFD_SETLK, F_WRLCK, 0, 10), 0); /* a child shares the description */
	}
	close(a);
	CHECK_ERR(lock(b, OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	close(c);
	CHECK_EQ(lock(b, OFD_SETLK, F_WRLCK, 5, 10), 0); /* the last close does */
	q.l_pid = 5;
	CHECK_ERR(fcntl(b, OFD_SETLK, &q), EINVAL);
	unlink("f");
}

static void flock_rules(void)
{
	int a = file_make("f", ""), b = open("f", O_RDONLY), c = dup(a), ready[2];
	char ch;
	pid_t pid;
	CHECK_EQ(flock(a, LOCK_SH), 0);
	CHECK_EQ(flock(b, LOCK_SH), 0);
	CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EAGAIN);
	CHECK_EQ(flock(b, LOCK_UN), 0);
	CHECK_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
	CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	CHECK_EQ(flock(c, LOCK_EX | LOCK_NB), 0); /* a dup is the same owner */
	CHECK_EQ(lock(b, F_SETLK, F_RDLCK, 0, 0), 0); /* the two worlds do not meet */
	CHECK_ERR(flock(a, 77), EINVAL);
	CHECK_ERR(flock(-1, LOCK_SH), EBADF);
	NEED(pipe(ready) == 0);
	CHILD(pid)
	{
		int mine = open("f", O_RDONLY);
		NEED(write(ready[1], "x", 1) == 1);
		CHECK_EQ(flock(mine, LOCK_EX), 0);
		_exit(5);
	}
	NEED(read(ready[0], &ch, 1) == 1);
	wait_asleep(pid);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	close(a);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	close(c); /* the child holds copies of a and c: unlock explicitly below if it still waits */
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
	unlink("f");
}

static void flock_waiter_is_woken(void)
{
	int a = file_make("f", ""), ready[2];
	char ch;
	pid_t pid;
	NEED(pipe(ready) == 0);
	CHECK_EQ(flock(a, LOCK_EX), 0);
	CHILD(pid)
	{
		close(a);
		int mine = open("f", O_RDONLY);
		NEED(write(ready[1], "x", 1) == 1);
		CHECK_EQ(flock(mine, LOCK_EX), 0);
		_exit(5);
	}
	NEED(read(ready[0], &ch, 1) == 1);
	wait_asleep(pid);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_EQ(flock(a, LOCK_UN), 0);
	CHECK_EXIT(pid, 5);
	unlink("f");
}

int main(void)
{
	RUN(conflict_rules);
	RUN(splitting_and_joining);
	RUN(origins_and_errors);
	RUN(closing_any_descriptor_releases);
	RUN(exit_releases_and_wakes);
	RUN(deadlock_is_found);
	RUN(interrupted_wait);
	RUN(ofd_locks_belong_to_the_description);
	RUN(flock_rules);
	RUN(flock_waiter_is_woken);
	return check_end();
}
