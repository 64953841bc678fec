/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_UNIX sockets: state and bytes (sock.c), addresses (sockaddr.c), sending and receiving (sockio.c), the calls (sockcalls.c,
 * sockopt.c).
 *
 *   NEW --listen--> LISTENING          pairs of stream sockets point at each other (peer, without reference; cut when one closes)
 *   NEW --connect, accept, socketpair--> CONNECTED --peer closes--> CLOSED      datagram sockets keep a reference of their peer
 */
#pragma once
#include "client.h"
#include "file.h"
#include <sys/socket.h>
#include <sys/un.h>

enum sock_state { SOCK_NEW, SOCK_LISTENING, SOCK_CONNECTED, SOCK_CLOSED };
enum { SOCK_BUFFER = 212992, SOCK_FDS_MAX = 253, SOCK_DGRAM_QUEUE = 11 };

struct sock_ucred { int32_t pid; uint32_t uid, gid; };

/* Bytes under way, with what came along. */
struct packet {
	struct list link;
	size_t len, used;		/* bytes; already read */
	struct sock_ucred cred;
	bool has_cred;
	unsigned nfiles;
	struct file **files;		/* references; data and files lie behind the structure */
	socklen_t from_len;
	struct sockaddr_un from;
	uint8_t *data;
};

struct usock {
	unsigned refs;
	int type;
	enum sock_state state;
	struct usock *peer;
	struct list rx;			/* struct packet */
	size_t rx_bytes;
	unsigned rx_packets;
	struct list backlog, backlog_link;	/* connections not yet accepted */
	unsigned backlog_used, backlog_max;
	bool shut_rd, shut_wr, passcred, orphan;	/* orphan: no file stands for it yet */
	int error;			/* SO_ERROR */
	size_t sndbuf, rcvbuf;
	nstime_t rcv_timeout, snd_timeout;
	struct sock_ucred cred, peer_cred;
	socklen_t addr_len;		/* 0: no name */
	struct sockaddr_un addr;
	struct vnode *vnode;		/* bound to this name in a file system */
	struct list abstract_link;
	struct list all_link, mark_link;	/* every socket, for sock_gc; to be looked at by it */
	struct file *file;		/* that stands for it: no reference; NULL: none yet or closed */
	bool reached;			/* mark of sock_gc */
	struct waitq q;
	struct fiber_lock rx_lock;	/* held while a stream is copied out, which may wait for memory */
};

unsigned sockets_count(void);

/* ---- sock.c ---- */
struct usock *usock_new(int type);
void usock_put(struct usock *s);
static inline struct usock *usock_get(struct usock *s) { s->refs++; return s; }
struct usock *file_usock(const struct file *f);		/* NULL: no socket */
struct file *usock_file(struct usock *s, unsigned flags);	/* takes the reference over */
void usock_pair(struct usock *a, struct usock *b);
void usock_wake(struct usock *s, unsigned events);
void usock_set_cred(struct usock *s, const struct client *cl);
struct packet *packet_new(size_t len, unsigned nfiles);
void packet_free(struct packet *p);
void usock_enqueue(struct usock *to, struct packet *p);
void usock_dequeue(struct usock *s, struct packet *p);

/* ---- sockgc.c ---- */
void sock_gc_add(struct usock *s);
void sock_gc_remove(struct usock *s);
void sock_gc_start(void);	/* look soon for sockets that only unread messages refer to */
void packet_hold_files(struct packet *p);	/* its files count as under way */
void packet_release_files(struct packet *p);	/* no longer; the references pass to the caller */
/* Put its files and free it, soon: sockets in messages of sockets in messages would otherwise close each other ever deeper. */
void packet_bury(struct packet *p);

/* ---- sockaddr.c ---- */
int sockaddr_read(struct call *c, vaddr_t from, socklen_t len, struct sockaddr_un *a);	/* checks; returns length or an error */
int sockaddr_write(struct call *c, vaddr_t to, vaddr_t lenp, const struct sockaddr_un *a, socklen_t len);
int sockaddr_bind(struct call *c, struct usock *s, const struct sockaddr_un *a, socklen_t len);
int sockaddr_find(struct call *c, const struct sockaddr_un *a, socklen_t len, int type, struct usock **out);	/* a reference */
void sockaddr_unbind(struct usock *s);

/* ---- sockio.c ---- */
struct sock_msg {
	struct uio u;
	struct sockaddr_un addr;	/* send: destination; receive: source */
	socklen_t addr_len;
	struct file *files[SOCK_FDS_MAX];	/* references */
	unsigned nfiles;
	struct sock_ucred cred;
	bool has_cred;
	unsigned out_flags;		/* receive: MSG_TRUNC */
};
int64_t usock_send(struct call *c, struct file *f, struct sock_msg *m, unsigned flags);
int64_t usock_recv(struct call *c, struct file *f, struct sock_msg *m, unsigned flags);
void sock_msg_drop_files(struct sock_msg *m);
