/* SPDX-License-Identifier: BSD-2-Clause */
/* munmap of parts and mprotect: exactly the named pages change, and a fault tells address and reason. */
#include "segv.h"

#define RW (PROT_READ | PROT_WRITE)

static char *map(int pages, int prot)
{
	char *p = mmap(NULL, (size_t)pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	return p;
}

static void unmap_middle_and_ends(void)
{
	segv_catch();
	char *p = map(8, RW);
	for (int i = 0; i < 8; i++)
		p[i * PAGE] = (char)('0' + i);
	CHECK_EQ(munmap(p + 3 * PAGE, 2 * PAGE), 0);
	CHECK_EQ(munmap(p, PAGE), 0);
	CHECK_EQ(munmap(p + 7 * PAGE, PAGE), 0);
	const char *want = "-12--56-";
	for (int i = 0; i < 8; i++) {
		if (want[i] == '-') {
			CHECK_EQ(fault_read(p + i * PAGE + 5), SEGV_MAPERR);
			CHECK(segv_addr == p + i * PAGE + 5);
		} else {
			CHECK_EQ(p[i * PAGE], want[i]);
		}
	}
	CHECK_EQ(munmap(p, 8 * PAGE), 0); /* holes in the range are no error */
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
	CHECK_EQ(fault_read(p + PAGE), SEGV_MAPERR);
}

static void munmap_refused(void)
{
	char *p = map(1, RW);
	CHECK_ERR(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERR(munmap(p, 0), EINVAL);
	CHECK_ERR(syscall(SYS_munmap, p, -1L), EINVAL);
	CHECK_ERR(munmap((void *)0xffff800000000000, PAGE), EINVAL);
	*p = 1;
}

static void protections(void)
{
	segv_catch();
	char *p = map(5, RW);
	memset(p, 7, 5 * PAGE);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(mprotect(p + 3 * PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(fault_write(p, 8), 0);
	CHECK_EQ(fault_read(p + PAGE), 0);
	CHECK_EQ(fault_write(p + 2 * PAGE - 1, 8), SEGV_ACCERR);
	CHECK_EQ(segv_signal, SIGSEGV);
	CHECK(segv_addr == p + 2 * PAGE - 1);
	CHECK_EQ(fault_write(p + 2 * PAGE, 8), 0);
	CHECK_EQ(fault_read(p + 3 * PAGE + 9), SEGV_ACCERR);
	CHECK(segv_addr == p + 3 * PAGE + 9);
	CHECK_EQ(mprotect(p, 5 * PAGE, RW), 0);
	CHECK_EQ(fault_write(p + PAGE, 9), 0);
	CHECK_EQ(p[2 * PAGE - 1], 7);
	CHECK_EQ(p[3 * PAGE], 7); /* contents survive PROT_NONE */
}

static void untouched_pages(void)
{
	segv_catch();
	char *p = map(2, PROT_NONE);
	CHECK_EQ(fault_read(p), SEGV_ACCERR);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_EQ(p[5], 0);
	CHECK_EQ(fault_write(p + 5, 1), SEGV_ACCERR);
	CHECK_EQ(mprotect(p, PAGE, RW), 0);
	CHECK_EQ(fault_write(p + 5, 1), 0); /* the page of zeros must have become an own one */
	char *q = map(1, PROT_READ);
	CHECK_EQ(q[5], 0);
}

static const unsigned char code_ret[] = { 0xc3 };

static void execute(void)
{
	segv_catch();
	char *p = map(1, RW);
	memcpy(p, code_ret, sizeof code_ret);
	CHECK_EQ(fault_call(p), SEGV_ACCERR); /* data is not code */
	CHECK(segv_addr == p);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	CHECK_EQ(fault_call(p), 0);
	CHECK_EQ(fault_write(p, 1), SEGV_ACCERR);
	char local[16] = { (char)0xc3 };
	CHECK_EQ(fault_call(local), SEGV_ACCERR); /* nor is the stack */
	CHECK_EQ(fault_call((void *)0x123000), SEGV_MAPERR);
	CHECK(segv_addr == (void *)0x123000);
}

static void text_and_constants_are_not_writable(void)
{
	segv_catch();
	CHECK_EQ(fault_write((void *)(uintptr_t)code_ret, 1), SEGV_ACCERR);
	CHECK_EQ(fault_write((void *)(uintptr_t)execute, 1), SEGV_ACCERR);
}

static void addresses_of_the_system(void)
{
	segv_catch();
	CHECK(fault_read(bad_kernel()) != 0);
	CHECK_EQ(segv_signal, SIGSEGV);
	CHECK_EQ(fault_read(bad_noncanonical()), SI_KERNEL); /* no address at all: no page fault, address 0 */
	CHECK_EQ(segv_signal, SIGSEGV);
	CHECK(segv_addr == NULL);
	CHECK_EQ(fault_write((void *)0x7ffffffff000, 1), SEGV_MAPERR);
}

static void mprotect_refused(void)
{
	segv_catch();
	char *p = map(4, RW);
	CHECK_ERR(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
	CHECK_ERR(mprotect(p, PAGE, 0x40), EINVAL);
	CHECK_EQ(mprotect(p, 0, PROT_READ), 0);
	NEED(munmap(p + 2 * PAGE, PAGE) == 0);
	CHECK_ERR(mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	CHECK_EQ(fault_write(p, 1), SEGV_ACCERR); /* the part before the hole was done */
	CHECK_EQ(fault_write(p + 3 * PAGE, 1), 0);
	CHECK_ERR(mprotect(p + 2 * PAGE, PAGE, PROT_READ), ENOMEM);
	CHECK_ERR(mprotect((void *)0xffff800000000000, PAGE, PROT_READ), ENOMEM);
}

static void calls_respect_protection(void)
{
	char *p = map(3, RW);
	int fd = file_make("f", "0123456789");
	NEED(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	CHECK_EQ(pread(fd, p, 10, 0), 10);
	CHECK_ERR(pread(fd, p + PAGE, 10, 0), EFAULT);
	CHECK_EQ(pwrite(fd, p + PAGE, 10, 0), 10);
	NEED(mprotect(p + PAGE, PAGE, PROT_NONE) == 0);
	CHECK_ERR(pwrite(fd, p + PAGE, 10, 0), EFAULT);
	CHECK_EQ(pread(fd, p + PAGE - 4, 10, 0), 4); /* as far as it goes */
	NEED(munmap(p + PAGE, PAGE) == 0);
	CHECK_EQ(pwrite(fd, p + PAGE - 4, 10, 0), 4);
	CHECK_ERR(pwrite(fd, p + PAGE, 10, 0), EFAULT);
	unlink("f");
}

static void a_handler_repairs_the_page(void);
static char *repair_page;
static volatile int repairs;
static void repair(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	repairs++;
	if (si->si_addr != repair_page + 100 || mprotect(repair_page, PAGE, RW) != 0)
		_exit(1);
}

static void a_handler_repairs_the_page(void)
{
	repair_page = map(1, PROT_NONE);
	on_siginfo(SIGSEGV, repair, 0);
	repair_page[100] = 42; /* restarted after the handler */
	CHECK_EQ(repair_page[100], 42);
	CHECK_EQ(repairs, 1);
}

static void unhandled_faults_kill(void)
{
	pid_t pid;
	CHILD(pid) *(volatile int *)16 = 1;
	CHECK_EQ(wait_status(pid) & 0x7f, SIGSEGV);
	CHILD(pid)
	{
		on_signal(SIGSEGV, SIG_IGN, 0); /* ignoring a fault is not possible */
		*(volatile int *)16 = 1;
	}
	CHECK_EQ(wait_status(pid) & 0x7f, SIGSEGV);
	CHILD(pid)
	{
		sigset_t set;
		segv_catch();
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL); /* nor is blocking it */
		*(volatile int *)16 = 1;
	}
	CHECK_EQ(wait_status(pid) & 0x7f, SIGSEGV);
}

int main(void)
{
	RUN(unmap_middle_and_ends);
	RUN(munmap_refused);
	RUN(protections);
	RUN(untouched_pages);
	RUN(execute);
	RUN(text_and_constants_are_not_writable);
	RUN(addresses_of_the_system);
	RUN(mprotect_refused);
	RUN(calls_respect_protection);
	RUN(a_handler_repairs_the_page);
	RUN(unhandled_faults_kill);
	return check_end();
}
