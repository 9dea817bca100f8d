/* Names instead of numbers, all from the tables in guest/abi. */
#include <stdio.h>
#include <string.h>
#include "trace.h"

static const struct trace_event_info events[] = {
#define FL_EVENT(value, ID, event_name, a_kind, a_name, g_kind, g_name, x_kind, x_name, text)      \
    [value] = {.name = event_name,                                                                 \
               .doc = text,                                                                        \
               .addr_kind = TRACE_FIELD_##a_kind,                                                  \
               .addr_name = a_name,                                                                \
               .arg_kind = TRACE_FIELD_##g_kind,                                                   \
               .arg_name = g_name,                                                                 \
               .aux_kind = TRACE_FIELD_##x_kind,                                                   \
               .aux_name = x_name},
#include "events.def"
#undef FL_EVENT
};

/* The kinds under the names that names.def gives them: TRACE_ERROR is the domain of GErrors. */
enum {
    KIND_DEPTH = TRACE_DEPTH,
    KIND_OUTCOME = TRACE_OUTCOME,
    KIND_ACCESS = TRACE_ACCESS,
    KIND_RIGHTS = TRACE_RIGHTS,
    KIND_HALT = TRACE_HALT,
    KIND_SWITCH = TRACE_SWITCH,
    KIND_ERROR = TRACE_ERRORS,
    KIND_LABEL = TRACE_LABEL,
    KIND_OBJECT = TRACE_OBJECT,
    KIND_AUDIT = TRACE_AUDIT,
    KIND_DEED = TRACE_DEED,
    KIND_FAIL = TRACE_FAIL,
};

static const struct {
    unsigned kind;
    uint32_t value;
    const char *name;
} values[] = {
#define FL_VALUE(kind, value, ID, text) {KIND_##kind, value, text},
#include "names.def"
#undef FL_VALUE
};

static const struct {
    const char *name;
    unsigned depth;
} points[] = {
#define FL_POINT(value, ID, text, least) [value] = {text, FL_DEPTH_##least},
#include "points.def"
#undef FL_POINT
};

static const struct {
    const char *name;
    uint32_t base, size;
    bool paged;
} regions[] = {
#define FL_REGION(ID, start, length, text, in_pages) {text, start, length, in_pages},
#include "regions.def"
#undef FL_REGION
};

const struct trace_event_info *trace_event_info(uint16_t id)
{
    return id < G_N_ELEMENTS(events) && events[id].name ? &events[id] : NULL;
}

const char *trace_value_name(enum trace_kind kind, uint64_t value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        if (values[i].kind == kind && values[i].value == value)
            return values[i].name;
    return NULL;
}

const char *trace_point_name(uint16_t point)
{
    return point < G_N_ELEMENTS(points) ? points[point].name : NULL;
}

unsigned trace_point_depth(uint16_t point)
{
    return trace_point_name(point) ? points[point].depth : FL_DEPTH_NEVER;
}

int trace_depth_of(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        if (values[i].kind == TRACE_DEPTH && values[i].value != FL_DEPTH_NEVER &&
            strcmp(values[i].name, name) == 0)
            return (int)values[i].value;
    return -1;
}

unsigned trace_region(uint64_t address, uint32_t *page)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint64_t offset = address - regions[i].base;
        if (offset < regions[i].size) {
            *page = regions[i].paged ? (uint32_t)(offset >> FL_PAGE_SHIFT) : 0;
            return i + 1;
        }
    }
    *page = 0;
    return 0;
}

const char *trace_region_name(unsigned region)
{
    return region >= 1 && region <= G_N_ELEMENTS(regions) ? regions[region - 1].name : "elsewhere";
}

/* ---- Threads: a path has one byte a level, the domain's in the highest ---- */

#define FIRST_DOMAIN 2u

static uint32_t path_cut(uint32_t path, unsigned levels)
{
    return path & (uint32_t)(0xffffffff00000000u >> 8 * levels);
}

static unsigned path_byte(uint32_t path, unsigned level)
{
    return path >> (24 - 8 * level) & 0xff;
}

/* Levels of a path; 0 for the kernel's, and for one that goes on after its end. */
static unsigned path_levels(uint32_t path)
{
    unsigned levels = 0;
    while (levels < FL_MAX_PATH_LEVELS && path_byte(path, levels))
        levels++;
    return path_cut(path, levels) == path ? levels : 0;
}

/* Names of the guest's tables fill their array up to the last byte. */
static void copy_name(char buffer[TRACE_NAME_MAX], const char *name, size_t size)
{
    size_t length = strnlen(name, MIN(size, TRACE_NAME_MAX - 1));
    memcpy(buffer, name, length);
    buffer[length] = '\0';
}

static void domain_name(const struct fl_scenario *scenario, unsigned i, char name[TRACE_NAME_MAX])
{
    name[0] = '\0';
    if (scenario && i < MIN(scenario->n_domains, FL_MAX_DOMAINS))
        copy_name(name, scenario->domains[i].name, sizeof scenario->domains[i].name);
    if (!name[0])
        snprintf(name, TRACE_NAME_MAX, "d%u", i + 1);
}

/* The name of exactly this path, not made up from its parent's. */
static bool own_name(const struct fl_scenario *scenario, uint32_t path, char name[TRACE_NAME_MAX])
{
    name[0] = '\0';
    if (path == FL_PATH_CORE)
        strcpy(name, "core");
    for (uint32_t i = 0; scenario && i < MIN(scenario->n_named, FL_MAX_NAMED_THREADS); i++)
        if (!name[0] && scenario->named[i].path == path)
            copy_name(name, scenario->named[i].name, sizeof scenario->named[i].name);
    if (!name[0] && path_levels(path) == 1)
        domain_name(scenario, path_byte(path, 0) - FIRST_DOMAIN, name);
    return name[0];
}

const char *trace_thread_name(const struct fl_scenario *scenario, uint32_t path,
                              char buffer[TRACE_NAME_MAX])
{
    unsigned levels = path_levels(path);
    if (levels == 0) {
        snprintf(buffer, TRACE_NAME_MAX, path == FL_PATH_KERNEL ? "kernel" : "?0x%08x", path);
        return buffer;
    }
    unsigned named = levels;
    while (!own_name(scenario, path_cut(path, named), buffer))
        named--;
    for (size_t at = strlen(buffer); named < levels; named++)
        at += (size_t)snprintf(buffer + at, TRACE_NAME_MAX - at, ".%u", path_byte(path, named));
    return buffer;
}

/* The path of `name` if it begins with the name of `head`, else 0. */
static uint32_t path_below(const struct fl_scenario *scenario, uint32_t head, const char *name)
{
    char text[TRACE_NAME_MAX];
    if (!own_name(scenario, head, text) || !g_str_has_prefix(name, text))
        return 0;
    uint32_t path = head;
    unsigned levels = path_levels(head);
    for (const char *rest = name + strlen(text); *rest; levels++) {
        guint64 child;
        char *number = g_strndup(rest + 1, strcspn(rest + 1, "."));
        bool sound = *rest == '.' && levels >= 1 && levels < FL_MAX_PATH_LEVELS &&
                     g_ascii_string_to_unsigned(number, 10, 1, FL_MAX_CHILDREN, &child, NULL);
        rest += 1 + strlen(number);
        g_free(number);
        if (!sound)
            return 0;
        path |= (uint32_t)child << (24 - 8 * levels);
    }
    /* Only what a trace would show: neither main.1 where it is called t1, nor main.01. */
    return strcmp(trace_thread_name(scenario, path, text), name) == 0 ? path : 0;
}

uint32_t trace_thread_path(const struct fl_scenario *scenario, const char *name)
{
    uint32_t path = 0;
    for (uint32_t i = 0; !path && scenario && i < MIN(scenario->n_named, FL_MAX_NAMED_THREADS); i++)
        path = path_below(scenario, scenario->named[i].path, name);
    for (uint32_t first = 1; !path && first <= 0xff; first++)
        path = path_below(scenario, first << 24, name);
    return path;
}

const char *trace_space_name(const struct fl_scenario *scenario, uint16_t space,
                             char buffer[TRACE_NAME_MAX])
{
    if (space == FL_SPACE_KERNEL)
        strcpy(buffer, "kernel");
    else if (space == FL_SPACE_CORE)
        strcpy(buffer, "core");
    else
        domain_name(scenario, space - FIRST_DOMAIN, buffer);
    return buffer;
}
