/* A stepped guest: back is where one was, every instruction is stood on once, and from wherever the
 * guest stands its run ends as it always does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "follow.h"
#include "lane.h"
#include "plan.h"
#include "step/commands.h"

enum { POSITIONS = 50, STOPS = 20, WINDOW_LEAST = 60 };

static struct session_options lane;
static struct session *session;
static struct engine *engine;
static struct subject subject;
static struct step step;

static bool nobody(void)
{
    return false;
}

static struct samples samples_of(const struct fl_scenario *scenario)
{
    return (struct samples){
        .session = session, .engine = engine, .scenario = scenario, .interrupted = nobody};
}

static struct fl_plan plan_of(const char *scenario, const char *variant, const char *schedule)
{
    struct fl_plan plan;
    const int index = image_scenario(lane.image, scenario);
    assert_true(index >= 0);
    subject = (struct subject){
        .image = (struct image *)lane.image,
        .backend = lane.backend,
        .scenario = &lane.image->scenarios[index],
        .scenario_index = (unsigned)index,
        .variant = (unsigned)scenario_variant(&lane.image->scenarios[index], variant),
    };
    plan_init(&plan, subject.scenario, subject.scenario_index, subject.variant);
    if (schedule != NULL)
        assert_true(plan_parse_schedule(&plan, subject.scenario, schedule, NULL));
    return plan;
}

static void begin(const char *scenario, const char *variant, const char *schedule)
{
    GError *error = NULL;
    const struct fl_plan plan = plan_of(scenario, variant, schedule);
    const struct samples samples = samples_of(subject.scenario);
    step = (struct step){.quit = false};
    model_init(&step.model);
    if (!stepper_begin(&step.stepper, &samples, &subject, &plan, NULL, &error))
        fail_msg("%s", error->message);
}

static void end(void)
{
    stepper_end(&step.stepper);
    model_free(&step.model);
    g_clear_pointer(&step.last, g_free);
}

/* Also of a test that failed half-way, with the guest standing somewhere. */
static int end_test(void **state)
{
    (void)state;
    if (step.stepper.run != NULL)
        end();
    return 0;
}

/* What the command shows; to be freed. */
static char *say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static char *say(const char *format, ...)
{
    GError *error = NULL;
    GString *out = g_string_new(NULL);
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!step_command(&step, line, out, &error))
        fail_msg("%s: %s", line, error->message);
    return g_string_free(out, FALSE);
}

/* The message with which it is refused; the guest stands where it stood. */
static char *refused(const char *line)
{
    GError *error = NULL;
    const struct moment before = step.stepper.at;
    g_autoptr(GString) out = g_string_new(NULL);
    assert_false(step_command(&step, line, out, &error));
    assert_int_equal(moment_compare(before, step.stepper.at), 0);
    char *message = g_strdup(error->message);
    g_error_free(error);
    return message;
}

/* A linear congruential generator: the same positions each time (Knuth, TAOCP 2, 3.3.4). */
static uint32_t draw(uint32_t below)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static size_t n_events(void)
{
    return step.stepper.run->report.n_events;
}

/* ---- back and forth ---- */

static void back_is_where_one_was(void **state)
{
    (void)state;
    begin("genode_stack_slot", "quickfix", NULL);
    for (unsigned i = 0; i < POSITIONS; i++) {
        g_autofree char *to = say("g %u", draw((uint32_t)n_events()));
        g_autofree char *a = say("p");
        const struct moment here = step.stepper.at;
        g_autofree char *b = say("n");
        g_autofree char *c = say("p");
        if (here.event > 0) {
            assert_string_equal(a, c);
            g_autofree char *d = say("n");
            assert_string_equal(b, d);
        }
        assert_non_null(to);
    }
}

static void instructions_back_and_forth(void **state)
{
    (void)state;
    begin("genode_stack_slot", "racy", NULL);
    for (unsigned i = 0; i < POSITIONS; i++) {
        g_autofree char *to = say("g %u", draw((uint32_t)n_events()));
        g_autofree char *a = say("ni");
        const struct moment here = step.stepper.at;
        if (step.stepper.ended || here.k == 0)
            continue;
        g_autofree char *b = say("ni");
        g_autofree char *c = say("pi");
        assert_string_equal(a, c);
        assert_int_equal(moment_compare(here, step.stepper.at), 0);
        assert_true(to != NULL && b != NULL);
    }
}

/* ---- every instruction ---- */

static void the_window_is_stood_on_boundary_by_boundary(void **state)
{
    (void)state;
    begin("rig_window", "plain", NULL);
    const uint32_t base = FL_PROGRAM_BASE + subject.scenario_index * FL_PROGRAM_SIZE;
    struct code *code = code_open(lane.image, base, base + FL_PROGRAM_SIZE);
    struct calls calls = {.depth = 0};
    g_autofree char *mark = say("c mark_begin");
    g_autofree char *first = say("ni");
    assert_true(mark != NULL && first != NULL);
    uint32_t boundaries = 1;
    for (uint64_t pc = step.stepper.pc;; pc = step.stepper.pc, boundaries++) {
        assert_int_equal(step.stepper.at.k, boundaries);
        g_autofree char *next = say("ni");
        assert_non_null(next);
        if (step.stepper.at.k == 0)
            break;
        if (!code_can_follow(code, &calls, (uint32_t)pc, (uint32_t)step.stepper.pc))
            fail_msg("k %u: after pc 0x%x cannot come 0x%x", step.stepper.at.k, (uint32_t)pc,
                     (uint32_t)step.stepper.pc);
    }
    assert_true(boundaries >= WINDOW_LEAST);
    assert_int_equal(calls.depth, 0);
    const struct fl_event *entry = &step.stepper.run->report.events[step.stepper.at.event];
    assert_int_equal(fl_event_id(entry), FL_EVENT_ENTRY);
    assert_int_equal(entry->point, FL_POINT_MARK);
    code_close(code);
}

/* All that the engine knows of user mode, and no moment else. */
static void every_instruction_of_a_run(void **state)
{
    (void)state;
    struct fl_plan spans = plan_of("genode_stack_slot", "quickfix", "main@19+3->t1");
    spans.mode = FL_MODE_SPANS;
    const struct samples samples = samples_of(subject.scenario);
    struct sample *sample = sample_keep(&samples, &spans, NULL);
    assert_non_null(sample);
    uint64_t instructions = 0, interrupted = 0;
    for (size_t i = 0; i + 1 < sample->n_events; i++) {
        const struct fl_event *event = &sample->events[i], *next = event + 1;
        const bool cut = fl_event_id(next) == FL_EVENT_INTERRUPT;
        if (fl_event_id(event) == FL_EVENT_SPAN)
            instructions += cut ? next->aux - event->aux : event->arg;
        interrupted += cut;
    }
    sample_free(sample);
    begin("genode_stack_slot", "quickfix", "main@19+3->t1");
    GError *error = NULL;
    uint64_t stood = 0;
    for (struct moment at = {.event = 0}, next;; at = next) {
        next = rehearsal_next_instruction(step.stepper.run, at);
        if (moment_compare(next, at) <= 0)
            break;
        stood += next.k > 0;
        if (next.event >= 90 && next.event <= 150 && !stepper_go(&step.stepper, next, &error))
            fail_msg("event %zu, k %u: %s", next.event, next.k, error->message);
    }
    assert_int_equal(interrupted, 1); /* before that one it stands twice: preempted, and again */
    assert_int_equal(stood, instructions + interrupted);
}

/* ---- to the end ---- */

static void from_anywhere_the_run_ends_as_ever(void **state)
{
    (void)state;
    begin("genode_stack_slot", "quickfix", "main@19+3->t1");
    const uint64_t hash = step.stepper.run->report.verdict->event_hash;
    for (unsigned i = 0; i < STOPS; i++) {
        struct moment at = {.event = draw((uint32_t)n_events() - 1)};
        if (i % 2 == 1)
            at = rehearsal_next_instruction(step.stepper.run, at);
        GError *error = NULL;
        if (!stepper_go(&step.stepper, at, &error) || !stepper_finish(&step.stepper, &error))
            fail_msg("from event %zu, k %u: %s", at.event, at.k, error->message);
        assert_true(step.stepper.ended);
    }
    g_autofree char *text = g_strdup_printf("event hash %016" G_GINT64_MODIFIER "x", hash);
    g_autofree char *away = say("g 3");
    g_autofree char *last = say("c");
    assert_non_null(strstr(last, text));
    assert_non_null(strstr(last, "violation     stack-slot-exclusive"));
    assert_non_null(away);
}

static void another_run_than_the_recorded_one(void **state)
{
    (void)state;
    GError *error = NULL;
    const struct fl_plan plan = plan_of("smoke", "plain", NULL);
    const struct samples samples = samples_of(subject.scenario);
    struct sample *sample = sample_keep(&samples, &plan, NULL);
    struct stepper stepper;
    GArray *recorded = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    g_array_append_vals(recorded, sample->events, (guint)sample->n_events);
    assert_true(stepper_begin(&stepper, &samples, &subject, &plan, recorded, NULL));
    stepper_end(&stepper);
    g_array_index(recorded, struct fl_event, 41).thread ^= 0x01000000;
    assert_false(stepper_begin(&stepper, &samples, &subject, &plan, recorded, &error));
    stepper_end(&stepper);
    assert_true(g_error_matches(error, STEP_ERROR, STEP_ERROR_RUN));
    assert_non_null(strstr(error->message, "differs from the trace at event 41: "));
    g_error_free(error);
    g_array_free(recorded, TRUE);
    sample_free(sample);
}

/* The guest's own events are looked at wherever it stands: here they are not what was rehearsed. */
static void a_guest_that_differs_from_itself(void **state)
{
    (void)state;
    GError *error = NULL;
    begin("smoke", "plain", NULL);
    struct fl_event *known = (struct fl_event *)step.stepper.run->report.events;
    known[12].addr ^= 1;
    known[12].thread ^= 0x01000000;
    assert_true(stepper_go(&step.stepper, (struct moment){.event = 11}, &error));
    assert_false(stepper_go(&step.stepper, (struct moment){.event = 13}, &error));
    assert_true(g_error_matches(error, STEP_ERROR, STEP_ERROR_RUN));
    assert_non_null(strstr(error->message, "differs from itself at event 12: "));
    g_error_free(error);
}

static void a_run_that_hangs_or_loses_its_guest(void **state)
{
    (void)state;
    static const char *const variants[] = {"spin", "kernel_fault", "deadlock", "power_off"};
    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
        begin("rig_misbehave", variants[i], NULL);
        g_autofree char *middle = say("g %zu", n_events() / 2);
        g_autofree char *last = say("c");
        assert_non_null(strstr(last, "the end of the run"));
        g_autofree char *back = say("p");
        g_autofree char *on = say("ni"); /* to the instruction after that entry, or to the end */
        assert_non_null(strstr(back, " entry ("));
        assert_true(middle != NULL && on != NULL);
        end();
    }
}

/* ---- what if ---- */

static void a_branch_is_a_plan_of_its_own(void **state)
{
    (void)state;
    begin("genode_stack_slot", "quickfix", NULL);
    const uint64_t before = step.stepper.run->report.verdict->event_hash;
    assert_int_equal(step.stepper.run->report.verdict->kind, VERDICT_CLEAN);
    g_autofree char *there = say("c thread t1");
    g_autofree char *attach = say("rc mark_attach");
    g_autofree char *unlock = say("c unlock");
    assert_true(there != NULL && attach != NULL && unlock != NULL);
    g_autofree char *third = say("g %zu+3", step.stepper.at.event);
    g_autofree char *branch = say("t t1");
    assert_non_null(third);
    assert_non_null(strstr(branch, "what if: schedule 'main@"));
    assert_non_null(strstr(branch, "+3->t1'"));
    assert_int_equal(step.stepper.at.k, 3);
    const uint64_t hash = step.stepper.run->report.verdict->event_hash;
    assert_int_not_equal(hash, before);
    g_autofree char *last = say("c"); /* so that the guest is free for another run */
    assert_non_null(last);
    const struct samples samples = samples_of(subject.scenario);
    struct sample *again = sample_keep(&samples, &step.stepper.run->plan, NULL);
    assert_int_equal(again->verdict->event_hash, hash);
    assert_int_equal(again->plan->n_preemptions, 1);
    sample_free(again);
    g_autofree char *first = say("rc");
    g_autofree char *finding = say("c finding");
    assert_non_null(first);
    assert_non_null(strstr(finding, "violates stack-slot-exclusive"));
    g_autofree char *slots = say("slots");
    assert_non_null(strstr(slots, "\n                          and reserved"));
    /* And dropped again, before it: the thread goes on by itself. */
    g_autofree char *back = say("rc unlock");
    g_autofree char *entry = say("p");
    g_autofree char *dropped = say("t main");
    assert_true(back != NULL && entry != NULL);
    assert_non_null(strstr(dropped, "what if: schedule ''"));
    assert_int_equal(step.stepper.run->report.verdict->event_hash, before);
}

static void what_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"g 100000", "there is no event 100000"},
        {"g 41x", "not \"41x\""},
        {"g 41+", "not \"41+\""},
        {"g -1", "not \"-1\""},
        {"g 20+100000", "the guest can stand at k 1 to "},
        {"t", "name of a thread"},
        {"t nobody", "name of a thread"},
        {"t main", "no thread can be preempted here"},
        {"save", "name of a file"},
        {"c thread nobody", "is no thread"},
        {"c nothing", "no event is called"},
        {"s", "more than one command"},
        {"frobnicate", "is no command"},
        {"n 3", "takes no"},
        {"slots 3", "takes no"},
    };
    begin("genode_stack_slot", "racy", NULL);
    g_autofree char *there = say("c ipc_send");
    assert_non_null(there);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = refused(cases[i].line);
        if (strstr(message, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].line, message);
    }
}

/* ---- the lane ---- */

static int setup(void **state)
{
    (void)state;
    GError *error = NULL;
    lane = lane_open(lane_name());
    engine = engine_new();
    session = session_open(&lane, &error);
    if (session == NULL)
        fail_msg("%s", error->message);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    session_close(session);
    engine_free(engine);
    image_close((struct image *)lane.image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(back_is_where_one_was, end_test),
        cmocka_unit_test_teardown(instructions_back_and_forth, end_test),
        cmocka_unit_test_teardown(the_window_is_stood_on_boundary_by_boundary, end_test),
        cmocka_unit_test_teardown(every_instruction_of_a_run, end_test),
        cmocka_unit_test_teardown(from_anywhere_the_run_ends_as_ever, end_test),
        cmocka_unit_test_teardown(another_run_than_the_recorded_one, end_test),
        cmocka_unit_test_teardown(a_guest_that_differs_from_itself, end_test),
        cmocka_unit_test_teardown(a_run_that_hangs_or_loses_its_guest, end_test),
        cmocka_unit_test_teardown(a_branch_is_a_plan_of_its_own, end_test),
        cmocka_unit_test_teardown(what_cannot_be, end_test),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
