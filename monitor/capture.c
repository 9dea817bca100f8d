#include "capture.h"

#include <string.h>
#include "trace.h"

bool outcome_is_cut_short(uint32_t outcome)
{
    return outcome >= FL_OUTCOME_DEAD || outcome == FL_OUTCOME_ABI_VIOLATION;
}

/* A sound packet into the capture. The guest may have written to it since it was first checked. */
static bool keep(struct capture *capture, const struct fl_packet *packet)
{
    size_t n_events;
    g_array_append_vals(capture->packets, packet, 1);
    const guint last = capture->packets->len - 1;
    const bool sound =
        ctf_packet_check(&g_array_index(capture->packets, struct fl_packet, last), &n_events, NULL);
    if (!sound)
        g_array_set_size(capture->packets, last);
    return sound;
}

struct capture *capture_take(struct session *session, const struct run *run)
{
    struct capture *capture = g_new0(struct capture, 1);
    capture->plan = run->plan;
    capture->result = run->result;
    capture->corrupt = run->corrupt;
    capture->packets = g_array_new(FALSE, FALSE, sizeof(struct fl_packet));
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n_events;
        const struct fl_packet *packet = session_packet(session, run, i, &n_events);
        if (packet != NULL && keep(capture, packet))
            continue;
        capture->corrupt = true;
        break;
    }
    g_strlcpy(capture->death, run->death, sizeof(capture->death));
    return capture;
}

void capture_free(struct capture *capture)
{
    if (capture == NULL)
        return;
    g_array_free(capture->packets, TRUE);
    g_free(capture);
}

static const struct fl_packet *packet_at(const struct capture *capture, guint i)
{
    return &g_array_index(capture->packets, struct fl_packet, i);
}

/* What lies behind a packet's content is left over from an older run. */
static bool same_packet(const struct fl_packet *a, const struct fl_packet *b)
{
    return a->content_bits == b->content_bits && memcmp(a, b, a->content_bits / 8) == 0;
}

bool capture_same(const struct capture *a, const struct capture *b)
{
    if (a->packets->len != b->packets->len || a->result.outcome != b->result.outcome)
        return false;
    for (guint i = 0; i < a->packets->len; i++)
        if (!same_packet(packet_at(a, i), packet_at(b, i)))
            return false;
    return true;
}

/* The packets were sound when they were taken. */
static size_t packet_events(const struct fl_packet *packet)
{
    return (packet->content_bits / 8 - FL_PACKET_HEADER) / sizeof(struct fl_event);
}

struct fl_event *capture_events(const struct capture *capture, size_t *count)
{
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    for (guint i = 0; i < capture->packets->len; i++) {
        const struct fl_packet *packet = packet_at(capture, i);
        g_array_append_vals(events, packet->events, (guint)packet_events(packet));
    }
    *count = events->len;
    return (struct fl_event *)(void *)g_array_free(events, FALSE);
}

void events_preemptions(const struct fl_event *events, size_t count, uint64_t index, GArray *taken,
                        GArray *taken_at)
{
    for (size_t i = 0; i < count; i++) {
        if (fl_event_id(&events[i]) != FL_EVENT_PREEMPT)
            continue;
        const struct fl_preemption preemption = {
            .thread = events[i].thread,
            .n = events[i].arg,
            .k = events[i].aux,
            .target = (uint32_t)events[i].addr,
        };
        const uint64_t at = index + i;
        g_array_append_val(taken, preemption);
        if (taken_at != NULL)
            g_array_append_val(taken_at, at);
    }
}

const struct verdict *judge_result(struct engine *engine, const struct fl_result *result,
                                   bool corrupt)
{
    if (corrupt)
        engine_damage(engine, "the guest wrote nonsense into its trace or its result");
    else if (result->lost > 0)
        engine_damage(engine, "events were lost: the run needs more packets than it may have");
    return engine_end(engine, result->outcome);
}

const struct verdict *capture_judge(const struct capture *capture, struct engine *engine,
                                    const struct fl_scenario *scenario)
{
    engine_begin(engine, scenario, capture->plan.variant);
    for (guint i = 0; i < capture->packets->len; i++) {
        const struct fl_packet *packet = packet_at(capture, i);
        engine_events(engine, packet->events, packet_events(packet));
    }
    return judge_result(engine, &capture->result, capture->corrupt);
}

static bool same_field(enum trace_field kind, uint64_t a, uint64_t b)
{
    uint32_t page_a, page_b;
    switch (kind) {
    case TRACE_FIELD_NONE:
    case TRACE_FIELD_RAW:
    case TRACE_FIELD_PC:
    case TRACE_FIELD_SET:
        return true;
    case TRACE_FIELD_VA:
        return trace_region(a, &page_a) == trace_region(b, &page_b) && page_a == page_b;
    default:
        return a == b;
    }
}

static bool same_event(const struct fl_event *a, const struct fl_event *b)
{
    const struct trace_event_info *info = trace_event_info(fl_event_id(a));
    if (fl_event_id(a) != fl_event_id(b) || a->thread != b->thread || a->space != b->space ||
        a->point != b->point || info == NULL)
        return false;
    return same_field(info->addr_kind, a->addr, b->addr) &&
           same_field(info->arg_kind, a->arg, b->arg) && same_field(info->aux_kind, a->aux, b->aux);
}

size_t events_differ(const struct fl_event *a, size_t n_a, const struct fl_event *b, size_t n_b)
{
    for (size_t i = 0; i < MIN(n_a, n_b); i++)
        if (!same_event(&a[i], &b[i]))
            return i;
    return n_a == n_b ? SIZE_MAX : MIN(n_a, n_b);
}
