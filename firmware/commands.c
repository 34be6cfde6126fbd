/* A small management controller: the commands, in order of network function and number. */

#include "firmware.h"

enum {
    OK = 0x00, INVALID_COMMAND = 0xc1, LENGTH_INVALID = 0xc7, NOT_PRESENT = 0xcb, PARAMETER = 0xcc, STATE = 0xd5,
    LUN = 0xc2, RESERVATION = 0xc5, BUFFER_EMPTY = 0x80
};
enum { EVENT_BUFFER_FULL = 0x02 };
enum { DOWN, UP, CYCLE, RESET, DIAGNOSTIC, SOFT_OFF };
enum { POST_CODES = 16 };
enum { RECORD = 16, RECORDS = 3, FIRST = 0x0000, LAST = 0xffff };

struct counters counters;

static struct {
    struct port *attention; /* who has it up */
    uint8_t enables;
    uint8_t asked, asked_count; /* last Chassis Control */
    bool off;
    bool cleared;
    uint8_t reservation;
    enum fault fault;
    uint8_t faulty; /* requests that it is to spoil */
    uint8_t delay;
} bmc;

static const uint8_t SEL[RECORDS][RECORD] = { /* [IPMI Table 32-1] */
    /* id      type  time stamp               generator  rev.  sensor      event, data */
    { 1, 0,    0x02, 0x10, 0x00, 0x00, 0x00,  0x20, 0,   0x04, 0x12, 0x01, 0x6f, 0x01, 0xff, 0xff }, /* system boot */
    { 2, 0,    0x02, 0x20, 0x00, 0x00, 0x00,  0x20, 0,   0x04, 0x01, 0x30, 0x01, 0x59, 0x60, 0x5f }, /* too hot */
    { 3, 0,    0x02, 0x30, 0x00, 0x00, 0x00,  0x20, 0,   0x04, 0x01, 0x30, 0x81, 0x59, 0x50, 0x5f }, /* and not any more */
};

/* A handler takes the data and writes completion code and data; it returns how many bytes. */

static unsigned put(uint8_t *out, const uint8_t *bytes, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        out[i] = bytes[i];
    return length;
}

#define ANSWER(...) put(out, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

struct call {
    struct port *port;
    const uint8_t *data;
    unsigned length;
};

static bool is_on(void)
{
    enum power power = chip_host_power();
    return power == POWER_UNKNOWN ? !bmc.off : power == POWER_ON;
}

static unsigned get_chassis_status(struct call call, uint8_t *out) /* [IPMI 28.2] */
{
    (void)call;
    return ANSWER(OK, is_on() ? 0x01 : 0x00, 0x00, 0x00);
}

static unsigned chassis_control(struct call call, uint8_t *out) /* [IPMI 28.3] */
{
    uint8_t control = call.data[0] & 0x0f;

    if (control > SOFT_OFF)
        return ANSWER(PARAMETER);
    if (!is_on() && control != UP && control != DOWN)
        return ANSWER(STATE);
    bmc.off = control == DOWN || control == SOFT_OFF;
    bmc.asked = control;
    chip_ask_host(control, ++bmc.asked_count);
    return ANSWER(OK);
}

static unsigned get_device_id(struct call call, uint8_t *out) /* [IPMI 20.1]: chassis and SEL device */
{
    (void)call;
    return ANSWER(OK, 0x20, 0x01, 0x01, 0x00, 0x02, 0x84, 0, 0, 0, CHIP_BCD & 0xff, CHIP_BCD >> 8, 0, 0, 0, 0);
}

static unsigned get_self_test_results(struct call call, uint8_t *out) /* [IPMI 20.4] */
{
    (void)call;
    return ANSWER(OK, 0x55, 0x00);
}

static void attend(struct port *port, bool attention)
{
    if (bmc.attention && !attention)
        bmc.attention->set_attention(bmc.attention, false);
    bmc.attention = attention ? port : 0;
    if (attention)
        port->set_attention(port, true);
}

static unsigned set_bmc_global_enables(struct call call, uint8_t *out) /* [IPMI 22.1] */
{
    bmc.enables = call.data[0];
    return ANSWER(OK);
}

static unsigned get_bmc_global_enables(struct call call, uint8_t *out) /* [IPMI 22.2] */
{
    (void)call;
    return ANSWER(OK, bmc.enables);
}

static unsigned clear_message_flags(struct call call, uint8_t *out) /* [IPMI 22.3] */
{
    if (call.data[0] & EVENT_BUFFER_FULL)
        attend(call.port, false);
    return ANSWER(OK);
}

static unsigned get_message_flags(struct call call, uint8_t *out) /* [IPMI 22.4] */
{
    (void)call;
    return ANSWER(OK, bmc.attention ? EVENT_BUFFER_FULL : 0x00);
}

static unsigned read_event_message_buffer(struct call call, uint8_t *out) /* [IPMI 22.8] */
{
    if (!bmc.attention)
        return ANSWER(BUFFER_EMPTY);
    attend(call.port, false);
    out[0] = OK;
    return 1 + put(out + 1, SEL[1], RECORD);
}

static unsigned get_bt_interface_capabilities(struct call call, uint8_t *out) /* [IPMI 22.10] */
{
    (void)call;
    return ANSWER(OK, 1, 255, 255, 5, 1);
}

static unsigned get_sel_info(struct call call, uint8_t *out) /* [IPMI 31.2]: can be reserved */
{
    (void)call;
    uint8_t entries = bmc.cleared ? 0 : RECORDS;
    uint8_t added = bmc.cleared ? 0xff : 0x30, high = bmc.cleared ? 0xff : 0x00;
    return ANSWER(OK, 0x51, entries, 0, 0xff, 0xff, added, high, high, high, 0xff, 0xff, 0xff, 0xff, 0x02);
}

static unsigned reserve_sel(struct call call, uint8_t *out) /* [IPMI 31.4] */
{
    (void)call;
    if (!++bmc.reservation)
        bmc.reservation = 1;
    return ANSWER(OK, bmc.reservation, 0);
}

static unsigned get_sel_entry(struct call call, uint8_t *out) /* [IPMI 31.5] */
{
    unsigned id = call.data[2] | call.data[3] << 8, offset = call.data[4], count = call.data[5];

    if (offset && (call.data[0] != bmc.reservation || call.data[1] || !bmc.reservation))
        return ANSWER(RESERVATION);
    if (id == FIRST)
        id = 1;
    else if (id == LAST)
        id = RECORDS;
    if (bmc.cleared || id > RECORDS)
        return ANSWER(NOT_PRESENT);
    if (count == 0xff && offset < RECORD)
        count = RECORD - offset;
    if (!count || offset + count > RECORD)
        return ANSWER(PARAMETER);
    unsigned next = id < RECORDS ? id + 1 : LAST;
    put(out, (const uint8_t[]){ OK, next & 0xff, next >> 8 }, 3);
    return 3 + put(out + 3, SEL[id - 1] + offset, count);
}

static unsigned clear_sel(struct call call, uint8_t *out) /* [IPMI 31.9] */
{
    const uint8_t *d = call.data;

    if (d[0] != bmc.reservation || d[1] || !bmc.reservation)
        return ANSWER(RESERVATION);
    if (d[2] != 'C' || d[3] != 'L' || d[4] != 'R' || (d[5] != 0xaa && d[5] != 0x00))
        return ANSWER(PARAMETER);
    bmc.cleared |= d[5] == 0xaa;
    return ANSWER(OK, 0x01);
}

static unsigned get_sel_time(struct call call, uint8_t *out) /* [IPMI 31.10]: nobody has set a clock */
{
    (void)call;
    return ANSWER(OK, 0x40, 0, 0, 0);
}

/* Ours, for tests. [README.md] */

static unsigned echo(struct call call, uint8_t *out)
{
    out[0] = OK;
    return 1 + put(out + 1, call.data, call.length);
}

static unsigned set_attention(struct call call, uint8_t *out)
{
    if (call.data[0] > 1)
        return ANSWER(PARAMETER);
    attend(call.port, call.data[0]);
    return ANSWER(OK);
}

static unsigned misbehave(struct call call, uint8_t *out)
{
    if (call.data[0] >= FAULTS)
        return ANSWER(PARAMETER);
    bmc.fault = call.data[0];
    bmc.faulty = call.length > 1 ? call.data[1] : 1;
    bmc.delay = call.length > 2 ? call.data[2] : 1;
    return ANSWER(OK);
}

static unsigned get_counters(struct call call, uint8_t *out)
{
    (void)call;
    return ANSWER(OK, counters.requests, counters.aborted, counters.illegal, counters.wrong_length);
}

static unsigned get_chassis_request(struct call call, uint8_t *out)
{
    (void)call;
    return ANSWER(OK, bmc.asked, bmc.asked_count);
}

static unsigned get_post_codes(struct call call, uint8_t *out)
{
    (void)call;
    out[0] = OK;
    return 1 + chip_post_codes(out + 1, POST_CODES);
}

enum { CHASSIS = 0x00, APP = 0x06, STORAGE = 0x0a, OEM = 0x30, MISBEHAVE = 0x03, ANY = LONGEST / 2 };

static const struct command {
    uint8_t netfn, number;
    uint16_t shortest, longest;
    unsigned (*handler)(struct call call, uint8_t *out);
} COMMANDS[] = {
    /* function  number     data bytes   handler */
    { CHASSIS,   0x01,      0, 0,        get_chassis_status },
    { CHASSIS,   0x02,      1, 1,        chassis_control },
    { APP,       0x01,      0, 0,        get_device_id },
    { APP,       0x04,      0, 0,        get_self_test_results },
    { APP,       0x2e,      1, 1,        set_bmc_global_enables },
    { APP,       0x2f,      0, 0,        get_bmc_global_enables },
    { APP,       0x30,      1, 1,        clear_message_flags },
    { APP,       0x31,      0, 0,        get_message_flags },
    { APP,       0x35,      0, 0,        read_event_message_buffer },
    { APP,       0x36,      0, 0,        get_bt_interface_capabilities },
    { STORAGE,   0x40,      0, 0,        get_sel_info },
    { STORAGE,   0x42,      0, 0,        reserve_sel },
    { STORAGE,   0x43,      6, 6,        get_sel_entry },
    { STORAGE,   0x47,      6, 6,        clear_sel },
    { STORAGE,   0x48,      0, 0,        get_sel_time },
    { OEM,       0x01,      0, ANY,      echo },
    { OEM,       0x02,      1, 1,        set_attention },
    { OEM,       MISBEHAVE, 1, 3,        misbehave },
    { OEM,       0x04,      0, 0,        get_counters },
    { OEM,       0x05,      0, 0,        get_chassis_request },
    { OEM,       0x06,      0, 0,        get_post_codes },
};

static unsigned dispatch(struct call call, uint8_t netfn, uint8_t number, uint8_t *out)
{
    for (unsigned i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        const struct command *command = &COMMANDS[i];
        if (command->netfn != netfn || command->number != number)
            continue;
        if (call.length < command->shortest || call.length > command->longest)
            return ANSWER(LENGTH_INVALID);
        return command->handler(call, out);
    }
    return ANSWER(INVALID_COMMAND);
}

static void wait(unsigned turns)
{
    for (unsigned i = 0; i < turns; i++)
        __asm__ volatile("" : : : "memory");
}

/* What is wrong with an answer that does not depend on the interface. */
static unsigned spoil(enum fault fault, uint8_t *response, unsigned length)
{
    switch (fault) {
    case FAULT_SILENT:
        return 0;
    case FAULT_LATE:
        wait((unsigned)bmc.delay << 20);
        return length;
    case FAULT_LONG:
        for (unsigned i = length; i < LONGEST; i++)
            response[i] = (uint8_t)i;
        return LONGEST;
    case FAULT_SHORT:
        return 1;
    default:
        return length;
    }
}

struct answer execute(struct port *port, const uint8_t *request, unsigned length, uint8_t *response)
{
    uint8_t netfn = request[0] >> 2, number = request[1];
    struct call call = { port, request + 2, length - 2 };
    bool spoiled = bmc.faulty && !(netfn == OEM && number == MISBEHAVE);
    struct answer answer = { 0, spoiled ? bmc.fault : FAULT_NONE };

    counters.requests++;
    response[0] = request[0] | 4;
    response[1] = number;
    if (request[0] & 3) {
        response[2] = LUN;
        answer.length = 3;
    } else
        answer.length = 2 + dispatch(call, netfn, number, response + 2);
    if (spoiled) {
        bmc.faulty--;
        answer.length = spoil(answer.fault, response, answer.length);
    }
    return answer;
}
