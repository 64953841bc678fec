/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser that bison and flex make of conf_grammar.y and conf_words.l while the tree is built, as one translation unit. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stdlib.h>
#include "conf_grammar.tab.c"
#include "conf_words.lex.c"
