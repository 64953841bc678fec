/* SPDX-License-Identifier: BSD-2-Clause */
/* Pseudo-terminals: line discipline in both modes, echo, special characters, window size, hang-up, termios values. */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

/* A fresh pair; without TTY session so that control characters signal nobody yet. */
static void open_pair(void)
{
	int n = -1, unlock = 0;
	char path[40];
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	NEED(master >= 0);
	CHECK_EQ(ioctl(master, 0x80045430 /* TIOCGPTN */, &n), 0);
	CHECK_EQ(ioctl(master, 0x40045431 /* TIOCSPTLCK */, &unlock), 0);
	snprintf(path, sizeof path, "/dev/pts/%d", n);
	slave = open(path, O_RDWR | O_NOCTTY);
	NEED(slave >= 0);
}

static void mode(tcflag_t lflag_off, tcflag_t iflag_off, tcflag_t oflag_off)
{
	struct termios t;
	NEED(tcgetattr(slave, &t) == 0);
	t.c_lflag &= ~lflag_off;
	t.c_iflag &= ~iflag_off;
	t.c_oflag &= ~oflag_off;
	NEED(tcsetattr(slave, TCSANOW, &t) == 0);
}

static void type(const char *keys)
{
	NEED(write(master, keys, strlen(keys)) == (ssize_t)strlen(keys));
}

/* What arrives within a moment, as a string. */
static const char *arrives(int fd)
{
	static char buf[5000];
	size_t n = 0;
	struct pollfd f = { fd, POLLIN, 0 };
	while (n < sizeof buf - 1 && poll(&f, 1, n == 0 ? 1000 : 30) == 1) {
		ssize_t got = read(fd, buf + n, sizeof buf - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	buf[n] = 0;
	return buf;
}

static int silent(int fd)
{
	struct pollfd f = { fd, POLLIN, 0 };
	return poll(&f, 1, 40) == 0;
}

static void defaults(void)
{
	struct termios t;
	open_pair();
	CHECK(isatty(master) && isatty(slave));
	CHECK_EQ(tcgetattr(slave, &t), 0);
	CHECK_EQ(t.c_iflag, ICRNL | IXON);
	CHECK_EQ(t.c_oflag, OPOST | ONLCR);
	CHECK_EQ(t.c_cflag & (CSIZE | CREAD), CS8 | CREAD);
	CHECK_EQ(t.c_lflag & (ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN | TOSTOP),
		 ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN);
	CHECK(t.c_cc[VINTR] == 3 && t.c_cc[VQUIT] == 28 && t.c_cc[VERASE] == 127 && t.c_cc[VKILL] == 21);
	CHECK(t.c_cc[VEOF] == 4 && t.c_cc[VSUSP] == 26 && t.c_cc[VMIN] == 1 && t.c_cc[VTIME] == 0);
	CHECK(t.c_cc[VSTART] == 17 && t.c_cc[VSTOP] == 19 && t.c_cc[VWERASE] == 23 && t.c_cc[VREPRINT] == 18 &&
	      t.c_cc[VLNEXT] == 22);
	CHECK_EQ(cfgetospeed(&t), B38400);
}

static void lines(void)
{
	char buf[100];
	open_pair();
	mode(ECHO, 0, 0);
	type("hello");
	CHECK(silent(slave)); /* nothing before the end of the line */
	type("\r");
	CHECK_STR(arrives(slave), "hello\n"); /* return becomes newline */
	type("one\ntwo\n");
	CHECK_EQ(read(slave, buf, 100), 4); /* a line per read, however much is there */
	CHECK_EQ(read(slave, buf, 2), 2);
	CHECK_EQ(read(slave, buf, 100), 2); /* and the rest of it afterwards */
	type("abx\177c\n");
	CHECK_STR(arrives(slave), "abc\n"); /* erase */
	type("first second\027third\n");
	CHECK_STR(arrives(slave), "first third\n"); /* erase word */
	type("wrong\025right\n");
	CHECK_STR(arrives(slave), "right\n"); /* kill line */
	type("\177\177\025x\n"); /* nothing to erase */
	CHECK_STR(arrives(slave), "x\n");
	type("a\026\003b\n"); /* literal next */
	CHECK_STR(arrives(slave), "a\003b\n");
	type("part\004");
	CHECK_STR(arrives(slave), "part"); /* ^D hands over what is there */
	type("\004");
	CHECK_EQ(read(slave, buf, 100), 0); /* and alone means end of file */
	type("again\n");
	CHECK_STR(arrives(slave), "again\n");
	int n = -1;
	type("12345\n");
	sleep_ms(20);
	CHECK_EQ(ioctl(slave, FIONREAD, &n), 0);
	CHECK_EQ(n, 6);
}

static void echo(void)
{
	open_pair();
	type("ab");
	CHECK_STR(arrives(master), "ab");
	type("\177");
	CHECK_STR(arrives(master), "\b \b");
	type("\001");
	CHECK_STR(arrives(master), "^A"); /* control characters made visible */
	type("\n");
	CHECK_STR(arrives(master), "\r\n");
	CHECK_STR(arrives(slave), "a\001\n");
	mode(ECHO, 0, 0);
	type("silent\n");
	CHECK(silent(master));
	struct termios t;
	NEED(tcgetattr(slave, &t) == 0);
	t.c_lflag |= ECHONL;
	NEED(tcsetattr(slave, TCSANOW, &t) == 0);
	type("pw\n");
	CHECK_STR(arrives(master), "\r\n");
}

static void output_processing(void)
{
	open_pair();
	NEED(write(slave, "a\nb\n", 4) == 4);
	CHECK_STR(arrives(master), "a\r\nb\r\n");
	mode(0, 0, ONLCR);
	NEED(write(slave, "a\nb\n", 4) == 4);
	CHECK_STR(arrives(master), "a\nb\n");
	static char big[3000];
	memset(big, 'x', sizeof big);
	CHECK_EQ(write(slave, big, sizeof big), sizeof big);
	CHECK_EQ(strlen(arrives(master)), sizeof big);
}

static void raw_mode(void)
{
	char buf[20];
	struct termios t;
	open_pair();
	NEED(tcgetattr(slave, &t) == 0);
	cfmakeraw(&t);
	t.c_cc[VMIN] = 1, t.c_cc[VTIME] = 0;
	CHECK_EQ(tcsetattr(slave, TCSAFLUSH, &t), 0);
	type("a\r\003\004\177");
	CHECK_STR(arrives(slave), "a\r\003\004\177"); /* each byte as it is */
	CHECK(silent(master));
	NEED(write(slave, "x\n", 2) == 2);
	CHECK_STR(arrives(master), "x\n");
	t.c_cc[VMIN] = 0, t.c_cc[VTIME] = 0;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	CHECK_EQ(read(slave, buf, 10), 0); /* polls */
	t.c_cc[VTIME] = 1;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	long long start = now_ms();
	CHECK_EQ(read(slave, buf, 10), 0); /* a tenth of a second */
	CHECK(now_ms() - start >= 90);
	t.c_cc[VMIN] = 3, t.c_cc[VTIME] = 0;
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	pid_t pid;
	CHILD(pid)
	{
		for (int i = 0; i < 3; i++) {
			type("k");
			sleep_ms(20);
		}
	}
	CHECK_EQ(read(slave, buf, 10), 3); /* waits for three */
	CHECK_EXIT(pid, 0);
}

static void flags_of_input(void)
{
	struct termios t;
	open_pair();
	mode(ECHO, ICRNL, 0);
	NEED(tcgetattr(slave, &t) == 0);
	t.c_iflag |= INLCR;
	t.c_lflag &= ~(tcflag_t)ICANON;
	NEED(tcsetattr(slave, TCSANOW, &t) == 0);
	type("a\nb\r");
	CHECK_STR(arrives(slave), "a\rb\r");
	t.c_iflag = IGNCR;
	NEED(tcsetattr(slave, TCSANOW, &t) == 0);
	type("a\rb");
	CHECK_STR(arrives(slave), "ab");
	t.c_iflag = ISTRIP;
	NEED(tcsetattr(slave, TCSANOW, &t) == 0);
	type("\xc1");
	CHECK_STR(arrives(slave), "A");
}

static void setting_and_flushing(void)
{
	struct termios t;
	open_pair();
	mode(ECHO, 0, 0);
	type("lost\n");
	sleep_ms(20);
	CHECK_EQ(tcflush(slave, TCIFLUSH), 0);
	type("kept\n");
	CHECK_STR(arrives(slave), "kept\n");
	type("lost\n");
	sleep_ms(20);
	NEED(tcgetattr(slave, &t) == 0);
	CHECK_EQ(tcsetattr(slave, TCSAFLUSH, &t), 0);
	CHECK(silent(slave));
	cfsetspeed(&t, B9600);
	t.c_cc[VINTR] = 7;
	CHECK_EQ(tcsetattr(slave, TCSADRAIN, &t), 0);
	memset(&t, 0, sizeof t);
	CHECK_EQ(tcgetattr(slave, &t), 0);
	CHECK(cfgetospeed(&t) == B9600 && t.c_cc[VINTR] == 7);
	CHECK_ERR(ioctl(slave, TCGETS, bad_unmapped()), EFAULT);
	CHECK_ERR(ioctl(slave, TCSETS, bad_unmapped()), EFAULT);
	CHECK_ERR(ioctl(slave, 0x5499, 0), ENOTTY);
	CHECK_ERR(tcflush(slave, 77), EINVAL);
}

static void window_size(void)
{
	struct winsize w = { 50, 132, 3, 4 }, got;
	open_pair();
	CHECK_EQ(ioctl(slave, TIOCGWINSZ, &got), 0);
	CHECK(got.ws_row == 0 && got.ws_col == 0);
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &w), 0);
	CHECK_EQ(ioctl(slave, TIOCGWINSZ, &got), 0);
	CHECK(got.ws_row == 50 && got.ws_col == 132 && got.ws_xpixel == 3 && got.ws_ypixel == 4);
	CHECK_ERR(ioctl(slave, TIOCGWINSZ, bad_unmapped()), EFAULT);
	CHECK_ERR(ioctl(slave, TIOCSWINSZ, bad_unmapped()), EFAULT);
}

static void slave_closes(void)
{
	char c;
	open_pair();
	NEED(write(slave, "bye", 3) == 3);
	close(slave);
	CHECK_STR(arrives(master), "bye");
	CHECK_ERR(read(master, &c, 1), EIO);
	struct pollfd f = { master, POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 0), 1);
	CHECK(f.revents & POLLHUP);
}

static void master_closes(void)
{
	char c;
	pid_t pid;
	open_pair();
	CHILD(pid)
	{
		close(master);
		ssize_t n = read(slave, &c, 1); /* the hang-up ends a waiting read */
		CHECK(n == 0 || (n == -1 && errno == EIO));
		_exit(4);
	}
	wait_asleep(pid);
	close(master);
	CHECK_EXIT(pid, 4);
	CHECK_EQ(read(slave, &c, 1), 0);
	CHECK_ERR(write(slave, "x", 1), EIO);
	struct termios t;
	CHECK_ERR(tcgetattr(slave, &t), EIO);
	struct pollfd f = { slave, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&f, 1, 0), 1);
	CHECK(f.revents & POLLHUP);
}

static void nonblocking(void)
{
	char c;
	open_pair();
	CHECK_EQ(fcntl(slave, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(read(slave, &c, 1), EAGAIN);
	CHECK_EQ(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(read(master, &c, 1), EAGAIN);
	type("no line yet");
	sleep_ms(20);
	CHECK_ERR(read(slave, &c, 1), EAGAIN);
	CHECK_ERR(lseek(slave, 0, SEEK_SET), ESPIPE);
}

static void many_pairs(void)
{
	int m[16], n, last = -1;
	for (int i = 0; i < 16; i++) {
		m[i] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
		NEED(m[i] >= 0 && ioctl(m[i], 0x80045430, &n) == 0);
		CHECK(n != last);
		last = n;
	}
	char path[40];
	snprintf(path, sizeof path, "/dev/pts/%d", last);
	CHECK_ERR(open(path, O_RDWR | O_NOCTTY), EIO); /* locked until told otherwise */
	CHECK_EQ(access(path, F_OK), 0);
	for (int i = 0; i < 16; i++)
		close(m[i]);
	CHECK_ERR(access(path, F_OK), ENOENT);
}

/* Typing for others, and taking the terminal of a session: root's business. */
static void only_root_types_for_others(void)
{
	pid_t leader, thief;
	open_pair();
	CHECK_EQ(ioctl(slave, TIOCSTI, "r"), 0);
	if ((leader = fork()) == 0) {
		setsid();
		CHECK_EQ(setuid(1000), 0);
		CHECK_ERR(ioctl(slave, TIOCSTI, "x"), EPERM);
		CHECK_EQ(ioctl(slave, TIOCSCTTY, 1), 0);
		CHECK_EQ(ioctl(slave, TIOCSTI, "y"), 0);
		if ((thief = fork()) == 0) {
			setsid();
			CHECK_ERR(ioctl(slave, TIOCSCTTY, 1), EPERM);
			CHECK_ERR(ioctl(slave, TIOCSTI, "z"), EPERM);
			_exit(0);
		}
		CHECK_EXIT(thief, 0);
		type("\n");
		CHECK_STR(arrives(slave), "ry\n");
		_exit(0);
	}
	CHECK_EXIT(leader, 0);
}

/* One terminal for a session. */
static void a_session_has_one_terminal(void)
{
	open_pair();
	int first = slave;
	open_pair();
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		CHECK_EQ(ioctl(first, TIOCSCTTY, 0), 0);
		CHECK_EQ(ioctl(first, TIOCSCTTY, 0), 0);
		CHECK_ERR(ioctl(slave, TIOCSCTTY, 1), EPERM);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
}

static int open_errno(uid_t uid, const char *path)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(setuid(uid) ? 255 : open(path, O_RDWR | O_NOCTTY) >= 0 ? 0 : errno);
	NEED(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int is_exclusive(int fd)
{
	int value = -1;
	NEED(ioctl(fd, TIOCGEXCL, &value) == 0);
	return value;
}

/* TIOCEXCL keeps out whoever is not root; that on the master says nothing of the slave. */
static void exclusive(void)
{
	char path[40];
	int n;
	open_pair();
	NEED(ioctl(master, 0x80045430 /* TIOCGPTN */, &n) == 0);
	snprintf(path, sizeof path, "/dev/pts/%d", n);
	CHECK_EQ(fchmod(slave, 0666), 0);
	CHECK_EQ(open_errno(1000, path), 0);
	CHECK_EQ(ioctl(master, TIOCEXCL), 0);
	CHECK_EQ(is_exclusive(master), 1);
	CHECK_EQ(is_exclusive(slave), 0);
	CHECK_EQ(open_errno(1000, path), 0);
	CHECK_EQ(ioctl(slave, TIOCEXCL), 0);
	CHECK_EQ(ioctl(master, TIOCNXCL), 0);
	CHECK_EQ(is_exclusive(master), 0);
	CHECK_EQ(is_exclusive(slave), 1);
	CHECK_EQ(open_errno(1000, path), EBUSY);
	CHECK_EQ(open_errno(0, path), 0);
	CHECK_EQ(close(slave), 0);
	CHECK_EQ(open_errno(1000, path), EBUSY);
	slave = open(path, O_RDWR | O_NOCTTY);
	CHECK_EQ(is_exclusive(slave), 1);
	CHECK_EQ(ioctl(slave, TIOCNXCL), 0);
	CHECK_EQ(open_errno(1000, path), 0);
}

int main(void)
{
	RUN(defaults);
	RUN(lines);
	RUN(echo);
	RUN(output_processing);
	RUN(raw_mode);
	RUN(flags_of_input);
	RUN(setting_and_flushing);
	RUN(window_size);
	RUN(slave_closes);
	RUN(master_closes);
	RUN(nonblocking);
	RUN(many_pairs);
	RUN(only_root_types_for_others);
	RUN(exclusive);
	RUN(a_session_has_one_terminal);
	return check_end();
}
