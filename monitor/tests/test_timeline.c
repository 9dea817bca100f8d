/* Guest events on the host's clock: between the moments that they must lie between, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "timeline.h"

enum { MAIN = FL_PATH_DOMAIN(0) };

static struct fl_packet new_packet(uint64_t begin)
{
    struct fl_packet packet = {
        .magic = FL_CTF_MAGIC,
        .uuid = FL_CTF_UUID,
        .time_begin = begin,
        .time_end = begin,
        .content_bits = 8 * FL_PACKET_HEADER,
        .packet_bits = 8 * FL_PACKET_SIZE,
    };
    return packet;
}

static struct fl_event *add(struct fl_packet *packet, uint16_t id, uint64_t time, uint32_t aux)
{
    struct fl_event *event =
        &packet->events[(packet->content_bits / 8 - FL_PACKET_HEADER) / sizeof *event];
    *event = (struct fl_event){.id_time = time << 16 | id, .thread = MAIN, .aux = aux};
    packet->content_bits += 8 * sizeof *event;
    packet->time_end = time;
    return event;
}

static uint64_t time_of(const struct fl_packet *packet, size_t i)
{
    return fl_event_time(&packet->events[i]);
}

static void assert_sound(const struct fl_packet *packet)
{
    size_t count;
    const char *reason = "";
    if (!ctf_packet_check(packet, &count, &reason))
        fail_msg("%s", reason);
}

static void a_posted_run_lies_between_plan_and_result(void **state)
{
    (void)state;
    struct fl_packet packets[] = {new_packet(0), new_packet(300)};
    add(&packets[0], FL_EVENT_RUN_BEGIN, 0, 0);
    add(&packets[0], FL_EVENT_ENTRY, 100, 1);
    add(&packets[1], FL_EVENT_ENTRY, 300, 2);
    add(&packets[1], FL_EVENT_RUN_END, 400, 0);
    const struct timeline_run run = {.posted = 5000, .seen = 6002};
    assert_int_equal(timeline_place(packets, 2, &run, 0), 6001);
    assert_int_equal(time_of(&packets[0], 0), 5001);
    assert_int_equal(time_of(&packets[0], 1), 5251);
    assert_int_equal(time_of(&packets[1], 0), 5751);
    assert_int_equal(time_of(&packets[1], 1), 6001);
    assert_int_equal(fl_event_id(&packets[1].events[1]), FL_EVENT_RUN_END);
    assert_sound(&packets[0]);
    assert_sound(&packets[1]);
}

/* Plans are posted many at a time: a run begins where the one before has ended. */
static void runs_of_a_batch_follow_each_other(void **state)
{
    (void)state;
    struct fl_packet packet = new_packet(0);
    add(&packet, FL_EVENT_RUN_BEGIN, 0, 0);
    add(&packet, FL_EVENT_RUN_END, 10, 0);
    const struct timeline_run run = {.posted = 5000, .seen = 7000};
    assert_int_equal(timeline_place(&packet, 1, &run, 6500), 6999);
    assert_int_equal(time_of(&packet, 0), 6501);
    assert_sound(&packet);
}

static void a_decision_parts_what_asks_from_what_follows(void **state)
{
    (void)state;
    struct fl_packet packet = new_packet(0);
    add(&packet, FL_EVENT_RUN_BEGIN, 0, 0);
    add(&packet, FL_EVENT_ENTRY, 10, 1);
    add(&packet, FL_EVENT_SWITCH, 10, 0);
    add(&packet, FL_EVENT_ENTRY, 20, 2);
    add(&packet, FL_EVENT_INTERRUPT, 25, 7);
    add(&packet, FL_EVENT_PREEMPT, 25, 7);
    add(&packet, FL_EVENT_RUN_END, 1000, 0);
    const struct timeline_decision decisions[] = {
        {.thread = MAIN, .n = 1, .asked = 2000, .answered = 2100},
        {.thread = MAIN, .n = 2, .k = 7, .asked = 3000, .answered = 3100},
    };
    const struct timeline_run run = {
        .posted = 1000, .seen = 4000, .decisions = decisions, .n_decisions = 2};
    timeline_place(&packet, 1, &run, 0);
    const uint64_t between[][2] = {{1000, 2000}, {1000, 2000}, {2100, 3000}, {2100, 3000},
                                   {2100, 3000}, {3100, 4000}, {3100, 4000}};
    for (size_t i = 0; i < G_N_ELEMENTS(between); i++) {
        assert_true(time_of(&packet, i) > between[i][0]);
        assert_true(time_of(&packet, i) < between[i][1]);
    }
    assert_sound(&packet);
}

/* The guest writes what it likes, or its last packet was not closed: no event, no order to keep. */
static void a_question_without_its_event_is_passed_over(void **state)
{
    (void)state;
    struct fl_packet packet = new_packet(0);
    add(&packet, FL_EVENT_ENTRY, 10, 1);
    add(&packet, FL_EVENT_ENTRY, 20, 2);
    const struct timeline_decision decisions[] = {
        {.thread = MAIN, .n = 9, .asked = 2000, .answered = 2100},
        {.thread = MAIN, .n = 1, .asked = 3000},
    };
    const struct timeline_run run = {
        .posted = 1000, .seen = 4000, .decisions = decisions, .n_decisions = 2};
    timeline_place(&packet, 1, &run, 0);
    assert_true(time_of(&packet, 0) > 1000 && time_of(&packet, 0) < 3000);
    assert_true(time_of(&packet, 1) > 3000 && time_of(&packet, 1) < 4000);
    assert_sound(&packet);
}

static void no_room_is_still_in_order(void **state)
{
    (void)state;
    struct fl_packet packet = new_packet(0);
    for (uint32_t i = 1; i <= FL_PACKET_EVENTS; i++)
        add(&packet, FL_EVENT_ENTRY, i, i);
    const struct timeline_decision decision = {
        .thread = MAIN, .n = 60, .asked = 1000, .answered = 1000};
    const struct timeline_run run = {
        .posted = 1000, .seen = 1000, .decisions = &decision, .n_decisions = 1};
    timeline_place(&packet, 1, &run, 0);
    assert_sound(&packet);
}

static void a_run_without_packets_takes_no_time(void **state)
{
    (void)state;
    const struct timeline_run run = {.posted = 1000, .seen = 2000};
    assert_int_equal(timeline_place(NULL, 0, &run, 1500), 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_posted_run_lies_between_plan_and_result),
        cmocka_unit_test(runs_of_a_batch_follow_each_other),
        cmocka_unit_test(a_decision_parts_what_asks_from_what_follows),
        cmocka_unit_test(a_question_without_its_event_is_passed_over),
        cmocka_unit_test(no_room_is_still_in_order),
        cmocka_unit_test(a_run_without_packets_takes_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
