/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place where services execute `syscall` for IPC and kernel calls. The message registers are, in message order:
 * rsi = type, then rdx r10 r8 r9 r12 r13 r14 = the seven words. Nothing is kept here, so nothing is lost with the process.
 */
#include <libsys/ipc.h>
#include <libsys/kcall.h>

/*
 * One trap. `in` and `out` may be the same. The second operand and the endpoint come back changed: source and status.
 * Always inlined into one function per primitive, so that the compiler drops the loads and stores that primitive does not need.
 */
static inline __attribute__((always_inline)) err_t ipc_trap(uint64_t primitive, endpoint_t first, uint64_t second,
	const struct message *in, struct message *out, uint32_t *status)
{
	register uint64_t rax __asm__("rax") = primitive;
	register uint64_t rdi __asm__("rdi") = (uint64_t)(int64_t)first;
	register uint64_t rbx __asm__("rbx") = second;
	register uint64_t rsi __asm__("rsi") = in ? in->type : 0;
	register uint64_t rdx __asm__("rdx") = in ? in->w[0] : 0;
	register uint64_t r10 __asm__("r10") = in ? in->w[1] : 0;
	register uint64_t r8 __asm__("r8") = in ? in->w[2] : 0;
	register uint64_t r9 __asm__("r9") = in ? in->w[3] : 0;
	register uint64_t r12 __asm__("r12") = in ? in->w[4] : 0;
	register uint64_t r13 __asm__("r13") = in ? in->w[5] : 0;
	register uint64_t r14 __asm__("r14") = in ? in->w[6] : 0;

	__asm__ volatile("syscall"
		: "+r"(rax), "+r"(rdi), "+r"(rbx), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r12),
		  "+r"(r13), "+r"(r14)
		:
		: "rcx", "r11", "memory", "cc");
	if (out) {
		out->source = (endpoint_t)rdi;
		out->type = (uint32_t)rsi;
		out->w[0] = rdx, out->w[1] = r10, out->w[2] = r8, out->w[3] = r9;
		out->w[4] = r12, out->w[5] = r13, out->w[6] = r14;
	}
	if (status)
		*status = (uint32_t)rbx;
	return (err_t)rax;
}

err_t ipc_send(endpoint_t dst, const struct message *m)
{
	return ipc_trap(IPC_SEND, dst, 0, m, 0, 0);
}

err_t ipc_sendnb(endpoint_t dst, const struct message *m)
{
	return ipc_trap(IPC_SENDNB, dst, 0, m, 0, 0);
}

err_t ipc_senda(endpoint_t dst, const struct message *m, uint32_t flags)
{
	return ipc_trap(IPC_SENDA, dst, (uint64_t)flags << 32, m, 0, 0);
}

err_t ipc_notify(endpoint_t dst)
{
	return ipc_trap(IPC_NOTIFY, dst, 0, 0, 0, 0);
}

err_t ipc_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	return ipc_trap(IPC_RECEIVE, src, 0, 0, m, status);
}

err_t ipc_sendrec(endpoint_t dst, struct message *m)
{
	return ipc_trap(IPC_SENDREC, dst, 0, m, m, 0);
}

err_t ipc_replyrec(endpoint_t dst, const struct message *reply, uint32_t flags, endpoint_t src, struct message *m,
	uint32_t *status)
{
	return ipc_trap(IPC_REPLYREC, dst, (uint64_t)flags << 32 | (uint32_t)src, reply, m, status);
}

/* A kernel call is a trap with a message too, but the words alone matter; the caller's array is w[0..6] in and out. */
err_t kcall(uint32_t number, uint64_t w[MSG_WORDS])
{
	register uint64_t rax __asm__("rax") = IPC_KCALL;
	register uint64_t rdi __asm__("rdi") = (uint64_t)(int64_t)EP_SYSTEM;
	register uint64_t rbx __asm__("rbx") = 0;
	register uint64_t rsi __asm__("rsi") = number;
	register uint64_t rdx __asm__("rdx") = w[0];
	register uint64_t r10 __asm__("r10") = w[1];
	register uint64_t r8 __asm__("r8") = w[2];
	register uint64_t r9 __asm__("r9") = w[3];
	register uint64_t r12 __asm__("r12") = w[4];
	register uint64_t r13 __asm__("r13") = w[5];
	register uint64_t r14 __asm__("r14") = w[6];

	__asm__ volatile("syscall"
		: "+r"(rax), "+r"(rdi), "+r"(rbx), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r12),
		  "+r"(r13), "+r"(r14)
		:
		: "rcx", "r11", "memory", "cc");
	w[0] = rdx, w[1] = r10, w[2] = r8, w[3] = r9, w[4] = r12, w[5] = r13, w[6] = r14;
	return (err_t)rax;
}
