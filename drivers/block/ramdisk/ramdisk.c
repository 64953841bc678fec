/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory: one disk, sixteen minors (0 = whole, then partitions). Everything is done at once, by copies through the request's
 * grants; a discard gives the bytes zeros.
 *
 * If this process dies here: its contents are gone. The successor is an empty disk of the same size.
 */
#include <errno.h>
#include <libdriver/bdev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_BYTES = 512 };

static struct ramdisk {
	uint8_t *bytes;		/* [lost] */
	uint64_t size;
	bool read_only;
} ramdisk = { .size = 16 << 20 };

static err_t ramdisk_disk(uint32_t disk, struct bdev_disk *out)
{
	*out = (struct bdev_disk){ .size = ramdisk.size, .block_size = BLOCK_BYTES, .read_only = ramdisk.read_only };
	return disk == 0 ? 0 : -ENXIO;
}

static int64_t ramdisk_read(const struct bdev_request *r)
{
	err_t err = bdev_copyout(r, 0, ramdisk.bytes + r->pos, r->len);

	return err ? err : (int64_t)r->len;
}

static int64_t ramdisk_write(const struct bdev_request *r)
{
	err_t err = bdev_copyin(r, 0, ramdisk.bytes + r->pos, r->len);

	return err ? err : (int64_t)r->len;
}

static int64_t ramdisk_discard(const struct bdev_request *r)
{
	memset(ramdisk.bytes + r->pos, 0, r->len);
	return 0;
}

static err_t ramdisk_read_now(uint32_t disk, uint64_t pos, void *p, size_t len)
{
	if (disk != 0 || pos > ramdisk.size || len > ramdisk.size - pos)
		return -EINVAL;
	memcpy(p, ramdisk.bytes + pos, len);
	return 0;
}

static err_t ramdisk_init(const struct sef_init_info *info)
{
	void *p = mmap(0, ramdisk.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)info;
	if (p == MAP_FAILED)
		return -ENOMEM;
	ramdisk.bytes = p;
	return 0;
}

/* "16M" and the like; 0 for what is none. */
static uint64_t size_parse(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);
	unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;

	if (end == text || (shift && end[1]) || (!shift && *end) || n > UINT64_MAX >> shift)
		return 0;
	return n << shift & ~(uint64_t)(BLOCK_BYTES - 1);
}

static void arguments_parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "size=", 5) == 0)
			ramdisk.size = size_parse(argv[i] + 5);
		else if (strcmp(argv[i], "ro") == 0)
			ramdisk.read_only = true;
		else
			log_warn("argument '%s' is none of size=N, ro", argv[i]);
	}
}

static const struct bdev_driver ramdisk_driver = {
	.sef = { .init_fresh = ramdisk_init, .signal_handler = sef_signal_term },
	.minors_per_disk = BDEV_MINORS_PER_DISK,
	.disk = ramdisk_disk, .read = ramdisk_read, .write = ramdisk_write, .discard = ramdisk_discard, .zero = ramdisk_discard,
	.read_now = ramdisk_read_now,
};

int main(int argc, char **argv)
{
	arguments_parse(argc, argv);
	bdev_task(&ramdisk_driver);
}
