# What a guest of a POWER partition does when its platform has something for it, in a few dozen instructions.
# No operating system: real mode, big-endian. Calls are those of the ELFv2 ABI; r13 to r31 are a caller's.

        .abiversion 2
        .set    H_PUT_TERM_CHAR, 0x58
        .set    H_CEDE, 0xe0
        .set    H_TPM_COMM, 0xef10
        .set    H_RTAS, 0xf000
        .set    CHECK_EXCEPTION, 0x200e
        .set    STOP_SELF, 0x2007
        .set    SET_INDICATOR, 0x201a
        .set    CONFIGURE_CONNECTOR, 0x201e
        .set    ALLOCATION, 9003
        .set    ISOLATION, 9001
        .set    INDEX, 108              # in a hot-plug event's log: the connector's index
        .set    ACTION, 105             # 1: add, 2: remove

        .macro  address register, symbol
        lis     \register, \symbol@ha
        addi    \register, \register, \symbol@l
        .endm

        .text

# long hypercall(long number, r4, r5, r6, r7, r8): its r3
        .globl  hypercall
hypercall:
        sc      1
        blr

# The argument block is at r11; token, counts and arguments are in it. Gives its first result, at r10.
rtas:
        mr      %r4, %r11
        lis     %r3, 0
        ori     %r3, %r3, H_RTAS
        sc      1
        lwa     %r3, 0(%r10)
        blr

# long set_indicator(long kind, long index, long value): the status
        .globl  set_indicator
set_indicator:
        address %r11, block
        li      %r9, SET_INDICATOR
        stw     %r9, 0(%r11)
        li      %r9, 3
        stw     %r9, 4(%r11)
        li      %r9, 1
        stw     %r9, 8(%r11)
        stw     %r3, 12(%r11)
        stw     %r4, 16(%r11)
        stw     %r5, 20(%r11)
        addi    %r10, %r11, 24
        b       rtas

# long configure(long index): how many pieces the tree has, or the status that says why there is none
        .globl  configure
configure:
        mflr    %r0
        std     %r0, 16(%r1)
        stdu    %r1, -48(%r1)
        std     %r31, 40(%r1)
        address %r8, area
        stw     %r3, 0(%r8)
        li      %r9, 0
        stw     %r9, 4(%r8)
        li      %r31, 0
1:      address %r11, block
        address %r8, area
        li      %r9, CONFIGURE_CONNECTOR
        stw     %r9, 0(%r11)
        li      %r9, 2
        stw     %r9, 4(%r11)
        li      %r9, 1
        stw     %r9, 8(%r11)
        stw     %r8, 12(%r11)
        li      %r9, 0
        stw     %r9, 16(%r11)
        addi    %r10, %r11, 20
        bl      rtas
        addi    %r31, %r31, 1
        cmpdi   %r3, -2                 # busy: again
        beq     1b
        cmpdi   %r3, 0
        bgt     1b
        blt     2f
        mr      %r3, %r31
2:      ld      %r31, 40(%r1)
        addi    %r1, %r1, 48
        ld      %r0, 16(%r1)
        mtlr    %r0
        blr

# long take(long index): makes it ours, or says by its status why not
        .globl  take
take:
        mflr    %r0
        std     %r0, 16(%r1)
        stdu    %r1, -48(%r1)
        std     %r31, 40(%r1)
        mr      %r31, %r3
        li      %r3, ALLOCATION
        mr      %r4, %r31
        li      %r5, 1
        bl      set_indicator
        cmpdi   %r3, 0
        bne     2f
1:      li      %r3, ISOLATION
        mr      %r4, %r31
        li      %r5, 1
        bl      set_indicator
        cmpdi   %r3, -2
        beq     1b
        cmpdi   %r3, 0
        bne     2f
        mr      %r3, %r31
        bl      configure
2:      ld      %r31, 40(%r1)
        addi    %r1, %r1, 48
        ld      %r0, 16(%r1)
        mtlr    %r0
        blr

# long give_back(long index)
        .globl  give_back
give_back:
        mflr    %r0
        std     %r0, 16(%r1)
        stdu    %r1, -48(%r1)
        std     %r31, 40(%r1)
        mr      %r31, %r3
        li      %r3, ISOLATION
        mr      %r4, %r31
        li      %r5, 0
        bl      set_indicator
        cmpdi   %r3, 0
        bne     2f
        li      %r3, ALLOCATION
        mr      %r4, %r31
        li      %r5, 0
        bl      set_indicator
2:      ld      %r31, 40(%r1)
        addi    %r1, %r1, 48
        ld      %r0, 16(%r1)
        mtlr    %r0
        blr

# void print(long up to 8 characters, long how many)
        .globl  print
print:
        mr      %r6, %r3
        mr      %r5, %r4
        li      %r4, 0
        li      %r3, H_PUT_TERM_CHAR
        sc      1
        blr

# long tpm(const void *command, long size, void *response): how long the response is, or why there is none
        .globl  tpm
tpm:
        mr      %r7, %r5
        mr      %r6, %r4
        mr      %r5, %r3
        li      %r4, 1
        li      %r8, 4096
        lis     %r3, 0
        ori     %r3, %r3, H_TPM_COMM
        sc      1
        cmpdi   %r3, 0
        bnelr
        mr      %r3, %r4
        blr

# Waits for event logs and does what they ask for; ends when what was asked for cannot be done.
        .globl  main
main:
1:      li      %r3, H_CEDE
        sc      1
2:      address %r11, block
        li      %r9, CHECK_EXCEPTION
        stw     %r9, 0(%r11)
        li      %r9, 6
        stw     %r9, 4(%r11)
        li      %r9, 1
        stw     %r9, 8(%r11)
        li      %r9, 0x500
        stw     %r9, 12(%r11)
        li      %r9, 0
        stw     %r9, 16(%r11)
        stw     %r9, 24(%r11)
        li      %r9, -1                 # all classes
        stw     %r9, 20(%r11)
        address %r9, log
        stw     %r9, 28(%r11)
        li      %r9, 256
        stw     %r9, 32(%r11)
        addi    %r10, %r11, 36
        bl      rtas
        cmpdi   %r3, 0
        bne     1b
        address %r9, log
        lbz     %r8, ACTION(%r9)
        lwz     %r3, INDEX(%r9)
        cmpwi   %r8, 1
        bne     3f
        bl      take
        b       4f
3:      bl      give_back
4:      cmpdi   %r3, 0
        blt     5f
        lis     %r3, 0x6f6b             # "ok\n"
        ori     %r3, %r3, 0x0a00
        sldi    %r3, %r3, 32
        li      %r4, 3
        bl      print
        b       2b
5:      address %r11, block
        li      %r9, STOP_SELF
        stw     %r9, 0(%r11)
        li      %r9, 0
        stw     %r9, 4(%r11)
        li      %r9, 1
        stw     %r9, 8(%r11)
        addi    %r10, %r11, 12
        bl      rtas

        .bss
        .balign 4096
area:   .space  4096                    # of ibm,configure-connector
log:    .space  256
block:  .space  64                      # of RTAS
