/* What the model and the checks know of a run, as one number: two runs that stand at the same place
 * with the same number will be judged alike if they go on alike (design, "State").
 *
 * It is a sum over facts, so the order in which they came to be does not count. How far the run has
 * come (events, time, entries) and what is only told to readers is no fact.
 */
#ifndef FAULTLINE_FINGERPRINT_H
#define FAULTLINE_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

struct model;

struct fingerprint {
    uint64_t sum;
    uint32_t teller; /* whose facts come next: 0 the model's, then those of each check */
};

/* One fact. Kinds are the teller's own. */
void fingerprint_fact(struct fingerprint *fingerprint, uint32_t kind, const void *bytes,
                      size_t size);

#define FINGERPRINT_FACT(fingerprint, kind, ...)                                                   \
    fingerprint_fact(fingerprint, kind, (const uint64_t[]){__VA_ARGS__},                           \
                     sizeof((const uint64_t[]){__VA_ARGS__}))

void model_fingerprint(const struct model *model, struct fingerprint *fingerprint);

#endif
