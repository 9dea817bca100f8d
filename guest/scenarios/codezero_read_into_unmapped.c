/* Reading from the page cache into a buffer that is not mapped yet (Codezero, seed 004: "added
 * reading pages from the page cache into user buffer for sys_read"). The pager writes to memory of
 * its client's, where the client's own write would fault: it has to fault for its client.
 *
 * main reads into memory that nobody has touched; its thread second does meanwhile what a thread
 * may do: gives that memory back and writes to other, faults on the page that main waits for,
 * writes to what main reads into.
 */
#include "file_server.h"
#include "program.h"
#include "vm.h"

enum { FILES, MAIN };
enum { VARIANT_FIXED, VARIANT_AS_SEEN, VARIANT_AS_MAPPED, VARIANT_AS_ASKED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), VALUE = 0xa000, NOTE = 5, WORD = 4 };

#define SECOND FL_PATH_CHILD2(MAIN, 1)

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_read_into_unmapped",
    .summary = "a file is read into memory that is not mapped yet: the pager faults for its client",
    .source = "Codezero mm0, sys_read and task_virt_to_page (seed 004)",
    .threads = "files, a server; main, and its thread second",
    .n_domains = 2,
    .domains = {[FILES] = {.name = "files", .server = 1}, [MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{SECOND, "second"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "every page is made writable for its client, then all are copied to",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_FAULT_DUPLICATE,
                },
            [VARIANT_AS_SEEN] =
                {
                    .id = "as_seen",
                    .summary = "as it was: copied to what a reader sees, the zero page of all",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_AS_MAPPED] =
                {
                    .id = "as_mapped",
                    .summary = "copied to what is mapped: of a page that is not the pager faults",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_AS_ASKED] =
                {
                    .id = "as_asked",
                    .summary = "looked up when asked: the frame may be another's when the file's "
                               "page has come",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
        },
};

static const uint32_t policies[VARIANTS] = {
    [VARIANT_AS_SEEN] = CORE_POLICY_READ_INTO_WHAT_IS_SEEN,
    [VARIANT_AS_MAPPED] = CORE_POLICY_READ_INTO_WHAT_IS_MAPPED,
    [VARIANT_AS_ASKED] = CORE_POLICY_READ_INTO_WHAT_WAS_THERE,
};

static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));
static uint32_t buffer;  /* two pages */
static uint32_t mapped;  /* a page of the file that main reads, too */
static uint32_t passing; /* a page that goes while it is read into */
static uint32_t fresh;   /* one that comes */

static uint32_t map_anonymous(uint32_t pages, uint32_t rights)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, rights | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at;
}

static uint32_t open_file(const char *path)
{
    uint32_t descriptor, size;

    program_expect(file_open(path, &descriptor, &size) == FL_ERROR_OK);
    return descriptor;
}

static void second(void *unused)
{
    (void)unused;
    program_expect(vm_unmap(passing, 1) == FL_ERROR_OK);
    *vm_word(fresh, 0) = VALUE;
    vm_expect_word(vm_word(mapped, 0), file_word(0, 0));
    vm_word(buffer, 0)[NOTE] = VALUE;
    vm_exit(0);
}

/* The last word of a page and the first of the next, of the file and of the buffer. */
static void read_across(uint32_t file)
{
    uint32_t got;

    program_expect(vm_read(file, buffer, FL_PAGE_SIZE + WORD, 0, &got) == FL_ERROR_OK &&
                   got == FL_PAGE_SIZE + WORD);
    vm_expect_word(vm_word(buffer, 0), file_word(0, 0));
    vm_expect_word(vm_word(buffer, 1), file_word(0, 1));
    vm_expect_word(vm_word(buffer, 1) + 1, 0);
}

/* Nothing is read into what the caller could not write to itself, and nothing from behind the end.
 */
static void read_nothing(uint32_t file)
{
    uint32_t got, behind = FILE_PAGES * FL_PAGE_SIZE;
    uint32_t untouched = map_anonymous(1, FL_RIGHTS_R);

    vm_expect_word(vm_word(untouched, 0), 0);
    program_expect(vm_read(file, 0, WORD, 0, &got) == FL_ERROR_NO_REGION);
    program_expect(vm_read(file, untouched, WORD, 0, &got) == FL_ERROR_NO_RIGHTS);
    program_expect(vm_read(file, untouched, WORD, behind, &got) == FL_ERROR_OK && got == 0);
    vm_expect_word(vm_word(untouched, 0), 0);
}

static void main_main(void)
{
    uint32_t file = open_file("/one/data"), got, code;
    tid_t thread;

    if (info()->variant != VARIANT_FIXED)
        program_expect(vm_policy(policies[info()->variant]) == FL_ERROR_OK);
    program_expect(vm_map(&mapped, 1, FL_RIGHTS_R, file, 0) == FL_ERROR_OK);
    buffer = map_anonymous(2, FL_RIGHTS_RW);
    passing = map_anonymous(1, FL_RIGHTS_RW);
    fresh = map_anonymous(1, FL_RIGHTS_RW);
    program_expect(vm_clone(second, (uint32_t)(uintptr_t)(stack + STACK_WORDS), NULL,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &thread) == FL_ERROR_OK);
    uint32_t status = vm_read(file, passing, WORD, 2 * FL_PAGE_SIZE, &got);
    program_expect(status == FL_ERROR_OK || status == FL_ERROR_NO_REGION);
    read_across(file);
    read_nothing(file);
    program_expect(vm_wait(thread, &code) == FL_ERROR_OK);
    vm_expect_word(vm_word(fresh, 0), VALUE);
    vm_exit(0);
}

const struct program program = {.main = {[FILES] = file_server_main, [MAIN] = main_main}};
