/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * N busy processes on N processors take about the time of one. Usage: cpus [MILLISECONDS-OF-WORK]; prints one line for
 * computing alone and one for computing with system calls and page faults in between, best of three each:
 *   cpus 4 compute one 512 ms all 530 ms ratio 1.04
 * Exit status 0 when the ratio of pure computing is below 1.6, 1 when not, 77 on a single processor.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CPUS = 64, BLOCK = 64 * 4096 };

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static volatile unsigned sink;

static void compute(long rounds)
{
	unsigned x = 1;
	for (long i = 0; i < rounds * 1000; i++)
		x = x * 1664525u + 1013904223u;
	sink = x;
}

static void mixed(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		compute(1);
		syscall(SYS_getppid);
		if (i % 100 == 0) {
			char *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p != MAP_FAILED) {
				memset(p, 1, BLOCK);
				munmap(p, BLOCK);
			}
		}
	}
}

/* The time that n processes need when each does all the rounds; they start together. */
static double run(int n, void (*work)(long), long rounds)
{
	int gate[2];
	char c;
	pid_t pid[MAX_CPUS];
	if (pipe(gate) != 0)
		exit(2);
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			exit(2);
		if (pid[i] == 0) {
			close(gate[1]);
			if (read(gate[0], &c, 1) == 0)
				work(rounds);
			_exit(0);
		}
	}
	double start = now_ms();
	close(gate[1]);
	for (int i = 0; i < n; i++)
		waitpid(pid[i], NULL, 0);
	close(gate[0]);
	return now_ms() - start;
}

static double best(int n, void (*work)(long), long rounds)
{
	double least = 1e30;
	for (int i = 0; i < 3; i++) {
		double t = run(n, work, rounds);
		least = t < least ? t : least;
	}
	return least;
}

static double compare(const char *name, int cpus, void (*work)(long), double target_ms)
{
	long rounds = 100;
	double t;
	while ((t = run(1, work, rounds)) < target_ms / 4)
		rounds *= 2;
	rounds = (long)((double)rounds * target_ms / t) + 1;
	double one = best(1, work, rounds), all = best(cpus, work, rounds);
	printf("cpus %d %s one %.0f ms all %.0f ms ratio %.2f\n", cpus, name, one, all, all / one);
	return all / one;
}

int main(int argc, char **argv)
{
	double target_ms = argc > 1 ? atof(argv[1]) : 500;
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 2;
	int cpus = CPU_COUNT(&set);
	cpus = cpus > MAX_CPUS ? MAX_CPUS : cpus;
	double ratio = compare("compute", cpus, compute, target_ms);
	compare("mixed", cpus, mixed, target_ms);
	if (cpus < 2)
		return 77;
	return ratio < 1.6 ? 0 : 1;
}
