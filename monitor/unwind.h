/* The calls that a thread of the guest is in, from its registers and its stack, while the guest
 * stands still. How to get from a function to its caller the image says (.debug_frame, .eh_frame).
 */
#ifndef FAULTLINE_UNWIND_H
#define FAULTLINE_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "guestwalk.h"
#include "image.h"

#define UNWIND_CALLS 32u

struct call_stack {
    uint64_t pcs[UNWIND_CALLS]; /* the thread's pc; then of each call that it is in, the innermost
                                   first, the address behind the call instruction */
    size_t n;                   /* 0: the registers are not known */
    bool whole;                 /* it ends where the thread began */
};

/* frame: offset in RAM of the registers, as the kernel of the image's architecture keeps them. The
 * guest may be out of its mind: what cannot be read ends the walk. */
struct call_stack unwind(const struct image *image, uint32_t frame, struct guestwalk *memory);

/* The same as places in the source: one for each call, and before it those that were inlined there.
 * At most max; what the image does not know is left out. */
struct call_frame {
    uint64_t pc; /* of the call_stack */
    struct source_place place;
};
size_t call_stack_frames(const struct image *image, const struct call_stack *stack,
                         struct call_frame *frames, size_t max);

#endif
