# SPDX-License-Identifier: BSD-2-Clause
NAME = tty
KIND = service
LIBS = libfs libdriver libsef libsys
