/* What a debugger and the VMM say to each other: records of fixed size, both on x86-64. The VMM
 * says first how the guest stands, before its first instruction, and then answers each order with
 * it.
 *
 * Where the guest stands is a pair: how often it came to the mark, an instruction of its kernel's,
 * and how many steps it has made since. */
#ifndef FAULTLINE_KVM_DEBUG_PROTOCOL_H
#define FAULTLINE_KVM_DEBUG_PROTOCOL_H

#include <stdint.h>

#define DEBUG_MAGIC  0x67646246u
#define DEBUG_BREAKS 64u /* at a time */

/* As gdb numbers them (org.gnu.gdb.i386.core), without those of the FPU, which no guest has. */
enum debug_register { DEBUG_RSP = 7, DEBUG_RIP = 16, DEBUG_RFLAGS = 17, DEBUG_REGISTERS = 26 };

enum debug_verb {
    DEBUG_MARK,  /* goes on at full speed until it came to the mark at `address` `count` times */
    DEBUG_RUN,   /* steps until it stands at (marks, steps) or later, or has made `count` steps */
    DEBUG_STOP,  /* has such a run end; answered by that alone */
    DEBUG_SET,   /* register `kind` is `address` */
    DEBUG_WRITE, /* the byte at physical `address` is `kind` */
    DEBUG_BREAK, /* a breakpoint (0), or `count` bytes that are watched for a change (1) */
    DEBUG_CLEAR, /* all of these are gone */
    DEBUG_VERBS
};

struct debug_order {
    uint32_t magic, verb;
    uint64_t address, count, kind;
    uint64_t marks, steps;
};

enum debug_reason {
    DEBUG_THERE,
    DEBUG_AT_BREAK,
    DEBUG_CHANGED, /* what is watched at `address` */
    DEBUG_STOPPED,
    DEBUG_REFUSED, /* the order makes no sense */
};

struct debug_state {
    uint32_t magic, reason;
    uint64_t address;
    uint64_t marks, steps;
    uint64_t marks_before, steps_before; /* one step ago */
    uint64_t registers[DEBUG_REGISTERS];
};

#endif
