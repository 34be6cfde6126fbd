/* SPDX-License-Identifier: Apache-2.0
 *
 * The state machine is that of the firmware, ../kcs.c; here are the registers under it, and who asks and
 * answers above it. User space gets no interrupt, so the status is looked at: often while bytes come, every
 * four milliseconds otherwise.
 */

#include "registers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../firmware.h"

#define LPC 0x1e789000 /* AST2400, AST2500, AST2600 */

enum { SIZE = 0x1000, CHANNEL = 0, ATTENTION = 0x04, IBF = 0x02, LONGEST_REQUEST = 300 };
enum { /* [Linux, kcs_bmc_aspeed.c] */
    HICR0 = 0x00, HICR4 = 0x10, LADR3H = 0x14, LADR3L = 0x18, IDR3 = 0x2c, ODR3 = 0x38, STR3 = 0x44, HICR5 = 0x80
};
enum { OFTEN_NS = 50000, SELDOM_NS = 4000000, SOON_MS = 20 };

struct counters counters;

static volatile uint32_t *lpc;
static uint8_t request[LONGEST_REQUEST];
static size_t request_size; /* 0: none */
static struct timespec last_byte;

static uint32_t get(unsigned register_) { return lpc[register_ / 4]; }
static void set(unsigned register_, uint32_t value) { lpc[register_ / 4] = value; }

/* Below the state machine. */

uint8_t kcs_read_status(unsigned channel) { (void)channel; return (uint8_t)get(STR3); }
void kcs_write_status(unsigned channel, uint8_t status) { (void)channel; set(STR3, status); }
uint8_t kcs_read_input(unsigned channel) { (void)channel; return (uint8_t)get(IDR3); }
void kcs_write_output(unsigned channel, uint8_t value) { (void)channel; set(ODR3, value); }

bool registers_open(const char *memory)
{
    int fd = open(memory, O_RDWR | O_SYNC);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, LPC);

    if (mapped == MAP_FAILED)
        return false;
    close(fd);
    lpc = mapped;
    kcs_start(CHANNEL);
    set(LADR3H, 0x0c);
    set(LADR3L, 0xa2);
    set(HICR5, (get(HICR5) & ~(0xfu << 20)) | 11u << 20 | 1u << 15 | 1u << 14);
    set(HICR4, get(HICR4) | 1u << 2);
    set(HICR0, get(HICR0) | 1u << 7);
    return true;
}

void registers_close(void)
{
    set(HICR0, get(HICR0) & ~(1u << 7));
    set(HICR4, get(HICR4) & ~(1u << 2));
}

bool registers_turn(void)
{
    if (kcs_read_status(CHANNEL) & IBF) {
        kcs_service(CHANNEL);
        clock_gettime(CLOCK_MONOTONIC, &last_byte);
    }
    return request_size;
}

long registers_pause(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - last_byte.tv_sec) * 1000 + (now.tv_nsec - last_byte.tv_nsec) / 1000000 < SOON_MS
               ? OFTEN_NS
               : SELDOM_NS;
}

/* Above it. */

struct answer execute(struct port *port, const uint8_t *data, unsigned length, uint8_t *response)
{
    (void)port, (void)response;
    memcpy(request, data, length);
    request_size = length;
    return (struct answer){0}; /* it comes later */
}

ssize_t registers_read(uint8_t *data, size_t size)
{
    size_t length = request_size < size ? request_size : size;

    memcpy(data, request, length);
    request_size = 0;
    return (ssize_t)length;
}

ssize_t registers_write(const uint8_t *response, size_t size)
{
    if (kcs_answer(CHANNEL, response, (unsigned)size))
        return (ssize_t)size;
    errno = EINVAL;
    return -1;
}

void registers_set_attention(bool attention)
{
    uint8_t status = kcs_read_status(CHANNEL);

    kcs_write_status(CHANNEL, attention ? status | ATTENTION : status & ~ATTENTION);
}
