# SPDX-License-Identifier: BSD-2-Clause
NAME := ktest_echo
KIND := svctest
LIBS := libsys
CFLAGS_EXTRA := -Itests/kernel
