# SPDX-License-Identifier: BSD-2-Clause
NAME := diskbench
KIND := bench
