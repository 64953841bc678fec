# SPDX-License-Identifier: BSD-2-Clause
NAME := ds
KIND := service
LIBS := libsys libsef
