/* SPDX-License-Identifier: Apache-2.0 */
/* SMIC, the host's end.  [IPMI 10.11, Figures 10-5 and 10-6] */
#include "ipmi.h"
#include "ports.h"

enum { DATA, STATUS, CONTROL = STATUS, FLAGS };
enum { BUSY = 0x01, TX_DATA_RDY = 0x40, RX_DATA_RDY = 0x80 };
enum { GET_STATUS = 0x40, WR_START, WR_NEXT, WR_END, RD_START, RD_NEXT, RD_END };
enum { RDY = 0xc0, WR_STARTED, WR_TAKEN, WR_ENDED, RD_FIRST, RD_MORE, RD_LAST };
enum phase { IDLE, STARTING, ASKED, WRITING, ENDED, READING, LEAVING, ABORTING, ABORTED };

struct transfer smic;

/* A transaction: control code and data first, then BUSY. */
static int next(struct transfer *t, enum phase phase, uint8_t control, uint8_t byte)
{
	t->phase = phase;
	out(t->base + CONTROL, control);
	out(t->base + DATA, byte);
	out(t->base + FLAGS, in(t->base + FLAGS) | BUSY);
	return 1;
}

int smic_step(struct transfer *t)
{
	uint8_t flags = in(t->base + FLAGS), status, byte;

	if (flags & BUSY)
		return 0;
	status = in(t->base + STATUS);
	byte = in(t->base + DATA);
	switch ((enum phase)t->phase) {
	case IDLE:
		return 0;
	case STARTING:
		return next(t, ASKED, GET_STATUS, 0);
	case ASKED:
		if (status != RDY)
			break;
		return next(t, WRITING, WR_START, t->request[t->sent++]);
	case WRITING:
		if (status != WR_STARTED && status != WR_TAKEN)
			break;
		if (!(flags & TX_DATA_RDY))
			return 0;
		if (t->sent == t->length - 1)
			return next(t, ENDED, WR_END, t->request[t->sent++]);
		return next(t, WRITING, WR_NEXT, t->request[t->sent++]);
	case ENDED:
		if (status != WR_ENDED || byte != 0)
			break;
		return flags & RX_DATA_RDY ? next(t, READING, RD_START, 0) : 0;
	case READING:
		if (status != RD_FIRST && status != RD_MORE && status != RD_LAST)
			break;
		if (!(flags & RX_DATA_RDY))
			return 0;
		take(t, byte);
		return status == RD_LAST ? next(t, LEAVING, RD_END, 0) : next(t, READING, RD_NEXT, 0);
	case LEAVING:
		if (status != RDY || byte != 0)
			break;
		return done(t, t->received > t->size ? IPMI_TOO_LONG : (int)t->received);
	case ABORTING:
		return next(t, ABORTED, GET_STATUS, 0);
	case ABORTED:
		return done(t, status == RDY ? IPMI_REFUSED - byte : IPMI_TIMEOUT);
	}
	return done(t, IPMI_REFUSED - byte);
}

void smic_begin(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size)
{
	begin(&smic, STARTING, base, request, length, response, size);
}

int smic_transact(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size)
{
	smic_begin(base, request, length, response, size);
	return finish(&smic, smic_step);
}

int smic_abort(void)
{
	smic.phase = ABORTING;
	return finish(&smic, smic_step);
}
