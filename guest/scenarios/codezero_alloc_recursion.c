/* A page allocator that needs itself (Codezero, seed 004: "Fixed a bug with page allocator where
 * recursion would corrupt global variables. Now going to fix or re-write a simpler page allocator
 * that works").
 *
 * Memory is a list of areas, runs of pages. Taking a page off a larger area needs a descriptor for
 * what is taken. Descriptors lie in caches of a page each, and that page comes from this very
 * allocator: with few descriptors left it is entered again from within, and what it is about to
 * hand out is kept in globals.
 *
 * The rewrite (libmem/mm/alloc_page.c, check_page_areas) makes room first, and keeps the last
 * descriptor for the page of the next cache: it is never entered from within. It says "need to lock
 * the allocator here", and does not; the page is mapped there, and others run meanwhile. (A lock
 * held over that is one for ever when the page cannot be mapped.)
 *
 * A simpler one that works has a flag for each page, and touches none of them.
 */
#include "faultline.h"

enum { VARIANT_RECURSIVE, VARIANT_LOCKED, VARIANT_UNLOCKED, VARIANT_FIXED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), PAGES = 8, DESCRIPTORS = 4, TAKEN = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_alloc_recursion",
    .summary = "a page allocator takes the pages for its own descriptors from itself",
    .source = "Codezero, \"recursion would corrupt global variables\" (seed 004)",
    .threads = "main and its thread t1, which take two pages each and give them back",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_RECURSIVE] =
                {
                    .id = "recursive",
                    .summary = "as in the diary: the recursion overwrites which page it was",
                    .expect = "stack-slot-exclusive",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_LOCKED] =
                {
                    .id = "locked",
                    .summary = "the same under a lock, which the recursion waits for",
                    .expect = "no-deadlock",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_UNLOCKED] =
                {
                    .id = "unlocked",
                    .summary = "the rewrite: the last descriptor is for the next cache; no lock",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "a flag for each page, set under a lock",
                    .expect = "clean",
                    .depth = FL_DEPTH_SYNC,
                    .bound = 2,
                    .sees = FL_EVENT_MARK_FREE,
                },
        },
};

/* ---- What the first two allocators are made of ----
 *
 * Volatile: whatever compiler it is, what comes before a fault or a call is stored before it. */

/* The descriptor of a run of pages, or a spare one. */
struct area {
    struct area *volatile next;
    volatile uint32_t page, pages; /* pages = 0: spare */
    volatile bool used;
};

/* At the begin of a page. */
struct cache {
    struct cache *volatile next;
    struct area areas[DESCRIPTORS];
};

static uint32_t memory; /* address of page 0 */
static struct area *volatile areas;
static struct cache *volatile caches;
static volatile uint32_t spare; /* descriptors */

static void *address_of(uint32_t page)
{
    return (void *)(memory + page * FL_PAGE_SIZE);
}

/* Its page is mapped when it is touched here. */
static void add_cache(uint32_t page)
{
    struct cache *cache = address_of(page);

    cache->next = caches;
    caches = cache;
    spare += DESCRIPTORS;
}

/* NULL: there is none. Not inlined, or the compiler sees what is done with NULL and traps first. */
__attribute__((noinline)) static struct area *spare_descriptor(void)
{
    for (struct cache *cache = caches; cache; cache = cache->next)
        for (struct area *area = cache->areas; area < cache->areas + DESCRIPTORS; area++)
            if (area->pages == 0) {
                area->pages = 1;
                spare--;
                return area;
            }
    return NULL;
}

static void list_area(struct area *area, uint32_t page, uint32_t pages, bool used)
{
    area->page = page;
    area->pages = pages;
    area->used = used;
    area->next = areas;
    areas = area;
}

static struct area *free_area(void)
{
    struct area *area = areas;

    while (area && area->used)
        area = area->next;
    program_expect(area != NULL);
    return area;
}

static uint32_t hand_out(uint32_t page)
{
    mark_reserve(address_of(page), FL_PAGE_SIZE);
    return page;
}

/* The first cache lies in the first page. */
static void list_begin(void)
{
    add_cache(0);
    list_area(spare_descriptor(), 0, 1, true);
    list_area(spare_descriptor(), 1, PAGES - 1, false);
}

/* Areas are not joined again, so that caches stay. */
static void list_give(uint32_t page)
{
    struct area *area = areas;

    while (area && (area->page != page || !area->used))
        area = area->next;
    program_expect(area != NULL);
    mark_free(address_of(page), FL_PAGE_SIZE);
    area->used = false;
}

static uint32_t take_whole(struct area *area)
{
    area->used = true;
    return hand_out(area->page);
}

/* ---- As in the diary ---- */

static uint32_t take(void);

static struct area *volatile found; /* what the page is taken off, unless that is the page */
static volatile uint32_t cut;       /* the page */

static uint32_t recursive_take(void)
{
    found = free_area();
    if (found->pages == 1)
        return take_whole(found);
    cut = found->page + --found->pages;
    struct area *taken = spare_descriptor();
    if (spare == 1)
        add_cache(take());
    list_area(taken, cut, 1, true);
    return hand_out(cut);
}

/* ---- The rewrite ---- */

static uint32_t take_off(struct area *area)
{
    if (area->pages == 1)
        return take_whole(area);
    struct area *taken = spare_descriptor();
    uint32_t page = area->page + --area->pages;
    list_area(taken, page, 1, true);
    return hand_out(page);
}

static uint32_t prepared_take(void)
{
    if (spare == 1)
        add_cache(take_off(free_area()));
    return take_off(free_area());
}

/* ---- The simpler one ---- */

static volatile bool taken_pages[PAGES];

static uint32_t flag_take(void)
{
    uint32_t page = 0;

    while (page < PAGES && taken_pages[page])
        page++;
    program_expect(page < PAGES);
    taken_pages[page] = true;
    return hand_out(page);
}

static void flag_give(uint32_t page)
{
    program_expect(taken_pages[page]);
    mark_free(address_of(page), FL_PAGE_SIZE);
    taken_pages[page] = false;
}

/* ---- The allocator, as the application sees it ---- */

static const struct allocator {
    void (*begin)(void); /* NULL: nothing to be done */
    uint32_t (*take)(void);
    void (*give)(uint32_t page);
    bool locks;
} allocators[VARIANTS] = {
    [VARIANT_RECURSIVE] = {list_begin, recursive_take, list_give, false},
    [VARIANT_LOCKED] = {list_begin, recursive_take, list_give, true},
    [VARIANT_UNLOCKED] = {list_begin, prepared_take, list_give, false},
    [VARIANT_FIXED] = {NULL, flag_take, flag_give, true},
};

static struct lock lock;

static void begin(void)
{
    core_handle_t ram;

    program_expect(core_ram_alloc(PAGES * FL_PAGE_SIZE, &ram) == FL_ERROR_OK &&
                   core_attach(ram, FL_RIGHTS_RW, &memory) == FL_ERROR_OK);
    if (allocators[info()->variant].begin)
        allocators[info()->variant].begin();
}

static uint32_t take(void)
{
    const struct allocator *allocator = &allocators[info()->variant];

    if (allocator->locks)
        sys_lock(&lock);
    uint32_t page = allocator->take();
    if (allocator->locks)
        sys_unlock(&lock);
    return page;
}

static void give(uint32_t page)
{
    const struct allocator *allocator = &allocators[info()->variant];

    if (allocator->locks)
        sys_lock(&lock);
    allocator->give(page);
    if (allocator->locks)
        sys_unlock(&lock);
}

/* ---- The application ---- */

static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

/* Takes its pages, sees that what it writes there stays, gives them back. What it writes is
 * nobody's address: should it be taken for one, that is a fault, and the same one everywhere. */
static void work(void)
{
    uint32_t pages[TAKEN], name = sys_utcb()->path >> FL_PAGE_SHIFT;

    for (uint32_t i = 0; i < TAKEN; i++) {
        pages[i] = take();
        *(volatile uint32_t *)address_of(pages[i]) = name + 4 * i;
    }
    for (uint32_t i = 0; i < TAKEN; i++) {
        vm_expect_word(address_of(pages[i]), name + 4 * i);
        give(pages[i]);
    }
}

static void t1_main(void)
{
    work();
    sys_thread_exit(0);
}

static void main_main(void)
{
    tid_t thread;

    begin();
    program_expect(core_thread_create((uint32_t)(uintptr_t)t1_main,
                                      (uint32_t)(uintptr_t)(stack + STACK_WORDS), 0,
                                      &thread) == FL_ERROR_OK);
    work();
    sys_thread_join(thread);
}

const struct program program = {.main = {main_main}};
