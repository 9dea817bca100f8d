/* The trace ring: CTF packets in the shared window, written in place (traces/FORMAT.md).
 *
 * A run begins with a fresh packet and has at most max_packets of them, for which the ring had room
 * before the run began: what is recorded never depends on how fast the monitor reads. */

#include "kernel.h"

static struct {
    struct fl_packet *packet; /* open, or NULL */
    struct fl_event *event;   /* where the next goes */
    struct fl_event *end;
    const struct fl_event *stop; /* behind the one with which to call stop_in_kernel; or NULL */
    uint32_t first, head, limit; /* absolute packet numbers */
    uint32_t events, lost;
    uint32_t point;
} ring HOT;

STATE_DROP(ring);

static const uint8_t uuid[16] = FL_CTF_UUID;

static void packet_open(void)
{
    struct fl_packet *packet = &shared->ring[ring.head % FL_RING_PACKETS];
    packet->magic = FL_CTF_MAGIC;
    for (unsigned i = 0; i < sizeof uuid; i++) {
        packet->uuid[i] = uuid[i];
    }
    packet->stream_id = 0;
    packet->packet_bits = FL_PACKET_SIZE * 8;
    packet->time_begin = run.now;
    ring.packet = packet;
    ring.event = packet->events;
    ring.end = packet->events + FL_PACKET_EVENTS;
}

static void packet_close(void)
{
    struct fl_packet *packet = ring.packet;
    uint32_t events = (uint32_t)(ring.event - packet->events);
    packet->time_end = run.now;
    packet->discarded = ring.lost;
    packet->content_bits = (FL_PACKET_HEADER + events * sizeof(struct fl_event)) * 8;
    ring.events += events;
    ring.packet = NULL;
    ring.event = ring.end = NULL;
    ring.head++;
    channel_store(&shared->control.ring_head, ring.head);
}

/* The last packet that the run may have stays open when it is full, to tell what was lost. */
static bool packet_next(void)
{
    if (ring.packet != NULL) {
        if (ring.head + 1 == ring.limit) {
            return false;
        }
        packet_close();
    }
    packet_open();
    return true;
}

void trace_begin(uint32_t max_packets)
{
    ring.first = ring.head;
    ring.limit = ring.head + max_packets;
    ring.events = ring.lost = 0;
    ring.point = FL_POINT_NONE;
    while (ring.limit - channel_load(&shared->control.ring_tail) > FL_RING_PACKETS) {
    }
}

void trace_end(struct fl_result *result)
{
    if (ring.packet != NULL) {
        packet_close();
    }
    result->first_packet = ring.first;
    result->packets = ring.head - ring.first;
    result->events = ring.events;
    result->lost = ring.lost;
}

uint32_t trace_events(void)
{
    return ring.packet != NULL ? ring.events + (uint32_t)(ring.event - ring.packet->events)
                               : ring.events;
}

void trace_point(uint32_t point)
{
    ring.point = point;
}

void trace_stop(uint32_t event)
{
    uint32_t number = ring.first + event / FL_PACKET_EVENTS;
    ring.stop = event / FL_PACKET_EVENTS < ring.limit - ring.first
                    ? &shared->ring[number % FL_RING_PACKETS].events[event % FL_PACKET_EVENTS + 1]
                    : NULL;
}

bool trace_stop_written(void)
{
    return ring.stop != NULL && ring.event == ring.stop;
}

void trace_space(uint32_t id, uint32_t thread, uint32_t space, uint64_t addr, uint32_t arg,
                 uint32_t aux)
{
    if (ring.event == ring.end && !packet_next()) {
        ring.lost++;
        return;
    }
    *ring.event++ = (struct fl_event){
        .id_time = run.now << 16 | id,
        .thread = thread,
        .space = (uint16_t)space,
        .point = (uint16_t)ring.point,
        .addr = addr,
        .arg = arg,
        .aux = aux,
    };
    if (ring.event == ring.stop) {
        stop_in_kernel();
    }
}

void trace(uint32_t id, const struct thread *thread, uint64_t addr, uint32_t arg, uint32_t aux)
{
    trace_space(id, thread->path, thread->space, addr, arg, aux);
}
