/* What the kernel promises: who may do what to whom, whose message is whose, who is given a lock,
 * who hears of an end. Written for mutations of the kernel that nothing else saw
 * (guest/mutations). */
#include "core.h"
#include "program.h"
#include "thread.h"
#include "vm.h"

enum { MAIN, OTHER }; /* domains */
enum {
    VARIANT_RIGHTS,
    VARIANT_MESSAGES,
    VARIANT_ENDS,
    VARIANT_LOCKS,
    VARIANT_NOT_MINE,
    VARIANT_FORKED_LOCK,
    VARIANT_SLEEPERS,
    VARIANTS
};
enum { VALUE = 4711, ONE = 1, TWO = 2 };

#define GOOD(ID, text)                                                                             \
    {                                                                                              \
        .id = ID, .summary = text, .expect = "clean", .depth = FL_DEPTH_IPC, .bound = 1            \
    }

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "rig_kernel",
    .summary = "what the kernel refuses, and to whom it gives messages, locks and news of an end",
    .source = "the rig's own: mutations of the kernel",
    .threads = "main, its threads; other, in a space of its own, and its thread",
    .n_domains = 2,
    .domains = {[MAIN] = {.name = "main"}, [OTHER] = {.name = "other"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_RIGHTS] = GOOD("rights", "another space's thread is not answered for, "
                                              "halted, suspended or resumed"),
            [VARIANT_MESSAGES] =
                GOOD("messages", "too long ones are cut; who waits for one partner hears no other"),
            [VARIANT_ENDS] =
                GOOD("ends", "whoever waits for a thread that ends hears of it, all of them"),
            [VARIANT_LOCKS] = GOOD(
                "locks", "one of two spaces' locks at one address; one whose page is not there"),
            [VARIANT_NOT_MINE] =
                {.id = "not_mine",
                 .summary = "a lock is given up by who does not hold it: refused, and told",
                 .expect = "lock-discipline",
                 .depth = FL_DEPTH_IPC,
                 .bound = 0},
            [VARIANT_FORKED_LOCK] =
                GOOD("forked_lock", "a lock that is taken after a fork is one side's alone"),
            [VARIANT_SLEEPERS] =
                GOOD("sleepers", "suspended while it waits for a lock, or for its pager"),
        },
};

static void start(struct thread *thread, void (*entry)(void *arg), uint32_t arg)
{
    program_expect(thread_create(thread, FL_PAGE_SIZE, entry, (void *)(uintptr_t)arg) ==
                   FL_ERROR_OK);
}

static volatile uint32_t *new_page(void)
{
    core_handle_t ram;
    uint32_t at;

    program_expect(core_ram_alloc(FL_PAGE_SIZE, &ram) == FL_ERROR_OK);
    program_expect(core_attach(ram, FL_RIGHTS_RW, &at) == FL_ERROR_OK);
    return (volatile uint32_t *)at;
}

/* ---- rights ---- */

/* Has been called by main, and has other try what it can while main waits. */
static void tell_other(void *arg)
{
    struct msg msg = {0}, word = {.label = FL_LABEL_USER};
    tid_t victim = 0;

    (void)arg;
    program_expect(sys_receive(&victim, &msg) == FL_ERROR_OK);
    word.w[0] = victim;
    program_expect(sys_call(program_thread(OTHER), &word) == FL_ERROR_OK);
    msg = (struct msg){.label = FL_ERROR_OK, .w = {VALUE}};
    program_expect(sys_reply(victim, &msg) == FL_ERROR_OK);
}

static void call_for_rights(void)
{
    static struct thread helper;
    struct msg msg = {.label = FL_LABEL_USER};

    start(&helper, tell_other, 0);
    program_expect(sys_call(helper.tid, &msg) == FL_ERROR_OK && msg.w[0] == VALUE);
    thread_join(&helper);
}

static void try_rights(void)
{
    struct msg msg = {0}, forged = {.label = FL_ERROR_OK};
    tid_t caller = 0;

    program_expect(sys_receive(&caller, &msg) == FL_ERROR_OK);
    tid_t victim = msg.w[0];
    program_expect(sys_reply(victim, &forged) == FL_ERROR_NO_THREAD);
    program_expect(sys_thread_halt(victim, FL_HALT_EXCEPTION) == FL_ERROR_NO_RIGHTS);
    program_expect(sys_thread_suspend(victim, SYS_SUSPEND_ALL) == FL_ERROR_NO_RIGHTS);
    program_expect(sys_thread_resume(victim) == FL_ERROR_NO_RIGHTS);
    msg.label = FL_ERROR_OK;
    program_expect(sys_reply(caller, &msg) == FL_ERROR_OK);
}

/* ---- messages ---- */

static tid_t main_thread;

static void send_number(void *arg)
{
    struct msg msg = {.label = FL_LABEL_USER, .w = {(uint32_t)(uintptr_t)arg}};

    program_expect(sys_send(main_thread, &msg) == FL_ERROR_OK);
}

static void send_too_much(void *arg)
{
    struct msg msg = {.label = FL_LABEL_USER, .words = SYS_MSG_PAGE_WORDS + 1};

    (void)arg;
    program_expect(sys_send(main_thread, &msg) == FL_ERROR_OK);
}

static void hear(const struct thread *thread, struct msg *msg)
{
    tid_t from = thread->tid;

    program_expect(sys_receive(&from, msg) == FL_ERROR_OK && from == thread->tid);
}

/* The one who is heard last comes first. */
static void messages(void)
{
    static struct thread one, two, talker;
    struct msg msg = {0};

    main_thread = sys_utcb()->self;
    start(&one, send_number, ONE);
    start(&two, send_number, TWO);
    hear(&two, &msg);
    program_expect(msg.w[0] == TWO);
    hear(&one, &msg);
    program_expect(msg.w[0] == ONE);
    start(&talker, send_too_much, 0);
    hear(&talker, &msg);
    program_expect(msg.words == SYS_MSG_PAGE_WORDS);
}

/* ---- ends ---- */

static void end_at_once(void *arg)
{
    (void)arg;
}

static void end_later(void *arg)
{
    (void)arg;
    sys_yield();
    sys_yield();
}

static void join_it(void *thread)
{
    thread_join(thread);
}

static void ends(void)
{
    static struct thread silent, awaited, one, two;
    struct msg msg = {0};

    start(&silent, end_at_once, 0);
    tid_t from = silent.tid;
    uint32_t status = sys_receive(&from, &msg);
    program_expect(status == FL_ERROR_PARTNER_GONE || status == FL_ERROR_NO_THREAD);

    start(&awaited, end_later, 0);
    start(&one, join_it, (uint32_t)(uintptr_t)&awaited);
    start(&two, join_it, (uint32_t)(uintptr_t)&awaited);
    thread_join(&one);
    thread_join(&two);
}

/* ---- locks ---- */

static struct lock lock; /* at the same address in both spaces */

static void expect_mine(const volatile struct lock *taken)
{
    program_expect(taken->holder == sys_utcb()->self);
}

static void take_after(void *arg)
{
    (void)arg;
    program_expect(sys_lock(&lock) == FL_ERROR_OK);
    expect_mine(&lock);
    program_expect(sys_unlock(&lock) == FL_ERROR_OK);
}

/* Holds the lock for so long that its thread waits for it. */
static void contend(uint32_t yields)
{
    static struct thread second;

    program_expect(sys_lock(&lock) == FL_ERROR_OK);
    start(&second, take_after, 0);
    while (yields-- > 0)
        sys_yield();
    expect_mine(&lock);
    program_expect(sys_unlock(&lock) == FL_ERROR_OK);
    thread_join(&second);
}

static void contend_longest(void)
{
    struct lock *untouched = (struct lock *)(uintptr_t)new_page();

    program_expect(sys_lock(untouched) == FL_ERROR_OK);
    expect_mine(untouched);
    program_expect(sys_unlock(untouched) == FL_ERROR_OK);
    contend(8);
}

static void contend_less(void)
{
    contend(4);
}

static void give_up_anothers(void *arg)
{
    (void)arg;
    program_expect(sys_unlock(&lock) == FL_ERROR_NOT_OWNER);
}

static void not_mine(void)
{
    static struct thread other;

    sys_lock(&lock);
    start(&other, give_up_anothers, 0);
    thread_join(&other);
    expect_mine(&lock);
    sys_unlock(&lock);
}

/* The page may only be read when either side takes the lock: it must get its own first. */
static void forked_lock(void)
{
    uint32_t at = 0, code;

    program_expect(vm_map(&at, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    struct lock *inherited = (struct lock *)at;
    program_expect(sys_lock(inherited) == FL_ERROR_OK && sys_unlock(inherited) == FL_ERROR_OK);
    tid_t child = vm_fork();
    program_expect(child != VM_NO_THREAD);
    vm_expect_word(&inherited->holder, 0);
    program_expect(sys_lock(inherited) == FL_ERROR_OK);
    expect_mine(inherited);
    if (child != 0)
        program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    expect_mine(inherited);
    program_expect(sys_unlock(inherited) == FL_ERROR_OK);
    vm_exit(0);
}

/* ---- sleepers ---- */

static void suspend_and_resume(tid_t thread)
{
    uint32_t status = sys_thread_suspend(thread, SYS_SUSPEND_ALL);

    if (status == FL_ERROR_OK)
        program_expect(sys_thread_resume(thread) == FL_ERROR_OK);
    else /* it had ended by then */
        program_expect(status == FL_ERROR_NO_THREAD || status == FL_ERROR_PARTNER_GONE);
}

/* Interrupted, it has not got the lock, and is not to be given it. */
static void sleep_for_lock(void *arg)
{
    (void)arg;
    uint32_t status = sys_lock(&lock);
    if (status == FL_ERROR_OK)
        sys_unlock(&lock);
    else
        program_expect(status == FL_ERROR_INTERRUPTED);
}

static void suspend_one_at_lock(void)
{
    static struct thread sleeper, behind;

    start(&sleeper, sleep_for_lock, 0);
    start(&behind, sleep_for_lock, 0);
    sys_lock(&lock);
    sys_yield();
    suspend_and_resume(sleeper.tid);
    sys_unlock(&lock);
    thread_join(&sleeper);
    thread_join(&behind);
    program_expect(lock.holder == 0);
}

/* The pager of one thread, for one fault, once the lock is free. Touching the page brings it. */
static void answer_one_fault(void *arg)
{
    struct msg msg = {0};
    tid_t faulter = 0;

    (void)arg;
    sys_lock(&lock);
    sys_unlock(&lock);
    program_expect(sys_receive(&faulter, &msg) == FL_ERROR_OK && msg.label == FL_LABEL_FAULT);
    (void)*(volatile uint32_t *)msg.w[0];
    msg.label = FL_ERROR_OK;
    program_expect(sys_reply(faulter, &msg) == FL_ERROR_OK);
}

static void touch(void *page)
{
    *(volatile uint32_t *)page = VALUE;
}

static void suspend_one_at_fault(void)
{
    static struct thread pager, faulter;
    volatile uint32_t *page = new_page();

    start(&pager, answer_one_fault, 0);
    program_expect(core_pager_set(pager.tid) == FL_ERROR_OK);
    start(&faulter, touch, (uint32_t)(uintptr_t)page);
    sys_lock(&lock);
    sys_yield();
    sys_unlock(&lock);
    suspend_and_resume(faulter.tid);
    thread_join(&pager);
    thread_join(&faulter);
    vm_expect_word(page, VALUE);
}

static void sleepers(void)
{
    suspend_one_at_lock();
    suspend_one_at_fault();
}

static void (*const programs[VARIANTS][2])(void) = {
    [VARIANT_RIGHTS] = {call_for_rights, try_rights},
    [VARIANT_MESSAGES] = {messages},
    [VARIANT_ENDS] = {ends},
    [VARIANT_LOCKS] = {contend_longest, contend_less},
    [VARIANT_NOT_MINE] = {not_mine},
    [VARIANT_FORKED_LOCK] = {forked_lock},
    [VARIANT_SLEEPERS] = {sleepers},
};

static void begin(void)
{
    void (*run)(void) = programs[info()->variant][info()->domain];

    if (run)
        run();
}

const struct program program = {.main = {[MAIN] = begin, [OTHER] = begin}};
