# SPDX-License-Identifier: BSD-2-Clause
NAME := axolotl
KIND := kernel
