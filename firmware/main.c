/* Start, and what runs when the host did something. */

#include "firmware.h"

enum { SPI = 32 }; /* the first shared interrupt */

#if defined INTERRUPTS && __ARM_ARCH >= 7
#define VECTORED
#endif

static void kcs_all(void)
{
    for (unsigned channel = 0; channel < KCS_CHANNELS; channel++)
        kcs_service(channel);
}

#ifdef VECTORED
static const struct interrupt {
    unsigned number;
    void (*service)(void);
} INTERRUPT[] = {
#if CHIP == 2600
    { SPI + 140, kcs_all },    /* channel 3 */
    { SPI + 141, kcs_all },    /* channel 4 */
    { SPI + 143, bt_service }, /* iBT */
#else
    { SPI + 9, kcs_all }, /* one for all channels */
#endif
};
enum { INTERRUPTS_USED = sizeof INTERRUPT / sizeof INTERRUPT[0] };

void firmware_interrupt(void)
{
    unsigned acknowledged = gic_acknowledge();

    for (unsigned i = 0; i < INTERRUPTS_USED; i++)
        if (INTERRUPT[i].number == (acknowledged & 0x3ff))
            INTERRUPT[i].service();
    gic_end(acknowledged);
}
#else
void firmware_poll(void)
{
    kcs_all();
}
#endif

void firmware_start(void)
{
#ifdef MAPPED
    mmu_start();
#endif
    for (unsigned channel = 0; channel < KCS_CHANNELS; channel++)
        kcs_start(channel);
    chip_start();
#ifdef VECTORED
#if CHIP == 2600
    bt_start();
#endif
    gic_start();
    for (unsigned i = 0; i < INTERRUPTS_USED; i++)
        gic_enable(INTERRUPT[i].number);
#elif defined INTERRUPTS
    vic_enable(8); /* one for the whole LPC block */
#endif
}
