# SPDX-License-Identifier: BSD-2-Clause
NAME = librandom
KIND = lib
