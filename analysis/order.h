/* What happens before what, by vector clocks: each thread counts its own steps, and knows of every
 * other how far it had come when something last passed from there to here. Private to the races.
 */
#ifndef FAULTLINE_ORDER_H
#define FAULTLINE_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

struct order;

struct order *order_new(void);
void order_free(struct order *order);
void order_begin(struct order *order);
void order_event(struct order *order, const struct fl_event *event);

/* Threads by number, in the order in which they are first asked for, and back. */
uint32_t order_thread(struct order *order, uint32_t path);
uint32_t order_path(const struct order *order, uint32_t thread);

/* The thread's own clock: what it does now happens then. */
uint32_t order_clock(const struct order *order, uint32_t thread);
/* Whether what `thread` did at `clock` comes before what `later` does now. */
bool order_before(const struct order *order, uint32_t thread, uint32_t clock, uint32_t later);

#endif
