/* clone: what parent and child share, and whose child it is (Codezero, seed 004: "file descriptor
 * and vm area structures need to be separate from the tcb and reached via a pointer so that they
 * can be shared among multiple tcbs"; CLONE_PARENT and THREAD).
 */
#include "file_server.h"
#include "program.h"
#include "vm.h"

enum { FILES, MAIN };
enum { VARIANT_PLAIN, VARIANTS };
enum { STACK_PAGES = 1, SIBLING_CODE = 77, THREAD_CODE = 88 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_clone",
    .summary = "clone: address space and descriptors shared or copied, children of the parent",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "files, a server; main; forked (main.1), its clone sibling (main.1.1); thread "
               "(main.2) in the task of main",
    .n_domains = 2,
    .domains = {[FILES] = {.name = "files", .server = 1}, [MAIN] = {.name = "main"}},
    .n_named = 3,
    .named =
        {
            {FL_PATH_CHILD2(MAIN, 1), "forked"},
            {FL_PATH_CHILD2(MAIN, 1) | 1 << 8, "sibling"},
            {FL_PATH_CHILD2(MAIN, 2), "thread"},
        },
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_PLAIN] =
                {
                    .id = "plain",
                    .summary = "everything as it should be",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
        },
};

static volatile uint32_t opened; /* the thread's descriptor, in memory that it shares with main */

static uint32_t open_file(const char *path)
{
    uint32_t descriptor, size;

    program_expect(file_open(path, &descriptor, &size) == FL_ERROR_OK &&
                   size == FILE_PAGES * FL_PAGE_SIZE);
    return descriptor;
}

static uint32_t first_word(uint32_t descriptor)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, 1, FL_RIGHTS_R, descriptor, 0) == FL_ERROR_OK);
    uint32_t word = *(volatile uint32_t *)at;
    program_expect(vm_unmap(at, 1) == FL_ERROR_OK);
    return word;
}

static uint32_t make_stack(void)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, STACK_PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at + STACK_PAGES * FL_PAGE_SIZE;
}

/* In the task of main, with its descriptors. */
static void thread(void *arg)
{
    (void)arg;
    opened = open_file("/two/data");
    vm_exit(THREAD_CODE);
}

/* A child of main, as the one who made it; of memory and descriptors it has a copy. */
static void sibling(void *arg)
{
    uint32_t descriptor = (uint32_t)(uintptr_t)arg;

    program_expect(first_word(descriptor) == file_word(1, 0));
    program_expect(vm_close(descriptor) == FL_ERROR_OK);
    vm_exit(SIBLING_CODE);
}

/* Closes its copy of the descriptor, and opens what main never opened. The sibling may only be
 * waited for by main, which is told whom to wait for by the exit code. */
static _Noreturn void forked(uint32_t inherited)
{
    tid_t clone;
    uint32_t code;

    program_expect(vm_close(inherited) == FL_ERROR_OK);
    uint32_t descriptor = open_file("/two/data");
    program_expect(descriptor == inherited);
    program_expect(vm_clone(sibling, make_stack(), (void *)(uintptr_t)descriptor, VM_CLONE_PARENT,
                            &clone) == FL_ERROR_OK);
    program_expect(vm_wait(clone, &code) == FL_ERROR_NO_THREAD);
    program_expect(first_word(descriptor) == file_word(1, 0));
    vm_exit(clone);
}

static void main_main(void)
{
    uint32_t file = open_file("/one/data"), code;
    tid_t child = vm_fork(), clone;

    if (child == 0)
        forked(file);
    program_expect(child != VM_NO_THREAD);
    program_expect(vm_clone(thread, make_stack(), NULL, VM_CLONE_SPACE | VM_CLONE_FILES, &clone) ==
                   FL_ERROR_OK);
    program_expect(vm_wait(clone, &code) == FL_ERROR_OK && code == THREAD_CODE);
    program_expect(opened != file && first_word(opened) == file_word(1, 0));
    program_expect(first_word(file) == file_word(0, 0));

    program_expect(vm_wait(child, &code) == FL_ERROR_OK);
    program_expect(vm_wait((tid_t)code, &code) == FL_ERROR_OK && code == SIBLING_CODE);
    program_expect(vm_wait(child, &code) == FL_ERROR_NO_THREAD);
    program_expect(vm_close(opened) == FL_ERROR_OK && vm_close(opened) == FL_ERROR_NO_FILE);
    vm_exit(0);
}

const struct program program = {.main = {[FILES] = file_server_main, [MAIN] = main_main}};
