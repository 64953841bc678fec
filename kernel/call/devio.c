/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_DEVIO, KC_SDEVIO, KC_VDEVIO: ports, each access checked against the ranges of the caller's privileges. */
#include <arch/io.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/priv.h>

enum { COM1_FIRST = 0x3f8, COM1_LAST = 0x3ff };

static err_t devio_check(const struct proc *caller, uint64_t port, uint64_t width)
{
	if ((width != 1 && width != 2 && width != 4) || port > 0xffff || port + width - 1 > 0xffff)
		return -EINVAL;
	if (!priv_io_allowed(caller->priv, (uint32_t)port, (uint32_t)(port + width - 1)))
		return -EPERM;
	if (port >= COM1_FIRST && port <= COM1_LAST)
		log_set_console(false);		/* a driver owns the serial line now */
	return 0;
}

static uint32_t devio_do(uint16_t port, unsigned width, bool write, uint32_t value)
{
	if (!write)
		return arch_io_read(port, width);
	arch_io_write(port, width, value);
	return value;
}

err_t kcall_DEVIO(struct proc *caller, struct kcall *c)
{
	err_t err = devio_check(caller, c->w[0], c->w[1]);

	if (!err)
		c->w[1] = devio_do((uint16_t)c->w[0], (unsigned)c->w[1], c->w[2], (uint32_t)c->w[3]);
	return err;
}

/* String I/O goes through a buffer. Input must not be lost to a missing page: the memory is made present (by writing zeros) first. */
err_t kcall_SDEVIO(struct proc *caller, struct kcall *c)
{
	enum { SDEVIO_MAX = 4096 };
	static uint8_t buffer[SDEVIO_MAX];
	uint64_t width = c->w[1], bytes;
	err_t err = devio_check(caller, c->w[0], width);

	if (err)
		return err;
	if (c->w[4] > SDEVIO_MAX / width)
		return -EINVAL;
	bytes = c->w[4] * width;
	if (c->w[2]) {
		err = mem_read(caller, buffer, c->w[3], bytes);
		if (!err)
			arch_io_write_string((uint16_t)c->w[0], (unsigned)width, buffer, c->w[4]);
		return err;
	}
	memset(buffer, 0, bytes);
	err = mem_write(caller, c->w[3], buffer, bytes);
	if (err)
		return err;
	arch_io_read_string((uint16_t)c->w[0], (unsigned)width, buffer, c->w[4]);
	return mem_write(caller, c->w[3], buffer, bytes);
}

err_t kcall_VDEVIO(struct proc *caller, struct kcall *c)
{
	enum { VDEVIO_MAX = 64 };
	struct devio v[VDEVIO_MAX];
	uint64_t n = c->w[1];
	err_t err;

	if (n > VDEVIO_MAX)
		return -EINVAL;
	err = mem_read(caller, v, c->w[0], n * sizeof(v[0]));
	if (!err)
		err = mem_write(caller, c->w[0], v, n * sizeof(v[0]));	/* writable before any port is touched */
	for (uint64_t i = 0; !err && i < n; i++)
		err = devio_check(caller, v[i].port, v[i].width);
	if (err)
		return err;
	for (uint64_t i = 0; i < n; i++)
		v[i].value = devio_do(v[i].port, v[i].width, v[i].write, v[i].value);
	return mem_write(caller, c->w[0], v, n * sizeof(v[0]));
}
