/* Call stacks of a guest that stands still: at each instruction of a stretch of user mode,
 * prologues and epilogues among them, the walk comes to where the thread began, by way of calls
 * that are in the image; and what is no stack ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <gelf.h>
#include "plan.h"
#include "session.h"
#include "trace.h"
#include "unwind.h"

#define PATIENCE_MS 30000
#define SP_OFFSET   52u /* of r13 in struct arch_frame */
#define LR_OFFSET   56u
#define PC_OFFSET   60u

enum { STOPS = 200, FRAMES = 64, WINDOW_ENTRIES = 10 };

static struct image *image;
static struct session *session;
static Elf *elf;

/* ---- the image ---- */

static const char *section_bytes(uint64_t address)
{
    size_t n = 0;
    elf_getphdrnum(elf, &n);
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr header;
        gelf_getphdr(elf, (int)i, &header);
        if (address >= header.p_vaddr && address + 4 <= header.p_vaddr + header.p_filesz)
            return (const char *)image->data + header.p_offset + (address - header.p_vaddr);
    }
    return NULL;
}

static uint32_t word_at(uint64_t address)
{
    uint32_t word = 0;
    const char *bytes = section_bytes(address);
    if (bytes != NULL)
        memcpy(&word, bytes, sizeof word);
    return word;
}

/* The function around pc, by the symbol table. false: there is none. */
static bool symbol_at(uint64_t pc, GElf_Sym *symbol, const char **name)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_SYMTAB)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 0; gelf_getsym(data, i, symbol) != NULL; i++)
            if (GELF_ST_TYPE(symbol->st_info) == STT_FUNC && pc >= symbol->st_value &&
                pc - symbol->st_value < symbol->st_size) {
                *name = elf_strptr(elf, header.sh_link, symbol->st_name);
                return true;
            }
    }
    return false;
}

static uint64_t function_at(uint64_t pc, uint64_t *size)
{
    GElf_Sym symbol;
    const char *name;
    const bool found = symbol_at(pc, &symbol, &name);
    *size = found ? symbol.st_size : 0;
    return found ? symbol.st_value : 0;
}

static bool is_in(uint64_t pc, const char *function)
{
    GElf_Sym symbol;
    const char *name;
    return symbol_at(pc, &symbol, &name) && strcmp(name, function) == 0;
}

/* ---- what the architectures call and jump with ---- */

struct subject {
    const char *guest, *backend;
    unsigned call; /* bytes of a direct call */
    unsigned step; /* where instructions can begin */
    /* Where the call (or the jump) at that address goes; 0: it is none, or through a register. */
    uint64_t (*target)(uint64_t at, bool call);
    bool (*is_indirect)(uint64_t back); /* whether such a call ends there */
};

static const struct subject *subject;

/* DDI 0406C A8.8.18, A8.8.25, A8.8.26 */
static uint64_t armv7_target(uint64_t at, bool call)
{
    const uint32_t word = word_at(at);
    if (word >> 24 != (call ? 0xebu : 0xeau))
        return 0;
    return (uint32_t)(at + 8 + (uint32_t)((int32_t)(word << 8) >> 6));
}

static bool armv7_is_indirect(uint64_t back)
{
    return (word_at(back - 4) & 0x0ffffff0u) == 0x012fff30u;
}

/* SDM 2A, CALL and JMP */
static uint64_t x86_64_target(uint64_t at, bool call)
{
    const uint8_t code = (uint8_t)word_at(at);
    if (code == (call ? 0xe8 : 0xe9))
        return (uint32_t)(at + 5 + word_at(at + 1));
    if (code == 0xeb && !call)
        return (uint64_t)((int64_t)at + 2 + (int8_t)word_at(at + 1));
    return 0;
}

static bool x86_64_is_indirect(uint64_t back)
{
    return (word_at(back - 2) & 0x38ffu) == 0x10ffu || (word_at(back - 3) & 0x38ffu) == 0x10ffu ||
           (word_at(back - 6) & 0x38ffu) == 0x10ffu;
}

static const struct subject armv7 = {
    .guest = "build/guest/armv7.elf",
    .backend = "qemu",
    .call = 4,
    .step = 4,
    .target = armv7_target,
    .is_indirect = armv7_is_indirect,
};

static const struct subject x86_64 = {
    .guest = "build/guest/x86_64.elf",
    .backend = "qemu-x86_64",
    .call = 5,
    .step = 1,
    .target = x86_64_target,
    .is_indirect = x86_64_is_indirect,
};

static bool leaves_for(uint64_t function, uint64_t size, uint64_t target)
{
    bool found = false;
    for (uint64_t pc = function; pc < function + size && !found; pc += subject->step)
        found = subject->target(pc, false) == target;
    return found;
}

/* Whether what stands before the return address calls the function of `callee`: directly, or a
 * function that ends in a jump to it, or through a register. */
static bool is_call_of(uint64_t back, uint64_t callee)
{
    uint64_t size;
    const uint64_t function = function_at(callee, &size);
    const uint64_t target = subject->target(back - subject->call, true);
    if (target == 0)
        return subject->is_indirect(back);
    const uint64_t called = function_at(target, &size);
    return target == function || (called == target && leaves_for(called, size, function));
}

/* ---- the guest ---- */

/* One run of it with stops for `thread` after its n-th entry, before each of so many instructions
 * from the first-th on. Returns how many of them there were. */
static size_t stop_at(const char *id, const char *variant, const char *thread, uint32_t n,
                      uint32_t first, uint32_t stops, struct call_stack *stacks)
{
    GError *error = NULL;
    const int index = image_scenario(image, id);
    const struct fl_scenario *scenario = &image->scenarios[index];
    struct fl_plan plan;
    plan_init(&plan, scenario, (unsigned)index, (unsigned)scenario_variant(scenario, variant));
    const uint32_t path = trace_thread_path(scenario, thread);
    for (uint32_t k = first; k < first + stops; k++) {
        const struct fl_preemption stop = {path, n, k, FL_PATH_KERNEL};
        assert_true(plan_insert(&plan, scenario, &stop, &error));
    }
    plan.mode = FL_MODE_ONLINE;
    plan.depth = FL_DEPTH_IPC;
    session_post(session, &plan);
    size_t count = 0;
    struct run run;
    struct fl_decision ask;
    enum session_event event;
    while ((event = session_wait(session, PATIENCE_MS, &run, &ask, &error)) == SESSION_ASK) {
        if (fl_k_in_user(ask.k)) {
            assert_int_equal(ask.thread, path);
            assert_int_equal(ask.n, n);
            assert_int_equal(ask.k, first + count);
            assert_int_equal(ask.point, FL_POINT_NONE);
            struct asker asker = session_asker(session);
            stacks[count++] = unwind(image, asker.frame, &asker.memory);
        }
        session_answer(session, FL_PATH_KERNEL);
    }
    assert_int_equal(event, SESSION_RUN);
    assert_int_equal(run.result.outcome, FL_OUTCOME_EXITED);
    assert_int_equal(run.result.reached, 0);
    session_release(session);
    return count;
}

static size_t stop_everywhere(const char *variant, const char *thread, uint32_t n,
                              struct call_stack stacks[STOPS])
{
    return stop_at("genode_stack_slot", variant, thread, n, 1, STOPS, stacks);
}

static bool has_frame(const struct call_stack *stack, const char *function)
{
    struct call_frame frames[FRAMES];
    const size_t n = call_stack_frames(image, stack, frames, FRAMES);
    for (size_t i = 0; i < n; i++)
        if (strcmp(frames[i].place.function, function) == 0)
            return true;
    return false;
}

static void assert_sound(const struct call_stack *stack, const char *beginning)
{
    uint64_t size;
    assert_true(stack->n > 0);
    for (size_t i = 1; i < stack->n; i++)
        if (!is_call_of(stack->pcs[i], stack->pcs[i - 1]))
            fail_msg("nothing before 0x%lx calls 0x%lx", (unsigned long)stack->pcs[i],
                     (unsigned long)function_at(stack->pcs[i - 1], &size));
    struct call_frame frames[FRAMES];
    const size_t n = call_stack_frames(image, stack, frames, FRAMES);
    assert_true(stack->whole);
    assert_string_equal(frames[n - 1].place.function, beginning);
}

/* From the kernel's answer to the attachment of a stack to the next entry: main returns from two
 * functions and stores the context that it was given. */
static void every_instruction_has_its_callers(void **state)
{
    static struct call_stack stacks[STOPS];
    size_t deepest = 0, shallowest = UNWIND_CALLS, seen = 0;
    (void)state;
    for (uint32_t n = 10; n <= 20; n++) {
        const size_t count = stop_everywhere("quickfix", "main", n, stacks);
        seen += count;
        for (size_t i = 0; i < count; i++) {
            assert_sound(&stacks[i], "program_start");
            deepest = MAX(deepest, stacks[i].n);
            shallowest = MIN(shallowest, stacks[i].n);
        }
    }
    printf("%zu stacks of %zu to %zu calls\n", seen, shallowest, deepest);
    assert_true(seen > 100);
    assert_true(deepest >= shallowest + 2);
}

/* A thread that has not begun yet is in no call; once in its own function, it comes from the
 * library's. */
static void a_thread_begins_where_nobody_called(void **state)
{
    static struct call_stack stacks[STOPS];
    (void)state;
    size_t count = stop_everywhere("racy", "t1", 0, stacks);
    assert_true(count > 0);
    assert_int_equal(stacks[0].n, 1);
    assert_true(stacks[0].whole);
    assert_true(has_frame(&stacks[0], "thread_begin"));
    bool created = false;
    for (uint32_t n = 1; n < 4; n++) {
        count = stop_everywhere("racy", "t1", n, stacks);
        for (size_t i = 0; i < count; i++) {
            assert_sound(&stacks[i], "thread_begin");
            created = created || has_frame(&stacks[i], "create_subthreads");
        }
    }
    assert_true(created);
}

/* What is written by hand: the window calls parts of itself, whose callers only its directives
 * know. One stop a run: an exclusive pair is begun again after each. */
static void the_window_has_its_callers(void **state)
{
    struct call_stack stack;
    (void)state;
    size_t inside = 0, deepest = 0, shallowest = SIZE_MAX;
    for (uint32_t n = 1; n <= WINDOW_ENTRIES; n++)
        for (uint32_t k = 1; stop_at("rig_window", "plain", "main", n, k, 1, &stack) == 1; k++) {
            struct call_frame frames[FRAMES];
            const size_t n_frames = call_stack_frames(image, &stack, frames, FRAMES);
            if (!is_in(stack.pcs[0], "arch_window"))
                continue;
            inside++;
            assert_true(stack.whole);
            assert_string_equal(frames[n_frames - 1].place.function, "program_start");
            deepest = MAX(deepest, stack.n);
            shallowest = MIN(shallowest, stack.n);
        }
    printf("%zu stacks of the window, of %zu to %zu calls\n", inside, shallowest, deepest);
    assert_true(inside >= 60);
    assert_int_equal(deepest, shallowest + 2);
}

/* ---- what is no stack ---- */

#define RAM        0x40000000u
#define TABLE      0x4000u /* offsets in RAM */
#define REGISTERS  0x10000u
#define STACK_AT   0x500000u
#define CODE_AT    0x600000u
#define STACK      0x8000000u /* virtual */
#define MEGABYTE   0x100000u
#define NOWHERE    0x60000000u
#define SECTION_RW 0x00001c1eu

static void put(struct guestmem *memory, uint32_t offset, uint32_t value)
{
    memcpy(guestmem_at(memory, offset, sizeof value, 4), &value, sizeof value);
}

/* In a function that keeps its return address in memory, on a stack full of `fill`. */
static struct call_stack made_up(uint32_t sp, uint32_t pc, uint32_t fill)
{
    char dir[] = "/dev/shm/faultline-test-XXXXXX";
    assert_non_null(g_mkdtemp(dir));
    g_autofree char *path = g_build_filename(dir, "ram", NULL);
    struct guestmem *memory = guestmem_create(path, FL_RAM_SIZE, NULL);
    assert_non_null(memory);
    put(memory, TABLE + (STACK >> 20) * 4, RAM + STACK_AT + SECTION_RW);
    put(memory, TABLE + (pc >> 20) * 4, RAM + CODE_AT + SECTION_RW);
    for (uint32_t at = 0; at < MEGABYTE; at += 4)
        put(memory, STACK_AT + at, fill);
    put(memory, CODE_AT + (pc - 4) % MEGABYTE, word_at(pc - 4));
    put(memory, REGISTERS + SP_OFFSET, sp);
    put(memory, REGISTERS + LR_OFFSET, NOWHERE);
    put(memory, REGISTERS + PC_OFFSET, pc);
    struct guestwalk walk = guestwalk_begin(memory, FL_ARCH_ARMV7, RAM + TABLE);
    const struct call_stack stack = unwind(image, REGISTERS, &walk);
    guestmem_free(memory);
    rmdir(dir);
    return stack;
}

static void assert_ends(uint32_t sp, uint32_t pc, uint32_t fill, size_t calls)
{
    const struct call_stack stack = made_up(sp, pc, fill);
    assert_int_equal(stack.n, calls);
    assert_false(stack.whole);
}

static void what_is_no_stack_ends_the_walk(void **state)
{
    static struct call_stack stacks[STOPS];
    (void)state;
    assert_true(stop_everywhere("racy", "main", 15, stacks) > 0);
    assert_true(stacks[0].n > 2);
    const uint32_t pc = (uint32_t)stacks[0].pcs[1]; /* of a function that called and will return */
    assert_ends(STACK, pc, pc, UNWIND_CALLS);       /* round and round */
    assert_ends(STACK, pc, pc + 4, 1);              /* behind no call */
    assert_ends(STACK, pc, NOWHERE, 1);             /* in nothing that is mapped */
    assert_ends(STACK - MEGABYTE, pc, pc, 1);
    assert_ends(STACK + MEGABYTE - 4, pc, pc, 1); /* across the end */
    assert_ends(0xfffffffc, pc, pc, 1);
}

static void registers_outside_of_ram_are_not_known(void **state)
{
    (void)state;
    char dir[] = "/dev/shm/faultline-test-XXXXXX";
    assert_non_null(g_mkdtemp(dir));
    g_autofree char *path = g_build_filename(dir, "ram", NULL);
    struct guestmem *memory = guestmem_create(path, FL_RAM_SIZE, NULL);
    struct guestwalk walk = guestwalk_begin(memory, FL_ARCH_ARMV7, RAM + TABLE);
    static const uint32_t frames[] = {0, FL_RAM_SIZE - 4, FL_RAM_SIZE, UINT32_MAX, 0x10002};
    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++)
        assert_int_equal(unwind(image, frames[i], &walk).n, 0);
    guestmem_free(memory);
    rmdir(dir);
}

static int open_guest(void **state)
{
    GError *error = NULL;
    subject = *state;
    image = image_open(subject->guest, &error);
    const struct session_options options = {.image = image,
                                            .backend = backend_find(subject->backend)};
    if (image != NULL)
        session = session_open(&options, &error);
    if (session == NULL) {
        print_error("%s\n", error->message);
        return 1;
    }
    elf_version(EV_CURRENT);
    elf = elf_memory((char *)(uintptr_t)image->data, image->size);
    return elf == NULL;
}

static int open_armv7(void **state)
{
    *state = (void *)(uintptr_t)&armv7;
    return open_guest(state);
}

static int open_x86_64(void **state)
{
    *state = (void *)(uintptr_t)&x86_64;
    return open_guest(state);
}

static int close_guest(void **state)
{
    (void)state;
    elf_end(elf);
    session_close(session);
    image_close(image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(every_instruction_has_its_callers),
        cmocka_unit_test(a_thread_begins_where_nobody_called),
        cmocka_unit_test(the_window_has_its_callers),
    };
    const struct CMUnitTest one[] = {
        cmocka_unit_test(what_is_no_stack_ends_the_walk),
        cmocka_unit_test(registers_outside_of_ram_are_not_known),
    };
    const int failed = cmocka_run_group_tests_name("armv7", both, open_armv7, close_guest) +
                       cmocka_run_group_tests_name("x86_64", both, open_x86_64, close_guest);
    return failed + cmocka_run_group_tests(one, open_armv7, close_guest);
}
