# SPDX-License-Identifier: BSD-2-Clause
NAME := libsys
KIND := lib
