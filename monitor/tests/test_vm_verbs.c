/* The verbs as functions of this program, which is built with sanitizers, on the real guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "explore/explore.h"
#include "image.h"
#include "lane.h"
#include "main.h"
#include "plan.h"

#define LANE "--backend", (char *)lane_name()

static char folder[] = "/tmp/faultline-verbs-XXXXXX";

/* Runs a verb with these words and options; what it prints on stdout is read back. */
static int verb(int (*run)(int argc, char **argv), json_t **json, const char *first, ...)
{
    char *argv[32];
    int argc = 0;
    va_list words;
    va_start(words, first);
    for (const char *word = first; word != NULL; word = va_arg(words, const char *))
        argv[argc++] = (char *)word;
    va_end(words);
    argv[argc] = NULL;

    fflush(stdout);
    FILE *file = tmpfile();
    const int saved = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    const int status = run(argc, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    if (json != NULL) {
        *json = json_loadf(file, 0, NULL);
        assert_non_null(*json);
    }
    fclose(file);
    return status;
}

static const char *text_of(json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static void list_names_what_there_is(void **state)
{
    (void)state;
    json_t *list;
    assert_int_equal(verb(cmd_list, &list, "list", "--json", LANE, NULL), EXIT_CLEAN);
    assert_true(json_array_size(list) > 0);
    json_t *first = json_array_get(list, 0);
    static const char *const keys[] = {"id", "summary", "source", "threads"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        assert_non_null(text_of(first, keys[i]));
    assert_non_null(text_of(json_array_get(json_object_get(first, "variants"), 0), "expect"));
    json_decref(list);
    assert_int_equal(verb(cmd_list, NULL, "list", LANE, NULL), EXIT_CLEAN);
}

static void a_finding_goes_all_the_way(void **state)
{
    (void)state;
    json_t *found, *replayed, *verified;
    assert_int_equal(verb(cmd_explore, &found, "explore", "genode_stack_slot/racy", "--json",
                          "--bound", "1", "--runs-dir", folder, LANE, NULL),
                     EXIT_FOUND);
    json_t *finding = json_array_get(json_object_get(found, "findings"), 0);
    assert_string_equal(text_of(found, "verdict"), "found");
    assert_string_equal(text_of(finding, "check"), "stack-slot-exclusive");
    assert_int_equal(json_integer_value(json_object_get(finding, "preemptions")), 1);
    const char *trace = text_of(finding, "trace");
    const char *hash = text_of(finding, "event_hash");

    static const char *const modes[] = {"--times=20", "--online"};
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        assert_int_equal(verb(cmd_replay, &replayed, "replay", trace, modes[i], "--json", NULL),
                         EXIT_CLEAN);
        assert_string_equal(text_of(replayed, "event_hash"), hash);
        json_decref(replayed);
    }
    assert_int_equal(verb(cmd_verify, &verified, "verify", trace, "--json", NULL), EXIT_FOUND);
    assert_string_equal(text_of(verified, "verdict"), "violation");
    assert_string_equal(text_of(verified, "event_hash"), hash);
    json_decref(verified);

    json_t *again;
    const char *schedule = text_of(finding, "schedule");
    assert_int_equal(verb(cmd_run, &again, "run", "genode_stack_slot/racy", "--schedule", schedule,
                          "--online", "--json", "--runs-dir", folder, LANE, NULL),
                     EXIT_FOUND);
    assert_string_equal(text_of(again, "event_hash"), hash);
    json_decref(again);
    json_decref(found);
}

/* At k = 0 the monitor decides, at k >= 1 the guest does, by the list. */
static void a_run_is_the_same_online(void **state)
{
    (void)state;
    json_t *runs[2];
    static const char *const modes[] = {"--json", "--online"};
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
        assert_int_equal(verb(cmd_run, &runs[i], "run", "smoke/plain", "--schedule",
                              "ping@10->pong, pong@0+3->ping, ping@10+5->pong", modes[i], "--json",
                              "--runs-dir", folder, LANE, NULL),
                         EXIT_CLEAN);
    assert_string_equal(text_of(runs[0], "event_hash"), text_of(runs[1], "event_hash"));
    json_decref(runs[0]);
    json_decref(runs[1]);
}

static void a_changed_plan_is_a_difference(void **state)
{
    (void)state;
    json_t *run;
    assert_int_equal(
        verb(cmd_run, &run, "run", "smoke/plain", "--json", "--runs-dir", folder, LANE, NULL),
        EXIT_CLEAN);
    const char *trace = text_of(run, "trace");
    g_autofree char *path = g_build_filename(trace, "plan.json", NULL);
    json_t *plan = json_load_file(path, 0, NULL);
    json_object_set_new(json_object_get(plan, "params"), "rounds", json_integer(3));
    assert_int_equal(json_dump_file(plan, path, 0), 0);
    assert_int_equal(verb(cmd_replay, NULL, "replay", trace, NULL), EXIT_ERROR);
    json_decref(plan);
    json_decref(run);
}

static void what_did_not_take_place_is_said(void **state)
{
    (void)state;
    assert_int_equal(verb(cmd_run, NULL, "run", "smoke/plain", "--schedule", "ping@9999->pong",
                          "--events", "--runs-dir", folder, LANE, NULL),
                     EXIT_ERROR);
}

/* Whoever meets the bug, by whatever way, ends with the same plan. */
static void random_findings_shrink_to_that_of_the_search(void **state)
{
    (void)state;
    json_t *first;
    assert_int_equal(verb(cmd_explore, &first, "explore", "genode_stack_slot/racy", "--json",
                          "--runs-dir", folder, LANE, NULL),
                     EXIT_FOUND);
    json_t *finding = json_array_get(json_object_get(first, "findings"), 0);
    for (unsigned seed = 1; seed <= 10; seed++) {
        json_t *found;
        g_autofree char *option = g_strdup_printf("--seed=%u", seed);
        assert_int_equal(verb(cmd_explore, &found, "explore", "genode_stack_slot/racy", "--json",
                              "--strategy", "random", option, "--runs-dir", folder, LANE, NULL),
                         EXIT_FOUND);
        json_t *other = json_array_get(json_object_get(found, "findings"), 0);
        assert_string_equal(text_of(other, "schedule"), text_of(finding, "schedule"));
        assert_string_equal(text_of(other, "event_hash"), text_of(finding, "event_hash"));
        json_decref(found);
    }
    json_decref(first);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    g_autofree char *command = g_strdup_printf("rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_names_what_there_is),
        cmocka_unit_test(a_finding_goes_all_the_way),
        cmocka_unit_test(a_run_is_the_same_online),
        cmocka_unit_test(a_changed_plan_is_a_difference),
        cmocka_unit_test(what_did_not_take_place_is_said),
        cmocka_unit_test(random_findings_shrink_to_that_of_the_search),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
