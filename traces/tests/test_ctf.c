/* What is written can be read, whatever happens to it in between is said, in one line. */
#include "unit.h"
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKETS 3u
#define EVENTS  (2u * FL_PACKET_EVENTS + 50u)

struct trace {
    char *dir, *events, *metadata, *sums;
};

static int set_up(void **state)
{
    struct trace *trace = g_new0(struct trace, 1);
    trace->dir = sample_directory();
    trace->events = g_build_filename(trace->dir, "ctf", "events", NULL);
    trace->metadata = g_build_filename(trace->dir, "ctf", "metadata", NULL);
    trace->sums = g_build_filename(trace->dir, "ctf", ".sums", NULL);
    sample_trace(trace->dir, PACKETS);
    *state = trace;
    return 0;
}

static int tear_down(void **state)
{
    struct trace *trace = *state;
    sample_remove(trace->dir);
    g_free(trace->events);
    g_free(trace->metadata);
    g_free(trace->sums);
    g_free(trace);
    return 0;
}

/* Overwrites `size` bytes at `offset` of a file. */
static void patch(const char *path, long offset, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static struct ctf_damage read_all(const char *dir)
{
    GError *error = NULL;
    struct ctf_reader *reader = ctf_reader_open(dir, &error);
    if (!reader)
        fail_msg("%s", error->message);
    const struct fl_packet *packet;
    size_t count;
    while (ctf_reader_packet(reader, &packet, &count))
        assert_in_range(count, 0, FL_PACKET_EVENTS);
    struct ctf_damage damage = *ctf_reader_damage(reader);
    ctf_reader_close(reader);
    return damage;
}

static void assert_unreadable(const char *dir, const char *message)
{
    GError *error = NULL;
    assert_null(ctf_reader_open(dir, &error));
    if (!strstr(error->message, message) || strchr(error->message, '\n'))
        fail_msg("'%s' does not say '%s' in one line", error->message, message);
    g_error_free(error);
}

/* ---- Sound traces ---- */

static void a_trace_comes_back_as_written(void **state)
{
    struct trace *trace = *state;
    struct ctf_reader *reader = ctf_reader_open(trace->dir, NULL);
    for (size_t i = 0; i < PACKETS; i++) {
        const struct fl_packet *packet;
        size_t count, expected = i + 1 < PACKETS ? FL_PACKET_EVENTS : 50;
        struct fl_packet written = sample_packet(i * FL_PACKET_EVENTS, expected);
        assert_true(ctf_reader_packet(reader, &packet, &count));
        assert_int_equal(count, expected);
        assert_memory_equal(packet, &written, sizeof written);
    }
    const struct fl_packet *none;
    size_t count;
    assert_false(ctf_reader_packet(reader, &none, &count));
    assert_false(ctf_reader_packet(reader, &none, &count));
    const struct ctf_damage *damage = ctf_reader_damage(reader);
    assert_string_equal(damage->reason, "");
    assert_int_equal(damage->packets_read, PACKETS);
    assert_int_equal(damage->events_read, EVENTS);
    assert_int_equal(damage->bytes_left, 0);
    ctf_reader_close(reader);
}

static void the_ctf_directory_will_do(void **state)
{
    struct trace *trace = *state;
    char *ctf = g_build_filename(trace->dir, "ctf", NULL);
    assert_int_equal(read_all(ctf).events_read, EVENTS);
    g_free(ctf);
}

static void lost_events_are_counted(void **state)
{
    struct trace *trace = *state;
    uint64_t lost = 7;
    assert_int_equal(unlink(trace->sums), 0);
    patch(trace->events, 2 * FL_PACKET_SIZE + offsetof(struct fl_packet, discarded), &lost,
          sizeof lost);
    assert_int_equal(read_all(trace->dir).discarded, 7);
}

/* ---- Damage: what comes before it is read ---- */

/* Wherever a bit flips, the packet that it is in is not read, and those before it are. */
static void no_flipped_bit_goes_unnoticed(void **state)
{
    struct trace *trace = *state;
    char *whole;
    gsize size;
    assert_true(g_file_get_contents(trace->events, &whole, &size, NULL));
    for (size_t bit = FL_PACKET_SIZE * 8; bit < size * 8; bit += 11) {
        char flipped = (char)(whole[bit / 8] ^ 1 << bit % 8);
        patch(trace->events, (long)(bit / 8), &flipped, 1);
        struct ctf_damage damage = read_all(trace->dir);
        assert_int_equal(damage.packets_read, bit / 8 / FL_PACKET_SIZE);
        assert_true(*damage.reason);
        patch(trace->events, (long)(bit / 8), whole + bit / 8, 1);
    }
    assert_string_equal(read_all(trace->dir).reason, "");
    g_free(whole);
}

static void damaged_checksums_are_damage(void **state)
{
    struct trace *trace = *state;
    patch(trace->sums, 8, "x", 1);
    assert_string_equal(read_all(trace->dir).reason,
                        "packet 1 (at byte 4096): its checksum differs");
    assert_int_equal(truncate(trace->sums, 15), 0);
    assert_string_equal(read_all(trace->dir).reason,
                        "packet 1 (at byte 4096): its checksum is missing");
    patch(trace->sums, 0, "x", 1);
    assert_unreadable(trace->dir, "events: its checksum differs");
}

#define AT(packet, member)                                                                         \
    ((packet) * (long)FL_PACKET_SIZE + (long)offsetof(struct fl_packet, member))

static const struct {
    long offset;
    uint64_t value;
    size_t size;
    uint64_t packets;
    const char *reason;
} damages[] = {
    {AT(1, magic), 0xc1fc1fc0, 4, 1, "packet 1 (at byte 4096): wrong magic number"},
    {AT(1, uuid), 0, 1, 1, "UUID of another kind of trace"},
    {AT(2, stream_id), 1, 4, 2, "packet 2 (at byte 8192): unknown stream"},
    {AT(1, packet_bits), 4096, 8, 1, "wrong packet size"},
    {AT(1, content_bits), 0, 8, 1, "content does not fit the packet"},
    {AT(1, content_bits), 8 * 4096 + 256, 8, 1, "content does not fit the packet"},
    {AT(1, content_bits), UINT64_MAX, 8, 1, "content does not fit the packet"},
    {AT(1, content_bits), 8 * 64 + 8, 8, 1, "content ends within an event"},
    {AT(1, time_begin), UINT64_MAX, 8, 1, "times of the packet are impossible"},
    {AT(1, time_end), UINT64_MAX, 8, 1, "times of the packet are impossible"},
    {AT(1, time_begin), 5, 8, 1, "it begins before the packet before it ends"},
    {AT(1, time_end), 126 * SAMPLE_STEP, 8, 1, "an event is later than the packet's end"},
    {AT(1, time_begin), 127 * SAMPLE_STEP, 8, 1, "time goes backward"},
    {AT(1, events[5].id_time), 0, 8, 1, "time goes backward"},
    {AT(1, events[5].id_time), FL_EVENT_COUNT, 2, 1, "unknown event"},
    {AT(0, discarded), 9, 8, 1, "the counter of lost events goes backward"},
};

static void damage_is_named_and_what_precedes_it_read(void **state)
{
    struct trace *trace = *state;
    char *whole;
    gsize size;
    assert_int_equal(unlink(trace->sums), 0); /* they would tell, but not what */
    assert_true(g_file_get_contents(trace->events, &whole, &size, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        patch(trace->events, 0, whole, size);
        patch(trace->events, damages[i].offset, &damages[i].value, damages[i].size);
        struct ctf_damage damage = read_all(trace->dir);
        if (!strstr(damage.reason, damages[i].reason))
            fail_msg("row %zu: '%s' does not say '%s'", i, damage.reason, damages[i].reason);
        assert_int_equal(damage.packets_read, damages[i].packets);
        assert_int_equal(damage.events_read, damages[i].packets * FL_PACKET_EVENTS);
        assert_int_equal(damage.bytes_left, size - damages[i].packets * FL_PACKET_SIZE);
    }
    g_free(whole);
}

static void a_stream_cut_short_is_read_to_its_last_whole_packet(void **state)
{
    struct trace *trace = *state;
    for (size_t size = PACKETS * FL_PACKET_SIZE - 1; size >= FL_PACKET_SIZE; size -= 293) {
        assert_int_equal(truncate(trace->events, (off_t)size), 0);
        struct ctf_damage damage = read_all(trace->dir);
        assert_int_equal(damage.packets_read, size / FL_PACKET_SIZE);
        assert_int_equal(damage.bytes_left, size % FL_PACKET_SIZE);
        assert_true(!strstr(damage.reason, "cut short") == (size % FL_PACKET_SIZE == 0));
    }
    assert_int_equal(truncate(trace->events, FL_PACKET_SIZE - 1), 0);
    assert_unreadable(trace->dir, "events: the stream is cut short");
    assert_int_equal(truncate(trace->events, 0), 0);
    assert_unreadable(trace->dir, "events: it is empty");
}

static void a_broken_first_packet_leaves_nothing(void **state)
{
    struct trace *trace = *state;
    patch(trace->events, 0, "x", 1);
    assert_unreadable(trace->dir, "events: wrong magic number");
}

static void what_is_no_trace_is_refused(void **state)
{
    struct trace *trace = *state;
    assert_unreadable("/nonexistent", "/nonexistent is no trace directory");
    assert_int_equal(unlink(trace->events), 0);
    assert_unreadable(trace->dir, "there is no ctf/events in it");
    assert_int_equal(mkfifo(trace->events, 0600), 0);
    assert_unreadable(trace->dir, "it is no regular file");
}

static void damaged_metadata_is_damage(void **state)
{
    struct trace *trace = *state;
    patch(trace->metadata, 300, "\x01", 1);
    struct ctf_damage damage = read_all(trace->dir);
    assert_string_equal(damage.reason, "metadata is damaged: its checksum differs");
    assert_int_equal(damage.events_read, EVENTS);
    assert_int_equal(truncate(trace->metadata, 20), 0);
    assert_string_equal(read_all(trace->dir).reason, "metadata is cut short");
    assert_int_equal(truncate(trace->metadata, 0), 0);
    assert_string_equal(read_all(trace->dir).reason, "metadata is empty");
    assert_int_equal(unlink(trace->metadata), 0);
    assert_string_equal(read_all(trace->dir).reason, "metadata is missing or cannot be read");
}

/* ---- The writer ---- */

static struct ctf_writer *second_writer(const struct trace *trace, char **dir)
{
    *dir = g_build_filename(trace->dir, "second", NULL);
    struct ctf_writer *writer = ctf_writer_open(*dir, &sample_scenario, NULL);
    assert_non_null(writer);
    return writer;
}

static void unsound_packets_are_not_written(void **state)
{
    char *dir;
    struct ctf_writer *writer = second_writer(*state, &dir);
    struct fl_packet later = sample_packet(126, 126), earlier = sample_packet(0, 126), bad = later;
    GError *error = NULL;
    bad.magic = 0;
    assert_false(ctf_writer_packet(writer, &bad, &error));
    assert_non_null(strstr(error->message, "packet 0 is not written to"));
    assert_non_null(strstr(error->message, "events: wrong magic number"));
    g_clear_error(&error);
    assert_true(ctf_writer_packet(writer, &later, NULL));
    assert_false(ctf_writer_packet(writer, &earlier, &error));
    assert_non_null(strstr(error->message, "packet 1 is not written to"));
    g_clear_error(&error);
    assert_true(ctf_writer_close(writer, NULL));
    assert_int_equal(read_all(dir).packets_read, 1);
    assert_string_equal(read_all(dir).reason, "");
    g_free(dir);
}

/* Stands for a full disk: a write that gets only part of a packet down. */
static void a_failed_write_leaves_whole_packets(void **state)
{
    char *dir;
    struct ctf_writer *writer = second_writer(*state, &dir);
    struct fl_packet first = sample_packet(0, 126), second = sample_packet(126, 126);
    struct rlimit before, limit;
    GError *error = NULL;
    assert_true(ctf_writer_packet(writer, &first, NULL));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = FL_PACKET_SIZE + 100, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(ctf_writer_packet(writer, &second, &error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(error->message, "cannot write"));
    g_clear_error(&error);
    assert_string_equal(read_all(dir).reason, "");
    assert_int_equal(read_all(dir).packets_read, 1);
    assert_true(ctf_writer_packet(writer, &second, NULL));
    assert_true(ctf_writer_close(writer, NULL));
    assert_int_equal(read_all(dir).packets_read, 2);
    g_free(dir);
}

static void threads_are_named_before_their_packet(void **state)
{
    char *dir, *text, *path;
    struct ctf_writer *writer = second_writer(*state, &dir);
    struct fl_packet packet = sample_packet(0, 126);
    path = g_build_filename(dir, "metadata", NULL);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_non_null(strstr(text, "\"t1\" = 33619968"));
    assert_null(strstr(text, "\"t1.7\""));
    g_free(text);
    packet.events[9].thread = FL_PATH_CHILD2(0, 1) | 0x0700;
    packet.events[10].thread = 0x00070000; /* no thread's */
    assert_true(ctf_writer_packet(writer, &packet, NULL));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_non_null(strstr(text, "\"t1.7\" = 33621760"));
    assert_null(strchr(text, '?'));
    g_free(text);
    assert_true(ctf_writer_close(writer, NULL));
    assert_string_equal(read_all(dir).reason, "");
    g_free(path);
    g_free(dir);
}

static void a_trace_is_never_overwritten(void **state)
{
    struct trace *trace = *state;
    GError *error = NULL;
    char *ctf = g_build_filename(trace->dir, "ctf", NULL);
    assert_null(ctf_writer_open(ctf, NULL, &error));
    assert_non_null(strstr(error->message, "cannot make"));
    assert_non_null(strstr(error->message, "exists"));
    g_error_free(error);
    g_free(ctf);
    assert_int_equal(read_all(trace->dir).events_read, EVENTS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_trace_comes_back_as_written),
        TEST(the_ctf_directory_will_do),
        TEST(lost_events_are_counted),
        TEST(no_flipped_bit_goes_unnoticed),
        TEST(damaged_checksums_are_damage),
        TEST(damage_is_named_and_what_precedes_it_read),
        TEST(a_stream_cut_short_is_read_to_its_last_whole_packet),
        TEST(a_broken_first_packet_leaves_nothing),
        TEST(what_is_no_trace_is_refused),
        TEST(damaged_metadata_is_damage),
        TEST(unsound_packets_are_not_written),
        TEST(a_failed_write_leaves_whole_packets),
        TEST(threads_are_named_before_their_packet),
        TEST(a_trace_is_never_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
