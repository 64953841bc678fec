/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550 serial lines (National Semiconductor PC16550D data sheet). Output is pushed in FIFO-sized strings while the transmitter is
 * empty, so
 * that no interrupt is needed as long as the other side keeps up; otherwise the transmitter-empty interrupt goes on. Input comes
 * by interrupt. ISA interrupts are edges: the handler goes on until the chip has nothing more to say.
 */
#include "tty.h"

enum { UART_DATA = 0, UART_IER = 1, UART_IIR = 2, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5, UART_MSR = 6, UART_SCRATCH = 7 };
enum { IER_RX = 1, IER_TX_EMPTY = 2, IER_LINE = 4 };
enum { LSR_DATA_READY = 1, LSR_BREAK = 0x10, LSR_TX_EMPTY = 0x20 };
enum { LCR_8N1 = 3, LCR_DLAB = 0x80, FCR_ENABLE_CLEAR = 0x07, MCR_DTR_RTS_OUT2 = 0x0b, IIR_NONE = 1 };
enum { FIFO_BYTES = 16, ROUNDS_MAX = 64, RX_MAX = 256, IRQ_ROUNDS_MAX = 32 };

static uint8_t reg_read(const struct tty *t, uint16_t reg)
{
	uint32_t value = 0;
	sys_devio(t->port + reg, 1, 0, 0, &value);
	return (uint8_t)value;
}

static void reg_write(const struct tty *t, uint16_t reg, uint8_t value)
{
	sys_devio(t->port + reg, 1, 1, value, NULL);
}

static void uart_start(struct tty *t)
{
	uint8_t fifo[FIFO_BYTES];
	for (int round = 0; round < ROUNDS_MAX && line_output_pending(&t->line) && !t->line.stopped; round++) {
		if (!(reg_read(t, UART_LSR) & LSR_TX_EMPTY))
			break;
		size_t n = line_output_take(&t->line, fifo, sizeof fifo);
		sys_sdevio(t->port + UART_DATA, 1, 1, fifo, n);
	}
	bool more = line_output_pending(&t->line) && !t->line.stopped;
	if (more != t->transmitting) {
		t->transmitting = more;
		reg_write(t, UART_IER, IER_RX | (more ? IER_TX_EMPTY : 0));
	}
}

static void uart_receive(struct tty *t)
{
	for (int i = 0; i < RX_MAX && (reg_read(t, UART_LSR) & LSR_DATA_READY); i++) {
		uint8_t c = reg_read(t, UART_DATA);
		tty_input(t, &c, 1);
	}
}

void uart_irq(struct tty *t)
{
	for (int round = 0; round < IRQ_ROUNDS_MAX; round++) {
		uint8_t cause = reg_read(t, UART_IIR);
		if (cause & IIR_NONE)
			break;
		uart_receive(t);
		if (t->transmitting)
			uart_start(t);
	}
}

static void uart_set_up(const struct tty *t)
{
	reg_write(t, UART_LCR, LCR_DLAB | LCR_8N1);
	reg_write(t, UART_DATA, 1);		/* divisor 1: 115,200 baud */
	reg_write(t, UART_IER, 0);
	reg_write(t, UART_LCR, LCR_8N1);
	reg_write(t, UART_FCR, FCR_ENABLE_CLEAR);
}

/* A chip is there if its scratch register keeps what is written. */
bool uart_init(struct tty *t, uint16_t port, bool restart)
{
	t->port = port;
	reg_write(t, UART_SCRATCH, 0x5a);
	if (reg_read(t, UART_SCRATCH) != 0x5a)
		return false;
	line_init(&t->line);
	t->winsize = (struct winsize_bytes){ .row = 0, .col = 0 };
	t->start = uart_start;
	t->present = true;
	reg_write(t, UART_IER, 0);
	if (!restart)
		uart_set_up(t);
	reg_write(t, UART_MCR, MCR_DTR_RTS_OUT2);
	reg_write(t, UART_IER, IER_RX);
	return true;
}
