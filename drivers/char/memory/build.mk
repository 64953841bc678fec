# SPDX-License-Identifier: BSD-2-Clause
NAME = memory
KIND = service
LIBS = libdriver librandom libsef libsys
