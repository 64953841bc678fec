/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio disks, all of the machine in one process: disk n has the minors 16 n (whole) and 16 n + 1 .. 15 (partitions), in the order of
 * the PCI devices. Data moves between the device and the clients' granted memory without a copy.
 *
 * If this process dies here: the device may go on with what it was given. The successor reserves the device (the PCI server switches its
 * bus mastering off) and resets it before it announces itself, so when clients repeat their requests nothing of the predecessor is left.
 */
#include "vblk.h"
#include <errno.h>
#include <libpci/pci.h>
#include <string.h>

enum { DEVICE_TRANSITIONAL = 0x1001, DEVICE_BLK = 0x1042, BOUNCE_BYTES = 16384 };
#define TICK_NS 500000000ull	/* looking for requests that are late */
#define POLL_NS 1000000ull	/* a device without interrupts */

static struct {
	uint32_t n;
	struct vblk_disk disks[VBLK_DISKS_MAX];
	uint8_t *bounce;	/* DMA memory for the partition tables */
	paddr_t bounce_paddr;
	nstime_t alarm;		/* set while something is in progress; 0: none */
} vblk;

static void tick_arm(void)
{
	nstime_t period = 0, next;

	for (uint32_t i = 0; i < vblk.n; i++)
		if (vblk.disks[i].in_progress && (period == 0 || vblk.disks[i].polled))
			period = vblk.disks[i].polled ? POLL_NS : TICK_NS;
	if (period == 0 || (vblk.alarm && period == TICK_NS))
		return;
	next = sys_uptime() + period;
	if (vblk.alarm && vblk.alarm <= next)
		return;
	vblk.alarm = next;
	sys_setalarm(next, 0);
}

static err_t vblk_disk(uint32_t disk, struct bdev_disk *out)
{
	const struct vblk_disk *d;

	if (disk >= vblk.n)
		return -ENXIO;
	d = &vblk.disks[disk];
	*out = (struct bdev_disk){ .size = d->sectors * VBLK_SECTOR, .block_size = d->block_size, .read_only = d->read_only };
	return 0;
}

static int64_t on_transfer(const struct bdev_request *r)
{
	int64_t result = vblk_transfer(&vblk.disks[r->disk], r);

	tick_arm();
	return result;
}

static int64_t on_command(const struct bdev_request *r)
{
	int64_t result = r->disk < vblk.n ? vblk_command(&vblk.disks[r->disk], r) : -ENXIO;

	tick_arm();
	return result;
}

static err_t on_read_now(uint32_t disk, uint64_t pos, void *p, size_t len)
{
	err_t err = 0;

	for (size_t done = 0; done < len && !err; done += BOUNCE_BYTES) {
		size_t part = len - done < BOUNCE_BYTES ? len - done : BOUNCE_BYTES;

		err = vblk_read_now(&vblk.disks[disk], pos + done, vblk.bounce_paddr, (uint32_t)part);
		if (!err)
			memcpy((uint8_t *)p + done, vblk.bounce, part);
	}
	return err;
}

static void size_look(uint32_t disk)
{
	struct vblk_disk *d = &vblk.disks[disk];

	if (d->dead || !vblk_size_look(d))
		return;
	log_info("disk %u has %llu sectors now", disk, (unsigned long long)d->sectors);
	bdev_resized(disk);
}

/* Some devices cannot tell of a new size; so it is looked at now and then, too. */
static int64_t on_open(const struct bdev_request *r)
{
	if (r->disk < vblk.n)
		size_look(r->disk);
	return 0;
}

static void on_irq(uint64_t irqs)
{
	for (uint32_t i = 0; i < vblk.n; i++) {
		if (irqs >> i & 1)
			vblk_completions(&vblk.disks[i]);
		if (irqs >> (VBLK_SIZE_IRQ + i) & 1)
			size_look(i);
	}
	tick_arm();
}

static void on_alarm(nstime_t now)
{
	vblk.alarm = 0;
	for (uint32_t i = 0; i < vblk.n; i++)
		vblk_timeouts(&vblk.disks[i], now);
	tick_arm();
}

static void disk_add(const struct pci_next_rep *found)
{
	struct vblk_disk *d = &vblk.disks[vblk.n];
	err_t r = vblk_disk_init(d, found->dev, vblk.n);

	if (r != 0) {
		log_warn("device %02x:%02x.%u is not usable: %s", found->dev >> 8, found->dev >> 3 & 31, found->dev & 7, err_text(r));
		memset(d, 0, sizeof(*d));
		return;
	}
	log_info("disk %u at %02x:%02x.%u: %llu sectors%s, queue %u", vblk.n, found->dev >> 8, found->dev >> 3 & 31, found->dev & 7,
		(unsigned long long)d->sectors, d->read_only ? ", read-only" : "", d->queue_size);
	vblk.n++;
}

static err_t vblk_init(const struct sef_init_info *info)
{
	struct pci_next_rep found = { .dev = PCI_DEV_NONE };
	void *p;
	err_t r = virtio_memory(BOUNCE_BYTES, &p, &vblk.bounce_paddr);

	(void)info;
	vblk.bounce = p;
	while (r == 0 && vblk.n < VBLK_DISKS_MAX && (r = pci_next(found.dev, &found)) == 0)
		if (found.vendor == VIRTIO_VENDOR && (found.device == DEVICE_BLK || found.device == DEVICE_TRANSITIONAL))
			disk_add(&found);
	/* Not before each disk has a message for what matters. */
	for (uint32_t i = 0; i < vblk.n; i++)
		vblk_size_watch(&vblk.disks[i], i);
	if (vblk.n == 0)
		log_warn("no disk");
	return r == -ENODEV ? 0 : r;
}

/* Leave the devices at rest: nothing writes to memory that will be somebody else's. */
static void on_signal(int signo)
{
	if (signo != 15)
		return;
	for (uint32_t i = 0; i < vblk.n; i++)
		virtio_stop(&vblk.disks[i].v);
	sef_exit(0);
}

static const struct bdev_driver vblk_driver = {
	.sef = { .init_fresh = vblk_init, .signal_handler = on_signal },
	.minors_per_disk = BDEV_MINORS_PER_DISK,
	.disk = vblk_disk, .open = on_open, .read = on_transfer, .write = on_transfer, .flush = on_command,
	.discard = on_command, .zero = on_command, .read_now = on_read_now, .on_irq = on_irq, .on_alarm = on_alarm,
};

int main(void)
{
	bdev_task(&vblk_driver);
}
