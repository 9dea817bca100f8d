/* faultline explore: search the schedules of a variant. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "explore_command.h"
#include "main.h"
#include "plan.h"
#include "recorder.h"
#include "trace.h"

#define TWICE_EVERY  100
#define DEFAULT_TIME 60 /* seconds, when nothing says how much auto may spend */
#define MAX_JOBS     64
#define NOT_GIVEN    G_MININT /* --bound, --time */

static const char about[] =
    "Searches the schedules of a variant until a check is violated, nothing is left, or the\n"
    "budget is spent. What is found is shrunk to the fewest preemptions and recorded.\n"
    "Exit code: 0 nothing left, 1 found, 2 error, 3 budget spent or interrupted.";

static bool parse(struct explore_command *command, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"depth", 0, 0, G_OPTION_ARG_STRING, &command->depth,
         "where threads are preempted: ipc, sync, access or insn", "D"},
        {"bound", 0, 0, G_OPTION_ARG_INT, &command->bound,
         "largest number of preemptions in a run (default: 2); pct: of changes of priority (1)",
         "B"},
        {"strategy", 0, 0, G_OPTION_ARG_STRING, &command->strategy,
         "auto: deeper and deeper; dfs: every plan, fewest preemptions first; dpor: all schedules, "
         "of equivalent ones one; pct, random, sparse, descent: drawn (default: auto, or dfs when "
         "--depth or --bound is given)",
         "NAME"},
        {"stateful", 0, 0, G_OPTION_ARG_NONE, &command->stateful,
         "every state that the guest can be brought to, and every choice in it, once", NULL},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &command->seed, "seed of strategies that draw", "N"},
        {"runs", 0, 0, G_OPTION_ARG_INT64, &command->runs, "stop after so many runs", "N"},
        {"time", 0, 0, G_OPTION_ARG_DOUBLE, &command->time,
         "stop after so many seconds; 0: never (default: 60 for auto without --runs)", "S"},
        {"jobs", 0, 0, G_OPTION_ARG_INT, &command->jobs, "guests at a time (default: 1)", "N"},
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &command->params, "set a parameter",
         "NAME=VALUE"},
        {"focus", 0, 0, G_OPTION_ARG_STRING_ARRAY, &command->focus,
         "only places of thread=NAME, space=NAME, function=NAME or addr=LO-HI", "WORD"},
        {"fail", 0, 0, G_OPTION_ARG_STRING_ARRAY, &command->fail,
         "have each frame, slab (table entry) or ipc fail that the variant asks for, one a run, "
         "with all plans of the strategy (default then: dfs, bound 1); alloc: frame and slab",
         "KINDS"},
        {"all", 0, 0, G_OPTION_ARG_NONE, &command->all,
         "go on after a finding, and tell one of each cause", NULL},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &command->resume,
         "go on where the same search was interrupted or spent its budget", NULL},
        {"no-plugin", 0, 0, G_OPTION_ARG_NONE, &command->no_plugin,
         "do without the plugin that tells memory accesses (depth access)", NULL},
        {"or", 0, 0, G_OPTION_ARG_STRING, &command->otherwise,
         "where depth access cannot be had: insn, go on at that depth; stop (default)", "WHAT"},
        {"no-minimise", 0, 0, G_OPTION_ARG_NONE, &command->no_minimise,
         "keep a finding's plan as it was met", NULL},
        {"twice-every", 0, 0, G_OPTION_ARG_INT64, &command->twice_every,
         "run every N-th plan twice and compare the traces; 0: never (default: 100)", "N"},
        {"paranoid", 0, 0, G_OPTION_ARG_NONE, &command->paranoid, "run every plan twice", NULL},
        {"runs-dir", 0, 0, G_OPTION_ARG_FILENAME, &command->runs_dir,
         "where traces go (default: traces/runs)", "DIR"},
        {"orders", 0, 0, G_OPTION_ARG_NONE, &command->orders,
         "count runs that differ in the order of independent steps alone as one behaviour", NULL},
        {"unqueued", 0, 0, G_OPTION_ARG_NONE, &command->unqueued,
         "dpor: nobody calls core while it is at work, as if the call came after it", NULL},
        {"prune", 0, 0, G_OPTION_ARG_NONE, &command->prune,
         "dfs: go on from one of those that differ in the order of independent steps alone", NULL},
        {"gives-up", 0, 0, G_OPTION_ARG_NONE, &command->gives_up,
         "dfs: choose who runs also where a thread gives the processor up", NULL},
        {"audit", 0, 0, G_OPTION_ARG_NONE, &command->audit,
         "stop the guest whenever core is quiescent, and count its objects from outside", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &command->json, "print a JSON object", NULL},
        HOST_TRACE_ENTRIES(&command->host_trace),
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&command->subject_options, more);
    return cli_parse(argc, argv, "SCENARIO/VARIANT", about, entries, more, status);
}

/* ---- what was asked for ---- */

static bool in_range(const struct explore_command *command, GError **error)
{
    const char *wrong = NULL;
    if ((command->bound < 0 && command->bound != NOT_GIVEN) ||
        command->bound > (int)FL_MAX_PREEMPTIONS)
        wrong = "--bound must be from 0 to 250";
    else if (command->runs < 0)
        wrong = "--runs must be a number of runs";
    else if (!(command->time >= 0) && command->time != NOT_GIVEN)
        wrong = "--time must be a number of seconds";
    else if (command->jobs < 1 || command->jobs > MAX_JOBS)
        wrong = "--jobs must be from 1 to 64";
    else if (command->twice_every < 0)
        wrong = "--twice-every must be a number of plans, or 0";
    else if (command->stateful && command->strategy != NULL &&
             strcmp(command->strategy, strategy_stateful.id) != 0)
        wrong = "--stateful is a strategy of its own: leave --strategy out";
    else if (command->fail != NULL && (command->prune || command->orders))
        wrong = "--fail takes every plan, for what fails goes by the order of all steps: leave out "
                "--prune and --orders";
    else if (command->otherwise != NULL && strcmp(command->otherwise, "insn") != 0 &&
             strcmp(command->otherwise, "stop") != 0)
        wrong = "--or must be insn or stop";
    if (wrong != NULL)
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_USAGE, wrong);
    return wrong == NULL;
}

static bool find_strategy(struct explore_command *command, GError **error)
{
    const bool simple = command->depth == NULL && command->bound < 0 && command->fail == NULL;
    const char *id = command->stateful           ? strategy_stateful.id
                     : command->strategy != NULL ? command->strategy
                     : simple                    ? strategy_auto.id
                                                 : strategy_dfs.id;
    command->options.strategy = strategy_find(id);
    if (command->options.strategy != NULL)
        return true;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (size_t i = 0; strategies[i] != NULL; i++)
        g_ptr_array_add(ids, (char *)strategies[i]->id);
    cli_unknown("strategy", id, ids, "faultline explore --help", error);
    return false;
}

static bool find_failure(struct explore_options *options, const char *name, GError **error)
{
    const int kind = plan_failure_kind(name);
    unsigned kinds = 0;
    if (kind >= 0)
        kinds = 1u << kind;
    else if (strcmp(name, "alloc") == 0)
        kinds = 1u << FL_FAIL_FRAME | 1u << FL_FAIL_SLAB;
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "--fail takes frame, slab, ipc, or alloc for frame and slab, not \"%s\"", name);
    options->fails |= kinds;
    return kinds != 0;
}

static bool find_failures(struct explore_command *command, GError **error)
{
    for (char **list = command->fail; list != NULL && *list != NULL; list++) {
        g_auto(GStrv) names = g_strsplit(*list, ",", -1);
        for (char **name = names; *name != NULL; name++)
            if (!find_failure(&command->options, g_strstrip(*name), error))
                return false;
    }
    return true;
}

static bool find_extent(struct explore_command *command, GError **error)
{
    struct explore_options *options = &command->options;
    const bool deepening = options->strategy == &strategy_auto;
    const char *depth = command->depth != NULL ? command->depth : deepening ? "insn" : "ipc";
    const unsigned preset = options->strategy == &strategy_pct || options->fails != 0 ? 1 : 2;
    const bool all = options->strategy->steps || options->strategy->known != NULL;
    options->bound = command->bound >= 0 ? (unsigned)command->bound
                     : all               ? FL_MAX_PREEMPTIONS
                                         : preset;
    options->max_runs = (uint64_t)command->runs;
    options->max_seconds = MAX(command->time, 0);
    if (deepening && command->time == NOT_GIVEN && command->runs == 0)
        options->max_seconds = DEFAULT_TIME;
    options->twice_every = command->paranoid ? 1 : (uint64_t)command->twice_every;
    return cli_depth(depth, &options->depth, error);
}

/* Why memory accesses cannot be told; NULL: they can. */
static char *no_accesses(const struct explore_command *command)
{
    char reason[256];
    const struct backend_ops *backend = command->subject.backend;
    const struct backend_ops *telling = backend_telling(backend);
    if (command->no_plugin)
        return g_strdup("--no-plugin was given");
    if (telling == NULL)
        return g_strdup_printf("back end %s cannot tell memory accesses", backend->id);
    return telling->probe_accesses(reason, sizeof(reason)) ? NULL : g_strdup(reason);
}

/* Both depths need preemptions between instructions. */
static bool has_insn(struct explore_command *command, GError **error)
{
    struct explore_options *options = &command->options;
    if (command->subject.backend->capabilities & BACKEND_INSN)
        return true;
    options->without |= 1u << FL_DEPTH_INSN | 1u << FL_DEPTH_ACCESS;
    if (options->strategy == &strategy_auto || options->depth < FL_DEPTH_ACCESS)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "back end %s cannot preempt between instructions: choose depth ipc or sync, or "
                "another back end",
                command->subject.backend->id);
    return false;
}

/* A bound would cut off schedules that stand for others within it (Coons, Musuvathi, McKinley,
 * "Bounded partial-order reduction", OOPSLA 2013); a focus would hide choices. */
static bool can_reduce(const struct explore_command *command, GError **error)
{
    g_autofree char *reason = NULL;
    if (command->bound >= 0)
        reason = g_strdup("has no bound on preemptions: a schedule within it may stand for one "
                          "beyond; leave out --bound, or use --strategy dfs");
    else if (command->focus != NULL)
        reason = g_strdup("takes every place of the depth: leave out --focus");
    else if ((reason = no_accesses(command)) != NULL)
        reason = g_strconcat("needs to be told of memory accesses, and ", reason, NULL);
    if (reason == NULL)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "strategy %s %s", command->options.strategy->id,
                reason);
    return false;
}

/* To look at a guest's state it must stand still at places. */
static bool can_tell_states(const struct explore_command *command, GError **error)
{
    const struct backend_ops *backend = command->subject.backend;
    if (command->options.strategy->known == NULL || (backend->capabilities & BACKEND_ONLINE))
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "back end %s cannot decide online, which a stateful search needs: choose another "
                "back end",
                backend->id);
    return false;
}

/* Steps are told from entries, and from what the plugin says. */
static bool can_order(const struct explore_command *command, GError **error)
{
    g_autofree char *reason = no_accesses(command);
    if (reason == NULL && command->options.depth <= FL_DEPTH_SYNC &&
        command->options.strategy->known == NULL)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--orders %s",
                reason != NULL ? reason : "needs depth ipc or sync, and whole runs");
    return false;
}

/* Who is pruned of what depends on where its runs begin alike, so on orders. */
static bool can_prune(const struct explore_command *command, GError **error)
{
    g_autofree char *reason = no_accesses(command);
    if (reason == NULL && command->options.depth <= FL_DEPTH_SYNC &&
        command->options.strategy == &strategy_dfs)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--prune %s",
                reason != NULL ? reason : "needs strategy dfs, and depth ipc or sync");
    return false;
}

/* The others choose there in any case, or never. */
static bool can_give_up(const struct explore_command *command, GError **error)
{
    const struct strategy_ops *strategy = command->options.strategy;
    if (strategy == &strategy_dfs && command->focus == NULL)
        return true;
    if (command->focus != NULL)
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_USAGE,
                            "--gives-up takes every place of the depth: leave out --focus");
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "--gives-up is for strategy dfs, not for %s%s", strategy->id,
                    strategy->steps || strategy->known != NULL ? ", which chooses there anyway"
                                                               : "");
    return false;
}

static bool can_unqueue(const struct explore_command *command, GError **error)
{
    if (command->options.strategy == &strategy_dpor)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--unqueued needs strategy dpor");
    return false;
}

/* Which depths cannot be had, and what is to be done about it. */
static bool find_missing(struct explore_command *command, GError **error)
{
    struct explore_options *options = &command->options;
    if (!has_insn(command, error) || (options->strategy->steps && !can_reduce(command, error)) ||
        (command->orders && !can_order(command, error)) ||
        (command->prune && !can_prune(command, error)) ||
        (command->gives_up && !can_give_up(command, error)) ||
        (command->unqueued && !can_unqueue(command, error)))
        return false;
    g_autofree char *reason = no_accesses(command);
    if (reason == NULL) {
        if (options->depth >= FL_DEPTH_ACCESS)
            subject_say_telling(&command->subject, "faultline explore");
        return true;
    }
    options->without |= 1u << FL_DEPTH_ACCESS;
    if (options->strategy == &strategy_auto || options->depth != FL_DEPTH_ACCESS) {
        if (options->strategy == &strategy_auto && options->depth >= FL_DEPTH_ACCESS)
            fprintf(stderr, "faultline explore: depth access is left out: %s\n", reason);
        return true;
    }
    if (g_strcmp0(command->otherwise, "insn") != 0) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "depth access cannot be had: %s; `--or insn` goes on at depth insn", reason);
        return false;
    }
    fprintf(stderr, "faultline explore: depth insn instead of access: %s\n", reason);
    options->depth = FL_DEPTH_INSN;
    return true;
}

static bool prepare(struct explore_command *command, const char *name, GError **error)
{
    struct explore_options *options = &command->options;
    if (!in_range(command, error) || !find_strategy(command, error) ||
        !find_failures(command, error) || !find_extent(command, error) ||
        !subject_open(&command->subject, &command->subject_options, name, error) ||
        !can_tell_states(command, error) || !find_missing(command, error))
        return false;
    plan_init(&command->base, command->subject.scenario, command->subject.scenario_index,
              command->subject.variant);
    if (command->audit)
        command->base.mode |= FL_MODE_AUDIT;
    if (command->runs_dir == NULL)
        command->runs_dir = g_strdup(RECORDER_DEFAULT_ROOT);
    options->scenario = command->subject.scenario;
    options->image = command->subject.image;
    options->base = &command->base;
    options->seed = (uint64_t)command->seed;
    options->all = command->all;
    options->orders = command->orders;
    options->prune = command->prune;
    options->gives_up = command->gives_up;
    options->unqueued = command->unqueued;
    options->minimise = !command->no_minimise;
    options->interrupted = cli_interrupted;
    options->progress = explore_show_progress;
    options->context = command;
    if (command->focus != NULL) {
        options->focus =
            focus_new(command->focus, command->subject.image, command->subject.scenario, error);
        if (options->focus == NULL)
            return false;
    }
    return subject_params(&command->subject, command->params, &command->base, error);
}

/* ---- resuming ---- */

/* All that the runs of a search and their order depend on. */
static char *journal_key(const struct explore_command *command)
{
    const struct explore_options *options = &command->options;
    const struct subject *subject = &command->subject;
    GString *key = g_string_new(NULL);
    g_string_append_printf(key, "image %s\nbackend %s\nsubject %s/%s", subject->image->hash,
                           subject->backend->id, subject->scenario->id,
                           subject->scenario->variants[subject->variant].id);
    for (uint32_t i = 0; i < subject->scenario->n_params; i++)
        g_string_append_printf(key, " %s=%u", subject->scenario->params[i].id,
                               command->base.params[i]);
    g_string_append_printf(key, "\nstrategy %s depth %s bound %u seed %" G_GUINT64_FORMAT,
                           options->strategy->id, trace_value_name(TRACE_DEPTH, options->depth),
                           options->bound, options->seed);
    g_string_append_printf(key,
                           " without %u all %d orders %d prune %d gives up %d unqueued %d fails %u",
                           options->without, options->all, options->orders, options->prune,
                           options->gives_up, options->unqueued, options->fails);
    for (char **word = command->focus; word != NULL && *word != NULL; word++)
        g_string_append_printf(key, "\nfocus %s", *word);
    return g_string_free(key, FALSE);
}

static void open_journal(struct explore_command *command)
{
    const struct subject *subject = &command->subject;
    g_autofree char *directory = g_build_filename(command->runs_dir, ".search", NULL);
    g_autofree char *key = journal_key(command);
    g_autofree char *name = g_strdup_printf("%s-%s", subject->scenario->id,
                                            subject->scenario->variants[subject->variant].id);
    struct journal *journal = journal_open(directory, name, key, command->resume);
    command->options.journal = journal;
    if (!command->resume)
        return;
    if (journal_remembered(journal) > 0)
        fprintf(stderr,
                "faultline explore: goes on after %" G_GUINT64_FORMAT " runs (%.1f s) of strategy "
                "%s, depth %s, bound %u\n",
                journal_remembered(journal), journal_seconds(journal),
                command->options.strategy->id,
                trace_value_name(TRACE_DEPTH, command->options.depth), command->options.bound);
    else
        fputs("faultline explore: there is nothing to resume with these options; begins anew\n",
              stderr);
}

/* A search that came to its end, or whose runs cannot be trusted, leaves nothing to go on from. */
static void close_journal(struct explore_command *command, const struct explore_result *result)
{
    struct journal *journal = command->options.journal;
    g_autoptr(GError) error = NULL;
    if (result == NULL || result->complete || result->verdict == EXPLORE_ERROR ||
        (result->findings->len > 0 && !command->all))
        journal_remove(journal);
    else if (!journal_flush(journal, result->seconds_resumed + result->seconds, &error))
        fprintf(stderr, "faultline explore: %s\n", error->message);
    journal_close(journal);
}

/* ---- certifying ---- */

/* Of a search that takes every choice of its extent, or one of all that are alike, and shows them
 * all in one go. */
static bool certifies(const struct explore_command *command)
{
    const struct explore_options *options = &command->options;
    return (options->strategy == &strategy_dfs || options->strategy == &strategy_stateful ||
            options->strategy == &strategy_dpor) &&
           options->depth <= FL_DEPTH_SYNC && options->focus == NULL && !command->resume &&
           !options->prune && options->fails == 0;
}

/* What of such an extent is certified otherwise, and why not here; NULL: nothing to say. */
static const char *why_not_certified(const struct explore_options *options)
{
    return options->prune ? "a choice that is left out stands for another by an order of steps, "
                            "which a certificate of plans does not tell"
                          : NULL;
}

static char *certificate_path(const struct explore_command *command, const char *depth)
{
    const struct subject *subject = &command->subject;
    const struct strategy_ops *strategy = command->options.strategy;
    const bool orders = strategy == &strategy_dpor;
    const bool all = orders || command->options.bound == FL_MAX_PREEMPTIONS;
    g_autofree char *bound = all ? g_strdup("all") : g_strdup_printf("%u", command->options.bound);
    g_autofree char *name =
        g_strdup_printf("%s-%s-%s-%s%s%s.cert", subject->scenario->id,
                        subject->scenario->variants[subject->variant].id, depth, bound,
                        command->options.unqueued ? "-unqueued"
                        : orders                  ? "-orders"
                        : strategy->known != NULL ? "-states"
                                                  : "",
                        command->options.gives_up ? "-gives-up" : "");
    return g_build_filename(command->runs_dir, "certificates", name, NULL);
}

/* A search is not less for having no certificate: why there is none is told in the end. */
static void open_certificate(struct explore_command *command)
{
    struct explore_options *options = &command->options;
    const char *depth = trace_value_name(TRACE_DEPTH, options->depth);
    const struct certificate_header header = {
        .image = command->subject.image->hash,
        .arch = command->subject.image->arch,
        .backend = command->subject.backend->id,
        .scenario = options->scenario,
        .base = &command->base,
        .depth = depth,
        .bound = options->strategy == &strategy_dpor ? FL_MAX_PREEMPTIONS : options->bound,
        .states = options->strategy->known != NULL,
        .gives_up = options->gives_up,
        .orders = options->strategy == &strategy_dpor,
        .unqueued = options->unqueued,
    };
    if (!certifies(command)) {
        if (why_not_certified(options) != NULL)
            g_set_error(&command->not_certified, CLI_ERROR, CLI_ERROR_USAGE, "no certificate: %s",
                        why_not_certified(options));
        return;
    }
    command->certificate = certificate_path(command, depth);
    options->certificate = certificate_open(command->certificate, &header, &command->not_certified);
}

static void close_certificate(struct explore_command *command, const struct explore_result *result)
{
    struct certificate *certificate = command->options.certificate;
    const bool nothing_left = result != NULL && result->verdict == EXPLORE_NOTHING_LEFT;
    if (certificate == NULL || !nothing_left)
        certificate_drop(certificate);
    else if (certificate_close(certificate, &command->not_certified))
        return;
    g_clear_pointer(&command->certificate, g_free);
    if (nothing_left && command->not_certified != NULL)
        fprintf(stderr, "faultline explore: %s\n", command->not_certified->message);
}

/* ---- going ---- */

static int search(struct explore_command *command, const char *name, GError **error)
{
    if (!prepare(command, name, error))
        return EXIT_ERROR;
    command->options.crew = subject_crew(&command->subject, (unsigned)command->jobs);
    command->options.engine = engine_new();
    open_certificate(command);
    open_journal(command);
    cli_catch_interrupt();
    progress_begin(&command->progress, stderr);
    struct explore_result *result = explore(&command->options, error);
    close_journal(command, result);
    close_certificate(command, result);
    int status = EXIT_ERROR;
    if (result != NULL) {
        status = explore_tell(command, result);
        explore_free(result);
    }
    engine_free(command->options.engine);
    crew_free(command->options.crew);
    return status;
}

static void free_command(struct explore_command *command)
{
    focus_free(command->options.focus);
    subject_close(&command->subject);
    subject_options_free(&command->subject_options);
    g_strfreev(command->params);
    g_strfreev(command->focus);
    g_strfreev(command->fail);
    g_free(command->depth);
    g_free(command->strategy);
    g_free(command->otherwise);
    g_free(command->runs_dir);
    g_free(command->certificate);
    g_clear_error(&command->not_certified);
}

int cmd_explore(int argc, char **argv)
{
    struct explore_command command = {
        .bound = NOT_GIVEN, .time = NOT_GIVEN, .jobs = 1, .twice_every = TWICE_EVERY};
    GError *error = NULL;
    int status;
    if (!parse(&command, &argc, &argv, &status))
        return status;
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected one SCENARIO/VARIANT", &error) &&
        host_trace_begin(&command.host_trace, "explore", argv[1], &error))
        status = search(&command, argv[1], &error);
    if (error != NULL)
        status = cli_fail("faultline explore", error);
    status = host_trace_end(&command.host_trace, "faultline explore", status);
    free_command(&command);
    return status;
}
