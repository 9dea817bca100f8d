/* A fault in the middle of a message (Codezero ba31e1b: "fault ipc" clobbered what its thread was
 * about to send). A fault is a message, too, which the kernel sends in the thread's name: with the
 * words of its message page it overwrites what the thread has put there so far.
 *
 * main and t1 each put a message together, of which one word comes from a page that is not mapped
 * yet.
 */
#include "program.h"
#include "vm.h"

enum { HEARER, MAIN };
enum { VARIANT_IN_MESSAGE, VARIANT_FOR_ONE, VARIANT_APART, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), WORDS = SYS_MSG_WORDS };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_fault_clobbers_ipc",
    .summary = "a fault's message overwrites the one that its thread puts together",
    .source = "Codezero ba31e1b (seed 004)",
    .threads = "hearer, a server that is told what was meant; main and t1, its thread, which talk",
    .n_domains = 2,
    .domains = {[HEARER] = {.name = "hearer", .server = 1}, [MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(MAIN, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_IN_MESSAGE] =
                {
                    .id = "in_message",
                    .summary = "the fault's words go where the message's are",
                    .expect = "message-intact",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_FOR_ONE] =
                {
                    .id = "kept_for_one",
                    .summary = "the message is kept meanwhile: of the thread that faulted last",
                    .expect = "message-intact",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_APART] =
                {
                    .id = "apart",
                    .summary = "faults have words of their own in each thread",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_FAULT_RAISE,
                },
        },
};

static uint32_t data; /* two pages of zeros, one for each who talks */
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static uint32_t meant(uint32_t who, uint32_t i)
{
    return (who + 1) << 8 | (i + 1);
}

static uint32_t sum(const volatile uint32_t *words)
{
    return words[0] + words[1] * 3 + words[2] * 5 + words[3] * 7;
}

/* Says what it means, puts that together, and sends it. */
static void talk(uint32_t who)
{
    volatile uint32_t *words = sys_utcb()->words;
    struct msg msg = {.label = FL_LABEL_USER, .words = WORDS, .w = {sys_utcb()->path}};
    uint32_t whole[WORDS];

    for (uint32_t i = 0; i < WORDS; i++)
        whole[i] = meant(who, i);
    sys_mark(FL_EVENT_MARK_DEED, sys_utcb()->path, FL_DEED_SAYS, sum(whole));
    words[0] = whole[0];
    words[1] = whole[1];
    words[2] = whole[2] + *vm_word(data, who);
    words[3] = whole[3];
    program_expect(sys_call(program_thread(HEARER), &msg) == FL_ERROR_OK);
}

static void second(void *unused)
{
    (void)unused;
    talk(1);
    vm_exit(0);
}

static void hear(void)
{
    struct msg msg = {0};
    tid_t from = 0;

    for (;;) {
        msg = (struct msg){.label = FL_ERROR_OK};
        program_expect(sys_reply_wait(&from, &msg) == FL_ERROR_OK);
        sys_mark(FL_EVENT_MARK_DEED, msg.w[0], FL_DEED_IS_HEARD, sum(sys_utcb()->words));
    }
}

static void main_main(void)
{
    uint32_t code;
    tid_t other;

    if (info()->variant != VARIANT_APART)
        program_expect(sys_debug(SYS_DEBUG_FAULT_WORDS, info()->variant == VARIANT_FOR_ONE, 0) ==
                       FL_ERROR_OK);
    program_expect(vm_map(&data, 2, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    program_expect(vm_clone(second, (uint32_t)(uintptr_t)(stack + STACK_WORDS), NULL,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &other) == FL_ERROR_OK);
    talk(0);
    program_expect(vm_wait(other, &code) == FL_ERROR_OK);
    vm_exit(0);
}

const struct program program = {.main = {[HEARER] = hear, [MAIN] = main_main}};
