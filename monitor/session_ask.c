/* A guest that stands still, at a question or a stop, or whose run is watched while it goes on. */
#include "session_inside.h"

void session_answer(struct session *session, uint32_t target)
{
    session_trace_answered(session->trace, session->first, target);
    channel_answer(&session->channel, target);
}

struct asker session_asker(const struct session *session)
{
    return (struct asker){
        .frame = channel_asker_frame(&session->channel),
        .core_table = channel_core_table(&session->channel),
        .memory = guestwalk_begin(machine_memory(session->machine), session->arch,
                                  channel_asker_table(&session->channel)),
    };
}

uint32_t session_events_limit(const struct session *session)
{
    return (MIN(channel_packets(&session->channel), FL_RING_PACKETS - 1) + 1) * FL_PACKET_EVENTS;
}

/* Said to the guest that is there, and to the one that may come instead (booted). */
void session_stop_at(struct session *session, uint32_t event, uint32_t k)
{
    session->stop_event = event;
    session->stop_k = k;
    if (session->phase == PHASE_UP)
        channel_stop_at(&session->channel, event, k);
}

uint64_t session_stop_pc(const struct session *session)
{
    return channel_stop_pc(&session->channel);
}

const struct fl_event *session_event(const struct session *session, uint32_t i)
{
    g_assert(i < FL_RING_PACKETS * FL_PACKET_EVENTS);
    const uint32_t packet = session->channel.ring_tail + i / FL_PACKET_EVENTS;
    return &channel_packet(&session->channel, packet)->events[i % FL_PACKET_EVENTS];
}

void session_go_on(struct session *session)
{
    machine_unpark(session->machine);
    channel_answer(&session->channel, FL_PATH_KERNEL);
}

uint32_t session_closed(const struct session *session)
{
    bool alone = session_in_flight(session) == 1 && !session->held;
    return alone && session->phase == PHASE_UP ? channel_packets(&session->channel) : 0;
}

const struct fl_packet *session_closed_packet(const struct session *session, uint32_t i)
{
    g_assert(i < session_closed(session));
    return channel_packet(&session->channel, session->channel.ring_tail + i);
}
