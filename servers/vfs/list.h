/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked circular lists with the links inside the elements. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list { struct list *next, *prev; };

#define list_entry(link_, type_, member_) ((type_ *)(void *)((char *)(link_) - offsetof(type_, member_)))

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }
static inline void list_insert_before(struct list *where, struct list *e)
{
	e->prev = where->prev;
	e->next = where;
	where->prev->next = e;
	where->prev = e;
}
static inline void list_append(struct list *head, struct list *e) { list_insert_before(head, e); }
static inline void list_prepend(struct list *head, struct list *e) { list_insert_before(head->next, e); }
/* Removing twice is harmless: a removed element is a list of its own. */
static inline void list_remove(struct list *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}
