# SPDX-License-Identifier: BSD-2-Clause
NAME = tty
KIND = service
LIBS = libdriver libsef libsys
