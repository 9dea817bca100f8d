/* Two threads whose schedules can be counted by hand.
 *
 * main and main.1 each go through a window of m kernel entries that neither block nor wake anybody:
 * calls to a thread that there is not. When only the places of the window count, a plan of b
 * preemptions stops main at ceil(b/2) of its m entries and main.1 at floor(b/2) of its own, in
 * ascending order and independently: whoever is not running is ready until it has left the window.
 * With C(m, i) ways to choose i of m, a search of bound B makes
 *
 *     sum over b = 0 .. B of C(m, ceil(b/2)) * C(m, floor(b/2))
 *
 * runs, each plan once. scripts/tests/litmus.sh holds the search to that number.
 */
#include "program.h"
#include "thread.h"

enum { PARAM_ENTRIES };
enum { STACK_SIZE = 2 * FL_PAGE_SIZE };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "rig_litmus",
    .summary = "a number of schedules that is known beforehand",
    .source = "the rig's own",
    .threads = "main and main.1, in one window each",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_params = 1,
    .params = {[PARAM_ENTRIES] = {"entries", "kernel entries of each window", 3, 1, 16, 0}},
    .n_variants = 1,
    .variants = {{
        .id = "plain",
        .summary = "both windows, whoever is first",
        .expect = "clean",
        .depth = FL_DEPTH_IPC,
        .bound = 1,
    }},
};

/* Its name is what the search is focused on. */
__attribute__((noinline)) static void litmus_window(void)
{
    for (uint32_t i = info()->params[PARAM_ENTRIES]; i > 0; i--) {
        struct msg msg = {.label = FL_LABEL_USER};
        program_expect(sys_call(0, &msg) == FL_ERROR_NO_THREAD);
    }
}

static void helper_main(void *arg)
{
    (void)arg;
    litmus_window();
}

static void main_main(void)
{
    static struct thread helper;

    program_expect(thread_create(&helper, STACK_SIZE, helper_main, NULL) == FL_ERROR_OK);
    litmus_window();
    thread_join(&helper);
    program_expect(thread_destroy(&helper) == FL_ERROR_OK);
}

const struct program program = {.main = {main_main}};
