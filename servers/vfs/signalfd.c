/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signalfd: signals of the reading process as bytes. PM has the signals; it is asked at each read and poll, and tells when one of the set
 * comes (proto/pm.h). Polling asks for the process that used the descriptor last. State dies with the last descriptor.
 */
#include "signalfd.h"

#include <libsys/grant.h>
#include <proto/pm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "open.h"
#include "request.h"

struct sigfd { struct list link; uint64_t set; endpoint_t user; struct waitq q; };

static struct sigfds { struct list all; bool ready; } sigfds;
static const struct file_ops sigfd_ops;

/* A pending signal of the set, taken or just looked at; 0 = none. */
static int sigfd_ask(const struct sigfd *s, siginfo_t *info, bool take)
{
	struct request *rq = request_new(EP_PM);
	grant_t g = take ? grant_direct(EP_PM, info, sizeof *info, GRANT_WRITE) : GRANT_INVALID;
	if (!rq || (take && g == GRANT_INVALID)) {
		if (rq)
			request_free(rq);
		grant_revoke(g);
		return -ENOMEM;
	}
	struct message m = { .type = PM_SIGNALFD };
	*MSG_BODY(struct pm_signalfd_req, &m) = (struct pm_signalfd_req){
		.id = rq->id, .ep = s->user, .set = s->set, .info_grant = g, .take = take };
	request_send(rq, &m);
	int r = request_wait(rq);
	if (r == 0)
		r = MSG_BODY(struct pm_signalfd_rep, &rq->reply)->signo;
	request_free(rq);
	if (take)
		grant_revoke(g);
	return r;
}

void signalfd_ready(const struct message *m)
{
	(void)m;
	for (struct list *l = sigfds.all.next; sigfds.ready && l != &sigfds.all; l = l->next)
		waitq_wake(&list_entry(l, struct sigfd, link)->q, POLLIN | POLLRDNORM);
}

static void info_convert(const siginfo_t *i, struct signalfd_siginfo *o)
{
	memset(o, 0, sizeof *o);
	o->ssi_signo = (uint32_t)i->si_signo;
	o->ssi_errno = i->si_errno;
	o->ssi_code = i->si_code;
	if (i->si_code == SI_TIMER) {
		o->ssi_tid = (uint32_t)i->si_timerid;
		o->ssi_overrun = (uint32_t)i->si_overrun;
	} else {
		o->ssi_pid = (uint32_t)i->si_pid;
		o->ssi_uid = i->si_uid;
	}
	if (i->si_signo == SIGCHLD) {
		o->ssi_status = i->si_status;
		o->ssi_utime = (uint64_t)i->si_utime;
		o->ssi_stime = (uint64_t)i->si_stime;
	} else if (i->si_code < 0) {
		o->ssi_ptr = (uint64_t)(uintptr_t)i->si_ptr;
		o->ssi_int = i->si_int;
	}
}

static int64_t sigfd_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct sigfd *s = f->object;
	int64_t total = 0;
	(void)pos;
	if (u->left < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	while (u->left >= sizeof(struct signalfd_siginfo)) {
		siginfo_t info;
		struct signalfd_siginfo out;
		s->user = c->ep;
		int signo = sigfd_ask(s, &info, true);
		if (signo < 0)
			return total ? total : signo;
		if (signo == 0 && (total || file_nonblock(f) || flags & FILE_IO_NOWAIT))
			return total ? total : -EAGAIN;
		if (signo == 0) {
			if (call_wait(c, &s->q, NO_DEADLINE))
				return -EINTR;
			continue;
		}
		info_convert(&info, &out);
		int64_t n = uio_copy_out(u, &out, sizeof out);
		if (n != sizeof out)
			return total ? total : -EFAULT;
		total += n;
	}
	return total;
}

static unsigned sigfd_poll(struct file *f, unsigned wanted)
{
	siginfo_t unused;
	(void)wanted;
	return sigfd_ask(f->object, &unused, false) > 0 ? POLLIN | POLLRDNORM : 0u;
}

static struct waitq *sigfd_queue(struct file *f) { return &((struct sigfd *)f->object)->q; }

static void sigfd_close(struct file *f)
{
	struct sigfd *s = f->object;
	list_remove(&s->link);
	free(s);
}

static const struct file_ops sigfd_ops = {
	.kind = "anon_inode:[signalfd]", .stream = true, .read = sigfd_read, .poll = sigfd_poll, .poll_queue = sigfd_queue,
	.close = sigfd_close,
};

static int64_t sigfd_create(struct call *c, uint64_t set, unsigned flags)
{
	struct sigfd *s = calloc(1, sizeof *s);
	struct file *f = s ? file_new(&sigfd_ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
	if (!f) {
		free(s);
		return -ENOMEM;
	}
	if (!sigfds.ready)
		list_init(&sigfds.all);
	sigfds.ready = true;
	s->set = set;
	s->user = c->ep;
	waitq_init(&s->q);
	list_append(&sigfds.all, &s->link);
	f->object = s;
	f->ino = anon_ino();
	return fd_install_new(c, f, flags & SFD_CLOEXEC);
}

static int64_t signalfd_call(struct call *c, unsigned flags)
{
	uint64_t set;
	if (c->a[2] != sizeof set)
		return -EINVAL;
	if (user_read(c->ep, c->a[1], &set, sizeof set))
		return -EFAULT;
	if (flags & ~(unsigned)(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	set &= ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1));
	if ((int)c->a[0] == -1)
		return sigfd_create(c, set, flags);
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (f->ops != &sigfd_ops)
		return -EINVAL;
	struct sigfd *s = f->object;
	s->set = set;
	waitq_wake(&s->q, POLLIN);
	return (int)c->a[0];
}

int64_t rq_signalfd(struct call *c) { return signalfd_call(c, 0); }
int64_t rq_signalfd4(struct call *c) { return signalfd_call(c, (unsigned)c->a[3]); }
