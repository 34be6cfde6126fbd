/* SPDX-License-Identifier: Apache-2.0 */
/* BT, the host's end.  [IPMI 11.6, 11.7] */
#include "ipmi.h"
#include "ports.h"

enum { CONTROL, BUFFER, MASK };
enum { CLR_WR_PTR = 0x01, CLR_RD_PTR = 0x02, H2B_ATN = 0x04, B2H_ATN = 0x08, H_BUSY = 0x40, B_BUSY = 0x80 };
enum { IRQ_ENABLE = 0x01, IRQ = 0x02, BMC_HWRST = 0x80 };
enum { LONGEST = 254 };	/* the length byte counts the sequence number too */
enum phase { IDLE, WRITING, READING };

struct transfer bt;
static uint8_t sequence;

static void set_busy(struct transfer *t, int busy)
{
	int is_busy = (in(t->base + CONTROL) & H_BUSY) != 0;

	if (is_busy != busy)
		out(t->base + CONTROL, H_BUSY);		/* toggles */
}

static int write_request(struct transfer *t)
{
	out(t->base + CONTROL, CLR_WR_PTR);
	out(t->base + BUFFER, t->length + 1);
	out(t->base + BUFFER, t->request[0]);
	out(t->base + BUFFER, ++sequence);
	out_string(t->base + BUFFER, t->request + 1, t->length - 1);
	t->phase = READING;
	out(t->base + CONTROL, H2B_ATN);
	return 1;
}

static int read_answer(struct transfer *t)
{
	unsigned length, place;
	uint8_t head[3] = { 0, 0, 0 };	/* network function, sequence number, command */

	set_busy(t, 1);
	out(t->base + CONTROL, B2H_ATN);
	out(t->base + CONTROL, CLR_RD_PTR);
	length = in(t->base + BUFFER);
	t->received = 0;
	for (place = 0; place < length; place++) {
		uint8_t byte = in(t->base + BUFFER);

		if (place < 3)
			head[place] = byte;
		if (place != 1)
			take(t, byte);
	}
	set_busy(t, 0);
	/* An answer to somebody else, or to an earlier request, is dropped. */
	if (length < 4 || head[0] != (t->request[0] | 4) || head[1] != sequence || head[2] != t->request[1])
		return 1;
	return done(t, t->received > t->size ? IPMI_TOO_LONG : (int)t->received);
}

int bt_step(struct transfer *t)
{
	uint8_t control = in(t->base + CONTROL);

	switch ((enum phase)t->phase) {
	case IDLE:
		return 0;
	case WRITING:
		return control & (B_BUSY | H2B_ATN) ? 0 : write_request(t);
	case READING:
		return control & B2H_ATN ? read_answer(t) : 0;
	}
	return 0;
}

void bt_begin(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size)
{
	begin(&bt, WRITING, base, request, length, response, size);
	if (length > LONGEST)
		done(&bt, IPMI_TOO_LONG);
}

int bt_transact(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size)
{
	bt_begin(base, request, length, response, size);
	return finish(&bt, bt_step);
}

/* BT has no abort: its end of the interface is reset. */
int bt_abort(void)
{
	uint8_t enable = in(bt.base + MASK) & IRQ_ENABLE;

	done(&bt, IPMI_REFUSED);
	out(bt.base + MASK, BMC_HWRST);
	out(bt.base + MASK, enable);
	return bt.result;
}

void bt_enable_interrupt(uint16_t base, int on)
{
	out(base + MASK, IRQ | (on ? IRQ_ENABLE : 0));
}

void bt_acknowledge_interrupt(void)
{
	out(bt.base + MASK, IRQ | IRQ_ENABLE);
}
