# SPDX-License-Identifier: BSD-2-Clause
NAME := pm
KIND := service
LIBS := libsys libsef librandom
