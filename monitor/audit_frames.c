/* Frames: each has one owner, and every one that was handed out has one. */
#include <glib.h>
#include "audit_view.h"

/* The entry of the pool is this owner's. false: it cannot be. */
static bool own(struct audit_view *view, uint32_t index, uint32_t owner)
{
    const uint32_t entries = MIN(view_count(view, VIEW_FIELD(FRAME_NEXT)), AUDIT_POOL);
    if (index >= entries) {
        view_differs(view, FL_AUDIT_FRAME_LIST, owner, index, entries);
        return false;
    }
    if (view->owned[index]) {
        const uint32_t first = view_get(view, VIEW_FIELD(FRAMES_FIRST), 0);
        view_differs(view, FL_AUDIT_FRAME_OWNERS, first + index, 1, 2);
        return false;
    }
    view->owned[index] = true;
    view->n_owned++;
    view->result.walked++;
    return true;
}

static void see_page(struct audit_view *view, uint32_t index, uint32_t owner)
{
    const uint32_t page = view_get(view, VIEW_FIELD(FRAME_PAGE), index) & UINT16_MAX;
    if (view->page_stamp[page] == view->lists)
        view_differs(view, FL_AUDIT_PAGE_TWICE, owner, page, 2);
    view->page_stamp[page] = view->lists;
}

/* A list that leads into itself or another ends where it does: at a frame that is owned. */
uint32_t view_frames(struct audit_view *view, uint32_t link, uint32_t owner, bool has_pages)
{
    uint32_t count = 0;
    view->lists++;
    for (; link != 0 && own(view, link - 1, owner); count++) {
        if (has_pages)
            see_page(view, link - 1, owner);
        link = view_get(view, VIEW_FIELD(FRAME_NEXT), link - 1);
    }
    return count;
}

static void audit_clients(struct audit_view *view)
{
    const uint32_t first = view_get(view, VIEW_FIELD(FRAMES_FIRST), 0);
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(CLIENT_FRAME)); i++) {
        const uint32_t frame = view_get(view, VIEW_FIELD(CLIENT_FRAME), i);
        if (frame != 0)
            own(view, frame - first, i);
    }
}

void audit_frames(struct audit_view *view)
{
    if (view_count(view, VIEW_FIELD(FRAMES_USED)) == 0)
        return;
    audit_clients(view);
    view_frames(view, view_get(view, VIEW_FIELD(FRAMES_FREED), 0), 0, false);
    const uint32_t used = view_get(view, VIEW_FIELD(FRAMES_USED), 0);
    const uint32_t fixed = view_get(view, VIEW_FIELD(FRAMES_FIXED), 0);
    const uint32_t at_home = view_get(view, VIEW_FIELD(FRAMES_AT_HOME), 0);
    view_compare(view, FL_AUDIT_FRAMES_USED, 0, used + at_home, view->n_owned + fixed);
}
