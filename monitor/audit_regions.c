/* Dataspaces and regions: a dataspace's frames are its own; each region is in the list of its map,
 * which is in ascending order, and in no other. */
#include "audit_view.h"

static void audit_dataspaces(struct audit_view *view)
{
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(DATASPACE_SIZE)); i++) {
        if (view_get(view, VIEW_FIELD(DATASPACE_SIZE), i) == 0)
            continue;
        view->result.walked++;
        view_frames(view, view_get(view, VIEW_FIELD(DATASPACE_FRAMES), i), i, true);
    }
}

/* Whether the i-th region belongs there: to that map, in use, and behind what came before. */
static bool region_sound(struct audit_view *view, uint32_t i, uint32_t map, uint32_t *end)
{
    const uint32_t base = view_get(view, VIEW_FIELD(REGION_BASE), i);
    const uint32_t owner =
        view_entry(view, VIEW_FIELD(MAP_END), view_get(view, VIEW_FIELD(REGION_MAP), i));
    const uint32_t dataspace = view_get(view, VIEW_FIELD(REGION_DATASPACE), i);
    const bool sound = owner == map && base >= *end && dataspace != 0 &&
                       view_entry(view, VIEW_FIELD(DATASPACE_SIZE), dataspace) != VIEW_NONE;
    *end = base + view_get(view, VIEW_FIELD(REGION_SIZE), i);
    return sound;
}

/* Regions in the list of a map. */
static uint32_t audit_map(struct audit_view *view, uint32_t map)
{
    const uint32_t entries = view_count(view, VIEW_FIELD(REGION_NEXT));
    uint32_t address = view_get(view, VIEW_FIELD(MAP_FIRST), map);
    uint32_t count = 0, end = 0;
    for (; address != 0 && count <= entries; count++) {
        const uint32_t i = view_entry(view, VIEW_FIELD(REGION_NEXT), address);
        if (i == VIEW_NONE || !region_sound(view, i, map, &end)) {
            view_differs(view, FL_AUDIT_REGIONS, map, address, count);
            return count;
        }
        address = view_get(view, VIEW_FIELD(REGION_NEXT), i);
    }
    return count;
}

void audit_regions(struct audit_view *view)
{
    uint32_t listed = 0, used = 0;
    audit_dataspaces(view);
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(MAP_END)); i++) {
        if (view_get(view, VIEW_FIELD(MAP_END), i) == 0)
            continue;
        view->result.walked++;
        listed += audit_map(view, i);
    }
    for (uint32_t i = 0; i < view_count(view, VIEW_FIELD(REGION_DATASPACE)); i++)
        used += view_get(view, VIEW_FIELD(REGION_DATASPACE), i) != 0;
    view->result.walked += used;
    view_compare(view, FL_AUDIT_REGIONS, VIEW_NONE, used, listed);
}
