/* A guest for tests: a thread that plays the guest's side of the shared window, well or badly. The
 * plan's `scenario` says what it does with that plan. */
#ifndef FAULTLINE_TEST_FAKE_GUEST_H
#define FAULTLINE_TEST_FAKE_GUEST_H

#include <glib.h>
#include <string.h>
#include "backend/backend.h"
#include "backend/child.h"

enum trick {
    GOOD,
    ASKS,   /* `variant` decisions; the targets answered are summed into fault_addr */
    STANDS, /* `variant` times, in mode step: says which stop it was told of by n and k */
    DIES,   /* with one packet closed */
    SILENT, /* with one packet closed */
    WRONG_SERIAL,
    WRONG_OUTCOME,
    WRONG_COUNT,   /* of events */
    RESULTS_AHEAD, /* of what was posted */
    RESULTS_BACK,
    PLANS_AHEAD,
    ASKS_AHEAD,
    RING_AHEAD,      /* more packets than the ring has; it asks before, so that it is looked at */
    RING_BACK,       /* likewise: fewer than there were */
    PACKETS_OUTSIDE, /* of what it closed */
    PACKETS_BEFORE,  /* the ones that were released */
    PACKETS_MANY,    /* so that first + packets wraps around */
    PACKETS_FEWER,   /* than it closed */
    BAD_PACKET,
    REFUSES,       /* the plan: no packets */
    HOST_COUNTERS, /* writes over what is the host's, then plays on */
    TRICKS
};

enum boot_trick { BOOTS, BOOTS_NOT, BOOTS_DYING, BOOTS_FOREIGN };

struct fake_guest {
    struct backend base;
    struct fl_shared *shared;
    struct fl_control *control;
    GThread *thread;
    gint stop, ended;
    uint32_t taken, ring_head;
};

/* What the next guests do; and what was done with them. */
static struct {
    enum boot_trick boot;
    unsigned starts, parks, unparks, stops;
    double waits;         /* for a processor, so much of its time */
    unsigned ends, nexts; /* of fake_carried */
    bool ends_badly, starts_badly;
    struct fake_guest *last;
} fake;

static inline uint32_t fake_load(struct fl_counter *counter)
{
    return __atomic_load_n(&counter->value, __ATOMIC_ACQUIRE);
}

static inline void fake_store(struct fl_counter *counter, uint32_t value)
{
    __atomic_store_n(&counter->value, value, __ATOMIC_RELEASE);
}

static inline bool fake_goes_on(struct fake_guest *guest)
{
    g_usleep(5);
    return !g_atomic_int_get(&guest->stop);
}

/* Closes one packet that holds `n` events, all of them yields of `thread`. */
static inline void fake_packet(struct fake_guest *guest, uint32_t thread, uint32_t n)
{
    struct fl_packet *packet = &guest->shared->ring[guest->ring_head % FL_RING_PACKETS];
    *packet = (struct fl_packet){
        .magic = FL_CTF_MAGIC,
        .uuid = FL_CTF_UUID,
        .time_end = n,
        .content_bits = 8 * (FL_PACKET_HEADER + n * sizeof(struct fl_event)),
        .packet_bits = 8 * FL_PACKET_SIZE,
    };
    for (uint32_t i = 0; i < n; i++) {
        packet->events[i].id_time = (uint64_t)i << 16 | FL_EVENT_YIELD;
        packet->events[i].thread = thread;
    }
    fake_store(&guest->control->ring_head, ++guest->ring_head);
}

static inline uint32_t fake_ask(struct fake_guest *guest, uint32_t n)
{
    uint32_t asked = guest->control->ask.value + 1;
    guest->control->decision =
        (struct fl_decision){.thread = FL_PATH_DOMAIN(0), .n = n, .point = FL_POINT_IPC_SEND};
    fake_store(&guest->control->ask, asked);
    while (fake_load(&guest->control->answer) != asked && fake_goes_on(guest))
        continue;
    return guest->control->decision_target;
}

/* Where it was told to, whatever that is. */
static inline void fake_stand(struct fake_guest *guest)
{
    struct fl_stop *stop = &guest->control->stop;
    uint32_t asked = guest->control->ask.value + 1;
    guest->control->decision =
        (struct fl_decision){.thread = FL_PATH_DOMAIN(0), .n = stop->event, .k = stop->k};
    stop->pc = 0x1000u + stop->k;
    stop->standing = 1;
    fake_store(&guest->control->ask, asked);
    while (fake_load(&guest->control->answer) != asked && fake_goes_on(guest))
        continue;
    stop->standing = 0;
}

/* What is wrong about the result itself. */
static inline void fake_spoil(struct fake_guest *guest, enum trick trick, struct fl_result *result)
{
    struct fl_packet *packet = &guest->shared->ring[result->first_packet % FL_RING_PACKETS];
    if (trick == WRONG_SERIAL)
        result->serial++;
    if (trick == WRONG_OUTCOME)
        result->outcome = FL_OUTCOME_DEAD;
    if (trick == WRONG_COUNT)
        result->events++;
    if (trick == PACKETS_OUTSIDE)
        result->packets++;
    if (trick == PACKETS_BEFORE)
        result->first_packet--;
    if (trick == PACKETS_MANY)
        result->packets = UINT32_MAX;
    if (trick == PACKETS_FEWER) {
        result->packets--;
        result->events = FL_PACKET_EVENTS;
    }
    if (trick == BAD_PACKET)
        packet->content_bits = UINT64_MAX;
}

/* What is wrong about the counters. true: it goes no further. */
static inline bool fake_confuse(struct fake_guest *guest, enum trick trick)
{
    struct fl_control *control = guest->control;
    if (trick == RESULTS_AHEAD)
        fake_store(&control->result_head, guest->taken + FL_PLAN_SLOTS + 1);
    if (trick == RESULTS_BACK)
        fake_store(&control->result_head, guest->taken - 1);
    if (trick == PLANS_AHEAD)
        fake_store(&control->plan_tail, guest->taken + FL_PLAN_SLOTS + 1);
    if (trick == ASKS_AHEAD)
        fake_store(&control->ask, control->ask.value + 2);
    if (trick == RING_AHEAD || trick == RING_BACK)
        fake_ask(guest, 1);
    if (trick == RING_AHEAD)
        fake_store(&control->ring_head, guest->ring_head + FL_RING_PACKETS);
    if (trick == RING_BACK)
        fake_store(&control->ring_head, guest->ring_head - 1);
    if (trick == HOST_COUNTERS) {
        fake_store(&control->ring_tail, 0x12345678);
        fake_store(&control->result_tail, 0x12345678);
    }
    if (trick == DIES)
        g_atomic_int_set(&guest->ended, 1);
    return trick == DIES || trick == SILENT || (trick >= RESULTS_AHEAD && trick <= RING_BACK);
}

static inline void fake_give(struct fake_guest *guest, const struct fl_result *result)
{
    guest->shared->results[guest->taken % FL_RESULT_SLOTS] = *result;
    fake_store(&guest->control->plan_tail, ++guest->taken);
    fake_store(&guest->control->result_head, guest->taken);
}

/* Two packets for each run, of 126 and of 1 + (seed % 100) events. false: the guest is lost. */
static inline bool fake_run(struct fake_guest *guest, const struct fl_plan *plan)
{
    struct fl_result result = {
        .serial = plan->serial,
        .outcome = FL_OUTCOME_EXITED,
        .first_packet = guest->ring_head,
        .packets = 2,
        .events = FL_PACKET_EVENTS + 1 + plan->seed % 100,
        .reached = plan->n_preemptions,
    };
    if (plan->scenario == REFUSES) {
        fake_give(guest,
                  &(struct fl_result){.serial = plan->serial, .outcome = FL_OUTCOME_ABI_VIOLATION});
        return true;
    }
    fake_packet(guest, plan->seed, FL_PACKET_EVENTS);
    if (fake_confuse(guest, plan->scenario))
        return false;
    for (uint32_t i = 0; plan->scenario == ASKS && i < plan->variant; i++)
        result.fault_addr += fake_ask(guest, i + 1);
    for (uint32_t i = 0; plan->scenario == STANDS && i < plan->variant; i++)
        fake_stand(guest);
    fake_packet(guest, plan->seed, 1 + plan->seed % 100);
    fake_spoil(guest, plan->scenario, &result);
    fake_give(guest, &result);
    return true;
}

static inline bool fake_has_room(struct fake_guest *guest, uint32_t packets)
{
    return guest->ring_head + packets - fake_load(&guest->control->ring_tail) <= FL_RING_PACKETS;
}

static inline gpointer fake_main(gpointer data)
{
    struct fake_guest *guest = data;
    guest->control->abi_version = FL_ABI_VERSION + (fake.boot == BOOTS_FOREIGN);
    guest->control->state = FL_STATE_READY;
    if (fake.boot != BOOTS_NOT)
        __atomic_store_n(&guest->control->magic, FL_ABI_MAGIC, __ATOMIC_RELEASE);
    while (fake_goes_on(guest)) {
        if (fake_load(&guest->control->plan_head) == guest->taken)
            continue;
        const struct fl_plan *plan = &guest->shared->plans[guest->taken % FL_PLAN_SLOTS];
        while (!fake_has_room(guest, plan->max_packets) && fake_goes_on(guest))
            continue;
        if (!fake_run(guest, plan))
            return NULL;
    }
    return NULL;
}

static inline void fake_go(struct fake_guest *guest)
{
    guest->ended = fake.boot == BOOTS_DYING;
    guest->thread = guest->ended ? NULL : g_thread_new("guest", fake_main, guest);
}

static inline struct backend *fake_start(const struct backend_config *config, GError **error)
{
    (void)error;
    struct fake_guest *guest = g_new0(struct fake_guest, 1);
    guest->shared = guestmem_at(config->memory, FL_SHARED_OFFSET, sizeof *guest->shared, 4096);
    guest->control = &guest->shared->control;
    fake.starts++;
    fake.last = guest;
    fake_go(guest);
    return &guest->base;
}

static inline bool fake_alive(struct backend *backend, char *reason, size_t size)
{
    struct fake_guest *guest = (struct fake_guest *)backend;
    if (!g_atomic_int_get(&guest->ended))
        return true;
    g_snprintf(reason, (gulong)size, "the fake guest ended");
    return false;
}

static inline void fake_park(struct backend *backend)
{
    (void)backend;
    fake.parks++;
}

static inline void fake_unpark(struct backend *backend)
{
    (void)backend;
    fake.unparks++;
}

static inline double fake_waited(struct backend *backend)
{
    (void)backend;
    const struct child self = {.pid = getpid()}; /* its threads are this process's */
    return child_waited(&self) + fake.waits * (double)g_get_monotonic_time() / G_USEC_PER_SEC;
}

static inline void fake_halt(struct fake_guest *guest)
{
    g_atomic_int_set(&guest->stop, 1);
    if (guest->thread != NULL)
        g_thread_join(guest->thread);
    guest->thread = NULL;
}

static inline void fake_stop(struct backend *backend)
{
    struct fake_guest *guest = (struct fake_guest *)backend;
    fake_halt(guest);
    fake.stops++;
    fake.last = NULL;
    g_free(guest);
}

static inline bool fake_end_guest(struct backend *backend)
{
    fake_halt((struct fake_guest *)backend);
    fake.ends++;
    return !fake.ends_badly;
}

/* A guest that finds what the last one left would take it for its own. */
static inline bool fake_next_guest(struct backend *backend)
{
    struct fake_guest *guest = (struct fake_guest *)backend;
    const uint8_t *left = (const uint8_t *)guest->shared;
    for (size_t i = 0; i < sizeof *guest->shared; i++)
        g_assert(left[i] == 0);
    fake.nexts++;
    if (fake.starts_badly)
        return false;
    *guest = (struct fake_guest){.shared = guest->shared, .control = guest->control};
    fake_go(guest);
    return true;
}

static inline bool fake_probe(char *reason, size_t size)
{
    g_snprintf(reason, (gulong)size, "always there");
    return true;
}

#define FAKE_OPS                                                                                   \
    .id = "fake", .arch = "armv7", .capabilities = BACKEND_POSTED | BACKEND_ONLINE,                \
    .start = fake_start, .alive = fake_alive, .park = fake_park, .unpark = fake_unpark,            \
    .waited = fake_waited, .stop = fake_stop, .probe = fake_probe

static const struct backend_ops fake_backend = {FAKE_OPS};

/* One of which a carrier outlives its guests. */
static const struct backend_ops fake_carried = {
    FAKE_OPS,
    .end_guest = fake_end_guest,
    .next_guest = fake_next_guest,
};

#endif
