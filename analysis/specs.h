/* The sequential specifications of guest/abi/specs.def: state, and what each operation does to it.
 */
#ifndef FAULTLINE_SPECS_H
#define FAULTLINE_SPECS_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

#define SPEC_MAX_VALUES 64u

/* All zero: as it begins. Equal states have equal bytes. */
struct spec_state {
    uint32_t n;
    uint32_t values[SPEC_MAX_VALUES];
};

/* One operation as it was seen. */
struct spec_call {
    uint32_t operation; /* FL_OPERATION_* */
    uint32_t argument;
    uint32_t result;
    bool ended; /* else the result is not known, and any will do */
};

enum spec_step {
    SPEC_IMPOSSIBLE, /* not here, with that result */
    SPEC_DONE,
    SPEC_FULL, /* more values than a state has room for */
};

/* Does the operation now, if it can have come to its result now. */
enum spec_step spec_apply(struct spec_state *state, const struct spec_call *call);

/* "pool" and "take"; NULL: no such operation. */
const char *spec_name(uint32_t operation);
const char *spec_operation_name(uint32_t operation);

#endif
