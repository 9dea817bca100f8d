/* The file server is a program like any other, and may fault while it serves: "adding prefaulting
 * of fs0 to avoid page fault deadlocks" (Codezero, seed 004). The pager that waits for the server
 * cannot resolve the server's fault; one that parks what waits can, unless the server's own page
 * has to come from the server.
 */
#include "file_server.h"
#include "program.h"
#include "vm.h"

enum { FILES, MAIN };
enum {
    VARIANT_PAGER_WAITS,
    VARIANT_PREFAULTED,
    VARIANT_PARKED,
    VARIANT_OWN_PAGE,
    VARIANT_OWN_PREFAULTED,
    VARIANTS
};
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), PAGES = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_file_server_deadlock",
    .summary = "the file server faults while it serves a page that another fault waits for",
    .source = "Codezero's commit log: prefaulting of fs0 (seed 004)",
    .threads = "files, a server, and where it maps a file of its own files.1; main",
    .n_domains = 2,
    .domains = {[FILES] = {.name = "files", .server = 1}, [MAIN] = {.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_PAGER_WAITS] =
                {
                    .id = "pager_waits",
                    .summary = "the pager waits for the server, which faults on memory of its own",
                    .expect = "no-deadlock",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_PREFAULTED] =
                {
                    .id = "prefaulted",
                    .summary =
                        "the pager waits; the server has touched its memory before it serves",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_PARKED] =
                {
                    .id = "parked",
                    .summary = "the pager parks the first fault and resolves the server's",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_FAULT_PARK,
                },
            [VARIANT_OWN_PAGE] =
                {
                    .id = "own_page",
                    .summary = "the page that the server faults on would have to come from itself",
                    .expect = "no-deadlock",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_OWN_PREFAULTED] =
                {
                    .id = "own_prefaulted",
                    .summary = "the same page, touched while the server could still bring it",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                    .sees = FL_EVENT_FAULT_PARK,
                },
        },
};

/* ---- The server ---- */

/* What it looks into for each page that is read. */
static const volatile uint32_t *disk;
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static bool is_prefaulted(void)
{
    return info()->variant == VARIANT_PREFAULTED || info()->variant == VARIANT_OWN_PREFAULTED;
}

static void look_into_disk(void)
{
    if (disk)
        (void)*disk;
}

/* Memory whose pages core makes when they are touched. */
static void attach_disk(void)
{
    core_handle_t memory;
    uint32_t at;

    program_expect(core_ram_alloc(FL_PAGE_SIZE, &memory) == FL_ERROR_OK &&
                   core_attach(memory, FL_RIGHTS_RW, &at) == FL_ERROR_OK);
    disk = (const volatile uint32_t *)(uintptr_t)at;
    if (is_prefaulted())
        look_into_disk();
}

static uint32_t map_file(const char *path)
{
    uint32_t descriptor, size, at = 0;

    program_expect(file_open(path, &descriptor, &size) == FL_ERROR_OK &&
                   vm_map(&at, PAGES, FL_RIGHTS_R, descriptor, 0) == FL_ERROR_OK);
    return at;
}

/* Maps a file that the server itself serves: core asks the server's main thread for it, which must
 * be free to answer, so that another thread does it. */
static void map_own_file(void)
{
    struct msg msg = {.label = FL_LABEL_USER};
    const volatile uint32_t *mapped = (const volatile uint32_t *)(uintptr_t)map_file("/two/data");

    if (is_prefaulted())
        (void)*mapped;
    disk = mapped;
    program_expect(sys_send(program_thread(MAIN), &msg) == FL_ERROR_OK);
    sys_thread_exit(0);
}

static bool serves_own_disk(void)
{
    return info()->variant == VARIANT_OWN_PAGE || info()->variant == VARIANT_OWN_PREFAULTED;
}

static void on_serving(void)
{
    tid_t thread;

    if (serves_own_disk())
        program_expect(core_thread_create((uint32_t)(uintptr_t)map_own_file,
                                          (uint32_t)(uintptr_t)(stack + STACK_WORDS), 0,
                                          &thread) == FL_ERROR_OK);
}

static void files_main(void)
{
    if (!serves_own_disk())
        attach_disk();
    file_server_run(on_serving, look_into_disk);
}

/* ---- Whom it serves ---- */

static void main_main(void)
{
    struct msg msg = {0};
    tid_t from = 0;

    if (info()->variant == VARIANT_PAGER_WAITS || info()->variant == VARIANT_PREFAULTED)
        program_expect(vm_policy(CORE_POLICY_WAITS_FOR_SERVER) == FL_ERROR_OK);
    if (serves_own_disk())
        program_expect(sys_receive(&from, &msg) == FL_ERROR_OK);
    uint32_t at = map_file("/one/data");
    for (uint32_t page = 0; page < PAGES; page++)
        vm_expect_word(vm_word(at, page), file_word(0, page));
    vm_exit(0);
}

const struct program program = {.main = {[FILES] = files_main, [MAIN] = main_main}};
