/* Slots, mappings and vm objects as text. */
#include <inttypes.h>
#include "report_state.h"
#include "trace.h"

static const char *space_name(const struct report *report, uint16_t space,
                              char buffer[TRACE_NAME_MAX])
{
    return trace_space_name(report->scenario, space, buffer);
}

static const char *rights_name(uint32_t rights)
{
    const char *name = trace_value_name(TRACE_RIGHTS, rights);
    return name != NULL ? name : "?";
}

/* ---- slots ---- */

static const char *const hold_names[] = {
    [HOLD_RESERVED] = "reserved", [HOLD_ATTACHED] = "attached", [HOLD_PUBLISHED] = "published",
    [HOLD_USED] = "used",         [HOLD_DETACHED] = "detached",
};

static void print_hold(GString *out, const struct report *report, const struct model_hold *hold)
{
    char who[TRACE_NAME_MAX], child[TRACE_NAME_MAX];
    g_string_append_printf(out, "%-9s by %s for %s since event %" PRIu64 "%s",
                           hold_names[hold->state],
                           trace_thread_name(report->scenario, hold->thread, who),
                           trace_thread_name(report->scenario, hold->child, child), hold->event,
                           hold->failed ? ", failed" : "");
}

void report_slots(GString *out, const struct model *model, const struct report *report)
{
    if (model->slots->len == 0)
        g_string_append(out, "no slot was taken so far\n");
    for (guint i = 0; i < model->slots->len; i++) {
        const struct model_slot *slot = model_slot(model, i);
        char space[TRACE_NAME_MAX], address[REPORT_ADDRESS_MAX];
        g_string_append_printf(out, "%-8s %-8s 0x%08" PRIx64 "  ",
                               space_name(report, slot->space, space),
                               report_address(report, slot->address, address), slot->address);
        if (slot->first == MODEL_NONE)
            g_string_append(out, "free");
        for (uint32_t hold = slot->first; hold != MODEL_NONE;
             hold = model_hold(model, hold)->next) {
            if (hold != slot->first)
                g_string_append_printf(out, "\n%30s", "and ");
            print_hold(out, report, model_hold(model, hold));
        }
        g_string_append_c(out, '\n');
    }
}

/* ---- maps ---- */

struct page {
    uint64_t key; /* space and page number */
    uint32_t rights, frame;
};

static int by_key(gconstpointer a, gconstpointer b)
{
    const uint64_t first = ((const struct page *)a)->key, second = ((const struct page *)b)->key;
    return (first > second) - (first < second);
}

static GArray *mapped_pages(const struct model *model)
{
    GArray *pages = g_array_new(FALSE, FALSE, sizeof(struct page));
    const struct table *table = &model->rights_of;
    for (uint64_t i = 0; i <= table->mask; i++) {
        const struct table_entry *entry = &table->entries[i];
        if (entry->epoch != table->epoch || entry->value == FL_RIGHTS_NONE)
            continue;
        const uint32_t *frame = table_find(&model->frame_of, entry->key);
        const struct page page = {entry->key, entry->value, frame != NULL ? *frame : 0};
        g_array_append_val(pages, page);
    }
    g_array_sort(pages, by_key);
    return pages;
}

/* Length of the stretch of neighbours with the same rights that begins there. */
static guint stretch(const GArray *pages, guint from)
{
    const struct page *page = (const struct page *)(const void *)pages->data;
    guint length = 1;
    while (from + length < pages->len && page[from + length].key == page[from].key + length &&
           page[from + length].rights == page[from].rights)
        length++;
    return length;
}

static void print_frames(GString *out, const struct page *pages, guint count)
{
    enum { SHOWN = 4 };
    g_string_append(out, count == 1 ? "frame" : "frames");
    for (guint i = 0; i < MIN(count, SHOWN); i++)
        g_string_append_printf(out, " %u", pages[i].frame);
    g_string_append(out, count > SHOWN ? " ...\n" : "\n");
}

static void print_areas(GString *out, const struct model *model, const struct report *report)
{
    for (guint i = 0; i < model->areas->len; i++) {
        const struct model_area *area = model_area(model, i);
        char space[TRACE_NAME_MAX];
        if (area->deleted)
            continue;
        g_string_append_printf(out, "area of %-8s 0x%08" PRIx64 " %5u page%s %s",
                               space_name(report, area->space, space), area->address, area->pages,
                               area->pages == 1 ? " " : "s", rights_name(area->rights));
        if (area->object != MODEL_NONE)
            g_string_append_printf(out, ", from page %u of object %u", area->offset,
                                   model_object(model, area->object)->number);
        g_string_append_c(out, '\n');
    }
}

void report_maps(GString *out, const struct model *model, const struct report *report)
{
    g_autoptr(GArray) pages = mapped_pages(model);
    if (pages->len == 0)
        g_string_append(out, "no page is mapped\n");
    for (guint i = 0, length; i < pages->len; i += length) {
        const struct page *page = &g_array_index(pages, struct page, i);
        const uint64_t address = (page->key & 0xffffffffffffu) << FL_PAGE_SHIFT;
        char space[TRACE_NAME_MAX];
        uint32_t number;
        length = stretch(pages, i);
        g_string_append_printf(out, "%-8s 0x%08" PRIx64 " %5u page%s %-4s %-8s ",
                               space_name(report, (uint16_t)(page->key >> 48), space), address,
                               length, length == 1 ? " " : "s", rights_name(page->rights),
                               trace_region_name(trace_region(address, &number)));
        print_frames(out, page, length);
    }
    print_areas(out, model, report);
}

/* ---- chains ---- */

static void print_pages(GString *out, const struct model *model, uint32_t object)
{
    const uint32_t pages = model_object(model, object)->pages;
    uint32_t found = 0;
    g_string_append_printf(out, "%u page%s", pages, pages == 1 ? "" : "s");
    for (uint32_t page = 0; found < pages && page < FL_VM_SIZE >> FL_PAGE_SHIFT; page++) {
        const uint32_t frame = model_page(model, object, page);
        if (frame == 0)
            continue;
        if (found++ % 6 == 0)
            g_string_append(out, found == 1 ? ":" : "\n       ");
        g_string_append_printf(out, " %u=%u", page, frame);
    }
    g_string_append_c(out, '\n');
}

static void print_object(GString *out, const struct model *model, uint32_t index)
{
    const struct model_object *object = model_object(model, index);
    const char *kind = trace_value_name(TRACE_OBJECT, object->kind);
    g_string_append_printf(out, "  object %u, %s, %u link%s, %u shadow%s, ", object->number,
                           kind != NULL ? kind : "?", object->links, object->links == 1 ? "" : "s",
                           object->shadows, object->shadows == 1 ? "" : "s");
    print_pages(out, model, index);
}

/* The object and those behind it. A chain that core has closed to a ring ends where it began. */
static void print_chain(GString *out, const struct model *model, uint32_t front, bool *seen)
{
    guint steps = 0;
    for (uint32_t index = front; index != MODEL_NONE && steps++ < model->objects->len;
         index = model_object(model, index)->behind) {
        seen[index] = true;
        print_object(out, model, index);
    }
}

void report_chain(GString *out, const struct model *model, const struct report *report)
{
    g_autofree bool *seen = g_new0(bool, model->objects->len + 1);
    bool any = false;
    for (guint i = 0; i < model->areas->len; i++) {
        const struct model_area *area = model_area(model, i);
        char space[TRACE_NAME_MAX];
        if (area->deleted)
            continue;
        any = true;
        g_string_append_printf(out, "%s 0x%08" PRIx64 ", %u page%s %s, from page %u of\n",
                               space_name(report, area->space, space), area->address, area->pages,
                               area->pages == 1 ? "" : "s", rights_name(area->rights),
                               area->offset);
        print_chain(out, model, area->object, seen);
    }
    for (guint i = 0; i < model->objects->len; i++) {
        if (seen[i] || model_object(model, i)->deleted)
            continue;
        g_string_append(out, "in no area's chain\n");
        print_chain(out, model, i, seen);
        any = true;
    }
    if (!any)
        g_string_append(out, "no vm object and no vm area\n");
}
