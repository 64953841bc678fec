# SPDX-License-Identifier: BSD-2-Clause
NAME := pty_survivor
KIND := bench
