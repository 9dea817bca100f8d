/* The stateful search on a real guest: it meets every state that the search of all plans meets, and
 * no definition of state that leaves something out would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <gelf.h>
#include "explore/explore.h"
#include "lane.h"
#include "plan.h"
#include "explore/standing.h"

static struct session_options lane;
static struct image *image;
static struct crew *crew;
static struct engine *engine;

/* ---- strategies that note what they see ---- */

/* What the search that runs goes by. */
static struct {
    const struct strategy_ops *ops; /* that it is made of */
    GHashTable *states;             /* of struct state_hash, as a set */
    GArray *plans;                  /* of struct fl_plan; NULL: nobody wants them */
} watched;

static GHashTable *new_set(void)
{
    return g_hash_table_new_full(state_hash_key, state_hash_equal, g_free, NULL);
}

static struct strategy *watched_open(const struct strategy_config *config, GError **error)
{
    return watched.ops->open(config, error);
}

static bool watched_next(struct strategy *strategy, struct fl_plan *plan)
{
    if (!watched.ops->next(strategy, plan))
        return false;
    plan->mode |= FL_MODE_ONLINE | FL_MODE_AFTER;
    if (watched.plans != NULL)
        g_array_append_vals(watched.plans, plan, 1);
    return true;
}

static bool watched_done(struct strategy *strategy, const struct run_report *report)
{
    for (size_t i = 0; i < report->n_places; i++)
        if ((report->states[i].low | report->states[i].high) != 0)
            g_hash_table_add(watched.states,
                             g_memdup2(&report->states[i], sizeof(report->states[i])));
    return watched.ops->done(strategy, report);
}

static bool nothing_known(const struct strategy *strategy, const struct state_hash *state)
{
    (void)strategy;
    (void)state;
    return false;
}

static bool watched_known(const struct strategy *strategy, const struct state_hash *state)
{
    return watched.ops->known(strategy, state);
}

static bool watched_finished(const struct strategy *strategy)
{
    return watched.ops->finished(strategy);
}

static void watched_progress(const struct strategy *strategy, struct strategy_progress *progress)
{
    watched.ops->progress(strategy, progress);
}

static void watched_close(struct strategy *strategy)
{
    watched.ops->close(strategy);
}

static const struct strategy_ops watching = {
    .id = "watching",
    .open = watched_open,
    .next = watched_next,
    .done = watched_done,
    .known = watched_known,
    .finished = watched_finished,
    .progress = watched_progress,
    .close = watched_close,
};

/* Plans of a list, in its order. */
struct strategy {
    guint at, returned;
};

static GArray *listed;

static struct strategy *list_open(const struct strategy_config *config, GError **error)
{
    (void)config;
    (void)error;
    return g_new0(struct strategy, 1);
}

static bool list_next(struct strategy *list, struct fl_plan *plan)
{
    if (list->at == listed->len)
        return false;
    *plan = g_array_index(listed, struct fl_plan, list->at++);
    return true;
}

static bool list_done(struct strategy *list, const struct run_report *report)
{
    (void)report;
    list->returned++;
    return true;
}

static bool list_finished(const struct strategy *list)
{
    return list->returned == listed->len;
}

static void list_progress(const struct strategy *list, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){.runs = list->returned};
}

static void list_close(struct strategy *list)
{
    g_free(list);
}

static const struct strategy_ops list_ops = {
    .id = "list",
    .open = list_open,
    .next = list_next,
    .done = list_done,
    .finished = list_finished,
    .progress = list_progress,
    .close = list_close,
};

/* ---- searches ---- */

struct subject {
    const char *scenario, *variant;
    unsigned bound;
    unsigned depth;
};

static uint64_t search(const struct subject *subject, const struct strategy_ops *ops, bool cut,
                       GHashTable *states, GArray *plans)
{
    const int index = image_scenario(image, subject->scenario);
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &image->scenarios[index];
    const int variant = scenario_variant(scenario, subject->variant);
    assert_true(variant >= 0);
    struct strategy_ops strategy = watching;
    if (!cut)
        strategy.known = nothing_known;
    struct fl_plan base;
    plan_init(&base, scenario, (unsigned)index, (unsigned)variant);
    const struct explore_options options = {
        .crew = crew,
        .engine = engine,
        .scenario = scenario,
        .image = image,
        .base = &base,
        .strategy = &strategy,
        .depth = subject->depth,
        .bound = subject->bound,
        .all = true,
        .twice_every = 10,
    };
    watched.ops = ops;
    watched.states = states;
    watched.plans = plans;
    GError *error = NULL;
    struct explore_result *result = explore(&options, &error);
    if (result == NULL)
        fail_msg("%s", error->message);
    if (result->error != NULL)
        fail_msg("%s", result->error);
    assert_true(result->complete);
    const uint64_t runs = result->runs;
    explore_free(result);
    return runs;
}

static const struct subject subjects[] = {
    {"genode_stack_slot", "fixed", 2, FL_DEPTH_IPC},
    {"genode_stack_slot", "racy", 2, FL_DEPTH_IPC},
    {"rig_litmus", "plain", 3, FL_DEPTH_IPC},
    {"rig_orders", "messages", 2, FL_DEPTH_IPC},
    {"codezero_lost_wakeup", "registered", 2, FL_DEPTH_IPC},
    {"codezero_suspend", "not_before_sleep", 2, FL_DEPTH_IPC},
    {"rig_litmus", "plain", 2, FL_DEPTH_ACCESS},
    {"rig_orders", "counter", 2, FL_DEPTH_ACCESS},
};

static bool can_tell_accesses(void)
{
    char reason[256];
    return lane.backend->probe_accesses != NULL &&
           lane.backend->probe_accesses(reason, sizeof(reason));
}

/* But for few: of a stack's frame words may stay unwritten, and hold what another call left there.
 * Who leaves out what matters misses more (leaving_out). */
static void assert_all_in(GHashTable *some, GHashTable *all)
{
    GHashTableIter iter;
    gpointer key;
    guint missing = 0;
    g_hash_table_iter_init(&iter, some);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        missing += !g_hash_table_contains(all, key);
    assert_true(missing * 50 <= g_hash_table_size(all));
}

/* Every plan of so many preemptions, and the plans of the search itself made to their ends: what
 * there is to be met. */
static void all_states_are_met(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        if (subjects[i].depth == FL_DEPTH_ACCESS && !can_tell_accesses())
            continue;
        GHashTable *all = new_set(), *to_the_end = new_set(), *met = new_set();
        const uint64_t every = search(&subjects[i], &strategy_dfs, false, all, NULL);
        const uint64_t uncut = search(&subjects[i], &strategy_stateful, false, to_the_end, NULL);
        const uint64_t cut = search(&subjects[i], &strategy_stateful, true, met, NULL);
        print_message("%s/%s: %u states of %" G_GUINT64_FORMAT " plans, %u of %" G_GUINT64_FORMAT
                      " (uncut: %u of %" G_GUINT64_FORMAT ")\n",
                      subjects[i].scenario, subjects[i].variant, g_hash_table_size(all), every,
                      g_hash_table_size(met), cut, g_hash_table_size(to_the_end), uncut);
        assert_all_in(all, met);
        assert_all_in(to_the_end, met);
        g_hash_table_unref(all);
        g_hash_table_unref(to_the_end);
        g_hash_table_unref(met);
    }
}

/* ---- definitions of state that leave something out ---- */

static struct fl_state_row *row_of(uint32_t count, uint32_t least_size)
{
    struct fl_state_row *rows = (struct fl_state_row *)image->state;
    for (size_t i = 0; i < image->n_state; i++)
        if (rows[i].kept && rows[i].count == count && rows[i].size >= least_size)
            return &rows[i];
    fail_msg("no row of %u entries", count);
    return NULL;
}

/* Of thread blocks only what comes behind the registers. */
static void without_registers(void)
{
    struct fl_state_row *row = row_of(FL_MAX_THREADS, 64);
    const uint32_t registers = image->header.arch == FL_ARCH_ARMV7 ? 68 : 176;
    row->offset += registers;
    row->size -= registers;
}

/* The plans of a search that goes by less than the state do not come by every state. */
static void leaving_out(const struct subject *subject, void (*leave_out)(void))
{
    GHashTable *all = new_set(), *met = new_set(), *fewer = new_set();
    search(subject, &strategy_dfs, false, all, NULL);

    struct fl_state_row *rows = g_memdup2(image->state, image->n_state * sizeof(*rows));
    listed = g_array_new(FALSE, FALSE, sizeof(struct fl_plan));
    leave_out();
    search(subject, &strategy_stateful, true, fewer, listed);
    memcpy((void *)image->state, rows, image->n_state * sizeof(*rows));
    g_free(rows);

    search(subject, &list_ops, false, met, NULL);
    assert_true(g_hash_table_size(met) < g_hash_table_size(all));
    g_array_free(listed, TRUE);
    g_hash_table_unref(all);
    g_hash_table_unref(met);
    g_hash_table_unref(fewer);
}

static void registers_are_state(void **state)
{
    (void)state;
    leaving_out(&(const struct subject){"rig_litmus", "plain", 3, FL_DEPTH_IPC}, without_registers);
}

/* ---- what is read of a guest that stands still ---- */

#define PATIENCE_MS 30000
#define QUESTION    30u /* some way into the run */
#define HOMES       256u

static struct session *standing_guest(void)
{
    GError *error = NULL;
    struct session *session = session_open(&lane, &error);
    if (session == NULL)
        fail_msg("%s", error->message);
    const int index = image_scenario(image, "genode_stack_slot");
    struct fl_plan plan;
    plan_init(&plan, &image->scenarios[index], (unsigned)index, 0);
    plan.mode |= FL_MODE_ONLINE;
    session_post(session, &plan);
    for (unsigned i = 0;; i++) {
        struct run run;
        struct fl_decision ask;
        assert_int_equal(session_wait(session, PATIENCE_MS, &run, &ask, &error), SESSION_ASK);
        if (i == QUESTION)
            return session;
        session_answer(session, FL_PATH_KERNEL);
    }
}

static bool read_state(struct session *session, struct state_reader *reader,
                       struct state_hash *hash)
{
    const struct asker asker = session_asker(session);
    return state_read(reader, asker.memory.memory, asker.core_table, hash);
}

/* Whether the state is another when the byte is. */
static bool matters(struct session *session, struct state_reader *reader, uint8_t *byte)
{
    struct state_hash before, after;
    assert_true(read_state(session, reader, &before));
    *byte ^= 0x80;
    const bool told = read_state(session, reader, &after);
    *byte ^= 0x80;
    return !told || memcmp(&before, &after, sizeof before) != 0;
}

static uint8_t *ram(struct session *session, uint64_t offset)
{
    uint8_t *byte = guestmem_at(session_asker(session).memory.memory, offset, 1, 1);
    assert_non_null(byte);
    return byte;
}

/* ---- a plan that is sent again ---- */

static void wait_for_question(struct session *session, struct fl_decision *ask)
{
    struct run run;
    GError *error = NULL;
    assert_int_equal(session_wait(session, PATIENCE_MS, &run, ask, &error), SESSION_ASK);
}

/* Half way through a run the guest breaks the ABI, with another plan given to it: the next guest is
 * given the run anew, and asks and tells what the first one did. */
static void a_run_made_again_begins_anew(void **state)
{
    (void)state;
    GError *error = NULL;
    struct session *session = session_open(&lane, &error);
    struct standing *standing = standing_new(image, false, &error);
    assert_true(session != NULL && standing != NULL);
    const int index = image_scenario(image, "genode_stack_slot");
    const struct fl_scenario *scenario = &image->scenarios[index];
    struct fl_plan plan;
    plan_init(&plan, scenario, (unsigned)index, 0);
    plan.mode |= FL_MODE_ONLINE;
    session_post(session, &plan);
    session_post(session, &plan);

    struct state_hash told[QUESTION];
    struct fl_decision ask;
    for (unsigned i = 0; i < 2 * QUESTION; i++) {
        wait_for_question(session, &ask);
        const struct state_hash *hash = standing_ask(standing, engine, scenario, 0, session, &ask);
        assert_non_null(hash);
        if (i < QUESTION)
            told[i] = *hash;
        else
            assert_memory_equal(hash, &told[i - QUESTION], sizeof *hash);
        if (i == QUESTION - 1)
            *(uint32_t *)(void *)guestmem_at(
                session_asker(session).memory.memory,
                FL_SHARED_OFFSET + offsetof(struct fl_control, result_head), 4, 4) += 9;
        session_answer(session, FL_PATH_KERNEL);
    }
    assert_int_equal(session_boots(session), 2);
    session_drop(session);
    session_close(session);
    standing_free(standing);
}

/* Each frame that core is made of or has handed out in turn, from the first on, and the homes that
 * are taken, which are the last of the pool. */
static void frames_are_state(void **state)
{
    (void)state;
    struct session *session = standing_guest();
    struct state_reader *reader = state_reader_new(image, NULL);
    unsigned in_turn = 0, at_home = 0;
    for (uint64_t page = 0; page < FL_FRAMES_SIZE; page += FL_PAGE_SIZE) {
        const unsigned frame = (unsigned)(page / FL_PAGE_SIZE);
        if (!matters(session, reader, ram(session, FL_FRAMES_OFFSET + page + FL_PAGE_SIZE - 5)))
            continue;
        if (in_turn == frame)
            in_turn++;
        else
            at_home++;
        assert_true(in_turn == frame + 1 || frame >= FL_FRAMES_SIZE / FL_PAGE_SIZE - HOMES);
    }
    assert_in_range(in_turn, 15, 100);
    assert_in_range(at_home, 3, 20);
    state_reader_free(reader);
    session_drop(session);
    session_close(session);
}

/* Of what the kernel keeps: what its rows say, byte by byte. */
static void rows_are_held_to(void **state)
{
    (void)state;
    struct session *session = standing_guest();
    struct state_reader *reader = state_reader_new(image, NULL);
    for (size_t i = 0; i < image->n_state; i++) {
        const struct fl_state_row *row = &image->state[i];
        if (row->kept)
            continue;
        for (uint32_t j = 0; j < MIN(row->size, 64); j++) {
            const uint64_t address = row->object.address + row->offset + j;
            assert_false(matters(session, reader, ram(session, address % FL_RAM_SIZE)));
        }
    }
    const uint32_t frame = (uint32_t)(uintptr_t)session_asker(session).frame;
    assert_true(matters(session, reader, ram(session, frame)));
    state_reader_free(reader);
    session_drop(session);
    session_close(session);
}

/* ---- what the kernel keeps ---- */

static bool has_row(uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < image->n_state; i++) {
        const struct fl_state_row *row = &image->state[i];
        if (row->object.address == address && row->offset == 0 &&
            (uint64_t)row->stride * row->count == size)
            return true;
    }
    return false;
}

/* Who gives the kernel a new variable says whether it is state. */
static void every_object_of_the_kernel_has_a_row(void **state)
{
    (void)state;
    Elf *elf = elf_memory((char *)image->data, image->size);
    GElf_Shdr header;
    unsigned objects = 0;
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn != NULL; scn = elf_nextscn(elf, scn)) {
        gelf_getshdr(scn, &header);
        if (header.sh_type != SHT_SYMTAB)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        GElf_Sym symbol;
        for (int i = 0; gelf_getsym(data, i, &symbol) != NULL; i++) {
            GElf_Shdr home;
            Elf_Scn *where = elf_getscn(elf, symbol.st_shndx);
            if (GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || where == NULL ||
                gelf_getshdr(where, &home) == NULL || symbol.st_value < FL_USER_END ||
                !(home.sh_flags & SHF_WRITE) || home.sh_type != SHT_NOBITS)
                continue;
            objects++;
            if (!has_row(symbol.st_value, symbol.st_size))
                fail_msg("the kernel's %s has no row in guest/kernel/state.h's table",
                         elf_strptr(elf, header.sh_link, symbol.st_name));
        }
    }
    elf_end(elf);
    assert_true(objects >= 8);
}

static int open_all(void **state)
{
    (void)state;
    lane = lane_open(lane_name());
    image = (struct image *)lane.image;
    crew = crew_new(&lane, 1);
    engine = engine_new();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    engine_free(engine);
    crew_free(crew);
    image_close(image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_states_are_met),
        cmocka_unit_test(registers_are_state),
        cmocka_unit_test(a_run_made_again_begins_anew),
        cmocka_unit_test(frames_are_state),
        cmocka_unit_test(rows_are_held_to),
        cmocka_unit_test(every_object_of_the_kernel_has_a_row),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
