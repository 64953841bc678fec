# SPDX-License-Identifier: BSD-2-Clause
NAME := filter
KIND := service
SRCS := filter.c engine.c ops.c legs.c image.c versions.c start.c sums.c md5.c
LIBS := libbdev libdriver libfiber libsef libsys
