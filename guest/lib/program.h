/* A program: what runs in a scenario's domains, or the pager. Every program has its own copy of the
 * library. Its text and data are mapped before its first instruction. */
#ifndef FAULTLINE_PROGRAM_H
#define FAULTLINE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"
#include "info.h"
#include "sys.h"

/* Each scenario, and core, defines one. main[i] is the main function of the i-th domain; the thread
 * exits when it returns. */
struct program {
    void (*main[FL_MAX_DOMAINS])(void);
};
extern const struct program program;

/* Where the descriptor of a scenario lies: read by the monitor from the image, never loaded. */
#define SCENARIO_TABLE __attribute__((section(".faultline.scenarios"), used))

/* The main thread of domain i. Core names the threads once it has made them all; it may have been
 * preempted in between, so whoever comes before waits here. */
tid_t program_thread(unsigned domain);

/* An error that nobody handles: said to the trace, and the end of the thread, as an uncaught
 * exception is in C++. `where`: the address that it is about. */
SYS_ALWAYS_INLINE _Noreturn void program_raise(uint32_t error, uint32_t where)
{
    sys_mark(FL_EVENT_MARK_ERROR, where, error, 0);
    sys_thread_halt(0, FL_HALT_UNCAUGHT_ERROR);
    __builtin_unreachable();
}

/* What a scenario takes for granted: when it does not hold, its thread ends with an error. */
SYS_ALWAYS_INLINE void program_expect(bool holds)
{
    if (!holds)
        program_raise(FL_ERROR_INVALID, 0);
}

#endif
