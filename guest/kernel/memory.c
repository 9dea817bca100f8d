/* map, unmap and protect, for the pager's use: core owns all frames and is trusted with them. */

#include "kernel.h"

#define FRAMES (FL_RAM_SIZE >> FL_PAGE_SHIFT)

static bool range_sound(uint32_t space, uint32_t address, uint32_t pages)
{
    return space != FL_SPACE_KERNEL && space < ARCH_MAX_SPACES &&
           (address & (FL_PAGE_SIZE - 1)) == 0 && address < FL_USER_END &&
           pages <= (FL_USER_END - address) >> FL_PAGE_SHIFT;
}

static bool refused(struct thread *thread, bool sound)
{
    if (thread->space != FL_SPACE_CORE) {
        give_status(thread, FL_ERROR_NO_RIGHTS);
        return true;
    }
    give_status(thread, sound ? FL_ERROR_OK : FL_ERROR_INVALID);
    return !sound;
}

/* Spaces that are not active hold nothing in the TLB: each activation drops everything. */
static void flush(const struct thread *thread, uint32_t space, uint32_t address)
{
    if (space == run.active_space) {
        arch_flush_page(address);
    }
    trace_space(FL_EVENT_FLUSH, thread->path, space, address, 0, 0);
}

void do_space_create(struct thread *thread)
{
    uint32_t space = argument(thread, 0);
    refused(thread, space > FL_SPACE_CORE && space < ARCH_MAX_SPACES);
}

void do_map(struct thread *thread)
{
    uint32_t space = argument(thread, 0), address = argument(thread, 1);
    uint32_t frame = argument(thread, 2), pages = argument(thread, 3);
    uint32_t rights = argument(thread, 4);
    bool sound = range_sound(space, address, pages) && frame < FRAMES && pages <= FRAMES - frame &&
                 rights != FL_RIGHTS_NONE && rights <= FL_RIGHTS_RWX;
    if (refused(thread, sound)) {
        return;
    }
    for (uint32_t i = 0; i < pages; i++, address += FL_PAGE_SIZE) {
        struct arch_mapping before = arch_lookup(space, address);
        if (!arch_map(space, address, (struct arch_mapping){frame + i, rights})) {
            give_status(thread, FL_ERROR_NO_MEMORY);
            return;
        }
        trace_space(FL_EVENT_MAP, thread->path, space, address, rights, frame + i);
        if (before.rights != FL_RIGHTS_NONE) {
            flush(thread, space, address);
        }
    }
}

void do_unmap(struct thread *thread)
{
    uint32_t space = argument(thread, 0), address = argument(thread, 1);
    uint32_t pages = argument(thread, 2);
    if (refused(thread, range_sound(space, address, pages))) {
        return;
    }
    for (uint32_t i = 0; i < pages; i++, address += FL_PAGE_SIZE) {
        struct arch_mapping before = arch_lookup(space, address);
        if (before.rights != FL_RIGHTS_NONE) {
            arch_map(space, address, (struct arch_mapping){0, FL_RIGHTS_NONE});
            trace_space(FL_EVENT_UNMAP, thread->path, space, address, 0, before.frame);
            flush(thread, space, address);
        }
    }
}

void do_protect(struct thread *thread)
{
    uint32_t space = argument(thread, 0), address = argument(thread, 1);
    uint32_t pages = argument(thread, 2), rights = argument(thread, 3);
    bool sound =
        range_sound(space, address, pages) && rights != FL_RIGHTS_NONE && rights <= FL_RIGHTS_RWX;
    if (refused(thread, sound)) {
        return;
    }
    for (uint32_t i = 0; i < pages; i++, address += FL_PAGE_SIZE) {
        struct arch_mapping before = arch_lookup(space, address);
        if (before.rights != FL_RIGHTS_NONE) {
            arch_map(space, address, (struct arch_mapping){before.frame, rights});
            trace_space(FL_EVENT_PROTECT, thread->path, space, address, rights, before.frame);
            flush(thread, space, address);
        }
    }
}
