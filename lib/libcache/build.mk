# SPDX-License-Identifier: BSD-2-Clause
NAME := libcache
KIND := lib
