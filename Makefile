# SPDX-License-Identifier: BSD-2-Clause
#
# The single entry to Axolotl: build, run, test. Every component describes itself in a build.mk; the rules that turn
# those into programs are in tools/rules.mk (and explained in tools/README.md).
#
#   make              everything: kernel, services, programs, boot archive
#   make run          boot to a shell in this terminal          (SMP=2 MEM=512; DISK=FILE: root file system on that disk)
#   make disk         BUILD/disk.img, an ext2 disk with the root file system, for DISK=
#   make test         build and run every test
#   make bench        measure beside Linux on the same virtual machine
#   make debug        QEMU waiting for gdb, and gdb with the kernel's symbols
#   make iso          bootable image for BIOS and UEFI
#   make check        style and dependency checkers
#   make NAME         one component by name or folder, e.g. `make pm` or `make servers/pm`

MAKEFLAGS += -rR --no-print-directory
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

BUILD ?= build
SMP ?= 2
MEM ?= 512
DISK ?=
CONFIG ?=
# Folders of components to leave out of the build, e.g. SKIP="fs/procfs drivers/char/hello".
SKIP ?=
ifeq ($(filter default undefined,$(origin CC)),)
else
CC := gcc
endif
Q := $(if $(filter 1,$(V)),,@)
PYTHON := /usr/bin/python3

# The compilers are needed before the first rule can run.
ifneq ($(filter-out clean check,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell tools/install-deps build && echo there),there)
$(error packages are missing, see above)
endif
endif

include tools/rules.mk

all: $(ALL_PROGRAMS) $(ARCHIVE)

deps:
	$(Q)tools/install-deps

deps-run:
	$(Q)tools/install-deps run

run: deps-run $(KERNEL) $(ARCHIVE)
	$(Q)$(PYTHON) tools/qemu --build $(BUILD) --smp $(SMP) --mem $(MEM) \
		$(if $(DISK),--disk $(DISK) --append root=/dev/vda)

disk: deps $(ARCHIVE)
	$(Q)$(PYTHON) tools/mkdisk --build $(BUILD) $(BUILD)/disk.img

debug: deps $(KERNEL) $(ARCHIVE)
	$(Q)$(PYTHON) tools/qemu --build $(BUILD) --smp $(SMP) --mem $(MEM) --gdb

iso: deps $(BUILD)/axolotl.iso

$(BUILD)/axolotl.iso: $(KERNEL) $(ARCHIVE) images/grub.cfg
	$(Q)tools/mkiso $@ $(KERNEL) $(ARCHIVE) images/grub.cfg

# The test runner builds nothing itself: what it runs is made here.
test: deps all tests-build
	$(Q)BUILD=$(BUILD) tests/run $(TESTS)

tests-build: $(TEST_PROGRAMS) $(BENCH_PROGRAMS) stale-kernel

# A kernel that never refreshes stale translations: the test of stale translations must catch it.
STALE_BUILD := $(BUILD)/variants/stale
stale-kernel:
	$(Q)$(MAKE) BUILD=$(STALE_BUILD) CONFIG="$(CONFIG) CONFIG_IGNORE_STALE_TLB=1" kernel

bench: deps all $(BENCH_PROGRAMS) tests/perf/ipc $(BUILD)/linux/vmlinuz $(BUILD)/linux/root.cpio
	$(Q)$(PYTHON) tests/perf/bench --build $(BUILD) $(BENCH)

check:
	$(Q)tools/check

clean:
	rm -rf $(BUILD)

.PHONY: all deps deps-run run disk debug iso test tests-build stale-kernel bench check clean
