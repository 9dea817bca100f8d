/* What core promises tasks: areas that keep out of each other's way, pages that stay for who still
 * sees them, files, the end of a task. Written for mutations of core that nothing else saw
 * (guest/mutations).
 */
#include "file_server.h"
#include "program.h"
#include "vm.h"

enum { FILES, MAIN }; /* domains */
enum {
    VARIANT_AREAS,
    VARIANT_SHARED,
    VARIANT_FILES,
    VARIANT_WAITING,
    VARIANT_ENDS,
    VARIANT_STRANGERS,
    VARIANT_AGAIN,
    VARIANT_REFUSED,
    VARIANTS
};
enum { PAGE = FL_PAGE_SIZE, LAST = PAGE / sizeof(uint32_t) - 1, VALUE = 4711, KEY = 7 };
enum { TIMES = 30 }; /* more than core has entries for tasks, threads or files */

#define GOOD(ID, text, preemptions)                                                                \
    .id = ID, .summary = text, .expect = "clean", .depth = FL_DEPTH_IPC, .bound = preemptions
#define CHILD(n) FL_PATH_CHILD2(MAIN, n)

static const struct fl_scenario scenario
    SCENARIO_TABLE =
        {
            .id = "core_tasks",
            .summary = "what core promises tasks: areas, pages that others see, files, the end",
            .source = "the rig's own: mutations of core",
            .threads = "main and the tasks that it forks; files, a server",
            .n_domains = 2,
            .domains = {[FILES] = {.name = "files", .server = 1}, [MAIN] = {.name = "main"}},
            .n_variants = VARIANTS,
            .variants =
                {
                    [VARIANT_AREAS] = {GOOD("areas", "none over another, or over what is attached",
                                            1)},
                    [VARIANT_SHARED] = {GOOD("shared",
                                             "who unmaps or writes a page leaves the others', "
                                             "and they see what they should",
                                             1)},
                    [VARIANT_FILES] = {GOOD("files", "what is written after it was read comes back",
                                            1)},
                    [VARIANT_WAITING] = {GOOD("waiting", "two wait for one page of a file, in turn",
                                              1)},
                    [VARIANT_ENDS] = {GOOD("ends", "a child of who ends is its parent's parent's",
                                           1)},
                    [VARIANT_STRANGERS] = {GOOD("strangers",
                                                "halted: who looks at another's message page, "
                                                "writes what may be read, reaches beyond a segment",
                                                1),
                                           .n_halts = 3,
                                           .halts = {{CHILD(2), FL_HALT_UNRESOLVED_FAULT},
                                                     {CHILD(3), FL_HALT_RIGHTS},
                                                     {CHILD(4), FL_HALT_UNRESOLVED_FAULT}}},
                    [VARIANT_AGAIN] = {GOOD("again", "tasks with an open file come and go, often",
                                            0)},
                    [VARIANT_REFUSED] = {GOOD("refused",
                                              "what is refused once is asked for once more", 0)},
                },
};

static uint32_t map_anonymous(uint32_t pages, uint32_t rights)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, rights | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at;
}

static tid_t fork_task(void)
{
    tid_t child = vm_fork();

    program_expect(child != VM_NO_THREAD);
    return child;
}

static void wait_for(tid_t child)
{
    uint32_t code;

    program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
}

/* ---- areas ---- */

static void areas(void)
{
    uint32_t below = map_anonymous(1, FL_RIGHTS_RW), area = map_anonymous(3, FL_RIGHTS_RW),
             attached;
    struct msg odd = {.w = {area, PAGE + 1}};
    core_handle_t ram;

    program_expect(area == below + PAGE && vm_unmap(below, 1) == FL_ERROR_OK);
    program_expect(core_ram_alloc(2 * PAGE, &ram) == FL_ERROR_OK);
    program_expect(core_attach_at(CORE_MAP_SPACE, ram, area + PAGE, 0, FL_RIGHTS_RW) ==
                   FL_ERROR_REGION_CONFLICT);
    program_expect(core_attach_at(CORE_MAP_SPACE, ram, below, 0, FL_RIGHTS_RW) ==
                   FL_ERROR_REGION_CONFLICT);
    program_expect(core_attach(ram, FL_RIGHTS_RW, &attached) == FL_ERROR_OK);
    program_expect(vm_map(&attached, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) ==
                   FL_ERROR_REGION_CONFLICT);

    program_expect(core_call(FL_LABEL_MUNMAP, &odd) == FL_ERROR_OK);
    uint32_t second = area + PAGE;
    program_expect(vm_map(&second, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    *vm_word(second, 0) = VALUE;
    *vm_word(area, 2) = VALUE;
    vm_expect_word(vm_word(second, 0), VALUE);
}

/* ---- shared ---- */

static volatile tid_t main_thread; /* so that no compiler touches its page before another's turn */

/* main does something meanwhile. */
static void let_main(void)
{
    struct msg msg = {.label = FL_LABEL_USER};

    program_expect(sys_call(main_thread, &msg) == FL_ERROR_OK);
}

static tid_t wait_for_child(void)
{
    struct msg msg = {0};
    tid_t child = 0;

    program_expect(sys_receive(&child, &msg) == FL_ERROR_OK);
    return child;
}

static void let_child(tid_t child)
{
    struct msg msg = {.label = FL_ERROR_OK};

    program_expect(sys_reply(child, &msg) == FL_ERROR_OK);
    wait_for(child);
}

/* main's page goes, and the child's stays: it has the same object, or one before it if it wrote. */
static void unmap_and_keep(bool writes)
{
    uint32_t area = map_anonymous(3, FL_RIGHTS_RW);

    *vm_word(area, 1) = VALUE;
    if (fork_task() == 0) {
        if (writes)
            *vm_word(area, 0) = 1;
        let_main();
        vm_expect_word(vm_word(area, 1), VALUE);
        vm_exit(0);
    }
    tid_t child = wait_for_child();
    program_expect(vm_unmap(area + PAGE, 1) == FL_ERROR_OK);
    let_child(child);
}

/* The child sees what main writes, to the last word, though it saw zeros there before, and though
 * its area begins a page later. */
static void write_for_all(void)
{
    uint32_t area;

    program_expect(vm_shm_attach(KEY, 3, &area) == FL_ERROR_OK);
    if (fork_task() == 0) {
        program_expect(vm_unmap(area, 1) == FL_ERROR_OK);
        vm_expect_word(vm_word(area, 2), 0);
        let_main();
        vm_expect_word(vm_word(area, 2), VALUE);
        vm_expect_word(vm_word(area, 2) + LAST, VALUE);
        vm_exit(0);
    }
    tid_t child = wait_for_child();
    *vm_word(area, 2) = VALUE;
    vm_word(area, 2)[LAST] = VALUE;
    let_child(child);
}

static void share(void)
{
    main_thread = sys_utcb()->self;
    unmap_and_keep(false);
    unmap_and_keep(true);
    write_for_all();
}

/* ---- files ---- */

static uint32_t open_file(const char *path, uint32_t pages)
{
    uint32_t descriptor, size;

    program_expect(file_open(path, &descriptor, &size) == FL_ERROR_OK && size == pages * PAGE);
    return descriptor;
}

/* The page's first word, which becomes `value` if that is not 0. Then nobody has the file. */
static uint32_t use_file(uint32_t page, uint32_t value)
{
    uint32_t descriptor = open_file("/two/data", FILE_PAGES), at = 0;

    program_expect(vm_map(&at, 1, FL_RIGHTS_RW | VM_MAP_SHARED, descriptor, page) == FL_ERROR_OK);
    uint32_t word = *vm_word(at, 0);
    if (value)
        *vm_word(at, 0) = value;
    program_expect(vm_close(descriptor) == FL_ERROR_OK && vm_unmap(at, 1) == FL_ERROR_OK);
    return word;
}

/* The server has room for three pages that were written: those that were not may not take it. Of
 * /one/code the one page is not full. */
static void use_files(void)
{
    open_file("/one/code", 1);
    program_expect(use_file(0, VALUE) == file_word(1, 0));
    program_expect(use_file(1, 0) == file_word(1, 1));
    program_expect(use_file(2, 0) == file_word(1, 2));
    program_expect(use_file(3, VALUE + 1) == file_word(1, 3));
    program_expect(use_file(3, 0) == VALUE + 1);
    program_expect(use_file(0, 0) == VALUE);
}

/* ---- waiting ---- */

static volatile uint32_t *awaited;

static void read_awaited(void *unused)
{
    (void)unused;
    vm_expect_word(awaited, file_word(1, 0));
    vm_exit(0);
}

static void wait_for_one_page(void)
{
    uint32_t stack = map_anonymous(1, FL_RIGHTS_RW) + PAGE, at = 0;
    uint32_t descriptor = open_file("/two/data", FILE_PAGES);
    tid_t thread;

    program_expect(vm_map(&at, 1, FL_RIGHTS_R, descriptor, 0) == FL_ERROR_OK);
    awaited = vm_word(at, 0);
    program_expect(vm_clone(read_awaited, stack, NULL, VM_CLONE_SPACE | VM_CLONE_FILES, &thread) ==
                   FL_ERROR_OK);
    vm_expect_word(awaited, file_word(1, 0));
    wait_for(thread);
}

/* ---- ends ---- */

static void leave_orphan(void)
{
    uint32_t orphan, code;
    tid_t child = fork_task();

    if (child == 0) {
        orphan = fork_task();
        vm_exit(orphan);
    }
    program_expect(vm_wait(child, &orphan) == FL_ERROR_OK);
    if (orphan != 0)
        program_expect(vm_wait(orphan, &code) == FL_ERROR_OK && code == 0);
}

/* ---- strangers ---- */

/* The second child is in the space that the first one had. */
static void look_at_message_page(void)
{
    uint32_t page, code;
    tid_t child = fork_task();

    if (child == 0)
        vm_exit((uint32_t)(uintptr_t)sys_utcb());
    program_expect(vm_wait(child, &page) == FL_ERROR_OK);
    child = fork_task();
    if (child == 0) {
        program_expect((uint32_t)(uintptr_t)sys_utcb() != page);
        (void)*vm_word(page, 0);
        vm_exit(0);
    }
    program_expect(vm_wait(child, &code) == FL_ERROR_OK);
}

static void write_what_may_be_read(void)
{
    uint32_t area = map_anonymous(1, FL_RIGHTS_R), code;
    tid_t child = fork_task();

    if (child == 0) {
        *vm_word(area, 0) = VALUE;
        vm_exit(0);
    }
    program_expect(vm_wait(child, &code) == FL_ERROR_OK);
    vm_expect_word(vm_word(area, 0), 0);
}

/* A segment is as large as who came first said. */
static void reach_beyond_segment(void)
{
    uint32_t at, code;

    program_expect(vm_shm_attach(KEY, 1, &at) == FL_ERROR_OK);
    tid_t child = fork_task();
    if (child == 0) {
        program_expect(vm_unmap(at, 1) == FL_ERROR_OK);
        program_expect(vm_shm_attach(KEY, 3, &at) == FL_ERROR_OK);
        *vm_word(at, 2) = VALUE;
        vm_exit(0);
    }
    program_expect(vm_wait(child, &code) == FL_ERROR_OK);
}

static void be_strangers(void)
{
    look_at_message_page();
    write_what_may_be_read();
    reach_beyond_segment();
}

/* ---- again ---- */

static void fork_again(void)
{
    uint32_t descriptor = open_file("/two/data", FILE_PAGES);

    for (uint32_t i = 0; i < TIMES; i++) {
        tid_t child = fork_task();
        if (child == 0)
            vm_exit(0);
        wait_for(child);
    }
    program_expect(vm_close(descriptor) == FL_ERROR_OK);
}

/* ---- refused ---- */

static void end_at_once(void *unused)
{
    (void)unused;
    vm_exit(0);
}

static tid_t fork_at_last(void)
{
    tid_t child = vm_fork();

    return child == VM_NO_THREAD ? fork_task() : child;
}

static uint32_t attach_at_last(uint32_t pages)
{
    uint32_t at;

    if (vm_shm_attach(KEY, pages, &at) != FL_ERROR_OK)
        program_expect(vm_shm_attach(KEY, pages, &at) == FL_ERROR_OK);
    return at;
}

/* In the task of who calls, which ends with its last thread. */
static void clone_at_last(void)
{
    static uint32_t stack[64] __attribute__((aligned(8)));
    const uint32_t top = (uint32_t)(uintptr_t)(stack + 64), flags = VM_CLONE_SPACE | VM_CLONE_FILES;
    tid_t thread;

    if (vm_clone(end_at_once, top, NULL, flags, &thread) != FL_ERROR_OK)
        program_expect(vm_clone(end_at_once, top, NULL, flags, &thread) == FL_ERROR_OK);
    wait_for(thread);
}

/* The child's segment goes with the child, so that main can have a larger one. That it has not is
 * no matter of what was refused: no error, which would be excused then. */
static void ask_again(void)
{
    tid_t child = fork_at_last();

    if (child == 0) {
        attach_at_last(1);
        clone_at_last();
        vm_exit(0);
    }
    wait_for(child);
    uint32_t second = attach_at_last(2) + PAGE;
    if (vm_map(&second, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK)
        sys_thread_halt(0, FL_HALT_EXCEPTION);
}

static void (*const programs[VARIANTS])(void) = {
    [VARIANT_AREAS] = areas,       [VARIANT_SHARED] = share,
    [VARIANT_FILES] = use_files,   [VARIANT_WAITING] = wait_for_one_page,

    [VARIANT_ENDS] = leave_orphan, [VARIANT_STRANGERS] = be_strangers,
    [VARIANT_AGAIN] = fork_again,  [VARIANT_REFUSED] = ask_again,
};

static void main_main(void)
{
    programs[info()->variant]();
    vm_exit(0);
}

const struct program program = {.main = {[FILES] = file_server_main, [MAIN] = main_main}};
