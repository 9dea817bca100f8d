/* The stub's commands over a fake target: the run and its ends, threads, what a write does; and any
 * bytes at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "gdb/rsp.h"
#include "gdb_rig.h"

#define PACKETS 1000000u

static struct rig *rig;

static int open_rig(void **state)
{
    if (make_scratch(state) != 0)
        return -1;
    rig = rig_open();
    return stub_attach(rig->stub) ? 0 : -1;
}

static int close_rig(void **state)
{
    rig_close(rig);
    return remove_scratch(state);
}

/* The last packet of what the stub sends; text for people goes to `console`. */
static char *answers(GByteArray *out, GString *console)
{
    char *last = NULL;
    struct rsp_reader *reader = g_new0(struct rsp_reader, 1);
    for (guint i = 0; i < out->len; i++) {
        if (rsp_byte(reader, out->data[i]) != RSP_PACKET)
            continue;
        const char *data = (const char *)reader->data;
        if (data[0] == 'O' && data[1] != 'K') {
            char text[RSP_PACKET_MAX] = "";
            assert_true(rsp_unhex(data + 1, strlen(data + 1), (uint8_t *)text, sizeof text - 1));
            g_string_append(console, text);
        } else {
            g_free(last);
            last = g_strdup(data);
        }
    }
    g_free(reader);
    return last;
}

static GString *said;

static char *ask(const char *packet)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree char *copy = g_strdup(packet);
    if (said != NULL)
        g_string_free(said, TRUE);
    said = g_string_new(NULL);
    if (stub_packet(rig->stub, (const uint8_t *)copy, strlen(copy), out) == STUB_RUN)
        while (!stub_stopped(rig->stub, out))
            continue;
    return answers(out, said);
}

static void expect(const char *packet, const char *answer)
{
    g_autofree char *got = ask(packet);
    assert_string_equal(got, answer);
}

static void monitor(const char *command)
{
    g_autoptr(GString) packet = g_string_new("qRcmd,");
    rsp_hex(packet, command, strlen(command));
    expect(packet->str, "OK");
}

static uint64_t position(void)
{
    return rig->target->base.position;
}

/* ---- the run ---- */

static void a_client_finds_the_guest_at_the_event(void **state)
{
    (void)state;
    assert_int_equal(position(), RIG_EVENT + 1);
    expect("?", "T05thread:1;");
}

static void steps_go_both_ways(void **state)
{
    (void)state;
    expect("s", "T05thread:1;");
    assert_int_equal(position(), RIG_EVENT + 2);
    expect("bs", "T05thread:1;");
    expect("vCont;s:1;c", "T05thread:1;");
    assert_int_equal(position(), RIG_EVENT + 2);
}

static void the_run_has_two_ends(void **state)
{
    (void)state;
    expect("c", "T05replaylog:end;thread:1;");
    assert_int_equal(position(), FAKE_EVENTS);
    expect("c", "T05replaylog:end;thread:1;");
    expect("bc", "T05replaylog:begin;thread:1;");
    assert_int_equal(position(), 1); /* the first event is written */
    expect("bs", "T05replaylog:begin;thread:1;");
    assert_int_equal(position(), 1);
    assert_int_equal(rig->target->n_breaks, 0);
}

static void breakpoints_are_in_the_guest_only_while_it_goes(void **state)
{
    (void)state;
    expect("Z0,800100c8,4", "OK"); /* before event 50 */
    assert_int_equal(rig->target->n_breaks, 0);
    expect("c", "T05thread:1;");
    assert_int_equal(position(), 50);
    assert_int_equal(rig->target->n_breaks, 0);
    expect("bs", "T05thread:1;");
    expect("bc", "T05replaylog:begin;thread:1;");
    expect("c", "T05thread:1;");
    assert_int_equal(position(), 50);
    expect("z0,800100c8,4", "OK");
    expect("c", "T05replaylog:end;thread:1;");
}

static void a_watchpoint_is_named(void **state)
{
    const uint64_t address = rig->target->arch->kernel + ring_event_offset(60);
    g_autofree char *insert = g_strdup_printf("Z2,%" G_GINT64_MODIFIER "x,20", address);
    g_autofree char *answer =
        g_strdup_printf("T05watch:%" G_GINT64_MODIFIER "x;thread:1;", address);
    (void)state;
    expect(insert, "OK");
    expect("c", answer);
    assert_int_equal(position(), 60);
}

/* An empty packet is how gdb is told that there is no such thing. */
static void what_cannot_be_watched_is_refused(void **state)
{
    struct gdb_target_ops blind = *rig->target->base.ops;
    (void)state;
    expect("Z3,80012000,4", "OK");
    expect("z3,80012000,4", "OK");
    blind.reads_unwatched = true;
    rig->target->base.ops = &blind;
    expect("Z3,80012000,4", "");
    expect("Z4,80012000,4", "");
    expect("Z5,80012000,4", "");
    expect("Z2,80012000,4", "OK");
    rig->target->base.ops = &fake_ops;
}

/* ---- going to events ---- */

static void goto_passes_breakpoints(void **state)
{
    (void)state;
    expect("Z0,800100c8,4", "OK");
    monitor("goto 80");
    assert_true(g_str_has_prefix(said->str, "ahead"));
    expect("c", "T00thread:1;");
    assert_int_equal(position(), 81);
    monitor("goto 7");
    assert_true(g_str_has_prefix(said->str, "behind"));
    expect("bc", "T00thread:1;");
    assert_int_equal(position(), 8);
    monitor("back");
    expect("c", "T00thread:1;");
    assert_int_equal(position(), 81);
    expect("c", "T05replaylog:end;thread:1;");
}

static void there_is_no_such_event(void **state)
{
    (void)state;
    monitor("goto 300");
    assert_string_equal(said->str, "there is no event \"300\": the run has those from 0 to 299\n");
    monitor("goto x");
    monitor("next-ipc");
    assert_string_equal(said->str, "no IPC follows\n");
    monitor("dance");
    expect("s", "T05thread:1;"); /* not somewhere else */
    assert_int_equal(position(), RIG_EVENT + 2);
}

/* ---- threads ---- */

static void threads_are_listed(void **state)
{
    (void)state;
    expect("qfThreadInfo", "m1,2");
    expect("qC", "QC1");
    expect("T2", "OK");
    expect("T3", "E01");
    g_autofree char *list = ask("qXfer:threads:read::0,3000");
    assert_non_null(strstr(list, "name=\"core\">running, n 0</thread>"));
    assert_non_null(strstr(list, ">ready, n 0</thread>"));
    expect("Hg2", "OK");
    expect("Hg5", "E01");
    g_autofree char *registers = ask("g");
    assert_int_equal(strspn(registers, "0"), strlen(registers)); /* as the kernel keeps them */
    expect("Hg1", "OK");
    expect("pf", "54000180"); /* as the processor has them */
}

/* ---- writes ---- */

static void a_write_is_a_divergence(void **state)
{
    (void)state;
    expect("P0=2a000000", "OK");
    assert_true(stub_has_diverged(rig->stub));
    expect("s", "T05thread:1;");
    assert_non_null(strstr(said->str, "diverged"));
    expect("s", "T05thread:1;");
    assert_null(strstr(said->str, "diverged")); /* said once */
    monitor("point");
    assert_non_null(strstr(said->str, "diverged"));
    expect("bc", "T05replaylog:begin;thread:1;");
    assert_int_equal(position(), RIG_EVENT + 3);
    monitor("goto 10");
    assert_non_null(strstr(said->str, "undone"));
    expect("bc", "T00thread:1;");
    monitor("point");
    assert_null(strstr(said->str, "diverged"));
    assert_true(stub_has_diverged(rig->stub)); /* it was, once */
}

static void memory_writes_count_and_breakpoints_do_not(void **state)
{
    (void)state;
    expect("Z0,800100c8,4", "OK");
    expect("c", "T05thread:1;");
    expect("m80000000,4", "00000000");
    expect("m0,4", "E01");
    expect("M0,1:00", "E01");
    assert_false(stub_has_diverged(rig->stub));
    assert_int_equal(rig->target->writes, 0);
    expect("M80000000,2:abcd", "OK");
    expect("X80000002,2:xy", "OK");
    expect("m80000000,4", "abcd7879");
    assert_true(stub_has_diverged(rig->stub));
}

static void the_next_client_finds_nothing_of_the_last(void **state)
{
    (void)state;
    expect("Z0,800100c8,4", "OK");
    expect("G"
           "00",
           "E01");
    expect("P0=2a000000", "OK");
    expect("s", "T05thread:1;");
    expect("D", "OK");
    stub_detach(rig->stub);
    assert_true(stub_attach(rig->stub));
    assert_int_equal(position(), RIG_EVENT + 1);
    expect("c", "T05replaylog:end;thread:1;");
}

/* ---- any bytes ---- */

static const char *const seeds[] = {
    "qSupported:multiprocess+;swbreak+",
    "QStartNoAckMode",
    "qXfer:features:read:target.xml:0,ffb",
    "qXfer:threads:read::0,1000",
    "Hg1",
    "Hc-1",
    "qC",
    "?",
    "g",
    "p f",
    "pf",
    "P0=01020304",
    "m80000000,40",
    "M80000000,2:abcd",
    "X80000000,2:ab",
    "Z0,80010040,4",
    "z0,80010040,4",
    "Z2,80c43040,20",
    "s",
    "c",
    "bs",
    "bc",
    "vCont?",
    "vCont;s:1;c:-1",
    "T1",
    "qThreadExtraInfo,1",
    "qRcmd,706f696e74",
    "qRcmd,676f746f203430",
    "qRcmd,6576656e7473",
    "qRcmd,776879",
    "D",
};

static uint32_t draw(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33);
}

/* A packet that somebody sent, with some bytes of it changed, left out, doubled. */
static size_t mutate(uint64_t *random, char *bytes, size_t size)
{
    const char *seed = seeds[draw(random) % G_N_ELEMENTS(seeds)];
    size_t length = strlen(seed);
    memcpy(bytes, seed, length);
    for (uint32_t changes = draw(random) % 6; changes > 0 && length > 0; changes--) {
        const size_t at = draw(random) % length;
        const uint32_t how = draw(random) % 4;
        if (how == 0)
            bytes[at] = (char)draw(random);
        else if (how == 1)
            bytes[at] = ",;:=#$}*+-\x03/0f"[draw(random) % 14];
        else if (how == 2)
            memmove(bytes + at, bytes + at + 1, --length - at);
        else if (length < size) {
            memmove(bytes + at + 1, bytes + at, length - at);
            length++;
        }
    }
    return length;
}

/* What comes out is packets, and the guest stands where the run has a place. */
static void check_answer(const GByteArray *out)
{
    static struct rsp_reader reader;
    memset(&reader, 0, offsetof(struct rsp_reader, data));
    for (guint i = 0; i < out->len; i++)
        assert_int_not_equal(rsp_byte(&reader, out->data[i]), RSP_DAMAGED);
    assert_int_equal(reader.state, RSP_OUTSIDE);
    assert_in_range(position(), 0, FAKE_EVENTS + 1);
}

static void a_million_malformed_packets(void **state)
{
    uint64_t random = 1;
    uint8_t packet[64];
    unsigned taken = 0;
    g_autoptr(GByteArray) out = g_byte_array_new();
    (void)state;
    for (unsigned i = 0; i < PACKETS; i++) {
        const size_t size = mutate(&random, (char *)packet, sizeof packet - 1);
        packet[size] = 0;
        g_byte_array_set_size(out, 0);
        const enum stub_next next = stub_packet(rig->stub, packet, size, out);
        if (next == STUB_RUN)
            assert_true(stub_stopped(rig->stub, out));
        if (next == STUB_BYE || i % 1000 == 0) {
            stub_detach(rig->stub);
            assert_true(stub_attach(rig->stub));
        }
        check_answer(out);
        taken += out->len > strlen("$#00");
    }
    printf("%u of %u packets had an answer\n", taken, PACKETS);
    assert_in_range(taken, PACKETS / 10, PACKETS - PACKETS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_finds_the_guest_at_the_event, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(steps_go_both_ways, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(the_run_has_two_ends, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(breakpoints_are_in_the_guest_only_while_it_goes, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_watchpoint_is_named, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_refused, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(goto_passes_breakpoints, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(there_is_no_such_event, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(threads_are_listed, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_write_is_a_divergence, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(memory_writes_count_and_breakpoints_do_not, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(the_next_client_finds_nothing_of_the_last, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_million_malformed_packets, open_rig, close_rig),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (said != NULL)
        g_string_free(said, TRUE);
    return failed;
}
