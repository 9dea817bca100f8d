/* How long one who debugs waits: to attach, to the next event and back, for an instruction back.
 * Fails when one of them takes longer than people wait without wondering. */
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

static bool tell(const char *label, double *times, size_t count)
{
    qsort(times, count, sizeof(times[0]), by_size);
    printf("  %-24s %7.2f ms, 95%% below %7.2f ms\n", label, times[count / 2],
           times[count * 95 / 100]);
    return times[count / 2] < PATIENCE_MS;
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

static bool attaching(void)
{
    double times[SAMPLES / 10];
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
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
    return tell("attach", times, G_N_ELEMENTS(times));
}

static bool moving(void)
{
    double next[SAMPLES], back[SAMPLES], step_back[SAMPLES], step[SAMPLES], begin[SAMPLES];
    size_t count;
    history_events(history, &count);
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t event = 10 + i * (count - 20) / SAMPLES;
        double at[6];
        go_to(event);
        at[0] = now();
        go_to(event + 1);
        at[1] = now();
        go_to(event);
        at[2] = now();
        go(GDB_REVERSE_STEP);
        at[3] = now();
        go(GDB_STEP);
        at[4] = now();
        go(GDB_REVERSE_CONTINUE);
        at[5] = now();
        next[i] = at[1] - at[0];
        back[i] = at[2] - at[1];
        step_back[i] = at[3] - at[2];
        step[i] = at[4] - at[3];
        begin[i] = at[5] - at[4];
    }
    return tell("next event", next, SAMPLES) && tell("one event back", back, SAMPLES) &&
           tell("stepi", step, SAMPLES) && tell("reverse-stepi", step_back, SAMPLES) &&
           tell("reverse-continue", begin, SAMPLES);
}

int main(void)
{
    GError *error = NULL;
    if (!subject_open(&subject, &(struct subject_options){.backend = (char *)"qemu"},
                      "genode_stack_slot/racy", &error))
        give_up(error);
    plan_init(&plan, subject.scenario, subject.scenario_index, subject.variant);
    const struct gdb_target_config config = {subject.image, gdb_arch(subject.image->arch),
                                             subject.backend, &plan};
    history = history_open(&gdb_target_qemu, &config, NULL, 0, &error);
    if (history == NULL)
        give_up(error);
    printf("%s under gdb\n", subject.scenario->id);
    const bool fast = attaching() && moving();
    history_close(history);
    subject_close(&subject);
    return fast ? 0 : 1;
}
