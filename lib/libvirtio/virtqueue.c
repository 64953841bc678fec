/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue. Order: an entry is written before the index that shows it, and read after. */
#include <libvirtio/virtqueue.h>
#include <string.h>

void virtqueue_init(struct virtqueue *q, void *memory, uint16_t size)
{
	uint8_t *p = memory;

	memset(q, 0, sizeof(*q));
	memset(p, 0, virtqueue_bytes(size));
	q->size = size;
	q->desc = (struct virtq_desc *)p;
	q->avail = (volatile struct virtq_avail *)(p + virtqueue_avail_offset(size));
	q->used = (volatile struct virtq_used *)(p + virtqueue_used_offset(size));
}

bool virtqueue_submit(struct virtqueue *q, uint16_t head)
{
	q->busy[head] = true;
	q->in_progress++;
	q->avail->ring[q->next_avail++ & (q->size - 1)] = head;
	__atomic_store_n(&q->avail->idx, q->next_avail, __ATOMIC_RELEASE);
	/* The device looks at the index after it has cleared the flag: read the flag only when the index is out. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(q->used->flags & VIRTQ_USED_NO_NOTIFY);
}

int virtqueue_take(struct virtqueue *q, uint16_t *head, uint32_t *len)
{
	uint16_t ready = (uint16_t)(__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) - q->last_used);
	volatile struct virtq_used_elem *e = &q->used->ring[q->last_used & (q->size - 1)];
	uint32_t id;

	if (q->broken || ready > q->in_progress) {
		q->broken = true;
		return -1;
	}
	if (ready == 0)
		return 0;
	id = e->id;	/* once: it may change under us */
	if (id >= q->size || !q->busy[id]) {
		q->broken = true;
		return -1;
	}
	*len = e->len;
	*head = (uint16_t)id;
	q->busy[id] = false;
	q->in_progress--;
	q->last_used++;
	return 1;
}
