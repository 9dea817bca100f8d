/* A real run gone over by its target: every state on the way back is the one that was there on the
 * way forth, and breakpoints and watchpoints are met in reverse order.
 *
 * The conformance idea is of QEMU's own test (tests/avocado/reverse_debugging.py). The run has page
 * faults and a timed preemption, at which no instruction is counted between two states. */
#include <setjmp.h>
#include <stdarg.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <poll.h>
#include <cmocka.h>
#include "gdb/gdb.h"
#include "gdb/history.h"
#include "gdb/ring.h"
#include "lane.h"
#include "plan.h"
#include "scratch.h"

enum { STATES = 200, WORD = 4 };
#define SCENARIO "genode_stack_slot"
#define VARIANT  "quickfix"
#define SCHEDULE "main@19+3->t1"

/* What differs between architectures. */
static const struct traits {
    const char *arch;
    unsigned uncounted[3]; /* states without an instruction of their own */
    unsigned vectors[2], met[2];
    uint64_t current; /* offset of run.current */
    int64_t shift;    /* what is watched stops the guest before the access; or after */
} all_traits[] = {
    {"armv7", {1, 1, 0}, {4, 6}, {2, 1}, 8, 2},
    {"x86_64", {1, 0, 0}, {14, 1}, {2, 2}, 16, -2},
};
static const struct traits *traits;

static struct session_options lane;
static struct fl_plan plan;
static struct history *history;
static struct gdb_target *target;

struct state {
    uint64_t position;
    uint64_t memory;
    uint8_t registers[GDB_REGISTERS_BYTES];
};

static int open_history(void **state)
{
    GError *error = NULL;
    g_autofree char *missing = g_find_program_in_path("qemu-img");
    if (missing == NULL) {
        puts("qemu-img is not installed: apt install qemu-utils");
        exit(77);
    }
    if (make_scratch(state) != 0)
        return -1;
    lane = lane_open(lane_name());
    for (size_t i = 0; i < G_N_ELEMENTS(all_traits); i++)
        if (strcmp(all_traits[i].arch, lane.image->arch) == 0)
            traits = &all_traits[i];
    const int index = image_scenario(lane.image, SCENARIO);
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &lane.image->scenarios[index];
    plan_init(&plan, scenario, (unsigned)index, (unsigned)scenario_variant(scenario, VARIANT));
    assert_true(plan_parse_schedule(&plan, scenario, SCHEDULE, &error));
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

/* ---- going ---- */

static struct gdb_stop go(enum gdb_resume how)
{
    struct gdb_stop stop;
    history_resume(history, how);
    while (!history_stopped(history, &stop)) {
        struct pollfd ready = {.fd = target->fd, .events = POLLIN};
        poll(&ready, 1, -1);
    }
    if (stop.kind == GDB_STOP_GONE)
        fail_msg("%s, near %" PRIx64, stop.reason, target->position);
    return stop;
}

static size_t event_of_kind(uint16_t id)
{
    size_t count, i = 0;
    const struct fl_event *events = history_events(history, &count);
    while (i < count && fl_event_id(&events[i]) != id)
        i++;
    assert_in_range(i, 0, count - 1);
    return i;
}

static struct state look(void)
{
    struct state state = {.position = target->position, .memory = 1};
    const uint64_t *words = guestmem_at(target->memory, 0, FL_RAM_SIZE, 8);
    for (size_t i = 0; i < FL_RAM_SIZE / 8; i++)
        state.memory = (state.memory ^ words[i]) * 0x100000001b3u;
    assert_true(target->ops->read_registers(target, state.registers));
    return state;
}

static void assert_same(const struct state *a, const struct state *b)
{
    assert_int_equal(a->position, b->position);
    assert_memory_equal(a->registers, b->registers, sizeof a->registers);
    assert_int_equal(a->memory, b->memory);
}

/* ---- states ---- */

/* From this event so many instructions back and forth. Returns how many states had no instruction
 * of their own. */
static unsigned back_and_forth(size_t event)
{
    static struct state states[STATES + 1];
    unsigned uncounted = 0;
    assert_true(history_goto(history, event));
    states[0] = look();
    for (unsigned i = 1; i <= STATES; i++) {
        assert_int_equal(go(GDB_REVERSE_STEP).kind, GDB_STOPPED);
        states[i] = look();
        assert_true(states[i].position < states[i - 1].position);
        uncounted += states[i].position % 2 != 0;
    }
    for (unsigned i = STATES; i-- > 0;) {
        assert_int_equal(go(GDB_STEP).kind, GDB_STOPPED);
        const struct state state = look();
        assert_same(&state, &states[i]);
    }
    return uncounted;
}

static void two_hundred_states_back_and_forth(void **state)
{
    (void)state;
    /* the entry by way of the fault, which comes before it is told */
    assert_int_equal(back_and_forth(event_of_kind(FL_EVENT_FAULT_RAISE) - 1), traits->uncounted[0]);
    assert_int_equal(back_and_forth(event_of_kind(FL_EVENT_INTERRUPT)), traits->uncounted[1]);
    assert_int_equal(back_and_forth(event_of_kind(FL_EVENT_IPC_SEND)), traits->uncounted[2]);
}

static void an_event_is_found_again(void **state)
{
    size_t count;
    (void)state;
    history_events(history, &count);
    assert_true(history_goto(history, count / 2));
    const struct state middle = look();
    assert_true(history_goto(history, count - 1));
    assert_int_equal(history_written(history), count);
    assert_true(history_goto(history, 0));
    assert_int_equal(history_written(history), 1);
    assert_true(history_goto(history, count / 2));
    const struct state again = look();
    assert_same(&middle, &again);
}

static void what_was_written_is_undone(void **state)
{
    uint8_t registers[GDB_REGISTERS_BYTES];
    size_t count;
    (void)state;
    history_events(history, &count);
    assert_true(history_goto(history, count / 2));
    const struct state before = look();
    memcpy(registers, before.registers, sizeof registers);
    registers[0] ^= 1;
    assert_true(target->ops->write_registers(target, registers));
    assert_true(target->ops->write_memory(target, gdb_arch(lane.image->arch)->ram + 0x400000,
                                          (const uint8_t *)"x", 1));
    history_diverge(history);
    const struct state changed = look();
    assert_int_not_equal(changed.memory, before.memory);
    assert_int_equal(changed.registers[0], registers[0]);
    go(GDB_STEP);
    assert_int_equal(go(GDB_REVERSE_STEP).kind, GDB_STOP_BEGIN); /* it has no past */
    assert_true(history_goto(history, count / 2));
    const struct state after = look();
    assert_same(&before, &after);
}

/* ---- breakpoints, watchpoints ---- */

/* As gdb goes on from a breakpoint: it is not there for the first step. */
static struct gdb_stop go_on(enum gdb_resume how, enum gdb_break kind, uint64_t address,
                             size_t size)
{
    assert_true(history_set_break(history, kind, address, size, false));
    const struct gdb_stop stop = go(how == GDB_CONTINUE ? GDB_STEP : GDB_REVERSE_STEP);
    assert_true(history_set_break(history, kind, address, size, true));
    return stop.kind == GDB_STOPPED ? go(how) : stop;
}

/* All that is met on the way forth, from the first event on, and `shift` later on the way back. */
static unsigned meets_in_reverse(enum gdb_break kind, uint64_t address, size_t size, int64_t shift)
{
    g_autoptr(GArray) met = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    const enum gdb_stop_kind hit = kind < GDB_WATCH_WRITE ? GDB_STOPPED : GDB_STOP_WATCH;
    assert_true(history_goto(history, 0));
    assert_true(history_set_break(history, kind, address, size, true));
    struct gdb_stop stop = go(GDB_CONTINUE);
    for (; stop.kind == hit; stop = go_on(GDB_CONTINUE, kind, address, size))
        g_array_append_val(met, target->position);
    assert_int_equal(stop.kind, GDB_STOP_END);
    stop = go(GDB_REVERSE_CONTINUE);
    for (guint i = met->len; i-- > 0;) {
        assert_int_equal(stop.kind, hit);
        assert_int_equal(target->position, g_array_index(met, uint64_t, i) + (uint64_t)shift);
        stop = go_on(GDB_REVERSE_CONTINUE, kind, address, size);
    }
    assert_int_equal(stop.kind, GDB_STOP_BEGIN);
    assert_true(history_set_break(history, kind, address, size, false));
    return met->len;
}

static uint64_t symbol(const char *name)
{
    uint64_t address;
    assert_true(image_symbol(lane.image, name, &address));
    return address;
}

static void breakpoints_are_met_in_reverse_order(void **state)
{
    (void)state;
    assert_in_range(meets_in_reverse(GDB_BREAK_SOFTWARE, symbol("kernel_trap"), WORD, 0), 20, 1000);
}

static uint64_t vector(unsigned number)
{
    const struct gdb_arch *arch = gdb_arch(lane.image->arch);
    uint64_t address = symbol(arch->vectors) + number * arch->vector_size;
    if (arch->vectors_are_table)
        memcpy(&address, guestmem_at(target->memory, address - arch->kernel, arch->vector_size, 1),
               arch->vector_size);
    return address;
}

/* States that no instruction leads to: of page faults, and of what counts instructions. */
static void vectors_are_met_in_reverse_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(meets_in_reverse(GDB_BREAK_HARDWARE, vector(traits->vectors[i]), WORD, 0),
                         traits->met[i]);
}

/* Forth before the access, back after it: the old value is one step further. */
static void watchpoints_are_met_in_reverse_order(void **state)
{
    const uint64_t current = symbol("run") + traits->current;
    (void)state;
    assert_in_range(meets_in_reverse(GDB_WATCH_WRITE, current, WORD, traits->shift), 10, 1000);
    /* an event is written by several instructions, some of them neighbours */
    const uint64_t event = gdb_arch(lane.image->arch)->kernel + ring_event_offset(100);
    assert_in_range(
        meets_in_reverse(GDB_WATCH_WRITE, event, sizeof(struct fl_event), traits->shift), 3, 20);
}

static void a_watch_hit_on_the_way_back_shows_the_old_value(void **state)
{
    const uint64_t offset = ring_event_offset(100);
    const struct fl_event *event = guestmem_at(target->memory, offset, sizeof *event, 8);
    (void)state;
    assert_true(history_goto(history, 120));
    const uint64_t last =
        gdb_arch(lane.image->arch)->kernel + offset + offsetof(struct fl_event, id_time);
    assert_true(history_set_break(history, GDB_WATCH_WRITE, last, WORD, true));
    const struct gdb_stop stop = go(GDB_REVERSE_CONTINUE);
    assert_int_equal(stop.kind, GDB_STOP_WATCH);
    assert_int_equal(stop.address, last);
    history_clear_breaks(history);
    if (traits->shift < 0)
        go(GDB_STEP);
    assert_int_not_equal((uint32_t)event->id_time, 0);
    go(GDB_REVERSE_STEP);
    assert_int_equal((uint32_t)event->id_time, 0);
}

/* ---- what cannot be ---- */

static void another_run_is_refused(void **state)
{
    GError *error = NULL;
    size_t count;
    (void)state;
    const struct fl_event *events = history_events(history, &count);
    g_autofree struct fl_event *others = g_memdup2(events, count * sizeof *events);
    others[10].thread++;
    const struct gdb_target_config config = {lane.image, gdb_arch(lane.image->arch), lane.backend,
                                             &plan};
    assert_null(history_open(gdb_target(lane.backend->id), &config, others, count, &error));
    assert_non_null(strstr(error->message, "from event 10 on"));
    g_error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_states_back_and_forth),
        cmocka_unit_test(an_event_is_found_again),
        cmocka_unit_test(what_was_written_is_undone),
        cmocka_unit_test(breakpoints_are_met_in_reverse_order),
        cmocka_unit_test(vectors_are_met_in_reverse_order),
        cmocka_unit_test(watchpoints_are_met_in_reverse_order),
        cmocka_unit_test(a_watch_hit_on_the_way_back_shows_the_old_value),
        cmocka_unit_test(another_run_is_refused),
    };
    return cmocka_run_group_tests(tests, open_history, close_history);
}
