#include "certificate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>
#include "certificate_steps.h"
#include "plan.h"
#include "trace.h"

struct certificate {
    char *path, *partial;
    FILE *file;
    GChecksum *sum; /* SHA-256 of all lines */
    const struct fl_scenario *scenario;
    unsigned bound;
    bool states;
    struct step_lines *steps; /* with orders, else NULL */
    GHashTable *places;       /* by key_of(): number of the place + 1 */
    GHashTable *by_state;     /* of struct state_hash, likewise */
    guint n_places;
    uint64_t runs;
    GString *line;
};

/* A place, by the preemptions of the run that showed it and by where it is. */
static struct state_hash key_of(const struct fl_preemption *taken, size_t n, uint32_t thread,
                                uint32_t at, uint32_t k)
{
    g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    const uint32_t place[] = {thread, at, k};
    for (size_t i = 0; i < n; i++)
        g_array_append_vals(words, &taken[i], sizeof(taken[i]) / sizeof(uint32_t));
    g_array_append_vals(words, place, G_N_ELEMENTS(place));
    const XXH128_hash_t sum = XXH3_128bits(words->data, words->len * sizeof(uint32_t));
    return (struct state_hash){sum.low64, sum.high64};
}

/* ---- texts ---- */

void certificate_place(GString *text, const struct fl_scenario *scenario,
                       const struct run_report *report, size_t i)
{
    const struct place *place = &report->places[i];
    char name[TRACE_NAME_MAX];
    g_string_append_printf(text, "%s@%u", trace_thread_name(scenario, place->thread, name),
                           place->n);
    if (place->k == FL_K_GIVES_UP)
        g_string_append_printf(text, "+gives-up->%s",
                               trace_thread_name(scenario, place->goes_on, name));
    for (unsigned j = 0; j < place->n_ready; j++)
        g_string_append_printf(text, "%c%s", j == 0 ? ' ' : ',',
                               trace_thread_name(scenario, report->ready[place->ready + j], name));
    if (report->states != NULL && (report->states[i].low | report->states[i].high) != 0)
        g_string_append_printf(text, " %016" PRIx64 "%016" PRIx64, report->states[i].high,
                               report->states[i].low);
}

static const char *const kinds[] = {
    [VERDICT_CLEAN] = "clean",
    [VERDICT_VIOLATION] = "violation",
    [VERDICT_INCONCLUSIVE] = "inconclusive",
};

void certificate_end(GString *text, const struct run_report *report)
{
    const char *outcome = trace_value_name(TRACE_OUTCOME, report->verdict->outcome);
    g_string_append_printf(text, "%s %s %016" PRIx64, kinds[report->verdict->kind],
                           outcome != NULL ? outcome : "none", report->verdict->event_hash);
}

/* ---- the file ---- */

static void put(struct certificate *certificate)
{
    g_string_append_c(certificate->line, '\n');
    g_checksum_update(certificate->sum, (const guchar *)certificate->line->str,
                      (gssize)certificate->line->len);
    fputs(certificate->line->str, certificate->file);
    g_string_truncate(certificate->line, 0);
}

static void put_header(struct certificate *certificate, const struct certificate_header *header)
{
    const struct fl_scenario *scenario = header->scenario;
    GString *line = certificate->line;
    g_string_printf(line, "faultline-certificate %d", CERTIFICATE_VERSION);
    put(certificate);
    g_string_printf(line, "image %s %s %s", header->image, header->arch, header->backend);
    put(certificate);
    g_string_printf(line, "subject %s/%s", scenario->id,
                    scenario->variants[header->base->variant].id);
    for (uint32_t i = 0; i < scenario->n_params; i++)
        g_string_append_printf(line, " %s=%u", scenario->params[i].id, header->base->params[i]);
    put(certificate);
    const char *shown = header->unqueued ? "unqueued"
                        : header->orders ? "orders"
                        : header->states ? "states"
                                         : "plans";
    if (header->bound == FL_MAX_PREEMPTIONS)
        g_string_printf(line, "search %s unbounded %s", header->depth, shown);
    else
        g_string_printf(line, "search %s %u %s", header->depth, header->bound, shown);
    if (header->gives_up)
        g_string_append(line, " gives-up");
    put(certificate);
}

static bool fail(const struct certificate *certificate, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no certificate %s: %s",
                certificate->path, g_strerror(errno));
    return false;
}

struct certificate *certificate_open(const char *path, const struct certificate_header *header,
                                     GError **error)
{
    struct certificate *certificate = g_new0(struct certificate, 1);
    g_autofree char *folder = g_path_get_dirname(path);
    certificate->path = g_strdup(path);
    certificate->partial = g_strconcat(path, ".partial", NULL);
    certificate->scenario = header->scenario;
    certificate->bound = header->bound;
    certificate->states = header->states;
    certificate->steps = header->orders ? step_lines_new(header->scenario) : NULL;
    certificate->sum = g_checksum_new(G_CHECKSUM_SHA256);
    certificate->line = g_string_new(NULL);
    certificate->places = g_hash_table_new_full(state_hash_key, state_hash_equal, g_free, NULL);
    certificate->by_state = g_hash_table_new_full(state_hash_key, state_hash_equal, g_free, NULL);
    g_mkdir_with_parents(folder, 0777);
    certificate->file = fopen(certificate->partial, "we");
    if (certificate->file != NULL) {
        put_header(certificate, header);
        return certificate;
    }
    fail(certificate, error);
    certificate_drop(certificate);
    return NULL;
}

static void free_all(struct certificate *certificate)
{
    g_hash_table_unref(certificate->places);
    g_hash_table_unref(certificate->by_state);
    step_lines_free(certificate->steps);
    g_checksum_free(certificate->sum);
    g_string_free(certificate->line, TRUE);
    g_free(certificate->path);
    g_free(certificate->partial);
    g_free(certificate);
}

void certificate_drop(struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    if (certificate->file != NULL) {
        fclose(certificate->file);
        unlink(certificate->partial);
    }
    free_all(certificate);
}

bool certificate_close(struct certificate *certificate, GError **error)
{
    fprintf(certificate->file, "sum %s\n", g_checksum_get_string(certificate->sum));
    const bool written = ferror(certificate->file) == 0;
    const bool closed = fclose(certificate->file) == 0;
    const bool good = written && closed && rename(certificate->partial, certificate->path) == 0;
    if (!good)
        fail(certificate, error);
    free_all(certificate);
    return good;
}

/* ---- runs ---- */

/* "run 12 7 main": the run adds at place 7 a preemption for main. */
static void put_run(struct certificate *certificate, const struct run_report *report)
{
    g_string_printf(certificate->line, "run %" PRIu64, certificate->runs++);
    if (report->n_taken > 0) {
        const struct fl_preemption *last = &report->taken[report->n_taken - 1];
        const struct state_hash key =
            key_of(report->taken, report->n_taken - 1, last->thread, last->n, last->k);
        const guint place = GPOINTER_TO_UINT(g_hash_table_lookup(certificate->places, &key));
        char name[TRACE_NAME_MAX];
        g_assert(place > 0);
        g_string_append_printf(certificate->line, " %u %s", place - 1,
                               trace_thread_name(certificate->scenario, last->target, name));
    }
    put(certificate);
}

/* Whether it is known, and the run ends with it. */
static bool put_place(struct certificate *certificate, const struct run_report *report, size_t i)
{
    const struct place *place = &report->places[i];
    const struct state_hash key =
        key_of(report->taken, report->n_taken, place->thread, place->n, place->k);
    gpointer number = NULL;
    if (certificate->states) {
        if (g_hash_table_lookup_extended(certificate->by_state, &report->states[i], NULL, &number))
            g_string_printf(certificate->line, "known %u ", GPOINTER_TO_UINT(number));
        else
            g_hash_table_insert(certificate->by_state,
                                g_memdup2(&report->states[i], sizeof(report->states[i])),
                                GUINT_TO_POINTER(certificate->n_places));
    }
    const bool known = certificate->line->len > 0;
    if (!known) {
        g_string_printf(certificate->line, "place ");
        g_hash_table_insert(certificate->places, g_memdup2(&key, sizeof key),
                            GUINT_TO_POINTER(++certificate->n_places));
    }
    certificate_place(certificate->line, certificate->scenario, report, i);
    put(certificate);
    return known;
}

static void put_end(struct certificate *certificate, const struct run_report *report)
{
    g_string_append(certificate->line, "end ");
    certificate_end(certificate->line, report);
    put(certificate);
}

/* "run 12 40": its first 40 steps are those of the run before. */
static void put_order(struct certificate *certificate, const struct run_report *report)
{
    g_string_printf(certificate->line, "run %" PRIu64, certificate->runs++);
    step_lines_run(certificate->steps, report, certificate->line);
    put_end(certificate, report);
}

/* Places of a run that no plan may add to are of no account, unless their states are. */
static void put_plan(struct certificate *certificate, const struct run_report *report)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    put_run(certificate, report);
    const bool listed = certificate->states || report->n_taken < certificate->bound;
    bool known = false;
    for (size_t i = 0; i < report->n_places && !known && listed; i++)
        if (report->places[i].event >= after)
            known = put_place(certificate, report, i);
    put_end(certificate, report);
}

void certificate_run(struct certificate *certificate, const struct run_report *report)
{
    if (certificate->steps != NULL)
        put_order(certificate, report);
    else
        put_plan(certificate, report);
}
