/* Any bytes as a trace: the reader never crashes, and what it hands out keeps its promises.
 *
 * Input: the events up to a line "--metadata--", the metadata up to a line "--manifest--", the
 * manifest; what is not there is a missing file. Run by libFuzzer (`make fuzz`), and with fixed
 * mutations by test_mutations.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sample.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/faultline-fuzz-XXXXXX";
static const char *const parts[] = {"ctf/events", "ctf/metadata", "manifest.json"};
static const char *const marks[] = {"\n--metadata--\n", "\n--manifest--\n", NULL};

static void remove_directory(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        char *path = g_build_filename(directory, parts[i], NULL);
        unlink(path);
        g_free(path);
    }
    char *ctf = g_build_filename(directory, "ctf", NULL);
    rmdir(ctf);
    rmdir(directory);
    g_free(ctf);
}

static void make_directory(void)
{
    static bool made;
    if (made)
        return;
    made = true;
    assert(mkdtemp(directory));
    char *ctf = g_build_filename(directory, "ctf", NULL);
    assert(mkdir(ctf, 0700) == 0);
    g_free(ctf);
    atexit(remove_directory);
}

/* Writes the parts; one that the input does not have is not there. */
static void write_trace(const char *data, size_t size)
{
    const char *end = data + size;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *mark = marks[i] && data
                               ? memmem(data, (size_t)(end - data), marks[i], strlen(marks[i]))
                               : NULL;
        char *path = g_build_filename(directory, parts[i], NULL);
        unlink(path);
        if (data)
            assert(g_file_set_contents(path, data, (mark ? mark : end) - data, NULL));
        data = mark ? mark + strlen(marks[i]) : NULL;
        g_free(path);
    }
}

static void check_events(const struct fl_packet *packet, size_t count, uint64_t *time)
{
    assert(count <= FL_PACKET_EVENTS);
    for (size_t i = 0; i < count; i++) {
        const struct fl_event *event = &packet->events[i];
        char name[TRACE_NAME_MAX];
        assert(trace_event_info(fl_event_id(event)));
        assert(fl_event_time(event) >= *time);
        *time = fl_event_time(event);
        trace_thread_name(NULL, event->thread, name);
        assert(strlen(name) < TRACE_NAME_MAX);
    }
}

static void read_trace(uint64_t size)
{
    GError *error = NULL;
    struct ctf_reader *reader = ctf_reader_open(directory, &error);
    assert(!reader == !!error);
    if (!reader) {
        assert(!strchr(error->message, '\n'));
        g_error_free(error);
        return;
    }
    const struct fl_packet *packet;
    uint64_t time = 0, events = 0, packets = 0;
    for (size_t count; ctf_reader_packet(reader, &packet, &count); packets++, events += count)
        check_events(packet, count, &time);
    const struct ctf_damage *damage = ctf_reader_damage(reader);
    assert(damage->packets_read == packets && damage->events_read == events && packets > 0);
    assert(damage->bytes_left + packets * FL_PACKET_SIZE <= size);
    assert(damage->bytes_left == 0 || *damage->reason);
    ctf_reader_close(reader);
}

static void read_manifest(void)
{
    static struct trace_manifest manifest;
    GError *error = NULL;
    bool read = manifest_read(directory, &manifest, &error);
    assert(read == !error);
    if (error) {
        assert(!strchr(error->message, '\n'));
        g_error_free(error);
        return;
    }
    assert(manifest_write(directory, &manifest, NULL));
}

/* ---- A good input, for mutations to start from ---- */

static void append_file(GString *out, const char *dir, const char *name, const char *mark)
{
    char *path = g_build_filename(dir, name, NULL), *text;
    gsize size;
    assert(g_file_get_contents(path, &text, &size, NULL));
    g_string_append_len(out, text, (gssize)size);
    g_string_append(out, mark ? mark : "");
    g_free(text);
    g_free(path);
}

static GString *good_input(void)
{
    struct trace_manifest manifest = sample_manifest();
    char *dir = sample_directory();
    GString *input = g_string_new(NULL);
    sample_trace(dir, 2);
    assert(manifest_write(dir, &manifest, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        append_file(input, dir, parts[i], marks[i]);
    g_string_replace(input, "\"sum\"", "\"nus\"", 1); /* or no mutation would get past it */
    sample_remove(dir);
    return input;
}

/* Chance alone would not get past the first magic number: the corpus begins with a good trace. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    for (int i = 1; i < *argc; i++)
        if (g_file_test((*argv)[i], G_FILE_TEST_IS_DIR)) {
            GString *input = good_input();
            char *path = g_build_filename((*argv)[i], "good", NULL);
            assert(g_file_set_contents(path, input->str, (gssize)input->len, NULL));
            g_free(path);
            g_string_free(input, TRUE);
        }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_directory();
    write_trace((const char *)data, size);
    read_trace(size);
    read_manifest();
    return 0;
}
