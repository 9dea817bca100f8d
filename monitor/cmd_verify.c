/* faultline verify: judge recorded traces. */
#include <jansson.h>
#include <stdio.h>
#include "cli.h"
#include "main.h"
#include "present.h"
#include "recording.h"
#include "verdict_json.h"

static json_t *to_json(const char *trace, const struct verdict *verdict)
{
    json_t *json = verdict_to_json(verdict);
    json_object_set_new(json, "trace", json_string(trace));
    json_object_set_new(json, "verdict", json_string(verdict_name(verdict_of_trace(verdict))));
    return json;
}

/* Judges one trace. The exit code; `list` (when not NULL) gets the trace's object. */
static int verify(const char *trace, struct engine *engine, json_t *list)
{
    GError *error = NULL;
    struct recording *recording = recording_read(trace, &error);
    if (recording == NULL)
        return cli_fail("faultline verify", error);
    const struct verdict *verdict = recording_judge(recording, engine);
    const int status = verdict_exit(verdict_of_trace(verdict));
    if (list != NULL)
        json_array_append_new(list, to_json(trace, verdict));
    else {
        g_autoptr(GString) text = g_string_new(NULL);
        present_checks(text, trace, verdict);
        fputs(text->str, stdout);
    }
    recording_free(recording);
    return status;
}

/* Of several exit codes the one that matters most. */
static int worse(int a, int b)
{
    static const int rank[] = {
        [EXIT_CLEAN] = 0, [EXIT_INCOMPLETE] = 1, [EXIT_FOUND] = 2, [EXIT_ERROR] = 3};
    return rank[a] > rank[b] ? a : b;
}

/* One trace is an object, several are an array of them. */
static void print_json(json_t *list, int traces)
{
    if (traces > 1) {
        cli_print_json(list);
        return;
    }
    json_t *only = json_array_get(list, 0);
    if (only != NULL)
        cli_print_json(json_incref(only));
    json_decref(list);
}

int cmd_verify(int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print a JSON object (several traces: an array)",
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    int status;
    if (!cli_parse(&argc, &argv, "TRACE...",
                   "Reads recorded traces and judges them by every check. Exit code: 0 clean, 1 "
                   "violation,\n2 unreadable, 3 inconclusive (a trace that is damaged or lost "
                   "events).",
                   entries, NULL, &status))
        return status;
    GError *error = NULL;
    if (!cli_words(argc, 1, G_MAXINT, "expected the directory of a TRACE", &error))
        return cli_fail("faultline verify", error);
    struct engine *engine = engine_new();
    json_t *list = json ? json_array() : NULL;
    status = EXIT_CLEAN;
    for (int i = 1; i < argc; i++)
        status = worse(status, verify(argv[i], engine, list));
    if (list != NULL)
        print_json(list, argc - 1);
    engine_free(engine);
    return status;
}
