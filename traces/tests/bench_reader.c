/* Events a second: a large trace written, then read in place, with and without checksums. */
#include "sample.h"
#include <stdio.h>
#include <unistd.h>

#define PACKETS 20000u
#define ROUNDS  5

static double seconds(void)
{
    return (double)g_get_monotonic_time() / 1e6;
}

static void show(const char *what, double begin, uint64_t events)
{
    printf("%-32s %7.1f M events/s\n", what, (double)events / 1e6 / (seconds() - begin));
}

static uint64_t read_trace(const char *dir)
{
    struct ctf_reader *reader = ctf_reader_open(dir, NULL);
    const struct fl_packet *packet;
    size_t count;
    while (ctf_reader_packet(reader, &packet, &count))
        ;
    uint64_t events = ctf_reader_damage(reader)->events_read;
    g_assert_cmpstr(ctf_reader_damage(reader)->reason, ==, "");
    ctf_reader_close(reader);
    return events;
}

static void bench_reading(const char *what, const char *dir)
{
    read_trace(dir); /* into the page cache */
    double begin = seconds();
    uint64_t events = 0;
    for (int i = 0; i < ROUNDS; i++)
        events += read_trace(dir);
    show(what, begin, events);
}

int main(void)
{
    char *dir = sample_directory();
    char *sums = g_build_filename(dir, "ctf", ".sums", NULL);
    double begin = seconds();
    sample_trace(dir, PACKETS);
    show("written and synced", begin, (uint64_t)PACKETS * FL_PACKET_EVENTS);
    bench_reading("read, checked with checksums", dir);
    unlink(sums);
    bench_reading("read, checked without", dir);
    g_free(sums);
    sample_remove(dir);
    return 0;
}
