/* Whether a tree of runs is closed: each race in each of its runs can be seen the other way round.
 *
 * Which steps are independent is worked out here, from what each touched. Of two dependent steps
 * with none between that both are ordered with, the second of which could have been made first,
 * there must be a run that makes all that does not come after the first, and then what was the
 * second. traces/CERTIFICATE.md says why nothing is missing then. */
#include "certcheck_orders.h"

#include <string.h>

#define MEMO_MAX  4096u /* footprints, up to which pairs are remembered */
#define WORD_BITS 64u

/* A place in the run being looked at. */
struct position {
    uint32_t step;
    uint64_t waiting; /* threads that could run before it, as far as was told */
    uint64_t stopped; /* those that could until another's step, and have not run since */
    uint32_t stopper[THREADS_MAX]; /* position of that step */
    uint64_t history[2];           /* names the step by all that comes before it */
    uint32_t races;                /* how many there were before it */
};

struct race {
    uint32_t first, second; /* positions */
};

struct thread_objects {
    uint32_t turn, life, queue; /* "thread.NAME", "life.NAME", "receiver.NAME", or NONE */
};

static GArray *objects; /* struct thread_objects: of each thread */
static uint32_t core;   /* thread, or NONE */
static uint8_t *memo;   /* of pairs of footprints: 0 not known, 1 independent, 2 dependent */
static uint32_t memo_side;

/* ---- dependence ---- */

static bool conflict(const struct touched *a, const struct touched *b)
{
    for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
        const uint32_t x = a->objects[i], y = b->objects[j];
        if (x >> 1 == y >> 1 && ((x | y) & 1))
            return true;
        i += x >> 1 <= y >> 1;
        j += y >> 1 <= x >> 1;
    }
    return false;
}

static bool touched_conflict(uint32_t a, uint32_t b)
{
    if (memo == NULL)
        return conflict(touched_at(a), touched_at(b));
    uint8_t *known = &memo[(size_t)MIN(a, b) * memo_side + MAX(a, b)];
    if (*known == 0)
        *known = conflict(touched_at(a), touched_at(b)) ? 2 : 1;
    return *known == 2;
}

static bool dependent(const struct step *a, const struct step *b)
{
    return a->thread == b->thread || touched_conflict(a->touched, b->touched);
}

static struct thread_objects objects_of(uint32_t thread)
{
    return g_array_index(objects, struct thread_objects, thread);
}

static bool touches(const struct step *step, uint32_t object, bool writing)
{
    const struct touched *touched = touched_at(step->touched);
    for (uint32_t i = 0; i < touched->n && object != NONE; i++)
        if (touched->objects[i] >> 1 == object)
            return !writing || (touched->objects[i] & 1);
    return false;
}

/* ---- calls to core ---- */

static bool touches_queue(const struct step *step)
{
    return core != NONE && step->thread != core && touches(step, objects_of(core).queue, true);
}

static bool is_taken(const struct step *step)
{
    return touches(step, objects_of(core).turn, false);
}

/* Whoever takes others out of their queues touches all queues. */
static bool is_call(const struct step *step)
{
    return touches_queue(step) &&
           (is_taken(step) || !touches(step, objects_of(step->thread).queue, false));
}

/* Core is at work, and does not take the call. */
static bool queues_up(const struct step *step)
{
    return is_call(step) && !is_taken(step);
}

/* ---- the run being looked at ---- */

struct view {
    uint32_t run;
    size_t words;                     /* of a set of positions */
    GArray *path;                     /* struct position */
    uint64_t *sets;                   /* of each position: all that comes before it */
    GArray *races;                    /* struct race */
    uint32_t *by_thread[THREADS_MAX]; /* positions */
    uint32_t made[THREADS_MAX];
};

static bool has(const uint64_t *set, uint32_t i)
{
    return set[i / WORD_BITS] >> i % WORD_BITS & 1;
}

static void put(uint64_t *set, uint32_t i)
{
    set[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
}

static void take(uint64_t *set, uint32_t i)
{
    set[i / WORD_BITS] &= ~(UINT64_C(1) << i % WORD_BITS);
}

static uint64_t *set_of(const struct view *view, uint32_t position)
{
    return view->sets + position * view->words;
}

static struct position *position_at(const struct view *view, uint32_t i)
{
    return &g_array_index(view->path, struct position, i);
}

static struct step *made_at(const struct view *view, uint32_t position)
{
    return step_at(position_at(view, position)->step);
}

/* The second step's thread could have run where the first step's did: the first neither woke it,
 * nor is it known to have been ready before. */
static bool could_be_first(const struct view *view, uint32_t first, const struct step *second)
{
    if (!touches(made_at(view, first), objects_of(second->thread).turn, false))
        return true;
    return (position_at(view, first)->waiting & thread_bit(second->thread)) != 0;
}

/* Those before it that it depends on, the latest first: with whom no other is between is a race. */
static void order_step(struct view *view, uint32_t at)
{
    const struct step *step = made_at(view, at);
    uint64_t *set = set_of(view, at);
    memset(set, 0, view->words * sizeof(*set));
    for (uint32_t i = at; i-- > 0;) {
        const struct step *other = made_at(view, i);
        if (has(set, i) || !dependent(other, step))
            continue;
        const uint64_t *before = set_of(view, i);
        for (size_t j = 0; j <= i / WORD_BITS; j++)
            set[j] |= before[j];
        put(set, i);
        const struct race race = {i, at};
        const bool waits = orders.unqueued && other->thread == core && is_call(step);
        if (other->thread != step->thread && !waits && could_be_first(view, i, step))
            g_array_append_val(view->races, race);
    }
}

/* A call cannot come while core is at work: what ends that work is no race with it, but the call
 * that began it is, unless the caller came to this one, or was woken, because of that. */
static void race_for_core(struct view *view, uint32_t at)
{
    const struct step *step = made_at(view, at);
    uint32_t began = at;
    while (began-- > 0 && !is_call(made_at(view, began)))
        continue;
    if (!is_call(step) || began == NONE || made_at(view, began)->thread == step->thread)
        return;
    const uint32_t turn = objects_of(step->thread).turn;
    uint32_t before = at;
    while (before-- > 0 && made_at(view, before)->thread != step->thread &&
           !touches(made_at(view, before), turn, false))
        continue;
    const struct race race = {began, at};
    if (before == NONE || (before != began && !has(set_of(view, before), began)))
        g_array_append_val(view->races, race);
}

/* splitmix64's last part (Steele, Lea and Flood, OOPSLA 2014). */
static uint64_t mixed(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static void name_history(struct view *view, uint32_t at)
{
    struct position *position = position_at(view, at);
    const struct step *step = step_at(position->step);
    for (unsigned half = 0; half < 2; half++) {
        uint64_t sum = half + 1;
        for (uint32_t i = 0; i < at; i++)
            if (has(set_of(view, at), i))
                sum += position_at(view, i)->history[half];
        sum = mixed(sum ^ ((uint64_t)step->thread << 32 | step->touched));
        position->history[half] = mixed(sum + 0x9e3779b97f4a7c15u * (half + 1));
    }
}

/* Whom the step took the turn away from: it writes the other's life. */
static uint64_t stopped_by(const struct step *step, uint64_t waiting)
{
    uint64_t stopped = 0;
    for (uint32_t thread = 0; waiting >> thread != 0; thread++)
        if ((waiting >> thread & 1) && thread != step->thread &&
            touches(step, objects_of(thread).life, true))
            stopped |= thread_bit(thread);
    return stopped;
}

/* Who waits after the step at a position, and who is stopped there. */
static struct position after(const struct view *view, uint32_t at)
{
    const struct step *step = made_at(view, at);
    struct position next = *position_at(view, at);
    const uint64_t stopped = stopped_by(step, next.waiting);
    const uint64_t here = step->last ? 0 : step->ready | thread_bit(step->stander);
    next.waiting &= ~(stopped | thread_bit(step->thread));
    next.stopped = (next.stopped | stopped) & ~thread_bit(step->thread);
    for (uint32_t thread = 0; stopped >> thread != 0; thread++)
        if (stopped >> thread & 1)
            next.stopper[thread] = at;
    if (step->gave_up)
        return next;
    if (next.waiting & ~here)
        refuse("run %u: who could run before is not ready at %s, and did not run", view->run,
               step->end);
    next.waiting = here;
    return next;
}

static void add_position(struct view *view, uint32_t step)
{
    const uint32_t at = view->path->len;
    const uint8_t thread = step_at(step)->thread;
    struct position position = {.stopped = 0};
    if (at > 0)
        position = after(view, at - 1);
    position.step = step;
    position.races = view->races->len;
    g_array_append_val(view->path, position);
    order_step(view, at);
    name_history(view, at);
    if (position.stopped & thread_bit(thread)) {
        const struct race race = {position.stopper[thread], at};
        g_array_append_val(view->races, race);
    }
    if (orders.unqueued)
        race_for_core(view, at);
    view->by_thread[thread][view->made[thread]++] = at;
}

static void cut_to(struct view *view, uint32_t length)
{
    if (length >= view->path->len)
        return;
    g_array_set_size(view->races, position_at(view, length)->races);
    for (uint32_t i = length; i < view->path->len; i++)
        view->made[made_at(view, i)->thread]--;
    g_array_set_size(view->path, length);
}

static void look_at(struct view *view, uint32_t run)
{
    g_autoptr(GArray) way = way_to(run);
    uint32_t same = 0;
    while (same < view->path->len && same < way->len &&
           position_at(view, same)->step == g_array_index(way, uint32_t, same))
        same++;
    view->run = run;
    cut_to(view, same);
    for (guint i = same; i < way->len; i++)
        add_position(view, g_array_index(way, uint32_t, i));
    if (after(view, view->path->len - 1).stopped != 0)
        refuse("run %u: a thread that could run was stopped, and never ran again", run);
}

/* ---- the other way round ---- */

/* What is to be found from some node of the tree on, in whatever order: steps of the run, and in
 * the end what is now the second of the race. */
struct wanted {
    const struct view *view;
    uint64_t *left; /* positions */
    uint32_t n_left;
    uint32_t second;
    bool second_made;
    uint32_t next[THREADS_MAX], end[THREADS_MAX]; /* of view->by_thread */
};

/* Position of what the thread makes next of it, or NONE. */
static uint32_t next_of(const struct wanted *wanted, uint8_t thread)
{
    if (wanted->next[thread] < wanted->end[thread])
        return wanted->view->by_thread[thread][wanted->next[thread]];
    const bool is_second = made_at(wanted->view, wanted->second)->thread == thread;
    return is_second && !wanted->second_made ? wanted->second : NONE;
}

static bool comes_first(const struct wanted *wanted, uint32_t position)
{
    const uint64_t *before = set_of(wanted->view, position);
    for (size_t i = 0; i <= position / WORD_BITS; i++)
        if (before[i] & wanted->left[i])
            return false;
    return true;
}

/* Whether the step has nothing to do with what is left but the second. */
static bool is_apart(const struct wanted *wanted, const struct step *step)
{
    const struct view *view = wanted->view;
    for (uint32_t i = 0; i < view->path->len; i++)
        if (has(wanted->left, i) && i != wanted->second && dependent(step, made_at(view, i)))
            return false;
    return true;
}

/* What a step does follows from what it comes after: else something is dependent and not said so.
 */
static void check_same(const struct wanted *wanted, const struct step *step, uint32_t position)
{
    const struct step *other = made_at(wanted->view, position);
    if (step->touched != other->touched ||
        (strcmp(step->end, other->end) != 0 && !step->last && !other->last))
        refuse(
            "run %u: the step that ends at %s is another after the same steps elsewhere: what is "
            "said to be independent is not",
            wanted->view->run, other->end);
}

/* Whether a run may go on with this step and still be what is wanted. */
static bool fits(const struct wanted *wanted, const struct step *step, uint32_t position)
{
    if (position == wanted->second)
        return is_apart(wanted, step);
    if (position == NONE)
        return (wanted->second_made || !dependent(step, made_at(wanted->view, wanted->second))) &&
               is_apart(wanted, step);
    if (!comes_first(wanted, position))
        return false;
    check_same(wanted, step, position);
    return true;
}

static void make(struct wanted *wanted, uint32_t position, uint8_t thread)
{
    if (position == wanted->second)
        wanted->second_made = true;
    else
        wanted->next[thread]++;
    take(wanted->left, position);
    wanted->n_left--;
}

static void unmake(struct wanted *wanted, uint32_t position, uint8_t thread)
{
    if (position == wanted->second)
        wanted->second_made = false;
    else
        wanted->next[thread]--;
    put(wanted->left, position);
    wanted->n_left++;
}

/* Whether some run goes on from here, with this step or one of its siblings, as is wanted. */
static bool is_there(struct wanted *wanted, uint32_t step)
{
    if (wanted->n_left == 0)
        return true;
    for (; step != NONE; step = step_at(step)->sibling) {
        if (!step_at(step)->counts)
            continue;
        const uint8_t thread = step_at(step)->thread;
        const uint32_t position = next_of(wanted, thread);
        if (!fits(wanted, step_at(step), position))
            continue;
        if (position != NONE)
            make(wanted, position, thread);
        if (is_there(wanted, step_at(step)->child))
            return true;
        if (position != NONE)
            unmake(wanted, position, thread);
    }
    return false;
}

struct seen { /* what was found already */
    uint64_t history[2];
    uint32_t thread, touched;
};

static guint seen_hash(gconstpointer key)
{
    return (guint)((const struct seen *)key)->history[0];
}

static gboolean seen_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct seen)) == 0;
}

/* All that does not come after the first, then the second. false: that was looked at before. */
static bool want(struct wanted *wanted, const struct race *race, GHashTable *known)
{
    const struct view *view = wanted->view;
    const struct step *second = made_at(view, race->second);
    struct seen seen = {.thread = second->thread, .touched = second->touched};
    memset(wanted->left, 0, view->words * sizeof(*wanted->left));
    memset(wanted->next, 0, sizeof(wanted->next));
    memset(wanted->end, 0, sizeof(wanted->end));
    wanted->n_left = 1;
    wanted->second = race->second;
    wanted->second_made = false;
    put(wanted->left, race->second);
    for (uint32_t i = 0; i < view->path->len; i++) {
        if (i == race->first || (i > race->first && has(set_of(view, i), race->first)))
            continue;
        put(wanted->left, i);
        wanted->n_left++;
        wanted->end[made_at(view, i)->thread]++;
        seen.history[0] += position_at(view, i)->history[0];
        seen.history[1] += position_at(view, i)->history[1];
    }
    return g_hash_table_contains(known, &seen) == FALSE &&
           g_hash_table_add(known, g_memdup2(&seen, sizeof(seen)));
}

static uint64_t check_run(const struct view *view, struct wanted *wanted, GHashTable *known)
{
    uint64_t looked = 0;
    for (guint i = 0; i < view->races->len; i++) {
        const struct race *race = &g_array_index(view->races, struct race, i);
        if (!want(wanted, race, known))
            continue;
        looked++;
        if (!is_there(wanted, orders.roots))
            refuse("run %u: the steps that end at %s and %s are dependent, and no run makes the "
                   "second of them first",
                   view->run, made_at(view, race->first)->end, made_at(view, race->second)->end);
    }
    return looked;
}

/* ---- closure ---- */

static uint32_t object_named(const char *kind, const char *thread)
{
    g_autofree char *word = g_strdup_printf("%s.%s", kind, thread);
    const gpointer known = g_hash_table_lookup(orders.objects, word);
    return known != NULL ? GPOINTER_TO_UINT(known) - 1 : NONE;
}

static void prepare(void)
{
    objects = g_array_new(FALSE, TRUE, sizeof(struct thread_objects));
    g_array_set_size(objects, g_hash_table_size(orders.threads));
    GHashTableIter iter;
    gpointer name, thread;
    g_hash_table_iter_init(&iter, orders.threads);
    while (g_hash_table_iter_next(&iter, &name, &thread))
        g_array_index(objects, struct thread_objects, GPOINTER_TO_UINT(thread) - 1) =
            (struct thread_objects){object_named("thread", name), object_named("life", name),
                                    object_named("receiver", name)};
    const gpointer known = g_hash_table_lookup(orders.threads, "core");
    core = known != NULL ? GPOINTER_TO_UINT(known) - 1 : NONE;
    if (orders.touched->len <= MEMO_MAX) {
        memo_side = orders.touched->len;
        memo = g_malloc0((size_t)memo_side * memo_side);
    }
}

/* Runs in which somebody queues up are none of those that are spoken of. */
static void mark(uint32_t run)
{
    g_autoptr(GArray) way = way_to(run);
    for (guint i = 0; i < way->len; i++) {
        const struct step *step = step_at(g_array_index(way, uint32_t, i));
        if (orders.unqueued && touches_queue(step) && !is_call(step))
            refuse("run %u: the step that ends at %s takes somebody out of a queue", run,
                   step->end);
        if (orders.unqueued && queues_up(step))
            return;
    }
    for (guint i = 0; i < way->len; i++)
        step_at(g_array_index(way, uint32_t, i))->counts = true;
}

/* They need not have come to that: core could go on. */
static void check_queued(const struct view *view)
{
    uint32_t at = 0;
    while (!queues_up(made_at(view, at)))
        at++;
    if (!(position_at(view, at)->waiting & thread_bit(core)))
        refuse("run %u: somebody queues up at %s with core, which is not at work", view->run,
               made_at(view, at)->end);
}

uint64_t check_races(void)
{
    uint64_t looked = 0;
    if (orders.texts == NULL || orders.runs->len == 0 || run_at(orders.runs->len - 1)->end == NULL)
        refuse("its last run has no end");
    prepare();
    struct view view = {.words = orders.longest / WORD_BITS + 1,
                        .path = g_array_new(FALSE, FALSE, sizeof(struct position)),
                        .races = g_array_new(FALSE, FALSE, sizeof(struct race))};
    view.sets = g_new(uint64_t, view.words * orders.longest);
    for (uint32_t i = 0; i < g_hash_table_size(orders.threads); i++)
        view.by_thread[i] = g_new(uint32_t, orders.longest);
    struct wanted wanted = {.view = &view, .left = g_new(uint64_t, view.words)};
    g_autoptr(GHashTable) known = g_hash_table_new_full(seen_hash, seen_equal, g_free, NULL);
    for (uint32_t i = 0; i < orders.runs->len; i++)
        mark(i);
    for (uint32_t i = 0; i < orders.runs->len; i++) {
        look_at(&view, i);
        if (!step_at(run_at(i)->last)->counts) {
            check_queued(&view);
            continue;
        }
        looked += check_run(&view, &wanted, known);
    }
    for (uint32_t i = 0; i < g_hash_table_size(orders.threads); i++)
        g_free(view.by_thread[i]);
    g_free(wanted.left);
    g_free(view.sets);
    g_array_free(view.path, TRUE);
    g_array_free(view.races, TRUE);
    g_array_free(objects, TRUE);
    g_free(memo);
    return looked;
}
