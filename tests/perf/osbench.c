/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * osbench - one-file OS micro-benchmark in the lmbench spirit.
 * Linux x86_64 ABI, static, no dependencies:  musl-gcc -static -O2 -o osbench osbench.c
 * Output: one "name value unit" line per result.
 *
 *   osbench [-t ms] [-r reps] [-d dir] [-D diskdir] [-m MiB] [name-prefix ...]
 *      -t  time per sample (default 200 ms), -r samples per result (default 5, median printed)
 *      -d  directory for file tests (default /tmp), -D second directory (a real disk; label disk_)
 *      -m  size of the sequential file in MiB (default 64)
 *   osbench -N count name      run the named test once with exactly count operations
 *                              (for instruction counts under QEMU -icount shift=0)
 *   osbench sink PORT          accept one TCP connection, read to EOF, print throughput
 *   osbench source HOST PORT MiB   connect, send MiB, wait for EOF, print throughput
 *   osbench echo PORT          accept one connection, echo it until EOF
 *   osbench ping HOST PORT N   N one-byte round trips over TCP, print microseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long ul;
static const char *g_dir = "/tmp", *g_disk = NULL, *g_self = "/proc/self/exe";
static int g_ms = 200, g_reps = 5, g_mib = 64;
static long g_fixed = 0;

static double now(void) /* seconds */
{
	struct timespec ts;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}
static void out(const char *name, double v, const char *unit)
{
	char b[160];
	int n = snprintf(b, sizeof b, "%s %.4g %s\n", name, v, unit);
	if (v >= 10000) n = snprintf(b, sizeof b, "%s %.0f %s\n", name, v, unit);
	if (write(1, b, n) < 0) _exit(9);
}
static void skip(const char *name, const char *why)
{
	char b[200];
	int n = snprintf(b, sizeof b, "# %s skipped: %s (errno %d)\n", name, why, errno);
	if (write(1, b, n) < 0) _exit(9);
}
static int cmpd(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;
	return x < y ? -1 : x > y;
}
static double median(double *v, int n)
{
	qsort(v, n, sizeof *v, cmpd);
	return n & 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* A benchmark body performs n operations and returns 0, or -1 when unsupported.
 * When it returns with g_time >= 0 that value is the elapsed time, else the caller's clock is used. */
typedef int (*body)(long n, void *a);
static double g_time;

static double once(body f, long n, void *a, int *err)
{
	double t;
	g_time = -1;
	t = now();
	*err = f(n, a);
	t = now() - t;
	return g_time >= 0 ? g_time : t;
}
/* microseconds for one operation, or -1 */
static double measure(const char *name, body f, void *a)
{
	long n = 1;
	int err, i;
	double t, target = g_ms * 1e-3, v[64];
	if (g_fixed) {
		t = once(f, g_fixed, a, &err);
		if (err) { skip(name, "failed"); return -1; }
		return t * 1e6 / g_fixed;
	}
	for (;;) {
		t = once(f, n, a, &err);
		if (err) { skip(name, "failed"); return -1; }
		if (t >= target / 2) break;
		if (t < target / 100) n *= 10;
		else n = n * (target / t) + 1;
		if (n > 2000000000L) break;
	}
	n = n * (target / t) + 1;
	for (i = 0; i < g_reps; i++) {
		v[i] = once(f, n, a, &err) * 1e6 / n;
		if (err) { skip(name, "failed"); return -1; }
	}
	return median(v, g_reps);
}
static double bench(const char *name, body f, void *a)
{
	double v = measure(name, f, a);
	if (v >= 0) {
		if (v < 10) out(name, v * 1000, "ns"); else out(name, v, "us");
	}
	return v;
}
static void pin(int cpu)
{
	cpu_set_t s;
	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	sched_setaffinity(0, sizeof s, &s);
}
static int ncpu(void) { long n = sysconf(_SC_NPROCESSORS_ONLN); return n < 1 ? 1 : n; }
static void reap(pid_t p) { int st; kill(p, SIGKILL); waitpid(p, &st, 0); }

/* ---------- CPU and system call ---------- */
static int b_loop(long n, void *a)
{
	(void)a;
	ul i = n;
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(i) : : "cc");
	return 0;
}
static int b_getppid(long n, void *a) { (void)a; while (n--) syscall(SYS_getppid); return 0; }
/* Answered by the process server and by the file server on Axolotl, without any data. */
static int b_getpgid(long n, void *a) { (void)a; while (n--) syscall(SYS_getpgid, 0); return 0; }
static int b_umask(long n, void *a) { (void)a; while (n--) syscall(SYS_umask, 022); return 0; }
static int b_clockv(long n, void *a)
{
	struct timespec ts; (void)a;
	while (n--) clock_gettime(CLOCK_MONOTONIC, &ts);
	return 0;
}
static int b_clocks(long n, void *a)
{
	struct timespec ts; (void)a;
	while (n--) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return 0;
}
static int b_gtod(long n, void *a)
{
	struct timeval tv; (void)a;
	while (n--) if (gettimeofday(&tv, 0)) return -1;
	return 0;
}
static int b_read(long n, void *a)
{
	static char buf[65536];
	int fd = ((int *)a)[0], len = ((int *)a)[1];
	while (n--) if (read(fd, buf, len) != len) return -1;
	return 0;
}
static int b_pread(long n, void *a)
{
	static char buf[65536];
	int fd = ((int *)a)[0], len = ((int *)a)[1];
	while (n--) if (pread(fd, buf, len, 0) != len) return -1;
	return 0;
}
static int b_write(long n, void *a)
{
	static char buf[65536];
	int fd = ((int *)a)[0], len = ((int *)a)[1];
	while (n--) if (write(fd, buf, len) != len) return -1;
	return 0;
}
static int b_stat(long n, void *a) { struct stat st; while (n--) if (stat(a, &st)) return -1; return 0; }
static int b_fstat(long n, void *a) { struct stat st; while (n--) if (fstat(*(int *)a, &st)) return -1; return 0; }
static int b_open(long n, void *a)
{
	while (n--) { int fd = open(a, O_RDONLY); if (fd < 0) return -1; close(fd); }
	return 0;
}
static int b_dup(long n, void *a)
{
	while (n--) { int fd = dup(*(int *)a); if (fd < 0) return -1; close(fd); }
	return 0;
}
static int b_yield(long n, void *a) { (void)a; while (n--) sched_yield(); return 0; }

/* ---------- signals ---------- */
static volatile sig_atomic_t g_sig;
static void onsig(int s) { (void)s; g_sig++; }
static int b_siginst(long n, void *a)
{
	struct sigaction sa; (void)a;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = onsig;
	while (n--) if (sigaction(SIGUSR1, &sa, 0)) return -1;
	return 0;
}
static int b_sigcatch(long n, void *a)
{
	pid_t me = getpid(); (void)a;
	b_siginst(1, 0);
	g_sig = 0;
	for (long i = 0; i < n; i++) if (kill(me, SIGUSR1)) return -1;
	return 0;
}

/* ---------- memory ---------- */
static int b_mmap(long n, void *a)
{
	size_t len = *(int *)a;
	while (n--) {
		void *p = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) return -1;
		munmap(p, len);
	}
	return 0;
}
static int b_mmaptouch(long n, void *a)
{
	(void)a;
	while (n--) {
		char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) return -1;
		*p = 1;
		munmap(p, 4096);
	}
	return 0;
}
static int b_fault(long n, void *a) /* only the touching is timed */
{
	const long chunk = 4096; /* pages: 16 MiB */
	double el = 0; (void)a;
	while (n > 0) {
		long k = n < chunk ? n : chunk;
		char *p = mmap(0, k * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) return -1;
		madvise(p, k * 4096, 15 /* MADV_NOHUGEPAGE */);
		double t = now();
		for (long i = 0; i < k; i++) ((volatile char *)p)[i * 4096] = 1;
		el += now() - t;
		munmap(p, k * 4096);
		n -= k;
	}
	g_time = el;
	return 0;
}
static int b_mprotfault(long n, void *a) /* write-protect fault to SIGSEGV handler is not portable; protect/unprotect pair */
{
	char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); (void)a;
	if (p == MAP_FAILED) return -1;
	*p = 1;
	while (n--) {
		if (mprotect(p, 4096, PROT_READ)) return -1;
		if (mprotect(p, 4096, PROT_READ | PROT_WRITE)) return -1;
		*(volatile char *)p = 1;
	}
	munmap(p, 4096);
	return 0;
}
static char *g_b1, *g_b2;
#define BW (8UL << 20)
static int b_bwset(long n, void *a) { (void)a; while (n--) { memset(g_b1, (int)n, BW); __asm__ volatile("" ::: "memory"); } return 0; }
static int b_bwcpy(long n, void *a) { (void)a; while (n--) { memcpy(g_b2, g_b1, BW); __asm__ volatile("" ::: "memory"); } return 0; }
static int b_bwrd(long n, void *a)
{
	ul s = 0; (void)a;
	while (n--) {
		ul *p = (ul *)g_b1, *e = (ul *)(g_b1 + BW);
		for (; p < e; p += 8) s += p[0] + p[1] + p[2] + p[3] + p[4] + p[5] + p[6] + p[7];
		__asm__ volatile("" : "+r"(s) :: "memory");
	}
	return 0;
}
static void bw(const char *name, body f)
{
	double us = measure(name, f, 0);
	if (us > 0) out(name, BW / us, "MB/s");
}

/* ---------- ping-pong between two processes ---------- */
struct pp { int rd, wr, crd, cwr; pid_t pid; };
static int pp_start(struct pp *p, int kind, int cpu0, int cpu1)
{
	int a[2], b[2];
	if (kind == 0) {
		if (pipe(a) || pipe(b)) return -1;
		p->rd = a[0]; p->cwr = a[1]; p->crd = b[0]; p->wr = b[1];
	} else {
		if (socketpair(AF_UNIX, kind == 1 ? SOCK_STREAM : SOCK_DGRAM, 0, a)) return -1;
		p->rd = p->wr = a[0]; p->crd = p->cwr = a[1];
	}
	p->pid = fork();
	if (p->pid < 0) return -1;
	if (p->pid == 0) {
		char c;
		close(p->rd);
		if (p->wr != p->rd) close(p->wr);
		if (cpu1 >= 0) pin(cpu1);
		while (read(p->crd, &c, 1) == 1) if (write(p->cwr, &c, 1) != 1) break;
		_exit(0);
	}
	close(p->crd);
	if (p->cwr != p->crd) close(p->cwr);
	if (cpu0 >= 0) pin(cpu0);
	return 0;
}
static void pp_stop(struct pp *p)
{
	cpu_set_t s;
	close(p->rd);
	if (p->wr != p->rd) close(p->wr);
	reap(p->pid);
	memset(&s, 0xff, sizeof s);
	sched_setaffinity(0, sizeof s, &s);
}
static int b_pp(long n, void *a)
{
	struct pp *p = a;
	char c = 'x';
	while (n--) {
		if (write(p->wr, &c, 1) != 1) return -1;
		if (read(p->rd, &c, 1) != 1) return -1;
	}
	return 0;
}
static double pingpong(const char *name, int kind, int c0, int c1)
{
	struct pp p;
	double v;
	if (pp_start(&p, kind, c0, c1)) { skip(name, "setup"); return -1; }
	v = bench(name, b_pp, &p);
	pp_stop(&p);
	return v;
}
static int b_selfpipe(long n, void *a)
{
	int *f = a; char c = 'x';
	while (n--) { if (write(f[1], &c, 1) != 1) return -1; if (read(f[0], &c, 1) != 1) return -1; }
	return 0;
}
/* token ring of k processes, lmbench lat_ctx style: per-hop time less the cost of the pipe itself */
static int b_ring(long n, void *a)
{
	int *f = a; char c = 'x';
	while (n--) { if (write(f[0], &c, 1) != 1) return -1; if (read(f[1], &c, 1) != 1) return -1; }
	return 0;
}
static void ctx(const char *name, int k, double pipe_us)
{
	int first[2], prev, i, io[2];
	pid_t pid[32];
	if (pipe(first)) { skip(name, "pipe"); return; }
	prev = first[0];
	pin(0);
	for (i = 1; i < k; i++) {
		int nx[2];
		if (pipe(nx)) { skip(name, "pipe"); return; }
		pid[i] = fork();
		if (pid[i] == 0) {
			char c;
			while (read(prev, &c, 1) == 1) if (write(nx[1], &c, 1) != 1) break;
			_exit(0);
		}
		prev = nx[0];
	}
	io[0] = first[1]; io[1] = prev;
	double v = measure(name, b_ring, io);
	if (v > 0) { v = v / k - pipe_us; if (v < 10) out(name, v * 1000, "ns"); else out(name, v, "us"); }
	for (i = 1; i < k; i++) reap(pid[i]);
	cpu_set_t s;
	memset(&s, 0xff, sizeof s);
	sched_setaffinity(0, sizeof s, &s);
}
static int b_stream(long n, void *a) /* n * 64 KiB from child to parent over kind *a */
{
	static char buf[65536];
	int f[2], kind = *(int *)a;
	if (kind == 0 ? pipe(f) : socketpair(AF_UNIX, SOCK_STREAM, 0, f)) return -1;
	pid_t p = fork();
	if (p < 0) return -1;
	if (p == 0) {
		close(f[0]);
		char go; (void)go;
		for (long i = 0; i < n; i++)
			for (int o = 0; o < 65536;) { ssize_t w = write(f[1], buf + o, 65536 - o); if (w <= 0) _exit(1); o += w; }
		_exit(0);
	}
	close(f[1]);
	ssize_t r; long tot = 0;
	double t = now();
	while ((r = read(f[0], buf, 65536)) > 0) tot += r;
	g_time = now() - t;
	close(f[0]);
	waitpid(p, 0, 0);
	return tot == n * 65536 ? 0 : -1;
}
static int b_poll(long n, void *a)
{
	struct pollfd *p = a;
	while (n--) if (poll(p, 10, 0) < 0) return -1;
	return 0;
}
static int b_epoll(long n, void *a)
{
	struct epoll_event ev[4];
	while (n--) if (epoll_wait(*(int *)a, ev, 4, 0) < 0) return -1;
	return 0;
}

/* ---------- processes ---------- */
/* a complete 1-page static ELF: exit(0) */
static const unsigned char tiny_elf[] = {
	0x7f,'E','L','F',2,1,1,0,0,0,0,0,0,0,0,0, 2,0,62,0,1,0,0,0, 0x78,0,0x40,0,0,0,0,0,
	0x40,0,0,0,0,0,0,0, 0,0,0,0,0,0,0,0, 0,0,0,0,0x40,0,0x38,0,1,0,0x40,0,0,0,0,0,
	1,0,0,0,5,0,0,0, 0,0,0,0,0,0,0,0, 0,0,0x40,0,0,0,0,0, 0,0,0x40,0,0,0,0,0,
	0x84,0,0,0,0,0,0,0, 0x84,0,0,0,0,0,0,0, 0,0x10,0,0,0,0,0,0,
	0xb8,60,0,0,0, 0x31,0xff, 0x0f,0x05, 0x90,0x90,0x90 };
static int b_fork(long n, void *a)
{
	(void)a;
	while (n--) {
		pid_t p = fork();
		if (p < 0) return -1;
		if (p == 0) _exit(0);
		if (waitpid(p, 0, 0) != p) return -1;
	}
	return 0;
}
static int b_vforkexec(long n, void *a)
{
	char *av[] = { a, "--exit", 0 }, *ev[] = { 0 };
	int st;
	while (n--) {
		pid_t p = vfork();
		if (p < 0) return -1;
		if (p == 0) { execve(a, av, ev); _exit(99); }
		if (waitpid(p, &st, 0) != p || st != 0) return -1;
	}
	return 0;
}
static int b_forkexec(long n, void *a)
{
	char *av[] = { a, "--exit", 0 }, *ev[] = { 0 };
	int st;
	while (n--) {
		pid_t p = fork();
		if (p < 0) return -1;
		if (p == 0) { execve(a, av, ev); _exit(99); }
		if (waitpid(p, &st, 0) != p || st != 0) return -1;
	}
	return 0;
}
static int b_forktouch(long n, void *a) /* COW: child writes 256 pages of the parent */
{
	char *p = a;
	while (n--) {
		pid_t c = fork();
		if (c < 0) return -1;
		if (c == 0) { for (int i = 0; i < 256; i++) p[i * 4096] = 2; _exit(0); }
		if (waitpid(c, 0, 0) != c) return -1;
	}
	return 0;
}

/* ---------- threads ---------- */
static void *t_nop(void *a) { return a; }
static int b_thread(long n, void *a)
{
	pthread_t t; (void)a;
	while (n--) { if (pthread_create(&t, 0, t_nop, 0)) return -1; pthread_join(t, 0); }
	return 0;
}
static int g_f[32]; /* g_f[0]: turn */
static int futex(int *u, int op, int v) { return syscall(SYS_futex, u, op, v, 0, 0, 0); }
static volatile int g_stop;
static void *t_futex(void *a)
{
	if (a) pin(((int *)a)[1]);
	while (!g_stop) {
		while (__atomic_load_n(&g_f[0], __ATOMIC_ACQUIRE) != 1) { if (g_stop) return 0; futex(&g_f[0], 128, 0); }
		__atomic_store_n(&g_f[0], 0, __ATOMIC_RELEASE);
		futex(&g_f[0], 129, 1);
	}
	return 0;
}
static int b_futex(long n, void *a)
{
	(void)a;
	while (n--) {
		__atomic_store_n(&g_f[0], 1, __ATOMIC_RELEASE);
		futex(&g_f[0], 129, 1);
		while (__atomic_load_n(&g_f[0], __ATOMIC_ACQUIRE) != 0) futex(&g_f[0], 128, 1);
	}
	return 0;
}
static void futexpp(const char *name, int c0, int c1)
{
	int cpus[2] = { c0, c1 };
	pthread_t t;
	g_stop = 0; g_f[0] = 0;
	if (pthread_create(&t, 0, t_futex, c0 >= 0 ? cpus : 0)) { skip(name, "thread"); return; }
	if (c0 >= 0) pin(c0);
	bench(name, b_futex, 0);
	g_stop = 1;
	__atomic_store_n(&g_f[0], 1, __ATOMIC_RELEASE);
	futex(&g_f[0], 129, 9);
	pthread_join(t, 0);
	cpu_set_t s;
	memset(&s, 0xff, sizeof s);
	sched_setaffinity(0, sizeof s, &s);
}
static pthread_mutex_t g_mx = PTHREAD_MUTEX_INITIALIZER;
static int b_mutex(long n, void *a) { (void)a; while (n--) { pthread_mutex_lock(&g_mx); pthread_mutex_unlock(&g_mx); } return 0; }
static int b_futexwake(long n, void *a) { (void)a; while (n--) futex(&g_f[8], 129, 1); return 0; }

/* ---------- files ---------- */
struct fa { const char *dir; int size; };
static int b_create(long n, void *a)
{
	struct fa *f = a;
	char path[256], buf[4096] = { 0 };
	for (long i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/ob%ld", f->dir, i & 63);
		int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
		if (fd < 0) return -1;
		if (f->size && write(fd, buf, f->size) != f->size) return -1;
		close(fd);
		if (unlink(path)) return -1;
	}
	return 0;
}
static int b_mkdir(long n, void *a)
{
	char path[256];
	snprintf(path, sizeof path, "%s/obd", ((struct fa *)a)->dir);
	while (n--) if (mkdir(path, 0755) || rmdir(path)) return -1;
	return 0;
}
static int b_rename(long n, void *a)
{
	char p1[256], p2[256];
	snprintf(p1, sizeof p1, "%s/obr1", ((struct fa *)a)->dir);
	snprintf(p2, sizeof p2, "%s/obr2", ((struct fa *)a)->dir);
	int fd = open(p1, O_CREAT | O_RDWR, 0644);
	if (fd < 0) return -1;
	close(fd);
	while (n--) if (rename(p1, p2) || rename(p2, p1)) return -1;
	unlink(p1);
	return 0;
}
static int seq_write(const char *path, long bytes, int sync, double *mbs)
{
	static char buf[65536];
	for (int i = 0; i < 65536; i++) buf[i] = i * 7;
	double t = now();
	int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
	if (fd < 0) return -1;
	for (long o = 0; o < bytes; o += 65536) if (write(fd, buf, 65536) != 65536) { close(fd); return -1; }
	if (sync && fsync(fd)) { close(fd); return -1; }
	close(fd);
	*mbs = bytes / (now() - t) / 1e6;
	return 0;
}
static int seq_read(const char *path, long bytes, double *mbs)
{
	static char buf[65536];
	long tot = 0; ssize_t r;
	double t = now();
	int fd = open(path, O_RDONLY);
	if (fd < 0) return -1;
	while ((r = read(fd, buf, 65536)) > 0) tot += r;
	close(fd);
	*mbs = tot / (now() - t) / 1e6;
	return tot == bytes ? 0 : -1;
}
static int drop_caches(const char *path)
{
	sync();
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd >= 0) { int r = write(fd, "3", 1); close(fd); return r == 1 ? 0 : -1; }
	fd = open(path, O_RDONLY);
	if (fd < 0) return -1;
	int r = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return r ? -1 : 0;
}
static int b_randread(long n, void *a) /* 4 KiB random preads over the sequential file */
{
	static char buf[4096];
	static uint32_t s = 12345;
	int fd = *(int *)a; long blocks = (long)g_mib << 8;
	while (n--) {
		s = s * 1664525 + 1013904223;
		if (pread(fd, buf, 4096, (off_t)((s >> 8) % blocks) * 4096) != 4096) return -1;
	}
	return 0;
}
static void files(const char *label, const char *dir, int disk)
{
	char name[64], path[256];
	struct fa f0 = { dir, 0 }, f4 = { dir, 4096 };
	double v[16]; int i, k, reps = g_reps > 3 ? 3 : g_reps;
	long bytes = (long)g_mib << 20;
#define NM(s) (snprintf(name, sizeof name, "%s_%s", label, s), name)
	bench(NM("create_unlink_0k"), b_create, &f0);
	bench(NM("create_write4k_unlink"), b_create, &f4);
	bench(NM("mkdir_rmdir"), b_mkdir, &f0);
	bench(NM("rename_pair"), b_rename, &f0);
	snprintf(path, sizeof path, "%s/obseq", dir);
	for (i = k = 0; i < reps; i++) { unlink(path); if (seq_write(path, bytes, 0, &v[k]) == 0) k++; }
	if (k) out(NM("seqwrite"), median(v, k), "MB/s"); else { skip(NM("seqwrite"), "failed"); unlink(path); return; }
	if (disk) {
		for (i = k = 0; i < reps; i++) { unlink(path); if (seq_write(path, bytes, 1, &v[k]) == 0) k++; }
		if (k) out(NM("seqwrite_fsync"), median(v, k), "MB/s");
		for (i = k = 0; i < reps; i++) { if (drop_caches(path)) break; if (seq_read(path, bytes, &v[k]) == 0) k++; }
		if (k) out(NM("seqread_cold"), median(v, k), "MB/s"); else skip(NM("seqread_cold"), "no cache drop");
		if (drop_caches(path) == 0) {
			int fd = open(path, O_RDONLY);
			int r[1] = { fd };
			double t = now(); (void)t;
			posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
			long save = g_fixed;
			g_fixed = 2000; /* mostly cold: 2000 of 16384 blocks */
			bench(NM("randread4k_cold"), b_randread, r);
			g_fixed = save;
			close(fd);
		}
	}
	for (i = k = 0; i < reps + 1; i++) if (seq_read(path, bytes, &v[k]) == 0 && i) k++;
	if (k) out(NM("seqread_cached"), median(v, k), "MB/s");
	unlink(path);
}

/* ---------- TCP ---------- */
static int listen_on(int port, int loop)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	if (s < 0) return -1;
	sa.sin_addr.s_addr = htonl(loop ? INADDR_LOOPBACK : INADDR_ANY);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(s, (void *)&sa, sizeof sa) || listen(s, 4)) { close(s); return -1; }
	return s;
}
static int connect_to(const char *host, int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	if (s < 0) return -1;
	inet_pton(AF_INET, host, &sa.sin_addr);
	for (int i = 0; i < 50; i++) {
		if (connect(s, (void *)&sa, sizeof sa) == 0) {
			setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			return s;
		}
		close(s);
		usleep(100000);
		s = socket(AF_INET, SOCK_STREAM, 0);
	}
	return -1;
}
static int b_sockpp(long n, void *a)
{
	int s = *(int *)a; char c = 'x';
	while (n--) {
		if (send(s, &c, 1, 0) != 1) return -1;
		if (recv(s, &c, 1, 0) != 1) return -1;
	}
	return 0;
}
static void echo_loop(int s)
{
	static char b[4096]; ssize_t r;
	int one = 1;
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	while ((r = recv(s, b, sizeof b, 0)) > 0) if (send(s, b, r, 0) != r) break;
}
static void tcp_local(void)
{
	int l = listen_on(7701, 1), s;
	if (l < 0) { skip("tcp_rtt", "listen"); return; }
	pid_t p = fork();
	if (p == 0) { s = accept(l, 0, 0); echo_loop(s); _exit(0); }
	s = connect_to("127.0.0.1", 7701);
	if (s < 0) skip("tcp_rtt", "connect");
	else { bench("tcp_rtt", b_sockpp, &s); close(s); }
	reap(p);
	close(l);
}
static int b_tcpbw(long n, void *a)
{
	static char buf[65536];
	int l = *(int *)a, s;
	pid_t p = fork();
	if (p < 0) return -1;
	if (p == 0) {
		s = connect_to("127.0.0.1", 7702);
		for (long i = 0; i < n; i++) for (int o = 0; o < 65536;) { ssize_t w = send(s, buf + o, 65536 - o, 0); if (w <= 0) _exit(1); o += w; }
		_exit(0);
	}
	s = accept(l, 0, 0);
	ssize_t r; long tot = 0;
	double t = now();
	while ((r = recv(s, buf, 65536, 0)) > 0) tot += r;
	g_time = now() - t;
	close(s);
	waitpid(p, 0, 0);
	return tot == n * 65536 ? 0 : -1;
}
static int b_tcpconn(long n, void *a) /* connect + accept + close on the loopback, one process */
{
	int l = *(int *)a;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(7703) };
	struct linger lg = { 1, 0 };
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (n--) {
		int s = socket(AF_INET, SOCK_STREAM, 0);
		if (s < 0 || connect(s, (void *)&sa, sizeof sa)) return -1;
		int c = accept(l, 0, 0);
		if (c < 0) return -1;
		setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
		close(s); close(c);
	}
	return 0;
}
static void udp_local(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET }, sb = { .sin_family = AF_INET };
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	sa.sin_addr.s_addr = sb.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons(7704); sb.sin_port = htons(7705);
	if (a < 0 || bind(a, (void *)&sa, sizeof sa) || bind(b, (void *)&sb, sizeof sb) ||
	    connect(a, (void *)&sb, sizeof sb) || connect(b, (void *)&sa, sizeof sa)) { skip("udp_rtt", "setup"); return; }
	pid_t p = fork();
	if (p == 0) { char c[64]; ssize_t r; while ((r = recv(b, c, 64, 0)) > 0) send(b, c, r, 0); _exit(0); }
	bench("udp_rtt", b_sockpp, &a);
	reap(p);
	close(a); close(b);
}
static int do_sink(int port)
{
	static char buf[262144];
	int l = listen_on(port, 0), s;
	if (l < 0) { perror("listen"); return 1; }
	s = accept(l, 0, 0);
	ssize_t r = read(s, buf, sizeof buf); double t = now(); long tot = r > 0 ? r : 0;
	while ((r = read(s, buf, sizeof buf)) > 0) tot += r;
	t = now() - t;
	printf("tcp_sink_rx %.4g MB/s (%ld bytes)\n", tot / t / 1e6, tot);
	return 0;
}
static int do_source(const char *h, int port, long mib)
{
	static char buf[262144];
	int s = connect_to(h, port); char c;
	if (s < 0) { perror("connect"); return 1; }
	double t = now();
	for (long i = 0; i < mib * 4; i++)
		for (int o = 0; o < 262144;) { ssize_t w = write(s, buf + o, 262144 - o); if (w <= 0) { perror("write"); return 1; } o += w; }
	shutdown(s, SHUT_WR);
	while (read(s, &c, 1) > 0) ;
	printf("tcp_source_tx %.4g MB/s\n", mib * 1048576.0 / (now() - t) / 1e6);
	return 0;
}

/* ---------- main ---------- */
static char **g_want; static int g_nwant;
static int want(const char *n)
{
	if (!g_nwant) return 1;
	for (int i = 0; i < g_nwant; i++) if (!strncmp(n, g_want[i], strlen(g_want[i]))) return 1;
	return 0;
}
int main(int argc, char **argv)
{
	int o, fdz, fdn, i;
	char path[256], tiny[256];
	if (argc > 1 && !strcmp(argv[1], "--exit")) _exit(0);
	if (argc > 2 && !strcmp(argv[1], "sink")) return do_sink(atoi(argv[2]));
	if (argc > 4 && !strcmp(argv[1], "source")) return do_source(argv[2], atoi(argv[3]), atol(argv[4]));
	if (argc > 2 && !strcmp(argv[1], "echo")) {
		int l = listen_on(atoi(argv[2]), 0);
		if (l < 0) { perror("listen"); return 1; }
		echo_loop(accept(l, 0, 0));
		return 0;
	}
	if (argc > 4 && !strcmp(argv[1], "ping")) {
		int s = connect_to(argv[2], atoi(argv[3])); long n = atol(argv[4]);
		if (s < 0) { perror("connect"); return 1; }
		b_sockpp(10, &s);
		double t = now();
		if (b_sockpp(n, &s)) { perror("ping"); return 1; }
		out("tcp_ping_rtt", (now() - t) * 1e6 / n, "us");
		return 0;
	}
	while ((o = getopt(argc, argv, "t:r:d:D:m:N:")) != -1) switch (o) {
	case 't': g_ms = atoi(optarg); break;
	case 'r': g_reps = atoi(optarg); if (g_reps > 60) g_reps = 60; break;
	case 'd': g_dir = optarg; break;
	case 'D': g_disk = optarg; break;
	case 'm': g_mib = atoi(optarg); break;
	case 'N': g_fixed = atol(optarg); break;
	default: return 2;
	}
	g_want = argv + optind; g_nwant = argc - optind;
	signal(SIGPIPE, SIG_IGN);
	{ char *b = realpath(argv[0], 0); if (b) g_self = b; }

	if (want("loop")) { double v = measure("loop", b_loop, 0); if (v > 0) out("loop_iter", v * 1000, "ns"); }
	if (want("getppid")) bench("getppid", b_getppid, 0);
	if (want("getpgid")) bench("getpgid", b_getpgid, 0);
	if (want("umask")) bench("umask", b_umask, 0);
	if (want("clock_gettime_libc")) bench("clock_gettime_libc", b_clockv, 0);
	if (want("clock_gettime_sys")) bench("clock_gettime_sys", b_clocks, 0);
	if (want("gettimeofday")) bench("gettimeofday_libc", b_gtod, 0);
	if (want("sched_yield")) bench("sched_yield_alone", b_yield, 0);
	fdz = open("/dev/zero", O_RDONLY); fdn = open("/dev/null", O_WRONLY);
	int az[2] = { fdz, 1 }, az4[2] = { fdz, 4096 }, an[2] = { fdn, 1 };
	if (want("read1")) bench("read1_devzero", b_read, az);
	if (want("read4k_devzero")) bench("read4k_devzero", b_read, az4);
	if (want("write1")) bench("write1_devnull", b_write, an);
	snprintf(path, sizeof path, "%s/obfile", g_dir);
	{
		int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
		static char b[65536];
		if (fd < 0 || write(fd, b, sizeof b) != sizeof b) skip("file", path);
		else {
			int a4[2] = { fd, 4096 }, a64[2] = { fd, 65536 };
			if (want("pread4k")) bench("pread4k_cached", b_pread, a4);
			if (want("pread64k")) bench("pread64k_cached", b_pread, a64);
			if (want("stat")) bench("stat", b_stat, path);
			if (want("fstat")) bench("fstat", b_fstat, &fd);
			if (want("open_close")) bench("open_close", b_open, path);
			if (want("dup_close")) bench("dup_close", b_dup, &fd);
			close(fd);
		}
		unlink(path);
	}
	if (want("signal_install")) bench("signal_install", b_siginst, 0);
	if (want("signal_deliver")) bench("signal_deliver", b_sigcatch, 0);
	int l1 = 4096, l2 = 1 << 20;
	if (want("mmap_munmap_4k")) bench("mmap_munmap_4k", b_mmap, &l1);
	if (want("mmap_munmap_1m")) bench("mmap_munmap_1m", b_mmap, &l2);
	if (want("mmap_touch_munmap")) bench("mmap_touch_munmap_4k", b_mmaptouch, 0);
	if (want("pagefault")) bench("pagefault_anon", b_fault, 0);
	if (want("mprotect")) bench("mprotect_pair", b_mprotfault, 0);
	if (want("mem")) {
		g_b1 = mmap(0, BW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		g_b2 = mmap(0, BW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (g_b1 == MAP_FAILED || g_b2 == MAP_FAILED) skip("mem", "mmap");
		else {
			memset(g_b1, 1, BW); memset(g_b2, 1, BW);
			bw("mem_memset", b_bwset); bw("mem_memcpy", b_bwcpy); bw("mem_read", b_bwrd);
			munmap(g_b1, BW); munmap(g_b2, BW);
		}
	}
	double selfp = 0;
	{
		int f[2];
		if (pipe(f) == 0) {
			if (want("pipe_self") || want("ctx")) { selfp = measure("pipe_self", b_selfpipe, f); if (selfp > 0) out("pipe_self_write_read", selfp * 1000, "ns"); }
			close(f[0]); close(f[1]);
		}
	}
	if (want("pipe_rtt")) pingpong("pipe_rtt", 0, -1, -1);
	if (ncpu() > 1 && want("pipe_rtt_same")) pingpong("pipe_rtt_samecpu", 0, 0, 0);
	if (ncpu() > 1 && want("pipe_rtt_cross")) pingpong("pipe_rtt_crosscpu", 0, 0, 1);
	if (want("unix_stream_rtt")) pingpong("unix_stream_rtt", 1, -1, -1);
	if (want("unix_dgram_rtt")) pingpong("unix_dgram_rtt", 2, -1, -1);
	if (want("ctx2")) ctx("ctx2_switch", 2, selfp);
	if (want("ctx8")) ctx("ctx8_switch", 8, selfp);
	int k0 = 0, k1 = 1;
	if (want("pipe_bw")) { double v = measure("pipe_bw", b_stream, &k0); if (v > 0) out("pipe_bw", 65536 / v, "MB/s"); }
	if (want("unix_bw")) { double v = measure("unix_bw", b_stream, &k1); if (v > 0) out("unix_bw", 65536 / v, "MB/s"); }
	{
		struct pollfd pf[10]; int f[10][2];
		int ep = epoll_create1(0);
		for (i = 0; i < 10; i++) { if (pipe(f[i])) break; pf[i].fd = f[i][0]; pf[i].events = POLLIN;
			struct epoll_event e = { .events = EPOLLIN }; if (ep >= 0) epoll_ctl(ep, EPOLL_CTL_ADD, f[i][0], &e); }
		if (i == 10) {
			if (want("poll10")) bench("poll10_pipes", b_poll, pf);
			if (ep >= 0 && want("epoll")) bench("epoll_wait_idle", b_epoll, &ep);
		}
		while (i--) { close(f[i][0]); close(f[i][1]); }
		close(ep);
	}
	if (want("fork_exit")) bench("fork_exit_wait", b_fork, 0);
	if (want("fork_cow")) {
		char *p = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED) { memset(p, 1, 1 << 20); bench("fork_cow256_exit_wait", b_forktouch, p); munmap(p, 1 << 20); }
	}
	snprintf(tiny, sizeof tiny, "%s/obtiny", g_dir);
	{
		int fd = open(tiny, O_CREAT | O_WRONLY | O_TRUNC, 0755);
		if (fd < 0 || write(fd, tiny_elf, sizeof tiny_elf) != (ssize_t)sizeof tiny_elf) skip("exec", tiny);
		close(fd);
		if (want("fork_exec_tiny")) bench("fork_exec_tiny_wait", b_forkexec, tiny);
		if (want("vfork_exec_tiny")) bench("vfork_exec_tiny_wait", b_vforkexec, tiny);
		if (want("fork_exec_self")) bench("fork_exec_self_wait", b_forkexec, (void *)g_self);
		unlink(tiny);
	}
	if (want("thread")) bench("thread_create_join", b_thread, 0);
	if (want("mutex")) bench("mutex_uncontended", b_mutex, 0);
	if (want("futex_wake")) bench("futex_wake_empty", b_futexwake, 0);
	if (want("futex_rtt")) futexpp("futex_rtt", -1, -1);
	if (ncpu() > 1 && want("futex_rtt_same")) futexpp("futex_rtt_samecpu", 0, 0);
	if (ncpu() > 1 && want("futex_rtt_cross")) futexpp("futex_rtt_crosscpu", 0, 1);
	if (want("tcp_rtt")) tcp_local();
	if (want("udp_rtt")) udp_local();
	if (want("tcp_bw")) {
		int l = listen_on(7702, 1);
		if (l < 0) skip("tcp_bw", "listen");
		else { double v = measure("tcp_bw", b_tcpbw, &l); if (v > 0) out("tcp_bw", 65536 / v, "MB/s"); close(l); }
	}
	if (want("tcp_connect")) {
		int l = listen_on(7703, 1);
		if (l < 0) skip("tcp_connect", "listen");
		else { bench("tcp_connect_accept_close", b_tcpconn, &l); close(l); }
	}
	if (want("files")) files("fs", g_dir, 0);
	if (g_disk && want("disk")) files("disk", g_disk, 1);
	return 0;
}
