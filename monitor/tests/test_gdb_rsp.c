/* Packets of gdb's remote protocol: what is framed is read back, what is damaged is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "gdb/rsp.h"

static struct rsp_reader reader;

static enum rsp_news feed(const void *bytes, size_t size)
{
    enum rsp_news news = RSP_NOTHING;
    for (size_t i = 0; i < size; i++)
        news = rsp_byte(&reader, ((const uint8_t *)bytes)[i]);
    return news;
}

static int reset(void **state)
{
    (void)state;
    memset(&reader, 0, sizeof reader);
    return 0;
}

static void packets_are_framed(void **state)
{
    (void)state;
    g_autoptr(GByteArray) out = g_byte_array_new();
    rsp_packet(out, "m0,4", 4);
    assert_int_equal(out->len, strlen("$m0,4#fd"));
    assert_memory_equal(out->data, "$m0,4#fd", out->len);
}

/* All bytes, the special ones among them. */
static void what_is_framed_is_read_back(void **state)
{
    (void)state;
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint8_t all[256];
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    rsp_packet(out, all, sizeof all);
    assert_int_equal(feed(out->data, out->len), RSP_PACKET);
    assert_int_equal(reader.size, sizeof all);
    assert_memory_equal(reader.data, all, sizeof all);
}

static void damage_is_seen(void **state)
{
    static const char *const damaged[] = {"$m0,4#fe", "$m0,4#fx", "$m0,4#x", "$ab}#c0"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++)
        assert_int_equal(feed(damaged[i], strlen(damaged[i])), RSP_DAMAGED);
    assert_int_equal(feed("$m0,4#fd", 8), RSP_PACKET); /* and forgotten */
}

static void a_packet_without_an_end_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(feed("$m0,", 4), RSP_NOTHING);
    assert_int_equal(feed("$g#67", 5), RSP_PACKET);
    assert_string_equal((const char *)reader.data, "g");
}

static void overlong_packets_are_refused(void **state)
{
    (void)state;
    g_autofree char *data = g_malloc(2 * RSP_PACKET_MAX);
    memset(data, 'a', 2 * RSP_PACKET_MAX);
    g_autoptr(GByteArray) out = g_byte_array_new();
    rsp_packet(out, data, 2 * RSP_PACKET_MAX);
    assert_int_equal(feed(out->data, out->len), RSP_DAMAGED);
    g_byte_array_set_size(out, 0);
    rsp_packet(out, data, RSP_PACKET_MAX);
    assert_int_equal(feed(out->data, out->len), RSP_PACKET);
}

static void between_packets(void **state)
{
    (void)state;
    assert_int_equal(feed("+", 1), RSP_ACK);
    assert_int_equal(feed("-", 1), RSP_NAK);
    assert_int_equal(feed("\x03", 1), RSP_INTERRUPTS);
    assert_int_equal(feed("what?", 5), RSP_NOTHING);
    assert_int_equal(feed("$\x03#03", 5), RSP_PACKET); /* inside of one it is a byte */
}

static void numbers(void **state)
{
    uint64_t number;
    const char *text = "80c43040,20";
    (void)state;
    assert_true(rsp_number(&text, &number));
    assert_int_equal(number, 0x80c43040);
    assert_int_equal(*text, ',');
    assert_false(rsp_number(&text, &number));
    text = "ffffffffffffffff";
    assert_true(rsp_number(&text, &number));
    text = "10000000000000000";
    assert_false(rsp_number(&text, &number));
}

static void hexadecimal(void **state)
{
    uint8_t bytes[2];
    g_autoptr(GString) text = g_string_new(NULL);
    (void)state;
    rsp_hex(text, "\x0f\xa0", 2);
    assert_string_equal(text->str, "0fa0");
    assert_true(rsp_unhex("0FA0", 4, bytes, sizeof bytes));
    assert_int_equal(bytes[1], 0xa0);
    assert_false(rsp_unhex("0fa", 3, bytes, sizeof bytes));
    assert_false(rsp_unhex("0fa0", 4, bytes, 1));
    assert_false(rsp_unhex("0g", 2, bytes, sizeof bytes));
}

/* Any bytes, many of them such as packets are made of: what is taken for a packet is one. */
static void any_bytes(void **state)
{
    uint64_t random = 1;
    unsigned packets = 0;
    (void)state;
    for (unsigned i = 0; i < 10000000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const uint32_t drawn = (uint32_t)(random >> 33);
        const uint8_t byte = drawn % 8 == 0 ? (uint8_t)(drawn >> 8)
                                            : (uint8_t) "$#}*+-\x03"
                                                        "00001gm"[(drawn >> 8) % 14];
        if (rsp_byte(&reader, byte) != RSP_PACKET)
            continue;
        packets++;
        assert_in_range(reader.size, 0, RSP_PACKET_MAX);
        assert_int_equal(reader.data[reader.size], 0);
    }
    assert_true(packets > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(packets_are_framed, reset),
        cmocka_unit_test_setup(what_is_framed_is_read_back, reset),
        cmocka_unit_test_setup(damage_is_seen, reset),
        cmocka_unit_test_setup(a_packet_without_an_end_is_given_up, reset),
        cmocka_unit_test_setup(overlong_packets_are_refused, reset),
        cmocka_unit_test_setup(between_packets, reset),
        cmocka_unit_test_setup(numbers, reset),
        cmocka_unit_test_setup(hexadecimal, reset),
        cmocka_unit_test_setup(any_bytes, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
