#include <stddef.h>
#include "info.h"
#include "page_in.h"
#include "policy.h"
#include "vm.h"
#include "vm_error.h"
#include "vm_file.h"
#include "vm_rpc.h"
#include "vm_task.h"

#define KEY_OF_THREAD 0x80000000u /* in the key of a segment: the rest of it is a thread's id */

/* Where the area will lie: at `wanted`, or where there is room when that is 0. */
static uint32_t place(const struct domain *domain, uint32_t wanted, uint32_t pages)
{
    uint32_t at = wanted ? wanted : vm_area_place(domain->task, pages);

    if (at == 0)
        return vm_error(FL_ERROR_NO_MEMORY);
    if (at % FL_PAGE_SIZE || at < FL_WINDOW_BASE || at >= FL_UTCB_BASE ||
        pages > (FL_UTCB_BASE - at) / FL_PAGE_SIZE)
        return vm_error(FL_ERROR_INVALID);
    if (vm_area_overlaps(domain->task, at, pages) ||
        (domain->map && region_overlaps(domain->map, at, pages * FL_PAGE_SIZE)))
        return vm_error(FL_ERROR_REGION_CONFLICT);
    return at;
}

/* ---- Areas ---- */

struct vm_object *vm_anonymous_object(struct vm_task *task, uint32_t pages)
{
    struct vm_object *devzero = vm_object_devzero();

    (void)task;
    return devzero ? vm_object_create(FL_OBJECT_ANONYMOUS, pages, devzero) : NULL;
}

/* A file of core's own with nothing in it, and zeros behind: what is written is copied to the front
 * once, for all. */
static struct vm_object *shared_object(uint32_t pages)
{
    struct vm_object *devzero = vm_object_devzero();

    return devzero ? vm_object_create(FL_OBJECT_SHARED, pages, devzero) : NULL;
}

static uint32_t object_to_map(const struct vm_thread *self, const struct vm_area *area,
                              uint32_t flags, uint32_t descriptor, struct vm_object **object)
{
    if (!(flags & VM_MAP_ANONYMOUS)) {
        *object = vm_files_find(self->files, descriptor);
        return *object ? FL_ERROR_OK : FL_ERROR_NO_FILE;
    }
    *object =
        area->shared ? shared_object(area->pages) : policy()->anonymous(self->task, area->pages);
    return *object ? FL_ERROR_OK : FL_ERROR_NO_MEMORY;
}

/* Shows the object in a new area. It goes when it is new and there is no room for the area. */
static uint32_t show(struct vm_thread *self, const struct vm_area *like, struct vm_object *object)
{
    struct vm_area *area = vm_area_create(self->task, like);

    if (!area) {
        vm_object_settle(object);
        return FL_ERROR_NO_MEMORY;
    }
    vm_area_show(area, object);
    return FL_ERROR_OK;
}

uint32_t vm_rpc_map(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);
    uint32_t flags = words[1] % FL_PAGE_SIZE;
    struct vm_area area = {
        .pages = words[1] / FL_PAGE_SIZE,
        .rights = flags & FL_RIGHTS_RWX,
        .shared = flags & VM_MAP_SHARED,
        .offset = words[3],
    };
    struct vm_object *object;

    if (!self)
        return FL_ERROR_NO_MEMORY;
    if (area.pages == 0 || (flags & VM_MAP_ANONYMOUS && area.offset))
        return FL_ERROR_INVALID;
    area.base = place(domain, words[0], area.pages);
    if (policy()->is_error(area.base))
        return vm_error(area.base);
    words[0] = area.base;
    uint32_t status = object_to_map(self, &area, flags, words[2], &object);
    return status == FL_ERROR_OK ? show(self, &area, object) : status;
}

uint32_t vm_rpc_unmap(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);

    if (!self)
        return FL_ERROR_NO_MEMORY;
    if (words[0] % FL_PAGE_SIZE || words[0] >= FL_USER_END || words[1] > FL_USER_END - words[0])
        return FL_ERROR_INVALID;
    return vm_area_unmap(self->task, words[0], (words[1] + FL_PAGE_SIZE - 1) / FL_PAGE_SIZE);
}

/* A segment has one address, the same in every task, from the first attach to the last detach. */
static uint32_t attach_segment(struct vm_thread *self, uint32_t key, uint32_t pages,
                               uint32_t *address)
{
    struct vm_object *object = vm_object_of_key(key);

    if (object)
        pages = object->pages;
    if (pages == 0)
        return FL_ERROR_INVALID;
    uint32_t at = place(self->domain, object ? object->base : policy()->shm_address(pages), pages);
    if (policy()->is_error(at))
        return vm_error(at);
    if (!object && (object = shared_object(pages))) {
        object->key = key;
        object->base = at;
    }
    *address = at;
    return object ? show(self,
                         &(struct vm_area){
                             .base = at, .pages = pages, .rights = FL_RIGHTS_RW, .shared = true},
                         object)
                  : FL_ERROR_NO_MEMORY;
}

uint32_t vm_rpc_shm_attach(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);

    if (!self)
        return FL_ERROR_NO_MEMORY;
    if (words[0] & KEY_OF_THREAD)
        return FL_ERROR_INVALID;
    return attach_segment(self, words[0], (words[1] + FL_PAGE_SIZE - 1) / FL_PAGE_SIZE, &words[0]);
}

/* "Shared utcb has unique virtual address for every thread", and "could be created as a shared
 * memory object" (seed 004): a segment that goes by the thread. Others are shown it once the thread
 * has asked for it. */
uint32_t vm_rpc_message_page(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);
    uint32_t key = KEY_OF_THREAD | (words[0] ? words[0] : sender);
    const struct vm_object *object = vm_object_of_key(key);

    if (!self)
        return FL_ERROR_NO_MEMORY;
    if (words[0] && !object)
        return FL_ERROR_NO_THREAD;
    const struct vm_area *area = object ? vm_area_find(self->task, object->base) : NULL;
    if (!area || area->object != object)
        return attach_segment(self, key, 1, &words[0]);
    words[0] = object->base;
    return FL_ERROR_OK;
}

/* ---- Tasks ---- */

uint32_t vm_rpc_clone(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);
    struct sys_thread_args start = {.ip = words[0], .sp = words[1], .arg = words[2]};

    return self ? vm_thread_clone(self, &start, words[3], &words[0]) : FL_ERROR_NO_MEMORY;
}

/* The thread ends by itself; it needs no memory but the program's text for that. */
uint32_t vm_rpc_exit(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);

    if (!self)
        return FL_ERROR_NO_MEMORY;
    vm_thread_exit(self, words[0]);
    return FL_ERROR_OK;
}

uint32_t vm_rpc_reap(struct domain *domain, tid_t sender, uint32_t *words)
{
    const struct vm_thread *self = vm_thread_of(domain, sender);

    return self ? vm_thread_reap(self, words[0], &words[0]) : FL_ERROR_NO_MEMORY;
}

/* ---- Files ---- */

uint32_t vm_rpc_open(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct vm_thread *self = vm_thread_of(domain, sender);
    uint32_t error = FL_ERROR_NO_MEMORY;
    struct vm_object *object = self ? vm_file_open(&error) : NULL;

    if (!object)
        return error;
    words[0] = vm_files_add(self->files, object);
    words[1] = object->pages * FL_PAGE_SIZE;
    if (words[0] < VM_DESCRIPTORS)
        return FL_ERROR_OK;
    vm_object_settle(object);
    return FL_ERROR_NO_MEMORY;
}

uint32_t vm_rpc_close(struct domain *domain, tid_t sender, uint32_t *words)
{
    const struct vm_thread *self = vm_thread_of(domain, sender);

    return self && vm_files_close(self->files, words[0]) ? FL_ERROR_OK : FL_ERROR_NO_FILE;
}

/* The buffers are two pages of the program's bss, which stays where it is since this domain is no
 * task.
 */
uint32_t vm_rpc_serve_files(struct domain *domain, tid_t sender, uint32_t *words)
{
    const struct program_segments *parts = &info()->program;
    uint32_t page = (words[0] - parts->bss_base) / FL_PAGE_SIZE;

    if (domain->task || words[0] % FL_PAGE_SIZE || page + 1 >= parts->bss_pages)
        return FL_ERROR_INVALID;
    if (!page_in_start())
        return FL_ERROR_NO_MEMORY;
    vm_file_serve(sender, domain->bss_frame + page);
    return FL_ERROR_OK;
}

uint32_t vm_rpc_policy(struct domain *domain, tid_t sender, uint32_t *words)
{
    (void)domain, (void)sender;
    return policy_swap(words[0]) ? FL_ERROR_OK : FL_ERROR_INVALID;
}
