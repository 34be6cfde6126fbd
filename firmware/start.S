/* Entry, vectors, stacks. One image is loaded where it runs; all cores but the first sleep. */

#if defined INTERRUPTS && __ARM_ARCH >= 7
#define VECTORED
#endif

    .syntax unified
    .arm
    .section .start, "ax"
    .global _start

    .balign 32
_start:                                     /* also the vector table, so that VBAR may point here */
    b       reset
    b       .                               /* undefined instruction: stop where a debugger sees it */
    b       .                               /* supervisor call */
    b       .                               /* prefetch abort */
    b       .                               /* data abort */
    b       .
#ifdef VECTORED
    b       interrupt
#else
    b       .
#endif
    b       .

reset:
#if __ARM_ARCH >= 7
    mrc     p15, 0, r0, c0, c0, 5           /* MPIDR: which core is this? */
    ands    r0, r0, #3
    bne     park
    mrc     p15, 0, r0, c1, c0, 0           /* SCTLR */
    bic     r0, r0, #1 << 13                /* V: NPCM7xx starts with the vectors at 0xffff0000 */
    mcr     p15, 0, r0, c1, c0, 0
    ldr     r0, =_start
    mcr     p15, 0, r0, c12, c0, 0          /* VBAR */
#endif
    msr     cpsr_c, #0xd2                   /* IRQ mode, interrupts off */
    ldr     sp, =irq_stack_top
    msr     cpsr_c, #0xd3                   /* supervisor mode, interrupts off */
    ldr     sp, =stack_top

    ldr     r0, =bss_start
    ldr     r1, =bss_end
    mov     r2, #0
1:  cmp     r0, r1
    strlo   r2, [r0], #4
    blo     1b

    bl      firmware_start
#ifdef VECTORED
    msr     cpsr_c, #0x53                   /* interrupts on */
2:  wfi
    b       2b
#else
2:
#ifdef INTERRUPTS                           /* they wake, masked as they are: the vectors may be in ROM */
    mov     r0, #0
    mcr     p15, 0, r0, c7, c0, 4           /* wait for interrupt, before ARMv7 */
#endif
    bl      firmware_poll
    b       2b
#endif

#if __ARM_ARCH >= 7
park:
    wfi
    b       park
#endif

#ifdef VECTORED
interrupt:                                  /* the work is done here: nothing else runs but WFI */
    sub     lr, lr, #4
    push    {r0-r3, r12, lr}
    bl      firmware_interrupt
    ldm     sp!, {r0-r3, r12, pc}^
#endif
