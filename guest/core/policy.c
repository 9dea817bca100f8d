#include <stddef.h>
#include "mapping.h"
#include "mutation.h"
#include "page_in.h"
#include "pager.h"
#include "policy.h"
#include "vm.h"
#include "vm_error.h"
#include "vm_fault.h"
#include "vm_read.h"
#include "vm_rpc.h"
#include "vm_task.h"

static const struct core_policy right = {
    .freeze = vm_freeze,
    .read = vm_fault_read,
    .write_shared = vm_fault_write_shared,
    .covers = vm_fault_covers,
    .bypass = vm_fault_bypass,
    .zero_page = vm_fault_zero_page,
    .share_objects = vm_area_share_objects,
    .anonymous = vm_anonymous_object,
    .shm_address = vm_object_unique_address,
    .front_page = vm_fault_front_page,
    .copy = vm_fault_copy,
    .unshadowed = vm_object_unshadowed,
    .count_shadow = vm_object_count_shadow,
    .uncount_shadow = vm_object_uncount_shadow,
    .rights = vm_fault_rights,
    .unmap = vm_area_unmap_pages,
    .drop_areas = vm_drop_areas,
    .end_fork = vm_end_fork,
    .is_duplicate = fault_is_duplicate,
    .outside = fault_outside,
    .client_page = vm_read_client_page,
    .fetch = page_in_fetch,
    .arrived = page_in_own,
    .may_lend = pager_may_lend,
    .is_error = vm_is_error,
};

/* ---- The diary's bugs, each the wrong version of one entry (seed 004) ---- */

/* "R/W shadow objects must be made read-only during a fork." */
static void freeze_nothing(struct vm_task *task)
{
    (void)task;
}

/* "We were only searching the first object ... and the 0 return value was interpreted with IS_ERR()
 * and failed, so address 0 was mapped": the first frame of RAM. */
static uint32_t read_first_only(const struct vm_area *area, uint32_t page)
{
    return vm_object_page_in(area->object, page);
}

/* "Every ANON && SHARED write fault was going into the COW path." */
static uint32_t copy_for_each_sharer(struct vm_area *area, uint32_t page)
{
    return area->object->behind ? vm_fault_copy(area->object, page)
                                : vm_fault_write_shared(area, page);
}

/* "A vmo page_cache equivalence would simply drop a link to an original vmo, even if the vmo could
 * have more pages outside the page cache, or if the vmo was not a shadow vmo." */
static bool same_page_cache(const struct vm_object *front, const struct vm_object *behind)
{
    return behind->owned && frame_list_within(&behind->frames, &front->frames);
}

/* "Both the object in front and dropped object becomes a shadow of the original object underneath.
 * We had thought of this case but had not increase the shadow count." */
static void bypass_uncounted(struct vm_object *front, struct vm_object *behind)
{
    struct vm_object *original = behind->behind;
    bool kept = behind->links + behind->shadows > 1;

    vm_object_set_behind(front, original);
    if (kept && original)
        original->shadows--;
}

/* "Fixed the error that zero page didn't have an owner (devzero)." */
static uint32_t zero_page_of_nobody(struct vm_object *devzero)
{
    (void)devzero;
    return frame_alloc();
}

/* "When sys_munmap() splits a vma, the new vma had no copy of the objects in the original vma." */
static void share_nothing(struct vm_area *rear, const struct vm_area *whole)
{
    (void)rear, (void)whole;
}

/* "There's an issue with anon pages that they end up on the same swapfile and with same file
 * offsets (e.g. utcb and stack at offset 0)." */
static struct vm_object *one_anonymous_object(struct vm_task *task, uint32_t pages)
{
    FOR_EACH_AREA (area, task)
        if (area->base >= FL_VM_BASE && area->object->kind == FL_OBJECT_ANONYMOUS)
            return area->object;
    return vm_anonymous_object(task, pages);
}

/* Before "Added cleaner allocation of shm addresses". */
static uint32_t one_address_for_all(uint32_t pages)
{
    (void)pages;
    return FL_SHM_BASE;
}

/* "False positives for pointers such as 0xE0000000": what has the uppermost bit set. A user address
 * has 31 bits here. */
static bool upper_range_is_error(uint32_t address)
{
    return (int32_t)(address << 1) < 0;
}

/* vma_merge_object: BUG_ON(--redundant->shadows < 0). The count goes with the assertion where that
 * is compiled out. */
#define BUG_ON(condition) ((void)0)
static void uncount_in_assertion(struct vm_object *object)
{
    (void)object;
    BUG_ON(object->shadows-- == 0);
}

/* ---- A fault where there is no area ----
 * page_fault_handler: "Hmm. No vma for faulty region. Bad things will happen." That was said, and
 * do_page_fault came next. */

static uint32_t go_on_without_area(const struct fault *fault)
{
    return vm_fault_resolve(vm_area_find(domain_of(fault->thread)->task, fault->address), fault);
}

/* "Return the ipc and by doing so restart the faulty thread", resolved or not: it faults again, for
 * ever. Here until so many were answered, so that the run has an end. */
enum { ANSWERS = 8 };

static uint32_t answer_all_the_same(const struct fault *fault)
{
    static uint32_t answers;

    return answers++ < ANSWERS ? FL_HALT_NONE : fault_outside(fault);
}

/* ---- Memory of a client's, as task_virt_to_page found it for sys_read ---- */

/* "It traverses the vm_objects and returns the first encountered instance of the page": what a
 * reader would see, which may be everybody's. */
static uint32_t page_as_seen(tid_t thread, uint32_t address)
{
    const struct domain *domain = domain_of(thread);
    const struct vm_area *area = vm_area_find(domain->task, address);

    return area ? vm_fault_read(area, vm_area_page(area, address)) : vm_error(FL_ERROR_NO_REGION);
}

/* "If page is not mapped in the task's address space, (not faulted at all), returns error", at
 * which nobody looks. */
static uint32_t page_if_mapped(tid_t thread, uint32_t address)
{
    const struct mapping *mapping = mapping_at(domain_of(thread)->space, address);

    return mapping ? mapping->frame : 0;
}

/* Made to be there when the call came, and taken for the same when the file's page has come. */
static uint32_t page_when_asked(tid_t thread, uint32_t address)
{
    static struct {
        tid_t thread;
        uint32_t address, frame;
    } asked;

    if (asked.thread != thread || asked.address != address) {
        uint32_t frame = vm_read_client_page(thread, address);
        if (vm_is_error(frame))
            return frame;
        asked.thread = thread;
        asked.address = address;
        asked.frame = frame;
    }
    return asked.frame;
}

/* ---- Duplicate faults, stale rights, a pager that waits ---- */

static bool never_duplicate(const struct fault *fault, uint32_t space)
{
    (void)fault, (void)space;
    return false;
}

static bool look_often(const struct fault *fault, uint32_t space)
{
    bool is_there = false;

    for (uint32_t i = 0; i < VM_LOOKS; i++) {
        is_there = fault_is_duplicate(fault, space);
        __asm__ volatile("" ::: "memory"); /* else the compiler looks once */
    }
    return is_there;
}

/* "Currently this case is detected and handled": a page was taken for the fault by then. */
static uint32_t copy_then_look(struct vm_object *object, uint32_t page)
{
    uint32_t there = vm_object_page(object, page), taken = there ? frame_alloc() : 0;

    if (!there)
        return vm_fault_copy(object, page);
    if (taken)
        vm_object_refuse(object, page, taken);
    return there;
}

static void own_unless_there(struct vm_object *file, uint32_t page, uint32_t frame)
{
    if (vm_object_page(file, page))
        vm_object_refuse(file, page, frame);
    else
        vm_object_own(file, page, frame);
}

/* Codezero's do_page_fault went by the flags of the PTE when the fault was raised: a page that may
 * be read only is behind the first object, and has to be copied. */
static bool was_mapped_when_raised(const struct fault *fault, uint32_t space)
{
    uint32_t needed = fault_rights(fault->access);

    (void)space;
    return (fault->rights & needed) == needed;
}

static uint32_t front_page_when_raised(const struct vm_object *object, uint32_t page,
                                       const struct fault *fault)
{
    return fault->rights == FL_RIGHTS_NONE ? vm_object_page(object, page) : 0;
}

static bool lend_anyway(uint32_t space, uint32_t address)
{
    (void)space, (void)address;
    return true;
}

#define SWAP(entry, version)                                                                       \
    static void swap_##entry##_for_##version(struct core_policy *policy)                           \
    {                                                                                              \
        policy->entry = version;                                                                   \
    }

SWAP(freeze, freeze_nothing)
SWAP(read, read_first_only)
SWAP(write_shared, copy_for_each_sharer)
SWAP(covers, same_page_cache)
SWAP(bypass, bypass_uncounted)
SWAP(zero_page, zero_page_of_nobody)
SWAP(share_objects, share_nothing)
SWAP(anonymous, one_anonymous_object)
SWAP(shm_address, one_address_for_all)
SWAP(is_error, upper_range_is_error)
SWAP(uncount_shadow, uncount_in_assertion)
SWAP(outside, go_on_without_area)
SWAP(outside, answer_all_the_same)
SWAP(client_page, page_as_seen)
SWAP(client_page, page_if_mapped)
SWAP(client_page, page_when_asked)
SWAP(is_duplicate, never_duplicate)
SWAP(is_duplicate, look_often)
SWAP(may_lend, lend_anyway)
SWAP(fetch, page_in_fetch_waiting)
SWAP(front_page, mutation_no_page)
SWAP(copy, mutation_not_copied)
SWAP(unshadowed, mutation_never_shadowed)
SWAP(count_shadow, mutation_not_counted)
SWAP(rights, mutation_all_rights)
SWAP(unmap, mutation_still_mapped)
SWAP(drop_areas, mutation_area_kept)
SWAP(end_fork, mutation_task_kept)

static void swap_to_unseen(struct core_policy *policy)
{
    policy->is_duplicate = never_duplicate;
    policy->front_page = mutation_no_page;
    policy->fetch = page_in_fetch_unseen;
}

static void swap_to_late(struct core_policy *policy)
{
    swap_to_unseen(policy);
    policy->copy = copy_then_look;
    policy->arrived = own_unless_there;
}

static void swap_to_raised(struct core_policy *policy)
{
    policy->is_duplicate = was_mapped_when_raised;
    policy->front_page = front_page_when_raised;
}

static void (*const swaps[])(struct core_policy *policy) = {
    [CORE_POLICY_FORK_LEAVES_WRITABLE] = swap_freeze_for_freeze_nothing,
    [CORE_POLICY_READ_FIRST_ONLY] = swap_read_for_read_first_only,
    [CORE_POLICY_COPY_FOR_EACH_SHARER] = swap_write_shared_for_copy_for_each_sharer,
    [CORE_POLICY_DROP_LARGER_ORIGINAL] = swap_covers_for_same_page_cache,
    [CORE_POLICY_SHADOW_NOT_COUNTED] = swap_bypass_for_bypass_uncounted,
    [CORE_POLICY_ZERO_PAGE_OF_NOBODY] = swap_zero_page_for_zero_page_of_nobody,
    [CORE_POLICY_SPLIT_WITHOUT_OBJECTS] = swap_share_objects_for_share_nothing,
    [CORE_POLICY_ONE_ANONYMOUS_OBJECT] = swap_anonymous_for_one_anonymous_object,
    [CORE_POLICY_ONE_SHM_ADDRESS] = swap_shm_address_for_one_address_for_all,
    [CORE_POLICY_UPPER_RANGE_IS_ERROR] = swap_is_error_for_upper_range_is_error,
    [CORE_POLICY_DUPLICATES_UNSOUGHT] = swap_is_duplicate_for_never_duplicate,
    [CORE_POLICY_DUPLICATES_OVERSOUGHT] = swap_is_duplicate_for_look_often,
    [CORE_POLICY_DUPLICATES_UNSEEN] = swap_to_unseen,
    [CORE_POLICY_DUPLICATES_LATE] = swap_to_late,
    [CORE_POLICY_RIGHTS_AS_RAISED] = swap_to_raised,
    [CORE_POLICY_WAITS_FOR_SERVER] = swap_fetch_for_page_in_fetch_waiting,
    [CORE_POLICY_LENT_ANYWAY] = swap_may_lend_for_lend_anyway,
    [CORE_POLICY_UNCOUNTED_IN_ASSERTION] = swap_uncount_shadow_for_uncount_in_assertion,
    [CORE_POLICY_GOES_ON_WITHOUT_AREA] = swap_outside_for_go_on_without_area,
    [CORE_POLICY_ANSWERED_ALL_THE_SAME] = swap_outside_for_answer_all_the_same,
    [CORE_POLICY_READ_INTO_WHAT_IS_SEEN] = swap_client_page_for_page_as_seen,
    [CORE_POLICY_READ_INTO_WHAT_IS_MAPPED] = swap_client_page_for_page_if_mapped,
    [CORE_POLICY_READ_INTO_WHAT_WAS_THERE] = swap_client_page_for_page_when_asked,
    [CORE_POLICY_WRITTEN_AGAIN] = swap_front_page_for_mutation_no_page,
    [CORE_POLICY_NOT_COPIED] = swap_copy_for_mutation_not_copied,
    [CORE_POLICY_DELETED_EARLY] = swap_unshadowed_for_mutation_never_shadowed,
    [CORE_POLICY_NOT_COUNTED] = swap_count_shadow_for_mutation_not_counted,
    [CORE_POLICY_ALL_RIGHTS] = swap_rights_for_mutation_all_rights,
    [CORE_POLICY_STILL_MAPPED] = swap_unmap_for_mutation_still_mapped,
    [CORE_POLICY_AREA_KEPT] = swap_drop_areas_for_mutation_area_kept,
    [CORE_POLICY_TASK_KEPT] = swap_end_fork_for_mutation_task_kept,
};

static struct core_policy swapped;
static bool any_swapped;

const struct core_policy *policy(void)
{
    return any_swapped ? &swapped : &right;
}

bool policy_swap(uint32_t id)
{
    if (id >= sizeof(swaps) / sizeof(swaps[0]))
        return false;
    swapped = *policy();
    swaps[id](&swapped);
    any_swapped = true;
    return true;
}
