# SPDX-License-Identifier: BSD-2-Clause
NAME := osbench
KIND := bench
