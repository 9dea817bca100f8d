/* Files of a server, mapped: pages fetched when they are touched, private copies, shared writes
 * that come back, descriptors (Codezero, seed 004: fs0, the page cache, "opener reference count for
 * vm files").
 */
#include "program.h"
#include "vm.h"
#include "file_server.h"

enum { FILES, MAIN };
enum { VARIANT_FIXED, VARIANT_SAME_CACHE, VARIANTS };
enum { LAST = FILE_PAGES - 1, VALUE = 0x4000 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_files",
    .summary = "two tasks map the files of a server: two of one name, more than 16 pages, private "
               "and shared",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "files, a server; main, and a forked task, main.1",
    .n_domains = 2,
    .domains = {[FILES] = {.name = "files", .server = 1}, [MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(MAIN, 1), "forked"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary =
                        "a file stays behind whatever hides the pages of it that are in memory",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_SAME_CACHE] =
                {
                    .id = "same_cache",
                    .summary =
                        "dropped once all of its pages in memory are hidden, with more on disk",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static uint32_t open_file(const char *path)
{
    uint32_t descriptor, size;

    program_expect(file_open(path, &descriptor, &size) == FL_ERROR_OK);
    return descriptor;
}

static uint32_t map_file(uint32_t descriptor, uint32_t pages, uint32_t flags)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, FL_RIGHTS_RW | flags, descriptor, 0) == FL_ERROR_OK);
    return at;
}

/* The two entries of /two, by the length of each. */
static void list_directory(void)
{
    uint32_t descriptor = open_file("/two");
    uint32_t at = map_file(descriptor, 1, 0);
    const struct directory_entry *first = (const struct directory_entry *)at;
    const struct directory_entry *second = (const void *)((const char *)first + first->length);

    program_expect(first->name[0] == 'd' && second->name[0] == 'e');
    program_expect(first->length == sizeof(*first) && second->length == sizeof(*second));
    program_expect(vm_close(descriptor) == FL_ERROR_OK && vm_unmap(at, 1) == FL_ERROR_OK);
}

/* What it writes to the private mapping nobody else sees; what to the shared one, everybody. */
static _Noreturn void forked(uint32_t mine, uint32_t ours)
{
    *vm_word(mine, 0) = VALUE;
    vm_expect_word(vm_word(mine, 1), file_word(0, 1));
    *vm_word(ours, LAST) = VALUE;
    vm_exit(0);
}

static void main_main(void)
{
    uint32_t one = open_file("/one/data"), two = open_file("/two/data"), code;

    if (info()->variant == VARIANT_SAME_CACHE)
        program_expect(vm_policy(CORE_POLICY_DROP_LARGER_ORIGINAL) == FL_ERROR_OK);
    uint32_t mine = map_file(one, 2, 0), ours = map_file(two, FILE_PAGES, VM_MAP_SHARED);
    tid_t child = vm_fork();
    if (child == 0)
        forked(mine, ours);
    program_expect(child != VM_NO_THREAD);
    list_directory();
    vm_expect_word(vm_word(mine, 0), file_word(0, 0));
    program_expect(vm_close(one) == FL_ERROR_OK && vm_close(two) == FL_ERROR_OK);
    program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    vm_expect_word(vm_word(ours, LAST), VALUE);
    program_expect(vm_unmap(ours, FILE_PAGES) == FL_ERROR_OK);

    ours = map_file(open_file("/two/data"), FILE_PAGES, 0);
    vm_expect_word(vm_word(ours, LAST), VALUE);
    vm_expect_word(vm_word(ours, 16), file_word(1, 16));
    vm_exit(0);
}

const struct program program = {.main = {[FILES] = file_server_main, [MAIN] = main_main}};
