/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zero_out DISK [READ-ONLY DISK]: BLKZEROOUT as Linux has it (block/ioctl.c there): what is refused, and that both the page cache and the
 * disk have zeros afterwards, in the range and nowhere else. The beginning of DISK is overwritten, and so is its end.
 *
 * Prints "NAME RESULT" for each request (0 or the word for the error), and "contents NAME good" or where they differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLKZEROOUT_REQUEST _IO(0x12, 127)
#define BLKFLSBUF_REQUEST _IO(0x12, 97)
#define BLKGETSIZE64_REQUEST _IOR(0x12, 114, size_t)
#define BLKSSZGET_REQUEST _IO(0x12, 104)

enum { BYTES = 512 << 10 };
static uint8_t model[BYTES], found[BYTES];

static const char *word(int result)
{
	return result == 0 ? "0" : errno == EINVAL ? "EINVAL" : errno == EBADF ? "EBADF" : errno == EFAULT ? "EFAULT" :
		errno == EPERM ? "EPERM" : errno == EROFS ? "EROFS" : errno == EACCES ? "EACCES" : strerror(errno);
}

static void zero(const char *name, int fd, uint64_t at, uint64_t len)
{
	uint64_t range[2] = { at, len };
	int r = ioctl(fd, BLKZEROOUT_REQUEST, range);

	printf("%s %s\n", name, word(r));
	if (r == 0 && at + len <= BYTES)
		memset(model + at, 0, len);
}

static void put(int fd, uint64_t at, uint64_t len, uint8_t tag)
{
	for (uint64_t i = 0; i < len; i++)
		model[at + i] = (uint8_t)(tag + i * 7 + (i >> 9));
	if (pwrite(fd, model + at, len, (off_t)at) != (ssize_t)len)
		printf("write failed: %s\n", strerror(errno));
}

static void compare(const char *name, int fd)
{
	ssize_t n = pread(fd, found, BYTES, 0);

	for (uint32_t i = 0; i < BYTES; i++) {
		if (n == BYTES && found[i] == model[i])
			continue;
		printf("contents %s: %zd bytes read, byte %u is %u, not %u\n", name, n, i, found[i], model[i]);
		return;
	}
	printf("contents %s good\n", name);
}

static void refusals(int fd, const char *path, uint64_t size, uint32_t sector)
{
	int reader = open(path, O_RDONLY);

	zero("start-unaligned", fd, 100, sector);
	zero("length-unaligned", fd, sector, 100);
	zero("start-half-a-sector", fd, sector / 2, sector);
	zero("length-half-a-sector", fd, sector, sector + sector / 2);
	zero("nothing", fd, 0, 0);
	zero("nothing-further", fd, sector, 0);
	zero("over-the-end", fd, size - sector, 2 * sector);
	zero("at-the-end", fd, size, sector);
	zero("beyond-the-end", fd, size + (1 << 20), sector);
	zero("wraps", fd, UINT64_MAX - sector + 1, 2 * sector);
	printf("bad-address %s\n", word(ioctl(fd, BLKZEROOUT_REQUEST, (void *)8)));
	zero("reader", reader, 0, sector);
	close(reader);
}

static void read_only(const char *path)
{
	uint8_t was[4096] = { 0 }, is[4096] = { 1 };
	int reader = open(path, O_RDONLY), fd;

	if (pread(reader, was, sizeof(was), 0) != sizeof(was))
		printf("read failed\n");
	fd = open(path, O_RDWR);
	if (fd < 0)
		printf("read-only %s\n", word(-1));
	else
		zero("read-only", fd, 0, 4096);
	ioctl(reader, BLKFLSBUF_REQUEST, 0);
	if (pread(reader, is, sizeof(is), 0) != sizeof(is) || memcmp(was, is, sizeof(is)) != 0)
		printf("contents read-only changed\n");
	else
		printf("contents read-only good\n");
}

int main(int argc, char **argv)
{
	uint64_t size = 0, s;
	int sector = 512, fd = open(argv[1], O_RDWR), other = open(argv[1], O_RDONLY);

	if (fd < 0 || other < 0 || ioctl(fd, BLKGETSIZE64_REQUEST, &size) != 0 || ioctl(fd, BLKSSZGET_REQUEST, &sector) != 0)
		return 1;
	s = (uint64_t)sector;
	printf("sector %d\n", sector);
	put(fd, 0, BYTES, 1);
	refusals(fd, argv[1], size, (uint32_t)s);
	compare("refused", fd);
	zero("dirty-pages", fd, 4 * s, 72 * s);		/* nothing has been written back yet */
	compare("dirty", fd);
	compare("other", other);
	fsync(fd);
	zero("clean-pages", fd, 100 * s, s);
	put(fd, 10 * s, s + 77, 3);			/* into the zeros; what follows in the page stays zero */
	compare("again", other);
	ioctl(fd, BLKFLSBUF_REQUEST, 0);
	compare("disk", fd);
	zero("last-sector", fd, size - s, s);
	if (argc > 2)
		read_only(argv[2]);
	return 0;
}
