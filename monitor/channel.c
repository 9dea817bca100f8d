#include "channel.h"

#include <glib.h>
#include <string.h>

static uint32_t load(const struct fl_counter *counter)
{
    return __atomic_load_n(&counter->value, __ATOMIC_ACQUIRE);
}

static void store(struct fl_counter *counter, uint32_t value)
{
    __atomic_store_n(&counter->value, value, __ATOMIC_RELEASE);
}

void channel_attach(struct channel *channel, struct fl_shared *shared)
{
    *channel = (struct channel){.shared = shared};
}

enum channel_boot channel_boot(const struct channel *channel)
{
    const struct fl_control *control = &channel->shared->control;
    if (__atomic_load_n(&control->magic, __ATOMIC_ACQUIRE) != FL_ABI_MAGIC ||
        __atomic_load_n(&control->state, __ATOMIC_ACQUIRE) != FL_STATE_READY)
        return CHANNEL_BOOTING;
    return control->abi_version == FL_ABI_VERSION ? CHANNEL_BOOTED : CHANNEL_FOREIGN;
}

void channel_post(struct channel *channel, const struct fl_plan *plan)
{
    g_assert(channel->posted - channel->taken < FL_PLAN_SLOTS);
    g_assert(plan->n_preemptions <= FL_MAX_PREEMPTIONS);
    size_t used =
        offsetof(struct fl_plan, preemptions) + plan->n_preemptions * sizeof(struct fl_preemption);
    memcpy(&channel->shared->plans[channel->posted % FL_PLAN_SLOTS], plan, used);
    store(&channel->shared->control.plan_head, ++channel->posted);
}

uint32_t channel_packets(const struct channel *channel)
{
    return channel->ring_seen - channel->ring_tail;
}

/* false: the guest's counter says what cannot be. */
static bool see_packets(struct channel *channel, uint32_t head)
{
    if (head - channel->ring_tail > FL_RING_PACKETS ||
        head - channel->ring_tail < channel_packets(channel))
        return false;
    channel->ring_seen = head;
    return true;
}

static bool is_guest_outcome(uint32_t outcome)
{
    return outcome >= FL_OUTCOME_EXITED && outcome <= FL_OUTCOME_KNOWN;
}

static enum channel_news nonsense(char reason[CHANNEL_REASON], const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static enum channel_news nonsense(char reason[CHANNEL_REASON], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_vsnprintf(reason, CHANNEL_REASON, format, args);
    va_end(args);
    return CHANNEL_NONSENSE;
}

/* The copy of a result, against what the host knows. One without packets may name any as its first.
 */
static enum channel_news check_result(const struct channel *channel, uint32_t serial,
                                      struct fl_result *result, char reason[CHANNEL_REASON])
{
    uint32_t closed = channel_packets(channel);
    bool alone = channel->posted - channel->taken == 1;
    if (result->packets == 0)
        result->first_packet = channel->ring_tail;
    if (result->serial != serial)
        return nonsense(reason, "a result for plan %u came where that of plan %u was due",
                        result->serial, serial);
    if (!is_guest_outcome(result->outcome))
        return nonsense(reason, "the result has outcome %u, which no guest can give",
                        result->outcome);
    if (result->first_packet != channel->ring_tail || result->packets > closed ||
        (alone && result->packets != closed))
        return nonsense(reason, "the result has packets %u + %u, the ring holds %u + %u",
                        result->first_packet, result->packets, channel->ring_tail, closed);
    return CHANNEL_RESULT;
}

enum channel_news channel_poll(struct channel *channel, uint32_t serial, struct fl_result *result,
                               char reason[CHANNEL_REASON])
{
    const struct fl_control *control = &channel->shared->control;
    uint32_t in_flight = channel->posted - channel->taken;
    /* First: a guest that asks stands still, so whatever it did before is then seen below. The
     * other way round a run could end and the next one ask between two looks, and the question
     * would be taken for the first one's. */
    uint32_t asked = load(&control->ask) - channel->answered;
    uint32_t ready = load(&control->result_head) - channel->taken;
    uint32_t begun = load(&control->plan_tail) - channel->taken;
    uint32_t head = load(&control->ring_head);
    bool ring_sound = see_packets(channel, head);
    if (ready > in_flight || begun > in_flight)
        return nonsense(reason, "%u results and %u plans begun, of %u plans in flight", ready,
                        begun, in_flight);
    if (!ring_sound)
        return nonsense(reason, "%u packets not released, where there were %u",
                        head - channel->ring_tail, channel_packets(channel));
    if (asked > 1)
        return nonsense(reason, "%u decisions not answered", asked);
    if (ready > 0) {
        *result = channel->shared->results[channel->taken % FL_RESULT_SLOTS];
        return check_result(channel, serial, result, reason);
    }
    return asked == 1 ? CHANNEL_ASK : CHANNEL_NOTHING;
}

const struct fl_packet *channel_packet(const struct channel *channel, uint32_t number)
{
    return &channel->shared->ring[number % FL_RING_PACKETS];
}

void channel_release(struct channel *channel, uint32_t end)
{
    channel->ring_tail = end;
    store(&channel->shared->control.ring_tail, end);
    store(&channel->shared->control.result_tail, ++channel->taken);
}

void channel_decision(const struct channel *channel, struct fl_decision *decision)
{
    *decision = channel->shared->control.decision;
}

void channel_answer(struct channel *channel, uint32_t target)
{
    struct fl_control *control = &channel->shared->control;
    __atomic_store_n(&control->decision_target, target, __ATOMIC_RELAXED);
    store(&control->answer, ++channel->answered);
}

uint32_t channel_core_table(const struct channel *channel)
{
    return channel->shared->control.core_table;
}

uint32_t channel_asker_frame(const struct channel *channel)
{
    return channel->shared->control.decision_frame;
}

uint32_t channel_asker_table(const struct channel *channel)
{
    return channel->shared->control.decision_table;
}

void channel_audited(struct channel *channel, const struct fl_audit_result *result)
{
    channel->shared->control.audit = *result;
    channel_answer(channel, FL_PATH_KERNEL);
}

void channel_stop_at(struct channel *channel, uint32_t event, uint32_t k)
{
    channel->shared->control.stop.event = event;
    channel->shared->control.stop.k = k;
}

bool channel_stands(const struct channel *channel)
{
    return channel->shared->control.stop.standing != 0;
}

uint64_t channel_stop_pc(const struct channel *channel)
{
    return channel->shared->control.stop.pc;
}

uint32_t channel_waiting(const struct channel *channel)
{
    return load(&channel->shared->control.result_head) - channel->taken;
}

struct channel_progress channel_progress(const struct channel *channel)
{
    const struct fl_control *control = &channel->shared->control;
    return (struct channel_progress){
        .plan_tail = load(&control->plan_tail),
        .result_head = load(&control->result_head),
        .ring_head = load(&control->ring_head),
        .ask = load(&control->ask),
    };
}
