/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked lists with a sentinel head. A node that is in no list has next == 0. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list_node { struct list_node *next, *prev; };

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define list_entry(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))

static inline void list_init(struct list_node *head) { head->next = head->prev = head; }
static inline bool list_empty(const struct list_node *head) { return head->next == head; }
static inline bool list_linked(const struct list_node *n) { return n->next != 0; }

static inline void list_insert_before(struct list_node *at, struct list_node *n)
{
	n->prev = at->prev;
	n->next = at;
	at->prev->next = n;
	at->prev = n;
}

static inline void list_add_tail(struct list_node *head, struct list_node *n) { list_insert_before(head, n); }

static inline void list_remove(struct list_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = n->prev = 0;
}

/* Remove if linked. */
static inline void list_unlink(struct list_node *n)
{
	if (list_linked(n))
		list_remove(n);
}
