#include "timeline.h"

struct timeline {
    struct ctf_writer *writer;
    uint64_t last;      /* event so far */
    uint64_t discarded; /* by the runs before */
    bool stuck;
};

struct timeline *timeline_open(const char *dir, const struct fl_scenario *scenario,
                               const struct ctf_clock *clock, GError **error)
{
    struct ctf_writer *writer = ctf_writer_open_on(dir, scenario, clock, error);
    if (writer == NULL)
        return NULL;
    struct timeline *timeline = g_new0(struct timeline, 1);
    timeline->writer = writer;
    return timeline;
}

void timeline_close(struct timeline *timeline)
{
    if (timeline == NULL)
        return;
    ctf_writer_close(timeline->writer, NULL);
    g_free(timeline);
}

/* ---- the events of a run ---- */

struct events {
    struct fl_event **at; /* in order */
    size_t count;
};

static size_t packet_events(const struct fl_packet *packet)
{
    return (packet->content_bits / 8 - FL_PACKET_HEADER) / sizeof(struct fl_event);
}

static struct events events_of(struct fl_packet *packets, size_t n_packets)
{
    struct events events = {.at = g_new(struct fl_event *, n_packets * FL_PACKET_EVENTS)};
    for (size_t i = 0; i < n_packets; i++)
        for (size_t j = 0; j < packet_events(&packets[i]); j++)
            events.at[events.count++] = &packets[i].events[j];
    return events;
}

static bool asks(const struct fl_event *event, const struct timeline_decision *decision)
{
    const uint16_t id = fl_event_id(event);
    if (event->thread != decision->thread)
        return false;
    return decision->k == 0 ? id == FL_EVENT_ENTRY && event->aux == decision->n
                            : id == FL_EVENT_INTERRUPT && event->aux == decision->k;
}

/* Number of the event after the one that asks, from `from` on; `from`: there is none. */
static size_t find_question(const struct events *events, size_t from,
                            const struct timeline_decision *decision)
{
    for (size_t i = from; i < events->count; i++)
        if (asks(events->at[i], decision))
            return i + 1;
    return from;
}

/* Events [from, to) strictly between two moments of the host, as guest time lies between that of
 * the first and of the last. */
static void stretch(const struct events *events, size_t from, size_t to, uint64_t low,
                    uint64_t high)
{
    if (from == to)
        return;
    const uint64_t begin = fl_event_time(events->at[from]);
    const uint64_t end = fl_event_time(events->at[to - 1]);
    const double room = high > low + 2 ? (double)(high - low - 2) : 0;
    for (size_t i = from; i < to; i++) {
        struct fl_event *event = events->at[i];
        const double part =
            end > begin ? (double)(fl_event_time(event) - begin) / (double)(end - begin) : 0;
        const uint64_t time = low + 1 + (uint64_t)(part * room);
        event->id_time = time << 16 | fl_event_id(event);
    }
}

static void place_packets(struct fl_packet *packets, size_t n_packets, uint64_t begin)
{
    for (size_t i = 0; i < n_packets; i++) {
        const size_t count = packet_events(&packets[i]);
        packets[i].time_begin = begin;
        if (count > 0)
            begin = fl_event_time(&packets[i].events[count - 1]);
        packets[i].time_end = begin;
    }
}

uint64_t timeline_place(struct fl_packet *packets, size_t n_packets, const struct timeline_run *run,
                        uint64_t after)
{
    const struct events events = events_of(packets, n_packets);
    uint64_t low = MAX(run->posted, after);
    const uint64_t begin = low;
    size_t from = 0;
    for (size_t i = 0; i < run->n_decisions; i++) {
        const struct timeline_decision *decision = &run->decisions[i];
        const size_t to = find_question(&events, from, decision);
        if (to == from)
            continue;
        stretch(&events, from, to, low, decision->asked);
        from = to;
        low = decision->answered != 0 ? decision->answered : decision->asked;
    }
    stretch(&events, from, events.count, low, run->seen);
    place_packets(packets, n_packets, begin);
    const uint64_t last = events.count > 0 ? fl_event_time(events.at[events.count - 1]) : begin;
    g_free(events.at);
    return last;
}

bool timeline_add(struct timeline *timeline, struct fl_packet *packets, size_t n_packets,
                  const struct timeline_run *run)
{
    timeline->last = timeline_place(packets, n_packets, run, timeline->last);
    uint64_t lost = 0;
    for (size_t i = 0; i < n_packets && !timeline->stuck; i++) {
        lost = packets[i].discarded;
        packets[i].discarded += timeline->discarded;
        timeline->stuck = !ctf_writer_packet(timeline->writer, &packets[i], NULL);
    }
    timeline->discarded += lost;
    return !timeline->stuck;
}
