/* A search backwards on KVM, which makes the run again for each event: somebody may have enough of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <poll.h>
#include <cmocka.h>
#include "gdb/history.h"
#include "lane.h"
#include "plan.h"
#include "scratch.h"

#define NOWHERE 0xffffffff80000010u /* no instruction of the kernel's */
enum { FROM = 100 };

static struct session_options lane;
static struct fl_plan plan;
static struct history *history;
static struct gdb_target *target;

static const char *lane_of_kvm(void)
{
    char reason[160];
    static const char *const names[] = {"kvm", "kvm-nested"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (backend_find(names[i])->probe(reason, sizeof reason))
            return names[i];
    puts(reason);
    exit(77);
}

static int open_history(void **state)
{
    GError *error = NULL;
    if (make_scratch(state) != 0)
        return -1;
    lane = lane_open(lane_of_kvm());
    printf("lane: %s\n", lane.backend->id);
    const int index = image_scenario(lane.image, "genode_stack_slot");
    plan_init(&plan, &lane.image->scenarios[index], (unsigned)index, 0);
    const struct gdb_target_config config = {lane.image, gdb_arch(lane.image->arch), lane.backend,
                                             &plan};
    history = history_open(gdb_target(lane.backend->id), &config, NULL, 0, &error);
    if (history == NULL)
        fail_msg("%s", error->message);
    target = history_target(history);
    return 0;
}

static int close_history(void **state)
{
    history_close(history);
    image_close((struct image *)lane.image);
    return remove_scratch(state);
}

static struct gdb_stop await_stop(void)
{
    struct gdb_stop stop;
    while (!history_stopped(history, &stop)) {
        struct pollfd ready = {.fd = target->fd, .events = POLLIN};
        poll(&ready, 1, -1);
    }
    return stop;
}

static void a_search_is_interrupted(void **state)
{
    struct gdb_stop stop;
    (void)state;
    assert_true(history_goto(history, FROM));
    const uint64_t from = target->position;
    assert_true(history_set_break(history, GDB_BREAK_HARDWARE, NOWHERE, 1, true));
    history_resume(history, GDB_REVERSE_CONTINUE);
    assert_false(history_stopped(history, &stop));
    target->ops->interrupt(target);
    assert_int_equal(await_stop().kind, GDB_STOP_INTERRUPTED);
    assert_true(target->position < from);
    assert_in_range(history_written(history), FROM - 3, FROM);
    history_clear_breaks(history);
}

/* It is as sound as any state: forth from there is the run. */
static void the_run_goes_on_from_there(void **state)
{
    const size_t written = history_written(history);
    (void)state;
    assert_true(history_goto(history, written));
    assert_int_equal(history_written(history), written + 1);
    history_resume(history, GDB_CONTINUE);
    assert_int_equal(await_stop().kind, GDB_STOP_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_is_interrupted),
        cmocka_unit_test(the_run_goes_on_from_there),
    };
    return cmocka_run_group_tests(tests, open_history, close_history);
}
