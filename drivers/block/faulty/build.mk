# SPDX-License-Identifier: BSD-2-Clause
NAME := faulty
KIND := service
SRCS := faulty.c rules.c
LIBS := libbdev libdriver libsef libsys
