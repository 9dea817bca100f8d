/* Which instruction of a guest image can follow which: for tests that stand on one after the other.
 */
#ifndef FAULTLINE_TESTS_FOLLOW_H
#define FAULTLINE_TESTS_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include "image.h"

enum { CALLS = 16 };

/* Where calls return to, innermost last. */
struct calls {
    uint32_t to[CALLS];
    unsigned depth;
};

struct code;

/* From and to those addresses of an image of any architecture, which must outlive it. */
struct code *code_open(const struct image *image, uint32_t from, uint32_t to);
void code_close(struct code *code);

/* Whether the instruction at `to` can be the next after the one at `from`. */
bool code_can_follow(const struct code *code, struct calls *calls, uint32_t from, uint32_t to);

#endif
