/* SPDX-License-Identifier: Apache-2.0 */
/* What the interfaces share: how a transfer begins, is waited for and ends. */
#include "ipmi.h"
#include "ports.h"

/* How often a BMC is looked at, or waited for, between two steps. A driver with a clock has 5 s here. */
#define PATIENCE 10000

static int interrupts;
volatile unsigned interrupts_taken;

/* The handlers: one step each. The line falls when the step has taken what it was up for. */
struct frame;

__attribute__((interrupt)) void kcs_interrupt(struct frame *frame)
{
	(void)frame;
	interrupts_taken++;
	kcs_step(&kcs);
}

__attribute__((interrupt)) void bt_interrupt(struct frame *frame)
{
	(void)frame;
	interrupts_taken++;
	bt_acknowledge_interrupt();
	bt_step(&bt);
}

void use_interrupts(int on)
{
	interrupts = on;
}

void begin(struct transfer *t, int phase, uint16_t base, const uint8_t *request, unsigned length,
	   uint8_t *response, unsigned size)
{
	*t = (struct transfer){ base, phase, request, length, 0, response, size, 0, 0 };
	if (length < 2)
		done(t, IPMI_TOO_LONG);
}

/*
 * The first step is taken here, the others here or in the interrupt handler: interrupts are on only while
 * they are waited for.
 */
int finish(struct transfer *t, step_function *step)
{
	volatile int *phase = &t->phase;
	unsigned waits = 0;
	int begun = 0;

	while (*phase != 0) {
		if (interrupts && begun)
			wait_for_interrupt();
		else if (step(t))
			waits = 0, begun = 1;
		if (++waits > PATIENCE)
			done(t, IPMI_TIMEOUT);
	}
	return t->result;
}

/* Always 1: the last step was taken. */
int done(struct transfer *t, int result)
{
	t->result = result;
	t->phase = 0;
	return 1;
}

/* A byte of the answer; what does not fit is counted, and makes the transfer IPMI_TOO_LONG. */
void take(struct transfer *t, uint8_t byte)
{
	if (t->received < t->size)
		t->response[t->received] = byte;
	t->received++;
}
