# SPDX-License-Identifier: BSD-2-Clause
NAME = blockfs
KIND = service
LIBS = libcache libbdev libfiber libfs libsef libsys
