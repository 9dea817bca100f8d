/* Only the first run after a boot is looked at: it begins with packet 0, and has no more packets
 * than the ring. */
#include "ring.h"

#include <stddef.h>
#include <string.h>

static struct fl_shared *shared_of(struct guestmem *memory)
{
    return guestmem_at(memory, FL_SHARED_OFFSET, sizeof(struct fl_shared), FL_PAGE_SIZE);
}

uint64_t ring_event_offset(size_t i)
{
    return FL_SHARED_OFFSET + offsetof(struct fl_shared, ring) +
           i / FL_PACKET_EVENTS % FL_RING_PACKETS * sizeof(struct fl_packet) +
           offsetof(struct fl_packet, events) + i % FL_PACKET_EVENTS * sizeof(struct fl_event);
}

uint64_t ring_end_offset(void)
{
    return FL_SHARED_OFFSET + offsetof(struct fl_shared, control.plan_tail);
}

uint64_t ring_given_offset(void)
{
    return FL_SHARED_OFFSET + offsetof(struct fl_shared, control.result_head);
}

bool ring_result(struct guestmem *memory, struct fl_result *result)
{
    const struct fl_shared *shared = shared_of(memory);
    if (shared->control.plan_tail.value == 0)
        return false;
    *result = shared->results[0];
    return true;
}

static bool written(const struct fl_packet *packet, size_t i)
{
    static const struct fl_event nothing;
    return packet->magic == FL_CTF_MAGIC &&
           memcmp(&packet->events[i], &nothing, sizeof nothing) != 0;
}

/* The packet that is open does not say yet how many it holds; what comes after is zero. The very
 * first event may be all zero itself: it is there when the second is. */
static size_t count_events(const struct fl_packet *packet, bool first)
{
    size_t count = first && written(packet, 1) ? 1 : 0;
    while (count < FL_PACKET_EVENTS && written(packet, count))
        count++;
    return count;
}

GArray *ring_events(struct guestmem *memory)
{
    const struct fl_shared *shared = shared_of(memory);
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    for (size_t i = 0; i < FL_RING_PACKETS; i++) {
        const struct fl_packet *packet = &shared->ring[i];
        const size_t count = count_events(packet, i == 0);
        g_array_append_vals(events, packet->events, (guint)count);
        if (count < FL_PACKET_EVENTS)
            break;
    }
    return events;
}

size_t ring_common(struct guestmem *memory, const struct fl_event *events, size_t count)
{
    const struct fl_shared *shared = shared_of(memory);
    size_t i = 0;
    for (; i < count; i++) {
        const struct fl_packet *packet = &shared->ring[i / FL_PACKET_EVENTS % FL_RING_PACKETS];
        if (packet->magic != FL_CTF_MAGIC ||
            memcmp(&packet->events[i % FL_PACKET_EVENTS], &events[i], sizeof *events) != 0)
            break;
    }
    return i;
}

void ring_prepare(struct guestmem *memory, const struct fl_plan *plan)
{
    struct fl_shared *shared = shared_of(memory);
    memset(guestmem_at(memory, 0, FL_RAM_SIZE, 1), 0, FL_RAM_SIZE);
    shared->plans[0] = *plan;
    shared->control.plan_head.value = 1;
}
