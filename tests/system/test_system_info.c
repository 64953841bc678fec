/* SPDX-License-Identifier: BSD-2-Clause */
/* uname, host name, sysinfo, getrusage, times, priorities, scheduling calls, CPU number and affinity. */
#include "check.h"
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

static void uname_fields(void)
{
	struct utsname u;
	unsigned major = 0;
	CHECK_EQ(uname(&u), 0);
	CHECK_STR(u.sysname, "Linux"); /* programs compare it */
	CHECK_STR(u.machine, "x86_64");
	CHECK(sscanf(u.release, "%u.", &major) == 1 && major >= 5);
	CHECK(u.version[0] != 0 && u.nodename[0] != 0);
	CHECK_ERR(syscall(SYS_uname, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_uname, bad_readonly()), EFAULT);
	CHECK_ERR(syscall(SYS_uname, page_end(10)), EFAULT);
}

static void host_name(void)
{
	struct utsname u, v;
	char longname[80];
	memset(longname, 'h', sizeof longname);
	NEED(uname(&u) == 0);
	CHECK_EQ(sethostname("check-host", 10), 0);
	CHECK_EQ(uname(&v), 0);
	CHECK_STR(v.nodename, "check-host");
	CHECK_ERR(sethostname(longname, 65), EINVAL);
	CHECK_ERR(syscall(SYS_sethostname, "x", -1), EINVAL);
	CHECK_ERR(syscall(SYS_sethostname, bad_unmapped(), 4), EFAULT);
	CHECK_EQ(sethostname(longname, 64), 0);
	CHECK_EQ(sethostname(u.nodename, strlen(u.nodename)), 0);
	CHECK_EQ(syscall(SYS_setdomainname, v.domainname, strlen(v.domainname)), 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(sethostname("x", 1), EPERM);
		CHECK_ERR(syscall(SYS_setdomainname, "x", 1), EPERM);
	}
}

static void sysinfo_fields(void)
{
	struct sysinfo a;
	CHECK_EQ(sysinfo(&a), 0);
	unsigned long total = a.totalram * a.mem_unit, left = a.freeram * a.mem_unit;
	CHECK(total >= 32UL << 20);
	CHECK(left > 0 && left < total);
	CHECK(a.procs > 0);
	CHECK(a.mem_unit >= 1);
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	CHECK(labs((long)a.uptime - t.tv_sec) <= 2);
	CHECK_ERR(syscall(SYS_sysinfo, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_sysinfo, bad_readonly()), EFAULT);
}

static void burn(int ms)
{
	struct timespec t;
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
}

static void usage_grows(void)
{
	struct rusage ru;
	struct tms tms;
	long hz = sysconf(_SC_CLK_TCK);
	CHECK_EQ(hz, 100);
	char *big = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(big, 1, 8 << 20);
	burn(150);
	CHECK_EQ(getrusage(RUSAGE_SELF, &ru), 0);
	long ms = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
	CHECK(ms >= 140 && ms < 1500);
	CHECK(ru.ru_maxrss >= 4096 && ru.ru_maxrss < 1 << 20);
	CHECK(ru.ru_minflt > 0);
	long a = times(&tms);
	CHECK(tms.tms_utime + tms.tms_stime >= 14);
	CHECK_EQ(tms.tms_cutime + tms.tms_cstime, 0);
	IN_CHILD
	{
		CHECK_EQ(getrusage(RUSAGE_SELF, &ru), 0);
		CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec < 100000); /* a child starts at zero */
		burn(100);
	}
	times(&tms);
	CHECK(tms.tms_cutime + tms.tms_cstime >= 9);
	sleep_ms(60);
	long b = times(NULL);
	CHECK(b - a >= 5);
	CHECK_EQ(getrusage(RUSAGE_THREAD, &ru), 0);
	CHECK_ERR(getrusage(77, &ru), EINVAL);
	CHECK_ERR(syscall(SYS_getrusage, RUSAGE_SELF, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_getrusage, RUSAGE_SELF, bad_readonly()), EFAULT);
	CHECK_ERR(syscall(SYS_times, bad_unmapped()), EFAULT);
}

static void priorities(void)
{
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20); /* the raw call answers 20 - nice */
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 100), 0); /* clamped */
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 3), 0);
	IN_CHILD
	{
		CHECK_EQ(getpriority(PRIO_PROCESS, 0), 3);
		become_user(1000);
		CHECK_ERR(setpriority(PRIO_PROCESS, 0, 2), EACCES);
		CHECK_ERR(setpriority(PRIO_PROCESS, getppid(), 10), EPERM);
		CHECK_EQ(setpriority(PRIO_PROCESS, 0, 7), 0);
		CHECK_EQ(getpriority(PRIO_USER, 0), 7);
	}
	CHECK_EQ(getpriority(PRIO_PGRP, 0), 3);
	CHECK_ERR(syscall(SYS_getpriority, 9, 0), EINVAL);
	CHECK_ERR(syscall(SYS_setpriority, 9, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_getpriority, PRIO_PROCESS, 1 << 30), ESRCH);
	CHECK_ERR(syscall(SYS_setpriority, PRIO_PROCESS, 1 << 30, 0), ESRCH);
}

static void scheduling(void)
{
	struct sched_param sp = { 0 };
	struct timespec t;
	CHECK_EQ(sched_yield(), 0);
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	CHECK_EQ(syscall(SYS_sched_getparam, 0, &sp), 0);
	CHECK_EQ(sp.sched_priority, 0);
	CHECK_EQ(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	CHECK_EQ(syscall(SYS_sched_get_priority_min, SCHED_FIFO), 1);
	CHECK_EQ(syscall(SYS_sched_get_priority_max, SCHED_OTHER), 0);
	CHECK_ERR(syscall(SYS_sched_get_priority_max, 99), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getscheduler, -1), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getscheduler, 1 << 30), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getparam, 0, bad_unmapped()), EFAULT);
	CHECK_EQ(syscall(SYS_sched_rr_get_interval, 0, &t), 0);
	sp.sched_priority = 5;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &sp), EINVAL);
}

static void affinity(void)
{
	unsigned long mask[16] = { 0 }, one[16] = { 0 };
	unsigned cpu = 99, node = 99;
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) >= 8);
	CHECK(mask[0] != 0);
	int n = __builtin_popcountl(mask[0]);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) == n || n == 64);
	CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
	CHECK(mask[0] >> cpu & 1);
	CHECK_EQ(node, 0);
	CHECK_EQ(syscall(SYS_getcpu, NULL, NULL, NULL), 0);
	for (unsigned i = 0; i < 64; i++) {
		if (!(mask[0] >> i & 1))
			continue;
		one[0] = 1UL << i; /* after the call the process runs there and nowhere else */
		CHECK_EQ(syscall(SYS_sched_setaffinity, 0, sizeof one, one), 0);
		syscall(SYS_getcpu, &cpu, NULL, NULL);
		CHECK_EQ(cpu, i);
	}
	one[0] = 0;
	CHECK_ERR(syscall(SYS_sched_setaffinity, 0, sizeof one, one), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 1, mask), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 1 << 30, sizeof mask, mask), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, sizeof mask, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_sched_setaffinity, 0, sizeof mask, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_getcpu, bad_unmapped(), NULL, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_getcpu, NULL, bad_unmapped(), NULL), EFAULT);
}

static void unknown_calls(void)
{
	CHECK_ERR(syscall(9999), ENOSYS);
	CHECK_ERR(syscall(-1), ENOSYS);
	CHECK_ERR(syscall(0x7fffffff), ENOSYS);
	CHECK_ERR(syscall(SYS_create_module), ENOSYS);
	CHECK_ERR(syscall(SYS_tuxcall), ENOSYS);
}

int main(void)
{
	RUN(uname_fields);
	RUN(host_name);
	RUN(sysinfo_fields);
	RUN(usage_grows);
	RUN(priorities);
	RUN(scheduling);
	RUN(affinity);
	RUN(unknown_calls);
	return check_end();
}
