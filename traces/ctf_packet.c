/* Whether a packet is sound: what a reader may rely on, and babeltrace2 stops at when it is not. */
#include <string.h>
#include "ctf_packet.h"

#define TIME_END (UINT64_C(1) << 48) /* an event has 48 bits for its time */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "packets are read as they lie");

static const uint8_t uuid[16] = FL_CTF_UUID;

void ctf_trace_uuid(const struct ctf_clock *clock, uint8_t result[16])
{
    memcpy(result, uuid, sizeof uuid);
    if (clock) {
        result[12] = (uint8_t)(clock->number >> 8);
        result[13] = (uint8_t)clock->number;
    }
}

static const char *header_fault(const struct fl_packet *packet, uint64_t content)
{
    if (packet->magic != FL_CTF_MAGIC)
        return "wrong magic number";
    if (memcmp(packet->uuid, uuid, sizeof uuid) != 0)
        return "UUID of another kind of trace";
    if (packet->stream_id != 0)
        return "unknown stream";
    if (packet->packet_bits != 8 * FL_PACKET_SIZE)
        return "wrong packet size";
    if (content < 8 * FL_PACKET_HEADER || content > 8 * FL_PACKET_SIZE)
        return "content does not fit the packet";
    if ((content - 8 * FL_PACKET_HEADER) % (8 * sizeof(struct fl_event)) != 0)
        return "content ends within an event";
    if (packet->time_begin > packet->time_end || packet->time_end >= TIME_END)
        return "times of the packet are impossible";
    return NULL;
}

static const char *events_fault(const struct fl_packet *packet, size_t count)
{
    uint64_t now = packet->time_begin;
    for (size_t i = 0; i < count; i++) {
        const struct fl_event *event = &packet->events[i];
        if (!trace_event_info(fl_event_id(event)))
            return "unknown event";
        if (fl_event_time(event) < now)
            return "time goes backward";
        now = fl_event_time(event);
    }
    return now > packet->time_end ? "an event is later than the packet's end" : NULL;
}

/* A packet of the live ring can change at any moment: its size is read once. */
bool ctf_packet_check(const struct fl_packet *packet, size_t *n_events, const char **reason)
{
    *n_events = 0;
    uint64_t content = __atomic_load_n(&packet->content_bits, __ATOMIC_RELAXED);
    const char *fault = header_fault(packet, content);
    if (!fault) {
        size_t count = (content / 8 - FL_PACKET_HEADER) / sizeof(struct fl_event);
        fault = events_fault(packet, count);
        if (!fault)
            *n_events = count;
    }
    if (reason)
        *reason = fault;
    return !fault;
}

bool ctf_sequence_check(struct ctf_sequence *sequence, const struct fl_packet *packet,
                        size_t *n_events, const char **reason)
{
    if (!ctf_packet_check(packet, n_events, reason))
        return false;
    if (packet->time_begin < sequence->time_end)
        *reason = "it begins before the packet before it ends";
    else if (packet->discarded < sequence->discarded)
        *reason = "the counter of lost events goes backward";
    sequence->time_end = packet->time_end;
    sequence->discarded = packet->discarded;
    return !*reason;
}

/* The step is one to one in the sum and in the word alike (FORMAT.md, Checksums). */
uint64_t ctf_packet_sum(const struct fl_packet *packet)
{
    const char *bytes = (const char *)packet;
    uint64_t sum = 0;
    for (size_t at = 0; at < sizeof *packet; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    return sum;
}
