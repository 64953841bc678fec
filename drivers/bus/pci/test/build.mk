# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_pci.c ../pci_mcfg.c ../pci_caps.c ../pci_scan.c
