#include "recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "anchor.h"
#include "plan.h"
#include "trace.h"
#include "verdict_json.h"

struct recorder {
    char *path;
    int lock;
    struct ctf_writer *writer;
    guint written; /* packets */
    bool stuck;    /* one could not be written while the run went on */
    struct trace_manifest manifest;
    const struct subject *subject;
    char *plan; /* with its anchors, which only the run can tell */
};

static void fill_manifest(struct trace_manifest *manifest, const struct subject *subject,
                          const struct fl_plan *plan)
{
    const struct fl_scenario *scenario = subject->scenario;
    g_strlcpy(manifest->scenario, scenario->id, sizeof(manifest->scenario));
    g_strlcpy(manifest->variant, scenario->variants[plan->variant].id, sizeof(manifest->variant));
    g_strlcpy(manifest->backend, subject->backend->id, sizeof(manifest->backend));
    g_strlcpy(manifest->arch, subject->image->arch, sizeof(manifest->arch));
    g_strlcpy(manifest->image, subject->image->path, sizeof(manifest->image));
    g_strlcpy(manifest->image_hash, subject->image->hash, sizeof(manifest->image_hash));
    manifest->abi_version = FL_ABI_VERSION;
    manifest->scenario_copy = *scenario;
    manifest->n_params = scenario->n_params;
    for (uint32_t i = 0; i < scenario->n_params; i++) {
        manifest->params[i] = plan->params[i];
        g_strlcpy(manifest->param_ids[i], scenario->params[i].id, sizeof(manifest->param_ids[i]));
    }
}

static void recorder_free(struct recorder *recorder)
{
    if (recorder->writer != NULL)
        ctf_writer_close(recorder->writer, NULL);
    if (recorder->lock >= 0)
        rundir_unlock(recorder->lock);
    g_free(recorder->path);
    g_free(recorder->plan);
    g_free(recorder);
}

/* Removes the files of a folder, and the folder when nothing else is in it. */
static void remove_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        unlink(file);
    }
    rmdir(path);
}

void recorder_discard(struct recorder *recorder)
{
    if (recorder->path != NULL) {
        g_autofree char *ctf = g_build_filename(recorder->path, "ctf", NULL);
        remove_folder(ctf);
        remove_folder(recorder->path);
    }
    recorder_free(recorder);
}

bool recorder_leave(struct recorder *recorder)
{
    if (recorder->written == 0) {
        recorder_discard(recorder);
        return false;
    }
    recorder_free(recorder);
    return true;
}

static bool begin(struct recorder *recorder, const struct subject *subject,
                  const struct fl_plan *plan, GError **error)
{
    g_autofree char *text = plan_to_text(plan, subject->scenario, NULL);
    g_autofree char *ctf = g_build_filename(recorder->path, "ctf", NULL);
    fill_manifest(&recorder->manifest, subject, plan);
    recorder->lock = rundir_lock(recorder->path, error);
    if (recorder->lock < 0 || !manifest_write(recorder->path, &recorder->manifest, error) ||
        !rundir_write(recorder->path, "plan.json", text, error))
        return false;
    recorder->writer = ctf_writer_open(ctf, subject->scenario, error);
    return recorder->writer != NULL;
}

struct recorder *recorder_open(const char *root, const struct subject *subject,
                               const struct fl_plan *plan, GError **error)
{
    if (g_mkdir_with_parents(root, 0777) != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_IO,
                    "cannot make the folder %s for traces: %s; choose another with --runs-dir",
                    root, g_strerror(errno));
        return NULL;
    }
    struct recorder *recorder = g_new0(struct recorder, 1);
    recorder->lock = -1;
    recorder->subject = subject;
    recorder->path = rundir_create(root, subject->scenario->id,
                                   subject->scenario->variants[plan->variant].id, error);
    if (recorder->path == NULL || !begin(recorder, subject, plan, error)) {
        recorder_discard(recorder);
        return NULL;
    }
    return recorder;
}

const char *recorder_path(const struct recorder *recorder)
{
    return recorder->path;
}

static bool finish(struct recorder *recorder, const struct verdict *verdict, GError **error)
{
    const bool closed = ctf_writer_close(g_steal_pointer(&recorder->writer), error);
    if (!closed)
        return false;
    json_t *json = verdict_to_json(verdict);
    char *dump = json_dumps(json, JSON_INDENT(2));
    g_autofree char *text = g_strconcat(dump, "\n", NULL);
    free(dump);
    json_decref(json);
    g_snprintf(recorder->manifest.event_hash, sizeof(recorder->manifest.event_hash),
               "%016" G_GINT64_MODIFIER "x", verdict->event_hash);
    g_strlcpy(recorder->manifest.outcome, trace_value_name(TRACE_OUTCOME, verdict->outcome),
              sizeof(recorder->manifest.outcome));
    return (recorder->plan == NULL ||
            rundir_write(recorder->path, "plan.json", recorder->plan, error)) &&
           rundir_write(recorder->path, "verdict.json", text, error) &&
           manifest_write(recorder->path, &recorder->manifest, error);
}

bool recorder_close(struct recorder *recorder, const struct verdict *verdict, GError **error)
{
    if (!finish(recorder, verdict, error)) {
        recorder_discard(recorder);
        return false;
    }
    recorder_free(recorder);
    return true;
}

void recorder_follow(struct recorder *recorder, const struct session *session)
{
    const uint32_t closed = session_closed(session);
    while (!recorder->stuck && recorder->written < closed) {
        const struct fl_packet *packet = session_closed_packet(session, recorder->written);
        recorder->stuck = !ctf_writer_packet(recorder->writer, packet, NULL);
        recorder->written += !recorder->stuck;
    }
}

static void anchor_plan(struct recorder *recorder, const struct capture *capture)
{
    g_autofree struct plan_anchors *anchors = g_new0(struct plan_anchors, 1);
    size_t count;
    g_autofree struct fl_event *events = capture_events(capture, &count);
    anchors_take(anchors, &capture->plan, recorder->subject->image, events, count);
    g_free(recorder->plan);
    recorder->plan = plan_to_text(&capture->plan, recorder->subject->scenario, anchors);
}

bool recorder_capture(struct recorder *recorder, const struct capture *capture, GError **error)
{
    for (; recorder->written < capture->packets->len; recorder->written++)
        if (!ctf_writer_packet(
                recorder->writer,
                &g_array_index(capture->packets, struct fl_packet, recorder->written), error))
            return false;
    if (capture->plan.policy == FL_POLICY_FIXED && capture->plan.n_preemptions > 0)
        anchor_plan(recorder, capture);
    return true;
}

char *recorder_write(const char *root, const struct subject *subject, const struct capture *capture,
                     const struct verdict *verdict, GError **error)
{
    struct recorder *recorder = recorder_open(root, subject, &capture->plan, error);
    if (recorder == NULL)
        return NULL;
    g_autofree char *path = g_strdup(recorder->path);
    if (!recorder_capture(recorder, capture, error)) {
        recorder_discard(recorder);
        return NULL;
    }
    return recorder_close(recorder, verdict, error) ? g_steal_pointer(&path) : NULL;
}
