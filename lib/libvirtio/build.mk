# SPDX-License-Identifier: BSD-2-Clause
NAME := libvirtio
KIND := lib
