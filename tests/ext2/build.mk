# SPDX-License-Identifier: BSD-2-Clause
KIND := bench
NAME := ext2_damage
