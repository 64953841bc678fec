/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc as the tools read it: formats of the files that ps, top, free, uptime, mount, pgrep, lsof use, and their truth. */
#include "check.h"
#include <dirent.h>
#include <ctype.h>

static const char *of(pid_t pid, const char *file)
{
	char path[60];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	return file_get(path);
}

static const char *link_of(pid_t pid, const char *file)
{
	static char target[4097];
	char path[60];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	ssize_t n = readlink(path, target, sizeof target - 1);
	target[n < 0 ? 0 : n] = 0;
	return target;
}

static long field(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	return p ? atol(p + strlen(key)) : -1;
}

static void stat_line(void)
{
	int pid, ppid, pgrp, session, tty, tpgid;
	char comm[40], state;
	unsigned flags;
	unsigned long minflt, cminflt, majflt, cmajflt, utime, stime, vsize;
	long cutime, cstime, prio, nice, threads, zero, rss;
	unsigned long long start;
	NEED(prctl(PR_SET_NAME, "odd) name (") == 0); /* parsers look for the last parenthesis */
	char line[1000];
	strcpy(line, of(getpid(), "stat"));
	CHECK_EQ(sscanf(line, "%d", &pid), 1);
	CHECK_EQ(pid, getpid());
	char *end = strrchr(line, ')');
	NEED(end != NULL);
	*end = 0;
	strcpy(comm, strchr(line, '(') + 1);
	CHECK_STR(comm, "odd) name (");
	int n = sscanf(end + 2, "%c %d %d %d %d %d %u %lu %lu %lu %lu %lu %lu %ld %ld %ld %ld %ld %ld %llu %lu %ld", &state,
		       &ppid, &pgrp, &session, &tty, &tpgid, &flags, &minflt, &cminflt, &majflt, &cmajflt, &utime, &stime,
		       &cutime, &cstime, &prio, &nice, &threads, &zero, &start, &vsize, &rss);
	CHECK_EQ(n, 22);
	CHECK_EQ(state, 'R');
	CHECK(ppid == getppid() && pgrp == getpgrp() && session == getsid(0));
	CHECK(nice == 0 && threads == 1 && vsize > 50000 && rss >= 0);
	int words = 0;
	for (char *p = strtok(end + 2, " \n"); p; p = strtok(NULL, " \n"))
		words++;
	CHECK_EQ(words, 50); /* 52 fields in all */
	double up = atof(file_get("/proc/uptime"));
	CHECK(start / 100.0 <= up + 1 && start / 100.0 > up - 100);
}

static void status_text(void)
{
	char text[8192];
	strcpy(text, of(getpid(), "status"));
	CHECK(strncmp(text, "Name:\t", 6) == 0);
	CHECK_EQ(field(text, "\nPid:\t"), getpid());
	CHECK_EQ(field(text, "\nPPid:\t"), getppid());
	CHECK_EQ(field(text, "\nTgid:\t"), getpid());
	CHECK(strstr(text, "\nState:\tR (running)\n") != NULL);
	CHECK(strstr(text, "\nUid:\t0\t0\t0\t0\n") != NULL);
	CHECK(strstr(text, "\nGid:\t0\t0\t0\t0\n") != NULL);
	CHECK_EQ(field(text, "\nThreads:\t"), 1);
	long size = field(text, "\nVmSize:"), rss = field(text, "\nVmRSS:");
	CHECK(size > 0 && rss > 0 && rss <= size);
	CHECK(strstr(text, "\nSigBlk:\t0000000000000000\n") != NULL);
	IN_CHILD
	{
		sigset_t set;
		sigemptyset(&set), sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		on_signal(SIGHUP, SIG_IGN, 0);
		become_user(1000);
		strcpy(text, of(getpid(), "status"));
		CHECK(strstr(text, "\nUid:\t1000\t1000\t1000\t1000\n") != NULL);
		CHECK(strstr(text, "\nSigBlk:\t0000000000000200\n") != NULL);
		CHECK(strstr(text, "\nSigIgn:\t0000000000000001\n") != NULL);
	}
}

static void state_letters(void)
{
	pid_t pid;
	int st;
	CHILD(pid) pause();
	wait_asleep(pid);
	CHECK_EQ(proc_state(pid), 'S');
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK_EQ(proc_state(pid), 'T');
	kill(pid, SIGKILL);
	siginfo_t si;
	CHECK_EQ(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	CHECK_EQ(proc_state(pid), 'Z');
	CHECK_STR(of(pid, "cmdline"), "");
	CHECK_KILLED(pid, SIGKILL);
	char path[40];
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	CHECK_ERR(access(path, F_OK), ENOENT);
}

static const char *self;

static void command_line_and_links(void)
{
	int fds[2], fd;
	char c, raw[300], cwd[4096], want[40];
	pid_t pid;
	NEED(pipe(fds) == 0);
	CHILD(pid)
	{
		dup2(fds[1], 1);
		char *argv[] = { "a name", "--wait", "", "x", NULL }, *envp[] = { "K=V", "L=", NULL };
		execve(self, argv, envp);
	}
	NEED(read(fds[0], &c, 1) == 1);
	snprintf(raw, sizeof raw, "/proc/%d/cmdline", (int)pid);
	fd = open(raw, O_RDONLY);
	CHECK_EQ(read(fd, raw, sizeof raw), 17);
	CHECK(memcmp(raw, "a name\0--wait\0\0x\0", 17) == 0);
	snprintf(raw, sizeof raw, "/proc/%d/environ", (int)pid);
	fd = open(raw, O_RDONLY);
	CHECK_EQ(read(fd, raw, sizeof raw), 7);
	CHECK(memcmp(raw, "K=V\0L=\0", 7) == 0);
	CHECK_STR(link_of(pid, "exe"), self);
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	CHECK_STR(link_of(pid, "cwd"), cwd);
	CHECK_STR(link_of(pid, "root"), "/");
	const char *base = strrchr(self, '/') + 1;
	snprintf(want, sizeof want, "%.15s\n", base);
	CHECK_STR(of(pid, "comm"), want);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	snprintf(want, sizeof want, "%d", (int)getpid());
	char me[20] = "";
	CHECK(readlink("/proc/self", me, sizeof me - 1) > 0);
	CHECK_STR(me, want);
}

static void descriptors(void)
{
	char name[30], path[4096], cwd[4096];
	int fd = file_make("file", "0123456789"), p[2], n = 0, found = 0;
	NEED(pipe(p) == 0 && getcwd(cwd, sizeof cwd) != NULL);
	snprintf(name, sizeof name, "fd/%d", fd);
	snprintf(path, sizeof path, "%.4000s/file", cwd);
	CHECK_STR(link_of(getpid(), name), path);
	snprintf(name, sizeof name, "fd/%d", p[0]);
	CHECK(strncmp(link_of(getpid(), name), "pipe:[", 6) == 0);
	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	snprintf(name, sizeof name, "fdinfo/%d", fd);
	CHECK_EQ(field(of(getpid(), name), "pos:\t"), 4);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int again = open(name, O_RDONLY); /* opens the file anew, with its own offset */
	CHECK_EQ(lseek(again, 0, SEEK_CUR), 0);
	CHECK_EQ(unlink("file"), 0);
	strcat(path, " (deleted)");
	CHECK_STR(link_of(getpid(), name + 11), path);
	CHECK_STR(file_get(name), "0123456789"); /* even without a name */
	DIR *d = opendir("/proc/self/fd");
	NEED(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL; n++)
		found += isdigit((unsigned char)e->d_name[0]) && atoi(e->d_name) == fd;
	CHECK(found == 1 && n >= 6);
	closedir(d);
}

static void many_descriptors(void)
{
	enum { MANY = 900 };
	static char seen[MANY + 10];
	char name[30];
	for (int fd = 10; fd < MANY; fd += 2)
		NEED(dup2(0, fd) == fd);
	DIR *d = opendir("/proc/self/fd");
	NEED(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (atoi(e->d_name) < MANY)
			seen[atoi(e->d_name)]++;
	closedir(d);
	for (int fd = 10; fd < MANY; fd++)
		NEED(seen[fd] == (fd % 2 == 0));
	snprintf(name, sizeof name, "fdinfo/%d", MANY - 2);
	CHECK_EQ(field(of(getpid(), name), "pos:\t"), 0);
	snprintf(name, sizeof name, "fdinfo/%d", MANY - 1);
	CHECK_ERR(open(name, O_RDONLY), ENOENT);
}

static void maps(void)
{
	char line[600], *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int exec = 0, ours = 0, stack = 0, n = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	NEED(f != NULL);
	while (fgets(line, sizeof line, f)) {
		unsigned long from, to, off, ino;
		char perm[5] = "", path[500] = "";
		unsigned maj, min;
		int got = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %499s", &from, &to, perm, &off, &maj, &min, &ino, path);
		CHECK(got >= 7 && from < to && strlen(perm) == 4);
		exec += strcmp(path, self) == 0 && perm[2] == 'x';
		ours += from <= (unsigned long)p && to >= (unsigned long)p + 3 * PAGE && strcmp(perm, "r-xp") == 0;
		stack += from <= (unsigned long)&n && to > (unsigned long)&n && strcmp(perm, "rw-p") == 0;
		n++;
	}
	fclose(f);
	CHECK(n >= 5 && exec >= 1 && ours == 1 && stack == 1);
}

static void listing(void)
{
	pid_t pid;
	int self_seen = 0, child_seen = 0, one = 0, other = 0;
	CHILD(pid) pause();
	DIR *d = opendir("/proc");
	NEED(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		self_seen += atoi(e->d_name) == getpid();
		child_seen += atoi(e->d_name) == pid;
		one += strcmp(e->d_name, "1") == 0;
		other += strcmp(e->d_name, "meminfo") == 0 || strcmp(e->d_name, "self") == 0;
	}
	closedir(d);
	CHECK(self_seen == 1 && child_seen == 1 && one == 1 && other == 2);
	char path[60];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)pid);
	CHECK(strstr(file_get(path), ")") != NULL);
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	CHECK_EQ(stat(path, &st), 0);
	CHECK(S_ISDIR(st.st_mode) && st.st_uid == 0);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void whole_system(void)
{
	char text[8192];
	double up, idle, l1, l5, l15;
	int run, total, last;
	CHECK_EQ(sscanf(file_get("/proc/uptime"), "%lf %lf", &up, &idle), 2);
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	CHECK(up > 0 && up <= t.tv_sec + 1 && up >= t.tv_sec - 2);
	CHECK_EQ(sscanf(file_get("/proc/loadavg"), "%lf %lf %lf %d/%d %d", &l1, &l5, &l15, &run, &total, &last), 6);
	CHECK(run >= 1 && total >= run && last > 0);
	strcpy(text, file_get("/proc/meminfo"));
	long all = field(text, "MemTotal:"), nofree = field(text, "\nMemFree:"), avail = field(text, "\nMemAvailable:");
	CHECK(all > 30000 && nofree > 0 && nofree < all && avail > 0 && avail <= all);
	CHECK(field(text, "\nBuffers:") >= 0 && field(text, "\nCached:") >= 0 && field(text, "\nSwapTotal:") >= 0 &&
	      field(text, "\nSwapFree:") >= 0 && field(text, "\nShmem:") >= 0 && field(text, "\nSReclaimable:") >= 0);
	CHECK(strstr(text, " kB\n") != NULL);
	FILE *f = fopen("/proc/stat", "r");
	char line[4000];
	int cpus = 0, cpu_sum = 0, ctxt = 0, btime = 0, procs = 0;
	NEED(f != NULL);
	while (fgets(line, sizeof line, f)) {
		unsigned long long v[8];
		if (strncmp(line, "cpu ", 4) == 0)
			cpu_sum = sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3, v + 4, v + 5,
					 v + 6, v + 7);
		cpus += strncmp(line, "cpu", 3) == 0 && isdigit((unsigned char)line[3]);
		ctxt += strncmp(line, "ctxt ", 5) == 0;
		btime += strncmp(line, "btime ", 6) == 0 && labs(atol(line + 6) + (long)up - time(NULL)) <= 3;
		procs += strncmp(line, "processes ", 10) == 0 || strncmp(line, "procs_running ", 14) == 0;
	}
	fclose(f);
	CHECK(cpu_sum == 8 && cpus >= 1 && ctxt == 1 && btime == 1 && procs == 2);
	CHECK(strstr(file_get("/proc/mounts"), " / ") != NULL);
	CHECK(strstr(file_get("/proc/mounts"), " /proc proc ") != NULL);
	CHECK(strstr(file_get("/proc/self/mountinfo"), " /proc ") != NULL);
	CHECK(strstr(file_get("/proc/filesystems"), "\ttmpfs\n") != NULL);
	CHECK(strstr(file_get("/proc/cpuinfo"), "processor\t: 0\n") != NULL);
	CHECK(strncmp(file_get("/proc/version"), "Linux version ", 14) == 0);
	CHECK_EQ(atoi(file_get("/proc/sys/kernel/pid_max")) > 100, 1);
}

static void read_in_pieces_and_refused(void)
{
	char whole[8192], piece[8192] = "";
	strcpy(whole, file_get("/proc/self/status"));
	int fd = open("/proc/self/status", O_RDONLY);
	size_t n = 0;
	while (read(fd, piece + n, 1) == 1)
		n++;
	CHECK_EQ(field(piece, "\nPid:\t"), field(whole, "\nPid:\t"));
	CHECK(n > 100 && n + 50 > strlen(whole));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, piece, 6), 6);
	CHECK(memcmp(piece, "Name:\t", 6) == 0);
	CHECK_ERR(open("/proc/self/new", O_CREAT | O_RDWR, 0644), ENOENT);
	CHECK_ERR(open("/proc/999999999/stat", O_RDONLY), ENOENT);
	long r = unlink("/proc/self/stat");
	CHECK(r == -1 && (errno == EPERM || errno == EACCES));
	r = mkdir("/proc/x", 0755);
	CHECK(r == -1 && (errno == ENOENT || errno == EPERM || errno == EACCES));
	pid_t pid;
	CHILD(pid) pause();
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_ERR(read(fd, piece, 10), ESRCH); /* its owner is gone */
	CHILD(pid) pause();
	IN_CHILD
	{
		char target[100];
		become_user(1000);
		snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
		CHECK_ERR(readlink(path, target, 100), EACCES); /* private to its owner */
		snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
		CHECK_ERR(open(path, O_RDONLY), EACCES);
		snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
		CHECK_OK(open(path, O_RDONLY)); /* ps works for everybody */
	}
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write(1, "x", 1) + pause();
	self = self_path(argv[0]);
	RUN(stat_line);
	RUN(status_text);
	RUN(state_letters);
	RUN(command_line_and_links);
	RUN(descriptors);
	RUN(many_descriptors);
	RUN(maps);
	RUN(listing);
	RUN(whole_system);
	RUN(read_in_pieces_and_refused);
	return check_end();
}
