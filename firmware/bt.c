/* The BMC's end of BT, on the iBT block of Aspeed's chips. [IPMI 11.7; Linux bt-bmc.c for the registers]
 *
 * One request at a time: B_BUSY is up from the moment a request is taken until its answer is in the buffer,
 * and an answer waits until the host has taken the one before it.
 */

#include "firmware.h"
#include "aspeed.h"

enum { CLR_WR_PTR = 0x01, CLR_RD_PTR = 0x02, H2B_ATN = 0x04, B2H_ATN = 0x08, SMS_ATN = 0x10, H_BUSY = 0x40, B_BUSY = 0x80 };
enum { BT_CR0 = LPC + 0x140, BT_CR1 = LPC + 0x144, BT_CR2 = LPC + 0x148, BT_CTRL = LPC + 0x150, BT_FIFO = LPC + 0x154 };
enum { ENABLE = 0x01, POINTERS = 0x0c, SERIRQ = 10, IO_BASE = 0xe4, HOST_ASKED = 0x01, HOST_FREE = 0x40 };
enum { LONGEST_MESSAGE = 255 };

static struct port port;
static uint8_t message[LONGEST_MESSAGE + 1], request[LONGEST_MESSAGE], response[LONGEST];
static unsigned response_length;
static uint8_t sequence;
static bool waiting, again; /* an answer, and whether it is to go out twice */

static void put(void)
{
    unsigned length = response_length + 1;

    write32(BT_CTRL, CLR_WR_PTR);
    write32(BT_FIFO, length > LONGEST_MESSAGE ? LONGEST_MESSAGE : length);
    write32(BT_FIFO, response[0]);
    write32(BT_FIFO, sequence);
    for (unsigned i = 1; i < response_length; i++)
        write32(BT_FIFO, response[i]);
    write32(BT_CTRL, B2H_ATN);
}

static void set_busy(bool busy)
{
    if (!(read32(BT_CTRL) & B_BUSY) == busy)
        write32(BT_CTRL, B_BUSY); /* a 1 toggles it */
}

static void take(void)
{
    set_busy(true);
    write32(BT_CTRL, CLR_RD_PTR);
    unsigned length = message[0] = (uint8_t)read32(BT_FIFO);
    for (unsigned i = 1; i <= length; i++)
        message[i] = (uint8_t)read32(BT_FIFO);
    write32(BT_CTRL, H2B_ATN);
    if (length < 3) { /* there is nothing to answer it with */
        counters.wrong_length++;
        set_busy(false);
        return;
    }
    request[0] = message[1];
    sequence = message[2];
    for (unsigned i = 3; i <= length; i++)
        request[i - 2] = message[i];

    struct answer answer = execute(&port, request, length - 1, response);
    response_length = answer.length;
    if (answer.fault == FAULT_STUCK)
        return;
    if (answer.fault == FAULT_SEQUENCE)
        sequence++;
    again = answer.fault == FAULT_TWICE;
    waiting = answer.length != 0;
    if (!waiting)
        set_busy(false);
}

void bt_service(void)
{
    write32(BT_CR2, read32(BT_CR2)); /* before anything is looked at, so that nothing is missed */
    uint32_t control = read32(BT_CTRL);
    if (!waiting && (control & (H2B_ATN | B_BUSY)) == H2B_ATN)
        take();
    if (waiting && !(read32(BT_CTRL) & (B2H_ATN | H_BUSY))) {
        put();
        waiting = again;
        again = false;
        if (!waiting)
            set_busy(false);
    }
}

static void set_attention(struct port *self, bool attention)
{
    (void)self;
    if (attention)
        write32(BT_CTRL, SMS_ATN); /* only the host clears it */
}

void bt_start(void)
{
    port.set_attention = set_attention;
    write32(BT_CR0, (uint32_t)IO_BASE << 16 | SERIRQ << 12 | POINTERS | ENABLE);
    write32(BT_CR1, HOST_ASKED | HOST_FREE);
    write32(BT_CTRL, CLR_WR_PTR | CLR_RD_PTR);
    set_busy(false);
}
