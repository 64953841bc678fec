# SPDX-License-Identifier: BSD-2-Clause
NAME := vm
KIND := service
LIBS := sef sys
