/* Plans as text: both ways, and everything that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fuzz_plan.c"

static const char good_json[] =
    "{\"scenario\": \"toy\", \"variant\": \"good\", \"params\": {\"rounds\": 3, \"size\": 4096},\n"
    " \"policy\": \"fixed\", \"seed\": 7, \"chance\": 9, \"depth\": \"sync\", \"budget\": 5000,\n"
    " \"preemptions\": [{\"thread\": \"t1\", \"n\": 7, \"k\": 3, \"target\": \"main\",\n"
    "   \"anchor\": {\"order\": 2, \"point\": \"unlock\", \"label\": \"list_lock\",\n"
    "     \"function\": \"choose\", \"nth\": 4, \"mark\": \"mark_attach\", \"mark_nth\": 5,\n"
    "     \"since\": 6, \"at\": {\"function\": \"create\", \"line\": -2, \"step\": 8}}},\n"
    "                   {\"thread\": \"main\", \"n\": 4, \"k\": 0, \"target\": \"t1.2\"}]}";

static const char good_schedule[] = "main@4->t1, core@12->main.9, t1@7+3->main, t1@0+1->t2.1";

static const char good_json_failing[] =
    "{\"scenario\": \"toy\", \"variant\": \"good\", \"params\": {}, \"policy\": \"fixed\", "
    "\"seed\": 0, \"chance\": 0, \"depth\": \"ipc\", \"budget\": 5000, \"preemptions\": [], "
    "\"failures\": [{\"kind\": \"slab\", \"nth\": 3}, {\"kind\": \"frame\", \"nth\": 12}]}";

static void json_says_what_is_meant(void **state)
{
    (void)state;
    struct fl_plan plan;
    assert_true(plan_from_text(good_json, strlen(good_json), &toy_scenario, 5, &plan, NULL, NULL));
    assert_int_equal(plan.scenario, 5);
    assert_int_equal(plan.variant, 1);
    assert_int_equal(plan.params[0], 3);
    assert_int_equal(plan.params[1], 4096);
    assert_int_equal(plan.policy, FL_POLICY_FIXED);
    assert_int_equal(plan.seed, 7);
    assert_int_equal(plan.chance, 9);
    assert_int_equal(plan.depth, FL_DEPTH_SYNC);
    assert_int_equal(plan.budget, 5000);
    assert_int_equal(plan.max_packets, PLAN_DEFAULT_PACKETS);
    assert_int_equal(plan.n_preemptions, 2);
    const struct fl_preemption first = {FL_PATH_DOMAIN(0), 4, 0, FL_PATH_CHILD2(0, 1) | 2u << 8};
    const struct fl_preemption second = {FL_PATH_CHILD2(0, 1), 7, 3, FL_PATH_DOMAIN(0)};
    assert_memory_equal(&plan.preemptions[0], &first, sizeof(first));
    assert_memory_equal(&plan.preemptions[1], &second, sizeof(second));
}

/* The list is put in wire order, and each anchor goes with its preemption. */
static void anchors_go_with_their_preemptions(void **state)
{
    (void)state;
    struct fl_plan plan;
    struct plan_anchors anchors;
    assert_true(
        plan_from_text(good_json, strlen(good_json), &toy_scenario, 0, &plan, &anchors, NULL));
    assert_false(anchors.of[0].given);
    const struct plan_anchor *anchor = &anchors.of[1];
    assert_true(anchor->given);
    assert_int_equal(anchor->order, 2);
    assert_string_equal(anchor->point, "unlock");
    assert_string_equal(anchor->label, "list_lock");
    assert_string_equal(anchor->function, "choose");
    assert_int_equal(anchor->nth, 4);
    assert_string_equal(anchor->mark, "mark_attach");
    assert_int_equal(anchor->mark_nth, 5);
    assert_int_equal(anchor->since, 6);
    assert_string_equal(anchor->at.function, "create");
    assert_int_equal(anchor->at.line, -2);
    assert_int_equal(anchor->at.step, 8);
}

static void presets_hold_for_what_is_not_said(void **state)
{
    (void)state;
    struct fl_plan plan;
    plan_init(&plan, &toy_scenario, 0, 0);
    assert_int_equal(plan.params[0], 2);
    assert_int_equal(plan.budget, PLAN_DEFAULT_BUDGET);
    assert_true(plan_set_param(&plan, &toy_scenario, "rounds=9", NULL));
    assert_int_equal(plan.params[0], 9);
}

static void schedules_are_put_in_wire_order(void **state)
{
    (void)state;
    struct fl_plan plan;
    plan_init(&plan, &toy_scenario, 0, 0);
    assert_true(plan_parse_schedule(&plan, &toy_scenario, good_schedule, NULL));
    g_autofree char *text = plan_schedule(&toy_scenario, plan.preemptions, plan.n_preemptions);
    assert_string_equal(text, "core@12->main.9, main@4->t1, t1@0+1->t2.1, t1@7+3->main");
    assert_true(plan_parse_schedule(&plan, &toy_scenario, " ", NULL));
    assert_int_equal(plan.n_preemptions, 0);
}

/* After the instructions of the same entry, and it may be the thread itself that goes on. */
static void who_runs_when_a_thread_gives_up(void **state)
{
    (void)state;
    struct fl_plan plan;
    plan_init(&plan, &toy_scenario, 0, 0);
    assert_true(plan_parse_schedule(&plan, &toy_scenario,
                                    "main@4+gives-up->main, main@4+3->t1, main@4->t1", NULL));
    assert_int_equal(plan.preemptions[2].k, FL_K_GIVES_UP);
    g_autofree char *text = plan_schedule(&toy_scenario, plan.preemptions, plan.n_preemptions);
    assert_string_equal(text, "main@4->t1, main@4+3->t1, main@4+gives-up->main");
}

struct refusal {
    const char *input;
    const char *says;
};

static void assert_refusal(bool accepted, GError **error, const struct refusal *refusal)
{
    if (accepted)
        fail_msg("accepted: %s", refusal->input);
    if (strstr((*error)->message, refusal->says) == NULL || strchr((*error)->message, '\n') != NULL)
        fail_msg("%s: '%s' is not in one line: %s", refusal->input, refusal->says,
                 (*error)->message);
    g_clear_error(error);
}

static void bad_schedules(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"main@->t1", "expected thread@n->target"},
        {"main@4", "expected thread@n->target"},
        {"main@4+gives->t1", "expected thread@n->target"},
        {"main@4+4294967295->t1", "expected thread@n->target"},
        {"main@0+gives-up->t1", "kernel entries count from 1"},
        {"main->t1", "expected thread@n->target"},
        {"main@4->", "no thread that could be called \"\""},
        {"@4->t1", "no thread that could be called \"\""},
        {"main@-4->t1", "expected thread@n->target"},
        {"main@0x4->t1", "expected thread@n->target"},
        {"main@4294967296->t1", "expected thread@n->target"},
        {"main@99999999999999999999->t1", "expected thread@n->target"},
        {"main@4+->t1", "expected thread@n->target"},
        {"main@4+0->t1", "expected thread@n->target"},
        {"main@4->t1,", "expected thread@n->target"},
        {"nosuch@4->t1", "no thread that could be called \"nosuch\""},
        {"kernel@4->t1", "no thread that could be called \"kernel\""},
        {"main@4->main", "preempted for itself"},
        {"main@0->t1", "count from 1"},
        {"main@4->t1, main@4->t2", "has a preemption at that place"},
        {"fail:frame", "expected fail:frame@n"},
        {"fail:page@3", "expected fail:frame@n"},
        {"fail:frame@-3", "expected fail:frame@n"},
        {"fail:frame@65536", "expected fail:frame@n"},
        {"fail:slab@0", "failure fail:slab@0: they count from 1"},
        {"fail:ipc@3, fail:ipc@3", "failure fail:ipc@3: the plan has it already"},
        {"fail:ipc@1, fail:ipc@2, fail:ipc@3, fail:ipc@4, fail:ipc@5, fail:ipc@6, fail:ipc@7",
         "full (6 failures)"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        struct fl_plan plan;
        GError *error = NULL;
        plan_init(&plan, &toy_scenario, 0, 0);
        assert_refusal(plan_parse_schedule(&plan, &toy_scenario, refusals[i].input, &error), &error,
                       &refusals[i]);
    }
}

static void bad_params(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"rounds", "expected name=value"}, {"ronds=3", "its parameters: rounds, size"},
        {"rounds=0", "from 1 to 9"},       {"rounds=10", "from 1 to 9"},
        {"rounds=", "from 1 to 9"},        {"rounds=-3", "from 1 to 9"},
        {"rounds=3x", "from 1 to 9"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        struct fl_plan plan;
        GError *error = NULL;
        plan_init(&plan, &toy_scenario, 0, 0);
        assert_refusal(plan_set_param(&plan, &toy_scenario, refusals[i].input, &error), &error,
                       &refusals[i]);
    }
}

/* Each replaces a part of the good plan. */
static void bad_json(void **state)
{
    (void)state;
    static const struct {
        const char *part, *by, *says;
    } changes[] = {
        {"\"scenario\": \"toy\"", "\"scenario\": \"other\"", "for scenario \"other\""},
        {"\"scenario\": \"toy\"", "\"scenario\": 3", "\"scenario\" must be a string"},
        {"\"good\"", "\"god\"", "no variant \"god\""},
        {"\"rounds\": 3", "\"rounds\": 30", "from 1 to 9"},
        {"\"rounds\": 3", "\"rounds\": \"3\"", "must be a number"},
        {"\"rounds\": 3", "\"ronds\": 3", "no parameter \"ronds\""},
        {"\"fixed\"", "\"fix\"", "fixed, random"},
        {"\"seed\": 7", "\"seed\": -7", "\"seed\" must be a number"},
        {"\"seed\": 7", "\"seed\": 4294967296", "\"seed\" must be a number"},
        {"\"seed\": 7,", "", "\"seed\" must be a number"},
        {"\"seed\": 7", "\"seed\": 7.5", "\"seed\" must be a number"},
        {"\"seed\": 7", "\"seed\": 7, \"seed\": 8", "no JSON"},
        {"\"sync\"", "\"never\"", "ipc, sync, access or insn"},
        {"\"budget\": 5000", "\"budget\": 0", "\"budget\" must be a number from 1"},
        {"\"budget\"", "\"butget\": 1, \"budget\"", "unknown key \"butget\""},
        {"\"n\": 7", "\"n\": null", "\"n\" must be a number"},
        {"\"k\": 3", "\"q\": 3", "unknown key \"q\""},
        {"\"target\": \"main\"", "\"target\": \"t1\"", "preempted for itself"},
        {"\"target\": \"main\"", "\"target\": \"nobody\"", "called \"nobody\""},
        {"\"n\": 4", "\"n\": 0", "count from 1"},
        {"[{", "{", "no JSON"},
        {"\"order\": 2", "\"order\": -2", "\"order\" must be a number"},
        {"\"unlock\"", "\"unlock unlock unlock\"", "\"point\" must be shorter"},
        {"\"since\"", "\"hence\"", "unknown key \"hence\""},
        {"\"at\": {\"function\": \"create\", \"line\": -2, \"step\": 8}", "\"at\": 8",
         "\"at\" must be an object"},
        {"\"params\": {\"rounds\": 3, \"size\": 4096}", "\"params\": []", "must be an object"},
        {"\"seed\": 7", "\"seed\": 7, \"audit\": 1", "\"audit\" must be true or false"},
        {"\"seed\": 7", "\"seed\": 7, \"failures\": 1", "\"failures\" must be an array"},
        {"\"seed\": 7", "\"seed\": 7, \"failures\": [1]", "must be an object"},
        {"\"seed\": 7", "\"seed\": 7, \"failures\": [{\"kind\": \"frame\", \"nth\": 0}]",
         "\"nth\" must be a number from 1 to 65535"},
        {"\"seed\": 7", "\"seed\": 7, \"failures\": [{\"kind\": \"page\", \"nth\": 1}]",
         "frame, slab or ipc, not \"page\""},
        {"\"seed\": 7", "\"seed\": 7, \"failures\": [{\"kind\": \"ipc\", \"n\": 1}]",
         "unknown key \"n\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_auto(GStrv) halves = g_strsplit(good_json, changes[i].part, 2);
        assert_non_null(halves[1]);
        g_autofree char *text = g_strconcat(halves[0], changes[i].by, halves[1], NULL);
        const struct refusal refusal = {text, changes[i].says};
        struct fl_plan plan;
        GError *error = NULL;
        assert_refusal(plan_from_text(text, strlen(text), &toy_scenario, 0, &plan, NULL, &error),
                       &error, &refusal);
    }
}

/* A plan that is audited says so; the others do as if there were no such thing. */
static void audits_are_told(void **state)
{
    (void)state;
    struct fl_plan plan;
    plan_init(&plan, &toy_scenario, 0, 0);
    g_autofree char *without = plan_to_text(&plan, &toy_scenario, NULL);
    assert_null(strstr(without, "audit"));
    plan.mode = FL_MODE_AUDIT | FL_MODE_SPANS;
    g_autofree char *text = plan_to_text(&plan, &toy_scenario, NULL);
    assert_true(plan_from_text(text, strlen(text), &toy_scenario, 0, &plan, NULL, NULL));
    assert_int_equal(plan.mode, FL_MODE_AUDIT);
}

/* What fails goes with the plan, and makes it one of mode fail; that mode alone is told, too. */
static void failures_stand_with_preemptions(void **state)
{
    (void)state;
    struct fl_plan plan, again;
    plan_init(&plan, &toy_scenario, 0, 0);
    assert_true(plan_parse_schedule(&plan, &toy_scenario,
                                    "main@4->t1, fail:slab@2, fail:frame@ 7, fail:slab@1", NULL));
    assert_int_equal(plan.mode, FL_MODE_FAIL);
    assert_int_equal(plan.n_preemptions, 1);
    assert_int_equal(plan.n_failures, 3);
    assert_int_equal(plan.failures[0].kind, FL_FAIL_FRAME);
    assert_int_equal(plan.failures[2].nth, 2);
    g_autofree char *schedule = plan_whole_schedule(&toy_scenario, &plan);
    assert_string_equal(schedule, "fail:frame@7, fail:slab@1, fail:slab@2, main@4->t1");
    g_autofree char *text = plan_to_text(&plan, &toy_scenario, NULL);
    assert_true(plan_from_text(text, strlen(text), &toy_scenario, 0, &again, NULL, NULL));
    assert_memory_equal(&plan, &again, sizeof(plan));

    plan_fail_nothing(&plan);
    assert_int_equal(plan.mode, FL_MODE_POSTED);
    g_autofree char *without = plan_to_text(&plan, &toy_scenario, NULL);
    assert_null(strstr(without, "failures"));
    plan.mode = FL_MODE_FAIL;
    g_autofree char *none = plan_to_text(&plan, &toy_scenario, NULL);
    assert_true(plan_from_text(none, strlen(none), &toy_scenario, 0, &again, NULL, NULL));
    assert_int_equal(again.mode, FL_MODE_FAIL);
}

static void a_full_plan(void **state)
{
    (void)state;
    struct fl_plan plan;
    plan_init(&plan, &toy_scenario, 0, 0);
    struct fl_preemption preemption = {FL_PATH_DOMAIN(0), 0, 0, FL_PATH_CHILD2(0, 1)};
    for (unsigned i = 0; i < FL_MAX_PREEMPTIONS; i++) {
        preemption.n = FL_MAX_PREEMPTIONS - i;
        assert_true(plan_insert(&plan, &toy_scenario, &preemption, NULL));
    }
    GError *error = NULL;
    preemption.n = FL_MAX_PREEMPTIONS + 1;
    const struct refusal refusal = {"the 251st", "full"};
    assert_refusal(plan_insert(&plan, &toy_scenario, &preemption, &error), &error, &refusal);
    assert_sound(&plan);
}

/* The guest asks at entries, keeps its list for the instructions after them, and is told what the
 * list said. */
static void online_a_plan_answers_for_its_entries(void **state)
{
    (void)state;
    struct fl_plan plan, online;
    plan_init(&plan, &toy_scenario, 0, 0);
    assert_true(plan_parse_schedule(&plan, &toy_scenario,
                                    "main@4->t1, main@4+2->core, t1@7+3->main", NULL));
    online = plan;
    online.mode = FL_MODE_SPANS;
    plan_make_online(&online);
    assert_int_equal(online.mode, FL_MODE_ONLINE | FL_MODE_SPANS);
    assert_int_equal(online.depth, FL_DEPTH_INSN);
    assert_int_equal(online.n_preemptions, 2);
    assert_memory_equal(online.preemptions, &plan.preemptions[1], 2 * sizeof(*plan.preemptions));
    const uint32_t main = FL_PATH_DOMAIN(0), t1 = FL_PATH_CHILD2(0, 1);
    const struct {
        struct fl_decision ask;
        uint32_t target;
    } cases[] = {
        {{.thread = main, .n = 4}, plan.preemptions[0].target},
        {{.thread = main, .n = 4, .k = 2}, FL_PATH_CORE},
        {{.thread = main, .n = 4, .k = 1}, FL_PATH_KERNEL},
        {{.thread = main, .n = 5}, FL_PATH_KERNEL},
        {{.thread = t1, .n = 4}, FL_PATH_KERNEL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(plan_answer(&plan, &cases[i].ask), cases[i].target);
}

static void mutations(void **state)
{
    (void)state;
    static const char *const seeds[] = {good_json, good_schedule, "fail:frame@7, fail:ipc@12",
                                        good_json_failing};
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (unsigned i = 0; i < 2000; i++) {
        const char *seed = seeds[i % G_N_ELEMENTS(seeds)];
        g_autofree char *text = g_strdup(seed);
        size_t size = strlen(text);
        for (int edits = g_rand_int_range(random, 1, 4); edits > 0; edits--)
            text[g_rand_int_range(random, 0, (gint32)size)] =
                seed[g_rand_int_range(random, 0, (gint32)strlen(seed))];
        if (i % 5 == 0)
            size = (size_t)g_rand_int_range(random, 0, (gint32)size);
        LLVMFuzzerTestOneInput((const uint8_t *)text, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_says_what_is_meant),
        cmocka_unit_test(anchors_go_with_their_preemptions),
        cmocka_unit_test(presets_hold_for_what_is_not_said),
        cmocka_unit_test(schedules_are_put_in_wire_order),
        cmocka_unit_test(who_runs_when_a_thread_gives_up),
        cmocka_unit_test(bad_schedules),
        cmocka_unit_test(bad_params),
        cmocka_unit_test(bad_json),
        cmocka_unit_test(audits_are_told),
        cmocka_unit_test(failures_stand_with_preemptions),
        cmocka_unit_test(a_full_plan),
        cmocka_unit_test(online_a_plan_answers_for_its_entries),
        cmocka_unit_test(mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
