/* certcheck: whether a certificate (traces/CERTIFICATE.md) shows what it claims. A program by
 * itself, which shares nothing with the search: it knows the form of the lines alone.
 *
 * - The lines are those that were summed up, and the image is the one that they speak of.
 * - Closure: at each place that a plan may still add to there is one run for each thread that was
 *   ready; a run that ends at a known state names a place of that state, whose run had not more
 *   preemptions (to choose among those that wait where a thread gives up is none). Each run is
 * clean. Certificates of orders have a closure of their own (certcheck_races.c).
 * - Truth: runs are made again, all of few or some that the certificate's own sum draws, and every
 *   place on their way, who was ready there, the state, and the end are as it says.
 */
#include "certcheck_parts.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_MAX   64u
#define REPLAY_ALL  2000u /* runs, up to which all are made again */
#define REPLAY_SOME 200u
#define GIVES_UP    "+gives-up->"

struct place {
    const char *text; /* "main@4 core,t1 STATE", as faultline places prints it */
    uint32_t run;
    uint32_t n_ready;
    uint32_t cost;  /* preemptions that a run for one of them has more: 0 where a thread gives up */
    uint64_t taken; /* of them, which have a run */
};

struct run {
    uint32_t place; /* that it departs from, or NONE */
    const char *target;
    uint32_t level; /* preemptions */
    uint32_t first_place, n_places;
    uint32_t known;         /* a place, or NONE */
    const char *known_text; /* as a place's */
    const char *end;
};

static struct {
    GStringChunk *texts;
    GArray *places, *runs;
    char *image, *arch, *backend, *subject, *depth;
    uint32_t bound; /* NONE: unbounded */
    bool states;
    bool gives_up; /* of plans: where threads give up are places, too */
    const struct form *form;
    char *sum;
    unsigned long line; /* being read */
} certificate;

void refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("REFUSED  ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    exit(REFUSED);
}

void unusable(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "certcheck: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(UNUSABLE);
}

unsigned long at_line(void)
{
    return certificate.line;
}

static struct place *place_at(uint32_t i)
{
    return &g_array_index(certificate.places, struct place, i);
}

static struct run *run_at(uint32_t i)
{
    return &g_array_index(certificate.runs, struct run, i);
}

static struct run *last_run(void)
{
    if (certificate.runs->len == 0)
        refuse("line %lu comes before any run", certificate.line);
    return run_at(certificate.runs->len - 1);
}

/* ---- words of a line ---- */

uint32_t number(const char *word)
{
    guint64 value;
    if (word == NULL || !g_ascii_string_to_unsigned(word, 10, 0, NONE - 1, &value, NULL))
        refuse("line %lu: \"%s\" is no number", certificate.line, word != NULL ? word : "");
    return (uint32_t)value;
}

/* "core@7+gives-up->main core,t1": it does not go on anyway. */
static bool gives_up(const char *text)
{
    const size_t first = strcspn(text, " ");
    return g_strstr_len(text, (gssize)first, GIVES_UP) != NULL;
}

/* The ready set of a place's text, to be freed; its names are in ascending order of their paths. */
static char **ready_set(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    if (g_strv_length(words) != (certificate.states ? 3 : 2) ||
        (gives_up(text) && !certificate.states && !certificate.gives_up))
        refuse("line %lu is no place: \"%s\"", certificate.line, text);
    return g_strsplit(words[1], ",", -1);
}

/* Who goes on at a place if nobody else is chosen; to be freed. */
static char *goes_on(const char *text)
{
    const char *name = gives_up(text) ? strstr(text, GIVES_UP) + strlen(GIVES_UP) : text;
    return g_strndup(name, strcspn(name, gives_up(text) ? " " : "@"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All who may run at a place: a text to be freed. */
static char *runnable(const char *text)
{
    g_auto(GStrv) ready = ready_set(text);
    const guint n = g_strv_length(ready);
    g_autofree char **all = g_new0(char *, n + 2);
    g_autofree char *first = goes_on(text);
    memcpy(all, ready, n * sizeof *all);
    all[n] = first;
    qsort(all, n + 1, sizeof *all, by_name);
    return g_strjoinv(",", all);
}

/* A place's state, or NULL. */
static const char *state_of(const char *text)
{
    const char *last = strrchr(text, ' ');
    return certificate.states ? last : NULL;
}

/* Without its state. */
static size_t shown(const char *text)
{
    const char *space = strchr(text, ' ');
    const char *second = space != NULL ? strchr(space + 1, ' ') : NULL;
    return second != NULL ? (size_t)(second - text) : strlen(text);
}

/* ---- lines ---- */

/* "12 7 main", or "0". */
static void read_run(const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    struct run run = {.place = NONE, .known = NONE, .first_place = certificate.places->len};
    const bool root = certificate.runs->len == 0;
    if (number(words[0]) != certificate.runs->len || g_strv_length(words) != (root ? 1u : 3u))
        refuse("line %lu: run %u was due", certificate.line, certificate.runs->len);
    if (!root && last_run()->end == NULL)
        refuse("line %lu: run %u has no end", certificate.line, certificate.runs->len - 1);
    if (!root) {
        run.place = number(words[1]);
        if (run.place >= certificate.places->len)
            refuse("line %lu: there is no place %u yet", certificate.line, run.place);
        struct place *place = place_at(run.place);
        g_auto(GStrv) ready = ready_set(place->text);
        uint32_t which = 0;
        while (ready[which] != NULL && strcmp(ready[which], words[2]) != 0)
            which++;
        if (ready[which] == NULL)
            refuse("run %u preempts for %s, which was not ready at %s", certificate.runs->len,
                   words[2], place->text);
        if (place->taken >> which & 1)
            refuse("run %u is there twice", certificate.runs->len);
        place->taken |= UINT64_C(1) << which;
        run.target = g_string_chunk_insert_const(certificate.texts, words[2]);
        run.level = run_at(place->run)->level + place->cost;
        if (run.level > certificate.bound)
            refuse("run %u has more preemptions than the bound", certificate.runs->len);
    }
    g_array_append_val(certificate.runs, run);
}

static void read_place(const char *rest)
{
    struct run *run = last_run();
    g_auto(GStrv) ready = ready_set(rest);
    const struct place place = {
        .text = g_string_chunk_insert(certificate.texts, rest),
        .run = certificate.runs->len - 1,
        .n_ready = g_strv_length(ready),
        .cost = certificate.states && gives_up(rest) ? 0 : 1,
    };
    if (run->end != NULL || run->known != NONE)
        refuse("line %lu: a place after the run's end", certificate.line);
    if (place.n_ready == 0 || place.n_ready > READY_MAX)
        refuse("line %lu: %u threads are ready", certificate.line, place.n_ready);
    g_array_append_val(certificate.places, place);
    run->n_places++;
}

/* "7 main@5 core STATE": a state that was met at place 7. */
static void read_known(const char *rest)
{
    struct run *run = last_run();
    const char *text = strchr(rest, ' ');
    g_autofree char *first = text != NULL ? g_strndup(rest, (gsize)(text - rest)) : NULL;
    const uint32_t at = number(first);
    if (!certificate.states || run->end != NULL || run->known != NONE)
        refuse("line %lu: a known state where none can be", certificate.line);
    if (at >= certificate.places->len)
        refuse("line %lu: there is no place %u yet", certificate.line, at);
    const char *there = place_at(at)->text, *here = text + 1;
    g_autofree char *may_run_there = runnable(there), *may_run_here = runnable(here);
    if (strcmp(may_run_there, may_run_here) != 0 || strcmp(state_of(there), state_of(here)) != 0)
        refuse("run %u ends at %s as known, which is not the state of place %u, %s",
               certificate.runs->len - 1, here, at, there);
    if (run_at(place_at(at)->run)->level > run->level)
        refuse("run %u ends at a state that was met with more preemptions only",
               certificate.runs->len - 1);
    run->known = at;
    run->known_text = g_string_chunk_insert(certificate.texts, here);
}

/* "clean exited HASH" */
static void read_end(const char *rest)
{
    struct run *run = last_run();
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    if (run->end != NULL || g_strv_length(words) != 3)
        refuse("line %lu: an end where none can be", certificate.line);
    if (strcmp(words[0], "clean") != 0)
        refuse("run %u is %s, not clean", certificate.runs->len - 1, words[0]);
    if (strcmp(words[1], "known") == 0 && run->known == NONE)
        refuse("run %u was cut off at no known state", certificate.runs->len - 1);
    run->end = g_string_chunk_insert(certificate.texts, rest);
}

static const struct form form_plans;

static void read_header(unsigned long line, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    const guint n = g_strv_length(words);
    if (line == 1 && strcmp(text, "faultline-certificate 1") != 0)
        unusable("this is no certificate of version 1");
    if (line == 2 && n == 4 && strcmp(words[0], "image") == 0) {
        certificate.image = g_strdup(words[1]);
        certificate.arch = g_strdup(words[2]);
        certificate.backend = g_strdup(words[3]);
    } else if (line == 3 && n >= 2 && strcmp(words[0], "subject") == 0) {
        certificate.subject = g_strdup(text + strlen("subject "));
    } else if (line == 4 && (n == 4 || (n == 5 && strcmp(words[4], "gives-up") == 0)) &&
               strcmp(words[0], "search") == 0) {
        certificate.gives_up = n == 5;
        certificate.depth = g_strdup(words[1]);
        certificate.bound = strcmp(words[2], "unbounded") == 0 ? NONE : number(words[2]);
        certificate.states = strcmp(words[3], "states") == 0;
        const bool unqueued = strcmp(words[3], "unqueued") == 0;
        if (unqueued)
            orders_unqueued();
        certificate.form = unqueued || strcmp(words[3], "orders") == 0 ? &form_orders : &form_plans;
        if (certificate.form == &form_orders && certificate.bound != NONE)
            refuse("a search of orders has no bound");
    } else if (line != 1) {
        refuse("line %lu is not what belongs there: \"%s\"", line, text);
    }
}

static const struct {
    const char *word;
    void (*read)(const char *rest);
} readers[] = {
    {"run ", read_run},
    {"place ", read_place},
    {"known ", read_known},
    {"end ", read_end},
};

static void read_plans(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
        if (g_str_has_prefix(text, readers[i].word)) {
            readers[i].read(text + strlen(readers[i].word));
            return;
        }
    refuse("line %lu is none of a certificate: \"%s\"", certificate.line, text);
}

static void read_line(const char *text)
{
    if (certificate.line <= 4)
        read_header(certificate.line, text);
    else
        certificate.form->read(text);
}

static void read_all(const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    if (file == NULL)
        unusable("%s cannot be read", path);
    while (certificate.sum == NULL && getline(&line, &room, file) > 0) {
        certificate.line++;
        if (g_str_has_prefix(line, "sum ")) {
            certificate.sum = g_strdup(g_strchomp(line + strlen("sum ")));
            break;
        }
        g_checksum_update(sum, (const guchar *)line, -1);
        line[strcspn(line, "\n")] = '\0';
        read_line(line);
    }
    if (certificate.line <= 4)
        unusable("%s is no certificate", path);
    if (g_strcmp0(certificate.sum, g_checksum_get_string(sum)) != 0)
        refuse("its sum is not that of its lines: it was cut short or changed");
    g_checksum_free(sum);
    free(line);
    fclose(file);
}

/* ---- closure ---- */

static void check_closure(void)
{
    if (certificate.runs->len == 0 || last_run()->end == NULL)
        refuse("its last run has no end");
    for (uint32_t i = 0; i < certificate.places->len; i++) {
        const struct place *place = place_at(i);
        const bool open = run_at(place->run)->level + place->cost <= certificate.bound;
        if (open && place->taken != (UINT64_MAX >> (READY_MAX - place->n_ready)))
            refuse("at place %u, %s, not every ready thread has a run", i, place->text);
    }
}

/* ---- truth ---- */

static void check_image(const char *path)
{
    g_autofree char *preset = g_strdup_printf("build/guest/%s.elf", certificate.arch);
    g_autofree char *data = NULL;
    gsize size;
    if (!g_file_get_contents(path != NULL ? path : preset, &data, &size, NULL))
        unusable("image %s cannot be read; name it by --image FILE", path != NULL ? path : preset);
    g_autofree char *hash =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, size);
    if (strcmp(hash, certificate.image) != 0)
        refuse("it is about another image than %s", path != NULL ? path : preset);
}

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014), from what the certificate itself sums up to. */
static uint64_t drawn(uint64_t *state)
{
    uint64_t value = *state += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static GArray *draw_runs(uint32_t all_up_to)
{
    GArray *chosen = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree char *head = g_strndup(certificate.sum, 16);
    uint64_t state = g_ascii_strtoull(head, NULL, 16);
    const uint32_t runs = certificate.form->runs();
    const bool all = runs <= all_up_to;
    const uint32_t n = all ? runs : REPLAY_SOME;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t run = all ? i : (uint32_t)(drawn(&state) % runs);
        g_array_append_val(chosen, run);
    }
    return chosen;
}

/* From the first run to this one. */
static GArray *way_to(uint32_t run)
{
    GArray *way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t at = run;; at = place_at(run_at(at)->place)->run) {
        g_array_prepend_val(way, at);
        if (run_at(at)->place == NONE)
            return way;
    }
}

static void write_schedule(FILE *file, uint32_t run)
{
    g_autoptr(GArray) way = way_to(run);
    for (guint i = 1; i < way->len; i++) {
        const struct run *at = run_at(g_array_index(way, uint32_t, i));
        const char *text = place_at(at->place)->text;
        const size_t where =
            gives_up(text) ? (size_t)(strstr(text, GIVES_UP) - text) + 9 : strcspn(text, " ");
        fprintf(file, "%s%.*s->%s", i > 1 ? ", " : "", (int)where, text, at->target);
    }
    fputc('\n', file);
}

const char *next_line(struct replay *replay, uint32_t run)
{
    if (getline(&replay->line, &replay->room, replay->output) <= 0)
        unusable("run %u could not be made again", run);
    replay->line[strcspn(replay->line, "\n")] = '\0';
    return replay->line;
}

/* The next line is that place; only with `states` is its state compared. */
static void expect_place(struct replay *replay, uint32_t run, const char *text, bool states)
{
    const char *line = next_line(replay, run);
    const char *seen = g_str_has_prefix(line, "place ") ? line + strlen("place ") : "";
    const bool same = states ? strcmp(seen, text) == 0
                             : shown(seen) == shown(text) && strncmp(seen, text, shown(text)) == 0;
    if (!same)
        refuse("run %u made again comes to \"%s\" where the certificate has \"place %s\"", run,
               line, text);
}

static void expect_way(struct replay *replay, uint32_t number)
{
    g_autoptr(GArray) way = way_to(number);
    for (guint i = 0; i + 1 < way->len; i++) {
        const struct run *at = run_at(g_array_index(way, uint32_t, i));
        const uint32_t end = run_at(g_array_index(way, uint32_t, i + 1))->place;
        for (uint32_t place = at->first_place; place <= end; place++)
            expect_place(replay, number, place_at(place)->text, false);
    }
}

static void expect_run(struct replay *replay, uint32_t number)
{
    const struct run *run = run_at(number);
    expect_way(replay, number);
    for (uint32_t i = 0; i < run->n_places; i++)
        expect_place(replay, number, place_at(run->first_place + i)->text, certificate.states);
    if (run->known != NONE)
        expect_place(replay, number, run->known_text, true);
    const bool whole = run->known == NONE && (certificate.states || run->level < certificate.bound);
    const char *line = next_line(replay, number);
    while (!whole && g_str_has_prefix(line, "place "))
        line = next_line(replay, number);
    const char *end = g_str_has_prefix(line, "end ") ? line + strlen("end ") : NULL;
    const bool same = end != NULL && (run->known == NONE ? strcmp(end, run->end) == 0
                                                         : g_str_has_prefix(end, "clean "));
    if (!same)
        refuse("run %u made again comes to \"%s\" where the certificate has \"end %s\"", number,
               line, run->end);
}

static uint32_t count_runs(void)
{
    return certificate.runs->len;
}

static void print_plans(void)
{
    if (certificate.bound == NONE)
        printf("any number of preemptions");
    else
        printf("at most %u preemptions", certificate.bound);
    printf(": %u runs, %u places%s%s, all clean, none left out", certificate.runs->len,
           certificate.places->len, certificate.states ? ", each in a state of its own" : "",
           certificate.gives_up ? ", also where threads give up" : "");
}

static const struct form form_plans = {
    .read = read_plans,
    .check_closure = check_closure,
    .runs = count_runs,
    .write_schedule = write_schedule,
    .expect_run = expect_run,
    .print_claim = print_plans,
};

/* ---- runs made again ---- */

/* faultline places SUBJECT, told which image and depth. */
static char **command_for(const char *program, const char *image)
{
    g_auto(GStrv) words = g_strsplit(certificate.subject, " ", -1);
    GPtrArray *command = g_ptr_array_new();
    g_ptr_array_add(command, g_strdup(program));
    g_ptr_array_add(command, g_strdup("places"));
    g_ptr_array_add(command, g_strdup(words[0]));
    for (size_t i = 1; words[i] != NULL; i++)
        g_ptr_array_add(command, g_strdup_printf("--param=%s", words[i]));
    g_ptr_array_add(command, g_strdup_printf("--depth=%s", certificate.depth));
    g_ptr_array_add(command, g_strdup_printf("--backend=%s", certificate.backend));
    if (image != NULL)
        g_ptr_array_add(command, g_strdup_printf("--guest=%s", image));
    if (certificate.states)
        g_ptr_array_add(command, g_strdup("--states"));
    if (certificate.states && certificate.bound != NONE)
        g_ptr_array_add(command, g_strdup("--bounded"));
    if (certificate.gives_up)
        g_ptr_array_add(command, g_strdup("--gives-up"));
    if (certificate.form->option != NULL)
        g_ptr_array_add(command, g_strdup(certificate.form->option));
    g_ptr_array_add(command, NULL);
    return (char **)g_ptr_array_free(command, FALSE);
}

static uint32_t check_truth(const char *program, const char *image, uint32_t all_up_to)
{
    g_autoptr(GArray) chosen = draw_runs(all_up_to);
    g_auto(GStrv) command = command_for(program, image);
    FILE *schedules = tmpfile();
    g_autoptr(GError) error = NULL;
    int output;
    if (schedules == NULL)
        unusable("no room for a file of schedules");
    for (guint i = 0; i < chosen->len; i++)
        certificate.form->write_schedule(schedules, g_array_index(chosen, uint32_t, i));
    rewind(schedules);
    if (!g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)command, NULL,
                                          G_SPAWN_SEARCH_PATH, NULL, NULL, fileno(schedules), -1,
                                          -1, NULL, NULL, 0, NULL, NULL, &output, NULL, &error))
        unusable("%s cannot be started: %s", program, error->message);
    struct replay replay = {.output = fdopen(output, "r")};
    for (guint i = 0; i < chosen->len; i++) {
        const uint32_t run = g_array_index(chosen, uint32_t, i);
        if (!g_str_has_prefix(next_line(&replay, run), "run "))
            unusable("run %u could not be made again: %s", run, replay.line);
        certificate.form->expect_run(&replay, run);
    }
    fclose(replay.output);
    fclose(schedules);
    free(replay.line);
    return chosen->len;
}

/* ---- */

static void print_claim(uint32_t replayed)
{
    printf("ACCEPTED  %s, depth %s, ", certificate.subject, certificate.depth);
    certificate.form->print_claim();
    printf("; %u runs made again\n", replayed);
}

int main(int argc, char **argv)
{
    char *image = NULL, *program = NULL;
    int all_up_to = REPLAY_ALL;
    gboolean all = FALSE;
    const GOptionEntry entries[] = {
        {"image", 0, 0, G_OPTION_ARG_FILENAME, &image, "the guest image (default: build/guest)",
         "FILE"},
        {"faultline", 0, 0, G_OPTION_ARG_FILENAME, &program,
         "the program that runs it (default: build/faultline)", "FILE"},
        {"all-up-to", 0, 0, G_OPTION_ARG_INT, &all_up_to,
         "make every run again if there are not more (default: 2000); else 200", "N"},
        {"all", 0, 0, G_OPTION_ARG_NONE, &all, "make every run again, however many", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GError) error = NULL;
    GOptionContext *context = g_option_context_new("CERTIFICATE");
    g_option_context_set_summary(context, "Checks what a search that left nothing says of itself. "
                                          "Exit code: 0 accepted, 1 refused, 2 an error.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        unusable("%s", error->message);
    if (argc != 2 || all_up_to < 0)
        unusable("expected one certificate; see `certcheck --help`");
    certificate.texts = g_string_chunk_new(1 << 16);
    certificate.places = g_array_new(FALSE, FALSE, sizeof(struct place));
    certificate.runs = g_array_new(FALSE, FALSE, sizeof(struct run));
    read_all(argv[1]);
    certificate.form->check_closure();
    check_image(image);
    print_claim(check_truth(program != NULL ? program : "build/faultline", image,
                            all ? UINT32_MAX : (uint32_t)all_up_to));
    return ACCEPTED;
}
