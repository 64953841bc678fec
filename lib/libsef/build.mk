# SPDX-License-Identifier: BSD-2-Clause
NAME := libsef
KIND := lib
