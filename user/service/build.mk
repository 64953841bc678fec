# SPDX-License-Identifier: BSD-2-Clause
NAME := service
KIND := user
DEST := /sbin
CFLAGS_EXTRA := -I$(BUILD)/user/service
CONF_GRAMMAR := $(BUILD)/user/service/conf_grammar.tab.c
$(BUILD)/user/service/conf_generated.o: $(CONF_GRAMMAR)
$(CONF_GRAMMAR): $(DIR)/conf_grammar.y $(DIR)/conf_words.l
	@mkdir -p $(@D)
	$(Q)bison -o $@ --defines=$(@:.c=.h) $(word 1,$^) && flex -o $(@D)/conf_words.lex.c $(word 2,$^)
