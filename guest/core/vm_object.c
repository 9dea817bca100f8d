#include <stddef.h>
#include "audit.h"
#include "policy.h"
#include "refusal.h"
#include "sys.h"
#include "vm_file.h"
#include "vm_object.h"
#include "vm_totals.h"

#define MAX_OBJECTS 40u

static struct vm_object objects[MAX_OBJECTS];
static uint32_t objects_made;

AUDIT_FIELD(OBJECT_KIND, objects, kind);
AUDIT_FIELD(OBJECT_NUMBER, objects, number);
AUDIT_FIELD(OBJECT_BEHIND, objects, behind);
AUDIT_FIELD(OBJECT_LINKS, objects, links);
AUDIT_FIELD(OBJECT_SHADOWS, objects, shadows);
AUDIT_FIELD(OBJECT_OPENERS, objects, openers);
AUDIT_FIELD(OBJECT_PAGES, objects, owned);
AUDIT_FIELD(OBJECT_FRAMES, objects, frames.first);

struct vm_totals vm_totals;

AUDIT_NUMBER(TOTAL_OBJECTS, vm_totals.objects);
AUDIT_NUMBER(TOTAL_SHADOWS, vm_totals.shadows);
AUDIT_NUMBER(TOTAL_FILES, vm_totals.files);
AUDIT_NUMBER(TOTAL_AREAS, vm_totals.areas);
AUDIT_NUMBER(TOTAL_TASKS, vm_totals.tasks);

/* ---- What the trace is told ---- */

static void tell_object(uint32_t event, uint32_t addr, uint32_t arg, const struct vm_object *object)
{
    sys_tell(event, FL_SPACE_CORE, addr, arg, object->number);
}

static void tell_counts(const struct vm_object *object)
{
    tell_object(FL_EVENT_OBJECT_COUNTS, object->links, object->shadows, object);
}

/* ---- Making and finding ---- */

/* An object more or less, in the running counts of all. */
static void count(const struct vm_object *object, int change)
{
    vm_totals.objects += change;
    vm_totals.shadows += object->kind == FL_OBJECT_SHADOW ? change : 0;
    vm_totals.files += object->kind == FL_OBJECT_FILE ? change : 0;
}

struct vm_object *vm_object_create(uint32_t kind, uint32_t pages, struct vm_object *behind)
{
    if (refused(FL_FAIL_SLAB))
        return NULL;
    for (struct vm_object *object = objects; object < objects + MAX_OBJECTS; object++)
        if (object->kind == FL_OBJECT_NONE) {
            *object = (struct vm_object){
                .kind = (uint16_t)kind,
                .pages = pages,
                .writable = true,
                .number = ++objects_made,
            };
            count(object, 1);
            tell_object(FL_EVENT_OBJECT_CREATE, 0, kind, object);
            if (behind)
                vm_object_set_behind(object, behind);
            return object;
        }
    return NULL;
}

struct vm_object *vm_object_of_file(uint32_t file)
{
    for (struct vm_object *object = objects; object < objects + MAX_OBJECTS; object++)
        if (object->kind == FL_OBJECT_FILE && object->file == file)
            return object;
    return NULL;
}

struct vm_object *vm_object_of_key(uint32_t key)
{
    for (struct vm_object *object = objects; object < objects + MAX_OBJECTS; object++)
        if (object->kind == FL_OBJECT_SHARED && object->base && object->key == key)
            return object;
    return NULL;
}

static const struct vm_object *named_in(uint32_t base, uint32_t end)
{
    for (const struct vm_object *object = objects; object < objects + MAX_OBJECTS; object++)
        if (object->kind == FL_OBJECT_SHARED && object->base < end &&
            base < object->base + object->pages * FL_PAGE_SIZE)
            return object;
    return NULL;
}

uint32_t vm_object_unique_address(uint32_t pages)
{
    uint32_t at = FL_SHM_BASE;

    while (pages <= (FL_UTCB_BASE - at) / FL_PAGE_SIZE) {
        const struct vm_object *there = named_in(at, at + pages * FL_PAGE_SIZE);
        if (!there)
            return at;
        at = there->base + there->pages * FL_PAGE_SIZE;
    }
    return 0;
}

struct vm_object *vm_object_devzero(void)
{
    static struct vm_object *devzero;

    if (!devzero && (devzero = vm_object_create(FL_OBJECT_DEVZERO, 1, NULL)))
        devzero->writable = false;
    return devzero;
}

/* ---- What is in use ---- */

uint32_t vm_objects_in_use(void)
{
    uint32_t used = 0;

    for (const struct vm_object *object = objects; object < objects + MAX_OBJECTS; object++)
        used += object->kind != FL_OBJECT_NONE && object->kind != FL_OBJECT_DEVZERO;
    return used;
}

uint32_t vm_object_zero_frames(void)
{
    uint32_t frames = 0;

    for (const struct vm_object *object = objects; object < objects + MAX_OBJECTS; object++)
        frames += object->kind == FL_OBJECT_DEVZERO ? object->owned : 0;
    return frames;
}

/* ---- Pages ---- */

uint32_t vm_object_page(const struct vm_object *object, uint32_t page)
{
    return frame_list_find(&object->frames, page);
}

void vm_object_own(struct vm_object *object, uint32_t page, uint32_t frame)
{
    frame_list_add(&object->frames, page, frame);
    object->owned++;
    tell_object(FL_EVENT_PAGE_OWN, page, frame, object);
}

void vm_object_refuse(const struct vm_object *object, uint32_t page, uint32_t frame)
{
    tell_object(FL_EVENT_PAGE_BACK, page, frame, object);
    frame_free(frame);
}

static void tell_given(struct vm_object *object, uint32_t page, uint32_t frame)
{
    object->owned--;
    tell_object(FL_EVENT_PAGE_GIVE, page, frame, object);
}

/* Takes one of its pages from the object. 0: it has none left. */
static uint32_t give_page(struct vm_object *object, uint32_t *page)
{
    uint32_t frame = frame_list_take(&object->frames, page);

    if (frame)
        tell_given(object, *page, frame);
    return frame;
}

void vm_object_trim(struct vm_object *object, uint32_t page, uint32_t pages)
{
    for (uint32_t end = page + pages; page < end; page++) {
        uint32_t frame = frame_list_remove(&object->frames, page);
        if (frame) {
            tell_given(object, page, frame);
            frame_free(frame);
        }
    }
}

static uint32_t no_page(struct vm_object *object, uint32_t page)
{
    (void)object, (void)page;
    return 0;
}

static uint32_t zero_page(struct vm_object *devzero, uint32_t page)
{
    uint32_t frame = vm_object_page(devzero, 0);

    (void)page;
    return frame ? frame : policy()->zero_page(devzero);
}

static uint32_t file_page(struct vm_object *file, uint32_t page)
{
    return page < file->pages ? policy()->fetch(file, page) : 0;
}

/* What an object does for a page that it does not own. */
static uint32_t (*const page_in[])(struct vm_object *, uint32_t) = {
    [FL_OBJECT_NONE] = no_page,      [FL_OBJECT_ANONYMOUS] = no_page, [FL_OBJECT_FILE] = file_page,
    [FL_OBJECT_DEVZERO] = zero_page, [FL_OBJECT_SHARED] = no_page,    [FL_OBJECT_SHADOW] = no_page,
};

uint32_t vm_object_page_in(struct vm_object *object, uint32_t page)
{
    uint32_t frame = vm_object_page(object, page);

    return frame ? frame : page_in[object->kind](object, page);
}

/* ---- References: what becomes of an object that lost one ---- */

static struct vm_object *only_shadow(const struct vm_object *object)
{
    struct vm_object *shadow = objects;

    while (shadow->kind == FL_OBJECT_NONE || shadow->behind != object)
        shadow++;
    return shadow;
}

/* The pages that its only shadow lacks become the shadow's; who shadows nothing any more goes. */
static void merge(struct vm_object *object)
{
    struct vm_object *shadow = only_shadow(object);
    uint32_t page, frame;

    while ((frame = give_page(object, &page)))
        if (vm_object_page(shadow, page))
            frame_free(frame);
        else
            vm_object_own(shadow, page, frame);
    vm_object_set_behind(shadow, object->behind);
}

static void delete (struct vm_object *object)
{
    uint32_t page, frame;

    while ((frame = give_page(object, &page))) {
        if (frame_is_dirty(frame))
            vm_file_write(object->file, page, frame);
        frame_free(frame);
    }
    if (object->behind)
        vm_object_set_behind(object, NULL);
    tell_object(FL_EVENT_OBJECT_DELETE, 0, 0, object);
    count(object, -1);
    object->kind = FL_OBJECT_NONE;
}

bool vm_object_unshadowed(const struct vm_object *object)
{
    return object->shadows == 0;
}

void vm_object_count_shadow(struct vm_object *object)
{
    object->shadows++;
}

void vm_object_uncount_shadow(struct vm_object *object)
{
    object->shadows--;
}

void vm_object_settle(struct vm_object *object)
{
    if (object->links || object->openers || object->kind == FL_OBJECT_DEVZERO)
        return;
    if (policy()->unshadowed(object))
        delete (object);
    else if (object->shadows == 1 && vm_object_is_private(object))
        merge(object);
}

void vm_object_set_behind(struct vm_object *object, struct vm_object *behind)
{
    struct vm_object *before = object->behind;

    object->behind = behind;
    tell_object(FL_EVENT_OBJECT_BEHIND, 0, behind ? behind->number : 0, object);
    if (behind) {
        policy()->count_shadow(behind);
        tell_counts(behind);
    }
    if (before) {
        policy()->uncount_shadow(before);
        tell_counts(before);
        vm_object_settle(before);
    }
}

void vm_object_link(struct vm_object *object)
{
    object->links++;
    tell_counts(object);
}

void vm_object_unlink(struct vm_object *object)
{
    object->links--;
    tell_counts(object);
    vm_object_settle(object);
}

void vm_object_open(struct vm_object *object)
{
    object->openers++;
}

void vm_object_close(struct vm_object *object)
{
    object->openers--;
    vm_object_settle(object);
}
