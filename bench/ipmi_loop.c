/* Get Device ID over /dev/ipmi0, one after the other, for the number of times in argv[1]; prints nanoseconds.
 * Freestanding, so that it is small enough to be handed to a guest on a command line:
 *   gcc -Os -static -nostdlib -ffreestanding -fno-stack-protector -o ipmi_loop ipmi_loop.c
 */
#include <linux/ioctl.h>
#include <linux/ipmi.h>
#include <linux/poll.h>
#include <linux/time.h>
#include <asm/unistd.h>

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static long long now(void)
{
    struct timespec { long seconds, nanoseconds; } time;
    call(__NR_clock_gettime, 1, (long)&time, 0);
    return time.seconds * 1000000000LL + time.nanoseconds;
}

static void finish(long long value, int status)
{
    char text[24], *at = text + sizeof text;
    *--at = '\n';
    do *--at = '0' + value % 10; while (value /= 10);
    call(__NR_write, 1, (long)at, text + sizeof text - at);
    call(__NR_exit, status, 0, 0);
}

__attribute__((used)) static void start(long *stack)
{
    long count = 0, device;
    for (char *digit = (char *)stack[2]; *digit; digit++) count = count * 10 + *digit - '0';
    device = call(__NR_open, (long)"/dev/ipmi0", 2, 0);
    if (device < 0) finish(-device, 1);
    struct ipmi_system_interface_addr address = {IPMI_SYSTEM_INTERFACE_ADDR_TYPE, IPMI_BMC_CHANNEL, 0};
    unsigned char data[64];
    long long began = now();
    for (long i = 0; i < count; i++) {
        struct ipmi_req request = {(void *)&address, sizeof address, i, {6, 1, 0, 0}};
        struct ipmi_addr from;
        struct ipmi_recv reply = {0, (void *)&from, sizeof from, 0, {0, 0, sizeof data, data}};
        struct pollfd ready = {device, POLLIN, 0};
        long error = call(__NR_ioctl, device, IPMICTL_SEND_COMMAND, (long)&request);
        if (error < 0) finish(-error, 2);
        if (call(__NR_poll, (long)&ready, 1, 5000) != 1) finish(i, 3);
        error = call(__NR_ioctl, device, IPMICTL_RECEIVE_MSG_TRUNC, (long)&reply);
        if (error < 0) finish(-error, 4);
        if (data[0]) finish(data[0], 5);
    }
    finish(now() - began, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
