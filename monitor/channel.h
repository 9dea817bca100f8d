/* The host's end of the shared window: plans out, results and questions in.
 *
 * What the guest wrote is read once, checked, and only then believed. The host's own counters are
 * kept here and never read back from memory that the guest can write. Private to the session.
 */
#ifndef FAULTLINE_CHANNEL_H
#define FAULTLINE_CHANNEL_H

#include <stdbool.h>
#include "abi.h"

#define CHANNEL_REASON 160

struct channel {
    struct fl_shared *shared;
    uint32_t posted;    /* plans */
    uint32_t taken;     /* results */
    uint32_t ring_tail; /* packets released: where the next result's packets begin */
    uint32_t ring_seen; /* packets closed, as far as that was believed */
    uint32_t answered;  /* decisions */
};

/* All that a guest moves. As long as any of it changes, the guest is at work. */
struct channel_progress {
    uint32_t plan_tail, result_head, ring_head, ask;
};

enum channel_news { CHANNEL_NOTHING, CHANNEL_RESULT, CHANNEL_ASK, CHANNEL_NONSENSE };

/* A new guest on zeroed memory. */
void channel_attach(struct channel *channel, struct fl_shared *shared);

enum channel_boot { CHANNEL_BOOTING, CHANNEL_BOOTED, CHANNEL_FOREIGN };
/* FOREIGN: it has booted, with another ABI than ours. */
enum channel_boot channel_boot(const struct channel *channel);

/* There is a free slot: fewer than FL_PLAN_SLOTS plans without a result. */
void channel_post(struct channel *channel, const struct fl_plan *plan);
/* NONSENSE: the guest broke the ABI, and `reason` says how. `serial`: of the plan whose result is
 * due. */
enum channel_news channel_poll(struct channel *channel, uint32_t serial, struct fl_result *result,
                               char reason[CHANNEL_REASON]);
/* Packets that the guest had closed when it was last looked at, and that are not released. What it
 * writes to its counter afterwards takes none of them back. */
uint32_t channel_packets(const struct channel *channel);
const struct fl_packet *channel_packet(const struct channel *channel, uint32_t number);
/* All packets before number `end` may be overwritten. */
void channel_release(struct channel *channel, uint32_t end);

void channel_decision(const struct channel *channel, struct fl_decision *decision);
void channel_answer(struct channel *channel, uint32_t target);
/* What the guest says of where core's page table is; and the answer to an audit. */
uint32_t channel_core_table(const struct channel *channel);
/* And of the thread that it asks about (fl_control.decision_frame, decision_table). */
uint32_t channel_asker_frame(const struct channel *channel);
uint32_t channel_asker_table(const struct channel *channel);
void channel_audited(struct channel *channel, const struct fl_audit_result *result);

/* Mode step: where the guest stands still next; whether it does, having asked; and what it says of
 * that place. */
void channel_stop_at(struct channel *channel, uint32_t event, uint32_t k);
bool channel_stands(const struct channel *channel);
uint64_t channel_stop_pc(const struct channel *channel);

/* Results that wait to be taken, as far as the guest says: any number. */
uint32_t channel_waiting(const struct channel *channel);
struct channel_progress channel_progress(const struct channel *channel);

#endif
