# SPDX-License-Identifier: BSD-2-Clause
NAME = ext2
KIND = service
LIBS = libfs libcache libbdev libfiber libsef libsys
