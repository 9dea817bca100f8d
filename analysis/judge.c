#include "judge.h"
#include <string.h>

#define OUTCOMES 32u

/* How the run ended, as the monitor wrote it down: a guest that died could not. */
static uint32_t outcome_of(const struct judged *judged)
{
    const char *name;

    for (uint32_t i = 0; judged->has_manifest && i < OUTCOMES; i++)
        if ((name = trace_value_name(TRACE_OUTCOME, i)) && !strcmp(name, judged->manifest.outcome))
            return i;
    return FL_OUTCOME_NONE;
}

static unsigned variant_of(const struct trace_manifest *manifest)
{
    const struct fl_scenario *scenario = &manifest->scenario_copy;
    unsigned variant = 0;

    while (variant < MIN(scenario->n_variants, FL_MAX_VARIANTS) &&
           strncmp(scenario->variants[variant].id, manifest->variant,
                   sizeof(scenario->variants[variant].id)))
        variant++;
    return variant;
}

static void feed(struct engine *engine, struct ctf_reader *reader)
{
    const struct ctf_damage *damage = ctf_reader_damage(reader);
    const struct fl_packet *packet;
    size_t n_events;

    while (ctf_reader_packet(reader, &packet, &n_events)) {
        engine_events(engine, packet->events, n_events);
        if (damage->discarded > 0)
            engine_damage(engine, "events were lost: the guest had no room for them");
    }
    if (damage->reason[0])
        engine_damage(engine, damage->reason);
}

bool judge_trace(struct engine *engine, const char *dir, struct judged *judged, GError **error)
{
    struct ctf_reader *reader = ctf_reader_open(dir, error);
    g_autoptr(GError) unknown = NULL;

    if (!reader)
        return false;
    judged->has_manifest = manifest_read(dir, &judged->manifest, &unknown);
    if (judged->has_manifest)
        engine_begin(engine, &judged->manifest.scenario_copy, variant_of(&judged->manifest));
    else
        engine_begin(engine, NULL, 0);
    feed(engine, reader);
    if (!judged->has_manifest)
        engine_damage(engine, unknown->message);
    judged->damage = *ctf_reader_damage(reader);
    judged->verdict = engine_end(engine, outcome_of(judged));
    ctf_reader_close(reader);
    return true;
}
