# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_ds_store.c ../ds_store.c
