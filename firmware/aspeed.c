/* KCS channels 3 and 4 of Aspeed's LPC block, and its mailbox. */

#include "aspeed.h"
#include "firmware.h"

enum {
    HICR0 = LPC + 0x00, HICR2 = LPC + 0x08, HICR4 = LPC + 0x10, HICR5 = LPC + 0x80,
    LADR3H = LPC + 0x14, LADR3L = LPC + 0x18, LADR4 = LPC + 0x110, HICRB = LPC + 0x100, HICRC = LPC + 0x104,
    /* The mailbox's data registers, a byte each. */
#if CHIP == 2400
    MAILBOX = LPC + 0x180,
#else
    MAILBOX = LPC + 0x200,
#endif
};
enum { MAILBOX_CONTROL = MAILBOX, MAILBOX_COUNT = MAILBOX + 4, MAILBOX_POWER = MAILBOX + 8 };

const unsigned KCS_CHANNELS = 2;

static const struct registers {
    uint32_t input, output, status;
} CHANNEL[] = {
    { LPC + 0x2c, LPC + 0x38, LPC + 0x44 },    /* channel 3 */
    { LPC + 0x114, LPC + 0x118, LPC + 0x11c }, /* channel 4 */
};

uint8_t kcs_read_status(unsigned channel) { return (uint8_t)read32(CHANNEL[channel].status); }
void kcs_write_status(unsigned channel, uint8_t status) { write32(CHANNEL[channel].status, status); }
uint8_t kcs_read_input(unsigned channel) { return (uint8_t)read32(CHANNEL[channel].input); }
void kcs_write_output(unsigned channel, uint8_t value) { write32(CHANNEL[channel].output, value); }

static void set_bits(uintptr_t address, uint32_t bits) { write32(address, read32(address) | bits); }

void chip_start(void)
{
    /* Channel 3 at CA2h, CA3h, SerIRQ 11. */
    write32(LADR3H, 0x0c);
    write32(LADR3L, 0xa2);
    set_bits(HICR5, 11u << 20 | 1u << 15 | 1u << 14);
    set_bits(HICR4, 1u << 2);
    set_bits(HICR0, 1u << 7);
    /* Channel 4 at CA4h, CA5h, SerIRQ 10. */
    write32(LADR4, 0x0ca50ca4);
    set_bits(HICRC, 10u << 4 | 1u << 2 | 1u << 0);
    set_bits(HICRB, 1u << 0);
#ifdef INTERRUPTS
    set_bits(HICR2, 1u << 3);
    set_bits(HICRB, 1u << 1);
#endif
}

void chip_ask_host(uint8_t control, uint8_t count)
{
    write32(MAILBOX_CONTROL, control);
    write32(MAILBOX_COUNT, count);
}

enum power chip_host_power(void)
{
    uint32_t power = read32(MAILBOX_POWER);
    return power <= POWER_ON ? (enum power)power : POWER_UNKNOWN;
}

unsigned chip_post_codes(uint8_t *codes, unsigned room)
{
    (void)codes;
    (void)room;
    return 0; /* they have a snooper, which is not driven here */
}
