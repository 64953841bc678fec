# SPDX-License-Identifier: BSD-2-Clause
NAME := libpci
KIND := lib
