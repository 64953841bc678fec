# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_cache.c test_sweep.c test_mapped.c test_rescue.c ../cache.c ../cache_io.c ../cache_write.c ../cache_sweep.c ../cache_ahead.c ../cache_rescue.c ../cache_host.c ../../libfiber/fiber.c ../../libfiber/switch.S
