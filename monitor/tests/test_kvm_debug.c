/* What the VMM makes of a debugger's orders: sound ones, damaged ones, and those that make no
 * sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "debugged_machine.h"

enum { ROOM = 80, MUTATIONS = 20000 };

static struct debug_state said[ROOM];

static size_t tells(const struct debug_order *orders, size_t count)
{
    const size_t heard = machine_hears(orders, count * sizeof *orders, said, sizeof said);
    assert_int_equal(heard % sizeof said[0], 0);
    return heard / sizeof said[0];
}

#define ORDER(what, ...)                                                                           \
    {                                                                                              \
        .magic = DEBUG_MAGIC, .verb = DEBUG_##what, __VA_ARGS__                                    \
    }
#define FOREVER .count = UINT64_MAX, .marks = UINT64_MAX, .steps = UINT64_MAX
#define WATCHED (MACHINE_KERNEL + MACHINE_STORES)

static void each_order_is_answered_by_how_it_stands(void **state)
{
    const struct debug_order orders[] = {
        ORDER(MARK, .address = MACHINE_CODE, .count = 3),
        ORDER(RUN, .count = 5, .marks = UINT64_MAX, .steps = UINT64_MAX),
        ORDER(SET, .kind = DEBUG_RSP, .address = 77),
        ORDER(RUN, .count = UINT64_MAX, .marks = 3, .steps = 9),
    };
    (void)state;
    assert_int_equal(tells(orders, 4), 5);
    assert_int_equal(said[0].registers[DEBUG_RIP], MACHINE_CODE);
    assert_int_equal(said[1].marks, 3);
    assert_int_equal(said[2].steps, 5);
    assert_int_equal(said[2].registers[DEBUG_RIP], MACHINE_CODE + 5);
    assert_int_equal(said[3].registers[DEBUG_RSP], 77);
    assert_int_equal(said[4].steps, 9);
}

static void a_run_ends_at_breaks_and_changes(void **state)
{
    const struct debug_order orders[] = {
        ORDER(BREAK, .address = MACHINE_CODE + 7),
        ORDER(RUN, FOREVER),
        ORDER(CLEAR, .kind = 0),
        ORDER(BREAK, .address = WATCHED, .count = 1, .kind = 1),
        ORDER(RUN, FOREVER),
    };
    (void)state;
    assert_int_equal(tells(orders, 5), 6);
    assert_int_equal(said[2].reason, DEBUG_AT_BREAK);
    assert_int_equal(said[2].steps, 7);
    assert_int_equal(said[5].reason, DEBUG_CHANGED);
    assert_int_equal(said[5].address, WATCHED);
    assert_int_equal(said[5].steps_before + 1, said[5].steps);
}

static void what_makes_no_sense_is_refused(void **state)
{
    const struct debug_order orders[] = {
        ORDER(SET, .kind = DEBUG_RFLAGS + 1),
        ORDER(SET, .kind = UINT64_MAX),
        ORDER(WRITE, .address = FL_RAM_SIZE),
        ORDER(WRITE, .address = UINT64_MAX),
        ORDER(BREAK, .kind = 2),
        ORDER(BREAK, .kind = 1, .address = WATCHED),
        ORDER(BREAK, .kind = 1, .address = WATCHED, .count = 9),
    };
    (void)state;
    assert_int_equal(tells(orders, 7), 8);
    for (unsigned i = 1; i < 8; i++)
        assert_int_equal(said[i].reason, DEBUG_REFUSED);
}

static void there_is_room_for_so_many_breaks(void **state)
{
    struct debug_order orders[DEBUG_BREAKS + 1];
    (void)state;
    for (unsigned i = 0; i <= DEBUG_BREAKS; i++)
        orders[i] = (struct debug_order)ORDER(BREAK, .address = i);
    assert_int_equal(tells(orders, DEBUG_BREAKS + 1), DEBUG_BREAKS + 2);
    assert_int_equal(said[DEBUG_BREAKS].reason, DEBUG_THERE);
    assert_int_equal(said[DEBUG_BREAKS + 1].reason, DEBUG_REFUSED);
}

/* The rest of a line that is damaged is not believed, and half an order is none. */
static void a_damaged_order_ends_the_session(void **state)
{
    struct debug_order orders[] = {
        ORDER(CLEAR, .kind = 0),
        {.magic = DEBUG_MAGIC ^ 1, .verb = DEBUG_CLEAR},
        ORDER(CLEAR, .kind = 0),
    };
    (void)state;
    assert_int_equal(tells(orders, 3), 2);
    orders[1] = (struct debug_order){.magic = DEBUG_MAGIC, .verb = DEBUG_VERBS};
    assert_int_equal(tells(orders, 3), 2);
    assert_int_equal(machine_hears(orders, sizeof orders[0] + 7, said, sizeof said),
                     2 * sizeof said[0]);
}

static void any_damage_is_survived(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct debug_order orders[] = {
            ORDER(BREAK, .address = WATCHED, .count = 8, .kind = 1),
            ORDER(RUN, .count = 3, .marks = UINT64_MAX, .steps = UINT64_MAX),
            ORDER(WRITE, .address = 0x1000, .kind = 5),
            ORDER(SET, .kind = 3, .address = 4),
            ORDER(MARK, .address = MACHINE_CODE, .count = 2),
            ORDER(RUN, .count = 3, .marks = UINT64_MAX, .steps = UINT64_MAX),
        };
        for (unsigned n = 0; n < 4; n++) {
            seed = seed * 1664525u + 1013904223u;
            ((uint8_t *)orders)[(seed >> 8) % sizeof orders] ^= (uint8_t)(seed >> 24);
        }
        assert_in_range(tells(orders, sizeof orders / sizeof orders[0]), 1, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_order_is_answered_by_how_it_stands),
        cmocka_unit_test(a_run_ends_at_breaks_and_changes),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(there_is_room_for_so_many_breaks),
        cmocka_unit_test(a_damaged_order_ends_the_session),
        cmocka_unit_test(any_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
