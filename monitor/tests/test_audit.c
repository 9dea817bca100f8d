/* Audits of a core that is made by hand: nothing is off in a sound one; of each thing that can be
 * off the audit says what, of which object, and both numbers; and no core is wild enough to hurt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>
#include "audit.h"
#include "scratch.h"

#define RAM     0x40000000u
#define FIRST   0x4000u /* offsets in RAM: tables, and where core lies */
#define SECOND  0x8000u
#define CORE    0x10000u
#define VIRTUAL 0x00100000u
#define POOL    8u
#define FRAME   0x408u /* number of the pool's first */
#define FROZEN  7u     /* numbers of objects */
#define SHADOW  8u

/* As in guest/core, as far as it matters: addresses are core's own. */
struct core {
    struct {
        uint16_t next, page;
    } links[POOL];
    uint32_t pool_first, used;
    uint16_t freed, pad;
    uint32_t fixed;
    struct {
        uint32_t tid, frame;
    } clients[2];
    struct {
        uint32_t size;
        uint16_t frames, pad;
    } dataspaces[2];
    struct {
        uint32_t base, end, first;
    } maps[2];
    struct {
        uint32_t next, map, dataspace, base, size;
    } regions[3];
    struct {
        uint32_t behind;
        uint16_t frames, kind, links, shadows, openers, pages;
        uint32_t number;
    } objects[4];
    struct {
        uint32_t object, base, pages, offset;
        uint16_t space, pad;
    } areas[3];
    struct {
        uint16_t space, areas;
    } tasks[3];
    struct {
        uint32_t users, open[2];
    } tables[2];
    uint32_t objects_in_use, shadows, files, areas_in_use, tasks_in_use;
    uint32_t root; /* of the tables' field OBJECT_OPENERS, in one test */
};

#define AT(member) (VIRTUAL + (uint32_t)offsetof(struct core, member))
#define FIELD(ID, table, field)                                                                    \
    {                                                                                              \
        .id = FL_AUDIT_FIELD_##ID, .size = sizeof(core->table[0].field),                           \
        .address = AT(table[0].field),                                                             \
        .offset =                                                                                  \
            (uint32_t)(offsetof(struct core, table[0].field) - offsetof(struct core, table)),      \
        .stride = sizeof(core->table[0]), .count = G_N_ELEMENTS(core->table)                       \
    }
#define NUMBER(ID, member)                                                                         \
    {                                                                                              \
        .id = FL_AUDIT_FIELD_##ID, .size = sizeof(core->member), .address = AT(member),            \
        .stride = sizeof(core->member), .count = 1                                                 \
    }

static struct guestmem *memory;
static struct core *core;

static const struct fl_audit_field fields[] = {
    FIELD(FRAME_NEXT, links, next),
    FIELD(FRAME_PAGE, links, page),
    NUMBER(FRAMES_FIRST, pool_first),
    NUMBER(FRAMES_USED, used),
    NUMBER(FRAMES_FREED, freed),
    NUMBER(FRAMES_FIXED, fixed),
    FIELD(CLIENT_FRAME, clients, frame),
    FIELD(DATASPACE_SIZE, dataspaces, size),
    FIELD(DATASPACE_FRAMES, dataspaces, frames),
    FIELD(MAP_END, maps, end),
    FIELD(MAP_FIRST, maps, first),
    FIELD(REGION_NEXT, regions, next),
    FIELD(REGION_MAP, regions, map),
    FIELD(REGION_DATASPACE, regions, dataspace),
    FIELD(REGION_BASE, regions, base),
    FIELD(REGION_SIZE, regions, size),
    FIELD(OBJECT_KIND, objects, kind),
    FIELD(OBJECT_NUMBER, objects, number),
    FIELD(OBJECT_BEHIND, objects, behind),
    FIELD(OBJECT_LINKS, objects, links),
    FIELD(OBJECT_SHADOWS, objects, shadows),
    FIELD(OBJECT_OPENERS, objects, openers),
    FIELD(OBJECT_PAGES, objects, pages),
    FIELD(OBJECT_FRAMES, objects, frames),
    FIELD(AREA_SPACE, areas, space),
    FIELD(AREA_BASE, areas, base),
    FIELD(AREA_PAGES, areas, pages),
    FIELD(AREA_OBJECT, areas, object),
    FIELD(AREA_OFFSET, areas, offset),
    FIELD(TASK_SPACE, tasks, space),
    FIELD(TASK_AREAS, tasks, areas),
    FIELD(DESCRIPTOR_OBJECT, tables, open),
    NUMBER(TOTAL_OBJECTS, objects_in_use),
    NUMBER(TOTAL_SHADOWS, shadows),
    NUMBER(TOTAL_FILES, files),
    NUMBER(TOTAL_AREAS, areas_in_use),
    NUMBER(TOTAL_TASKS, tasks_in_use),
};

static void put(uint32_t offset, uint32_t value)
{
    memcpy(guestmem_at(memory, offset, sizeof value, 4), &value, sizeof value);
}

/* A frozen object with two pages and a shadow with one, each shown by a task; a dataspace with a
 * page, attached twice; a message page; one page given back, one given away for good. */
static void make_core(void)
{
    *core = (struct core){
        .links =
            {[2] = {.next = 4, .page = 0}, [3] = {.page = 1}, [4] = {.page = 2}, [6] = {.page = 5}},
        .pool_first = FRAME,
        .used = 7,
        .freed = 6,
        .fixed = 1,
        .clients = {{.tid = 1, .frame = FRAME + 1}},
        .dataspaces = {{.size = 0x1000, .frames = 7}},
        .maps = {{.end = 0x80000000, .first = AT(regions[1])}},
        .regions = {{.map = AT(maps[0]),
                     .dataspace = AT(dataspaces[0]),
                     .base = 0x30001000,
                     .size = 0x1000},
                    {.next = AT(regions[0]),
                     .map = AT(maps[0]),
                     .dataspace = AT(dataspaces[0]),
                     .base = 0x30000000,
                     .size = 0x1000}},
        .objects = {{.frames = 3,
                     .kind = FL_OBJECT_ANONYMOUS,
                     .links = 1,
                     .shadows = 1,
                     .openers = 1,
                     .pages = 2,
                     .number = FROZEN},
                    {.behind = AT(objects[0]),
                     .frames = 5,
                     .kind = FL_OBJECT_SHADOW,
                     .links = 1,
                     .pages = 1,
                     .number = SHADOW}},
        .areas = {{.object = AT(objects[0]), .base = 0x50000000, .pages = 2, .space = 2},
                  {.object = AT(objects[1]), .base = 0x50000000, .pages = 2, .space = 3}},
        .tasks = {{.space = 2, .areas = 1}, {.space = 3, .areas = 1}},
        .tables = {{.users = 1, .open = {0, AT(objects[0])}}},
        .objects_in_use = 2,
        .shadows = 1,
        .areas_in_use = 2,
        .tasks_in_use = 2,
    };
}

static int setup(void **state)
{
    char *path = g_build_filename(*state, "ram", NULL);
    memory = guestmem_create(path, FL_RAM_SIZE, NULL);
    g_free(path);
    put(FIRST + (VIRTUAL >> 20) * 4, RAM + SECOND + 1);
    for (uint32_t i = 0; i < 256; i++)
        put(SECOND + i * 4, RAM + CORE + i * FL_PAGE_SIZE + 0x87e);
    core = guestmem_at(memory, CORE, sizeof *core, 8);
    make_core();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guestmem_free(memory);
    return 0;
}

static struct fl_audit_result walk_with(const struct fl_audit_field *table, size_t count)
{
    const struct image image = {
        .header = {.arch = FL_ARCH_ARMV7}, .audit = table, .n_audit = count};
    struct audit *audit = audit_new(&image);
    struct fl_audit_result result = audit_walk(audit, memory, RAM + FIRST);
    assert_int_equal(audit_totals(audit).audits, 1);
    assert_int_equal(audit_totals(audit).walked, result.walked);
    assert_int_equal(audit_totals(audit).differ, result.differ > 0);
    audit_free(audit);
    return result;
}

static struct fl_audit_result walk(void)
{
    return walk_with(fields, G_N_ELEMENTS(fields));
}

static void a_sound_core_has_nothing_off(void **state)
{
    (void)state;
    struct fl_audit_result result = walk();
    if (result.differ > 0)
        fail_msg("%u is off of %u: %u, %u", result.what, result.which, result.said, result.counted);
    /* 6 frames, 1 dataspace, 1 map, 2 regions, 2 areas, 2 tasks, 2 objects */
    assert_int_equal(result.walked, 16);
}

/* ---- one thing off at a time ---- */

#define CHANGE(member, new) offsetof(struct core, member), sizeof(((struct core *)0)->member), new

static const struct {
    size_t offset, size;
    uint32_t value;
    uint32_t what, which, said, counted;
} changes[] = {
    {CHANGE(objects[0].links, 2), FL_AUDIT_LINKS, FROZEN, 2, 1},
    {CHANGE(objects[0].shadows, 0), FL_AUDIT_SHADOWS, FROZEN, 0, 1},
    {CHANGE(objects[1].shadows, 3), FL_AUDIT_SHADOWS, SHADOW, 3, 0},
    {CHANGE(objects[0].openers, 0), FL_AUDIT_OPENERS, FROZEN, 0, 1},
    {CHANGE(tables[0].open[0], AT(objects[1])), FL_AUDIT_OPENERS, SHADOW, 0, 1},
    {CHANGE(tables[0].open[0], AT(objects[2])), FL_AUDIT_OPENERS, 0, AT(objects[2]), 0},
    {CHANGE(objects[0].pages, 1), FL_AUDIT_PAGES, FROZEN, 1, 2},
    {CHANGE(objects_in_use, 3), FL_AUDIT_OBJECTS, 0, 3, 2},
    {CHANGE(shadows, 0), FL_AUDIT_SHADOW_OBJECTS, 0, 0, 1},
    {CHANGE(files, 1), FL_AUDIT_FILES, 0, 1, 0},
    {CHANGE(areas_in_use, 1), FL_AUDIT_AREAS, 0, 1, 2},
    {CHANGE(tasks_in_use, 1), FL_AUDIT_TASKS, 0, 1, 2},
    {CHANGE(tasks[1].areas, 2), FL_AUDIT_TASK_AREAS, 3, 2, 1},
    {CHANGE(areas[1].object, 0), FL_AUDIT_CHAIN, 0, 0x50000000, 0},
    {CHANGE(areas[1].object, AT(objects[3])), FL_AUDIT_CHAIN, 0, AT(objects[3]), 0},
    {CHANGE(areas[1].object, AT(objects[1]) + 1), FL_AUDIT_CHAIN, 0, AT(objects[1]) + 1, 0},
    {CHANGE(objects[0].behind, AT(objects[1])), FL_AUDIT_CHAIN, FROZEN, SHADOW, 4},
    {CHANGE(objects[1].behind, 0xe0000000), FL_AUDIT_CHAIN, SHADOW, 0xe0000000, 0},
    {CHANGE(links[3].next, 5), FL_AUDIT_PAGES, FROZEN, 2, 3},
    {CHANGE(links[3].next, 3), FL_AUDIT_FRAME_OWNERS, FRAME + 2, 1, 2},
    {CHANGE(links[3].next, 900), FL_AUDIT_FRAME_LIST, FROZEN, 899, POOL},
    {CHANGE(links[3].page, 0), FL_AUDIT_PAGE_TWICE, FROZEN, 0, 2},
    {CHANGE(clients[1].frame, FRAME + 3), FL_AUDIT_FRAME_OWNERS, FRAME + 3, 1, 2},
    {CHANGE(clients[1].frame, 5), FL_AUDIT_FRAME_LIST, 1, 5u - FRAME, POOL},
    {CHANGE(used, 8), FL_AUDIT_FRAMES_USED, 0, 8, 7},
    {CHANGE(freed, 0), FL_AUDIT_FRAMES_USED, 0, 7, 6},
    {CHANGE(fixed, 0), FL_AUDIT_FRAMES_USED, 0, 7, 6},
    {CHANGE(regions[0].base, 0x2ffff000), FL_AUDIT_REGIONS, 0, AT(regions[0]), 1},
    {CHANGE(regions[0].map, AT(maps[1])), FL_AUDIT_REGIONS, 0, AT(regions[0]), 1},
    {CHANGE(regions[1].next, 0), FL_AUDIT_REGIONS, UINT32_MAX, 2, 1},
    {CHANGE(maps[0].first, 0x7ffffffc), FL_AUDIT_REGIONS, 0, 0x7ffffffc, 0},
};

static void each_thing_that_is_off_is_told(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(changes); i++) {
        make_core();
        memcpy((char *)core + changes[i].offset, &changes[i].value, changes[i].size);
        struct fl_audit_result result = walk();
        if (result.differ == 0 || result.what != changes[i].what ||
            result.which != changes[i].which || result.said != changes[i].said ||
            result.counted != changes[i].counted)
            fail_msg("change %u: %u off, %u of %u: 0x%x, 0x%x", i, result.differ, result.what,
                     result.which, result.said, result.counted);
    }
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    put(SECOND, 0);
    struct fl_audit_result result = walk();
    assert_true(result.differ > 0);
    assert_int_equal(result.what, FL_AUDIT_UNREADABLE);
}

/* Tables that core makes when it needs them, behind a pointer. */
static void tables_behind_a_pointer(void **state)
{
    struct fl_audit_field table[G_N_ELEMENTS(fields)];
    (void)state;
    memcpy(table, fields, sizeof fields);
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        table[i].root = AT(root);
        table[i].address -= VIRTUAL;
    }
    assert_int_equal(walk_with(table, G_N_ELEMENTS(table)).walked, 0);
    core->root = VIRTUAL;
    assert_int_equal(walk_with(table, G_N_ELEMENTS(table)).walked, 16);
    core->root = 0x6fffffff;
    assert_true(walk_with(table, G_N_ELEMENTS(table)).differ > 0);
}

static void an_image_that_says_nothing_is_not_audited(void **state)
{
    (void)state;
    struct fl_audit_result result = walk_with(NULL, 0);
    assert_int_equal(result.walked + result.differ, 0);
}

/* Whatever is written there, a walk comes to its end. */
static void chance_hurts_nobody(void **state)
{
    uint64_t draw = 88172645463325252u;
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        make_core();
        for (unsigned j = 0; j < 1 + i % 8; j++) {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            uint16_t value = (uint16_t)(i % 2 ? draw >> 40 : draw >> 40 & 15);
            memcpy((char *)core + draw % (sizeof *core - sizeof value), &value, sizeof value);
        }
        walk();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_core_has_nothing_off, setup, teardown),
        cmocka_unit_test_setup_teardown(each_thing_that_is_off_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_behind_a_pointer, setup, teardown),
        cmocka_unit_test_setup_teardown(an_image_that_says_nothing_is_not_audited, setup, teardown),
        cmocka_unit_test_setup_teardown(chance_hurts_nobody, setup, teardown),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
