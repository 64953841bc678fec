/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot image: one "newc" cpio archive (cpio(5)), handed over by the boot loader as first module. Members named
 *   boot/NAME   services, in the order of images/boot.list; loaded by the kernel, slot and endpoint by name (abi/endpoint.h)
 *   root/PATH   the first file system, unpacked by tmpfs
 * Several archives may follow one another (4-byte aligned zero padding between them is skipped); the last word on a path wins.
 * A service is a static ELF64 executable at fixed addresses. It starts with Linux's initial stack: argc, argv (its name), an empty
 * environment and auxv AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_RANDOM, AT_ENTRY, AT_SECURE = 0, which musl's start-up code reads.
 *
 * Kernel command line: words separated by blanks; `guest=1` (run /etc/guest/command), `smp=N` (use at most N CPUs), `loglevel=N`,
 * `console=off` (no kernel log on the serial line), `console=keep` (also when a driver uses the line), `test=NAME` (in-kernel tests
 * of the test image). Services read it by GETINFO_CMDLINE.
 */
#pragma once
