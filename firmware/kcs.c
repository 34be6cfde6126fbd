/* The BMC's end of KCS. [IPMI 9.15, Figures 9-6 and 9-7]
 *
 * The state is set and the dummy byte written before Data_In is read, for reading it clears IBF, and IBF = 0
 * tells the host that the state is final. Afterwards Status is written only where an error leaves no choice:
 * QEMU's Aspeed model lets such a write overwrite an IBF that came meanwhile.
 */

#include "firmware.h"

enum { OBF = 0x01, IBF = 0x02, ATTENTION = 0x04, COMMAND = 0x08, STATE = 0xc0 };
enum { IDLE = 0x00, READ = 0x40, WRITE = 0x80, ERROR = 0xc0 };
enum { GET_STATUS_ABORT = 0x60, WRITE_START = 0x61, WRITE_END = 0x62, READ_NEXT = 0x68 };
enum { NO_ERROR = 0x00, ABORTED = 0x01, ILLEGAL_CONTROL = 0x02, LENGTH_ERROR = 0x06, UNSPECIFIED = 0xff };
enum { LONGEST_REQUEST = 300, MOST_CHANNELS = 4 };

enum phase { RESTING, WRITING, LAST_BYTE, WAITING, READING, ALL_READ, ABORTING, FAILED };

static struct kcs {
    struct port port; /* first, so that a port is its channel */
    unsigned channel;
    enum phase phase;
    uint8_t error;
    unsigned length, position;
    unsigned stuck_at; /* position at which reading fails, 0: nowhere */
    unsigned response_length;
    uint8_t request[LONGEST_REQUEST];
    uint8_t response[LONGEST];
} kcs[MOST_CHANNELS];

static void show(struct kcs *k, uint8_t state)
{
    uint8_t status = kcs_read_status(k->channel);
    if ((status & STATE) != state)
        kcs_write_status(k->channel, (status & ~STATE) | state);
}

static void fail(struct kcs *k, uint8_t error)
{
    k->phase = FAILED;
    k->error = error;
    show(k, ERROR);
    kcs_write_output(k->channel, 0);
}

static void next_byte(struct kcs *k)
{
    if (k->stuck_at && k->position == k->stuck_at) {
        fail(k, UNSPECIFIED);
        return;
    }
    uint8_t value = k->response[k->position++];
    if (k->position == k->response_length)
        k->phase = ALL_READ;
    kcs_write_output(k->channel, value);
}

static void run(struct kcs *k)
{
    struct answer answer = execute(&k->port, k->request, k->length, k->response);
    if (!answer.length)
        return;
    if (answer.fault == FAULT_SEQUENCE)
        k->response[1]++;
    if (answer.fault == FAULT_TWICE)
        for (unsigned i = 0; i < answer.length && answer.length + i < LONGEST; i++)
            k->response[answer.length + i] = k->response[i];
    k->position = 0;
    k->response_length = answer.fault == FAULT_TWICE ? 2 * answer.length : answer.length;
    if (k->response_length > LONGEST)
        k->response_length = LONGEST;
    k->stuck_at = answer.fault == FAULT_STUCK ? answer.length / 2 : 0;
    k->phase = READING;
    next_byte(k);
}

static void take_command(struct kcs *k)
{
    show(k, WRITE);
    kcs_write_output(k->channel, 0);
    switch (kcs_read_input(k->channel)) {
    case WRITE_START:
        k->phase = WRITING;
        k->error = NO_ERROR;
        k->length = 0;
        break;
    case WRITE_END:
        if (k->phase == WRITING) {
            k->phase = LAST_BYTE;
            break;
        }
        counters.illegal++;
        fail(k, ILLEGAL_CONTROL);
        break;
    case GET_STATUS_ABORT:
        if (k->phase != RESTING && k->phase != FAILED && k->phase != ABORTING) {
            counters.aborted++;
            k->error = ABORTED;
        }
        k->phase = ABORTING;
        break;
    default:
        counters.illegal++;
        fail(k, ILLEGAL_CONTROL);
    }
}

static void take_data(struct kcs *k)
{
    uint8_t value;

    switch (k->phase) {
    case WRITING:
        show(k, WRITE);
        kcs_write_output(k->channel, 0);
        value = kcs_read_input(k->channel);
        if (k->length < LONGEST_REQUEST - 1) {
            k->request[k->length++] = value;
            break;
        }
        counters.wrong_length++;
        fail(k, LENGTH_ERROR);
        break;
    case LAST_BYTE:
        show(k, READ);
        k->phase = WAITING;
        k->request[k->length++] = kcs_read_input(k->channel);
        if (k->length >= 2) {
            run(k);
            break;
        }
        counters.wrong_length++;
        fail(k, LENGTH_ERROR);
        break;
    case READING:
        if (kcs_read_input(k->channel) == READ_NEXT) {
            next_byte(k);
            break;
        }
        counters.illegal++;
        fail(k, ILLEGAL_CONTROL);
        break;
    case ALL_READ:
        show(k, IDLE);
        k->phase = RESTING;
        value = kcs_read_input(k->channel);
        if (value == READ_NEXT) {
            kcs_write_output(k->channel, 0);
            break;
        }
        counters.illegal++;
        fail(k, ILLEGAL_CONTROL);
        break;
    case ABORTING:
        show(k, READ);
        k->phase = ALL_READ;
        kcs_read_input(k->channel);
        kcs_write_output(k->channel, k->error);
        break;
    default: /* RESTING, WAITING, FAILED: none is due */
        kcs_read_input(k->channel);
        counters.illegal++;
        fail(k, ILLEGAL_CONTROL);
    }
}

void kcs_service(unsigned channel)
{
    struct kcs *k = &kcs[channel];
    uint8_t status = kcs_read_status(channel);

    if (!(status & IBF))
        return;
    if (status & COMMAND)
        take_command(k);
    else
        take_data(k);
}

bool kcs_answer(unsigned channel, const uint8_t *response, unsigned length)
{
    struct kcs *k = &kcs[channel];

    if (k->phase != WAITING || !length || length > LONGEST)
        return false;
    for (unsigned i = 0; i < length; i++)
        k->response[i] = response[i];
    k->position = k->stuck_at = 0;
    k->response_length = length;
    k->phase = READING;
    next_byte(k);
    return true;
}

static void set_attention(struct port *port, bool attention)
{
    struct kcs *k = (struct kcs *)port;
    uint8_t status = kcs_read_status(k->channel);

    kcs_write_status(k->channel, attention ? status | ATTENTION : status & ~ATTENTION);
}

void kcs_start(unsigned channel)
{
    struct kcs *k = &kcs[channel];

    k->channel = channel;
    k->port.set_attention = set_attention;
    kcs_write_status(channel, IDLE);
}
