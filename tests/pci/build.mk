# SPDX-License-Identifier: BSD-2-Clause
KIND := svctest
LIBS := libpci libsef libsys
