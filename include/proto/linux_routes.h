/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every system call of Linux x86-64 and where the kernel sends it when a user process makes it. PM installs the rows with KC_ROUTE when
 * it starts; docs/system-calls.md is made from them by tools/syscall_table.py, so a row is also the promise that is tested.
 *
 *   X(number, name, kind, target, status, remark)
 *   kind    SERVER (target: endpoint), KERNEL (target: mechanism), ANSWER (target: index), NOWHERE: enum route_kind
 *   status  FULL: as Linux; PARTIAL: the remark says what is missing; ENOSYS: not there
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/route.h>

#define LINUX_ROUTES(X) \
	X(0, read, SERVER, EP_VFS, FULL, "") \
	X(1, write, SERVER, EP_VFS, FULL, "") \
	X(2, open, SERVER, EP_VFS, FULL, "") \
	X(3, close, SERVER, EP_VFS, FULL, "") \
	X(4, stat, SERVER, EP_VFS, FULL, "") \
	X(5, fstat, SERVER, EP_VFS, FULL, "") \
	X(6, lstat, SERVER, EP_VFS, FULL, "") \
	X(7, poll, SERVER, EP_VFS, FULL, "") \
	X(8, lseek, SERVER, EP_VFS, FULL, "") \
	X(9, mmap, SERVER, EP_VM, FULL, "") \
	X(10, mprotect, SERVER, EP_VM, FULL, "") \
	X(11, munmap, SERVER, EP_VM, FULL, "") \
	X(12, brk, SERVER, EP_VM, FULL, "") \
	X(13, rt_sigaction, SERVER, EP_PM, FULL, "") \
	X(14, rt_sigprocmask, KERNEL, MECH_SIGPROCMASK, FULL, "") \
	X(15, rt_sigreturn, KERNEL, MECH_SIGRETURN, FULL, "") \
	X(16, ioctl, SERVER, EP_VFS, FULL, "") \
	X(17, pread64, SERVER, EP_VFS, FULL, "") \
	X(18, pwrite64, SERVER, EP_VFS, FULL, "") \
	X(19, readv, SERVER, EP_VFS, FULL, "") \
	X(20, writev, SERVER, EP_VFS, FULL, "") \
	X(21, access, SERVER, EP_VFS, FULL, "") \
	X(22, pipe, SERVER, EP_VFS, FULL, "") \
	X(23, select, SERVER, EP_VFS, FULL, "") \
	X(24, sched_yield, KERNEL, MECH_SCHED_YIELD, FULL, "") \
	X(25, mremap, SERVER, EP_VM, FULL, "") \
	X(26, msync, SERVER, EP_VM, FULL, "") \
	X(27, mincore, SERVER, EP_VM, FULL, "") \
	X(28, madvise, SERVER, EP_VM, FULL, "") \
	X(29, shmget, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(30, shmat, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(31, shmctl, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(32, dup, SERVER, EP_VFS, FULL, "") \
	X(33, dup2, SERVER, EP_VFS, FULL, "") \
	X(34, pause, SERVER, EP_PM, FULL, "") \
	X(35, nanosleep, SERVER, EP_PM, FULL, "") \
	X(36, getitimer, SERVER, EP_PM, FULL, "") \
	X(37, alarm, SERVER, EP_PM, FULL, "") \
	X(38, setitimer, SERVER, EP_PM, FULL, "") \
	X(39, getpid, ANSWER, ANSWER_PID, FULL, "") \
	X(40, sendfile, SERVER, EP_VFS, FULL, "") \
	X(41, socket, SERVER, EP_VFS, PARTIAL, "AF_UNIX only") \
	X(42, connect, SERVER, EP_VFS, FULL, "") \
	X(43, accept, SERVER, EP_VFS, FULL, "") \
	X(44, sendto, SERVER, EP_VFS, FULL, "") \
	X(45, recvfrom, SERVER, EP_VFS, FULL, "") \
	X(46, sendmsg, SERVER, EP_VFS, FULL, "") \
	X(47, recvmsg, SERVER, EP_VFS, FULL, "") \
	X(48, shutdown, SERVER, EP_VFS, FULL, "") \
	X(49, bind, SERVER, EP_VFS, FULL, "") \
	X(50, listen, SERVER, EP_VFS, FULL, "") \
	X(51, getsockname, SERVER, EP_VFS, FULL, "") \
	X(52, getpeername, SERVER, EP_VFS, FULL, "") \
	X(53, socketpair, SERVER, EP_VFS, PARTIAL, "AF_UNIX only") \
	X(54, setsockopt, SERVER, EP_VFS, FULL, "") \
	X(55, getsockopt, SERVER, EP_VFS, FULL, "") \
	X(56, clone, SERVER, EP_PM, PARTIAL, "no namespaces, no CLONE_PIDFD, CLONE_PTRACE is ignored") \
	X(57, fork, SERVER, EP_PM, FULL, "") \
	X(58, vfork, SERVER, EP_PM, FULL, "") \
	X(59, execve, SERVER, EP_PM, FULL, "") \
	X(60, exit, SERVER, EP_PM, FULL, "") \
	X(61, wait4, SERVER, EP_PM, FULL, "") \
	X(62, kill, SERVER, EP_PM, FULL, "") \
	X(63, uname, SERVER, EP_PM, FULL, "") \
	X(64, semget, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(65, semop, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(66, semctl, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(67, shmdt, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(68, msgget, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(69, msgsnd, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(70, msgrcv, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(71, msgctl, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(72, fcntl, SERVER, EP_VFS, PARTIAL, "no leases, no F_NOTIFY; F_SETOWN and O_ASYNC are kept but no SIGIO is sent") \
	X(73, flock, SERVER, EP_VFS, FULL, "") \
	X(74, fsync, SERVER, EP_VFS, FULL, "") \
	X(75, fdatasync, SERVER, EP_VFS, FULL, "") \
	X(76, truncate, SERVER, EP_VFS, FULL, "") \
	X(77, ftruncate, SERVER, EP_VFS, FULL, "") \
	X(78, getdents, SERVER, EP_VFS, FULL, "") \
	X(79, getcwd, SERVER, EP_VFS, FULL, "") \
	X(80, chdir, SERVER, EP_VFS, FULL, "") \
	X(81, fchdir, SERVER, EP_VFS, FULL, "") \
	X(82, rename, SERVER, EP_VFS, FULL, "") \
	X(83, mkdir, SERVER, EP_VFS, FULL, "") \
	X(84, rmdir, SERVER, EP_VFS, FULL, "") \
	X(85, creat, SERVER, EP_VFS, FULL, "") \
	X(86, link, SERVER, EP_VFS, FULL, "") \
	X(87, unlink, SERVER, EP_VFS, FULL, "") \
	X(88, symlink, SERVER, EP_VFS, FULL, "") \
	X(89, readlink, SERVER, EP_VFS, FULL, "") \
	X(90, chmod, SERVER, EP_VFS, FULL, "") \
	X(91, fchmod, SERVER, EP_VFS, FULL, "") \
	X(92, chown, SERVER, EP_VFS, FULL, "") \
	X(93, fchown, SERVER, EP_VFS, FULL, "") \
	X(94, lchown, SERVER, EP_VFS, FULL, "") \
	X(95, umask, SERVER, EP_VFS, FULL, "") \
	X(96, gettimeofday, KERNEL, MECH_GETTIMEOFDAY, FULL, "") \
	X(97, getrlimit, SERVER, EP_PM, FULL, "") \
	X(98, getrusage, SERVER, EP_PM, PARTIAL, "no counts of switches and transfers; memory of the process itself only") \
	X(99, sysinfo, SERVER, EP_PM, PARTIAL, "no swap") \
	X(100, times, SERVER, EP_PM, FULL, "") \
	X(101, ptrace, NOWHERE, 0, ENOSYS, "") \
	X(102, getuid, ANSWER, ANSWER_UID, FULL, "") \
	X(103, syslog, SERVER, EP_PM, PARTIAL, "reading; no console level") \
	X(104, getgid, ANSWER, ANSWER_GID, FULL, "") \
	X(105, setuid, SERVER, EP_PM, FULL, "") \
	X(106, setgid, SERVER, EP_PM, FULL, "") \
	X(107, geteuid, ANSWER, ANSWER_EUID, FULL, "") \
	X(108, getegid, ANSWER, ANSWER_EGID, FULL, "") \
	X(109, setpgid, SERVER, EP_PM, FULL, "") \
	X(110, getppid, ANSWER, ANSWER_PPID, FULL, "") \
	X(111, getpgrp, ANSWER, ANSWER_PGRP, FULL, "") \
	X(112, setsid, SERVER, EP_PM, FULL, "") \
	X(113, setreuid, SERVER, EP_PM, FULL, "") \
	X(114, setregid, SERVER, EP_PM, FULL, "") \
	X(115, getgroups, SERVER, EP_PM, FULL, "") \
	X(116, setgroups, SERVER, EP_PM, FULL, "") \
	X(117, setresuid, SERVER, EP_PM, FULL, "") \
	X(118, getresuid, SERVER, EP_PM, FULL, "") \
	X(119, setresgid, SERVER, EP_PM, FULL, "") \
	X(120, getresgid, SERVER, EP_PM, FULL, "") \
	X(121, getpgid, SERVER, EP_PM, FULL, "") \
	X(122, setfsuid, SERVER, EP_PM, FULL, "") \
	X(123, setfsgid, SERVER, EP_PM, FULL, "") \
	X(124, getsid, SERVER, EP_PM, FULL, "") \
	X(125, capget, SERVER, EP_PM, PARTIAL, "capabilities follow the effective user id; dropping them is accepted and not enforced") \
	X(126, capset, SERVER, EP_PM, PARTIAL, "capabilities follow the effective user id; dropping them is accepted and not enforced") \
	X(127, rt_sigpending, SERVER, EP_PM, FULL, "") \
	X(128, rt_sigtimedwait, SERVER, EP_PM, FULL, "") \
	X(129, rt_sigqueueinfo, SERVER, EP_PM, FULL, "") \
	X(130, rt_sigsuspend, SERVER, EP_PM, FULL, "") \
	X(131, sigaltstack, SERVER, EP_PM, FULL, "") \
	X(132, utime, SERVER, EP_VFS, FULL, "") \
	X(133, mknod, SERVER, EP_VFS, FULL, "") \
	X(134, uselib, NOWHERE, 0, ENOSYS, "") \
	X(135, personality, SERVER, EP_PM, PARTIAL, "PER_LINUX only") \
	X(136, ustat, NOWHERE, 0, ENOSYS, "") \
	X(137, statfs, SERVER, EP_VFS, FULL, "") \
	X(138, fstatfs, SERVER, EP_VFS, FULL, "") \
	X(139, sysfs, NOWHERE, 0, ENOSYS, "") \
	X(140, getpriority, SERVER, EP_PM, FULL, "") \
	X(141, setpriority, SERVER, EP_PM, FULL, "") \
	X(142, sched_setparam, SERVER, EP_PM, PARTIAL, "policies are recorded; only nice values change priorities") \
	X(143, sched_getparam, SERVER, EP_PM, PARTIAL, "policies are recorded; only nice values change priorities") \
	X(144, sched_setscheduler, SERVER, EP_PM, PARTIAL, "policies are recorded; only nice values change priorities") \
	X(145, sched_getscheduler, SERVER, EP_PM, PARTIAL, "policies are recorded; only nice values change priorities") \
	X(146, sched_get_priority_max, SERVER, EP_PM, FULL, "") \
	X(147, sched_get_priority_min, SERVER, EP_PM, FULL, "") \
	X(148, sched_rr_get_interval, SERVER, EP_PM, FULL, "") \
	X(149, mlock, SERVER, EP_VM, FULL, "") \
	X(150, munlock, SERVER, EP_VM, FULL, "") \
	X(151, mlockall, SERVER, EP_VM, FULL, "") \
	X(152, munlockall, SERVER, EP_VM, FULL, "") \
	X(153, vhangup, SERVER, EP_PM, FULL, "") \
	X(154, modify_ldt, NOWHERE, 0, ENOSYS, "") \
	X(155, pivot_root, NOWHERE, 0, ENOSYS, "") \
	X(156, _sysctl, NOWHERE, 0, ENOSYS, "") \
	X(157, prctl, SERVER, EP_PM, PARTIAL, "names, death signal, dumpable, keepcaps, no_new_privs, subreaper, slack, capabilities") \
	X(158, arch_prctl, KERNEL, MECH_ARCH_PRCTL, FULL, "") \
	X(159, adjtimex, SERVER, EP_PM, PARTIAL, "reads; ADJ_SETOFFSET") \
	X(160, setrlimit, SERVER, EP_PM, FULL, "") \
	X(161, chroot, SERVER, EP_VFS, FULL, "") \
	X(162, sync, SERVER, EP_VFS, FULL, "") \
	X(163, acct, NOWHERE, 0, ENOSYS, "") \
	X(164, settimeofday, SERVER, EP_PM, FULL, "") \
	X(165, mount, SERVER, EP_VFS, PARTIAL, "tmpfs, ramfs and proc; no bind mounts, no moving") \
	X(166, umount2, SERVER, EP_VFS, FULL, "") \
	X(167, swapon, NOWHERE, 0, ENOSYS, "") \
	X(168, swapoff, NOWHERE, 0, ENOSYS, "") \
	X(169, reboot, SERVER, EP_PM, FULL, "") \
	X(170, sethostname, SERVER, EP_PM, FULL, "") \
	X(171, setdomainname, SERVER, EP_PM, FULL, "") \
	X(172, iopl, NOWHERE, 0, ENOSYS, "") \
	X(173, ioperm, NOWHERE, 0, ENOSYS, "") \
	X(174, create_module, NOWHERE, 0, ENOSYS, "") \
	X(175, init_module, NOWHERE, 0, ENOSYS, "") \
	X(176, delete_module, NOWHERE, 0, ENOSYS, "") \
	X(177, get_kernel_syms, NOWHERE, 0, ENOSYS, "") \
	X(178, query_module, NOWHERE, 0, ENOSYS, "") \
	X(179, quotactl, NOWHERE, 0, ENOSYS, "") \
	X(180, nfsservctl, NOWHERE, 0, ENOSYS, "") \
	X(181, getpmsg, NOWHERE, 0, ENOSYS, "") \
	X(182, putpmsg, NOWHERE, 0, ENOSYS, "") \
	X(183, afs_syscall, NOWHERE, 0, ENOSYS, "") \
	X(184, tuxcall, NOWHERE, 0, ENOSYS, "") \
	X(185, security, NOWHERE, 0, ENOSYS, "") \
	X(186, gettid, ANSWER, ANSWER_TID, FULL, "") \
	X(187, readahead, SERVER, EP_VFS, FULL, "") \
	X(188, setxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(189, lsetxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(190, fsetxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(191, getxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(192, lgetxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(193, fgetxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(194, listxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(195, llistxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(196, flistxattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(197, removexattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(198, lremovexattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(199, fremovexattr, SERVER, EP_VFS, PARTIAL, "no file system keeps attributes: EOPNOTSUPP") \
	X(200, tkill, SERVER, EP_PM, FULL, "") \
	X(201, time, KERNEL, MECH_TIME, FULL, "") \
	X(202, futex, KERNEL, MECH_FUTEX, PARTIAL, "no priority inheritance") \
	X(203, sched_setaffinity, SERVER, EP_PM, FULL, "") \
	X(204, sched_getaffinity, SERVER, EP_PM, FULL, "") \
	X(205, set_thread_area, NOWHERE, 0, ENOSYS, "") \
	X(206, io_setup, NOWHERE, 0, ENOSYS, "") \
	X(207, io_destroy, NOWHERE, 0, ENOSYS, "") \
	X(208, io_getevents, NOWHERE, 0, ENOSYS, "") \
	X(209, io_submit, NOWHERE, 0, ENOSYS, "") \
	X(210, io_cancel, NOWHERE, 0, ENOSYS, "") \
	X(211, get_thread_area, NOWHERE, 0, ENOSYS, "") \
	X(212, lookup_dcookie, NOWHERE, 0, ENOSYS, "") \
	X(213, epoll_create, SERVER, EP_VFS, FULL, "") \
	X(214, epoll_ctl_old, NOWHERE, 0, ENOSYS, "") \
	X(215, epoll_wait_old, NOWHERE, 0, ENOSYS, "") \
	X(216, remap_file_pages, NOWHERE, 0, ENOSYS, "") \
	X(217, getdents64, SERVER, EP_VFS, FULL, "") \
	X(218, set_tid_address, SERVER, EP_PM, FULL, "") \
	X(219, restart_syscall, NOWHERE, 0, ENOSYS, "") \
	X(220, semtimedop, NOWHERE, 0, ENOSYS, "System V IPC") \
	X(221, fadvise64, SERVER, EP_VFS, FULL, "") \
	X(222, timer_create, SERVER, EP_PM, FULL, "") \
	X(223, timer_settime, SERVER, EP_PM, FULL, "") \
	X(224, timer_gettime, SERVER, EP_PM, FULL, "") \
	X(225, timer_getoverrun, SERVER, EP_PM, FULL, "") \
	X(226, timer_delete, SERVER, EP_PM, FULL, "") \
	X(227, clock_settime, SERVER, EP_PM, FULL, "") \
	X(228, clock_gettime, KERNEL, MECH_CLOCK_GETTIME, FULL, "") \
	X(229, clock_getres, KERNEL, MECH_CLOCK_GETRES, FULL, "") \
	X(230, clock_nanosleep, SERVER, EP_PM, FULL, "") \
	X(231, exit_group, SERVER, EP_PM, FULL, "") \
	X(232, epoll_wait, SERVER, EP_VFS, FULL, "") \
	X(233, epoll_ctl, SERVER, EP_VFS, FULL, "") \
	X(234, tgkill, SERVER, EP_PM, FULL, "") \
	X(235, utimes, SERVER, EP_VFS, FULL, "") \
	X(236, vserver, NOWHERE, 0, ENOSYS, "") \
	X(237, mbind, NOWHERE, 0, ENOSYS, "") \
	X(238, set_mempolicy, NOWHERE, 0, ENOSYS, "") \
	X(239, get_mempolicy, NOWHERE, 0, ENOSYS, "") \
	X(240, mq_open, NOWHERE, 0, ENOSYS, "POSIX message queues") \
	X(241, mq_unlink, NOWHERE, 0, ENOSYS, "POSIX message queues") \
	X(242, mq_timedsend, NOWHERE, 0, ENOSYS, "POSIX message queues") \
	X(243, mq_timedreceive, NOWHERE, 0, ENOSYS, "POSIX message queues") \
	X(244, mq_notify, NOWHERE, 0, ENOSYS, "POSIX message queues") \
	X(245, mq_getsetattr, NOWHERE, 0, ENOSYS, "POSIX message queues") \
	X(246, kexec_load, NOWHERE, 0, ENOSYS, "") \
	X(247, waitid, SERVER, EP_PM, FULL, "") \
	X(248, add_key, NOWHERE, 0, ENOSYS, "") \
	X(249, request_key, NOWHERE, 0, ENOSYS, "") \
	X(250, keyctl, NOWHERE, 0, ENOSYS, "") \
	X(251, ioprio_set, SERVER, EP_PM, PARTIAL, "recorded only") \
	X(252, ioprio_get, SERVER, EP_PM, PARTIAL, "recorded only") \
	X(253, inotify_init, NOWHERE, 0, ENOSYS, "no change notification") \
	X(254, inotify_add_watch, NOWHERE, 0, ENOSYS, "no change notification") \
	X(255, inotify_rm_watch, NOWHERE, 0, ENOSYS, "no change notification") \
	X(256, migrate_pages, NOWHERE, 0, ENOSYS, "") \
	X(257, openat, SERVER, EP_VFS, FULL, "") \
	X(258, mkdirat, SERVER, EP_VFS, FULL, "") \
	X(259, mknodat, SERVER, EP_VFS, FULL, "") \
	X(260, fchownat, SERVER, EP_VFS, FULL, "") \
	X(261, futimesat, SERVER, EP_VFS, FULL, "") \
	X(262, newfstatat, SERVER, EP_VFS, FULL, "") \
	X(263, unlinkat, SERVER, EP_VFS, FULL, "") \
	X(264, renameat, SERVER, EP_VFS, FULL, "") \
	X(265, linkat, SERVER, EP_VFS, FULL, "") \
	X(266, symlinkat, SERVER, EP_VFS, FULL, "") \
	X(267, readlinkat, SERVER, EP_VFS, FULL, "") \
	X(268, fchmodat, SERVER, EP_VFS, FULL, "") \
	X(269, faccessat, SERVER, EP_VFS, FULL, "") \
	X(270, pselect6, SERVER, EP_VFS, FULL, "") \
	X(271, ppoll, SERVER, EP_VFS, FULL, "") \
	X(272, unshare, NOWHERE, 0, ENOSYS, "") \
	X(273, set_robust_list, SERVER, EP_PM, FULL, "") \
	X(274, get_robust_list, SERVER, EP_PM, FULL, "") \
	X(275, splice, SERVER, EP_VFS, PARTIAL, "copies") \
	X(276, tee, SERVER, EP_VFS, PARTIAL, "copies") \
	X(277, sync_file_range, SERVER, EP_VFS, FULL, "") \
	X(278, vmsplice, SERVER, EP_VFS, PARTIAL, "copies") \
	X(279, move_pages, NOWHERE, 0, ENOSYS, "") \
	X(280, utimensat, SERVER, EP_VFS, FULL, "") \
	X(281, epoll_pwait, SERVER, EP_VFS, FULL, "") \
	X(282, signalfd, SERVER, EP_VFS, FULL, "") \
	X(283, timerfd_create, SERVER, EP_VFS, FULL, "") \
	X(284, eventfd, SERVER, EP_VFS, FULL, "") \
	X(285, fallocate, SERVER, EP_VFS, PARTIAL, "allocate, keep size, punch holes") \
	X(286, timerfd_settime, SERVER, EP_VFS, PARTIAL, "setting the clock does not move or cancel timers") \
	X(287, timerfd_gettime, SERVER, EP_VFS, FULL, "") \
	X(288, accept4, SERVER, EP_VFS, FULL, "") \
	X(289, signalfd4, SERVER, EP_VFS, FULL, "") \
	X(290, eventfd2, SERVER, EP_VFS, FULL, "") \
	X(291, epoll_create1, SERVER, EP_VFS, FULL, "") \
	X(292, dup3, SERVER, EP_VFS, FULL, "") \
	X(293, pipe2, SERVER, EP_VFS, FULL, "") \
	X(294, inotify_init1, NOWHERE, 0, ENOSYS, "no change notification") \
	X(295, preadv, SERVER, EP_VFS, FULL, "") \
	X(296, pwritev, SERVER, EP_VFS, FULL, "") \
	X(297, rt_tgsigqueueinfo, SERVER, EP_PM, FULL, "") \
	X(298, perf_event_open, NOWHERE, 0, ENOSYS, "") \
	X(299, recvmmsg, SERVER, EP_VFS, FULL, "") \
	X(300, fanotify_init, NOWHERE, 0, ENOSYS, "no change notification") \
	X(301, fanotify_mark, NOWHERE, 0, ENOSYS, "no change notification") \
	X(302, prlimit64, SERVER, EP_PM, FULL, "") \
	X(303, name_to_handle_at, NOWHERE, 0, ENOSYS, "") \
	X(304, open_by_handle_at, NOWHERE, 0, ENOSYS, "") \
	X(305, clock_adjtime, SERVER, EP_PM, PARTIAL, "reads; ADJ_SETOFFSET") \
	X(306, syncfs, SERVER, EP_VFS, FULL, "") \
	X(307, sendmmsg, SERVER, EP_VFS, FULL, "") \
	X(308, setns, NOWHERE, 0, ENOSYS, "") \
	X(309, getcpu, KERNEL, MECH_GETCPU, FULL, "") \
	X(310, process_vm_readv, NOWHERE, 0, ENOSYS, "") \
	X(311, process_vm_writev, NOWHERE, 0, ENOSYS, "") \
	X(312, kcmp, NOWHERE, 0, ENOSYS, "") \
	X(313, finit_module, NOWHERE, 0, ENOSYS, "") \
	X(314, sched_setattr, SERVER, EP_PM, PARTIAL, "policies are recorded; only nice values change priorities") \
	X(315, sched_getattr, SERVER, EP_PM, PARTIAL, "policies are recorded; only nice values change priorities") \
	X(316, renameat2, SERVER, EP_VFS, FULL, "") \
	X(317, seccomp, NOWHERE, 0, ENOSYS, "") \
	X(318, getrandom, SERVER, EP_PM, FULL, "") \
	X(319, memfd_create, SERVER, EP_VFS, PARTIAL, "no huge pages") \
	X(320, kexec_file_load, NOWHERE, 0, ENOSYS, "") \
	X(321, bpf, NOWHERE, 0, ENOSYS, "") \
	X(322, execveat, SERVER, EP_PM, FULL, "") \
	X(323, userfaultfd, NOWHERE, 0, ENOSYS, "") \
	X(324, membarrier, SERVER, EP_PM, PARTIAL, "global and private expedited") \
	X(325, mlock2, SERVER, EP_VM, FULL, "") \
	X(326, copy_file_range, SERVER, EP_VFS, FULL, "") \
	X(327, preadv2, SERVER, EP_VFS, FULL, "") \
	X(328, pwritev2, SERVER, EP_VFS, FULL, "") \
	X(329, pkey_mprotect, NOWHERE, 0, ENOSYS, "") \
	X(330, pkey_alloc, NOWHERE, 0, ENOSYS, "") \
	X(331, pkey_free, NOWHERE, 0, ENOSYS, "") \
	X(332, statx, SERVER, EP_VFS, FULL, "") \
	X(333, io_pgetevents, NOWHERE, 0, ENOSYS, "") \
	X(334, rseq, NOWHERE, ROUTE_QUIET, ENOSYS, "C libraries go on without") \
	X(424, pidfd_send_signal, NOWHERE, 0, ENOSYS, "") \
	X(425, io_uring_setup, NOWHERE, 0, ENOSYS, "") \
	X(426, io_uring_enter, NOWHERE, 0, ENOSYS, "") \
	X(427, io_uring_register, NOWHERE, 0, ENOSYS, "") \
	X(428, open_tree, NOWHERE, 0, ENOSYS, "") \
	X(429, move_mount, NOWHERE, 0, ENOSYS, "") \
	X(430, fsopen, NOWHERE, 0, ENOSYS, "") \
	X(431, fsconfig, NOWHERE, 0, ENOSYS, "") \
	X(432, fsmount, NOWHERE, 0, ENOSYS, "") \
	X(433, fspick, NOWHERE, 0, ENOSYS, "") \
	X(434, pidfd_open, NOWHERE, 0, ENOSYS, "") \
	X(435, clone3, SERVER, EP_PM, PARTIAL, "as clone; no set_tid, no cgroup") \
	X(436, close_range, SERVER, EP_VFS, FULL, "") \
	X(437, openat2, SERVER, EP_VFS, FULL, "") \
	X(438, pidfd_getfd, NOWHERE, 0, ENOSYS, "") \
	X(439, faccessat2, SERVER, EP_VFS, FULL, "") \
	X(440, process_madvise, NOWHERE, 0, ENOSYS, "") \
	X(441, epoll_pwait2, SERVER, EP_VFS, FULL, "") \
	X(442, mount_setattr, NOWHERE, 0, ENOSYS, "") \
	X(443, quotactl_fd, NOWHERE, 0, ENOSYS, "") \
	X(444, landlock_create_ruleset, NOWHERE, 0, ENOSYS, "") \
	X(445, landlock_add_rule, NOWHERE, 0, ENOSYS, "") \
	X(446, landlock_restrict_self, NOWHERE, 0, ENOSYS, "") \
	X(447, memfd_secret, NOWHERE, 0, ENOSYS, "") \
	X(448, process_mrelease, NOWHERE, 0, ENOSYS, "") \
	X(449, futex_waitv, NOWHERE, 0, ENOSYS, "") \
	X(450, set_mempolicy_home_node, NOWHERE, 0, ENOSYS, "") \

/* Our own calls, from ROUTE_OWN_BASE on (proto/rs.h): root's door to RS and DS. */
#define OWN_ROUTES(X) \
	X(0x1000, rs_call, SERVER, EP_RS, FULL, "operations of the service tool") \
	X(0x1001, ds_call, SERVER, EP_DS, FULL, "the data store for tools")
