/* Guest memory that changes under everybody's feet: whatever it is, the monitor lives, no run takes
 * longer than the watchdog lets it, and runs on the next guest are as ever.
 *
 *   test_vm_corruption [NUMBER [SEED]]
 *
 * So many corruptions, each while a batch is under way, at a moment that chance and the host's
 * clock choose. What is corrupted, and how, is drawn from the seed; a large number is shared out
 * among processes with a seed each.
 */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "capture.h"
#include "lane.h"
#include "plan.h"
#include "scratch.h"
#include "trace.h"

enum { DEFAULT_NUMBER = 60, KINDS = 6, ROUNDS = 2, BATCH = KINDS * ROUNDS, WEAR = 4 };
enum { OUTCOMES = 64 }; /* more than there are */
enum { SPANS = 4 };     /* the kind with spans, which on KVM are counted step by step: seconds */

/* Of the guest's own time, so no matter how busy the machine is; a run that hangs needs 0.1. One
 * corruption in thirty ends so, which is what a large number of them takes time for. */
#define WATCHDOG 0.5
#define LIMIT_MS 60000

#define AROUND 0x80000u /* core's page table lie the kernel and core */

static unsigned seed = 5, number = DEFAULT_NUMBER, spoilt, under_way, changed;
static uint32_t batch_us = 1; /* how long a batch takes */
static struct session_options lane;
static struct session *session;
static struct engine *engine;
static GRand *dice;
static char *scratch;

/* What the batches consist of, and what comes of each on a sound guest. */
static struct {
    const char *scenario, *variant, *schedule;
    uint8_t mode;
    struct fl_plan plan;
    uint64_t hash;
} kinds[KINDS] = {
    {.scenario = "smoke", .variant = "plain", .schedule = ""},
    {.scenario = "genode_stack_slot", .variant = "racy", .schedule = "main@10->t1"},
    {.scenario = "codezero_files", .variant = "fixed", .schedule = "", .mode = FL_MODE_AUDIT},
    {.scenario = "genode_stack_slot", .variant = "fixed", .schedule = "", .mode = FL_MODE_ONLINE},
    [SPANS] = {.scenario = "region_maps", .variant = "nested", .schedule = ""},
    {.scenario = "smoke", .variant = "plain", .schedule = "ping@10+5->pong"},
};

/* ---- what happens to the memory ---- */

static uint32_t below(uint32_t end)
{
    return (uint32_t)g_rand_int_range(dice, 0, (gint32)end);
}

static void put_word(uint8_t *ram, uint32_t offset)
{
    const uint32_t word = g_rand_int(dice);
    memcpy(ram + (offset & ~3u) % FL_RAM_SIZE, &word, sizeof word);
}

static void put_words(uint8_t *ram, uint32_t begin, uint32_t size)
{
    for (uint32_t i = 1 + below(1 << (2 + below(12))); i > 0; i--)
        put_word(ram, begin + below(size));
}

static void spoil_anywhere(uint8_t *ram)
{
    put_words(ram, 0, FL_RAM_SIZE);
}

static uint32_t table_of_core(const uint8_t *ram)
{
    const struct fl_shared *shared = (const void *)(ram + FL_SHARED_OFFSET);
    const uint32_t offset = shared->control.core_table % FL_RAM_SIZE & ~(FL_PAGE_SIZE - 1);
    return MIN(offset, FL_FRAMES_OFFSET - AROUND);
}

/* Kernel and core, which lie around the tables: their code is garbage, their data lead anywhere. */
static void spoil_kernel(uint8_t *ram)
{
    const uint32_t table = table_of_core(ram);
    put_words(ram, table < AROUND ? 0 : table - AROUND, 2 * AROUND);
}

static void flip_a_bit(uint8_t *ram)
{
    const uint32_t table = table_of_core(ram);
    ram[(table < AROUND ? 0 : table - AROUND) + below(2 * AROUND)] ^= (uint8_t)(1u << below(8));
}

static void spoil_pages(uint8_t *ram)
{
    static const uint8_t fills[] = {0, 0xff, 0xcc, 0x5a};
    const uint8_t fill = fills[below(G_N_ELEMENTS(fills))];
    for (uint32_t i = 1 + below(16); i > 0; i--) {
        const uint32_t first =
            below(2) == 0 ? table_of_core(ram) & ~(AROUND - 1) : FL_FRAMES_OFFSET;
        memset(ram + first + below(AROUND / FL_PAGE_SIZE) * FL_PAGE_SIZE, fill, FL_PAGE_SIZE);
    }
}

/* The page tables of core, which the kernel and the audits walk. */
static void spoil_tables(uint8_t *ram)
{
    put_words(ram, table_of_core(ram), 4 * FL_PAGE_SIZE);
}

/* States, counters, questions: the ring's head outside of the ring, results never asked for. */
static void spoil_control(uint8_t *ram)
{
    for (uint32_t i = 1 + below(4); i > 0; i--)
        put_word(ram, FL_SHARED_OFFSET + below(sizeof(struct fl_control)));
}

static void spoil_queues(uint8_t *ram)
{
    for (uint32_t i = 1 + below(400); i > 0; i--)
        put_word(ram, FL_SHARED_OFFSET + below(sizeof(struct fl_shared)));
}

static void (*const ways[])(uint8_t *ram) = {
    spoil_anywhere, spoil_kernel,  flip_a_bit,   spoil_pages,
    spoil_tables,   spoil_control, spoil_queues,
};

/* The memory of the one guest there is. NULL: it has not booted, and there is nothing to spoil. */
static uint8_t *map_guest(void)
{
    char *pattern = g_build_filename(scratch, "faultline-*", "*", "ram", NULL);
    glob_t found;
    uint8_t *ram = MAP_FAILED;
    if (glob(pattern, 0, NULL, &found) == 0) {
        const int fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
        ram = mmap(NULL, FL_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        globfree(&found);
    }
    g_free(pattern);
    const struct fl_shared *shared = (const void *)(ram + FL_SHARED_OFFSET);
    if (ram != MAP_FAILED && shared->control.magic == FL_ABI_MAGIC)
        return ram;
    if (ram != MAP_FAILED)
        munmap(ram, FL_RAM_SIZE);
    return NULL;
}

static void spoil(unsigned way)
{
    uint8_t *ram = map_guest();
    if (ram == NULL)
        return;
    ways[way](ram);
    munmap(ram, FL_RAM_SIZE);
    spoilt++;
}

/* ---- what comes of it ---- */

/* The next run of the batch; questions are answered with the default. */
static struct run await(void)
{
    GError *error = NULL;
    const gint64 end = g_get_monotonic_time() + (gint64)LIMIT_MS * 1000;
    for (;;) {
        struct run run;
        struct fl_decision ask;
        switch (session_wait(session, LIMIT_MS, &run, &ask, &error)) {
        case SESSION_RUN:
            return run;
        case SESSION_ASK:
            session_answer(session, 0);
            break;
        case SESSION_FAILED:
            fail_msg("%s", error->message);
            break;
        case SESSION_STOP: /* of a mode that no plan here has */
            fail_msg("the guest stands still for a stepper");
            break;
        case SESSION_TIMEOUT:
            break;
        }
        if (g_get_monotonic_time() > end)
            fail_msg("no run in %d s", LIMIT_MS / 1000);
    }
}

static uint64_t judge(const struct run *run)
{
    struct capture *capture = capture_take(session, run);
    const struct verdict *verdict =
        capture_judge(capture, engine, &lane.image->scenarios[run->plan.scenario]);
    const uint64_t hash = verdict->event_hash;
    capture_free(capture);
    return hash;
}

/* The i-th run of a batch; sound: it must be as ever. Whether its guest has ended. */
static bool take(unsigned i, bool sound, unsigned counts[OUTCOMES])
{
    const struct run run = await();
    const char *outcome = trace_value_name(TRACE_OUTCOME, run.result.outcome);
    assert_non_null(outcome);
    counts[run.result.outcome % OUTCOMES]++;
    const uint64_t hash = judge(&run);
    session_release(session);
    if (sound && hash != kinds[i % KINDS].hash)
        fail_msg("%s/%s is not as ever on a sound guest: %s %s", kinds[i % KINDS].scenario,
                 kinds[i % KINDS].variant, outcome, run.death);
    changed += hash != kinds[i % KINDS].hash;
    return run.death[0] != '\0'; /* else it has refused a spoilt plan, and lives on */
}

/* One run, so that there is a guest; then a batch, in the middle of which something is spoilt (way
 * < 0: nothing is). After a guest's end all that is left runs on another, as ever; so does all of
 * a batch that is not spoilt. Returns whether a guest has ended. */
static bool run_batch(int way, unsigned counts[OUTCOMES])
{
    session_post(session, &kinds[0].plan);
    bool ended = take(0, way < 0, counts);
    for (unsigned i = 0; i < BATCH; i++)
        session_post(session, &kinds[i % KINDS].plan);
    if (way >= 0) {
        g_usleep(below(batch_us)); /* the random moment */
        under_way += session_unfinished(session) > 0;
        spoil((unsigned)way);
    }
    for (unsigned i = 0; i < BATCH; i++)
        ended = take(i, ended || way < 0, counts) || ended;
    return ended;
}

static void print_counts(const unsigned counts[OUTCOMES])
{
    for (unsigned i = 0; i < OUTCOMES; i++)
        if (counts[i] > 0)
            printf("  %u %s\n", counts[i], trace_value_name(TRACE_OUTCOME, i));
}

static void new_guest(void)
{
    session_post(session, &kinds[0].plan);
    session_drop(session);
}

static void whatever_is_spoilt(void **state)
{
    unsigned counts[OUTCOMES] = {0};
    unsigned worn = 0;
    (void)state;
    const gint64 began = g_get_monotonic_time();
    run_batch(-1, counts);
    batch_us = (uint32_t)(g_get_monotonic_time() - began);
    while (spoilt < number) {
        worn = run_batch((int)(spoilt % G_N_ELEMENTS(ways)), counts) ? 0 : worn + 1;
        if (worn == WEAR) {
            new_guest();
            worn = 0;
        }
    }
    new_guest();
    assert_false(run_batch(-1, counts));
    printf("%s: %u corruptions, %u of them while runs were under way, %u guests; %u runs went "
           "another way, outcomes:\n",
           lane.backend->id, spoilt, under_way, session_boots(session), changed);
    print_counts(counts);
    assert_true(under_way > number / 4);
    assert_true(changed > number / 20 && counts[FL_OUTCOME_EXITED] > 0);
}

/* ---- */

static void make_kind(unsigned i)
{
    GError *error = NULL;
    const int index = image_scenario(lane.image, kinds[i].scenario);
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &lane.image->scenarios[index];
    const int variant = scenario_variant(scenario, kinds[i].variant);
    assert_true(variant >= 0);
    plan_init(&kinds[i].plan, scenario, (unsigned)index, (unsigned)variant);
    if (!plan_parse_schedule(&kinds[i].plan, scenario, kinds[i].schedule, &error))
        fail_msg("%s", error->message);
    kinds[i].plan.mode = kinds[i].mode;
    kinds[i].plan.depth = FL_DEPTH_SYNC;
}

static int setup(void **state)
{
    GError *error = NULL;
    make_scratch(state);
    scratch = *state;
    lane = lane_open(lane_name());
    const bool counted = (lane.backend->capabilities & BACKEND_ACCESSES) != 0;
    lane.watchdog = WATCHDOG;
    kinds[SPANS].mode = counted ? FL_MODE_SPANS : FL_MODE_POSTED;
    engine = engine_new();
    dice = g_rand_new_with_seed(seed);
    session = session_open(&lane, &error);
    if (session == NULL)
        fail_msg("%s", error->message);
    for (unsigned i = 0; i < KINDS; i++) {
        make_kind(i);
        session_post(session, &kinds[i].plan);
        const struct run run = await();
        assert_int_equal(run.result.outcome, FL_OUTCOME_EXITED);
        kinds[i].hash = judge(&run);
        session_release(session);
    }
    return 0;
}

static int teardown(void **state)
{
    session_close(session);
    engine_free(engine);
    g_rand_free(dice);
    image_close((struct image *)lane.image);
    return remove_scratch(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_is_spoilt)};
    if (argc > 1)
        number = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = (unsigned)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, setup, teardown);
}
