# SPDX-License-Identifier: BSD-2-Clause
KIND := svctest
LIBS := libdriver libsef libsys
