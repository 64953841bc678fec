# SPDX-License-Identifier: BSD-2-Clause
NAME := ktest_vm
KIND := svctest
LIBS := libsys
CFLAGS_EXTRA := -Itests/kernel
