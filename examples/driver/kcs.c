/* SPDX-License-Identifier: Apache-2.0 */
/* KCS, the host's end.  [IPMI 9.15, Figures 9-8 and 9-9] */
#include "ipmi.h"
#include "ports.h"

enum { DATA, STATUS, COMMAND = STATUS };
enum { OBF = 0x01, IBF = 0x02, STATE = 0xc0 };
enum { IDLE_STATE = 0x00, READ_STATE = 0x40, WRITE_STATE = 0x80 };
enum { GET_STATUS_ABORT = 0x60, WRITE_START = 0x61, WRITE_END = 0x62, READ = 0x68 };
enum phase { IDLE, STARTING, WRITING, ENDING, READING, ABORTING, ASKING, TOLD, LEAVING };

struct transfer kcs;

static int next(struct transfer *t, enum phase phase, unsigned reg, uint8_t byte)
{
	t->phase = phase;	/* before the write: the answer to it may be an interrupt */
	out(t->base + reg, byte);
	return 1;
}

int kcs_step(struct transfer *t)
{
	uint8_t status = in(t->base + STATUS);
	uint8_t state = status & STATE;
	int full = status & OBF;
	uint8_t byte = 0;

	if (status & IBF)
		return 0;
	/* Only in these phases the flow charts wait for OBF; elsewhere what is there is a dummy, read away. */
	if (t->phase == READING || t->phase == TOLD || t->phase == LEAVING) {
		if (!full && (state == READ_STATE || state == IDLE_STATE))
			return 0;
	}
	if (full)
		byte = in(t->base + DATA);

	switch ((enum phase)t->phase) {
	case IDLE:
		return 0;
	case STARTING:
		return next(t, WRITING, COMMAND, WRITE_START);
	case WRITING:
		if (state != WRITE_STATE)
			break;
		if (t->sent == t->length - 1)
			return next(t, ENDING, COMMAND, WRITE_END);
		return next(t, WRITING, DATA, t->request[t->sent++]);
	case ENDING:
		if (state != WRITE_STATE)
			break;
		return next(t, READING, DATA, t->request[t->sent++]);
	case READING:
		if (state == READ_STATE) {
			take(t, byte);
			return next(t, READING, DATA, READ);
		}
		if (state != IDLE_STATE)
			break;
		return done(t, t->received > t->size ? IPMI_TOO_LONG : (int)t->received);

	/* The error exit. */
	case ABORTING:
		return next(t, ASKING, COMMAND, GET_STATUS_ABORT);
	case ASKING:
		return next(t, TOLD, DATA, 0x00);
	case TOLD:
		if (state != READ_STATE)
			break;
		t->result = IPMI_REFUSED - byte;
		return next(t, LEAVING, DATA, READ);
	case LEAVING:
		if (state != IDLE_STATE)
			break;
		return done(t, t->result);
	}
	if (t->phase >= ABORTING)
		return done(t, IPMI_TIMEOUT);	/* the exit has failed, too */
	t->phase = ABORTING;
	return 1;
}

void kcs_begin(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size)
{
	begin(&kcs, STARTING, base, request, length, response, size);
}

int kcs_transact(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size)
{
	kcs_begin(base, request, length, response, size);
	return finish(&kcs, kcs_step);
}

int kcs_abort(void)
{
	kcs.phase = ABORTING;
	return finish(&kcs, kcs_step);
}
