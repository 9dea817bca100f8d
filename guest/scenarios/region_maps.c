/* The pager itself: region maps in region maps, what a fault finds in them, and what is refused
 * (after Genode's tests rm_nested and rm_fault). */
#include "core.h"
#include "program.h"
#include "thread.h"

enum { VARIANT_NESTED, VARIANT_PROBES, VARIANT_SAME_PAGE, VARIANT_REFUSED, VARIANTS };

#define PAGE FL_PAGE_SIZE

/* The probes: children of main, each halted by the one access that it makes. */
enum { PROBE_HOLE = 1, PROBE_WRITE, PROBE_EXECUTE, PROBE_DETACHED, PROBES_END };
#define PROBE(n) FL_PATH_CHILD2(0, n)

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "region_maps",
    .summary = "region maps in region maps: what a fault finds there, and what is refused",
    .source = "after Genode's tests rm_nested and rm_fault (repos/base/src/test)",
    .threads = "main; in probes main.1 to main.4, one access each; in same_page main.1, main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_NESTED] =
                {
                    .id = "nested",
                    .summary = "memory seen through two maps at once, and gone from both",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_PROBES] =
                {
                    .id = "probes",
                    .summary = "faults that nothing resolves halt their threads and no other",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                    .n_halts = PROBES_END - 1,
                    .halts =
                        {
                            {PROBE(PROBE_HOLE), FL_HALT_UNRESOLVED_FAULT},
                            {PROBE(PROBE_WRITE), FL_HALT_RIGHTS},
                            {PROBE(PROBE_EXECUTE), FL_HALT_RIGHTS},
                            {PROBE(PROBE_DETACHED), FL_HALT_UNRESOLVED_FAULT},
                        },
                },
            [VARIANT_SAME_PAGE] =
                {
                    .id = "same_page",
                    .summary = "two threads fault on one page at once: one frame, both go on",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_REFUSED] =
                {
                    .id = "refused",
                    .summary = "bad handles, sizes, overlaps, maps in themselves: an error each",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static core_handle_t new_ram(uint32_t size)
{
    core_handle_t ram;

    program_expect(core_ram_alloc(size, &ram) == FL_ERROR_OK);
    return ram;
}

static core_handle_t new_map(uint32_t size)
{
    core_handle_t map;

    program_expect(core_map_create(size, &map) == FL_ERROR_OK);
    return map;
}

static volatile uint32_t *attach(core_handle_t dataspace, uint32_t rights)
{
    uint32_t at;

    program_expect(core_attach(dataspace, rights, &at) == FL_ERROR_OK);
    return (volatile uint32_t *)at;
}

static void attach_at(core_handle_t map, core_handle_t dataspace, uint32_t at, uint32_t rights)
{
    program_expect(core_attach_at(map, dataspace, at, 0, rights) == FL_ERROR_OK);
}

static uint32_t word(uint32_t page)
{
    return page * PAGE / sizeof(uint32_t);
}

/* ---- nested ---- */

/* space -> outer -> inner -> RAM, and a second window on inner. */
static void nested(void)
{
    core_handle_t ram = new_ram(2 * PAGE), inner = new_map(4 * PAGE), outer = new_map(8 * PAGE);

    attach_at(inner, ram, PAGE, FL_RIGHTS_RW);
    attach_at(outer, inner, 2 * PAGE, FL_RIGHTS_RW);
    volatile uint32_t *deep = attach(outer, FL_RIGHTS_RW);
    volatile uint32_t *flat = attach(inner, FL_RIGHTS_R);

    deep[word(4)] = 4711; /* page 4 of outer is page 2 of inner is page 1 of the RAM */
    program_expect(flat[word(2)] == 4711);
    program_expect(flat[word(1)] == 0);

    program_expect(core_detach(inner, PAGE) == FL_ERROR_OK);
    attach_at(inner, ram, 2 * PAGE, FL_RIGHTS_RW);
    program_expect(flat[word(3)] == 4711 && deep[word(5)] == 4711);

    program_expect(core_ram_free(ram) == FL_ERROR_OK);
    attach_at(inner, new_ram(2 * PAGE), 2 * PAGE, FL_RIGHTS_RW);
    program_expect(deep[word(5)] == 0 && flat[word(3)] == 0);
    program_expect(core_map_free(outer) == FL_ERROR_OK);
    program_expect(core_map_free(inner) == FL_ERROR_OK);
}

/* ---- probes ---- */

static volatile uint32_t *probed; /* page 0 read-only RAM, page 1 a hole, page 2 writable RAM */

static void read_the_hole(void *arg)
{
    (void)arg;
    (void)probed[word(1)];
}

static void write_read_only(void *arg)
{
    (void)arg;
    probed[0] = probed[0] + 1;
}

static void execute_data(void *arg)
{
    (void)arg;
    ((void (*)(void))(uintptr_t)&probed[word(2)])();
}

/* What was there a moment ago. */
static void read_detached(void *map)
{
    probed[word(2)] = 1;
    core_detach((core_handle_t)(uintptr_t)map, 2 * PAGE);
    (void)probed[word(2)];
}

static void probe(struct thread *thread, void (*entry)(void *arg), core_handle_t map)
{
    void *arg = (void *)(uintptr_t)map;

    program_expect(thread_create(thread, PAGE, entry, arg) == FL_ERROR_OK);
    thread_join(thread);
    program_expect(thread_destroy(thread) == FL_ERROR_OK);
}

static void probes(void)
{
    static struct thread threads[PROBES_END];
    core_handle_t map = new_map(3 * PAGE);

    attach_at(map, new_ram(PAGE), 0, FL_RIGHTS_R);
    attach_at(map, new_ram(PAGE), 2 * PAGE, FL_RIGHTS_RW);
    probed = attach(map, FL_RIGHTS_RWX);

    probe(&threads[PROBE_HOLE], read_the_hole, map);
    probe(&threads[PROBE_WRITE], write_read_only, map);
    probe(&threads[PROBE_EXECUTE], execute_data, map);
    probe(&threads[PROBE_DETACHED], read_detached, map);
}

/* ---- same page ---- */

/* Each has a word of the page: with a frame of its own, one would lose what it wrote. */
static void write_own_word(void *arg)
{
    volatile uint32_t *mine = arg;

    *mine = 1;
}

static void same_page(void)
{
    static struct thread one, other;
    volatile uint32_t *page = attach(new_ram(PAGE), FL_RIGHTS_RW);

    program_expect(thread_create(&one, PAGE, write_own_word, (void *)&page[0]) == FL_ERROR_OK);
    program_expect(thread_create(&other, PAGE, write_own_word, (void *)&page[1]) == FL_ERROR_OK);
    thread_join(&one);
    thread_join(&other);
    program_expect(page[0] == 1 && page[1] == 1);
}

/* ---- refused ---- */

static void refuse_attachments(core_handle_t ram, core_handle_t map)
{
    const struct {
        core_handle_t map, dataspace;
        uint32_t at, size, status;
    } attempts[] = {
        {99, ram, 0, 0, FL_ERROR_INVALID},
        {ram, ram, 0, 0, FL_ERROR_INVALID},
        {map, 99, 0, 0, FL_ERROR_INVALID},
        {map, CORE_MAP_CONTEXT, 0, 0, FL_ERROR_INVALID},
        {map, map, 0, PAGE, FL_ERROR_INVALID},
        {map, ram, 1, 0, FL_ERROR_INVALID},
        {map, ram, 0, 3 * PAGE, FL_ERROR_INVALID},
        {map, ram, 3 * PAGE, 0, FL_ERROR_INVALID},
        {map, ram, 0xfffff000, 0, FL_ERROR_INVALID},
        {CORE_MAP_SPACE, ram, FL_PROGRAM_BASE, 0, FL_ERROR_INVALID},
        {CORE_MAP_SPACE, ram, FL_INFO_BASE, 0, FL_ERROR_INVALID},
        {map, ram, PAGE, 0, FL_ERROR_OK},
        {map, ram, 0, 0, FL_ERROR_REGION_CONFLICT},
        {map, ram, 2 * PAGE, 0, FL_ERROR_REGION_CONFLICT},
        {map, ram, 0, PAGE, FL_ERROR_OK},
        {map, ram, 3 * PAGE, PAGE, FL_ERROR_OK},
    };

    for (uint32_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        program_expect(core_attach_at(attempts[i].map, attempts[i].dataspace, attempts[i].at,
                                      attempts[i].size, FL_RIGHTS_RW) == attempts[i].status);
}

/* The space is the first map of four. */
static void refuse_nesting(core_handle_t map)
{
    core_handle_t second = new_map(PAGE * 8), third = new_map(PAGE * 8), last = new_map(PAGE * 8);

    attach_at(second, map, 0, FL_RIGHTS_RW);
    program_expect(core_attach_at(map, second, 0, PAGE, FL_RIGHTS_RW) == FL_ERROR_INVALID);
    attach_at(third, second, 0, FL_RIGHTS_RW);
    attach(third, FL_RIGHTS_RW);
    program_expect(core_attach_at(last, third, 0, 0, FL_RIGHTS_RW) == FL_ERROR_OK);
    uint32_t at;
    program_expect(core_attach(last, FL_RIGHTS_RW, &at) == FL_ERROR_INVALID);
}

/* A call that looks like a fault gets what the fault would get. */
static void forge_a_fault(core_handle_t ram)
{
    uint32_t at = (uint32_t)(uintptr_t)attach(ram, FL_RIGHTS_RWX);
    struct msg msg = {.w = {at, 99}};

    program_expect(core_call(FL_LABEL_FAULT, &msg) == FL_ERROR_OK);
}

static void refused(void)
{
    core_handle_t ram = new_ram(2 * PAGE), map = new_map(4 * PAGE), none;
    uint32_t at;
    tid_t thread;
    struct msg msg = {0};

    program_expect(core_ram_alloc(0, &none) == FL_ERROR_NO_MEMORY);
    program_expect(core_ram_alloc(FL_RAM_SIZE, &none) == FL_ERROR_NO_MEMORY);
    program_expect(core_map_create(UINT32_MAX, &none) == FL_ERROR_NO_MEMORY);
    program_expect(core_ram_free(CORE_MAP_SPACE) == FL_ERROR_INVALID);
    program_expect(core_map_free(CORE_MAP_CONTEXT) == FL_ERROR_INVALID);
    program_expect(core_attach(UINT32_MAX, FL_RIGHTS_RW, &at) == FL_ERROR_INVALID);
    program_expect(core_detach(map, 0) == FL_ERROR_NO_REGION);
    program_expect(core_detach(ram, 0) == FL_ERROR_INVALID);
    program_expect(core_detach(CORE_MAP_SPACE, FL_CONTEXT_BASE) == FL_ERROR_NO_RIGHTS);
    program_expect(core_thread_destroy(12345) == FL_ERROR_NO_THREAD);
    program_expect(core_thread_destroy(sys_utcb()->self) == FL_ERROR_INVALID);
    program_expect(core_call(0x7fff, &msg) == FL_ERROR_INVALID);
    program_expect(sys_map(FL_SPACE_DOMAIN(0), 0, 0, 1, FL_RIGHTS_RWX) == FL_ERROR_NO_RIGHTS);
    program_expect(sys_thread_create(&(struct sys_thread_args){0}, &thread) == FL_ERROR_NO_RIGHTS);
    forge_a_fault(ram);
    refuse_attachments(ram, map);
    refuse_nesting(map);
}

static void (*const programs[VARIANTS])(void) = {
    [VARIANT_NESTED] = nested,
    [VARIANT_PROBES] = probes,
    [VARIANT_SAME_PAGE] = same_page,
    [VARIANT_REFUSED] = refused,
};

static void main_main(void)
{
    programs[info()->variant]();
}

const struct program program = {.main = {main_main}};
