/* Calls that change nothing for the program: marks for the trace, and ways to break the guest on
 * purpose for tests of the rig itself. */

#include "kernel.h"

void do_mark(struct thread *thread)
{
    uint32_t event = argument(thread, 0);
    bool mark = (event >= FL_EVENT_MARK_RESERVE && event <= FL_EVENT_MARK_ERROR) ||
                event == FL_EVENT_MARK_DEED;
    if (!mark) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    trace(event, thread, argument(thread, 1), argument(thread, 2), argument(thread, 3));
    give_status(thread, FL_ERROR_OK);
}

/* A mark of core's about an address space. */
void do_tell(struct thread *thread)
{
    uint32_t event = argument(thread, 0);
    if (thread->space != FL_SPACE_CORE) {
        give_status(thread, FL_ERROR_NO_RIGHTS);
        return;
    }
    bool told = (event >= FL_EVENT_OBJECT_CREATE && event <= FL_EVENT_TASK_END) ||
                event == FL_EVENT_PAGE_BACK || event == FL_EVENT_REFUSE || event == FL_EVENT_TOTALS;
    if (!told) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    trace_space(event, thread->path, argument(thread, 1), argument(thread, 2), argument(thread, 3),
                argument(thread, 4));
    give_status(thread, FL_ERROR_OK);
}

void do_debug(struct thread *thread)
{
    uint32_t what = argument(thread, 0), offset = argument(thread, 1);
    give_status(thread, FL_ERROR_OK);
    switch (what) {
    case SYS_DEBUG_KERNEL_FAULT:
        *(volatile uint32_t *)(uintptr_t)0xe0000000u = 0;
        break;
    case SYS_DEBUG_KERNEL_LOOP:
        for (;;) {
        }
    case SYS_DEBUG_POWER_OFF:
        arch_power_off();
    case SYS_DEBUG_NO_FLUSH:
        run.activate = arch_space_select;
        break;
    case SYS_DEBUG_FAULT_WORDS:
        run.keeping = offset == 0 ? &fault_kept_in_message : &fault_kept_for_one;
        break;
    case SYS_DEBUG_WRITE_SHARED:
        if (offset <= sizeof *shared - sizeof(uint32_t)) {
            *(volatile uint32_t *)((uint8_t *)shared + (offset & ~3u)) = argument(thread, 2);
        }
        break;
    case SYS_DEBUG_OWN_TABLE: /* half a page: the kernel's own half may lie in the other */
        memset(
            arch_frame_address((arch_space_table(thread->space) - ARCH_RAM_BASE) >> FL_PAGE_SHIFT),
            0xff, FL_PAGE_SIZE / 2);
        arch_space_activate(thread->space);
        break;
    default:
        give_status(thread, FL_ERROR_INVALID);
        break;
    }
}
