/* The VMM's side of a debugger's line (kvm/debug.c) with a machine of no processor: each step goes
 * one byte further and stores its number where a watchpoint may see it; after so many it ends. What
 * would be asked of KVM is answered here, by name. */
#ifndef FAULTLINE_TESTS_DEBUGGED_MACHINE_H
#define FAULTLINE_TESTS_DEBUGGED_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "abi.h"

#define stepped_read   machine_read
#define stepped_write  machine_write
#define stepped_step   machine_step
#define stepped_run_to machine_run_to
#define debug_open     machine_debug_open
#define debug_run      machine_debug_run
#define ioctl          machine_ioctl
static int machine_ioctl(int fd, unsigned long request, ...);
#include "backend/kvm/debug.c"
#undef ioctl

#define MACHINE_KERNEL 0xffffffff80000000u
#define MACHINE_CODE   (MACHINE_KERNEL + 0x1000)
#define MACHINE_STORES 0x2000u /* offset in RAM */

enum { MACHINE_STEPS = 1000 };
static unsigned machine_left;

static int machine_ioctl(int fd, unsigned long request, ...)
{
    (void)fd;
    (void)request;
    return 0;
}

bool machine_read(struct stepped *stepped)
{
    stepped->regs = (struct kvm_regs){.rip = MACHINE_CODE};
    return true;
}

bool machine_write(struct stepped *stepped)
{
    (void)stepped;
    return true;
}

bool machine_step(struct stepped *stepped)
{
    stepped->ram[MACHINE_STORES] = (uint8_t)(machine_left / 16);
    stepped->regs.rip++;
    return machine_left-- > 0;
}

bool machine_run_to(struct stepped *stepped, uint64_t mark)
{
    if (stepped_kernel(stepped, mark, 1) == NULL)
        return false;
    stepped->regs.rip = mark;
    return machine_left-- > 0;
}

/* Hears these bytes, then nothing more. What it says is left in `said`; returns how much that is.
 */
static inline size_t machine_hears(const void *orders, size_t size, void *said, size_t room)
{
    static uint8_t *ram;
    if (ram == NULL)
        ram = mmap(NULL, FL_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int line[2];
    size_t heard = 0;
    struct kvm_run run = {.exit_reason = KVM_EXIT_HLT};
    struct vcpu vcpu = {.fd = -1, .run = &run, .ram = {.userspace_addr = (uintptr_t)ram}};
    char text[EXIT_TEXT];
    ssize_t n = 0;
    if (ram == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM, 0, line) != 0 ||
        write(line[0], orders, size) != (ssize_t)size)
        abort();
    shutdown(line[0], SHUT_WR);
    machine_left = MACHINE_STEPS;
    memset(ram, 0, 0x3000);
    machine_debug_run(&vcpu, line[1], text);
    close(line[1]);
    while (heard < room && (n = read(line[0], (uint8_t *)said + heard, room - heard)) > 0)
        heard += (size_t)n;
    close(line[0]);
    return heard;
}

#endif
