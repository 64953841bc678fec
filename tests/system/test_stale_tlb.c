/* SPDX-License-Identifier: BSD-2-Clause */
/* What one thread does to an address space, another on another CPU sees at once: in its own loads and in copies made for it. */
#include "check.h"
#include <pthread.h>

enum { PAGE_BYTES = 4096, ROUNDS = 24, SPIN_LIMIT = 2000000000 };

struct pair {
	volatile long *page;	/* the address under which the frame changes */
	volatile long turn;	/* n: the editor has put value n there; -n: the reader has checked it */
	int reader_cpu, editor_cpu;
	int pipe[2];
	volatile int stop;
};

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	NEED(sched_setaffinity(0, sizeof set, &set) == 0);
}

/* Spins without system calls, so that nothing but the kernel's own work refreshes this CPU's translations. */
static int await(struct pair *p, long turn)
{
	for (long i = 0; i < SPIN_LIMIT && !p->stop; i++)
		if (__atomic_load_n(&p->turn, __ATOMIC_ACQUIRE) == turn)
			return 1;
	return 0;
}

/* A new frame with a new value takes the place of the old one, which is still mapped when the new one is allocated. */
static int replace_page(struct pair *p, long value)
{
	long *fresh = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fresh == MAP_FAILED)
		return 0;
	*fresh = value;
	return mremap(fresh, PAGE_BYTES, PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)p->page) == (void *)p->page;
}

static void *editor(void *arg)
{
	struct pair *p = arg;
	pin(p->editor_cpu);
	for (long n = 1; n <= ROUNDS && !p->stop; n++) {
		CHECK(replace_page(p, n));
		__atomic_store_n(&p->turn, n, __ATOMIC_RELEASE);
		if (!await(p, -n))
			break;
	}
	return NULL;
}

/* Every eighth value is also read by a copy that the kernel makes on the reader's CPU. */
static long value_by_copy(struct pair *p)
{
	long value = 0;
	NEED(write(p->pipe[1], (const void *)p->page, sizeof value) == sizeof value);
	NEED(read(p->pipe[0], &value, sizeof value) == sizeof value);
	return value;
}

static void run_pair(int reader_cpu, int editor_cpu)
{
	struct pair p = { .reader_cpu = reader_cpu, .editor_cpu = editor_cpu };
	pthread_t thread;
	p.page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p.page != MAP_FAILED && pipe(p.pipe) == 0);
	*p.page = 0;
	pin(reader_cpu);
	NEED(pthread_create(&thread, NULL, editor, &p) == 0);
	for (long n = 1; n <= ROUNDS && !p.stop; n++) {
		if (!await(&p, n)) {
			CHECK(!"the editor's turn came");
			break;
		}
		long seen = *p.page;
		CHECK_EQ(seen, n);
		if (n % 8 == 0)
			CHECK_EQ(value_by_copy(&p), n);
		p.stop = seen != n;
		__atomic_store_n(&p.turn, -n, __ATOMIC_RELEASE);
	}
	p.stop = 1;
	pthread_join(thread, NULL);
	munmap((void *)p.page, PAGE_BYTES);
	close(p.pipe[0]);
	close(p.pipe[1]);
}

static void replaced_page_is_seen_on_every_cpu(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus < 2)
		SKIP("one CPU");
	for (int reader = 0; reader < cpus && reader < 4; reader++)
		for (int edit = 0; edit < cpus && edit < 4; edit++)
			if (reader != edit)
				run_pair(reader, edit);
}

struct protect {
	volatile char *page;
	volatile int go, writes_after;
};

/* Writes until the page can be written no more; the fault ends the process, whose parent judges. */
static void *writer(void *arg)
{
	struct protect *p = arg;
	pin(1);
	p->go = 1;
	for (;;)
		*p->page = 1;
	return NULL;
}

static void withdrawn_write_access_holds_at_once(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		SKIP("one CPU");
		return;
	}
	struct protect *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p->page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid;
		p->go = 0;
		CHILD(pid)
		{
			pthread_t thread;
			pin(0);
			NEED(pthread_create(&thread, NULL, writer, p) == 0);
			while (!p->go)
				;
			NEED(mprotect((void *)p->page, PAGE_BYTES, PROT_READ) == 0);
			sleep(5);
		}
		CHECK_KILLED(pid, SIGSEGV);
	}
}

int main(void)
{
	RUN(replaced_page_is_seen_on_every_cpu);
	RUN(withdrawn_write_access_holds_at_once);
	return check_end();
}
