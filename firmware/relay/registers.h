/* SPDX-License-Identifier: Apache-2.0
 *
 * KCS channel 3 of an Aspeed chip, driven by its registers: for a Linux without the kernel's /dev/ipmi-kcs3.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The channel on, at CA2h with SerIRQ 11. False: errno says why `memory` (/dev/mem) cannot be mapped. */
bool registers_open(const char *memory);

/* The channel off, as when /dev/ipmi-kcs3 is closed; may be called by a signal handler. */
void registers_close(void);

/* What the host has done since, if anything. True: there is a request to read. */
bool registers_turn(void);

/* Nanoseconds until the next turn. */
long registers_pause(void);

/* As read() and write() of /dev/ipmi-kcs3. */
ssize_t registers_read(uint8_t *request, size_t size);
ssize_t registers_write(const uint8_t *response, size_t size);
void registers_set_attention(bool attention);
