/* KCS channels 1 to 3 of Nuvoton's NPCM7xx, and its FIFO of POST codes. It has no mailbox: Get Chassis Request tells. */

#include "firmware.h"

#ifdef MAPPED
#define KCS 0xc0a07000u /* mmu.c */
#else
#define KCS 0xf0007000u
#endif
enum { STATUS = 0x00, OUTPUT = 0x02, INPUT = 0x04, CONTROL = 0x0c, IRQ_ENABLE = 0x10 };
enum { POST_ENABLE = 0x46, POST_STATUS = 0x48, POST_CODE = 0x4a };
enum { ADDRESS_1 = 0x80, VALID = 0x80 }; /* address 1 is 80h after a reset */
enum { IBFIE = 0x01, IRQE = 0x01, HIRQE = 0x08 };

const unsigned KCS_CHANNELS = 3;

static uintptr_t at(unsigned channel, unsigned offset) { return KCS + 0x0cu + channel * 0x12u + offset; }

uint8_t kcs_read_status(unsigned channel) { return read8(at(channel, STATUS)); }
void kcs_write_status(unsigned channel, uint8_t status) { write8(at(channel, STATUS), status); }
uint8_t kcs_read_input(unsigned channel) { return read8(at(channel, INPUT)); }
void kcs_write_output(unsigned channel, uint8_t value) { write8(at(channel, OUTPUT), value); }

void chip_start(void)
{
    write8(KCS + POST_ENABLE, ADDRESS_1);
    for (unsigned channel = 0; channel < KCS_CHANNELS; channel++) {
        write8(at(channel, IRQ_ENABLE), read8(at(channel, IRQ_ENABLE)) | HIRQE | IRQE);
#ifdef INTERRUPTS
        write8(at(channel, CONTROL), read8(at(channel, CONTROL)) | IBFIE);
#endif
    }
}

void chip_ask_host(uint8_t control, uint8_t count)
{
    (void)control;
    (void)count;
}

enum power chip_host_power(void) { return POWER_UNKNOWN; }

unsigned chip_post_codes(uint8_t *codes, unsigned room)
{
    unsigned count = 0;

    while (count < room && (read8(KCS + POST_STATUS) & VALID))
        codes[count++] = read8(KCS + POST_CODE);
    return count;
}
