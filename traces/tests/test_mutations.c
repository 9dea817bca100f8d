/* Some hundred fixed mutations of a good trace and its manifest, through the fuzzer's entry. */
#include "unit.h"
#include "fuzz_reader.c"

#define ROUNDS 400u

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

/* Headers and the manifest are small: half of all hits go there. */
static uint32_t draw_place(const GString *input)
{
    static const uint32_t places[] = {0, FL_PACKET_SIZE};
    uint32_t length = (uint32_t)input->len;
    switch (draw(4)) {
    case 0:
        return (places[draw(2)] + draw(FL_PACKET_HEADER)) % length;
    case 1:
        return length - 1 - draw(MIN(length, 4000));
    default:
        return draw(length);
    }
}

static void mutate(GString *input)
{
    uint32_t at = draw_place(input);
    switch (draw(6)) {
    case 0:
        input->str[at] ^= (char)(1 << draw(8));
        break;
    case 1:
        input->str[at] = (char)draw(256);
        break;
    case 2:
        g_string_truncate(input, at + 1);
        break;
    case 3:
        g_string_erase(input, at, (gssize)draw((uint32_t)input->len - at));
        break;
    case 4:
        g_string_insert_len(input, at, input->str, (gssize)draw(at + 1));
        break;
    default:
        memset(input->str + at, draw(2) ? 0xff : 0, draw((uint32_t)MIN(64, input->len - at)));
    }
}

static void mutations_are_survived(void **state)
{
    (void)state;
    GString *good = good_input();
    for (unsigned round = 0; round < ROUNDS; round++) {
        GString *input = g_string_new_len(good->str, (gssize)good->len);
        for (uint32_t hits = 1 + draw(4); hits > 0 && input->len > 0; hits--)
            mutate(input);
        LLVMFuzzerTestOneInput((const uint8_t *)input->str, input->len);
        g_string_free(input, TRUE);
    }
    g_string_free(good, TRUE);
}

/* The input is what it is thought to be: without a mutation all three parts are read. */
static void the_good_input_is_good(void **state)
{
    (void)state;
    GString *good = good_input();
    make_directory();
    write_trace(good->str, good->len);
    struct ctf_reader *reader = ctf_reader_open(directory, NULL);
    const struct fl_packet *packet;
    size_t count;
    while (ctf_reader_packet(reader, &packet, &count))
        ;
    assert_int_equal(ctf_reader_damage(reader)->packets_read, 2);
    assert_string_equal(ctf_reader_damage(reader)->reason, "");
    ctf_reader_close(reader);
    struct trace_manifest manifest;
    assert_true(manifest_read(directory, &manifest, NULL));
    g_string_free(good, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_input_is_good),
        cmocka_unit_test(mutations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
