#include "memory_name.h"

#include <inttypes.h>
#include <stdio.h>

/* Where the frame was mapped last; core's window on all frames is in no event. */
static bool virtual_of(const struct fl_event *events, size_t n_events, uint32_t physical,
                       uint64_t *address)
{
    bool found = false;
    for (size_t i = 0; i < n_events; i++) {
        if (fl_event_id(&events[i]) != FL_EVENT_MAP || events[i].aux != physical >> FL_PAGE_SHIFT)
            continue;
        *address = events[i].addr + physical % FL_PAGE_SIZE;
        found = true;
    }
    return found;
}

void memory_name(const struct subject *subject, const struct fl_event *events, size_t n_events,
                 uint32_t physical, char *name, size_t size)
{
    uint64_t address;
    if (!virtual_of(events, n_events, physical, &address)) {
        snprintf(name, size, "physical address 0x%x", physical);
    } else if (address >= FL_CONTEXT_BASE && address < FL_CONTEXT_BASE + FL_CONTEXT_SIZE) {
        const uint64_t offset = address - FL_CONTEXT_BASE;
        snprintf(name, size, "slot %u + 0x%x, a stack", (unsigned)(offset / FL_SLOT_SIZE),
                 (unsigned)(offset % FL_SLOT_SIZE));
    } else if (address >= FL_UTCB_BASE && address < FL_INFO_BASE) {
        snprintf(name, size, "message page %u",
                 (unsigned)((address - FL_UTCB_BASE) / FL_PAGE_SIZE));
    } else if (!image_object(subject->image, address, name, size)) {
        snprintf(name, size, "0x%" PRIx64, address);
    }
}
