/* Certificates of orders: reading them, and making their runs again. */
#include "certcheck_orders.h"

#include <stdlib.h>
#include <string.h>

struct orders orders = {.roots = NONE};

static uint64_t races; /* looked at */

void orders_unqueued(void)
{
    orders.unqueued = true;
}

/* ---- words ---- */

static uint32_t numbered(GHashTable *table, const char *word)
{
    gpointer known = g_hash_table_lookup(table, word);
    if (known == NULL) {
        known = GUINT_TO_POINTER(g_hash_table_size(table) + 1);
        g_hash_table_insert(table, g_string_chunk_insert(orders.texts, word), known);
    }
    return GPOINTER_TO_UINT(known) - 1;
}

static uint8_t thread_named(const char *name)
{
    const uint32_t thread = numbered(orders.threads, name);
    if (thread >= THREADS_MAX)
        refuse("line %lu: there are more than %u threads", at_line(), THREADS_MAX);
    return (uint8_t)thread;
}

static uint64_t ready_set(const char *text)
{
    uint64_t set = 0;
    if (strcmp(text, "-") == 0)
        return 0;
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    for (size_t i = 0; names[i] != NULL; i++) {
        const uint64_t one = thread_bit(thread_named(names[i]));
        if (set & one)
            refuse("line %lu: \"%s\" names a thread twice", at_line(), text);
        set |= one;
    }
    return set;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* ---- lines ---- */

static void begin(void)
{
    orders.texts = g_string_chunk_new(1 << 16);
    orders.threads = g_hash_table_new(g_str_hash, g_str_equal);
    orders.objects = g_hash_table_new(g_str_hash, g_str_equal);
    orders.touched = g_array_new(FALSE, FALSE, sizeof(struct touched));
    orders.steps = g_array_new(FALSE, FALSE, sizeof(struct step));
    orders.runs = g_array_new(FALSE, FALSE, sizeof(struct run));
    orders.path = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

/* "thread.main! memory.11c04" */
static void read_touched(const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    struct touched touched = {.n = g_strv_length(words),
                              .text = g_string_chunk_insert(orders.texts, rest)};
    touched.objects = g_new(uint32_t, touched.n);
    for (uint32_t i = 0; i < touched.n; i++) {
        const bool writes = g_str_has_suffix(words[i], "!");
        words[i][strlen(words[i]) - writes] = '\0';
        touched.objects[i] = numbered(orders.objects, words[i]) << 1 | writes;
    }
    qsort(touched.objects, touched.n, sizeof(*touched.objects), ascending);
    for (uint32_t i = 1; i < touched.n; i++)
        if (touched.objects[i] >> 1 == touched.objects[i - 1] >> 1)
            refuse("line %lu names an object twice", at_line());
    g_array_append_val(orders.touched, touched);
}

/* "12 40" */
static void read_run(const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    const bool first = orders.runs->len == 0;
    const struct run run = {.last = NONE};
    if (g_strv_length(words) != 2 || number(words[0]) != orders.runs->len)
        refuse("line %lu: run %u is expected here", at_line(), orders.runs->len);
    if (!first && run_at(orders.runs->len - 1)->end == NULL)
        refuse("line %lu: the run before has no end", at_line());
    orders.new_from = number(words[1]);
    if (first ? orders.new_from != 0 : orders.new_from >= orders.path->len)
        refuse("line %lu: the run before has not so many steps", at_line());
    g_array_set_size(orders.path, orders.new_from);
    g_array_append_val(orders.runs, run);
}

/* Who was chosen could be. */
static void check_choice(const struct step *step)
{
    if (step->before == NONE) {
        if (step->listed)
            refuse("line %lu: nobody chooses who begins", at_line());
        return;
    }
    const struct step *at = step_at(step->before);
    if (at->last)
        refuse("line %lu: a step after the last of the run", at_line());
    if (at->gave_up)
        return;
    if (step->thread != at->stander && !(at->ready & thread_bit(step->thread)))
        refuse("line %lu: who goes on after %s was not ready", at_line(), at->end);
    if (step->listed != (step->thread != at->stander))
        refuse("line %lu: who goes on after %s is not as it would be said", at_line(), at->end);
}

/* The steps that follow upon another are those of different threads. */
static void hang_in(uint32_t i)
{
    struct step *step = step_at(i);
    uint32_t *first = step->before != NONE ? &step_at(step->before)->child : &orders.roots;
    uint32_t last = NONE;
    for (uint32_t at = *first; at != NONE; last = at, at = step_at(at)->sibling)
        if (step_at(at)->thread == step->thread)
            refuse("line %lu: the step is there twice", at_line());
    if (last == NONE)
        *first = i;
    else
        step_at(last)->sibling = i;
    if (last != NONE && orders.path->len != orders.new_from)
        refuse("line %lu: the run departs from others here, and says that it did before",
               at_line());
}

/* "->main.1 main@7+gives-up - 12" */
static void read_step(const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    const bool listed = g_str_has_prefix(rest, "->");
    if (g_strv_length(words) != 4 || orders.runs->len == 0 ||
        run_at(orders.runs->len - 1)->end != NULL)
        refuse("line %lu is no step of a run", at_line());
    const uint32_t before =
        orders.path->len == 0 ? NONE : g_array_index(orders.path, uint32_t, orders.path->len - 1);
    const char *name = words[0] + (listed ? 2 : 0);
    struct step step = {.thread = thread_named(name),
                        .listed = listed,
                        .gave_up = g_str_has_suffix(words[1], "+gives-up"),
                        .last = strcmp(words[1], "end") == 0,
                        .name = g_string_chunk_insert_const(orders.texts, name),
                        .end = g_string_chunk_insert_const(orders.texts, words[1]),
                        .ready_text = g_string_chunk_insert_const(orders.texts, words[2]),
                        .ready = ready_set(words[2]),
                        .touched = number(words[3]),
                        .before = before,
                        .child = NONE,
                        .sibling = NONE};
    if (step.touched >= orders.touched->len)
        refuse("line %lu: what it touched was not told", at_line());
    check_choice(&step);
    if (!step.last) {
        words[1][strcspn(words[1], "@")] = '\0';
        step.stander = thread_named(words[1]);
    }
    const uint32_t i = orders.steps->len;
    g_array_append_val(orders.steps, step);
    hang_in(i);
    g_array_append_val(orders.path, i);
    run_at(orders.runs->len - 1)->last = i;
    orders.longest = MAX(orders.longest, orders.path->len);
}

/* "clean exited HASH" */
static void read_end(const char *rest)
{
    struct run *run = orders.runs->len > 0 ? run_at(orders.runs->len - 1) : NULL;
    if (run == NULL || run->end != NULL || run->last == NONE || !step_at(run->last)->last)
        refuse("line %lu: an end where none can be", at_line());
    if (!g_str_has_prefix(rest, "clean "))
        refuse("run %u is %.*s, not clean", orders.runs->len - 1, (int)strcspn(rest, " "), rest);
    run->end = g_string_chunk_insert(orders.texts, rest);
}

static const struct {
    const char *word;
    void (*read)(const char *rest);
} readers[] = {
    {"touched ", read_touched},
    {"run ", read_run},
    {"step ", read_step},
    {"end ", read_end},
};

static void orders_read(const char *line)
{
    if (orders.texts == NULL)
        begin();
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
        if (g_str_has_prefix(line, readers[i].word)) {
            readers[i].read(line + strlen(readers[i].word));
            return;
        }
    refuse("line %lu is none of a certificate of orders: \"%s\"", at_line(), line);
}

/* ---- closure ---- */

static void orders_check_closure(void)
{
    if (orders.texts == NULL || orders.runs->len == 0 || run_at(orders.runs->len - 1)->end == NULL)
        refuse("its last run has no end");
    races = check_races();
}

/* ---- truth ---- */

GArray *way_to(uint32_t run)
{
    GArray *way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t at = run_at(run)->last; at != NONE; at = step_at(at)->before)
        g_array_append_val(way, at);
    for (guint i = 0; i < way->len / 2; i++) {
        const uint32_t early = g_array_index(way, uint32_t, i);
        g_array_index(way, uint32_t, i) = g_array_index(way, uint32_t, way->len - 1 - i);
        g_array_index(way, uint32_t, way->len - 1 - i) = early;
    }
    return way;
}

static uint32_t orders_runs(void)
{
    return orders.runs->len;
}

static void orders_write_schedule(FILE *file, uint32_t run)
{
    g_autoptr(GArray) way = way_to(run);
    const char *comma = "";
    for (guint i = 1; i < way->len; i++) {
        const struct step *at = step_at(g_array_index(way, uint32_t, i - 1));
        const struct step *step = step_at(g_array_index(way, uint32_t, i));
        if (!step->listed)
            continue;
        fprintf(file, "%s%s->%s", comma, at->end, step->name);
        comma = ", ";
    }
    fputc('\n', file);
}

static void orders_expect_run(struct replay *replay, uint32_t run)
{
    g_autoptr(GArray) way = way_to(run);
    g_autoptr(GString) wanted = g_string_new(NULL);
    for (guint i = 0; i < way->len; i++) {
        const struct step *step = step_at(g_array_index(way, uint32_t, i));
        g_string_printf(wanted, "step %s%s %s %s %s", step->listed ? "->" : "", step->name,
                        step->end, step->ready_text, touched_at(step->touched)->text);
        const char *line = next_line(replay, run);
        if (strcmp(line, wanted->str) != 0)
            refuse("run %u made again comes to \"%s\" where the certificate has \"%s\"", run, line,
                   wanted->str);
    }
    g_string_printf(wanted, "end %s", run_at(run)->end);
    const char *line = next_line(replay, run);
    if (strcmp(line, wanted->str) != 0)
        refuse("run %u made again comes to \"%s\" where the certificate has \"%s\"", run, line,
               wanted->str);
}

static void orders_print_claim(void)
{
    printf("any order of its steps%s: %u runs, %u steps, all clean, %" G_GUINT64_FORMAT
           " races made the other way round",
           orders.unqueued ? " in which nobody calls core while it is at work" : "",
           orders.runs->len, orders.steps->len, races);
}

const struct form form_orders = {
    .read = orders_read,
    .check_closure = orders_check_closure,
    .runs = orders_runs,
    .write_schedule = orders_write_schedule,
    .expect_run = orders_expect_run,
    .option = "--steps",
    .print_claim = orders_print_claim,
};
