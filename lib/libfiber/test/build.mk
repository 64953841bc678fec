# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_fiber.c ../fiber.c ../switch.S
