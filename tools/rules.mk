# SPDX-License-Identifier: BSD-2-Clause
#
# How a component becomes a program.
#
# A component is a folder with a build.mk of a few variables:
#   NAME         name of the result; for user, guesttest, svctest and unit it may be left out: then every .c file (for
#                unit: every test_*.c) is a program of its own
#   KIND         kernel    the kernel
#                lib       archive for services            service   server, file system or driver
#                user      program of the root file system  bench     Linux program for `make bench`
#                unit      host test of pure logic          guesttest Linux program that is a test
#                svctest   service that a test starts
#   SRCS         sources relative to the folder; default all *.c and *.S in it (kernel: the whole tree below it)
#   LIBS         names of libraries (KIND=lib) linked into it, in any order
#   CFLAGS_EXTRA more compiler flags for this component
#   DEST         user: folder in the guest (/sbin or /bin, default /bin)
# Objects lie under $(BUILD) at the place of their source, and are made again when the flags they were made with change.

comma := ,
BUILD_FILES := $(filter-out $(BUILD)/% build/%,$(wildcard */build.mk */*/build.mk */*/*/build.mk */*/*/*/build.mk))
BUILD_FILES := $(filter-out $(addsuffix /build.mk,$(SKIP)),$(BUILD_FILES))

# ---- flags ----------------------------------------------------------------------------------------------------------

CLANG := $(findstring clang,$(CC))
WARNINGS := -Wall -Wextra -Wshadow -Wswitch -Wmissing-prototypes -Werror
COMMON_FLAGS := -std=gnu11 -g $(WARNINGS) -MMD -MP

KERNEL_FLAGS := $(COMMON_FLAGS) -O2 -ffreestanding -nostdlib -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -ffunction-sections \
	$(if $(CLANG),,-fno-tree-loop-distribute-patterns) \
	-Iinclude -Ikernel/include -Ikernel/arch/x86_64/include $(addprefix -D,$(CONFIG))

# Undefined behaviour traps, so that corruption becomes a crash early. The checks that cost much are left out.
SERVICE_CHECKS := -fstack-protector-strong -fsanitize-undefined-trap-on-error \
	-fsanitize=bounds,shift,signed-integer-overflow,unreachable,return,vla-bound

LIB_INCLUDES := $(addprefix -I,$(wildcard lib/*/include))
SERVICE_FLAGS := $(COMMON_FLAGS) -O2 -mno-sse -mgeneral-regs-only -fno-strict-aliasing -fno-pic -fno-pie \
	-fno-omit-frame-pointer -fcf-protection=none -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections $(SERVICE_CHECKS) -D_GNU_SOURCE= -Iinclude $(LIB_INCLUDES)
SERVICE_LINK := -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,noseparate-code \
	-Wl,-z,max-page-size=4096 -Wl,--build-id=none -Wl,-Ttext-segment=0x400000 -Wl,-T,tools/hot_service.ld

USER_FLAGS := $(COMMON_FLAGS) -O2 -D_GNU_SOURCE= -fno-pic -fno-pie -Iinclude
GUESTTEST_FLAGS := -std=gnu11 -Wall -MMD -MP -O1 -D_GNU_SOURCE= -fno-pic -fno-pie -pthread -Iinclude -Itests/system
LINUX_LINK := -static -no-pie -pthread -s -Wl,-z,noexecstack -Wl,--build-id=none

UNIT_FLAGS := $(COMMON_FLAGS) -O1 -D_GNU_SOURCE= -DUNIT_TEST -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all -Iinclude -Itests/unit $(LIB_INCLUDES) \
	-Ikernel/include -Ikernel/arch/x86_64/include

# musl-gcc is gcc with musl's headers and libraries. clang gets the headers by hand and leaves linking to musl-gcc.
MUSL_LD := musl-gcc
MUSL_CC := $(if $(CLANG),$(CC) -nostdinc -isystem /usr/include/x86_64-linux-musl \
	-isystem $(shell $(CC) -print-resource-dir 2>/dev/null)/include,musl-gcc)

# ---- stamps: a file per set of flags, touched when the flags change ------------------------------------------------

# $(call stamp,NAME,TEXT) makes $(BUILD)/flags/NAME hold TEXT.
define stamp
ifneq ($$(file <$(BUILD)/flags/$(1)),$(2))
$$(shell mkdir -p $(BUILD)/flags)
$$(file >$(BUILD)/flags/$(1),$(2))
endif
$(BUILD)/flags/$(1): ;
endef
$(eval $(call stamp,kernel,$(CC) $(KERNEL_FLAGS)))
$(eval $(call stamp,service,$(MUSL_CC) $(SERVICE_FLAGS) $(SERVICE_LINK)))
$(eval $(call stamp,user,$(MUSL_CC) $(USER_FLAGS)))
$(eval $(call stamp,guesttest,$(GUESTTEST_FLAGS)))
$(eval $(call stamp,unit,$(CC) $(UNIT_FLAGS)))

# ---- collected by the kinds ----------------------------------------------------------------------------------------

ALL_PROGRAMS :=
TEST_PROGRAMS :=
SERVICES :=
USER_PROGRAMS :=
OBJECTS :=
KERNEL := $(BUILD)/kernel/axolotl.elf
ARCHIVE := $(BUILD)/boot.cpio

# $(call compile,OUTPUT-FOLDER,COMPILER,FLAGS,STAMP,SOURCES...): one rule per source, and OBJECTS gets the object.
define compile_one
$(1)/$(basename $(5)).o: $(5) $(DIR)/build.mk $(BUILD)/flags/$(4)
	@mkdir -p $$(@D)
	@echo "  CC   $(5)"
	$$(Q)$(2) $(3) $(6) -c -o $$@ $$<
OBJECTS += $(1)/$(basename $(5)).o
endef
compile = $(foreach s,$(5),$(eval $(call compile_one,$(1),$(2),$(3),$(4),$(s),$(CFLAGS_EXTRA))))
objects_of = $(addprefix $(1)/,$(addsuffix .o,$(basename $(2))))

recursive = $(foreach e,$(wildcard $(1)/*),$(call recursive,$(e)) $(filter %.c %.S,$(e)))
relative = $(patsubst $(CURDIR)/%,%,$(abspath $(1)))
library_files = $(foreach l,$(LIBS),$(BUILD)/libs/lib$(patsubst lib%,%,$(l)).a)
library_group = $(if $(LIBS),-Wl$(comma)--start-group $(library_files) -Wl$(comma)--end-group)

# Where a component is named by the user: `make pm`, `make servers/pm`.
define short_names
.PHONY: $(DIR) $(filter-out $(DIR) $(RESERVED),$(1))
$(DIR) $(filter-out $(DIR) $(RESERVED),$(1)): $(2)
endef
RESERVED := all deps deps-run run debug iso test tests-build stale-kernel bench check clean

# ---- kinds ---------------------------------------------------------------------------------------------------------

# The kernel is linked twice: the symbol table for panics comes from the first link. The table lies behind the text,
# so that the addresses in it are those of the second link too.
define kind_kernel
$(call compile,$(BUILD),$(CC),$(KERNEL_FLAGS),kernel,$(FILES))
$(eval KERNEL_OBJECTS := $(call objects_of,$(BUILD),$(FILES)))
$(BUILD)/kernel/ksyms-1.S: tools/ksyms
	@mkdir -p $$(@D)
	$$(Q)tools/ksyms </dev/null >$$@
$(BUILD)/kernel/ksyms-2.S: $(BUILD)/kernel/axolotl-1.elf tools/ksyms
	$$(Q)nm -n $$< | tools/ksyms >$$@
$(BUILD)/kernel/ksyms-%.o: $(BUILD)/kernel/ksyms-%.S
	$$(Q)$(CC) -c -o $$@ $$<
KERNEL_LINK = $(CC) -nostdlib -static -no-pie -Wl,-T,kernel/arch/x86_64/kernel.ld -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--build-id=none -Wl,-Map=$$(@:.elf=.map)
$(BUILD)/kernel/axolotl-1.elf: $(KERNEL_OBJECTS) $(BUILD)/kernel/ksyms-1.o kernel/arch/x86_64/kernel.ld
	$$(Q)$$(KERNEL_LINK) -o $$@ $$(filter %.o,$$^)
$(KERNEL): $(KERNEL_OBJECTS) $(BUILD)/kernel/ksyms-2.o kernel/arch/x86_64/kernel.ld
	@echo "  LD   $$@"
	$$(Q)$$(KERNEL_LINK) -o $$@ $$(filter %.o,$$^)
ALL_PROGRAMS += $(KERNEL)
$(call short_names,kernel,$(KERNEL))
endef

define kind_lib
$(call compile,$(BUILD),$(MUSL_CC),$(SERVICE_FLAGS),service,$(FILES))
$(BUILD)/libs/lib$(patsubst lib%,%,$(NAME)).a: $(call objects_of,$(BUILD),$(FILES))
	@mkdir -p $$(@D)
	@echo "  AR   $$@"
	$$(Q)rm -f $$@ && ar rcsD $$@ $$(filter %.o,$$^)
ALL_PROGRAMS += $(BUILD)/libs/lib$(patsubst lib%,%,$(NAME)).a
$(call short_names,$(NAME),$(BUILD)/libs/lib$(patsubst lib%,%,$(NAME)).a)
endef

# $(call service_program,NAME,SOURCES): NAME.elf with symbols for gdb, NAME stripped for the archive, NAME.map.
define service_program
$(BUILD)/$(DIR)/$(1).elf: $(call objects_of,$(BUILD),$(2)) $(library_files) tools/hot_service.ld
	@echo "  LD   $$@"
	$$(Q)$(MUSL_LD) $(SERVICE_LINK) -Wl,-Map=$$(@:.elf=.map) -o $$@ $$(filter %.o,$$^) $(library_group)
$(BUILD)/$(DIR)/$(1).stripped: $(BUILD)/$(DIR)/$(1).elf
	$$(Q)strip -s -R .comment -o $$@ $$<
endef

define kind_service
$(call compile,$(BUILD),$(MUSL_CC),$(SERVICE_FLAGS) -I$(DIR),service,$(FILES))
$(call service_program,$(NAME),$(FILES))
ALL_PROGRAMS += $(BUILD)/$(DIR)/$(NAME).stripped
SERVICES += $(NAME)=$(BUILD)/$(DIR)/$(NAME).stripped
SERVICE_FILES += $(wildcard $(DIR)/*.service)
$(call short_names,$(NAME),$(BUILD)/$(DIR)/$(NAME).stripped)
endef

# A test service is started by a test, from a file that the test adds to the guest.
define kind_svctest
$(call compile,$(BUILD),$(MUSL_CC),$(SERVICE_FLAGS) -I$(DIR),service,$(FILES))
$(foreach n,$(NAMES),
$(call service_program,$(n),$(if $(NAME),$(FILES),$(DIR)/$(n).c)))
TEST_PROGRAMS += $(NAMES:%=$(BUILD)/$(DIR)/%.stripped)
SERVICE_TESTS += $(foreach n,$(NAMES),$(DIR)/$(n))
$(call short_names,$(NAME),$(NAMES:%=$(BUILD)/$(DIR)/%.stripped))
endef

# $(call linux_program,OUTPUT,LINKER,OBJECTS)
define linux_program
$(1): $(3)
	@mkdir -p $$(@D)
	@echo "  LD   $(1)"
	$$(Q)$(2) $(LINUX_LINK) -o $$@ $$(filter %.o,$$^)
endef

define kind_user
$(call compile,$(BUILD),$(MUSL_CC),$(USER_FLAGS) -I$(DIR),user,$(FILES))
$(foreach n,$(NAMES),
$(call linux_program,$(BUILD)/$(DIR)/$(n),$(MUSL_LD),$(call objects_of,$(BUILD),$(if $(NAME),$(FILES),$(DIR)/$(n).c)))
USER_PROGRAMS += $(or $(DEST),/bin)/$(n)=$(BUILD)/$(DIR)/$(n))
ALL_PROGRAMS += $(NAMES:%=$(BUILD)/$(DIR)/%)
$(call short_names,$(NAME),$(NAMES:%=$(BUILD)/$(DIR)/%))
endef

define kind_bench
$(call compile,$(BUILD),$(MUSL_LD),$(USER_FLAGS),user,$(FILES))
$(foreach n,$(NAMES),
$(call linux_program,$(BUILD)/$(DIR)/$(n),$(MUSL_LD),$(call objects_of,$(BUILD),$(if $(NAME),$(FILES),$(DIR)/$(n).c)))
BENCH_PROGRAMS += $(BUILD)/$(DIR)/$(n))
$(call short_names,$(NAME),$(NAMES:%=$(BUILD)/$(DIR)/%))
endef

# Tests stand for programs of others, so gcc compiles them whatever CC is.
# Two programs per test: $(BUILD)/guesttest/musl/NAME and $(BUILD)/guesttest/glibc/NAME.
define kind_guesttest
$(call compile,$(BUILD)/guesttest/obj-musl,$(MUSL_LD),$(GUESTTEST_FLAGS) -I$(DIR),guesttest,$(FILES))
$(call compile,$(BUILD)/guesttest/obj-glibc,gcc,$(GUESTTEST_FLAGS) -I$(DIR),guesttest,$(FILES))
$(foreach n,$(NAMES),
$(call linux_program,$(BUILD)/guesttest/musl/$(n),$(MUSL_LD),$(call objects_of,$(BUILD)/guesttest/obj-musl,$(if $(NAME),$(FILES),$(DIR)/$(n).c)))
$(call linux_program,$(BUILD)/guesttest/glibc/$(n),gcc,$(call objects_of,$(BUILD)/guesttest/obj-glibc,$(if $(NAME),$(FILES),$(DIR)/$(n).c)))
TEST_PROGRAMS += $(BUILD)/guesttest/musl/$(n) $(BUILD)/guesttest/glibc/$(n)
GUESTTESTS += $(n)=$(DIR)/$(if $(NAME),$(notdir $(firstword $(FILES))),$(n).c))
$(call short_names,$(NAME),$(foreach n,$(NAMES),$(BUILD)/guesttest/musl/$(n) $(BUILD)/guesttest/glibc/$(n)))
endef

# Each test_*.c is a program; the other sources (the module under test) are linked into every one of them.
define kind_unit
$(call compile,$(BUILD)/unit/obj/$(DIR),$(CC),$(UNIT_FLAGS) -I$(DIR) -I$(call relative,$(DIR)/..),unit,$(FILES))
$(foreach n,$(NAMES),
$(BUILD)/unit/$(DIR)/$(n): $(call objects_of,$(BUILD)/unit/obj/$(DIR),$(if $(NAME),$(FILES),$(DIR)/$(n).c $(foreach f,$(FILES),$(if $(filter test_%,$(notdir $(f))),,$(f)))))
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	$$(Q)$(CC) -fsanitize=address$(comma)undefined -o $$@ $$(filter %.o,$$^) -pthread
TEST_PROGRAMS += $(BUILD)/unit/$(DIR)/$(n)
UNIT_TESTS += $(DIR)/$(n))
$(call short_names,$(NAME),$(NAMES:%=$(BUILD)/unit/$(DIR)/%))
endef

# ---- reading the build.mk files -------------------------------------------------------------------------------------

default_sources = $(if $(filter kernel,$(KIND)),$(filter-out $(if $(KTEST),,kernel/test/%),$(call recursive,$(DIR))),\
	$(wildcard $(DIR)/*.c $(DIR)/*.S))
program_names = $(or $(NAME),$(if $(filter unit,$(KIND)),\
	$(basename $(notdir $(foreach f,$(FILES),$(if $(filter test_%,$(notdir $(f))),$(f))))),\
	$(basename $(notdir $(filter %.c,$(FILES))))))

define read_component
NAME :=
KIND :=
SRCS :=
LIBS :=
CFLAGS_EXTRA :=
DEST :=
DIR := $(patsubst %/,%,$(dir $(1)))
include $(1)
endef

define add_component
$(eval $(call read_component,$(1)))
$(eval FILES := $(if $(SRCS),$(foreach s,$(SRCS),$(call relative,$(DIR)/$(s))),$(default_sources)))
$(eval FILES := $(sort $(FILES)))
$(eval NAMES := $(strip $(program_names)))
$(if $(filter kernel lib service user bench unit guesttest svctest,$(KIND)),,$(error $(1): unknown KIND '$(KIND)'))
$(if $(FILES),$(eval $(call kind_$(KIND))),$(warning $(1): no sources, left out))
endef
$(foreach f,$(BUILD_FILES),$(eval $(call add_component,$(f))))

# ---- boot archive --------------------------------------------------------------------------------------------------

SERVICE_PROGRAMS := $(foreach s,$(SERVICES),$(lastword $(subst =, ,$(s))))
USER_FILES := $(foreach s,$(USER_PROGRAMS),$(lastword $(subst =, ,$(s))))
ARCHIVE_INPUTS := $(SERVICES:%=--service %) $(SERVICE_FILES:%=--manifest %) $(USER_PROGRAMS:%=--program %)
ROOTFS_SOURCES := $(shell find images -type f)
$(eval $(call stamp,archive,$(ARCHIVE_INPUTS)))

$(ARCHIVE): $(SERVICE_PROGRAMS) $(USER_FILES) $(SERVICE_FILES) $(ROOTFS_SOURCES) tools/mkarchive $(BUILD)/flags/archive
	@mkdir -p $(@D)
	@echo "  CPIO $@"
	$(Q)tools/mkarchive --output $@ --boot-list images/boot.list --rootfs images/rootfs.list $(ARCHIVE_INPUTS)

# The same root file system for Linux, which the benchmark and the tests of tools/guest itself boot.
$(BUILD)/linux/root.cpio: $(USER_FILES) $(ROOTFS_SOURCES) tools/mkarchive $(BUILD)/flags/archive
	@mkdir -p $(@D)
	$(Q)tools/mkarchive --linux --output $@ --rootfs images/rootfs.list $(USER_PROGRAMS:%=--program %)

$(BUILD)/linux/vmlinuz: third_party/linux-cloud/fetch
	@echo "  FETCH $@"
	$(Q)third_party/linux-cloud/fetch $(BUILD)/linux

# What the test runner wants to know.
$(BUILD)/tests.list: $(BUILD)/flags/tests
	$(Q)cp $< $@
$(eval $(call stamp,tests,$(UNIT_TESTS:%=unit %) $(GUESTTESTS:%=guest %) $(SERVICE_TESTS:%=service %)))
TEST_PROGRAMS += $(BUILD)/tests.list

-include $(OBJECTS:.o=.d)
