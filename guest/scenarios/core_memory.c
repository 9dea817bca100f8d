/* What core promises of memory and threads: sizes, owners, windows, pages that are lent, stacks.
 * Written for mutations of core and of the thread library that nothing else saw (guest/mutations).
 */
#include "core.h"
#include "program.h"
#include "thread.h"
#include "vm.h"

enum { MAIN, OTHER, THIRD }; /* domains */
enum {
    VARIANT_SIZES,
    VARIANT_OWNERS,
    VARIANT_WINDOWS,
    VARIANT_LENT,
    VARIANT_STACKS,
    VARIANT_REFUSED,
    VARIANT_AGAIN,
    VARIANT_MANY,
    VARIANT_TOGETHER,
    VARIANTS
};
enum { PAGE = FL_PAGE_SIZE, WORDS = PAGE / sizeof(uint32_t), VALUE = 4711, LATER = 42 };
enum { TIMES = 70, MANY = 33 }; /* more than core has entries for anything */

#define GOOD(ID, text, preemptions)                                                                \
    .id = ID, .summary = text, .expect = "clean", .depth = FL_DEPTH_IPC, .bound = preemptions

static const struct fl_scenario scenario
    SCENARIO_TABLE =
        {
            .id = "core_memory",
            .summary =
                "what core promises of memory and threads: sizes, owners, windows, loans, stacks",
            .source = "the rig's own: mutations of core and of the thread library",
            .threads = "main and its threads; other and third, in spaces of their own; third.1",
            .n_domains = 3,
            .domains = {[MAIN] = {.name = "main"},
                        [OTHER] = {.name = "other", .server = 1},
                        [THIRD] = {.name = "third"}},
            .n_variants = VARIANTS,
            .variants =
                {
                    [VARIANT_SIZES] = {GOOD("sizes", "rounded up to pages; each page is another",
                                            1)},
                    [VARIANT_OWNERS] = {GOOD("owners", "a handle is good for its owner, once", 1)},
                    [VARIANT_WINDOWS] = {GOOD("windows", "what one map takes away no window shows",
                                              1),
                                         .n_halts = 1,
                                         .halts = {{FL_PATH_CHILD2(MAIN, 1), FL_HALT_RIGHTS}}},
                    [VARIANT_LENT] = {GOOD("lent", "a page that is lent goes with its memory", 1)},
                    [VARIANT_STACKS] = {GOOD("stacks",
                                             "their sizes, slots, and what is left on them", 1)},
                    [VARIANT_REFUSED] = {GOOD("refused", "a stack or a thread cannot be had, often",
                                              0)},
                    [VARIANT_AGAIN] = {GOOD("again", "threads come and go, often", 0)},
                    [VARIANT_MANY] = {GOOD("many", "more slots are taken than a word has bits", 0)},
                    [VARIANT_TOGETHER] = {GOOD("together", "two make threads and see them end", 1)},
                },
};

static core_handle_t new_ram(uint32_t size)
{
    core_handle_t ram;

    program_expect(core_ram_alloc(size, &ram) == FL_ERROR_OK);
    return ram;
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

/* ---- sizes ---- */

static void sizes(void)
{
    const uint32_t many = 260; /* more than a byte counts */
    volatile uint32_t *odd = attach(new_ram(PAGE + 1), FL_RIGHTS_RW);
    volatile uint32_t *large = attach(new_ram(many * PAGE), FL_RIGHTS_RW);

    odd[WORDS] = VALUE;
    large[0] = VALUE;
    large[256 * WORDS] = LATER;
    program_expect(large[0] == VALUE && large[256 * WORDS] == LATER && odd[WORDS] == VALUE);
}

/* ---- owners ---- */

static void ask_other(uint32_t label)
{
    struct msg msg = {.label = label};

    program_expect(sys_call(program_thread(OTHER), &msg) == FL_ERROR_OK);
}

static void own(void)
{
    core_handle_t ram = new_ram(PAGE);
    volatile uint32_t *page = attach(ram, FL_RIGHTS_RW);

    *page = VALUE;
    ask_other(FL_LABEL_USER);
    program_expect(*page == VALUE);
    program_expect(core_ram_free(ram) == FL_ERROR_OK);
    program_expect(core_ram_free(ram) == FL_ERROR_INVALID);
}

/* other owns nothing, so no handle is good. */
static void try_handles(void)
{
    uint32_t at;

    for (core_handle_t handle = CORE_FIRST_HANDLE; handle < CORE_FIRST_HANDLE + 8; handle++) {
        program_expect(core_attach(handle, FL_RIGHTS_RW, &at) == FL_ERROR_INVALID);
        program_expect(core_ram_free(handle) == FL_ERROR_INVALID);
    }
}

static void answer_owners(void)
{
    struct msg msg = {0};
    tid_t caller = 0;

    for (;;) {
        program_expect(sys_reply_wait(&caller, &msg) == FL_ERROR_OK);
        try_handles();
        msg.label = FL_ERROR_OK;
    }
}

/* ---- windows ---- */

static void write_there(void *there)
{
    *(volatile uint32_t *)there = VALUE;
}

/* Two windows on a map; in the second one, which may only be read, someone tries to write. */
static void windows(void)
{
    static struct thread writer;
    core_handle_t map, before = new_ram(PAGE), after = new_ram(PAGE);

    program_expect(core_map_create(2 * PAGE, &map) == FL_ERROR_OK);
    attach_at(map, before, 0, FL_RIGHTS_RW);
    volatile uint32_t *wide = attach(map, FL_RIGHTS_RW), *narrow = attach(map, FL_RIGHTS_R);
    *wide = VALUE;
    program_expect(*narrow == VALUE);
    program_expect(core_detach(map, 0) == FL_ERROR_OK);
    attach_at(map, after, 0, FL_RIGHTS_RW);
    program_expect(*narrow == 0 && *wide == 0);

    program_expect(thread_create(&writer, PAGE, write_there, (void *)narrow) == FL_ERROR_OK);
    thread_join(&writer);
    program_expect(*narrow == 0);
}

/* ---- lent ---- */

#define LENT  (FL_ATTACH_BASE + 0x100000u) /* at the same place in all spaces */
#define FIXED (LENT + PAGE)                /* other may only read it */
#define SPARE (LENT + 2 * PAGE)

enum { FREE_IT = FL_LABEL_USER, HAS_SEEN_IT = FL_LABEL_USER + 1 };

static volatile uint32_t *at_address(uint32_t address)
{
    return (volatile uint32_t *)address;
}

static void lend_page(tid_t faulter, uint32_t from)
{
    program_expect(core_page_lend(faulter, LENT, FIXED, FL_RIGHTS_RW) == FL_ERROR_NO_RIGHTS);
    program_expect(core_page_lend(faulter, LENT, from, FL_RIGHTS_R) == FL_ERROR_OK);
}

/* A pager that lends the one page that it has, until that is freed, and another one then. */
static void lend(void)
{
    core_handle_t ram = new_ram(PAGE);
    uint32_t from = LENT;
    struct msg msg = {0};
    tid_t caller = 0;

    attach_at(CORE_MAP_SPACE, ram, LENT, FL_RIGHTS_RW);
    attach_at(CORE_MAP_SPACE, new_ram(PAGE), FIXED, FL_RIGHTS_R);
    attach_at(CORE_MAP_SPACE, new_ram(PAGE), SPARE, FL_RIGHTS_RW);
    *at_address(LENT) = VALUE;
    *at_address(SPARE) = LATER;
    (void)*at_address(FIXED);
    for (;;) {
        program_expect(sys_reply_wait(&caller, &msg) == FL_ERROR_OK);
        if (msg.label == FL_LABEL_FAULT) {
            lend_page(caller, from);
        } else {
            program_expect(core_ram_free(ram) == FL_ERROR_OK);
            from = SPARE;
        }
        msg.label = FL_ERROR_OK;
    }
}

static void borrow(void *arg)
{
    struct msg msg = {.label = HAS_SEEN_IT};

    (void)arg;
    program_expect(*at_address(LENT) == VALUE);
    program_expect(sys_call(program_thread(MAIN), &msg) == FL_ERROR_OK);
    program_expect(*at_address(LENT) == LATER);
}

static struct thread *make_borrower(void)
{
    static struct thread borrower;

    program_expect(core_pager_set(program_thread(OTHER)) == FL_ERROR_OK);
    program_expect(thread_create(&borrower, PAGE, borrow, NULL) == FL_ERROR_OK);
    return &borrower;
}

static void borrow_too(void)
{
    thread_join(make_borrower());
}

/* Has the page freed when both have seen it. */
static void borrow_twice(void)
{
    const struct thread *borrower = make_borrower();
    tid_t seen[2] = {0};
    struct msg msg = {0};

    for (uint32_t i = 0; i < 2; i++)
        program_expect(sys_receive(&seen[i], &msg) == FL_ERROR_OK && msg.label == HAS_SEEN_IT);
    program_expect(core_page_lend(borrower->tid, LENT, LENT, FL_RIGHTS_R) == FL_ERROR_NO_RIGHTS);
    ask_other(FREE_IT);
    msg.label = FL_ERROR_OK;
    for (uint32_t i = 0; i < 2; i++)
        program_expect(sys_reply(seen[i], &msg) == FL_ERROR_OK);
    thread_join(borrower);
}

/* ---- stacks ---- */

static uint32_t lowest_word(const struct thread *thread)
{
    return stack_slot_of(thread->context) + FL_SLOT_SIZE - thread->stack_size;
}

/* What it leaves in its message page the next thread must not see. It cannot give back itself. */
static void use_all(void *self)
{
    for (uint32_t i = 0; i < SYS_MSG_PAGE_WORDS; i++) {
        program_expect(sys_utcb()->words[i] == 0);
        sys_utcb()->words[i] = VALUE;
    }
    program_expect(thread_destroy(self) != FL_ERROR_OK);
    write_there((void *)lowest_word(self));
}

static void finish(struct thread *thread)
{
    tid_t tid = thread->tid;

    thread_join(thread);
    program_expect(thread_destroy(thread) == FL_ERROR_OK);
    program_expect(core_thread_destroy(tid) == FL_ERROR_NO_THREAD);
}

static uint32_t slot_of_next(uint32_t stack_size)
{
    static struct thread thread;

    program_expect(thread_create(&thread, stack_size, use_all, &thread) == FL_ERROR_OK);
    program_expect(thread.stack_size == (stack_size + PAGE - 1) / PAGE * PAGE);
    uint32_t slot = stack_slot_of(thread.context);
    finish(&thread);
    return slot;
}

static void stacks(void)
{
    static struct thread none;
    uint32_t slot = slot_of_next(PAGE + 1);

    program_expect(slot_of_next(1) == slot);
    program_expect(thread_create(&none, FL_SLOT_SIZE, use_all, &none) == FL_ERROR_NO_SLOT);
    program_expect(thread_create(&none, 0, use_all, &none) == FL_ERROR_NO_SLOT);
}

/* ---- refused ---- */

/* In the end somebody is too deep down to have a child: core refuses the thread. */
static void make_child(void *arg)
{
    uint32_t depth = (uint32_t)(uintptr_t)arg;
    struct thread child;
    uint32_t status = thread_create(&child, PAGE, make_child, (void *)(uintptr_t)(depth + 1));

    if (status == FL_ERROR_OK) {
        finish(&child);
        return;
    }
    program_expect(status == FL_ERROR_NO_MEMORY && depth > 1);
}

/* Nothing is attached in the slots that were used. */
static void expect_no_stack(uint32_t slots)
{
    for (uint32_t slot = 0; slot < slots; slot++)
        program_expect(core_detach(CORE_MAP_CONTEXT, (slot + 1) * FL_SLOT_SIZE - PAGE) ==
                       FL_ERROR_NO_REGION);
}

/* Where the next stack would lie there is something already: refused, and had once that is gone. */
static void refuse(void)
{
    static struct thread thread;
    core_handle_t ram = new_ram(PAGE);
    uint32_t slot = slot_of_next(PAGE), at = slot + FL_SLOT_SIZE - PAGE - FL_CONTEXT_BASE;

    attach_at(CORE_MAP_CONTEXT, ram, at, FL_RIGHTS_RW);
    for (uint32_t i = 0; i < TIMES; i++)
        program_expect(thread_create(&thread, PAGE, use_all, &thread) ==
                       FL_ERROR_STACK_ALLOC_FAILED);
    program_expect(core_detach(CORE_MAP_CONTEXT, at) == FL_ERROR_OK);
    program_expect(slot_of_next(PAGE) == slot);
    make_child(0);
    expect_no_stack(4);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void make_threads(void *count)
{
    struct thread thread;

    for (uint32_t i = 0; i < (uint32_t)(uintptr_t)count; i++) {
        program_expect(thread_create(&thread, PAGE, do_nothing, NULL) == FL_ERROR_OK);
        finish(&thread);
    }
}

static void again(void)
{
    make_threads((void *)TIMES);
}

static void make_many(void)
{
    static struct thread many[MANY];

    for (uint32_t i = 0; i < MANY; i++)
        program_expect(thread_create(&many[i], PAGE, do_nothing, NULL) == FL_ERROR_OK);
    for (uint32_t i = 0; i < MANY; i++)
        finish(&many[i]);
}

/* Of core's entries for dataspaces only so many are left: whoever asks is given the same ones. */
static void leave_room(uint32_t entries)
{
    static core_handle_t taken[64];
    uint32_t n = 0;

    while (n < sizeof(taken) / sizeof(taken[0]) && core_ram_alloc(PAGE, &taken[n]) == FL_ERROR_OK)
        n++;
    while (n > 0 && entries-- > 0)
        core_ram_free(taken[--n]);
}

static void together(void)
{
    static struct thread maker;
    void *const count = (void *)2;

    leave_room(5);
    program_expect(thread_create(&maker, 2 * PAGE, make_threads, count) == FL_ERROR_OK);
    make_threads(count);
    finish(&maker);
}

static void (*const programs[VARIANTS][3])(void) = {
    [VARIANT_SIZES] = {[MAIN] = sizes},
    [VARIANT_OWNERS] = {[MAIN] = own, [OTHER] = answer_owners},
    [VARIANT_WINDOWS] = {[MAIN] = windows},
    [VARIANT_LENT] = {[MAIN] = borrow_twice, [OTHER] = lend, [THIRD] = borrow_too},
    [VARIANT_STACKS] = {[MAIN] = stacks},
    [VARIANT_REFUSED] = {[MAIN] = refuse},
    [VARIANT_AGAIN] = {[MAIN] = again},
    [VARIANT_MANY] = {[MAIN] = make_many},
    [VARIANT_TOGETHER] = {[MAIN] = together},
};

static void begin(void)
{
    void (*run)(void) = programs[info()->variant][info()->domain];

    if (run)
        run();
}

const struct program program = {.main = {[MAIN] = begin, [OTHER] = begin, [THIRD] = begin}};
