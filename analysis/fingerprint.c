/* The model's facts. A fault that is over, a hold that ended and an object that was deleted are
 * none: the kernel names only what there is, and who names what is gone is told so whatever it was.
 * Nor is it one who runs: any thread that is ready may be the next. */
#include "fingerprint.h"
#include <xxhash.h>
#include "model.h"

enum fact {
    FACT_RUN,
    FACT_THREAD,
    FACT_FAULT,
    FACT_TAKEN_BEFORE,
    FACT_HOLD,
    FACT_OBJECT,
    FACT_AREA,
    FACT_MAPPING,
    FACT_TABLE
};

void fingerprint_fact(struct fingerprint *fingerprint, uint32_t kind, const void *bytes,
                      size_t size)
{
    fingerprint->sum +=
        XXH3_64bits_withSeed(bytes, size, (uint64_t)fingerprint->teller << 32 | kind);
}

/* ---- threads ---- */

static uint64_t hold_state(const struct model *model, uint32_t hold)
{
    return hold != MODEL_NONE ? 1u + model_hold(model, hold)->state : 0;
}

static void thread_facts(const struct model *model, struct fingerprint *fingerprint)
{
    for (guint i = 0; i < model->threads->len; i++) {
        const struct model_thread *thread = model_thread(model, i);
        if (thread->state == THREAD_ALIVE)
            FINGERPRINT_FACT(fingerprint, FACT_THREAD, thread->path, thread->tid, thread->children,
                             thread->space, thread->point, thread->waits, thread->waits_for,
                             thread->waits_at, thread->calls, thread->asks,
                             hold_state(model, thread->reserved));
        else
            FINGERPRINT_FACT(fingerprint, FACT_THREAD, thread->path, FL_MAX_THREADS,
                             thread->children, thread->state, thread->halt_reason, 0, 0, 0, 0, 0,
                             hold_state(model, thread->reserved));
    }
}

/* ---- faults in flight ---- */

static const struct model_fault *in_flight(const struct model *model, guint i)
{
    return model_fault(model, g_array_index(model->in_flight, uint32_t, i));
}

/* How many others in flight were taken before it. */
static uint64_t rank(const struct model *model, const struct model_fault *fault)
{
    uint64_t before = 0;
    for (guint i = 0; i < model->in_flight->len; i++)
        before += in_flight(model, i)->delivers > 0 && in_flight(model, i)->taken < fault->taken;
    return before;
}

/* Of a fault that nobody has taken: who has taken one that was raised later. */
static void taken_before(const struct model *model, const struct model_fault *fault,
                         struct fingerprint *fingerprint)
{
    const guint first = (guint)(fault - model_fault(model, 0)) + 1;
    for (guint i = first; i < model->faults->len; i++) {
        bool told = model_fault(model, i)->delivers == 0;
        for (guint j = first; j < i && !told; j++)
            told = model_fault(model, j)->delivers > 0 &&
                   model_fault(model, j)->pager == model_fault(model, i)->pager;
        if (!told)
            FINGERPRINT_FACT(fingerprint, FACT_TAKEN_BEFORE,
                             model_thread(model, fault->thread)->path,
                             model_fault(model, i)->pager);
    }
}

static void fault_facts(const struct model *model, struct fingerprint *fingerprint)
{
    for (guint i = 0; i < model->in_flight->len; i++) {
        const struct model_fault *fault = in_flight(model, i);
        FINGERPRINT_FACT(fingerprint, FACT_FAULT, model_thread(model, fault->thread)->path,
                         fault->space, fault->address, fault->access, fault->parked,
                         fault->duplicate, fault->pager, fault->delivers, fault->replies,
                         fault->reports, fault->delivers > 0 ? 1 + rank(model, fault) : 0);
        if (fault->delivers == 0)
            taken_before(model, fault, fingerprint);
    }
}

/* ---- slots, objects, areas ---- */

static void slot_facts(const struct model *model, struct fingerprint *fingerprint)
{
    for (guint i = 0; i < model->slots->len; i++) {
        const struct model_slot *slot = model_slot(model, i);
        uint64_t place = 0;
        for (uint32_t j = slot->first; j != MODEL_NONE; j = model_hold(model, j)->next) {
            const struct model_hold *hold = model_hold(model, j);
            FINGERPRINT_FACT(fingerprint, FACT_HOLD, slot->space, slot->address, place++,
                             hold->thread, hold->child, hold->object, hold->state, hold->failed);
        }
    }
}

static void object_facts(const struct model *model, struct fingerprint *fingerprint)
{
    for (guint i = 0; i < model->objects->len; i++) {
        const struct model_object *object = model_object(model, i);
        if (!object->deleted)
            FINGERPRINT_FACT(fingerprint, FACT_OBJECT, i, object->number, object->behind,
                             object->links, object->shadows, object->said_links,
                             object->said_shadows, object->pages, object->kind);
    }
    for (guint i = 0; i < model->areas->len; i++) {
        const struct model_area *area = model_area(model, i);
        if (!area->deleted)
            FINGERPRINT_FACT(fingerprint, FACT_AREA, i, area->space, area->address, area->pages,
                             area->rights, area->offset, area->object);
    }
}

/* ---- tables ---- */

static void mapping_facts(const struct model *model, struct fingerprint *fingerprint)
{
    for (uint32_t i = 0; i <= model->rights_of.mask; i++) {
        const struct table_entry *entry = &model->rights_of.entries[i];
        if (entry->epoch == model->rights_of.epoch && entry->value != FL_RIGHTS_NONE)
            FINGERPRINT_FACT(fingerprint, FACT_MAPPING, entry->key, entry->value,
                             *table_find(&model->frame_of, entry->key));
    }
}

static void table_facts(const struct table *table, uint64_t which, struct fingerprint *fingerprint)
{
    for (uint32_t i = 0; i <= table->mask; i++) {
        const struct table_entry *entry = &table->entries[i];
        if (entry->epoch == table->epoch && entry->value != 0)
            FINGERPRINT_FACT(fingerprint, FACT_TABLE, which, entry->key, entry->value);
    }
}

void model_fingerprint(const struct model *model, struct fingerprint *fingerprint)
{
    const struct table *const tables[] = {&model->holder_of, &model->page_of, &model->owner_of};
    FINGERPRINT_FACT(fingerprint, FACT_RUN, model->begun, model->ended, model->outcome);
    thread_facts(model, fingerprint);
    fault_facts(model, fingerprint);
    slot_facts(model, fingerprint);
    object_facts(model, fingerprint);
    mapping_facts(model, fingerprint);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        table_facts(tables[i], i, fingerprint);
}
