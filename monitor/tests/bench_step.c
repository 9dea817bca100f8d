/* How long one who steps waits: to the next point, one back, an instruction on and back, to the
 * calls of the thread. Medians over points drawn from a run. Fails when one of them takes longer
 * than a person notices.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "engine.h"
#include "plan.h"
#include "step/commands.h"

enum { SAMPLES = 200 };

#define NOTICED_MS                                                                                 \
    100.0 /* Miller, "Response time in man-computer conversational transactions", 1968 */

static struct subject subject;
static struct step step;

static void give_up(const char *what, const GError *error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error != NULL ? error->message : "no answer");
    exit(2);
}

static bool nobody(void)
{
    return false;
}

static int by_size(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static void say(const char *line)
{
    GError *error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    if (!step_command(&step, line, out, &error))
        give_up(line, error);
}

/* Milliseconds of the command, where the one before it leads. */
static double measure(const char *before, const char *command, const char *label)
{
    double times[SAMPLES];
    uint64_t drawn = 1;
    const size_t events = step.stepper.run->report.n_events;
    for (unsigned i = 0; i < SAMPLES; i++) {
        drawn = drawn * 6364136223846793005u + 1442695040888963407u;
        g_autofree char *go = g_strdup_printf("g %" G_GUINT64_FORMAT, (drawn >> 33) % events);
        say(go);
        say(before);
        const gint64 began = g_get_monotonic_time();
        say(command);
        times[i] = (double)(g_get_monotonic_time() - began) / 1e3;
    }
    qsort(times, SAMPLES, sizeof(times[0]), by_size);
    printf("  %-24s %7.2f ms, 95%% below %7.2f ms\n", label, times[SAMPLES / 2],
           times[SAMPLES * 95 / 100]);
    return times[SAMPLES / 2];
}

static bool step_all(const struct samples *samples)
{
    static const struct {
        const char *before, *command, *label;
    } rows[] = {
        {"n", "n", "next point"},         {"n", "p", "one point back"},
        {"ni", "ni", "next instruction"}, {"ni", "pi", "one instruction back"},
        {"p", "where", "calls"},          {"p", "threads", "threads"},
    };
    bool fast = true;
    GError *error = NULL;
    struct fl_plan plan;
    plan_init(&plan, subject.scenario, subject.scenario_index, subject.variant);
    model_init(&step.model);
    const gint64 began = g_get_monotonic_time();
    if (!stepper_begin(&step.stepper, samples, &subject, &plan, NULL, &error))
        give_up("no run", error);
    printf("%s, %zu events: rehearsed in %.1f ms\n", subject.scenario->id,
           step.stepper.run->report.n_events, (double)(g_get_monotonic_time() - began) / 1e3);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        fast &= measure(rows[i].before, rows[i].command, rows[i].label) < NOTICED_MS;
    stepper_end(&step.stepper);
    model_free(&step.model);
    g_clear_pointer(&step.last, g_free);
    return fast;
}

int main(void)
{
    static const char *const names[] = {"genode_stack_slot/racy", "codezero_shadow_fork/fixed"};
    bool fast = true;
    struct engine *engine = engine_new();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        GError *error = NULL;
        if (!subject_open(&subject, &(struct subject_options){.watchdog = 0}, names[i], &error))
            give_up(names[i], error);
        const struct samples samples = {
            .session = subject_session(&subject, &error),
            .engine = engine,
            .scenario = subject.scenario,
            .interrupted = nobody,
        };
        if (samples.session == NULL)
            give_up("no session", error);
        fast &= step_all(&samples);
        session_close(samples.session);
        subject_close(&subject);
    }
    engine_free(engine);
    if (!fast)
        fprintf(stderr, "bench: a step takes more than %.0f ms\n", NOTICED_MS);
    return fast ? 0 : 1;
}
