/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as a whole: its names, its memory and load, its log, its end. */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <string.h>
#include <sys/utsname.h>

/* ---- names ---- */

void system_names(struct utsname *u)
{
	memset(u, 0, sizeof *u);
	strcpy(u->sysname, "Linux");
	strcpy(u->release, "6.1.0-axolotl");
	strcpy(u->version, "#1 SMP Axolotl 0.1");
	strcpy(u->machine, "x86_64");
	memcpy(u->nodename, pm.hostname, sizeof u->nodename);
	memcpy(u->domainname, pm.domainname, sizeof u->domainname);
}

int64_t call_uname(struct task *t, const uint64_t a[6])
{
	struct utsname u;

	system_names(&u);
	return user_write(t, a[0], &u, sizeof u);
}

static int64_t name_set(struct task *t, const uint64_t a[6], char name[65])
{
	char new[65] = { 0 };

	if (!cred_is_root(t->cred))
		return -EPERM;
	if ((int32_t)a[1] < 0 || (uint32_t)a[1] > sizeof new - 1)
		return -EINVAL;
	if (user_read(t, a[0], new, (uint32_t)a[1]) != 0)
		return -EFAULT;
	memcpy(name, new, sizeof new);
	return 0;
}

int64_t call_sethostname(struct task *t, const uint64_t a[6]) { return name_set(t, a, pm.hostname); }
int64_t call_setdomainname(struct task *t, const uint64_t a[6]) { return name_set(t, a, pm.domainname); }

/* ---- sysinfo ---- */

struct sysinfo_linux {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint32_t pad2;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
};
_Static_assert(sizeof(struct sysinfo_linux) == 112, "Linux's struct sysinfo");

static void memory_stats(struct vm_stats *stats)
{
	struct message m = { .type = VM_INFO };
	grant_t grant;

	memset(stats, 0, sizeof *stats);
	grant = grant_direct(EP_VM, stats, sizeof *stats, GRANT_WRITE);
	if (grant == GRANT_INVALID)
		return;
	*MSG_BODY(struct vm_info_req, &m) = (struct vm_info_req){ .what = VM_INFO_STATS, .ep = EP_NONE, .grant = grant,
		.len = sizeof *stats };
	sef_call(EP_VM, &m);
	grant_revoke(grant);
}

int64_t call_sysinfo(struct task *t, const uint64_t a[6])
{
	struct sysinfo_linux s;
	struct vm_stats stats;

	memory_stats(&stats);
	memset(&s, 0, sizeof s);
	s.uptime = (int64_t)(time_now() / 1000000000);
	for (int i = 0; i < 3; i++)
		s.loads[i] = pm.load[i];
	s.totalram = stats.total;
	s.freeram = stats.free;
	s.sharedram = stats.shared;
	s.bufferram = stats.cached;
	s.procs = (uint16_t)task_count();
	s.mem_unit = 1;
	return user_write(t, a[0], &s, sizeof s);
}

/* ---- the kernel's log ---- */

enum { SYSLOG_CLOSE, SYSLOG_OPEN, SYSLOG_READ, SYSLOG_READ_ALL, SYSLOG_READ_CLEAR, SYSLOG_CLEAR, SYSLOG_CONSOLE_OFF, SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL, SYSLOG_SIZE_UNREAD, SYSLOG_SIZE_BUFFER };
enum { LOG_BYTES = 65536, LOG_CHUNK = 2048 };

/* The last `len` bytes of the log are wanted: its length is learnt by reading through it. */
static uint64_t log_end(void)
{
	char text[LOG_CHUNK];
	uint64_t position = 0, bytes;

	while (sys_diag_read(text, sizeof text, &position, &bytes) == 0 && bytes)
		;
	return position;
}

static int64_t log_copy(struct task *t, vaddr_t addr, uint64_t len)
{
	char text[LOG_CHUNK];
	uint64_t end = log_end(), bytes, done = 0;
	uint64_t position = end > len ? end - len : 0;

	while (done < len) {
		uint64_t n = len - done < sizeof text ? len - done : sizeof text;
		if (sys_diag_read(text, n, &position, &bytes) != 0 || !bytes)
			break;
		if (user_write(t, addr + done, text, bytes) != 0)
			return -EFAULT;
		done += bytes;
	}
	return (int64_t)done;
}

int64_t call_syslog(struct task *t, const uint64_t a[6])
{
	int32_t len = (int32_t)a[2];

	if (!cred_is_root(t->cred) && a[0] != SYSLOG_READ_ALL && a[0] != SYSLOG_SIZE_BUFFER)
		return -EPERM;
	switch (a[0]) {
	case SYSLOG_CLOSE: case SYSLOG_OPEN: case SYSLOG_CLEAR: case SYSLOG_CONSOLE_OFF: case SYSLOG_CONSOLE_ON:
	case SYSLOG_SIZE_UNREAD:
		return 0;
	case SYSLOG_CONSOLE_LEVEL:
		return len < 1 || len > 8 ? -EINVAL : 0;
	case SYSLOG_SIZE_BUFFER:
		return LOG_BYTES;
	case SYSLOG_READ: case SYSLOG_READ_ALL: case SYSLOG_READ_CLEAR:
		if (!a[1] || len < 0)
			return -EINVAL;
		return log_copy(t, a[1], (uint64_t)len);
	}
	return -EINVAL;
}

/* ---- the end ---- */

enum { MAGIC1 = (int)0xfee1dead, MAGIC2 = 672274793, MAGIC2A = 85072278, MAGIC2B = 369367448, MAGIC2C = 537993216 };
enum { CMD_RESTART = 0x01234567, CMD_HALT = (int)0xCDEF0123, CMD_CAD_ON = (int)0x89ABCDEF, CMD_CAD_OFF = 0,
	CMD_POWER_OFF = 0x4321FEDC, CMD_RESTART2 = (int)0xA1B2C3D4 };

void reboot_now(void)
{
	sef_flush();
	sys_abort(pm.reboot_how, 0);
}

int64_t call_reboot(struct task *t, const uint64_t a[6])
{
	int magic2 = (int)a[1];

	if (!cred_is_root(t->cred))
		return -EPERM;
	if ((int)a[0] != MAGIC1 || (magic2 != MAGIC2 && magic2 != MAGIC2A && magic2 != MAGIC2B && magic2 != MAGIC2C))
		return -EINVAL;
	switch ((int)a[2]) {
	case CMD_CAD_ON: case CMD_CAD_OFF:
		pm.cad_enabled = (int)a[2] == CMD_CAD_ON;
		return 0;
	case CMD_RESTART: case CMD_RESTART2:
		pm.reboot_how = ABORT_REBOOT;
		break;
	case CMD_HALT:
		pm.reboot_how = ABORT_HALT;
		break;
	case CMD_POWER_OFF:
		pm.reboot_how = ABORT_POWEROFF;
		break;
	default:
		return -EINVAL;
	}
	reboot_now();
	return 0;
}
