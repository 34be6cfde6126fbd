/* KCS and BT registers that always give the same answers, for the accesses of a vfio-user client: what is left
 * of the time when a server's own is as good as nothing.
 *   gcc -O2 -shared -fPIC -o floor.so floor.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { REGION_READ = 9, REGION_WRITE = 10, REPLY = 1, NO_REPLY = 0x10 };

struct access {
    uint16_t id, command;
    uint32_t size, flags, error;
    uint64_t offset;
    uint32_t region, count;
    uint8_t data;
} __attribute__((packed));

static uint8_t request[256], answer[256];
static unsigned written, position, length;

/* Behind netFn and command: what Linux asks when it finds a controller, and Get Device ID. */
static unsigned execute(uint8_t netfn, uint8_t command, uint8_t *data)
{
    static const uint8_t device[] = {0, 0x20, 0x81, 0, 0x01, 2, 0xbf, 0xd9, 0x7e, 0, 1, 0};
    if (netfn == 0x18 && command == 0x01) return memcpy(data, device, sizeof device), sizeof device;
    if (netfn == 0x18 && command == 0x08) return memset(data, 0, 17), 17;
    if (netfn == 0x18 && (command == 0x2f || command == 0x31)) return memset(data, 0, 2), 2;
    data[0] = netfn == 0x18 && (command == 0x2e || command == 0x30) ? 0 : 0xc1;
    return 1;
}

static unsigned state, obf, last, output;

static uint8_t kcs_read(unsigned offset)
{
    if (offset == 1) return state << 6 | obf;
    obf = 0;
    return output;
}

static void kcs_write(unsigned offset, uint8_t value)
{
    output = 0;
    if (offset == 1) {
        state = value == 0x61 || value == 0x62 ? 2 : 3;
        last = value == 0x62;
        if (value == 0x61) written = 0;
    } else if (state == 2) {
        request[written++ & 0xff] = value;
        if (last) {
            answer[0] = request[0] | 4;
            answer[1] = request[1];
            length = 2 + execute(request[0], request[1], answer + 2);
            position = 0;
            state = 1;
            output = answer[position++];
        }
    } else if (state == 1) {
        if (position < length) output = answer[position++];
        else state = 0;
    }
    obf = 1;
}

static unsigned b2h_atn, h_busy;

static uint8_t bt_read(unsigned offset)
{
    if (offset == 0) return b2h_atn | h_busy;
    return offset == 1 ? answer[position++ & 0xff] : 0;
}

static void bt_write(unsigned offset, uint8_t value)
{
    if (offset == 1) request[written++ & 0xff] = value;
    if (offset != 0) return;
    if (value & 0x01) written = 0;
    if (value & 0x02) position = 0;
    if (value & 0x08) b2h_atn = 0;
    if (value & 0x40) h_busy ^= 0x40;
    if (value & 0x04) {
        memcpy(answer + 1, request + 1, 3);
        answer[1] |= 4;
        answer[0] = 3 + execute(request[1], request[3], answer + 4);
        b2h_atn = 0x08;
    }
}

static long receive(int client, struct msghdr *message, long attentive)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (;;) {
        sched_yield();
        long size = recvmsg(client, message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (size >= 0 || errno != EAGAIN) return size;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec >= attentive)
            return recvmsg(client, message, MSG_CMSG_CLOEXEC);
    }
}

/* Serve accesses until something else comes: its size, with descriptors if `control` has a size then. */
long serve(int client, int bt, long attentive, uint8_t *data, size_t room, void *control, size_t *control_size)
{
    size_t control_room = *control_size;
    for (;;) {
        struct iovec part = {data, room};
        struct msghdr message = {0, 0, &part, 1, control, control_room, 0};
        long size = receive(client, &message, attentive);
        *control_size = message.msg_controllen;
        struct access *access = (void *)data;
        if (size < 32 || message.msg_controllen || access->region ||
            (access->command != REGION_READ && access->command != REGION_WRITE)) return size;
        for (; (uint8_t *)access < data + size; access = (void *)((uint8_t *)access + access->size)) {
            struct access reply = *access;
            reply.flags = REPLY;
            if (access->command == REGION_READ) {
                reply.size = 33;
                reply.data = bt ? bt_read(access->offset) : kcs_read(access->offset);
            } else {
                reply.size = 32;
                (bt ? bt_write : kcs_write)(access->offset, access->data);
                if (access->flags & NO_REPLY) continue;
            }
            if (send(client, &reply, reply.size, 0) < 0) return -1;
        }
    }
}
