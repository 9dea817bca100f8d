/* Vm objects: links, shadows, openers and pages of each are counted by walking areas, chains,
 * descriptors and lists, and compared with core's running counts; chains are chains. */
#include <glib.h>
#include <string.h>
#include "audit_view.h"

#define MAX_OBJECTS 1024u

/* What was counted, by index of the object. */
struct counted {
    uint32_t links[MAX_OBJECTS], shadows[MAX_OBJECTS], openers[MAX_OBJECTS];
    uint32_t last_area[MAX_OBJECTS]; /* + 1: a chain that has an object twice is none */
};

static uint32_t object_count(const struct audit_view *view)
{
    return MIN(view_count(view, VIEW_FIELD(OBJECT_NUMBER)), MAX_OBJECTS);
}

static uint32_t number_of(struct audit_view *view, uint32_t object)
{
    return object != VIEW_NONE ? view_get(view, VIEW_FIELD(OBJECT_NUMBER), object) : 0;
}

/* The object in use at this address of core. VIEW_NONE: there is none. */
static uint32_t object_at(struct audit_view *view, uint32_t address)
{
    const uint32_t object =
        address != 0 ? view_entry(view, VIEW_FIELD(OBJECT_NUMBER), address) : VIEW_NONE;
    return object < MAX_OBJECTS && number_of(view, object) != 0 ? object : VIEW_NONE;
}

/* ---- areas and their chains ---- */

/* One link of the chain of an area: behind a shadow lies what it is a shadow of. */
static void audit_link(struct audit_view *view, struct counted *counted, uint32_t area,
                       uint32_t link, uint32_t *front)
{
    const uint32_t address = view_get(view, VIEW_FIELD(LINK_OBJECT), link);
    const uint32_t object = object_at(view, address);
    if (object == VIEW_NONE || counted->last_area[object] == area + 1) {
        view_differs(view, FL_AUDIT_CHAIN, number_of(view, object), area, link);
        return;
    }
    if (*front != VIEW_NONE &&
        view_get(view, VIEW_FIELD(OBJECT_KIND), *front) == FL_OBJECT_SHADOW) {
        const uint32_t behind = view_get(view, VIEW_FIELD(OBJECT_BEHIND), *front);
        if (behind != address)
            view_differs(view, FL_AUDIT_CHAIN, number_of(view, *front),
                         number_of(view, object_at(view, behind)), number_of(view, object));
    }
    counted->last_area[object] = area + 1;
    counted->links[object]++;
    *front = object;
}

static uint32_t audit_chain(struct audit_view *view, struct counted *counted, uint32_t area)
{
    const uint32_t entries = view_count(view, VIEW_FIELD(LINK_NEXT));
    uint32_t address = view_get(view, VIEW_FIELD(AREA_CHAIN), area);
    uint32_t front = VIEW_NONE, length = 0;
    for (; address != 0; length++) {
        const uint32_t link = view_entry(view, VIEW_FIELD(LINK_NEXT), address);
        if (link == VIEW_NONE || length == entries) {
            view_differs(view, FL_AUDIT_CHAIN, number_of(view, front), area, address);
            return length;
        }
        audit_link(view, counted, area, link, &front);
        address = view_get(view, VIEW_FIELD(LINK_NEXT), link);
    }
    return length;
}

static void audit_areas(struct audit_view *view, struct counted *counted)
{
    uint32_t areas = 0, linked = 0, links = 0;
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(AREA_PAGES)); i++) {
        if (view_get(view, VIEW_FIELD(AREA_PAGES), i) == 0)
            continue;
        areas++;
        linked += audit_chain(view, counted, i);
    }
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(LINK_OBJECT)); i++)
        links += view_get(view, VIEW_FIELD(LINK_OBJECT), i) != 0;
    view->result.walked += areas + links;
    view_compare(view, FL_AUDIT_CHAIN, 0, links, linked);
    if (view_count(view, VIEW_FIELD(TOTAL_AREAS)) > 0)
        view_compare(view, FL_AUDIT_AREAS, 0, view_get(view, VIEW_FIELD(TOTAL_AREAS), 0), areas);
}

/* ---- who uses what ---- */

static void open_by(struct audit_view *view, struct counted *counted, uint32_t address)
{
    const uint32_t object = object_at(view, address);
    if (object != VIEW_NONE)
        counted->openers[object]++;
    else if (address != 0)
        view_differs(view, FL_AUDIT_OPENERS, 0, address, 0);
}

static void audit_openers(struct audit_view *view, struct counted *counted)
{
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(FILES_OPEN)); i++)
        if (view_get(view, VIEW_FIELD(FILES_USERS), i) != 0)
            for (uint32_t j = 0; j < view_words(view, VIEW_FIELD(FILES_OPEN)); j++)
                open_by(view, counted, view_word(view, VIEW_FIELD(FILES_OPEN), i, j));
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(SEGMENT_OBJECT)); i++)
        if (view_get(view, VIEW_FIELD(SEGMENT_PAGES), i) != 0)
            open_by(view, counted, view_get(view, VIEW_FIELD(SEGMENT_OBJECT), i));
}

/* Running counts of tasks: of those that are in a space, or that have a table of open files. */
static void audit_users(struct audit_view *view, unsigned users, unsigned by)
{
    for (uint32_t i = 0; i < view_count(view, users); i++) {
        uint32_t tasks = 0;
        for (uint32_t j = 0; j < view_count(view, by); j++)
            tasks += view_get(view, VIEW_FIELD(TASK_NUMBER), j) != 0 &&
                     view_entry(view, users, view_get(view, by, j)) == i;
        const uint32_t said = view_get(view, users, i);
        view->result.walked += said != 0;
        view_compare(view, FL_AUDIT_USERS, i, said, tasks);
    }
}

/* ---- objects ---- */

/* Follows what it is a shadow of, to the end; there is one. */
static void audit_behind(struct audit_view *view, struct counted *counted, uint32_t object)
{
    const uint32_t first = view_get(view, VIEW_FIELD(OBJECT_BEHIND), object);
    uint32_t address = first, steps = 0;
    while (address != 0) {
        const uint32_t behind = object_at(view, address);
        if (behind == VIEW_NONE || ++steps > object_count(view)) {
            view_differs(view, FL_AUDIT_CHAIN, number_of(view, object), address, steps);
            return;
        }
        if (address == first && steps == 1)
            counted->shadows[behind]++;
        address = view_get(view, VIEW_FIELD(OBJECT_BEHIND), behind);
    }
}

static void audit_counts(struct audit_view *view, const struct counted *counted, uint32_t i)
{
    const uint32_t number = number_of(view, i);
    const uint32_t owned =
        view_frames(view, view_get(view, VIEW_FIELD(OBJECT_OWNED), i), number, true);
    view_compare(view, FL_AUDIT_LINKS, number, view_get(view, VIEW_FIELD(OBJECT_LINKS), i),
                 counted->links[i]);
    view_compare(view, FL_AUDIT_SHADOWS, number, view_get(view, VIEW_FIELD(OBJECT_SHADOWS), i),
                 counted->shadows[i]);
    view_compare(view, FL_AUDIT_OPENERS, number, view_get(view, VIEW_FIELD(OBJECT_OPENERS), i),
                 counted->openers[i]);
    view_compare(view, FL_AUDIT_PAGES, number, view_get(view, VIEW_FIELD(OBJECT_N_OWNED), i),
                 owned);
}

/* What core counts of all, where it does. */
static void audit_totals_of(struct audit_view *view, const uint32_t by_kind[])
{
    static const struct {
        unsigned field, what, kind;
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

#define KINDS 8u

void audit_objects(struct audit_view *view)
{
    static struct counted counted;
    uint32_t by_kind[KINDS] = {0};
    const uint32_t objects = object_count(view);
    if (objects == 0)
        return;
    memset(&counted, 0, sizeof counted);
    audit_areas(view, &counted);
    audit_openers(view, &counted);
    audit_users(view, VIEW_FIELD(SPACE_USERS), VIEW_FIELD(TASK_SPACE));
    audit_users(view, VIEW_FIELD(FILES_USERS), VIEW_FIELD(TASK_FILES));
    for (uint32_t i = 0; i < objects; i++)
        if (number_of(view, i) != 0)
            audit_behind(view, &counted, i);
    for (uint32_t i = 0; i < objects; i++) {
        if (number_of(view, i) == 0)
            continue;
        const uint32_t kind = view_get(view, VIEW_FIELD(OBJECT_KIND), i);
        by_kind[FL_OBJECT_NONE]++;
        by_kind[MIN(kind, KINDS - 1)] += kind != FL_OBJECT_NONE;
        view->result.walked++;
        audit_counts(view, &counted, i);
    }
    audit_totals_of(view, by_kind);
}
