/* What the engine costs an event: the longest clean golden trace, over and over, one run each time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "engine.h"
#include "trace.h"

#define TRACE "traces/golden/succeed/stacks"
#define RUNS  20000u

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static GArray *read_events(void)
{
    g_autoptr(GError) error = NULL;
    struct ctf_reader *reader = ctf_reader_open(TRACE, &error);
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    const struct fl_packet *packet;
    size_t n_events;

    if (!reader) {
        fprintf(stderr, "bench_engine: %s\n", error->message);
        exit(2);
    }
    while (ctf_reader_packet(reader, &packet, &n_events))
        g_array_append_vals(events, packet->events, (guint)n_events);
    ctf_reader_close(reader);
    return events;
}

int main(void)
{
    GArray *events = read_events();
    struct engine *engine = engine_new();
    double best = 1e9;

    for (unsigned round = 0; round < 5; round++) {
        double start = seconds();
        for (unsigned run = 0; run < RUNS; run++) {
            engine_begin(engine, NULL, 0);
            engine_events(engine, (const struct fl_event *)(const void *)events->data, events->len);
            if (engine_end(engine, FL_OUTCOME_NONE)->kind != VERDICT_CLEAN) {
                fprintf(stderr, "bench_engine: %s is not clean\n", TRACE);
                return 1;
            }
        }
        double took = seconds() - start;
        best = took < best ? took : best;
    }
    printf("engine: %.1f ns an event, %.2f us a run of %u events (best of 5)\n",
           1e9 * best / RUNS / events->len, 1e6 * best / RUNS, events->len);
    engine_free(engine);
    g_array_free(events, TRUE);
    return 0;
}
