/* faultline races: accesses to memory that nothing orders, and whether their order matters. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "explore/strategy.h"
#include "main.h"
#include "memory_name.h"
#include "plan.h"
#include "race_stacks.h"
#include "race_trial.h"
#include "subject.h"
#include "trace.h"

enum { RUNS = 200, FRAMES = 64, NAME = 64 };

struct found {           /* what goes with a race */
    char name[NAME];     /* of the memory */
    struct fl_plan seen; /* by which it was found */
    struct race_trial trial;
    struct race_stacks stacks;
};

struct races_command {
    struct subject_options subject_options;
    char **params;
    int runs;
    gboolean json;

    struct subject subject;
    struct samples samples;
    struct races *races;
    GPtrArray *found; /* of struct found, one for each race */
    GArray *plans;    /* struct fl_plan */
    unsigned runs_made;
};

static bool parse(struct races_command *command, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &command->params, "set a parameter",
         "NAME=VALUE"},
        {"runs", 0, 0, G_OPTION_ARG_INT, &command->runs,
         "how many schedules to look at, at most (default: 200)", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &command->json, "print a JSON object", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&command->subject_options, more);
    return cli_parse(argc, argv, "SCENARIO/VARIANT",
                     "Looks for data races: accesses of two threads to one place in memory, one of "
                     "them a store,\nthat nothing orders; in the default schedule and in those "
                     "with one preemption at depth sync.\nThen tries each both ways. Exit code: 0 "
                     "no check took notice of any, 1 one is harmful, 3 interrupted.",
                     entries, more, status);
}

/* ---- looking ---- */

/* The default schedule, and all that leave it once at an entry of depth sync. */
static bool on_default(void *context, size_t i, const struct sample *sample)
{
    struct races_command *command = context;
    size_t n_places;
    const struct place *places = engine_places(command->samples.engine, &n_places);
    const uint32_t *ready = engine_ready(command->samples.engine);
    (void)i;
    for (size_t at = 0; at < n_places; at++)
        for (uint32_t j = 0; j < places[at].n_ready && strategy_place(&places[at], FL_DEPTH_SYNC);
             j++) {
            struct fl_plan plan = *sample->plan;
            const struct fl_preemption preemption = {.thread = places[at].thread,
                                                     .n = places[at].n,
                                                     .k = places[at].k,
                                                     .target = ready[places[at].ready + j]};
            plan_insert(&plan, command->samples.scenario, &preemption, NULL);
            if (command->plans->len < (guint)command->runs)
                g_array_append_val(command->plans, plan);
        }
    return true;
}

static bool on_look(void *context, size_t i, const struct sample *sample)
{
    struct races_command *command = context;
    (void)i;
    command->runs_made++;
    races_learn(command->races, command->samples.engine, sample->events, sample->n_events,
                sample->accesses, sample->n_accesses);
    const GArray *list = races_list(command->races);
    while (command->found->len < list->len) {
        const struct race *race = &g_array_index(list, struct race, command->found->len);
        struct found *found = g_new0(struct found, 1);
        found->seen = *sample->plan;
        memory_name(&command->subject, sample->events, sample->n_events, race->address, found->name,
                    sizeof(found->name));
        g_ptr_array_add(command->found, found);
    }
    return true;
}

static bool look(struct races_command *command, GError **error)
{
    struct fl_plan plan;
    plan_init(&plan, command->subject.scenario, command->subject.scenario_index,
              command->subject.variant);
    plan.mode = FL_MODE_SPANS;
    if (!subject_params(&command->subject, command->params, &plan, error))
        return false;
    g_array_append_val(command->plans, plan);
    return samples_run(&command->samples, &plan, 1, on_default, command, error) &&
           samples_run(&command->samples, (const struct fl_plan *)(void *)command->plans->data,
                       command->plans->len, on_look, command, error);
}

static bool try_all(struct races_command *command, GError **error)
{
    const GArray *list = races_list(command->races);
    for (guint i = 0; i < list->len; i++) {
        struct found *found = g_ptr_array_index(command->found, i);
        const struct race *race = &g_array_index(list, struct race, i);
        if (!race_try(&command->samples, race, &found->seen, &found->trial, error) ||
            !race_stacks(&command->samples, command->subject.image, race, &found->seen,
                         &found->stacks, error))
            return false;
        command->runs_made += found->trial.runs + 1;
    }
    return true;
}

/* ---- telling ---- */

/* What is known of a thread's calls: where it could not be stopped, the function that accesses. */
static size_t frames_of(const struct races_command *command, const struct race_side *side,
                        const struct call_stack *stack, struct call_frame frames[FRAMES])
{
    const struct call_stack access = {.pcs = {side->pc}, .n = 1};
    return call_stack_frames(command->subject.image, stack->n > 0 ? stack : &access, frames,
                             FRAMES);
}

static const char *ending(const struct call_stack *stack)
{
    if (stack->n == 0)
        return "         its callers are not known: it could not be stopped there\n";
    return stack->whole ? "" : "         its other callers are not known\n";
}

static void append_side(GString *out, const struct races_command *command,
                        const struct race_side *side, const struct call_stack *stack)
{
    struct call_frame frames[FRAMES];
    char thread[TRACE_NAME_MAX];
    const size_t count = frames_of(command, side, stack, frames);
    g_string_append_printf(out, "     %s %s at 0x%x\n",
                           trace_thread_name(command->subject.scenario, side->thread, thread),
                           side->store ? "stores" : "loads", side->pc);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(out, "         %s (%s:%u)\n", frames[i].place.function,
                               frames[i].place.file, frames[i].place.line);
    g_string_append(out, ending(stack));
}

static char *schedule_of(const struct races_command *command, const struct found *found)
{
    return plan_schedule(command->subject.scenario, found->trial.plan.preemptions,
                         found->trial.plan.n_preemptions);
}

static void append_effect(GString *out, const struct races_command *command,
                          const struct found *found)
{
    g_autofree char *schedule = schedule_of(command, found);
    switch (found->trial.effect) {
    case RACE_HARMFUL:
        g_string_append_printf(out, "     HARMFUL: '%s' violates %s\n", schedule,
                               found->trial.check);
        break;
    case RACE_HARMLESS:
        g_string_append(out, "     tried both ways: no check took notice\n");
        break;
    case RACE_UNTRIED:
        g_string_append(out, "     the other order could not be brought about\n");
        break;
    }
}

static void print_text(const struct races_command *command, unsigned harmful)
{
    const GArray *list = races_list(command->races);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++) {
        const struct race *race = &g_array_index(list, struct race, i);
        const struct found *found = g_ptr_array_index(command->found, i);
        g_string_append_printf(text, "%3u  %s\n", i + 1, found->name);
        append_side(text, command, &race->first, &found->stacks.first);
        append_side(text, command, &race->second, &found->stacks.second);
        append_effect(text, command, found);
    }
    g_autofree char *races = cli_plural(list->len, "data race");
    g_autofree char *runs = cli_plural(command->runs_made, "run");
    g_string_append_printf(text, "%s in %s", races, runs);
    if (list->len > 0)
        g_string_append_printf(text, ", %u harmful", harmful);
    g_string_append_c(text, '\n');
    fputs(text->str, stdout);
}

static json_t *frame_to_json(const struct call_frame *frame)
{
    return json_pack("{s:s, s:s, s:i, s:I}", "function", frame->place.function, "file",
                     frame->place.file, "line", (int)frame->place.line, "pc",
                     (json_int_t)frame->pc);
}

/* frames: those at the access itself. stack: them and all callers', empty when not known. */
static json_t *side_to_json(const struct races_command *command, const struct race_side *side,
                            const struct call_stack *stack)
{
    struct call_frame frames[FRAMES];
    char thread[TRACE_NAME_MAX];
    const size_t count = frames_of(command, side, stack, frames);
    json_t *inlined = json_array(), *calls = json_array();
    for (size_t i = 0; i < count; i++) {
        if (frames[i].pc == side->pc)
            json_array_append_new(inlined, frame_to_json(&frames[i]));
        if (stack->n > 0)
            json_array_append_new(calls, frame_to_json(&frames[i]));
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:b}", "thread",
                     trace_thread_name(command->subject.scenario, side->thread, thread), "access",
                     side->store ? "store" : "load", "pc", (json_int_t)side->pc, "frames", inlined,
                     "stack", calls, "stack_whole", stack->whole);
}

static void print_json(const struct races_command *command, unsigned harmful)
{
    const struct subject *subject = &command->subject;
    const GArray *list = races_list(command->races);
    json_t *races = json_array();
    for (guint i = 0; i < list->len; i++) {
        const struct race *race = &g_array_index(list, struct race, i);
        const struct found *found = g_ptr_array_index(command->found, i);
        const bool harms = found->trial.effect == RACE_HARMFUL;
        g_autofree char *schedule = schedule_of(command, found);
        json_array_append_new(
            races,
            json_pack("{s:s, s:o, s:o, s:s, s:s?, s:s?}", "object", found->name, "first",
                      side_to_json(command, &race->first, &found->stacks.first), "second",
                      side_to_json(command, &race->second, &found->stacks.second), "effect",
                      race_effect_name(found->trial.effect), "check",
                      harms ? found->trial.check : NULL, "schedule", harms ? schedule : NULL));
    }
    cli_print_json(json_pack("{s:s, s:s, s:i, s:i, s:o}", "scenario", subject->scenario->id,
                             "variant", subject->scenario->variants[subject->variant].id, "runs",
                             (int)command->runs_made, "harmful", (int)harmful, "races", races));
}

static int tell(const struct races_command *command)
{
    unsigned harmful = 0;
    for (guint i = 0; i < command->found->len; i++) {
        const struct found *found = g_ptr_array_index(command->found, i);
        harmful += found->trial.effect == RACE_HARMFUL;
    }
    if (command->json)
        print_json(command, harmful);
    else
        print_text(command, harmful);
    return harmful > 0 ? EXIT_FOUND : EXIT_CLEAN;
}

/* ---- going ---- */

static int find_races(struct races_command *command, GError **error)
{
    if (look(command, error) && try_all(command, error))
        return tell(command);
    if (!cli_interrupted())
        return EXIT_ERROR;
    g_clear_error(error);
    fputs("faultline races: interrupted\n", stderr);
    return EXIT_INCOMPLETE;
}

static int go(struct races_command *command, const char *name, GError **error)
{
    if (command->runs < 1) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--runs must be at least 1, not %d",
                    command->runs);
        return EXIT_ERROR;
    }
    if (!subject_open(&command->subject, &command->subject_options, name, error))
        return EXIT_ERROR;
    const struct session_options options = {
        .backend = command->subject.backend,
        .image = command->subject.image,
        .watchdog = command->subject.watchdog,
        .spawn = &command->subject.spawn,
        .accesses = true,
    };
    struct session *session = session_open(&options, error);
    if (session == NULL)
        return EXIT_ERROR;
    subject_say_telling(&command->subject, "faultline races");
    command->samples = (struct samples){
        .session = session,
        .engine = engine_new(),
        .scenario = command->subject.scenario,
        .interrupted = cli_interrupted,
    };
    command->races = races_new();
    command->found = g_ptr_array_new_with_free_func(g_free);
    command->plans = g_array_new(FALSE, FALSE, sizeof(struct fl_plan));
    const int status = find_races(command, error);
    g_array_free(command->plans, TRUE);
    g_ptr_array_free(command->found, TRUE);
    races_free(command->races);
    engine_free(command->samples.engine);
    session_close(session);
    return status;
}

int cmd_races(int argc, char **argv)
{
    struct races_command command = {.runs = RUNS};
    GError *error = NULL;
    int status;
    if (!parse(&command, &argc, &argv, &status))
        return status;
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected one SCENARIO/VARIANT", &error)) {
        cli_catch_interrupt();
        status = go(&command, argv[1], &error);
    }
    if (error != NULL)
        status = cli_fail("faultline races", error);
    subject_close(&command.subject);
    subject_options_free(&command.subject_options);
    g_strfreev(command.params);
    return status;
}
