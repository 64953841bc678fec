# SPDX-License-Identifier: BSD-2-Clause
NAME := plain
KIND := svctest
LIBS := libdriver libsef libsys
