/* Translation: everything where it is, and the system interface's page once more, where only this firmware has it.
 * [ARM DDI 0406C, B3.5: short descriptors]
 */

#include "firmware.h"

enum { SECTION = 0x00c02, STRONGLY_ORDERED_PAGE = 0x032, TABLE = 0x001 }; /* any mode may read and write */
enum { MEGABYTES = 4096, PAGES = 256, MMU = 1 };
#if CHIP == 2600
enum { DEVICE = 0x1e789000, MAPPED_AT = 0xc0a89000 };
#else
enum { DEVICE = 0xf0007000, MAPPED_AT = 0xc0a07000 };
#endif

static uint32_t room[2 * MEGABYTES + PAGES]; /* aligned below: in the image that would be padding */

void mmu_start(void)
{
    uint32_t *sections = (uint32_t *)(((uintptr_t)room + 4 * MEGABYTES - 1) & ~(4 * MEGABYTES - 1));
    uint32_t *pages = sections + MEGABYTES;

    for (uint32_t i = 0; i < MEGABYTES; i++)
        sections[i] = i << 20 | SECTION;
    sections[(uint32_t)DEVICE >> 20] = 0; /* a fault, should anything still reach it there */
    pages[((uint32_t)MAPPED_AT >> 12) % PAGES] = (uint32_t)DEVICE | STRONGLY_ORDERED_PAGE;
    sections[(uint32_t)MAPPED_AT >> 20] = (uint32_t)pages | TABLE;

    uint32_t control;
    __asm__ volatile("mcr p15, 0, %0, c2, c0, 0" : : "r"(sections)); /* TTBR0 */
    __asm__ volatile("mcr p15, 0, %0, c2, c0, 2" : : "r"(0));        /* TTBCR: TTBR0 for all */
    __asm__ volatile("mcr p15, 0, %0, c3, c0, 0" : : "r"(1));        /* DACR: domain 0 is a client */
    __asm__ volatile("mcr p15, 0, %0, c8, c7, 0" : : "r"(0));        /* TLB */
    __asm__ volatile("dsb\n\tisb\n\tmrc p15, 0, %0, c1, c0, 0" : "=r"(control) : : "memory");
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" : : "r"(control | MMU) : "memory");
}
