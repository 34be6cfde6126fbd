/* SPDX-License-Identifier: Apache-2.0 */
/* The processor's I/O instructions. */
#ifndef PORTS_H
#define PORTS_H

#include <stdint.h>

static inline uint8_t in(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* `count` bytes to one port. */
static inline void out_string(uint16_t port, const uint8_t *from, unsigned count)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

/* Wait for an interrupt; they are off before and after. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

#endif
