/* Aspeed AST2400, AST2500, AST2600: the LPC block. */

#pragma once

#define LPC 0x1e789000u
