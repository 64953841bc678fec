/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls.h"
#include "memfd.h"
#include "epoll.h"
#include "sock.h"
#define N(name) int64_t rq_##name(struct call *c) { (void)c; return -ENOSYS; }
N(sendfile) N(socket) N(connect) N(accept) N(sendto) N(recvfrom) N(sendmsg) N(recvmsg) N(shutdown) N(bind) N(listen) N(getsockname)
N(getpeername) N(socketpair) N(setsockopt) N(getsockopt) N(setxattr) N(lsetxattr) N(fsetxattr) N(getxattr) N(lgetxattr) N(fgetxattr)
N(listxattr) N(llistxattr) N(flistxattr) N(removexattr) N(lremovexattr) N(fremovexattr) N(epoll_create) N(epoll_wait) N(epoll_ctl)
N(splice) N(tee) N(vmsplice) N(epoll_pwait) N(signalfd) N(timerfd_create) N(eventfd) N(timerfd_settime) N(timerfd_gettime) N(accept4)
N(signalfd4) N(eventfd2) N(epoll_create1) N(recvmmsg) N(sendmmsg) N(memfd_create) N(copy_file_range) N(epoll_pwait2)
void epoll_file_closed(struct file *f) { (void)f; }
unsigned sockets_count(void) { return 0; }
int64_t memfd_seals(struct file *f, bool add, unsigned seals) { (void)f; (void)add; (void)seals; return -EINVAL; }
