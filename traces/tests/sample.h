/* A small trace of every event, made without a guest; shared by the tests and the fuzzer. */
#ifndef FAULTLINE_SAMPLE_H
#define FAULTLINE_SAMPLE_H

#include <glib/gstdio.h>
#include <string.h>
#include "trace.h"

static const struct fl_scenario sample_scenario = {
    .id = "sample",
    .summary = "two domains, one named thread",
    .source = "none, made for tests",
    .threads = "main, t1, server",
    .n_domains = 2,
    .n_named = 1,
    .n_params = 1,
    .n_variants = 2,
    .domains = {{"main", 0}, {"server", 1}},
    .named = {{FL_PATH_CHILD2(0, 1), "t1"}},
    .params = {{"threads", "creating threads", 2, 1, 4, 0}},
    .variants = {{.id = "racy",
                  .summary = "as reported",
                  .expect = "stack-slot-exclusive",
                  .depth = FL_DEPTH_IPC,
                  .bound = 1},
                 {.id = "fixed",
                  .summary = "the real fix",
                  .expect = "clean",
                  .depth = FL_DEPTH_ACCESS,
                  .bound = 2,
                  .n_halts = 1,
                  .halts = {{FL_PATH_CHILD2(0, 1), FL_HALT_UNRESOLVED_FAULT}},
                  .sees = FL_EVENT_FAULT_PARK}},
};

#define SAMPLE_STEP 1000u /* ns from event to event */

/* A packet with `count` events, ids and times going on from event number `first`. */
static inline struct fl_packet sample_packet(size_t first, size_t count)
{
    struct fl_packet packet = {.magic = FL_CTF_MAGIC,
                               .uuid = FL_CTF_UUID,
                               .packet_bits = 8 * FL_PACKET_SIZE,
                               .content_bits = 8 * (FL_PACKET_HEADER + 32 * count),
                               .time_begin = first * SAMPLE_STEP,
                               .time_end = (first + count) * SAMPLE_STEP - 1};
    for (size_t i = 0; i < count; i++) {
        uint64_t number = first + i;
        packet.events[i] =
            (struct fl_event){.id_time = number % FL_EVENT_COUNT | number * SAMPLE_STEP << 16,
                              .thread = FL_PATH_DOMAIN(number % 2),
                              .space = (uint16_t)(number % 5),
                              .point = (uint16_t)(number % 21),
                              .addr = FL_PATH_CHILD2(0, 1) + (number % 3 << 8),
                              .arg = (uint32_t)(number / 7 % 12),
                              .aux = (uint32_t)number};
    }
    return packet;
}

/* An empty directory; removed with all in it by sample_remove. */
static inline char *sample_directory(void)
{
    char *dir = g_dir_make_tmp("faultline-test-XXXXXX", NULL);
    g_assert_nonnull(dir);
    return dir;
}

static inline void sample_remove(char *path)
{
    GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        sample_remove(g_build_filename(path, name, NULL));
    if (dir)
        g_dir_close(dir);
    g_remove(path);
    g_free(path);
}

/* Writes `dir`/ctf with this many packets, the last of them not full. */
static inline void sample_trace(const char *dir, size_t packets)
{
    char *path = g_build_filename(dir, "ctf", NULL);
    struct ctf_writer *writer = ctf_writer_open(path, &sample_scenario, NULL);
    g_assert_nonnull(writer);
    for (size_t i = 0; i < packets; i++) {
        struct fl_packet packet =
            sample_packet(i * FL_PACKET_EVENTS, i + 1 < packets ? FL_PACKET_EVENTS : 50);
        g_assert_true(ctf_writer_packet(writer, &packet, NULL));
    }
    g_assert_true(ctf_writer_close(writer, NULL));
    g_free(path);
}

static inline struct trace_manifest sample_manifest(void)
{
    return (struct trace_manifest){
        .scenario = "sample",
        .variant = "fixed",
        .params = {3},
        .n_params = 1,
        .param_ids = {"threads"},
        .backend = "qemu",
        .arch = "armv7",
        .image = "build/guest/armv7.elf",
        .image_hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        .abi_version = FL_ABI_VERSION,
        .event_hash = "0123456789abcdef",
        .outcome = "exited",
        .scenario_copy = sample_scenario,
    };
}

#endif
