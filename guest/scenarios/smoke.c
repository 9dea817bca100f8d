/* The rig's first breath: calls across two address spaces, memory attached and touched, a thread on
 * a stack of the context area. Every payload is checked where it arrives. */
#include "core.h"
#include "program.h"
#include "thread.h"

enum { PING, PONG };                /* domains */
enum { PARAM_ROUNDS, PARAM_WORDS }; /* parameters */
enum { STACK_SIZE = 2 * FL_PAGE_SIZE };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "smoke",
    .summary = "IPC ping-pong across two address spaces, a few page faults",
    .source = "the rig's own",
    .threads = "ping, its helper ping.1, and pong, a server",
    .n_domains = 2,
    .domains = {[PING] = {.name = "ping"}, [PONG] = {.name = "pong", .server = 1}},
    .n_params = 2,
    .params =
        {
            [PARAM_ROUNDS] = {"rounds", "calls that ping and its helper make each", 2, 1, 16, 0},
            [PARAM_WORDS] = {"words", "words of each message in the message page", 16, 0,
                             SYS_MSG_PAGE_WORDS, 0},
        },
    .n_variants = 1,
    .variants = {{
        .id = "plain",
        .summary = "everything as it should be",
        .expect = "clean",
        .depth = FL_DEPTH_IPC,
        .bound = 1,
    }},
};

/* What pong makes of a word: another one for each position, so that no two can be mixed up. */
static uint32_t answer_to(uint32_t word, uint32_t position)
{
    return ~word + position;
}

static uint32_t question(uint32_t round, uint32_t position)
{
    return sys_utcb()->path + round * 1000 + position;
}

static void ask_pong(uint32_t round)
{
    uint32_t words = info()->params[PARAM_WORDS];
    uint32_t *page = sys_utcb()->words;
    struct msg msg = {.label = FL_LABEL_USER, .words = words};

    for (uint32_t i = 0; i < SYS_MSG_WORDS; i++)
        msg.w[i] = question(round, i);
    for (uint32_t i = 0; i < words; i++)
        page[i] = question(round, SYS_MSG_WORDS + i);

    program_expect(sys_call(program_thread(PONG), &msg) == FL_ERROR_OK);
    program_expect(msg.label == FL_ERROR_OK && msg.words == words);

    for (uint32_t i = 0; i < SYS_MSG_WORDS; i++)
        program_expect(msg.w[i] == answer_to(question(round, i), i));
    for (uint32_t i = 0; i < words; i++)
        program_expect(page[i] == answer_to(question(round, SYS_MSG_WORDS + i), i));
}

static void ask_all_rounds(void *arg)
{
    (void)arg;
    for (uint32_t round = 0; round < info()->params[PARAM_ROUNDS]; round++)
        ask_pong(round);
}

/* Two windows on the same two pages: written through one, read through the other. */
static void touch_memory(void)
{
    const uint32_t size = 2 * FL_PAGE_SIZE;
    core_handle_t memory;
    uint32_t at, again;

    program_expect(core_ram_alloc(size, &memory) == FL_ERROR_OK);
    program_expect(core_attach(memory, FL_RIGHTS_RW, &at) == FL_ERROR_OK);
    program_expect(core_attach(memory, FL_RIGHTS_R, &again) == FL_ERROR_OK);

    volatile uint32_t *written = (volatile uint32_t *)at;
    const volatile uint32_t *read = (const volatile uint32_t *)again;
    for (uint32_t i = 0; i < size / sizeof(*read); i += FL_PAGE_SIZE / sizeof(*read)) {
        program_expect(read[i] == 0);
        written[i] = ~i;
        program_expect(read[i] == ~i);
    }
    program_expect(core_detach(CORE_MAP_SPACE, again) == FL_ERROR_OK);
    program_expect(core_ram_free(memory) == FL_ERROR_OK);
    program_expect(core_detach(CORE_MAP_SPACE, at) == FL_ERROR_NO_REGION);
}

/* A run that found what the one before left would be no run of its own. */
static void leave_a_mark(void)
{
    static volatile uint32_t initialised = 4711, zeroed;

    program_expect(initialised == 4711 && zeroed == 0);
    initialised++;
    zeroed++;
}

static void ping_main(void)
{
    static struct thread helper;

    leave_a_mark();
    program_expect(thread_create(&helper, STACK_SIZE, ask_all_rounds, NULL) == FL_ERROR_OK);
    touch_memory();
    ask_all_rounds(NULL);
    thread_join(&helper);
    program_expect(thread_destroy(&helper) == FL_ERROR_OK);
}

static void pong_main(void)
{
    uint32_t *page = sys_utcb()->words;
    struct msg msg = {0};
    tid_t caller = 0;

    for (;;) {
        program_expect(sys_reply_wait(&caller, &msg) == FL_ERROR_OK);
        program_expect(msg.label == FL_LABEL_USER);
        for (uint32_t i = 0; i < SYS_MSG_WORDS; i++)
            msg.w[i] = answer_to(msg.w[i], i);
        for (uint32_t i = 0; i < msg.words; i++)
            page[i] = answer_to(page[i], i);
        msg.label = FL_ERROR_OK;
    }
}

const struct program program = {.main = {[PING] = ping_main, [PONG] = pong_main}};
