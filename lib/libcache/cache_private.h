/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of libcache share. */
#pragma once
#include <libcache/cache.h>

enum {
	PAGE_MAPPING = 1,	/* its positions are being asked for: contents and pos mean nothing yet */
	PAGE_DROPPED = 2,	/* not in the table any more; freed with its last pin */
	PAGE_MAPPED_READ = 4, PAGE_MAPPED_WRITE = 8,	/* VM has it */
	PAGE_USED_AGAIN = 16,	/* more than once since it was last considered for eviction */
	PAGE_COUNTED = 32,	/* in the number of dirty pages */
	PAGE_OVERWRITTEN = 64,	/* somebody who holds it fills blocks that are not valid: they must not be read */
};
enum { PAGE_MAPPED = PAGE_MAPPED_READ | PAGE_MAPPED_WRITE };

/* Dirty pages on their way to the device, see cache_sweep.c. */
enum { SWEEP_SMALL = 32 };
struct sweep_entry { uint64_t pos; struct cache_page *page; };
struct sweep {
	struct sweep_entry *entry;	/* `small`, or memory for two times `room` */
	size_t n, at, room;
	uint64_t mark;			/* only what became dirty up to this generation */
	bool meta;			/* pages of metadata, or of data: never both, for the sake of order */
	struct sweep_entry small[SWEEP_SMALL];
};

struct cache_dev {
	struct cache_list link;
	const struct cache_backend *backend;
	void *ctx;
	uint64_t bytes;
	uint32_t block, blocks_per_page;
	uint8_t all;			/* a bit for each block of a page */
	bool ticking;
	int error;			/* of writing, not yet reported */
	struct cache_file meta;
	struct cache_list files;	/* all on it, `meta` too */
	int64_t mapped_since;		/* a program may write pages of it since then; 0: none */
	struct cache_list dirty_data, dirty_meta;	/* pages, oldest first */
	struct cache_list running, queued;		/* transfers */
	uint32_t nr_io, nr_writes;			/* of both lists; those of them that write */
	struct sweep background;			/* what is written without being asked for */
	bool sweeping;			/* transfers of a sweep are being started: one that ends at once must not start others */
};

struct cache {
	uint8_t *arena;
	uint64_t arena_bytes;
	struct cache_page *pages;	/* one for each page of the arena */
	uint64_t nr_pages, nr_touched, nr_free, nr_dirty, nr_writing, nr_io;	/* nr_writing: of the dirty ones, those in transfers */
	struct cache_page *free;	/* by `chain` */
	struct cache_page **table;
	uint64_t table_mask;
	struct cache_list evictable, devs, waiters, free_io;
	uint64_t gen;
	int64_t (*clock)(void);
	struct cache_stats stats;
};
extern struct cache cache;

static inline void clist_init(struct cache_list *l) { l->next = l->prev = l; }
static inline bool clist_empty(const struct cache_list *l) { return l->next == l; }
static inline void clist_append(struct cache_list *head, struct cache_list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}
static inline void clist_remove(struct cache_list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	clist_init(l);
}
#define clist_entry(l, type, member) ((type *)(void *)((uint8_t *)(l) - offsetof(type, member)))

/* Waiting for a change of `what`: a page, a file, a device or the cache. Look again afterwards. */
void cache_wait(const void *what);
void cache_wake(const void *what);

/* cache.c */
struct cache_page *page_find(const struct cache_file *f, uint64_t index);
/* A page in the table, one pin, PAGE_MAPPING. NULL: none can be had now (wait: none at all). It may be another's by now: look again. */
struct cache_page *page_new(struct cache_file *f, uint64_t index);
int page_map(struct cache_page *p);	/* ask for the positions; on failure the page is dropped but for the pin. Waits */
void page_unpin(struct cache_page *p);
void page_settle(struct cache_page *p);	/* after a change of its state: into the list where it belongs, or free */
struct cache_page *page_take_spare(void);	/* a bare page for a copy; NULL */
void page_give_spare(struct cache_page *p);
static inline bool page_is_meta(const struct cache_page *p) { return p->file == &p->file->dev->meta; }

/* cache_io.c */
int cache_io_init(void);
struct cache_io *io_new(struct cache_dev *dev, enum cache_op op);	/* NULL: all are in use */
/* Transfers for pages: what is not valid is read. False: no transfer was free. */
bool pages_read(struct cache_page **pages, unsigned n);
bool page_writable(const struct cache_page *p);	/* has dirty blocks that may be written now */
/* Write the pages of a sweep from where it stands on, until `most` transfers of the device write. */
void sweep_write(struct sweep *s, struct cache_dev *dev, uint32_t most);

/* cache_sweep.c */
void sweep_init(struct sweep *s, uint64_t mark, bool meta);
bool sweep_add(struct sweep *s, struct cache_page *p);	/* a dirty one. False: no room for more */
void sweep_sort(struct sweep *s, const struct cache_dev *dev);
void sweep_fini(struct sweep *s);
static inline bool sweep_is_done(const struct sweep *s) { return s->at == s->n; }

/* cache_write.c */
void write_some(struct cache_dev *dev);	/* go on writing without being asked, or begin with it; does not wait */
void write_more(struct cache_dev *dev);	/* only go on: a transfer has ended */
void write_throttle(struct cache_dev *dev);
uint64_t page_sum(const uint8_t *data);
uint64_t page_mapped_check(struct cache_page *p);	/* dirty, if a program changed it. Returns the sum of what it holds now */
