# SPDX-License-Identifier: BSD-2-Clause
NAME = procfs
KIND = service
LIBS = libfs libsef libsys
