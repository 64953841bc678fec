# SPDX-License-Identifier: BSD-2-Clause
NAME := rs
KIND := service
LIBS := libsys libsef libelf
