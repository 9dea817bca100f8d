/* A guest of a few instructions (selftest_guest.S) with tables, gates and a processor set up for
 * it: what the self-test and the measurements are made of. */
#ifndef FAULTLINE_KVM_TINY_GUEST_H
#define FAULTLINE_KVM_TINY_GUEST_H

#include "complaint.h"
#include "vcpu.h"

#define TINY_MAX_SAID 4
#define TINY_MAX_RUNS 10000 /* of KVM_RUN: a guest that comes to its end needs a few */

struct tiny_guest {
    struct vcpu vcpu;
    uint8_t *ram;
    struct complaint *what; /* went wrong: of every function that returns false */
    uint32_t said[TINY_MAX_SAID];
    unsigned n_said;
};

enum tiny_mode { TINY_RING0, TINY_RING3, TINY_PROTECTED };

struct tiny_gate {
    uint8_t vector;
    const uint8_t *handler; /* NULL: none */
};

/* Other exceptions than these end in a report. */
struct tiny_start {
    const uint8_t *entry;
    struct tiny_gate gates[2];
    enum tiny_mode mode;
};

bool tiny_open(struct tiny_guest *guest, int kvm, struct complaint *what);
void tiny_close(struct tiny_guest *guest);
bool tiny_start(struct tiny_guest *guest, const struct tiny_start *start);

/* Physical address of a label of selftest_guest.S. */
uint32_t tiny_address(const uint8_t *label);
uint64_t tiny_program_counter(const struct tiny_guest *guest);

/* As with ioctl: 0, or -1 and errno. */
int tiny_run(struct tiny_guest *guest);
/* Lets it run to its end, and keeps what it says. */
bool tiny_run_to_end(struct tiny_guest *guest);
/* Says where it stands instead; always false. errno_value: of KVM_RUN if that failed, else 0. */
bool tiny_not_meant(struct tiny_guest *guest, int errno_value);
/* KVM_SET_GUEST_DEBUG; breakpoint: address for DR0, 0 for none. */
bool tiny_debug(struct tiny_guest *guest, uint32_t control, uint64_t breakpoint);
/* Logs the pages that it writes, from now on. */
bool tiny_log_dirty_pages(struct tiny_guest *guest);

#endif
