# SPDX-License-Identifier: BSD-2-Clause
NAME := libfiber
KIND := lib
