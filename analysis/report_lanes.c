#include "report_lanes.h"

#include <string.h>
#include "check.h"
#include "lanes.h"
#include "lanes_fold.h"
#include "trace.h"

enum {
    WHERE_MAX = 26, /* of the column at the right that says where in the source */
    TEXT_MIN = 30,  /* what the last lane has at least */
    STEP_MAX = 28,  /* from one lane to the next */
    MAX_LANES = 14, /* later threads share the last lane */
};

struct lane {
    uint32_t thread;
    guint first, last; /* rows */
    unsigned offset;
};

struct layout {
    const struct report *report;
    const GArray *rows;
    const bool *kept;
    struct lane lanes[MAX_LANES];
    unsigned n_lanes;
    unsigned text; /* columns that the lanes have together */
    guint violation;
    GString *out;
};

static const struct lane_row *row_at(const struct layout *layout, guint i)
{
    return &g_array_index(layout->rows, struct lane_row, i);
}

void report_wrap(GString *out, const char *text, unsigned width, const char *indent)
{
    size_t room = width;
    for (const char *rest = text; rest != NULL && *rest != '\0';) {
        size_t length = strlen(rest);
        if (length > room) {
            length = room;
            while (length > 0 && rest[length] != ' ')
                length--;
            if (length == 0)
                length = room;
        }
        g_string_append_len(out, rest, (gssize)length);
        rest += length + strspn(rest + length, " ");
        if (*rest != '\0')
            g_string_append_printf(out, "\n%s", indent);
        room = width - MIN(strlen(indent), width - 1);
    }
}

/* ---- lanes ---- */

static unsigned lane_of(const struct layout *layout, uint32_t thread)
{
    unsigned lane = 0;
    while (lane + 1 < layout->n_lanes && layout->lanes[lane].thread != thread)
        lane++;
    return lane;
}

static bool has_lane(const struct layout *layout, uint32_t thread)
{
    return layout->n_lanes > 0 && layout->lanes[lane_of(layout, thread)].thread == thread;
}

static void add_lane(struct layout *layout, uint32_t thread)
{
    if (has_lane(layout, thread) || layout->n_lanes == MAX_LANES)
        return;
    unsigned at = layout->n_lanes++;
    for (; at > 0 && layout->lanes[at - 1].thread > thread; at--)
        layout->lanes[at] = layout->lanes[at - 1];
    layout->lanes[at] = (struct lane){.thread = thread, .first = layout->rows->len};
}

/* Length of the longest "file.c:123" among the rows that are shown. */
static unsigned where_width(const struct layout *layout);

static void place_lanes(struct layout *layout)
{
    for (guint i = 0; i < layout->rows->len; i++)
        if (layout->kept[i]) {
            add_lane(layout, row_at(layout, i)->thread);
            if (row_at(layout, i)->kind == LANE_PREEMPT)
                add_lane(layout, row_at(layout, i)->target);
        }
    for (guint i = 0; i < layout->rows->len && layout->n_lanes > 0; i++) {
        struct lane *lane = &layout->lanes[lane_of(layout, row_at(layout, i)->thread)];
        lane->first = MIN(lane->first, i);
        lane->last = i;
    }
    const unsigned where = where_width(layout);
    layout->text = LANES_WIDTH - (where ? where + 2 : 0);
    const unsigned gaps = MAX(layout->n_lanes, 2) - 1;
    const unsigned step = MIN((layout->text - TEXT_MIN) / gaps, STEP_MAX);
    for (unsigned i = 0; i < layout->n_lanes; i++)
        layout->lanes[i].offset = i * step;
}

/* ---- one line ---- */

static char *where(const struct layout *layout, const struct lane_row *row)
{
    struct report_place place;
    const struct report *report = layout->report;
    if (!row->pc || !report->lookup || !report->lookup(report->lookup_data, row->pc, &place))
        return g_strdup("");
    g_autofree char *base = g_path_get_basename(place.file);
    g_autofree char *text = g_strdup_printf("%s:%u", base, place.line);
    const size_t length = strlen(text);
    return g_strdup(length > WHERE_MAX ? text + length - WHERE_MAX : text);
}

static unsigned where_width(const struct layout *layout)
{
    size_t width = 0;
    for (guint i = 0; i < layout->rows->len; i++) {
        g_autofree char *text = layout->kept[i] ? where(layout, row_at(layout, i)) : NULL;
        width = MAX(width, text ? strlen(text) : 0);
    }
    return (unsigned)width;
}

static void pad_to(GString *line, unsigned column, char with)
{
    while (line->len < column)
        g_string_append_c(line, with);
}

/* Lanes whose thread lives show themselves where no text stands. */
static void draw_guides(const struct layout *layout, GString *line, guint row, unsigned own)
{
    for (unsigned i = 0; i < layout->n_lanes; i++) {
        const struct lane *lane = &layout->lanes[i];
        if (i == own || row < lane->first || row > lane->last)
            continue;
        if (lane->offset + 1 > line->len)
            pad_to(line, lane->offset + 1, ' ');
        char *before = &line->str[lane->offset ? lane->offset - 1 : 0];
        if (line->str[lane->offset] == ' ' && *before == ' ')
            line->str[lane->offset] = '|';
        else if (line->str[lane->offset] == ' ' && lane->offset == 0)
            line->str[0] = '|';
    }
}

static void put_line(const struct layout *layout, GString *line, const char *right)
{
    if (right[0] != '\0') {
        pad_to(line, layout->text + 1, ' ');
        g_string_append_printf(line, " %s", right);
    }
    const char *end = line->str + line->len;
    while (end > line->str && end[-1] == ' ')
        end--;
    g_string_append_len(layout->out, line->str, end - line->str);
    g_string_append_c(layout->out, '\n');
}

/* "*--- preempted --->" from one lane to the other. */
static void put_arrow(const struct layout *layout, const struct lane_row *row, guint at)
{
    const unsigned from = lane_of(layout, row->thread), to = lane_of(layout, row->target);
    const unsigned left = layout->lanes[MIN(from, to)].offset;
    const unsigned right = MAX(layout->lanes[MAX(from, to)].offset, left + 4);
    g_autofree char *place = where(layout, row);
    GString *line = g_string_new(NULL);
    pad_to(line, left, ' ');
    pad_to(line, right + 1, '-');
    line->str[from <= to ? left : right] = '*';
    line->str[from <= to ? right : left] = from <= to ? '>' : '<';
    g_autofree char *note =
        row->k ? g_strdup_printf(" preempted, k %u ", row->k) : g_strdup(" preempted ");
    if (right - left > strlen(note) + 4)
        memcpy(line->str + left + 2, note, strlen(note));
    else
        g_string_append(line, note);
    draw_guides(layout, line, at, from);
    put_line(layout, line, place);
    g_string_free(line, TRUE);
}

static void put_text(const struct layout *layout, const struct lane_row *row, guint at)
{
    const unsigned own = lane_of(layout, row->thread), offset = layout->lanes[own].offset;
    g_autofree char *number = row->n ? g_strdup_printf("%2u ", row->n) : g_strdup("   ");
    g_autofree char *whole = g_strconcat(number, row->text, NULL);
    GString *wrapped = g_string_new(NULL);
    report_wrap(wrapped, whole, layout->text - offset, "     ");
    g_auto(GStrv) lines = g_strsplit(wrapped->str, "\n", -1);
    g_autofree char *place = where(layout, row);
    for (char **text = lines; *text != NULL; text++) {
        GString *line = g_string_new(NULL);
        pad_to(line, offset, ' ');
        g_string_append(line, *text);
        draw_guides(layout, line, at, own);
        put_line(layout, line, text == lines ? place : "");
        g_string_free(line, TRUE);
    }
    g_string_free(wrapped, TRUE);
}

static void put_violation(const struct layout *layout)
{
    const struct violation *violation = &layout->report->verdict->violations[0];
    g_autofree char *text = g_strdup_printf("!! %s: %s", violation->check->id, violation->message);
    report_wrap(layout->out, text, LANES_WIDTH, "!! ");
    g_string_append_c(layout->out, '\n');
}

/* ---- what is folded ---- */

/* "main 1-11, t1 3": entries of scenario threads among the rows from..to. */
static char *entries_of(const struct layout *layout, guint from, guint to)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = from; i < to; i++) {
        const uint32_t thread = row_at(layout, i)->thread;
        if (thread == FL_PATH_CORE || !row_at(layout, i)->n ||
            !g_hash_table_add(seen, GUINT_TO_POINTER(thread)))
            continue;
        uint32_t last = 0;
        for (guint j = i; j < to; j++)
            if (row_at(layout, j)->thread == thread && row_at(layout, j)->n)
                last = row_at(layout, j)->n;
        char name[TRACE_NAME_MAX];
        g_string_append_printf(text, "%s%s %u", text->len ? ", " : "",
                               trace_thread_name(layout->report->scenario, thread, name),
                               row_at(layout, i)->n);
        if (last != row_at(layout, i)->n)
            g_string_append_printf(text, "-%u", last);
    }
    return g_string_free(text, FALSE);
}

/* One line for the rows from..to, unless all that is left out are steps of the pager. */
static void put_fold(const struct layout *layout, guint from, guint to)
{
    g_autofree char *entries = entries_of(layout, from, to);
    if (entries[0] == '\0')
        return;
    const char *what = from == 0 ? "start-up: " : "";
    g_autofree char *text = g_strdup_printf("  ... %s%s ...", what, entries);
    report_wrap(layout->out, text, LANES_WIDTH, "      ");
    g_string_append_c(layout->out, '\n');
}

/* ---- the whole ---- */

static void put_names(const struct layout *layout)
{
    GString *line = g_string_new(NULL);
    for (unsigned i = 0; i < layout->n_lanes; i++) {
        char name[TRACE_NAME_MAX];
        const struct lane *lane = &layout->lanes[i];
        pad_to(line, MAX(lane->offset, (unsigned)(line->len ? line->len + 1 : 0)), ' ');
        g_string_append(line, trace_thread_name(layout->report->scenario, lane->thread, name));
    }
    put_line(layout, line, "");
    g_string_free(line, TRUE);
}

static void put_row(const struct layout *layout, guint i)
{
    const struct lane_row *row = row_at(layout, i);
    if (row->kind == LANE_PREEMPT)
        put_arrow(layout, row, i);
    else
        put_text(layout, row, i);
}

static void put_rows(const struct layout *layout)
{
    guint folded = 0;
    for (guint i = 0; i < layout->rows->len; i++) {
        if (layout->kept[i]) {
            put_fold(layout, folded, i);
            folded = i + 1;
            put_row(layout, i);
        }
        if (i == layout->violation)
            put_violation(layout);
    }
    put_fold(layout, folded, layout->rows->len);
}

void report_lanes(GString *out, const struct report *report, bool full)
{
    g_autoptr(GArray) rows = lanes_rows(report);
    g_autofree bool *kept = lanes_fold(report, rows);
    const bool violated = report->verdict->kind == VERDICT_VIOLATION;
    if (full)
        memset(kept, true, rows->len * sizeof(bool));
    struct layout layout = {.report = report, .rows = rows, .kept = kept, .out = out};
    layout.violation =
        violated ? lanes_row_of(rows, report->verdict->violations[0].event) : rows->len;
    place_lanes(&layout);
    put_names(&layout);
    put_rows(&layout);
    g_string_append_printf(out, "end: %s, %zu events\n",
                           trace_value_name(TRACE_OUTCOME, report->verdict->outcome),
                           report->n_events);
}

/* ---- around a moment ---- */

/* The first row of which nothing is done by then: an entry that was just made has no effect yet. */
static guint row_to_come(const struct report *report, const GArray *rows, size_t event)
{
    guint i = 0;
    for (; i < rows->len; i++) {
        const size_t begins = g_array_index(rows, struct lane_row, i).event;
        if (begins > event ||
            (begins == event && fl_event_id(&report->events[event]) == FL_EVENT_ENTRY))
            break;
    }
    return i;
}

static void put_mark(const struct layout *layout, uint32_t thread, guint at)
{
    const unsigned own = has_lane(layout, thread) ? lane_of(layout, thread) : 0;
    const unsigned offset = layout->n_lanes > 0 ? layout->lanes[own].offset : 0;
    GString *line = g_string_new(NULL);
    pad_to(line, offset, ' ');
    g_string_append(line, "=>");
    draw_guides(layout, line, at, own);
    put_line(layout, line, "");
    g_string_free(line, TRUE);
}

void report_lanes_around(GString *out, const struct report *report,
                         const struct lanes_window *window)
{
    g_autoptr(GArray) rows = lanes_rows(report);
    g_autofree bool *kept = g_new0(bool, rows->len + 1);
    const guint here = row_to_come(report, rows, window->event);
    const guint from = here - MIN(here, window->before);
    const guint to = MIN(here + window->after, rows->len);
    const bool violated = report->verdict->kind == VERDICT_VIOLATION;
    for (guint i = from; i < to; i++)
        kept[i] = true;
    struct layout layout = {.report = report, .rows = rows, .kept = kept, .out = out};
    layout.violation =
        violated ? lanes_row_of(rows, report->verdict->violations[0].event) : rows->len;
    place_lanes(&layout);
    put_names(&layout);
    for (guint i = from; i < to; i++) {
        if (i == here)
            put_mark(&layout, window->thread, i);
        put_row(&layout, i);
        if (i == layout.violation)
            put_violation(&layout);
    }
    if (here == to)
        put_mark(&layout, window->thread, to);
}
