/* See hash.h. The kinds of events.def become a table of what is hashed of each field. */
#include "hash.h"
#include "trace.h"

enum part { PART_NOTHING, PART_NUMBER, PART_PAGE };

struct parts {
    uint8_t addr, arg, aux;
};

enum {
    PART_NONE = PART_NOTHING,
    PART_RAW = PART_NOTHING,
    PART_PC = PART_NOTHING,
    PART_SET = PART_NOTHING,
    PART_VA = PART_PAGE,
    PART_VALUE = PART_NUMBER,
    PART_THREAD = PART_NUMBER,
    PART_OUTCOME = PART_NUMBER,
    PART_ACCESS = PART_NUMBER,
    PART_RIGHTS = PART_NUMBER,
    PART_HALT = PART_NUMBER,
    PART_SWITCH = PART_NUMBER,
    PART_ERROR = PART_NUMBER,
    PART_LABEL = PART_NUMBER,
    PART_OBJECT = PART_NUMBER,
    PART_AUDIT = PART_NUMBER,
    PART_DEED = PART_NUMBER,
    PART_FAIL = PART_NUMBER,
};

#define FL_EVENT(value, ID, name, addr_kind, addr_name, arg_kind, arg_name, aux_kind, aux_name,    \
                 doc)                                                                              \
    [value] = {PART_##addr_kind, PART_##arg_kind, PART_##aux_kind},
static const struct parts parts[] = {
#include "events.def"
};
#undef FL_EVENT

/* Told only when a mode asks for it: the run is the same without. */
#define OF_MODES                                                                                   \
    (UINT64_C(1) << FL_EVENT_SPAN | UINT64_C(1) << FL_EVENT_AUDIT |                                \
     UINT64_C(1) << FL_EVENT_AUDIT_DIFFERS | UINT64_C(1) << FL_EVENT_TOTALS)

static uint64_t hashed(enum part part, uint64_t value)
{
    uint32_t page;
    uint64_t region;

    switch (part) {
    case PART_NOTHING:
        return 0;
    case PART_NUMBER:
        return (uint32_t)value;
    case PART_PAGE:
        region = trace_region(value, &page);
        return region << 32 | page;
    }
    return 0;
}

static uint64_t take(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

uint64_t hash_event(uint64_t hash, const struct fl_event *event)
{
    static const struct parts unknown = {0};
    uint16_t id = fl_event_id(event);
    const struct parts *part = id < FL_EVENT_COUNT ? &parts[id] : &unknown;

    if (id < FL_EVENT_COUNT && OF_MODES >> id & 1)
        return hash;
    hash = take(hash, (uint64_t)event->thread << 32 | (uint64_t)event->point << 16 | id);
    hash = take(hash, (uint64_t)event->space << 48 | hashed(part->addr, event->addr));
    return take(hash, hashed(part->arg, event->arg) << 32 | hashed(part->aux, event->aux));
}
