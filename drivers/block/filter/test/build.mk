# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_sums.c test_engine.c test_older.c log.c ../sums.c ../md5.c ../engine.c ../ops.c ../legs.c ../image.c ../versions.c ../start.c \
	../../../../lib/libfiber/fiber.c ../../../../lib/libfiber/switch.S
