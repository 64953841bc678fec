/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of system.conf: entries of options of values. bison. After a mistake reading goes on behind the option or the entry, so that
 * all mistakes of a file are told at once and the other entries are good. */
%define api.pure full
%define api.prefix {conf_}
%define parse.error custom
%define api.value.type {struct conf_value}
%param {struct conf *conf}
%param {void *scanner}
%code requires { #include "conf.h" }
%code {
#include <string.h>
int conf_lex(CONF_STYPE *value, struct conf *conf, void *scanner);
static void conf_error(struct conf *conf, void *scanner, const char *text);
}

%token SERVICE "'service'"
%token WORD "a word"
%token OPEN "'{'"
%token CLOSE "'}'"
%token END "';'"
%token BAD "an unexpected character"

/* A word belongs to the entry as soon as it was handed over; what is dropped after a mistake is freed. */
%destructor { free($$.text); } WORD

%%

file: %empty | file service { conf_entry_end(conf); } | file error END { conf_entry_end(conf); } ;
service: SERVICE WORD { conf_entry_begin(conf, $2); $2.text = 0; } OPEN options end END ;
end: CLOSE | error CLOSE ;
options: %empty | options option ;
option: WORD { conf_option_begin(conf, $1); $1.text = 0; } values END | error END ;
values: %empty | values WORD { conf_option_value(conf, $2); } ;

%%

static void conf_error(struct conf *conf, void *scanner, const char *text)
{
	(void)scanner;
	conf_mistake(conf, conf->file, conf->line, "%s", text);
}

static const char *conf_symbol_text(yysymbol_kind_t kind)
{
	return kind == YYSYMBOL_YYEOF ? "the end of the file" : yysymbol_name(kind);
}

/* "unexpected X, expected Y or Z" */
static int yyreport_syntax_error(const yypcontext_t *context, struct conf *conf, void *scanner)
{
	enum { EXPECTED_MAX = 4 };
	yysymbol_kind_t expected[EXPECTED_MAX];
	int n = yypcontext_expected_tokens(context, expected, EXPECTED_MAX);
	char list[200] = "";

	(void)scanner;
	for (int i = 0; i < n; i++) {
		strncat(list, i ? " or " : "", sizeof(list) - strlen(list) - 1);
		strncat(list, conf_symbol_text(expected[i]), sizeof(list) - strlen(list) - 1);
	}
	conf_mistake(conf, conf->file, conf->line, "unexpected %s, expected %s", conf_symbol_text(yypcontext_token(context)),
		*list ? list : "something else");
	return 0;
}
