# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_conf.c ../conf.c ../conf_option.c ../conf_generated.c
CFLAGS_EXTRA := -I$(BUILD)/user/service
$(BUILD)/unit/obj/user/service/test/user/service/conf_generated.o: $(BUILD)/user/service/conf_grammar.tab.c
