#include <stddef.h>
#include "audit.h"
#include "info.h"
#include "mapping.h"
#include "policy.h"
#include "refusal.h"
#include "vm.h"
#include "vm_file.h"
#include "vm_task.h"
#include "vm_totals.h"

#define MAX_MEMBERS 24u

static struct vm_task tasks[MAX_DOMAINS];
static struct vm_thread members[MAX_MEMBERS];

AUDIT_FIELD(TASK_SPACE, tasks, space);
AUDIT_FIELD(TASK_AREAS, tasks, areas);

/* ---- Tasks ---- */

static struct vm_task *task_create(struct domain *domain)
{
    if (refused(FL_FAIL_SLAB))
        return NULL;
    for (struct vm_task *task = tasks; task < tasks + MAX_DOMAINS; task++)
        if (task->space == FL_SPACE_KERNEL) {
            *task = (struct vm_task){.space = (uint16_t)domain->space};
            domain->task = task;
            vm_totals.tasks++;
            return task;
        }
    return NULL;
}

void vm_drop_areas(struct vm_task *task)
{
    FOR_EACH_AREA (area, task)
        vm_area_delete(area);
}

static void task_end(struct vm_task *task)
{
    policy()->drop_areas(task);
    sys_tell(FL_EVENT_TASK_END, task->space, 0, 0, 0);
    vm_totals.tasks--;
    task->space = FL_SPACE_KERNEL;
}

/* That pages of what the domain was loaded into are mapped, as they are. */
static bool note_row(const struct vm_area *area, uint32_t page, uint32_t frame, uint32_t pages)
{
    for (uint32_t i = page; i < page + pages; i++, frame++)
        if (!mapping_note(area->space, area->base + i * FL_PAGE_SIZE, frame, area->rights))
            return false;
    return true;
}

/* The frames become pages of the object. */
static void own_row(struct vm_object *object, uint32_t page, uint32_t frame, uint32_t pages)
{
    frame_row_loosen(pages);
    for (uint32_t i = page; i < page + pages; i++, frame++)
        vm_object_own(object, i, frame);
}

/* An object that the area will show. NULL: no room for both. */
static struct vm_object *show_in_new(struct vm_task *task, const struct vm_area *like,
                                     struct vm_area **area)
{
    struct vm_object *devzero = vm_object_devzero();
    struct vm_object *object =
        devzero ? vm_object_create(FL_OBJECT_ANONYMOUS, like->pages, devzero) : NULL;

    *area = object ? vm_area_create(task, like) : NULL;
    if (object && !*area)
        vm_object_settle(object);
    return *area ? object : NULL;
}

/* The program's data and bss, in which main's stack lies, as an area. false: nothing changed. */
static bool adopt_program(struct domain *domain, struct vm_task *task)
{
    const struct program_segments *parts = &info()->program;
    const struct vm_area like = {.base = parts->data_base,
                                 .pages = parts->data_pages + parts->bss_pages,
                                 .rights = FL_RIGHTS_RW,
                                 .space = task->space};
    struct vm_area *area;
    struct vm_object *object =
        note_row(&like, 0, domain->data_frame, parts->data_pages) &&
                note_row(&like, parts->data_pages, domain->bss_frame, parts->bss_pages)
            ? show_in_new(task, &like, &area)
            : NULL;

    if (!object) {
        mapping_forget(like.space, like.base, like.pages);
        return false;
    }
    own_row(object, 0, domain->data_frame, parts->data_pages);
    own_row(object, parts->data_pages, domain->bss_frame, parts->bss_pages);
    domain->bss_frame = 0;
    vm_area_show(area, object);
    return true;
}

/* The domain is a task from now on. What is refused to its first call after that leaves it one. */
static bool become_task(struct domain *domain)
{
    struct vm_task *task = domain->bss_frame ? task_create(domain) : NULL;

    if (task && !adopt_program(domain, task)) {
        vm_totals.tasks--;
        task->space = FL_SPACE_KERNEL;
        domain->task = NULL;
    }
    totals_note();
    return domain->task;
}

/* ---- Threads ---- */

static struct vm_thread *member_find(tid_t tid)
{
    struct vm_thread *member = members;

    while (member < members + MAX_MEMBERS && member->tid != tid)
        member++;
    return member < members + MAX_MEMBERS ? member : NULL;
}

static struct vm_thread *member_create(struct domain *domain, tid_t tid, uint32_t files)
{
    struct vm_thread *member = files && !refused(FL_FAIL_SLAB) ? member_find(0) : NULL;

    if (member) {
        *member =
            (struct vm_thread){.tid = tid, .task = domain->task, .domain = domain, .files = files};
        domain->task->threads++;
    }
    return member;
}

struct vm_thread *vm_thread_of(struct domain *domain, tid_t thread)
{
    struct vm_thread *member = member_find(thread);

    if (member)
        return member->task ? member : NULL;
    if (!domain->task && !become_task(domain))
        return NULL;
    uint32_t files = vm_files_create();
    member = member_create(domain, thread, files);
    if (member)
        totals_note();
    else if (files)
        vm_files_leave(files);
    return member;
}

uint32_t vm_tasks_in_use(void)
{
    uint32_t used = 0;

    for (const struct vm_task *task = tasks; task < tasks + MAX_DOMAINS; task++)
        used += task->space != FL_SPACE_KERNEL;
    for (const struct vm_thread *member = members; member < members + MAX_MEMBERS; member++)
        used += member->tid != 0;
    return used;
}

/* ---- Fork and clone ---- */

/* Only a first object is ever written, so that these are all that there is to freeze. */
void vm_freeze(struct vm_task *task)
{
    FOR_EACH_AREA (area, task)
        if (area->object->writable && vm_object_is_private(area->object))
            mapping_protect(task->space, area->base, area->pages, area->rights & ~2u);
    FOR_EACH_AREA (area, task)
        if (vm_object_is_private(area->object))
            area->object->writable = false;
}

static bool copy_areas(struct vm_task *to, const struct vm_task *from)
{
    FOR_EACH_AREA (area, from) {
        struct vm_area *copy = vm_area_create(to, area);
        if (!copy)
            return false;
        vm_area_show(copy, area->object);
    }
    return true;
}

/* The copy, to which no thread came. */
void vm_end_fork(struct domain *child)
{
    task_end(child->task);
    child->task = NULL;
    domain_end(child);
}

/* A domain with a copy of all that the task sees. NULL: no memory; then nothing is left of it. */
static struct domain *fork_domain(const struct domain *domain)
{
    struct domain *child = domain_fork(domain);

    if (!child)
        return NULL;
    if (task_create(child)) {
        policy()->freeze(domain->task);
        if (copy_areas(child->task, domain->task))
            return child;
        policy()->end_fork(child);
    } else
        domain_end(child);
    return NULL;
}

static void leave_task(struct domain *domain)
{
    if (--domain->task->threads == 0) {
        task_end(domain->task);
        domain->task = NULL;
    }
}

uint32_t vm_thread_clone(struct vm_thread *self, struct sys_thread_args *start, uint32_t flags,
                         tid_t *thread)
{
    struct domain *domain = flags & VM_CLONE_SPACE ? self->domain : fork_domain(self->domain);
    if (!domain)
        return FL_ERROR_NO_MEMORY;

    uint32_t files =
        flags & VM_CLONE_FILES ? vm_files_share(self->files) : vm_files_copy(self->files);
    struct vm_thread *child = member_create(domain, 0, files);
    uint32_t status = FL_ERROR_NO_MEMORY;
    if (child) {
        start->parent = self->tid;
        child->parent = flags & VM_CLONE_PARENT ? self->parent : self->tid;
        status = domain_thread_create(domain, start, thread);
        if (status == FL_ERROR_OK) {
            child->tid = *thread;
            return FL_ERROR_OK;
        }
        domain->task->threads--;
    }
    if (files)
        vm_files_leave(files);
    if (!(flags & VM_CLONE_SPACE))
        policy()->end_fork(domain);
    return status;
}

/* ---- Exit ---- */

void vm_thread_exit(struct vm_thread *thread, uint32_t code)
{
    for (struct vm_thread *child = members; child < members + MAX_MEMBERS; child++)
        if (child->tid && child->parent == thread->tid)
            child->parent = thread->parent;
    vm_files_leave(thread->files);
    leave_task(thread->domain);
    thread->task = NULL;
    thread->code = code;
}

/* Is nothing left of the domain, not even a thread that may still be on its way to its end? */
static bool is_deserted(const struct domain *domain)
{
    const struct vm_thread *member = members;

    while (member < members + MAX_MEMBERS && (!member->tid || member->domain != domain))
        member++;
    return !domain->task && member == members + MAX_MEMBERS;
}

uint32_t vm_thread_reap(const struct vm_thread *self, tid_t child, uint32_t *code)
{
    struct vm_thread *ended = child ? member_find(child) : NULL;

    if (!ended || ended->parent != self->tid)
        return FL_ERROR_NO_THREAD;
    if (ended->task) /* it was put on halt before it could */
        vm_thread_exit(ended, FL_ERROR_PARTNER_GONE);
    *code = ended->code;
    domain_thread_destroy(ended->domain, child);
    ended->tid = 0;
    if (is_deserted(ended->domain))
        domain_end(ended->domain);
    return FL_ERROR_OK;
}
