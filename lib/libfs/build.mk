# SPDX-License-Identifier: BSD-2-Clause
NAME = libfs
KIND = lib
