#include "audit.h"

#include <glib.h>
#include <string.h>
#include "audit_view.h"

struct audit {
    struct audit_view view;
    uint32_t arch; /* FL_ARCH_* */
    struct audit_totals totals;
};

struct audit *audit_new(const struct image *image)
{
    struct audit *audit = g_new0(struct audit, 1);
    audit->arch = image->header.arch;
    for (size_t i = 0; i < image->n_audit; i++)
        audit->view.fields[image->audit[i].id] = &image->audit[i];
    return audit;
}

void audit_free(struct audit *audit)
{
    g_free(audit);
}

struct audit_totals audit_totals(const struct audit *audit)
{
    return audit->totals;
}

/* ---- the view ---- */

void view_differs(struct audit_view *view, uint32_t what, uint32_t which, uint32_t said,
                  uint32_t counted)
{
    struct fl_audit_result *result = &view->result;
    if (result->differ++ > 0)
        return;
    result->what = what;
    result->which = which;
    result->said = said;
    result->counted = counted;
}

static uint32_t read_number(struct audit_view *view, unsigned field, uint64_t address,
                            uint32_t size)
{
    uint32_t number = 0;
    const void *bytes = guestwalk_at(&view->walk, address, size);
    if (bytes != NULL)
        memcpy(&number, bytes, size); /* little-endian, as the host is */
    else
        view_differs(view, FL_AUDIT_UNREADABLE, field, (uint32_t)address, 0);
    return number;
}

uint32_t view_get(struct audit_view *view, unsigned field, uint32_t i)
{
    const struct fl_audit_field *where = view->fields[field];
    if (i >= view->count[field])
        return 0;
    return read_number(view, field, view->base[field] + (uint64_t)i * where->stride,
                       MIN(where->size, (uint32_t)sizeof(uint32_t)));
}

uint32_t view_words(const struct audit_view *view, unsigned field)
{
    return view->fields[field] != NULL ? view->fields[field]->size / (uint32_t)sizeof(uint32_t) : 0;
}

uint32_t view_word(struct audit_view *view, unsigned field, uint32_t i, uint32_t j)
{
    const uint64_t entry = view->base[field] + (uint64_t)i * view->fields[field]->stride;
    return read_number(view, field, entry + j * sizeof(uint32_t), sizeof(uint32_t));
}

uint32_t view_entry(const struct audit_view *view, unsigned field, uint32_t address)
{
    if (view->count[field] == 0)
        return VIEW_NONE;
    const struct fl_audit_field *where = view->fields[field];
    const uint64_t offset = (uint64_t)address + where->offset - view->base[field];
    const uint64_t i = offset / where->stride;
    return offset % where->stride == 0 && i < view->count[field] ? (uint32_t)i : VIEW_NONE;
}

/* Where each field lies today: behind a pointer of core's, or where the image says. Of a pointer of
 * 64 bits the low half is all there is: user space ends at FL_USER_END. */
static void locate(struct audit_view *view)
{
    for (unsigned field = 0; field < FL_AUDIT_FIELD_COUNT; field++) {
        const struct fl_audit_field *where = view->fields[field];
        view->count[field] = 0;
        if (where == NULL)
            continue;
        uint32_t root = 0;
        if (where->root != 0) {
            root = read_number(view, field, where->root, sizeof root);
            if (root == 0)
                continue;
        }
        view->base[field] = (uint64_t)root + where->address;
        view->count[field] = where->count;
    }
}

struct fl_audit_result audit_walk(struct audit *audit, struct guestmem *memory, uint64_t table)
{
    const gint64 began = g_get_monotonic_time();
    struct audit_view *view = &audit->view;
    view->walk = guestwalk_begin(memory, audit->arch, table);
    view->result = (struct fl_audit_result){.walked = 0};
    memset(view->owned, 0, sizeof view->owned);
    view->n_owned = 0;
    locate(view);
    audit_regions(view);
    audit_objects(view);
    audit_frames(view);
    audit->totals.audits++;
    audit->totals.walked += view->result.walked;
    audit->totals.differ += view->result.differ > 0;
    audit->totals.seconds += (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
    return view->result;
}
