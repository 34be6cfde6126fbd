/* What the parts of the firmware know of each other. */

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LONGEST = 640 }; /* bytes of an answer; a request is at most 300 */

/* One instruction for each access, without write-back: whoever traps them has little to decode. */

static inline uint32_t read32(uintptr_t address)
{
    uint32_t value;
    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void write32(uintptr_t address, uint32_t value)
{
    __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline uint8_t read8(uintptr_t address)
{
    uint32_t value;
    __asm__ volatile("ldrb %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return (uint8_t)value;
}

static inline void write8(uintptr_t address, uint8_t value)
{
    __asm__ volatile("strb %0, [%1]" : : "r"((uint32_t)value), "r"(address) : "memory");
}

/* How a system interface is told about attention. */
struct port {
    void (*set_attention)(struct port *port, bool attention);
};

/* Misbehaviour that a test asked for. [README.md, "Misbehave"] */
enum fault {
    FAULT_NONE,
    FAULT_SILENT,     /* no answer */
    FAULT_LATE,       /* an answer after a while */
    FAULT_SEQUENCE,   /* BT: another sequence number; KCS: another command */
    FAULT_LONG,       /* longer than the interface allows */
    FAULT_SHORT,      /* without completion code */
    FAULT_STUCK,      /* KCS: error state in the middle; BT: busy for ever */
    FAULT_TWICE,      /* the answer, and once more */
    FAULTS
};

/* commands.c */
struct answer {
    unsigned length; /* 0: none */
    enum fault fault; /* what the interface has to do wrong; the rest was done already */
};

/* `request` and `response`: network function and LUN, command, (completion code,) data. */
struct answer execute(struct port *port, const uint8_t *request, unsigned length, uint8_t *response);

struct counters {
    uint8_t requests, aborted, illegal, wrong_length;
};
extern struct counters counters;

/* kcs.c: the state machine, for a channel of the chip's */
void kcs_start(unsigned channel);
void kcs_service(unsigned channel);
/* The answer that execute() did not have yet. False: the host has given the request up. */
bool kcs_answer(unsigned channel, const uint8_t *response, unsigned length);

/* bt.c */
void bt_start(void);
void bt_service(void);

/* The chip: aspeed.c, npcm7xx.c. Channels count from 0. */
extern const unsigned KCS_CHANNELS;
uint8_t kcs_read_status(unsigned channel);
void kcs_write_status(unsigned channel, uint8_t status);
uint8_t kcs_read_input(unsigned channel);
void kcs_write_output(unsigned channel, uint8_t value);
void chip_start(void);

/* Chassis Control goes to whoever looks; what is known of the host's power comes back. */
enum power { POWER_UNKNOWN, POWER_OFF, POWER_ON };
void chip_ask_host(uint8_t control, uint8_t count);
enum power chip_host_power(void);
/* POST codes of the host that nobody has read yet, the oldest first. */
unsigned chip_post_codes(uint8_t *codes, unsigned room);

/* gic.c */
void gic_start(void);
void gic_enable(unsigned interrupt);
unsigned gic_acknowledge(void);
void gic_end(unsigned interrupt);

/* mmu.c */
void mmu_start(void);

/* vic.c */
void vic_enable(unsigned interrupt);
