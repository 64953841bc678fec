# SPDX-License-Identifier: BSD-2-Clause
NAME := libelf
KIND := lib
