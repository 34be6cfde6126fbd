/* The generic interrupt controller, version 2, of the Cortex-A7 and Cortex-A9 chips. [ARM IHI 0048] */

#include "firmware.h"

enum {
    GICD_CTLR = GICD + 0x000, GICD_ISENABLER = GICD + 0x100, GICD_ITARGETSR = GICD + 0x800,
    GICC_CTLR = GICC + 0x00, GICC_PMR = GICC + 0x04, GICC_IAR = GICC + 0x0c, GICC_EOIR = GICC + 0x10,
};

void gic_start(void)
{
    write32(GICC_PMR, 0xff);
    write32(GICC_CTLR, 1);
    write32(GICD_CTLR, 1);
}

void gic_enable(unsigned interrupt)
{
    write8(GICD_ITARGETSR + interrupt, 0x01);
    write32(GICD_ISENABLER + interrupt / 32 * 4, 1u << interrupt % 32);
}

unsigned gic_acknowledge(void) { return read32(GICC_IAR); }
void gic_end(unsigned interrupt) { write32(GICC_EOIR, interrupt); }
