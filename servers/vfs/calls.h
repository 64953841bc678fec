/* SPDX-License-Identifier: BSD-2-Clause */
/* The Linux system calls that VFS serves: number, handler rq_NAME. include/proto/linux_routes.h sends them here. */
#pragma once
#include "vfs.h"

#define VFS_CALLS(X) \
	X(0, read) X(1, write) X(2, open) X(3, close) X(4, stat) X(5, fstat) X(6, lstat) X(7, poll) X(8, lseek) X(16, ioctl) \
	X(17, pread64) X(18, pwrite64) X(19, readv) X(20, writev) X(21, access) X(22, pipe) X(23, select) X(32, dup) X(33, dup2) \
	X(40, sendfile) X(41, socket) X(42, connect) X(43, accept) X(44, sendto) X(45, recvfrom) X(46, sendmsg) X(47, recvmsg) \
	X(48, shutdown) X(49, bind) X(50, listen) X(51, getsockname) X(52, getpeername) X(53, socketpair) X(54, setsockopt) \
	X(55, getsockopt) X(72, fcntl) X(73, flock) X(74, fsync) X(75, fdatasync) X(76, truncate) X(77, ftruncate) X(78, getdents) \
	X(79, getcwd) X(80, chdir) X(81, fchdir) X(82, rename) X(83, mkdir) X(84, rmdir) X(85, creat) X(86, link) X(87, unlink) \
	X(88, symlink) X(89, readlink) X(90, chmod) X(91, fchmod) X(92, chown) X(93, fchown) X(94, lchown) X(95, umask) X(132, utime) \
	X(133, mknod) X(137, statfs) X(138, fstatfs) X(161, chroot) X(162, sync) X(165, mount) X(166, umount2) X(187, readahead) \
	X(188, setxattr) X(189, lsetxattr) X(190, fsetxattr) X(191, getxattr) X(192, lgetxattr) X(193, fgetxattr) X(194, listxattr) \
	X(195, llistxattr) X(196, flistxattr) X(197, removexattr) X(198, lremovexattr) X(199, fremovexattr) X(213, epoll_create) \
	X(217, getdents64) X(221, fadvise64) X(232, epoll_wait) X(233, epoll_ctl) X(235, utimes) X(257, openat) X(258, mkdirat) \
	X(259, mknodat) X(260, fchownat) X(261, futimesat) X(262, newfstatat) X(263, unlinkat) X(264, renameat) X(265, linkat) \
	X(266, symlinkat) X(267, readlinkat) X(268, fchmodat) X(269, faccessat) X(270, pselect6) X(271, ppoll) X(275, splice) \
	X(276, tee) X(277, sync_file_range) X(278, vmsplice) X(280, utimensat) X(281, epoll_pwait) X(282, signalfd) \
	X(283, timerfd_create) X(284, eventfd) X(285, fallocate) X(286, timerfd_settime) X(287, timerfd_gettime) X(288, accept4) \
	X(289, signalfd4) X(290, eventfd2) X(291, epoll_create1) X(292, dup3) X(293, pipe2) X(295, preadv) X(296, pwritev) \
	X(299, recvmmsg) X(306, syncfs) X(307, sendmmsg) X(316, renameat2) X(319, memfd_create) X(326, copy_file_range) \
	X(327, preadv2) X(328, pwritev2) X(332, statx) X(436, close_range) X(437, openat2) X(439, faccessat2) X(441, epoll_pwait2)

#define X(number, name) call_handler rq_##name;
VFS_CALLS(X)
#undef X

/* Is there a descriptor? The file (no reference taken) or NULL: -EBADF. */
struct file *call_file(struct call *c, uint64_t fd);
