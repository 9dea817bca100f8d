#include "recording.h"

#include <string.h>
#include <sys/stat.h>
#include "capture.h"
#include "image.h"

#define RECORDING_ERROR (g_quark_from_static_string("faultline-recording"))

static uint32_t outcome_of(const struct trace_manifest *manifest)
{
    for (uint32_t outcome = FL_OUTCOME_NONE; outcome <= FL_OUTCOME_SILENT; outcome++)
        if (outcome_is_cut_short(outcome) &&
            g_strcmp0(manifest->outcome, trace_value_name(TRACE_OUTCOME, outcome)) == 0)
            return outcome;
    return FL_OUTCOME_NONE;
}

static bool read_manifest(struct recording *recording, const char *trace, GError **error)
{
    struct trace_manifest *manifest = &recording->manifest;
    if (!manifest_read(trace, manifest, error))
        return false;
    const int variant = scenario_variant(&manifest->scenario_copy, manifest->variant);
    if (variant < 0) {
        g_set_error(error, RECORDING_ERROR, 0,
                    "%s: its scenario has no variant \"%s\"; record it again", trace,
                    manifest->variant);
        return false;
    }
    recording->variant = (unsigned)variant;
    recording->outcome = outcome_of(manifest);
    return true;
}

static bool is_empty(const char *trace)
{
    g_autofree char *path = g_build_filename(trace, "ctf", "events", NULL);
    struct stat status;
    return stat(path, &status) == 0 && status.st_size == 0;
}

static bool read_events(struct recording *recording, const char *trace, GError **error)
{
    if (recording->outcome != FL_OUTCOME_NONE && is_empty(trace))
        return true;
    struct ctf_reader *reader = ctf_reader_open(trace, error);
    if (reader == NULL)
        return false;
    const struct fl_packet *packet;
    size_t count;
    while (ctf_reader_packet(reader, &packet, &count))
        g_array_append_vals(recording->events, packet->events, (guint)count);
    const struct ctf_damage *damage = ctf_reader_damage(reader);
    if (damage->reason[0] != '\0')
        g_strlcpy(recording->damage, damage->reason, sizeof(recording->damage));
    else if (damage->discarded > 0)
        g_strlcpy(recording->damage, "the guest had no room for all events",
                  sizeof(recording->damage));
    ctf_reader_close(reader);
    return true;
}

struct recording *recording_read(const char *trace, GError **error)
{
    struct recording *recording = g_new0(struct recording, 1);
    recording->events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    if (read_manifest(recording, trace, error) && read_events(recording, trace, error))
        return recording;
    recording_free(recording);
    return NULL;
}

void recording_free(struct recording *recording)
{
    g_array_free(recording->events, TRUE);
    g_free(recording);
}

const struct verdict *recording_judge(const struct recording *recording, struct engine *engine)
{
    engine_begin(engine, &recording->manifest.scenario_copy, recording->variant);
    engine_events(engine, (const struct fl_event *)(const void *)recording->events->data,
                  recording->events->len);
    if (recording->damage[0] != '\0')
        engine_damage(engine, recording->damage);
    return engine_end(engine, recording->outcome);
}
