# SPDX-License-Identifier: BSD-2-Clause
NAME = tmpfs
KIND = service
LIBS = libfs libsef libsys
