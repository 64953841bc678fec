# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_rules.c ../rules.c
