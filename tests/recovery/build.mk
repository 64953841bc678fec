# SPDX-License-Identifier: BSD-2-Clause
NAME := fsync_writer
KIND := bench
