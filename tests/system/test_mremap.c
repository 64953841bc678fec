/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap: shrink, grow in place, move with contents, fixed targets, and the refused forms. */
#include "segv.h"

#define RW (PROT_READ | PROT_WRITE)

static char *map(int pages)
{
	char *p = mmap(NULL, (size_t)pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	for (int i = 0; i < pages; i++)
		p[i * PAGE] = (char)('a' + i);
	return p;
}

static void shrink(void)
{
	segv_catch();
	char *p = map(4);
	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	CHECK_EQ(p[PAGE], 'b');
	CHECK_EQ(fault_read(p + 2 * PAGE), SEGV_MAPERR);
}

static void grow_in_place(void)
{
	char *p = map(8);
	munmap(p + 2 * PAGE, 6 * PAGE);
	CHECK(mremap(p, 2 * PAGE, 5 * PAGE, 0) == p);
	CHECK_EQ(p[PAGE], 'b');
	CHECK_EQ(p[2 * PAGE], 0);
	p[5 * PAGE - 1] = 'z';
	CHECK(mmap(p + 5 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 5 * PAGE);
	CHECK_ERR((long)mremap(p, 5 * PAGE, 6 * PAGE, 0), ENOMEM); /* something is in the way */
	CHECK_EQ(p[PAGE], 'b');
}

static void move(void)
{
	segv_catch();
	char *p = map(4), *q;
	mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); /* the way is blocked */
	q = mremap(p, 2 * PAGE, 50 * PAGE, MREMAP_MAYMOVE);
	NEED(q != MAP_FAILED);
	CHECK(q != p);
	CHECK_EQ(q[0], 'a');
	CHECK_EQ(q[PAGE], 'b');
	CHECK_EQ(q[2 * PAGE], 0);
	CHECK_EQ(fault_read(p), SEGV_MAPERR);
	memset(q, 1, 50 * PAGE);
}

static void fixed(void)
{
	segv_catch();
	char *p = map(2), *q = map(4);
	CHECK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE) == q + PAGE);
	CHECK_EQ(q[0], 'a');
	CHECK_EQ(q[PAGE], 'a'); /* what was there is replaced */
	CHECK_EQ(q[2 * PAGE], 'b');
	CHECK_EQ(q[3 * PAGE], 'd');
	CHECK_EQ(fault_read(p), SEGV_MAPERR);
}

static void shared_page_moves_with_its_page(void)
{
	int *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	p[0] = 1;
	pid_t pid;
	int go[2];
	char c;
	NEED(pipe(go) == 0);
	CHILD(pid)
	{
		NEED(read(go[0], &c, 1) == 1);
		p[1] = 2;
	}
	int *q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)p - 16 * PAGE);
	NEED(q != MAP_FAILED);
	NEED(write(go[1], "x", 1) == 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(q[0], 1);
	CHECK_EQ(q[1], 2);
}

static void file_mapping_grows(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	NEED(ftruncate(fd, 3 * PAGE) == 0 && pwrite(fd, "third", 5, 2 * PAGE) == 5);
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	p = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	NEED(p != MAP_FAILED);
	CHECK_STR(p + 2 * PAGE, "third");
	unlink("f");
}

static void refused(void)
{
	char *p = map(3);
	CHECK_ERR((long)mremap(p + 1, PAGE, PAGE, 0), EINVAL);
	CHECK_ERR((long)mremap(p, PAGE, 0, 0), EINVAL);
	CHECK_ERR((long)mremap(p, PAGE, PAGE, 0x100), EINVAL);
	CHECK_ERR((long)mremap(p, PAGE, PAGE, MREMAP_FIXED, p + PAGE), EINVAL); /* needs MAYMOVE */
	CHECK_ERR((long)mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL); /* overlap */
	CHECK_ERR((long)mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 8 * PAGE + 5), EINVAL);
	CHECK_ERR((long)mremap(bad_unmapped(), PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	CHECK(mremap(p, PAGE, 1UL << 47, MREMAP_MAYMOVE) == MAP_FAILED && (errno == EINVAL || errno == ENOMEM));
	NEED(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERR((long)mremap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), EFAULT); /* a hole in it */
	CHECK_EQ(p[0], 'a');
	CHECK_EQ(p[2 * PAGE], 'c');
}

int main(void)
{
	RUN(shrink);
	RUN(grow_in_place);
	RUN(move);
	RUN(fixed);
	RUN(shared_page_moves_with_its_page);
	RUN(file_mapping_grows);
	RUN(refused);
	return check_end();
}
