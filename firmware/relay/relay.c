/* SPDX-License-Identifier: Apache-2.0
 *
 * ipmi-relay: between the host's system interface and a BMC that speaks the VM wire (OpenIPMI's README.vm).
 *
 * It runs on the BMC's Linux. What the host asks on KCS (/dev/ipmi-kcs3, or the registers of an Aspeed chip
 * where the kernel has no such device) or BT (/dev/ipmi-bt-host) goes to ipmi_sim, baseboard or any other BMC on the wire; the answers and the attention bit come back. There is one
 * request at a time, as the kernel's devices have it. Each is answered: when nobody is on the wire with D2h,
 * when no answer comes in four seconds with C3h, when it does not fit with C7h.
 *
 * Orders for the host's hardware (power, reset, NMI) are printed, a word a line: who drives the host's power
 * reads them.
 */

#define _GNU_SOURCE /* ppoll */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "registers.h"

/* linux/ipmi_bmc.h, linux/bt-bmc.h: the same numbers for both */
#define SET_SMS_ATN _IO(0xB1, 0x00)
#define CLEAR_SMS_ATN _IO(0xB1, 0x01)

enum {
    END_MESSAGE = 0xA0,
    END_COMMAND = 0xA1,
    ESCAPE = 0xAA,
    SOFTENED = 0x10,     /* of an escaped byte */
    NO_ATTENTION = 0x00,
    ATTENTION = 0x01,
    ATTENTION_INTERRUPT = 0x02,
    CAPABILITIES = 0x08,
    VERSION = 0xFF,
    TIMED_OUT = 0xC3,
    WRONG_LENGTH = 0xC7,
    NO_BMC = 0xD2,
    RESPONSE = 0x04,     /* of the network function and LUN byte */
    LONGEST_REQUEST = 1000, /* as the kernel's buffers */
    LONGEST = 302,       /* sequence number, 300 bytes and checksum, as QEMU's end of the wire has it */
    ANSWER_MS = 4000,
    RETRY_MS = 500,
};

static const char *const ORDERS[] = {
    [0x03] = "power-off", [0x04] = "reset", [0x05] = "enable-interrupt", [0x06] = "disable-interrupt",
    [0x07] = "send-nmi",  [0x09] = "graceful-shutdown",
};

static struct {
    int device;          /* the kernel's; -1: by the registers */
    bool registers;
    bool bt;             /* its messages have a length and a sequence number */
    const char *address;
    int wire;            /* -1: not connected */
    uint8_t frame[LONGEST]; /* what comes on the wire, escapes undone */
    size_t size;
    bool escaped, broken;
    bool asked;          /* the host waits for an answer */
    uint8_t sequence, host_sequence, netfn_lun, command;
    int64_t deadline;    /* of the answer, or of the next attempt to connect */
} relay = {.wire = -1};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The host's end: the kernel's device. */

static void answer(const uint8_t *data, size_t size) /* completion code first */
{
    uint8_t message[LONGEST];
    size_t head = 0;

    if (relay.bt) {
        if (size > 255 - 3)
            data = (const uint8_t[]){WRONG_LENGTH}, size = 1;
        message[head++] = (uint8_t)(size + 3);
    }
    message[head++] = relay.netfn_lun | RESPONSE;
    if (relay.bt)
        message[head++] = relay.host_sequence;
    message[head++] = relay.command;
    memcpy(message + head, data, size);
    relay.asked = false;
    ssize_t written = relay.registers ? registers_write(message, head + size)
                                      : write(relay.device, message, head + size);
    /* EINVAL: the host has given this request up */
    if (written < 0 && errno != EINVAL && errno != EAGAIN)
        perror("ipmi-relay: answering the host");
}

static void refuse(uint8_t completion_code)
{
    answer(&completion_code, 1);
}

static void attention(bool on)
{
    if (relay.bt && !on) /* BT's bit is the host's to clear */
        return;
    if (relay.registers)
        return registers_set_attention(on);
    if (ioctl(relay.device, on ? SET_SMS_ATN : CLEAR_SMS_ATN) < 0 && errno != ENOTTY && errno != EINVAL)
        perror("ipmi-relay: SMS_ATN");
}

/* The BMC's end: the wire. */

static void disconnect(const char *why)
{
    fprintf(stderr, "ipmi-relay: %s: %s\n", relay.address, why);
    close(relay.wire);
    relay.wire = -1;
    if (relay.asked)
        refuse(NO_BMC);
    relay.deadline = now_ms() + RETRY_MS;
}

static void send_frame(const uint8_t *data, size_t size, uint8_t end)
{
    uint8_t frame[2 * LONGEST + 1];
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        if (data[i] == END_MESSAGE || data[i] == END_COMMAND || data[i] == ESCAPE) {
            frame[length++] = ESCAPE;
            frame[length++] = data[i] | SOFTENED;
        } else {
            frame[length++] = data[i];
        }
    }
    frame[length++] = end;
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(relay.wire, frame + sent, length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            disconnect("does not take what it is sent");
            return;
        }
        sent += (size_t)n;
    }
}

static void receive_command(void)
{
    uint8_t number = relay.frame[0];

    if (number == NO_ATTENTION)
        attention(false);
    else if (number == ATTENTION || number == ATTENTION_INTERRUPT)
        attention(true);
    else if (number < sizeof ORDERS / sizeof *ORDERS && ORDERS[number])
        puts(ORDERS[number]);
    /* the version, and what newer revisions may add, need no answer */
}

static void receive_message(void)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < relay.size; i++)
        sum += relay.frame[i];
    /* sequence number, network function and LUN, command, completion code, checksum */
    if (relay.size < 5 || sum || !relay.asked || relay.frame[0] != relay.sequence)
        return;
    answer(relay.frame + 3, relay.size - 4);
}

static void receive_byte(uint8_t byte)
{
    if (byte == END_MESSAGE || byte == END_COMMAND) {
        if (!relay.broken && !relay.escaped && relay.size)
            byte == END_MESSAGE ? receive_message() : receive_command();
        relay.size = 0;
        relay.escaped = relay.broken = false;
    } else if (byte == ESCAPE) {
        relay.escaped = true;
    } else if (relay.size == sizeof relay.frame) {
        relay.broken = true;
    } else {
        relay.frame[relay.size++] = relay.escaped ? byte & ~SOFTENED : byte;
        relay.escaped = false;
    }
}

static int open_unix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    close(fd);
    return -1;
}

static int open_tcp(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int fd = -1;

    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    if (getaddrinfo(host, colon + 1, &hints, &found))
        return -1;
    for (struct addrinfo *one = found; one && fd < 0; one = one->ai_next) {
        fd = socket(one->ai_family, one->ai_socktype, 0);
        if (connect(fd, one->ai_addr, one->ai_addrlen)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static void try_to_connect(void)
{
    relay.wire = relay.address[0] == 'u' ? open_unix(relay.address + 5) : open_tcp(relay.address + 4);
    relay.deadline = now_ms() + RETRY_MS;
    relay.size = 0;
    relay.escaped = relay.broken = false;
    if (relay.wire < 0)
        return;
    setsockopt(relay.wire, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 1}, sizeof(struct timeval));
    fprintf(stderr, "ipmi-relay: %s: connected\n", relay.address);
    send_frame((const uint8_t[]){VERSION, 0x01}, 2, END_COMMAND);
    if (relay.wire >= 0) /* power, reset, interrupt, NMI, attention, graceful shutdown */
        send_frame((const uint8_t[]){CAPABILITIES, 0x3F}, 2, END_COMMAND);
}

/* One request. */

static void ask(void)
{
    uint8_t request[LONGEST_REQUEST], message[LONGEST];
    ssize_t count = relay.registers ? registers_read(request, sizeof request)
                                    : read(relay.device, request, sizeof request);
    size_t head = relay.bt ? 4 : 2, size, length = 0;
    uint8_t sum = 0;

    if (count < 0 && errno != EAGAIN && errno != EINTR && errno != EIO) {
        perror("ipmi-relay: the host's device");
        exit(1);
    }
    if (count < (ssize_t)head) {
        if (count == 0)
            exit(0);
        return;
    }
    size = (size_t)count;
    relay.netfn_lun = request[relay.bt];
    relay.host_sequence = request[2];
    relay.command = request[head - 1];
    relay.sequence++;
    relay.asked = true; /* if it was true, the host has given that request up */
    if (relay.wire < 0)
        return refuse(NO_BMC);
    if (size - head > LONGEST - 4 || (relay.bt && request[0] != size - 1))
        return refuse(WRONG_LENGTH);
    message[length++] = relay.sequence;
    message[length++] = relay.netfn_lun;
    message[length++] = relay.command;
    memcpy(message + length, request + head, size - head);
    length += size - head;
    for (size_t i = 0; i < length; i++)
        sum += message[i];
    message[length++] = (uint8_t)-sum;
    relay.deadline = now_ms() + ANSWER_MS;
    send_frame(message, length, END_MESSAGE);
}

static void wait_for_either(struct pollfd *polled)
{
    int64_t left = relay.deadline - now_ms();
    struct timespec pause = {.tv_nsec = relay.registers ? registers_pause() : 0};

    if (!relay.registers && left > 0)
        pause = (struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    ppoll(polled, 2, relay.registers || relay.asked || relay.wire < 0 ? &pause : NULL, NULL);
}

static void turn(void)
{
    struct pollfd polled[] = {{.fd = relay.device, .events = POLLIN}, {.fd = relay.wire, .events = POLLIN}};

    wait_for_either(polled);
    if (polled[1].revents && relay.wire >= 0) {
        uint8_t data[512];
        ssize_t count = recv(relay.wire, data, sizeof data, MSG_DONTWAIT);
        for (ssize_t i = 0; i < count; i++)
            receive_byte(data[i]);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
            disconnect("is gone");
    }
    if (relay.registers ? registers_turn() : polled[0].revents)
        ask();
    if (now_ms() >= relay.deadline) {
        if (relay.wire < 0)
            try_to_connect();
        else if (relay.asked)
            refuse(TIMED_OUT);
    }
}

static void stop(int number)
{
    registers_close();
    _exit(128 + number);
}

int main(int count, char **words)
{
    if (count != 4 || (strcmp(words[1], "kcs") && strcmp(words[1], "bt") && strcmp(words[1], "aspeed-kcs3")) ||
        (strncmp(words[3], "unix:", 5) && (strncmp(words[3], "tcp:", 4) || !strchr(words[3] + 4, ':')))) {
        fprintf(stderr, "usage: ipmi-relay kcs|bt|aspeed-kcs3 DEVICE unix:PATH|tcp:HOST:PORT\n"
                        "  e.g. ipmi-relay kcs /dev/ipmi-kcs3 tcp:127.0.0.1:9002\n"
                        "       ipmi-relay aspeed-kcs3 /dev/mem tcp:127.0.0.1:9002\n");
        return 2;
    }
    if (words[3][0] == 'u' && strlen(words[3] + 5) >= sizeof((struct sockaddr_un *)0)->sun_path) {
        fprintf(stderr, "ipmi-relay: %s: longer than the path of a socket may be\n", words[3] + 5);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    relay.bt = !strcmp(words[1], "bt");
    relay.address = words[3];
    relay.registers = !strcmp(words[1], "aspeed-kcs3");
    relay.device = relay.registers ? -1 : open(words[2], O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (relay.registers ? !registers_open(words[2]) : relay.device < 0) {
        const char *hint = relay.registers && errno == EPERM ? ": put iomem=relaxed on the kernel's command line" : "";
        fprintf(stderr, "ipmi-relay: %s: %s%s\n", words[2], strerror(errno), hint);
        return 1;
    }
    if (relay.registers) {
        signal(SIGTERM, stop);
        signal(SIGINT, stop);
    }
    try_to_connect();
    for (;;)
        turn();
}
