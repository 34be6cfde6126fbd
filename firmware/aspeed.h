/* Aspeed AST2400, AST2500, AST2600: the LPC block. */

#pragma once

#ifdef MAPPED
#define LPC 0xc0a89000u /* mmu.c */
#else
#define LPC 0x1e789000u
#endif
