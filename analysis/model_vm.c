/* Vm objects, their pages, and vm areas: what core tells of them. What core says may be wrong, that
 * is what the checks are for: it is taken as said, and counted. */
#include "model_update.h"

bool model_core_is_done(const struct fl_event *event)
{
    uint16_t id = fl_event_id(event);

    return event->thread == FL_PATH_CORE &&
           (id == FL_EVENT_IPC_REPLY || id == FL_EVENT_FAULT_REPLY ||
            (id == FL_EVENT_IPC_WAIT && event->addr == FL_PATH_KERNEL));
}

static uint64_t page_key(uint32_t object, uint32_t page)
{
    return (uint64_t)object << 32 | page;
}

/* Index of the object of that number; MODEL_NONE: there never was one. */
static uint32_t find_object(const struct model *model, uint32_t number)
{
    const uint32_t *index = number ? table_find(&model->object_of, number) : NULL;

    return index ? *index : MODEL_NONE;
}

/* The object that the event is about, or NULL after a complaint. */
static struct model_object *object_of(struct model *model, const struct fl_event *event)
{
    model->vm_changes++;
    model->now.object = find_object(model, event->aux);
    if (model->now.object != MODEL_NONE)
        return model_object(model, model->now.object);
    model_complain(model, "core tells of object %u, which was never made", event->aux);
    return NULL;
}

void model_object_create(struct model *model, const struct fl_event *event)
{
    struct model_object object = {
        .number = event->aux, .behind = MODEL_NONE, .kind = (uint8_t)event->arg};

    model->vm_changes++;
    if (event->aux == 0 || find_object(model, event->aux) != MODEL_NONE) {
        model_complain(model, "object %u is made a second time", event->aux);
        return;
    }
    model->now.object = model->objects->len;
    *table_put(&model->object_of, event->aux) = model->now.object;
    g_array_append_val(model->objects, object);
}

static void set_behind(struct model *model, struct model_object *object, uint32_t behind)
{
    if (object->behind != MODEL_NONE)
        model_object(model, object->behind)->shadows--;
    object->behind = behind;
    if (behind != MODEL_NONE)
        model_object(model, behind)->shadows++;
}

void model_object_delete(struct model *model, const struct fl_event *event)
{
    struct model_object *object = object_of(model, event);

    if (!object)
        return;
    set_behind(model, object, MODEL_NONE);
    object->deleted = true;
}

void model_object_behind(struct model *model, const struct fl_event *event)
{
    struct model_object *object = object_of(model, event);

    if (object)
        set_behind(model, object, find_object(model, event->arg));
}

void model_object_counts(struct model *model, const struct fl_event *event)
{
    struct model_object *object = object_of(model, event);

    if (!object)
        return;
    object->said_links = (uint32_t)event->addr;
    object->said_shadows = event->arg;
}

/* ---- pages ---- */

uint32_t model_page(const struct model *model, uint32_t object, uint32_t page)
{
    const uint32_t *frame = table_find(&model->page_of, page_key(object, page));

    return frame ? *frame : 0;
}

/* Puts the page's frame, and the frame's owner, and remembers what was there before. */
static void set_page(struct model *model, const struct fl_event *event, bool owned)
{
    struct model_object *object = object_of(model, event);

    if (!object)
        return;
    uint32_t *frame =
        table_put(&model->page_of, page_key(model->now.object, (uint32_t)event->addr));
    uint32_t *owner = table_put(&model->owner_of, event->arg);
    model->now.frame_was = *frame;
    model->now.owner_was = *owner ? *owner - 1 : MODEL_NONE;
    object->pages += (uint32_t)owned - (*frame != 0);
    *frame = owned ? event->arg : 0;
    *owner = owned ? model->now.object + 1 : 0;
}

void model_page_own(struct model *model, const struct fl_event *event)
{
    set_page(model, event, true);
}

void model_page_give(struct model *model, const struct fl_event *event)
{
    set_page(model, event, false);
}

/* It never was the object's: nothing is what it was not before. */
void model_page_back(struct model *model, const struct fl_event *event)
{
    object_of(model, event);
}

/* ---- areas ---- */

uint32_t model_find_area(const struct model *model, uint16_t space, uint64_t address)
{
    for (uint32_t i = model->areas->len; i-- > 0;) {
        const struct model_area *area = model_area(model, i);
        if (!area->deleted && area->space == space && address >= area->address &&
            address - area->address < (uint64_t)area->pages << FL_PAGE_SHIFT)
            return i;
    }
    return MODEL_NONE;
}

void model_area_create(struct model *model, const struct fl_event *event)
{
    struct model_area area = {.address = event->addr,
                              .pages = event->arg,
                              .rights = event->aux,
                              .object = MODEL_NONE,
                              .space = event->space};

    model->vm_changes++;
    model->now.area = model->areas->len;
    g_array_append_val(model->areas, area);
}

/* The area that the event is about, or NULL after a complaint. */
static struct model_area *area_of(struct model *model, const struct fl_event *event)
{
    model->vm_changes++;
    model->now.area = model_find_area(model, event->space, event->addr);
    if (model->now.area != MODEL_NONE)
        return model_area(model, model->now.area);
    model_complain(model, "core tells of an area at 0x%" G_GINT64_MODIFIER "x, where there is none",
                   event->addr);
    return NULL;
}

static void set_front(struct model *model, struct model_area *area, uint32_t object)
{
    if (area->object != MODEL_NONE)
        model_object(model, area->object)->links--;
    area->object = object;
    if (object != MODEL_NONE)
        model_object(model, object)->links++;
}

void model_area_delete(struct model *model, const struct fl_event *event)
{
    struct model_area *area = area_of(model, event);

    if (!area)
        return;
    set_front(model, area, MODEL_NONE);
    area->deleted = true;
}

void model_area_show(struct model *model, const struct fl_event *event)
{
    struct model_area *area = area_of(model, event);

    if (!area)
        return;
    area->offset = event->arg;
    set_front(model, area, find_object(model, event->aux));
}
