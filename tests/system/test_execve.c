/* SPDX-License-Identifier: BSD-2-Clause */
/* execve: arguments, environment and attributes that arrive, `#!` files, what survives, and every refusal. */
#include "check.h"
#include <sys/auxv.h>
#include <sys/resource.h>

static const char *self;
static char output[70000];

/* What the new program prints on its standard output, as a string; its exit code must be 0. */
static const char *exec_output(const char *path, char *const argv[], char *const envp[])
{
	int fds[2];
	NEED(pipe(fds) == 0);
	pid_t pid = child_start();
	if (pid == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execve(path, argv, envp);
		dprintf(1, "errno %d", errno);
		_exit(126);
	}
	close(fds[1]);
	size_t n = 0;
	ssize_t got;
	while ((got = read(fds[0], output + n, sizeof output - 1 - n)) > 0)
		n += (size_t)got;
	output[n] = 0;
	close(fds[0]);
	CHECK_EXIT(pid, 0);
	return output;
}

static int child_args(int argc, char **argv, char **envp)
{
	for (int i = 0; i < argc; i++)
		printf("[%s]", argv[i]);
	printf("|");
	for (; *envp; envp++)
		printf("{%s}", *envp);
	return 0;
}

static void arguments_arrive(void)
{
	char *argv[] = { "name", "--args", "", "two words", "\xff\x01", NULL };
	char *envp[] = { "A=1", "EMPTY=", "odd", NULL };
	CHECK_STR(exec_output(self, argv, envp), "[name][--args][][two words][\xff\x01]|{A=1}{EMPTY=}{odd}");
	char *none[] = { NULL };
	char *two[] = { "n", "--args", NULL };
	CHECK_STR(exec_output(self, two, none), "[n][--args]|");
}

static void large_argument_list(void)
{
	static char *argv[402];
	static char text[1000];
	memset(text, 'z', sizeof text - 1);
	argv[0] = "n";
	argv[1] = "--count";
	for (int i = 2; i < 401; i++)
		argv[i] = text;
	char *none[] = { NULL };
	CHECK_STR(exec_output(self, argv, none), "401 399006"); /* 400 KB of arguments */
}

static int child_count(int argc, char **argv)
{
	size_t sum = 0;
	for (int i = 1; i < argc; i++)
		sum += strlen(argv[i]);
	printf("%d %zu", argc, sum - strlen("--count") + 405);
	return 0;
}

static void too_big(void)
{
	/* one string may have 32 pages, terminator included */
	char *big = malloc(32 * PAGE + 1);
	memset(big, 'x', 32 * PAGE);
	big[32 * PAGE] = 0;
	char *argv[] = { "n", big, NULL }, *none[] = { NULL };
	CHECK_ERR(execve(self, argv, none), E2BIG);
	CHECK_ERR(execve(self, none, argv), E2BIG);
	IN_CHILD /* all together: a quarter of the stack limit, and never less than 32 pages */
	{
		struct rlimit rl = { 1 << 20, 1 << 20 };
		NEED(setrlimit(RLIMIT_STACK, &rl) == 0);
		static char *many[600];
		big[1000] = 0;
		for (int i = 0; i < 599; i++)
			many[i] = big;
		CHECK_ERR(execve(self, many, none), E2BIG);
	}
	/* a string of exactly the limit goes through */
	memset(big, 'x', 32 * PAGE - 1);
	big[32 * PAGE - 1] = 0;
	char *ok[] = { "n", "--count", big, NULL };
	CHECK_STR(exec_output(self, ok, none), "3 131476");
}

static int child_aux(char **envp)
{
	char **p = envp;
	unsigned char *rnd = (unsigned char *)getauxval(AT_RANDOM);
	int sum = 0;
	while (*p)
		p++;
	for (int i = 0; rnd && i < 16; i++)
		sum |= rnd[i];
	printf("pagesz %lu phent %lu phnum %d entry %d base %lu uid %lu euid %lu gid %lu egid %lu secure %lu "
	       "random %d execfn %s clktck %lu align %lu",
	       getauxval(AT_PAGESZ), getauxval(AT_PHENT), getauxval(AT_PHNUM) > 2, getauxval(AT_ENTRY) > 0,
	       getauxval(AT_BASE), getauxval(AT_UID), getauxval(AT_EUID), getauxval(AT_GID), getauxval(AT_EGID),
	       getauxval(AT_SECURE), sum != 0, (char *)getauxval(AT_EXECFN), getauxval(AT_CLKTCK),
	       ((uintptr_t)(envp - 1) & 7));
	return 0;
}

static void auxiliary_vector(void)
{
	char want[5000];
	char *argv[] = { "n", "--aux", NULL }, *none[] = { NULL };
	snprintf(want, sizeof want,
		 "pagesz 4096 phent 56 phnum 1 entry 1 base 0 uid 0 euid 0 gid 0 egid 0 secure 0 random 1 "
		 "execfn %s clktck 100 align 0",
		 self);
	CHECK_STR(exec_output(self, argv, none), want);
}

static void script_write(const char *name, const char *text)
{
	file_put(name, text);
	NEED(chmod(name, 0755) == 0);
}

static void scripts(void)
{
	char text[5000], want[5000], *none[] = { NULL };
	char *argv[] = { "ignored", "a", "b", NULL };
	snprintf(text, sizeof text, "#! %s --args\nnot read\n", self);
	script_write("s1", text);
	snprintf(want, sizeof want, "[%s][--args][./s1][a][b]|", self);
	CHECK_STR(exec_output("./s1", argv, none), want);
	/* everything after the interpreter is one argument, inner blanks and all; blanks around it go */
	snprintf(text, sizeof text, "#!%s \t --args two  words \t\n", self);
	script_write("s2", text);
	snprintf(want, sizeof want, "[%s][--args two  words][./s2]|", self);
	char *one[] = { "x", NULL };
	const char *got = exec_output("./s2", one, none);
	CHECK_STR(got, want);
	/* a script as interpreter of a script */
	char cwd[3000];
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	snprintf(text, sizeof text, "#!%s/s1 mid\n", cwd);
	script_write("s3", text);
	snprintf(want, sizeof want, "[%s][--args][%s/s1][mid][./s3][a][b]|", self, cwd);
	CHECK_STR(exec_output("./s3", argv, none), want);
	/* no newline at the end of the file */
	snprintf(text, sizeof text, "#!%s --args", self);
	script_write("s4", text);
	snprintf(want, sizeof want, "[%s][--args][./s4][a][b]|", self);
	CHECK_STR(exec_output("./s4", argv, none), want);
	unlink("s1"), unlink("s2"), unlink("s3"), unlink("s4");
}

static void script_errors(void)
{
	char *argv[] = { "x", NULL };
	script_write("e1", "#!/nonexistent/interpreter\n");
	CHECK_ERR(execve("e1", argv, NULL), ENOENT);
	script_write("e2", "#!\n");
	CHECK_ERR(execve("e2", argv, NULL), ENOEXEC);
	script_write("e3", "#!/\n");
	CHECK_ERR(execve("e3", argv, NULL), EACCES);
	script_write("e4", "#!./e4\n"); /* its own interpreter: nesting has an end */
	CHECK_ERR(execve("e4", argv, NULL), ELOOP);
	unlink("e1"), unlink("e2"), unlink("e3"), unlink("e4");
}

static void refusals(void)
{
	char *argv[] = { "x", NULL };
	char longname[300], longpath[5000];
	memset(longname, 'n', 299), longname[299] = 0;
	memset(longpath, '/', 4999), longpath[4999] = 0;
	CHECK_ERR(execve("missing", argv, NULL), ENOENT);
	CHECK_ERR(execve("", argv, NULL), ENOENT);
	CHECK_ERR(execve(longname, argv, NULL), ENAMETOOLONG);
	CHECK_ERR(execve(longpath, argv, NULL), ENAMETOOLONG);
	CHECK_ERR(execve(".", argv, NULL), EACCES);
	script_write("text", "just text\n");
	CHECK_ERR(execve("text", argv, NULL), ENOEXEC);
	CHECK_ERR(execve("text/x", argv, NULL), ENOTDIR);
	script_write("empty", "");
	CHECK_ERR(execve("empty", argv, NULL), ENOEXEC);
	NEED(chmod("text", 0644) == 0);
	CHECK_ERR(execve("text", argv, NULL), EACCES); /* no x bit at all: refused to root, too */
	NEED(symlink("loop", "loop") == 0);
	CHECK_ERR(execve("loop", argv, NULL), ELOOP);
	script_write("short", "\177ELF\002\001\001");
	CHECK_ERR(execve("short", argv, NULL), ENOEXEC);
	NEED(mkfifo("fifo", 0755) == 0);
	CHECK_ERR(execve("fifo", argv, NULL), EACCES);
	CHECK_ERR(execve(bad_unmapped(), argv, NULL), EFAULT);
	CHECK_ERR(execve(unterminated("te"), argv, NULL), EFAULT);
	CHECK_ERR(execve(self, bad_unmapped(), NULL), EFAULT);
	CHECK_ERR(execve(self, argv, bad_unmapped()), EFAULT);
	char *badarg[] = { "x", bad_unmapped(), NULL };
	CHECK_ERR(execve(self, badarg, NULL), EFAULT);
	CHECK_ERR(execve(self, argv, badarg), EFAULT);
	char *tail[] = { "x", unterminated("abc"), NULL };
	CHECK_ERR(execve(self, tail, NULL), EFAULT);
	unlink("text"), unlink("empty"), unlink("loop"), unlink("short"), unlink("fifo");
}

static void permissions_of_a_user(void)
{
	char *argv[] = { "x", NULL };
	script_write("mine", "#!/nonexistent\n");
	NEED(chmod("mine", 0744) == 0);
	NEED(mkdir("closed", 0700) == 0);
	NEED(chmod(".", 0755) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(execve("mine", argv, NULL), EACCES);
		CHECK_ERR(execve("closed/x", argv, NULL), EACCES);
	}
	unlink("mine"), rmdir("closed");
}

static void copy_self(const char *to)
{
	char buf[16384];
	ssize_t n;
	int in = open(self, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	NEED(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof buf)) > 0)
		NEED(write(out, buf, (size_t)n) == n);
	close(in), close(out);
}

static void text_busy(void)
{
	char *argv[] = { "x", "--wait", NULL };
	copy_self("prog");
	int fd = open("prog", O_WRONLY);
	CHECK_ERR(execve("./prog", argv, NULL), ETXTBSY);
	close(fd);
	int fds[2];
	char c;
	NEED(pipe(fds) == 0);
	pid_t pid;
	CHILD(pid)
	{
		dup2(fds[1], 1);
		execv("./prog", argv);
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_ERR(open("prog", O_WRONLY), ETXTBSY);
	CHECK_ERR(truncate("prog", 0), ETXTBSY);
	CHECK_EQ(unlink("prog"), 0); /* the name may go while it runs */
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static int child_state(void)
{
	sigset_t mask, pend;
	struct sigaction usr1, usr2;
	struct rlimit rl;
	char comm[17] = "";
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigpending(&pend);
	sigaction(SIGUSR1, NULL, &usr1);
	sigaction(SIGUSR2, NULL, &usr2);
	getrlimit(RLIMIT_NOFILE, &rl);
	prctl(PR_GET_NAME, comm);
	stack_t ss;
	sigaltstack(NULL, &ss);
	mode_t m = umask(0);
	int fd20 = fcntl(20, F_GETFD), fd21 = fcntl(21, F_GETFD);
	printf("masked %d pending %d handler %s ignored %s alarm %d nofile %lu umask %o keep %d cloexec %d altstack %d "
	       "brk %d comm %s nice %d",
	       sigismember(&mask, SIGHUP), sigismember(&pend, SIGHUP), usr1.sa_handler == SIG_DFL ? "default" : "?",
	       usr2.sa_handler == SIG_IGN ? "ignored" : "?", alarm(0) > 0, (unsigned long)rl.rlim_cur, m, fd20, fd21,
	       ss.ss_flags == SS_DISABLE, sbrk(0) != (void *)-1, comm, getpriority(PRIO_PROCESS, 0));
	return 0;
}

static void nothing(int sig)
{
	(void)sig;
}

static void state_kept_and_reset(void)
{
	char *argv[] = { "n", "--state", NULL }, *none[] = { NULL };
	static char alt[16384];
	IN_CHILD
	{
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGHUP);
		on_signal(SIGUSR1, nothing, 0);
		on_signal(SIGUSR2, SIG_IGN, 0);
		stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt };
		NEED(sigaltstack(&ss, NULL) == 0);
		struct rlimit rl = { 64, 64 };
		NEED(setrlimit(RLIMIT_NOFILE, &rl) == 0);
		umask(0123);
		NEED(setpriority(PRIO_PROCESS, 0, 3) == 0);
		NEED(dup2(1, 20) == 20 && dup3(1, 21, O_CLOEXEC) == 21);
		prctl(PR_SET_NAME, "before");
		/* the pending signal is the process's own, so this exec happens without another fork */
		int fds[2];
		NEED(pipe(fds) == 0);
		pid_t me = getpid(), reader = fork();
		if (reader == 0) {
			char buf[600];
			size_t n = 0;
			ssize_t got;
			close(fds[1]);
			while ((got = read(fds[0], buf + n, sizeof buf - 1 - n)) > 0)
				n += (size_t)got;
			buf[n] = 0;
			(void)me;
			CHECK_STR(buf, "masked 1 pending 1 handler default ignored ignored alarm 1 nofile 64 umask 123 "
				       "keep 0 cloexec -1 altstack 1 brk 1 comm name-of-fifteen nice 3");
			_exit(0);
		}
		close(fds[0]);
		dup2(fds[1], 1);
		close(fds[1]);
		alarm(1000);
		NEED(symlink(self, "name-of-fifteen-and-more") == 0);
		execve("./name-of-fifteen-and-more", argv, none);
		_exit(1);
	}
	sleep_ms(20);
	while (wait(NULL) > 0)
		;
	unlink("name-of-fifteen-and-more");
}

static void execveat_forms(void)
{
	char *argv[] = { "n", "--ok", NULL }, *none[] = { NULL };
	char dir[4096], *slash;
	strcpy(dir, self);
	slash = strrchr(dir, '/');
	*slash = 0;
	int dfd = open(dir, O_RDONLY | O_DIRECTORY), ffd = open(self, O_RDONLY | O_CLOEXEC);
	pid_t pid;
	CHILD(pid) syscall(SYS_execveat, dfd, slash + 1, argv, none, 0);
	CHECK_EXIT(pid, 33);
	CHILD(pid) syscall(SYS_execveat, ffd, "", argv, none, AT_EMPTY_PATH);
	CHECK_EXIT(pid, 33);
	CHILD(pid) syscall(SYS_execveat, -1, self, argv, none, 0); /* absolute: the descriptor does not matter */
	CHECK_EXIT(pid, 33);
	CHECK_ERR(syscall(SYS_execveat, -1, "x", argv, none, 0), EBADF);
	CHECK_ERR(syscall(SYS_execveat, ffd, "x", argv, none, 0), ENOTDIR);
	CHECK_ERR(syscall(SYS_execveat, ffd, "", argv, none, 0), ENOENT);
	CHECK_ERR(syscall(SYS_execveat, dfd, slash + 1, argv, none, 0x40000), EINVAL);
	NEED(symlink(self, "link") == 0);
	CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, "link", argv, none, AT_SYMLINK_NOFOLLOW), ELOOP);
	unlink("link");
}

static void setuid_bit(void)
{
	copy_self("su");
	NEED(chown("su", 77, 88) == 0);
	NEED(chmod("su", 06755) == 0);
	NEED(chmod(".", 0755) == 0);
	pid_t pid;
	char *argv[] = { "n", "--ids", NULL }, *none[] = { NULL };
	CHECK_STR(exec_output("./su", argv, none), "0 77 77 0 88 88 secure 1");
	CHILD(pid)
	{
		become_user(1000);
		CHECK_STR(exec_output("./su", argv, none), "1000 77 77 1000 88 88 secure 1");
	}
	CHECK_EXIT(pid, 0);
	CHILD(pid)
	{
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		become_user(1000);
		CHECK_STR(exec_output("./su", argv, none), "1000 1000 1000 1000 1000 1000 secure 0");
	}
	CHECK_EXIT(pid, 0);
	/* writing to it, and giving it away, take the bits off */
	NEED(chown("su", 0, 0) == 0);
	struct stat st;
	CHECK_EQ(stat("su", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0755);
	unlink("su");
}

static int child_ids(void)
{
	uid_t r, e, s;
	gid_t a, b, c;
	getresuid(&r, &e, &s);
	getresgid(&a, &b, &c);
	printf("%u %u %u %u %u %u secure %lu", r, e, s, a, b, c, getauxval(AT_SECURE));
	return 0;
}

static int child_main(int argc, char **argv, char **envp)
{
	const char *mode = argv[1];
	if (strncmp(mode, "--args", 6) == 0)
		return child_args(argc, argv, envp);
	if (strcmp(mode, "--count") == 0)
		return child_count(argc, argv);
	if (strcmp(mode, "--aux") == 0)
		return child_aux(envp);
	if (strcmp(mode, "--state") == 0)
		return child_state();
	if (strcmp(mode, "--ids") == 0)
		return child_ids();
	if (strcmp(mode, "--wait") == 0)
		return write(1, "x", 1) + pause();
	return 33;
}

int main(int argc, char **argv, char **envp)
{
	if (argc > 1)
		return child_main(argc, argv, envp);
	self = self_path(argv[0]);
	RUN(arguments_arrive);
	RUN(large_argument_list);
	RUN(too_big);
	RUN(auxiliary_vector);
	RUN(scripts);
	RUN(script_errors);
	RUN(refusals);
	RUN(permissions_of_a_user);
	RUN(text_busy);
	RUN(state_kept_and_reset);
	RUN(execveat_forms);
	RUN(setuid_bit);
	return check_end();
}
