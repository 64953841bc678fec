# SPDX-License-Identifier: BSD-2-Clause
NAME := libdriver
KIND := lib
