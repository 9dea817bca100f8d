/* Vm objects: links, shadows, openers and pages of each are counted by walking areas, what lies
 * behind them, descriptors and lists of frames, and compared with core's running counts. */
#include <glib.h>
#include <string.h>
#include "audit_view.h"

#define MAX_OBJECTS 1024u

/* What was counted, by index of the object. */
struct counted {
    uint32_t links[MAX_OBJECTS], shadows[MAX_OBJECTS], openers[MAX_OBJECTS];
};

static uint32_t object_count(const struct audit_view *view)
{
    return MIN(view_count(view, VIEW_FIELD(OBJECT_KIND)), MAX_OBJECTS);
}

/* What events call it; its index + 1 where core does not say. */
static uint32_t number_of(struct audit_view *view, uint32_t object)
{
    if (object == VIEW_NONE)
        return 0;
    const bool known = view_count(view, VIEW_FIELD(OBJECT_NUMBER)) > 0;
    return known ? view_get(view, VIEW_FIELD(OBJECT_NUMBER), object) : object + 1;
}

/* The object in use at this address of core. VIEW_NONE: there is none. */
static uint32_t object_at(struct audit_view *view, uint32_t address)
{
    const uint32_t object =
        address != 0 ? view_entry(view, VIEW_FIELD(OBJECT_KIND), address) : VIEW_NONE;
    const bool used = object < object_count(view) &&
                      view_get(view, VIEW_FIELD(OBJECT_KIND), object) != FL_OBJECT_NONE;
    return used ? object : VIEW_NONE;
}

/* One more reference to the object at this address; which: whose it is. */
static void refer(struct audit_view *view, uint32_t counts[], uint32_t address, uint32_t what,
                  uint32_t which)
{
    const uint32_t object = object_at(view, address);
    if (object != VIEW_NONE)
        counts[object]++;
    else if (address != 0)
        view_differs(view, what, which, address, 0);
}

/* ---- who uses what ---- */

/* An area without an object is a difference: nothing can be seen in it. */
static void audit_area(struct audit_view *view, struct counted *counted, uint32_t area)
{
    const uint32_t object = view_get(view, VIEW_FIELD(AREA_OBJECT), area);
    if (object == 0)
        view_differs(view, FL_AUDIT_CHAIN, 0, view_get(view, VIEW_FIELD(AREA_BASE), area), 0);
    refer(view, counted->links, object, FL_AUDIT_CHAIN, 0);
}

static void audit_areas(struct audit_view *view, struct counted *counted)
{
    uint32_t areas = 0;
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(AREA_SPACE)); i++) {
        if (view_get(view, VIEW_FIELD(AREA_SPACE), i) == 0)
            continue;
        areas++;
        audit_area(view, counted, i);
    }
    view->result.walked += areas;
    if (view_count(view, VIEW_FIELD(TOTAL_AREAS)) > 0)
        view_compare(view, FL_AUDIT_AREAS, 0, view_get(view, VIEW_FIELD(TOTAL_AREAS), 0), areas);
}

static void audit_tasks(struct audit_view *view)
{
    uint32_t tasks = 0;
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(TASK_SPACE)); i++) {
        const uint32_t space = view_get(view, VIEW_FIELD(TASK_SPACE), i);
        uint32_t areas = 0;
        if (space == 0)
            continue;
        for (uint32_t j = 0; j < view_count(view, VIEW_FIELD(AREA_SPACE)); j++)
            areas += view_get(view, VIEW_FIELD(AREA_SPACE), j) == space;
        view_compare(view, FL_AUDIT_TASK_AREAS, space, view_get(view, VIEW_FIELD(TASK_AREAS), i),
                     areas);
        tasks++;
    }
    view->result.walked += tasks;
    if (view_count(view, VIEW_FIELD(TOTAL_TASKS)) > 0)
        view_compare(view, FL_AUDIT_TASKS, 0, view_get(view, VIEW_FIELD(TOTAL_TASKS), 0), tasks);
}

static void audit_descriptors(struct audit_view *view, struct counted *counted)
{
    const unsigned field = VIEW_FIELD(DESCRIPTOR_OBJECT);
    for (uint32_t i = 0; i < view_count(view, field); i++)
        for (uint32_t j = 0; j < view_words(view, field); j++)
            refer(view, counted->openers, view_word(view, field, i, j), FL_AUDIT_OPENERS, i);
}

/* ---- objects ---- */

/* What it is a shadow of, and so on: there is an end. */
static void audit_behind(struct audit_view *view, struct counted *counted, uint32_t object)
{
    const uint32_t number = number_of(view, object);
    uint32_t address = view_get(view, VIEW_FIELD(OBJECT_BEHIND), object);
    refer(view, counted->shadows, address, FL_AUDIT_CHAIN, number);
    for (uint32_t steps = 0; address != 0; steps++) {
        const uint32_t behind = object_at(view, address);
        if (behind == VIEW_NONE)
            return;
        if (steps == object_count(view)) {
            view_differs(view, FL_AUDIT_CHAIN, number, number_of(view, behind), steps);
            return;
        }
        address = view_get(view, VIEW_FIELD(OBJECT_BEHIND), behind);
    }
}

static void audit_counts(struct audit_view *view, const struct counted *counted, uint32_t i)
{
    const uint32_t number = number_of(view, i);
    const uint32_t frames =
        view_frames(view, view_get(view, VIEW_FIELD(OBJECT_FRAMES), i), number, true);
    const struct {
        uint32_t what, field, counted;
    } counts[] = {
        {FL_AUDIT_LINKS, VIEW_FIELD(OBJECT_LINKS), counted->links[i]},
        {FL_AUDIT_SHADOWS, VIEW_FIELD(OBJECT_SHADOWS), counted->shadows[i]},
        {FL_AUDIT_OPENERS, VIEW_FIELD(OBJECT_OPENERS), counted->openers[i]},
        {FL_AUDIT_PAGES, VIEW_FIELD(OBJECT_PAGES), frames},
    };
    for (unsigned j = 0; j < G_N_ELEMENTS(counts); j++)
        if (view_count(view, counts[j].field) > 0)
            view_compare(view, counts[j].what, number, view_get(view, counts[j].field, i),
                         counts[j].counted);
}

/* What core counts of all objects, where it does. */
static void audit_totals_of(struct audit_view *view, const uint32_t by_kind[])
{
    static const struct {
        uint32_t field, what, kind;
    } totals[] = {
        {VIEW_FIELD(TOTAL_OBJECTS), FL_AUDIT_OBJECTS, FL_OBJECT_NONE},
        {VIEW_FIELD(TOTAL_SHADOWS), FL_AUDIT_SHADOW_OBJECTS, FL_OBJECT_SHADOW},
        {VIEW_FIELD(TOTAL_FILES), FL_AUDIT_FILES, FL_OBJECT_FILE},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(totals); i++)
        if (view_count(view, totals[i].field) > 0)
            view_compare(view, totals[i].what, 0, view_get(view, totals[i].field, 0),
                         by_kind[totals[i].kind]);
}

#define KINDS 8u /* the last: kinds that do not exist; NONE: all that are in use */

void audit_objects(struct audit_view *view)
{
    static struct counted counted;
    uint32_t by_kind[KINDS] = {0};
    memset(&counted, 0, sizeof counted);
    audit_areas(view, &counted);
    audit_tasks(view);
    audit_descriptors(view, &counted);
    for (uint32_t i = 0; i < object_count(view); i++)
        if (view_get(view, VIEW_FIELD(OBJECT_KIND), i) != FL_OBJECT_NONE)
            audit_behind(view, &counted, i);
    for (uint32_t i = 0; i < object_count(view); i++) {
        const uint32_t kind = view_get(view, VIEW_FIELD(OBJECT_KIND), i);
        if (kind == FL_OBJECT_NONE)
            continue;
        by_kind[FL_OBJECT_NONE]++;
        by_kind[MIN(kind, KINDS - 1)]++;
        view->result.walked++;
        audit_counts(view, &counted, i);
    }
    audit_totals_of(view, by_kind);
}
