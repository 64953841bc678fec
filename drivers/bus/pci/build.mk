# SPDX-License-Identifier: BSD-2-Clause
NAME := pci
KIND := service
LIBS := libdriver libsef libsys
