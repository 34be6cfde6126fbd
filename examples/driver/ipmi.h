/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's end of three IPMI system interfaces: KCS, BT and SMIC.
 *
 * Freestanding: no library, no clock, no memory but what it is given. Each interface is a function that takes
 * one step of the specification's flow chart, if the BMC is ready for it. A loop may call it (polling), or an
 * interrupt handler. A message is network function and LUN, command, data, as the specification writes it.
 */
#ifndef IPMI_H
#define IPMI_H

#include <stdint.h>

enum {
	IPMI_TIMEOUT = -1,	/* the BMC did not become ready */
	IPMI_TOO_LONG = -2,	/* the message does not fit */
	IPMI_REFUSED = -256,	/* and below: minus 256 minus the interface's own error code */
};

/* One request and its answer. */
struct transfer {
	uint16_t base;			/* the first I/O port */
	int phase;			/* of the interface's flow chart; 0: idle */
	const uint8_t *request;
	unsigned length, sent;
	uint8_t *response;
	unsigned size, received;
	int result;			/* when idle: bytes of the answer, or one of the above */
};

typedef int step_function(struct transfer *t);

/* Each takes a step and says whether there was one to take. */
step_function kcs_step, bt_step, smic_step;

/* Begin a transfer. Answers are taken up to `size` bytes. */
void kcs_begin(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size);
void bt_begin(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size);
void smic_begin(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size);

/* A whole transfer: bytes of the answer, or what has gone wrong. */
int kcs_transact(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size);
int bt_transact(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size);
int smic_transact(uint16_t base, const uint8_t *request, unsigned length, uint8_t *response, unsigned size);

/* Give a transfer up, and leave the interface ready for another; what the interface says of it. */
int kcs_abort(void);
int bt_abort(void);
int smic_abort(void);

/* Interrupt-driven (KCS, BT): for the vectors of the interfaces' interrupts. SMIC has none for transfers. */
void use_interrupts(int on);
void bt_enable_interrupt(uint16_t base, int on);
void bt_acknowledge_interrupt(void);
extern volatile unsigned interrupts_taken;

/* What the three share. */
extern struct transfer kcs, bt, smic;
void begin(struct transfer *t, int phase, uint16_t base, const uint8_t *request, unsigned length,
	   uint8_t *response, unsigned size);
int finish(struct transfer *t, step_function *step);
int done(struct transfer *t, int result);
void take(struct transfer *t, uint8_t byte);

#endif
