# SPDX-License-Identifier: BSD-2-Clause
NAME := hello
KIND := service
LIBS := libdriver libsef libsys
