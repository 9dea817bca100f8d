/* Pages for long messages (Codezero, seed 004, "UTCB PLAN"): each thread's at an address that no
 * other has, so that a server keeps those of all its clients mapped. "Forked child does inherit
 * parent's utcb, but cannot use it to communicate to any server. It must explicitly obtain its
 * own."
 *
 * main forks. Both send a long message to two servers, which are shown the sender's page.
 */
#include "program.h"
#include "vm.h"

enum { FIRST, SECOND, SERVERS, MAIN = SERVERS };
enum { VARIANT_INHERITED, VARIANT_ONE_ADDRESS, VARIANT_ASKED, VARIANTS };
enum { LAST = FL_PAGE_SIZE / sizeof(uint32_t) - 1 };

_Static_assert(LAST >= SYS_MSG_PAGE_WORDS, "longer than a message of the kernel's");

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_utcb",
    .summary = "message pages: one address a thread, shared with servers, inherited but not usable",
    .source = "Codezero, UTCB PLAN (seed 004)",
    .threads = "first and second, servers; main, and a forked task, main.1, which talk to both",
    .n_domains = 3,
    .domains = {[FIRST] = {.name = "first", .server = 1},
                [SECOND] = {.name = "second", .server = 1},
                [MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(MAIN, 1), "forked"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_INHERITED] =
                {
                    .id = "inherited",
                    .summary = "who has a page does not ask for one: the child has its parent's",
                    .expect = "message-page-own",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_ONE_ADDRESS] =
                {
                    .id = "one_address",
                    .summary = "the child gives the inherited one up; all are at one address",
                    .expect = "message-page-own",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_ASKED] =
                {
                    .id = "asked",
                    .summary = "each thread asks for its own",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_MARK_DEED,
                },
        },
};

/* By address, the same in every task. */
static uint32_t page_number(uint32_t page)
{
    return (page - FL_SHM_BASE) / FL_PAGE_SIZE;
}

static uint32_t sum(const volatile uint32_t *words)
{
    return words[0] + words[LAST] * 3;
}

/* ---- A server ---- */

static void hear(void)
{
    struct msg msg = {0};
    tid_t from = 0;
    uint32_t page_of_client;

    for (;;) {
        msg.label = FL_ERROR_OK;
        program_expect(sys_reply_wait(&from, &msg) == FL_ERROR_OK);
        uint32_t path = msg.w[0], address = msg.w[1];
        uint32_t status = vm_message_page(from, &page_of_client);
        if (status != FL_ERROR_OK)
            program_raise(status, address);
        program_expect(page_of_client == address);
        sys_mark(FL_EVENT_MARK_DEED, path, FL_DEED_IS_HEARD, sum(vm_word(address, 0)));
    }
}

/* ---- Its clients ---- */

static uint32_t page;   /* 0: none yet */
static uint32_t obtain; /* path of who asked for it */

static void ask(void)
{
    program_expect(vm_message_page(0, &page) == FL_ERROR_OK);
    obtain = sys_utcb()->path;
    sys_mark(FL_EVENT_MARK_DEED, obtain, FL_DEED_OBTAINS, page_number(page));
}

/* A fork copies what the parent knows, too: its page. */
static void find_page(void)
{
    if (page == 0) {
        ask();
    } else if (obtain != sys_utcb()->path && info()->variant != VARIANT_INHERITED) {
        if (info()->variant == VARIANT_ONE_ADDRESS)
            program_expect(vm_unmap(page, 1) == FL_ERROR_OK);
        ask();
    }
}

static void talk(void)
{
    uint32_t self = sys_utcb()->path;

    find_page();
    sys_mark(FL_EVENT_MARK_DEED, self, FL_DEED_USES, page_number(page));
    for (uint32_t server = 0; server < SERVERS; server++) {
        volatile uint32_t *words = vm_word(page, 0);
        uint32_t whole = (self >> 16) + server;
        words[0] = whole;
        words[LAST] = whole;
        sys_mark(FL_EVENT_MARK_DEED, self, FL_DEED_SAYS, whole * 4);
        struct msg msg = {.label = FL_LABEL_USER, .w = {self, page}};
        program_expect(sys_call(program_thread(server), &msg) == FL_ERROR_OK);
    }
}

static void main_main(void)
{
    uint32_t code;

    if (info()->variant == VARIANT_ONE_ADDRESS)
        program_expect(vm_policy(CORE_POLICY_ONE_SHM_ADDRESS) == FL_ERROR_OK);
    find_page();
    tid_t child = vm_fork();
    program_expect(child != VM_NO_THREAD);
    talk();
    if (child != 0)
        program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    vm_exit(0);
}

const struct program program = {.main = {[FIRST] = hear, [SECOND] = hear, [MAIN] = main_main}};
