# SPDX-License-Identifier: BSD-2-Clause
NAME := makedev
KIND := user
DEST := /sbin
