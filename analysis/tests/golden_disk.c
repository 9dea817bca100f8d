/* Golden stories as trace directories: written with the same writer as every trace. */
#include "golden_disk.h"
#include <string.h>
#include <unistd.h>
#include "trace.h"

static const uint8_t uuid[] = FL_CTF_UUID;

/* The guest's way: packets are full but for the last; the last says how many events were lost. */
static void fill_packet(struct fl_packet *packet, const struct fl_event *events, size_t n_events)
{
    *packet = (struct fl_packet){
        .magic = FL_CTF_MAGIC,
        .time_begin = fl_event_time(&events[0]),
        .time_end = fl_event_time(&events[n_events - 1]),
        .content_bits = 8 * (FL_PACKET_HEADER + n_events * sizeof(struct fl_event)),
        .packet_bits = 8 * FL_PACKET_SIZE,
    };
    memcpy(packet->uuid, uuid, sizeof(uuid));
    memcpy(packet->events, events, n_events * sizeof(*events));
}

static bool write_events(const char *dir, const struct story *story, uint32_t lost, GError **error)
{
    g_autofree char *ctf = g_build_filename(dir, "ctf", NULL);
    struct ctf_writer *writer = ctf_writer_open(ctf, &story_scenario, error);
    struct fl_packet packet;

    if (!writer)
        return false;
    for (size_t i = 0; i < story->n_events; i += FL_PACKET_EVENTS) {
        size_t n_events = MIN(story->n_events - i, FL_PACKET_EVENTS);
        fill_packet(&packet, &story->events[i], n_events);
        if (i + n_events == story->n_events)
            packet.discarded = lost;
        if (!ctf_writer_packet(writer, &packet, error)) {
            ctf_writer_close(writer, NULL);
            return false;
        }
    }
    return ctf_writer_close(writer, error);
}

static bool write_manifest(const char *dir, unsigned variant, GError **error)
{
    struct trace_manifest manifest = {.backend = "story",
                                      .arch = "armv7",
                                      .image = "analysis/tests/story.c",
                                      .abi_version = FL_ABI_VERSION,
                                      .scenario_copy = story_scenario};

    g_strlcpy(manifest.scenario, story_scenario.id, sizeof(manifest.scenario));
    g_strlcpy(manifest.variant, story_scenario.variants[variant].id, sizeof(manifest.variant));
    return manifest_write(dir, &manifest, error);
}

bool golden_write(const char *dir, const struct story *story, unsigned variant, uint32_t lost,
                  GError **error)
{
    if (g_mkdir_with_parents(dir, 0777) != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_IO, "cannot make %s", dir);
        return false;
    }
    return write_events(dir, story, lost, error) && write_manifest(dir, variant, error);
}

/* ---- damage ---- */

static void change_stream(const char *dir, void (*change)(GString *stream))
{
    g_autofree char *path = g_build_filename(dir, "ctf", "events", NULL);
    char *text;
    gsize length;

    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    GString *stream = g_string_new_len(text, (gssize)length);
    change(stream);
    g_assert_true(g_file_set_contents(path, stream->str, (gssize)stream->len, NULL));
    g_string_free(stream, TRUE);
    g_free(text);
}

static void cut_in_packet(GString *stream)
{
    g_string_truncate(stream, stream->len - 1000);
}

static void cut_after_packet(GString *stream)
{
    g_string_truncate(stream, stream->len - FL_PACKET_SIZE);
}

static void flip_first_header(GString *stream)
{
    stream->str[2] ^= 0x10;
}

static void flip_second_header(GString *stream)
{
    stream->str[FL_PACKET_SIZE + 5] ^= 0x10;
}

/* A bit of an event's address: nothing but its checksum knows. */
static void flip_event(GString *stream)
{
    stream->str[FL_PACKET_SIZE + FL_PACKET_HEADER + offsetof(struct fl_event, addr)] ^= 0x10;
}

static void empty(GString *stream)
{
    g_string_truncate(stream, 0);
}

static void zero_first_packet(GString *stream)
{
    memset(stream->str, 0, FL_PACKET_SIZE);
}

const struct golden_damage golden_damaged[] = {
    {"cut-in-packet", cut_in_packet, GOLDEN_INCONCLUSIVE, NULL},
    {"cut-after-packet", cut_after_packet, GOLDEN_INCONCLUSIVE, NULL},
    {"flipped-second-packet", flip_second_header, GOLDEN_INCONCLUSIVE, NULL},
    {"flipped-event", flip_event, GOLDEN_INCONCLUSIVE, NULL},
    {"lossy", NULL, GOLDEN_INCONCLUSIVE, NULL},
    {"violated-then-cut", cut_after_packet, GOLDEN_VIOLATION, "stack-slot-exclusive"},
    {"flipped-first-packet", flip_first_header, GOLDEN_UNREADABLE, NULL},
    {"zeroed", zero_first_packet, GOLDEN_UNREADABLE, NULL},
    {"empty", empty, GOLDEN_UNREADABLE, NULL},
    {0},
};

/* More than one packet of events; `check`: it violates that before the first packet is full. */
static void tell_long(struct story *story, const char *check)
{
    story_begin(story);
    if (check) {
        story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
        story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(0), 0x4000, 0);
    }
    while (story->n_events < 2 * FL_PACKET_EVENTS)
        story_ask(story, STORY_MAIN, FL_LABEL_RAM_ALLOC, FL_ERROR_OK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

bool golden_write_damaged(const char *dir, const struct golden_damage *damage, GError **error)
{
    static struct story story;
    uint32_t lost = 0;

    tell_long(&story, damage->check);
    if (!damage->damage) { /* lossy: the guest counts what it had no room for */
        story.n_events = 2 * FL_PACKET_EVENTS;
        lost = 17;
    }
    if (!golden_write(dir, &story, STORY_PLAIN, lost, error))
        return false;
    if (damage->damage)
        change_stream(dir, damage->damage);
    return true;
}
