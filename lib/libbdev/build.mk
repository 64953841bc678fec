# SPDX-License-Identifier: BSD-2-Clause
NAME := libbdev
KIND := lib
