/* What an audit sees: core's tables, field by field. Private to the audit. */
#ifndef FAULTLINE_AUDIT_VIEW_H
#define FAULTLINE_AUDIT_VIEW_H

#include <stdbool.h>
#include "abi.h"
#include "guestwalk.h"

#define AUDIT_POOL (FL_FRAMES_SIZE / FL_PAGE_SIZE)

struct audit_view {
    struct guestwalk walk;
    const struct fl_audit_field *fields[FL_AUDIT_FIELD_COUNT]; /* NULL: core does not say */
    uint64_t base[FL_AUDIT_FIELD_COUNT]; /* virtual address of the field in entry 0 */
    uint32_t count[FL_AUDIT_FIELD_COUNT];
    struct fl_audit_result result;
    bool owned[AUDIT_POOL];              /* by index: some list has the frame */
    uint32_t n_owned;                    /* of these, how many */
    uint32_t page_stamp[UINT16_MAX + 1]; /* the list in which that page was seen last */
    uint32_t lists;                      /* walked so far: the stamp of the last */
};

#define VIEW_FIELD(ID) FL_AUDIT_FIELD_##ID
#define VIEW_NONE      UINT32_MAX

/* Entries of the field's table; 0 also when core does not say, or has not made it yet. */
static inline uint32_t view_count(const struct audit_view *view, unsigned field)
{
    return view->count[field];
}

/* The field of the i-th entry; 0 when it cannot be read, and then that is a difference. */
uint32_t view_get(struct audit_view *view, unsigned field, uint32_t i);
/* Words of a field that is an array, and the j-th of the i-th entry. */
uint32_t view_words(const struct audit_view *view, unsigned field);
uint32_t view_word(struct audit_view *view, unsigned field, uint32_t i, uint32_t j);
/* The index of the entry at this address, by any field of its table; VIEW_NONE: there is none. */
uint32_t view_entry(const struct audit_view *view, unsigned field, uint32_t address);

void view_differs(struct audit_view *view, uint32_t what, uint32_t which, uint32_t said,
                  uint32_t counted);
static inline void view_compare(struct audit_view *view, uint32_t what, uint32_t which,
                                uint32_t said, uint32_t counted)
{
    if (said != counted)
        view_differs(view, what, which, said, counted);
}

/* Walks a list of frames from its first link on: each frame is somebody's, once, and no page is
 * there twice. Returns their number. owner: for messages. */
uint32_t view_frames(struct audit_view *view, uint32_t link, uint32_t owner, bool has_pages);

/* The parts of an audit. */
void audit_frames(struct audit_view *view);
void audit_regions(struct audit_view *view);
void audit_objects(struct audit_view *view);

#endif
