/* The monitor's side of the log of accesses, fed well and badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include "access_reader.h"

enum { MAX = 1000 };

static struct access_log *guest;
static struct access_reader *reader;

static int begin(void **state)
{
    (void)state;
    guest = g_new0(struct access_log, 1);
    reader = access_reader_new(MAX);
    access_reader_attach(reader, guest);
    return 0;
}

static int end(void **state)
{
    (void)state;
    access_reader_free(reader);
    g_free(guest);
    return 0;
}

static void put(struct access record)
{
    guest->records[guest->head++ % ACCESS_LOG_RECORDS] = record;
}

static void put_run(uint32_t number)
{
    put((struct access){.address = number, .place = (uint32_t)ACCESS_RUN << 28});
}

static void put_accesses(uint32_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put((struct access){.pc = first + (uint32_t)i, .place = (uint32_t)ACCESS_STORE << 28 | 1});
}

static void check_run(uint32_t first, size_t expected)
{
    size_t n;
    const struct access *run = access_reader_run(reader, &n);
    assert_int_equal(n, expected);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(run[i].pc, first + i);
    access_reader_release(reader);
}

static void runs_are_cut_apart(void **state)
{
    (void)state;
    size_t n;
    assert_true(access_reader_drain(reader));
    assert_null(access_reader_run(reader, &n));
    put_run(0);
    put_accesses(100, 3);
    assert_true(access_reader_drain(reader));
    put_accesses(103, 4);
    put_run(1);
    put_run(2);
    put_accesses(200, 5);
    assert_true(access_reader_drain(reader));
    assert_true(guest->tail == guest->head);
    check_run(100, 7);
    check_run(0, 0);
    check_run(200, 5);
    assert_null(access_reader_run(reader, &n));
}

/* Runs of an odd length, so that they lie across the log's end in all ways. */
static void the_log_goes_round(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * ACCESS_LOG_RECORDS / 777; i++) {
        put_run(i);
        put_accesses(i, 776);
        assert_true(access_reader_drain(reader));
        check_run(i, 776);
    }
    assert_true(guest->head > ACCESS_LOG_RECORDS);
}

static void a_long_run_is_cut(void **state)
{
    (void)state;
    put_run(0);
    put_accesses(1, MAX - 1);
    assert_true(access_reader_drain(reader));
    put_accesses(MAX, 5000);
    put_run(1);
    put_accesses(7, 2);
    assert_true(access_reader_drain(reader));
    check_run(1, MAX);
    check_run(7, 2);
}

static void a_new_guest_begins_anew(void **state)
{
    (void)state;
    put_run(0);
    put_accesses(1, 5);
    put_run(1);
    assert_true(access_reader_drain(reader));
    guest->head = guest->tail = 0;
    access_reader_attach(reader, guest);
    put_run(0);
    put_accesses(9, 2);
    assert_true(access_reader_drain(reader));
    check_run(9, 2);
}

static void nonsense_is_said_so(void **state)
{
    (void)state;
    guest->head = ACCESS_LOG_RECORDS + 1;
    assert_false(access_reader_drain(reader));
    guest->head = 0;
    put_accesses(1, 1); /* of no run */
    assert_false(access_reader_drain(reader));
    guest->head = 0;
    put_run(1); /* the first is number 0 */
    assert_false(access_reader_drain(reader));
    guest->head = 0;
    put_run(0);
    put_run(0);
    assert_false(access_reader_drain(reader));
    guest->head = 0; /* behind what was read */
    assert_false(access_reader_drain(reader));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_are_cut_apart),      TEST(the_log_goes_round),  TEST(a_long_run_is_cut),
        TEST(a_new_guest_begins_anew), TEST(nonsense_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
