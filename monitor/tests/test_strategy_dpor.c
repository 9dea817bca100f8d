/* Reduction against a search of every schedule, on small programs: the same final states, as many
 * runs as there are classes of equivalent schedules, and fewer states as soon as the relation says
 * too much to be independent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "explore/strategy.h"
#include "happens.h"
#include "plan.h"

#define MAX_THREADS 4
#define MAX_OPS     8
#define WORDS       3
#define LOCKS       2
#define MAX_STEPS   (MAX_THREADS * (2 * MAX_OPS + 2))

static const struct fl_scenario scenario = {
    .id = "toy",
    .n_domains = 1,
    .n_params = 0,
    .n_variants = 1,
    .domains = {{.name = "main"}},
    .variants = {{.id = "plain", .expect = "clean"}},
};

/* What a kernel entry does, or the user code after it. */
enum op {
    OP_NONE,   /* nothing that anybody could see */
    OP_LOAD,   /* the register becomes the word */
    OP_STORE,  /* the word becomes a number of the thread and the place */
    OP_ADD,    /* the register is added to the word */
    OP_LOCK,   /* may block */
    OP_UNLOCK, /* hands the lock to the first who waits */
    OP_SKIP,   /* leaves out the next operation if the register is odd */
    OPS
};

struct program {
    unsigned threads;
    unsigned length[MAX_THREADS];
    struct {
        enum op op;
        unsigned of; /* which word or lock */
    } ops[MAX_THREADS][MAX_OPS];
};

/* All of it; it has no padding, so that it can be told apart by its bytes. */
struct machine {
    uint32_t words[WORDS];
    uint32_t holder[LOCKS]; /* thread + 1 */
    struct {
        uint32_t pc, n, reg;
        uint32_t standing; /* on entry, with its operation to be done */
        uint32_t waits;    /* for this lock + 1 */
        uint32_t order;    /* of those that wait */
        uint32_t ended;
    } threads[MAX_THREADS];
};

static uint32_t path_of(unsigned thread)
{
    return thread == 0 ? FL_PATH_DOMAIN(0) : FL_PATH_CHILD2(0, thread);
}

static unsigned thread_of(const struct program *program, uint32_t path)
{
    unsigned thread = 0;
    while (thread < program->threads && path_of(thread) != path)
        thread++;
    return thread;
}

static bool is_enabled(const struct machine *machine, unsigned thread)
{
    return !machine->threads[thread].ended && !machine->threads[thread].waits;
}

static void touches(GArray *into, enum object_kind kind, uint64_t id, bool writes)
{
    const touch touched = touch_of(kind, id, writes);
    g_array_append_val(into, touched);
}

static void unlock(const struct program *program, struct machine *machine, unsigned thread,
                   unsigned lock, GArray *into)
{
    unsigned next = program->threads;
    if (machine->holder[lock] != thread + 1)
        return;
    machine->holder[lock] = 0;
    for (unsigned i = 0; i < program->threads; i++)
        if (machine->threads[i].waits == lock + 1 &&
            (next == program->threads || machine->threads[i].order < machine->threads[next].order))
            next = i;
    if (next == program->threads)
        return;
    machine->threads[next].waits = 0;
    machine->holder[lock] = next + 1;
    touches(into, OBJECT_THREAD, path_of(next), true);
}

static void lock(const struct program *program, struct machine *machine, unsigned thread,
                 unsigned of)
{
    uint32_t last = 0;
    if (machine->holder[of] == 0) {
        machine->holder[of] = thread + 1;
        return;
    }
    for (unsigned i = 0; i < program->threads; i++)
        if (machine->threads[i].waits == of + 1)
            last = MAX(last, machine->threads[i].order);
    machine->threads[thread].waits = of + 1;
    machine->threads[thread].order = last + 1;
}

static void perform(const struct program *program, struct machine *machine, unsigned thread,
                    GArray *into)
{
    const uint32_t pc = machine->threads[thread].pc++;
    const unsigned of = program->ops[thread][pc].of;
    uint32_t *reg = &machine->threads[thread].reg;
    switch (program->ops[thread][pc].op) {
    case OP_LOAD:
        *reg = machine->words[of];
        touches(into, OBJECT_MEMORY, of, false);
        break;
    case OP_STORE:
        machine->words[of] = thread * 16 + pc + 1;
        touches(into, OBJECT_MEMORY, of, true);
        break;
    case OP_ADD:
        machine->words[of] += *reg + 1;
        touches(into, OBJECT_MEMORY, of, true);
        break;
    case OP_LOCK:
        lock(program, machine, thread, of);
        touches(into, OBJECT_LOCK, of, true);
        break;
    case OP_UNLOCK:
        unlock(program, machine, thread, of, into);
        touches(into, OBJECT_LOCK, of, true);
        break;
    case OP_SKIP:
        machine->threads[thread].pc += *reg & 1;
        break;
    case OP_NONE:
    case OPS:
        break;
    }
}

/* One transition, as depend.h has it. */
static struct choice step(const struct program *program, struct machine *machine, unsigned thread,
                          GArray *into)
{
    g_array_set_size(into, 0);
    touches(into, OBJECT_THREAD, path_of(thread), true);
    if (machine->threads[thread].standing) {
        machine->threads[thread].standing = 0;
        perform(program, machine, thread, into);
    }
    struct choice end = {path_of(thread), machine->threads[thread].n, FL_K_GIVES_UP};
    if (machine->threads[thread].waits)
        return end;
    if (machine->threads[thread].pc >= program->length[thread]) {
        machine->threads[thread].ended = 1;
        return end;
    }
    machine->threads[thread].standing = 1;
    end.n = ++machine->threads[thread].n;
    end.k = 0;
    return end;
}

/* ---- a search of every schedule ---- */

struct found {
    GHashTable *states;  /* of struct machine as GBytes */
    GHashTable *classes; /* of uint64_t: fingerprints */
    uint64_t runs;
};

static struct found found_new(void)
{
    return (struct found){
        .states =
            g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL),
        .classes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
}

static void found_free(struct found *found)
{
    g_hash_table_unref(found->states);
    g_hash_table_unref(found->classes);
}

/* In what order threads came to wait is no part of what is left at the end. */
static void note_end(struct found *found, const struct machine *machine, uint64_t class)
{
    found->runs++;
    g_hash_table_add(found->states, g_bytes_new(machine, sizeof(*machine)));
    g_hash_table_add(found->classes, g_memdup2(&class, sizeof(class)));
}

static void search_all(const struct program *program, const struct machine *machine,
                       struct happens *happens, struct found *found)
{
    const uint32_t depth = happens_steps(happens);
    g_autoptr(GArray) into = g_array_new(FALSE, FALSE, sizeof(touch));
    bool any = false;
    for (unsigned thread = 0; thread < program->threads; thread++) {
        struct machine next = *machine;
        if (!is_enabled(machine, thread))
            continue;
        any = true;
        step(program, &next, thread, into);
        struct footprint *footprint = footprint_new(into);
        happens_add(happens, path_of(thread), footprint);
        search_all(program, &next, happens, found);
        happens_truncate(happens, depth);
        footprint_unref(footprint);
    }
    if (!any)
        note_end(found, machine, happens_fingerprint(happens, depth));
}

/* ---- a run of a plan, under the rig's default schedule ---- */

struct run {
    const struct program *program;
    struct machine machine;
    GQueue queue; /* of thread + 1 */
    struct transition transitions[MAX_STEPS];
    struct footprint *footprints[MAX_STEPS];
    size_t n;
    uint32_t reached;
};

static uint32_t target_at(const struct fl_plan *plan, const struct choice *at)
{
    for (uint32_t i = 0; i < plan->n_preemptions; i++) {
        const struct fl_preemption *listed = &plan->preemptions[i];
        if (listed->thread == at->thread && listed->n == at->n && listed->k == at->k)
            return listed->target;
    }
    return FL_PATH_KERNEL;
}

static unsigned take_from_queue(struct run *run, uint32_t wanted)
{
    gpointer key = GUINT_TO_POINTER(thread_of(run->program, wanted) + 1);
    if (wanted != FL_PATH_KERNEL) {
        run->reached++;
        assert_true(g_queue_remove(&run->queue, key)); /* a plan names nobody who cannot run */
    } else {
        key = g_queue_pop_head(&run->queue);
    }
    return GPOINTER_TO_UINT(key) - 1;
}

static void make_run(struct run *run, const struct fl_plan *plan)
{
    g_autoptr(GArray) into = g_array_new(FALSE, FALSE, sizeof(touch));
    unsigned thread = 0;
    for (unsigned i = 1; i < run->program->threads; i++)
        g_queue_push_tail(&run->queue, GUINT_TO_POINTER(i + 1));
    for (;;) {
        const struct machine before = run->machine;
        struct transition *transition = &run->transitions[run->n];
        *transition = (struct transition){.thread = path_of(thread)};
        transition->end = step(run->program, &run->machine, thread, into);
        run->footprints[run->n++] = footprint_new(into);
        for (unsigned i = 0; i < run->program->threads; i++)
            if (before.threads[i].waits && !run->machine.threads[i].waits)
                g_queue_push_tail(&run->queue, GUINT_TO_POINTER(i + 1));
        const uint32_t target = target_at(plan, &transition->end);
        if (transition->end.k == 0 && target == FL_PATH_KERNEL)
            continue;
        if (transition->end.k == 0)
            g_queue_push_tail(&run->queue, GUINT_TO_POINTER(thread + 1));
        if (g_queue_is_empty(&run->queue))
            break;
        thread = take_from_queue(run, target);
    }
    run->transitions[run->n - 1].end.thread = 0;
    assert_int_equal(run->reached, plan->n_preemptions);
}

static struct footprint *footprint_of(void *context, size_t i)
{
    return footprint_ref(((struct run *)context)->footprints[i]);
}

static void note_run(struct found *found, const struct run *run)
{
    struct happens *happens = happens_new(&relation_true);
    for (size_t i = 0; i < run->n; i++)
        happens_add(happens, run->transitions[i].thread, run->footprints[i]);
    note_end(found, &run->machine, happens_fingerprint(happens, (uint32_t)run->n));
    happens_free(happens);
}

/* Returns how many runs were equivalent to others. */
static uint64_t reduce(const struct program *program, const struct relation *relation,
                       struct found *found)
{
    struct strategy_config config = {
        .scenario = &scenario, .depth = FL_DEPTH_IPC, .relation = relation};
    plan_init(&config.base, &scenario, 0, 0);
    struct strategy *dpor = strategy_dpor.open(&config, NULL);
    struct strategy_progress progress;
    struct fl_plan plan;
    while (strategy_dpor.next(dpor, &plan)) {
        struct run run = {.program = program, .queue = G_QUEUE_INIT};
        make_run(&run, &plan);
        note_run(found, &run);
        const struct run_steps steps = {run.transitions, run.n, footprint_of, &run};
        const struct fl_result result = {.outcome = FL_OUTCOME_EXITED};
        const struct run_report report = {.plan = &plan, .result = &result, .steps = &steps};
        strategy_dpor.done(dpor, &report);
        for (size_t i = 0; i < run.n; i++)
            footprint_unref(run.footprints[i]);
    }
    strategy_dpor.progress(dpor, &progress);
    assert_null(progress.broken);
    assert_true(strategy_dpor.finished(dpor));
    strategy_dpor.close(dpor);
    return progress.runs_redundant;
}

static bool is_subset(GHashTable *part, GHashTable *whole)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, part);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (!g_hash_table_contains(whole, key))
            return false;
    return true;
}

/* Both searches; returns the number of classes, of runs all in *all. */
static uint64_t compare(const struct program *program, uint64_t *all)
{
    const struct machine machine = {.words = {0}};
    struct found whole = found_new(), reduced = found_new();
    struct happens *happens = happens_new(&relation_true);
    search_all(program, &machine, happens, &whole);
    happens_free(happens);
    const uint64_t redundant = reduce(program, NULL, &reduced);
    const uint64_t classes = g_hash_table_size(whole.classes);
    assert_true(is_subset(whole.states, reduced.states));
    assert_true(is_subset(reduced.states, whole.states));
    assert_int_equal(g_hash_table_size(reduced.classes), classes);
    assert_true(is_subset(reduced.classes, whole.classes));
    assert_true(reduced.runs - redundant <= classes);
    assert_true(reduced.runs >= classes);
    *all = whole.runs;
    found_free(&whole);
    found_free(&reduced);
    return reduced.runs;
}

/* ---- numbers known by hand ---- */

static uint64_t runs_of(const struct program *program)
{
    uint64_t all;
    return compare(program, &all);
}

/* Nobody touches what others do: there is one class. */
static void independent_threads_run_once(void **state)
{
    (void)state;
    const struct program program = {
        .threads = 3,
        .length = {2, 2, 2},
        .ops = {{{OP_STORE, 0}, {OP_LOAD, 0}},
                {{OP_STORE, 1}, {OP_LOAD, 1}},
                {{OP_STORE, 2}, {OP_LOAD, 2}}},
    };
    assert_int_equal(runs_of(&program), 1);
}

/* n threads that each write one word once: every order of the writes is a class of its own, n!. */
static void writers_run_in_every_order(void **state)
{
    (void)state;
    const struct program program = {
        .threads = 4,
        .length = {1, 1, 1, 1},
        .ops = {{{OP_STORE, 0}}, {{OP_STORE, 0}}, {{OP_STORE, 0}}, {{OP_STORE, 0}}},
    };
    assert_int_equal(runs_of(&program), 24);
}

/* One writes, n read: each reader comes before the write or after it, 2^n. */
static void readers_of_one_writer(void **state)
{
    (void)state;
    const struct program program = {
        .threads = 4,
        .length = {1, 1, 1, 1},
        .ops = {{{OP_STORE, 0}}, {{OP_LOAD, 0}}, {{OP_LOAD, 0}}, {{OP_LOAD, 0}}},
    };
    assert_int_equal(runs_of(&program), 8);
}

/* Two threads with m writes each to one word: C(2m, m) orders. */
static void two_writers_are_interleaved(void **state)
{
    (void)state;
    const struct program program = {
        .threads = 2,
        .length = {4, 4},
        .ops = {{{OP_STORE, 0}, {OP_STORE, 0}, {OP_STORE, 0}, {OP_STORE, 0}},
                {{OP_STORE, 0}, {OP_STORE, 0}, {OP_STORE, 0}, {OP_STORE, 0}}},
    };
    assert_int_equal(runs_of(&program), 70);
}

/* A lock around each word of two threads: who is first, and whether the other came while it was
 * held, before or after the write inside, which does not matter: 2 orders, each with the second
 * waiting or not. */
static void a_lock_is_taken_in_every_order(void **state)
{
    (void)state;
    const struct program program = {
        .threads = 2,
        .length = {3, 3},
        .ops = {{{OP_LOCK, 0}, {OP_STORE, 0}, {OP_UNLOCK, 0}},
                {{OP_LOCK, 0}, {OP_STORE, 0}, {OP_UNLOCK, 0}}},
    };
    assert_int_equal(runs_of(&program), 4);
}

/* Two locks in two orders: the deadlock is met. */
static void a_deadlock_is_found(void **state)
{
    (void)state;
    const struct program program = {
        .threads = 2,
        .length = {4, 4},
        .ops = {{{OP_LOCK, 0}, {OP_LOCK, 1}, {OP_UNLOCK, 1}, {OP_UNLOCK, 0}},
                {{OP_LOCK, 1}, {OP_LOCK, 0}, {OP_UNLOCK, 0}, {OP_UNLOCK, 1}}},
    };
    runs_of(&program);
}

/* ---- drawn ---- */

static struct program draw(GRand *rand)
{
    struct program program = {.threads = (unsigned)g_rand_int_range(rand, 2, 4)};
    const int longest = program.threads == 2 ? 6 : 4;
    for (unsigned i = 0; i < program.threads; i++) {
        program.length[i] = (unsigned)g_rand_int_range(rand, 1, longest);
        for (unsigned j = 0; j < program.length[i]; j++) {
            program.ops[i][j].op = (enum op)g_rand_int_range(rand, 0, OPS);
            program.ops[i][j].of = (unsigned)g_rand_int_range(rand, 0, LOCKS);
        }
    }
    return program;
}

static void drawn_programs_agree(void **state)
{
    (void)state;
    GRand *rand = g_rand_new_with_seed(9);
    uint64_t all = 0, reduced = 0, one;
    for (unsigned i = 0; i < 200; i++) {
        const struct program program = draw(rand);
        reduced += compare(&program, &one);
        all += one;
    }
    g_rand_free(rand);
    print_message("%" G_GUINT64_FORMAT " runs instead of %" G_GUINT64_FORMAT "\n", reduced, all);
    assert_true(reduced * 2 < all);
}

/* ---- a relation that is wrong on purpose ---- */

static void a_wrong_relation_loses_states(void **state)
{
    (void)state;
    const struct {
        enum object_kind kind;
        struct program program;
    } wrong[] = {
        {OBJECT_MEMORY,
         {.threads = 2, .length = {1, 1}, .ops = {{{OP_STORE, 0}}, {{OP_STORE, 0}}}}},
        {OBJECT_LOCK,
         {.threads = 2,
          .length = {2, 2},
          .ops = {{{OP_LOCK, 0}, {OP_STORE, 0}}, {{OP_LOCK, 0}, {OP_STORE, 0}}}}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct found right = found_new(), lost = found_new();
        struct relation relation = relation_true;
        relation.depends[wrong[i].kind].write_write = false;
        reduce(&wrong[i].program, NULL, &right);
        reduce(&wrong[i].program, &relation, &lost);
        assert_true(g_hash_table_size(lost.states) < g_hash_table_size(right.states));
        found_free(&right);
        found_free(&lost);
    }
}

static void depths_without_steps_are_refused(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    const struct strategy_config config = {.scenario = &scenario, .depth = FL_DEPTH_ACCESS};
    assert_null(strategy_dpor.open(&config, &error));
    assert_string_equal(error->message,
                        "strategy dpor preempts at kernel entries: choose depth ipc or sync");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(independent_threads_run_once),
        cmocka_unit_test(writers_run_in_every_order),
        cmocka_unit_test(readers_of_one_writer),
        cmocka_unit_test(two_writers_are_interleaved),
        cmocka_unit_test(a_lock_is_taken_in_every_order),
        cmocka_unit_test(a_deadlock_is_found),
        cmocka_unit_test(drawn_programs_agree),
        cmocka_unit_test(a_wrong_relation_loses_states),
        cmocka_unit_test(depths_without_steps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
