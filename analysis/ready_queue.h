/* The kernel's ready queue, in its order, made again from the events of a run: entries tell who is
 * in it, but the default schedule goes by who is first. Two runs with one happens-before relation
 * may have it in another order.
 */
#ifndef FAULTLINE_READY_QUEUE_H
#define FAULTLINE_READY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"

struct ready_queue;

struct ready_queue *ready_queue_new(void);
void ready_queue_free(struct ready_queue *queue);

void ready_queue_begin(struct ready_queue *queue);
void ready_queue_event(struct ready_queue *queue, const struct fl_event *event);

/* Whether all that the guest said by now was as the queue has it: who is in it, and that its head
 * was taken where nobody was named. If not, nothing is known of it until the next run. */
bool ready_queue_is_sure(const struct ready_queue *queue);
/* Paths, the head first. Valid until the next event. */
const uint32_t *ready_queue_threads(const struct ready_queue *queue, size_t *n);
/* Equal where the queue is, and the numbers that threads have: the kernel goes through threads by
 * their numbers where it wakes several. */
uint64_t ready_queue_hash(const struct ready_queue *queue);

#endif
