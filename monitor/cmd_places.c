/* faultline places: where schedules could have been departed from, and how they end, in the words
 * of a certificate (traces/CERTIFICATE.md). certcheck asks it. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "explore/certificate.h"
#include "explore/certificate_steps.h"
#include "explore/drive.h"
#include "main.h"
#include "plan.h"
#include "subject.h"

struct places {
    struct subject_options subject_options;
    char **params;
    char *depth;
    gboolean states, bounded, steps, gives_up;

    struct subject subject;
    struct fl_plan base;
    unsigned search_depth;
    GPtrArray *schedules; /* of char *: as they were read */
    GArray *plans;        /* of struct fl_plan */
};

static bool parse(struct places *places, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"depth", 0, 0, G_OPTION_ARG_STRING, &places->depth, "of the places: ipc or sync", "D"},
        {"states", 0, 0, G_OPTION_ARG_NONE, &places->states,
         "tell the state at each place, and where threads give up", NULL},
        {"bounded", 0, 0, G_OPTION_ARG_NONE, &places->bounded,
         "with --states: who runs is part of it, as preemptions are counted", NULL},
        {"gives-up", 0, 0, G_OPTION_ARG_NONE, &places->gives_up,
         "where threads give the processor up are places, too", NULL},
        {"steps", 0, 0, G_OPTION_ARG_NONE, &places->steps,
         "tell what is between choices of who runs, and what it touches, instead of places", NULL},
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &places->params, "set a parameter",
         "NAME=VALUE"},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&places->subject_options, more);
    return cli_parse(argc, argv, "SCENARIO/VARIANT",
                     "Runs the schedules that it reads, one a line (an empty one is the default "
                     "schedule), and\nprints for each `run SCHEDULE`, a line `place THREAD@N "
                     "READY[,READY...] [STATE]` for each place,\nand `end VERDICT OUTCOME HASH`. "
                     "With --steps, `step [->]THREAD END READY TOUCHED...` for each\nstep.",
                     entries, more, status);
}

/* ---- the plans, as a strategy ---- */

struct strategy {
    const GArray *plans;
    guint issued, returned;
};

static bool listed_next(struct strategy *listed, struct fl_plan *plan)
{
    if (listed->issued == listed->plans->len)
        return false;
    *plan = g_array_index(listed->plans, struct fl_plan, listed->issued++);
    return true;
}

static bool listed_done(struct strategy *listed, const struct run_report *report)
{
    (void)report;
    listed->returned++;
    return true;
}

/* Every run goes to its end. */
static bool listed_known(const struct strategy *listed, const struct state_hash *state)
{
    (void)listed;
    (void)state;
    return false;
}

static bool listed_finished(const struct strategy *listed)
{
    return listed->returned == listed->plans->len;
}

static const struct strategy_ops listed_ops = {
    .id = "listed",
    .next = listed_next,
    .done = listed_done,
    .known = listed_known,
    .finished = listed_finished,
};

/* ---- */

static void append_places(GString *text, const struct fl_scenario *scenario,
                          const struct run_report *report)
{
    for (size_t i = 0; i < report->n_places; i++) {
        g_string_append(text, "place ");
        certificate_place(text, scenario, report, i);
        g_string_append_c(text, '\n');
    }
}

static void append_steps(GString *text, const struct fl_scenario *scenario,
                         const struct run_report *report)
{
    const struct run_steps *steps = report->steps;
    for (size_t i = 0; i < steps->n; i++) {
        struct footprint *footprint = steps->footprint(steps->context, i);
        g_string_append(text, "step ");
        certificate_step(text, scenario, report, i);
        certificate_footprint(text, scenario, footprint);
        g_string_append_c(text, '\n');
        footprint_unref(footprint);
    }
}

static bool print_run(void *context, const struct driven *driven)
{
    const struct places *places = context;
    const struct run_report *report = driven->report;
    const struct fl_scenario *scenario = places->subject.scenario;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "run %s\n",
                           (const char *)g_ptr_array_index(places->schedules, driven->number));
    if (report->steps != NULL)
        append_steps(text, scenario, report);
    else
        append_places(text, scenario, report);
    if (report->n_taken != report->plan->n_preemptions)
        g_string_append(text, "missed\n");
    g_string_append(text, "end ");
    certificate_end(text, report);
    puts(text->str);
    return true;
}

static bool go_on(void *context)
{
    (void)context;
    return !cli_interrupted();
}

static bool read_schedules(struct places *places, GError **error)
{
    char line[1 << 16];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct fl_plan plan = places->base;
        g_strchomp(line);
        if (!plan_parse_schedule(&plan, places->subject.scenario, line, error))
            return false;
        plan.depth = (uint8_t)places->search_depth;
        if (places->states)
            plan.mode |= FL_MODE_ONLINE;
        g_array_append_val(places->plans, plan);
        g_ptr_array_add(places->schedules, g_strdup(line));
    }
    return true;
}

static bool prepare(struct places *places, const char *name, GError **error)
{
    if (!cli_depth(places->depth != NULL ? places->depth : "ipc", &places->search_depth, error))
        return false;
    if (places->search_depth > FL_DEPTH_SYNC) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--depth must be ipc or sync");
        return false;
    }
    if (places->states && places->steps) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--states and --steps exclude each other");
        return false;
    }
    if (!subject_open(&places->subject, &places->subject_options, name, error))
        return false;
    plan_init(&places->base, places->subject.scenario, places->subject.scenario_index,
              places->subject.variant);
    if (places->states)
        places->base.mode |= FL_MODE_ONLINE;
    return subject_params(&places->subject, places->params, &places->base, error) &&
           subject_takes(&places->subject, &places->base, error) && read_schedules(places, error);
}

static int make_runs(struct places *places, GError **error)
{
    struct depth *depths[FL_DEPTH_NEVER] = {NULL};
    struct strategy_ops ops = listed_ops;
    struct strategy listed = {.plans = places->plans};
    struct standing *standing = NULL;
    ops.steps = places->steps;
    if (!places->states)
        ops.known = NULL;
    else if ((standing = standing_new(places->subject.image, places->bounded, error)) == NULL)
        return EXIT_ERROR;
    struct drive drive = {
        .crew = subject_crew(&places->subject, 1),
        .engine = engine_new(),
        .scenario = places->subject.scenario,
        .ops = &ops,
        .strategy = &listed,
        .depths = depths,
        .standing = standing,
        .gives_up = places->gives_up,
        .depth = places->search_depth,
        .on_run = print_run,
        .on_wait = go_on,
        .context = places,
    };
    const enum drive_end end = drive_run(&drive, error);
    engine_free(drive.engine);
    crew_free(drive.crew);
    standing_free(standing);
    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++)
        if (depths[i] != NULL)
            depth_free(depths[i]);
    return end == DRIVE_FINISHED ? EXIT_CLEAN : end == DRIVE_FAILED ? EXIT_ERROR : EXIT_INCOMPLETE;
}

int cmd_places(int argc, char **argv)
{
    struct places places = {.states = FALSE};
    GError *error = NULL;
    int status;
    if (!parse(&places, &argc, &argv, &status))
        return status;
    places.schedules = g_ptr_array_new_with_free_func(g_free);
    places.plans = g_array_new(FALSE, FALSE, sizeof(struct fl_plan));
    cli_catch_interrupt();
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected one SCENARIO/VARIANT", &error) &&
        prepare(&places, argv[1], &error))
        status = make_runs(&places, &error);
    if (error != NULL)
        status = cli_fail("faultline places", error);
    subject_close(&places.subject);
    subject_options_free(&places.subject_options);
    g_ptr_array_free(places.schedules, TRUE);
    g_array_free(places.plans, TRUE);
    g_strfreev(places.params);
    g_free(places.depth);
    return status;
}
