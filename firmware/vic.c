/* The interrupt controller of AST2400 and AST2500. Its lines are levels after reset, and need no acknowledging. */

#include "firmware.h"

enum { VIC = 0x1e6c0000, ENABLE = VIC + 0xa0 };

void vic_enable(unsigned interrupt) { write32(ENABLE, 1u << interrupt); }
