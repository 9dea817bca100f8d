/* How long one who debugs waits, on each back end that is here: to attach, to the next event and
 * back, for an instruction back. Fails when one of them takes longer than people wait without
 * wondering; a Linux that has to boot first is known to. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include "gdb/gdb.h"
#include "gdb/history.h"
#include "plan.h"
#include "subject.h"

enum { SAMPLES = 50 };
/* Miller, "Response time in man-computer conversational transactions", 1968 */
#define PATIENCE_MS 1000.0
#define BOOT_MS     20000.0

static const struct row {
    const char *backend;
    size_t samples;
    double patience; /* to attach */
    bool searches;   /* backwards for long: on KVM by making the run again for each event */
} rows[] = {
    {"qemu", SAMPLES, PATIENCE_MS, true},
    {"qemu-x86_64", SAMPLES, PATIENCE_MS, true},
    {"kvm", SAMPLES, PATIENCE_MS, false},
    {"kvm-nested", 10, BOOT_MS, false},
};

static struct subject subject;
static struct fl_plan plan;
static struct history *history;

static double now(void)
{
    return (double)g_get_monotonic_time() / 1e3;
}

static void give_up(const GError *error)
{
    fprintf(stderr, "bench: %s\n", error != NULL ? error->message : "the guest is gone");
    exit(2);
}

static int by_size(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static bool tell(const char *label, double *times, size_t count, double patience)
{
    qsort(times, count, sizeof(times[0]), by_size);
    printf("  %-24s %7.2f ms, 95%% below %7.2f ms\n", label, times[count / 2],
           times[count * 95 / 100]);
    return times[count / 2] < patience;
}

static void go(enum gdb_resume how)
{
    struct gdb_stop stop;
    history_resume(history, how);
    while (!history_stopped(history, &stop)) {
        struct pollfd ready = {.fd = history_target(history)->fd, .events = POLLIN};
        poll(&ready, 1, -1);
    }
    if (stop.kind == GDB_STOP_GONE)
        give_up(NULL);
}

static void go_to(size_t event)
{
    if (!history_goto(history, event))
        give_up(NULL);
}

static bool attaching(const struct row *row)
{
    double times[SAMPLES / 10];
    const size_t samples = MAX(row->samples / 10, 1);
    for (size_t i = 0; i < samples; i++) {
        GError *error = NULL;
        const struct gdb_options options = {
            .image = subject.image,
            .backend = subject.backend,
            .scenario = subject.scenario,
            .plan = &plan,
            .event = 80,
        };
        const double began = now();
        struct gdb_session *session = gdb_open(&options, &error);
        times[i] = now() - began;
        if (session == NULL)
            give_up(error);
        gdb_close(session);
    }
    return tell("attach", times, samples, row->patience);
}

enum move { NEXT, BACK, STEP_BACK, STEP, BEGIN, MOVES };

static const char *const names[MOVES] = {
    [NEXT] = "next event",         [BACK] = "one event back",    [STEP] = "stepi",
    [STEP_BACK] = "reverse-stepi", [BEGIN] = "reverse-continue",
};

static void move(enum move move, size_t event)
{
    static const enum gdb_resume ways[MOVES] = {
        [STEP] = GDB_STEP, [STEP_BACK] = GDB_REVERSE_STEP, [BEGIN] = GDB_REVERSE_CONTINUE};
    if (move <= BACK)
        go_to(move == NEXT ? event + 1 : event);
    else
        go(ways[move]);
}

static bool moving(const struct row *row)
{
    double times[MOVES][SAMPLES];
    const enum move moves = row->searches ? MOVES : BEGIN;
    bool fast = true;
    size_t count;
    history_events(history, &count);
    for (size_t i = 0; i < row->samples; i++) {
        const size_t event = 10 + i * (count - 20) / row->samples;
        go_to(event);
        for (enum move m = 0; m < moves; m++) {
            const double began = now();
            move(m, event);
            times[m][i] = now() - began;
        }
    }
    for (enum move m = 0; m < moves; m++)
        fast = tell(names[m], times[m], row->samples, PATIENCE_MS) && fast;
    return fast;
}

static bool measure(const struct row *row)
{
    GError *error = NULL;
    if (!subject_open(&subject, &(struct subject_options){.backend = (char *)row->backend},
                      "genode_stack_slot/racy", &error))
        give_up(error);
    plan_init(&plan, subject.scenario, subject.scenario_index, subject.variant);
    const struct gdb_target_config config = {subject.image, gdb_arch(subject.image->arch),
                                             subject.backend, &plan};
    history = history_open(gdb_target(row->backend), &config, NULL, 0, &error);
    if (history == NULL)
        give_up(error);
    printf("%s under gdb on %s\n", subject.scenario->id, row->backend);
    const bool fast = attaching(row) && moving(row);
    history_close(history);
    subject_close(&subject);
    return fast;
}

int main(void)
{
    bool fast = true;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char reason[160];
        if (backend_find(rows[i].backend)->probe(reason, sizeof reason))
            fast = measure(&rows[i]) && fast;
        else
            printf("not on %s: %s\n", rows[i].backend, reason);
    }
    return fast ? 0 : 1;
}
