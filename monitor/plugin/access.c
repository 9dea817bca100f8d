/* A TCG plugin that tells the monitor every access of user mode to memory (access_log.h).
 *
 *   -plugin access.so,log=FILE,ram=ADDR,run=ADDR,leave=ADDR,leave_measured=ADDR,leave_nothing=ADDR
 *   -plugin access.so,probe=on        ends QEMU with status 0: it has loaded the plugin
 *
 * ram is where guest RAM begins; the others are labels of the guest's kernel (vectors.S): where the
 * first thread of a run is started, the two instructions that go to user mode, and where it is not
 * gone to since the timer is set to no instruction at all (0: such a place is not needed).
 *
 * An instruction's number in its span needs no callback an instruction: each block of user mode
 * adds its length to a counter as it begins, and an access takes off how many of the block's come
 * behind it. A block that is left in the middle counted too many, and is left to the kernel, which
 * begins another count. With icount a block that does not fit before the next interrupt is
 * translated again as a shorter one, before it has counted.
 *
 * Nothing here can be seen by the guest, whose clock counts instructions: waiting for the monitor
 * takes no time.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "access_log.h"
#include "plugin_api.h"

#define USER_END   0x80000000u /* the kernel is linked there and above */
#define NO_SPAN    UINT32_MAX
#define NOWHERE    UINT64_MAX
#define PAGE_SHIFT 12u
#define CACHE      64u
#define NAP_NS     20000

int qemu_plugin_version = PLUGIN_API_VERSION;

static struct access_log *shared;
static uint64_t head;         /* of the log; the copy in it is for the monitor */
static uint64_t instructions; /* of the span, with all of the block at hand */
static uint32_t span = NO_SPAN;
static uint32_t runs;
static uint64_t ram = NOWHERE, run = NOWHERE, leave = NOWHERE, leave_measured = NOWHERE;
static uint64_t leave_nothing;

/* Where pages lie. Mappings change in the kernel only, so what is known holds for one span. */
static struct {
    uint64_t stretch; /* the span that it was looked up in, over all runs; from 1 */
    uint32_t page, frame;
} cache[CACHE];
static uint64_t stretch;

static void give_up(const char *what)
{
    fprintf(stderr, "access.so: %s\n", what);
    _exit(3);
}

static void put(struct access record)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};

    while (head - __atomic_load_n(&shared->tail, __ATOMIC_ACQUIRE) >= ACCESS_LOG_RECORDS)
        nanosleep(&nap, NULL);
    shared->records[head % ACCESS_LOG_RECORDS] = record;
    __atomic_store_n(&shared->head, ++head, __ATOMIC_RELEASE);
}

/* ---- while the guest runs ---- */

static void on_run(unsigned vcpu, void *unused)
{
    (void)vcpu;
    (void)unused;
    put((struct access){.address = runs++, .place = (uint32_t)ACCESS_RUN << 28});
    span = NO_SPAN;
}

static void on_leave(unsigned vcpu, void *unused)
{
    (void)vcpu;
    (void)unused;
    span++;
    stretch++;
    instructions = 0;
}

static uint32_t look_up(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
    struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, vaddr);

    if (where == NULL || qemu_plugin_hwaddr_is_io(where))
        give_up("user mode touched what is no memory");
    return (uint32_t)((qemu_plugin_hwaddr_phys_addr(where) - ram) >> PAGE_SHIFT);
}

static uint32_t offset_in_ram(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
    uint32_t page = (uint32_t)vaddr >> PAGE_SHIFT;
    unsigned slot = page % CACHE;

    if (cache[slot].stretch != stretch || cache[slot].page != page) {
        cache[slot].stretch = stretch;
        cache[slot].page = page;
        cache[slot].frame = look_up(info, vaddr);
    }
    return cache[slot].frame << PAGE_SHIFT | ((uint32_t)vaddr & ((1u << PAGE_SHIFT) - 1));
}

/* userdata: pc in the low half, how many instructions of the block come behind in the high one.
 *
 * QEMU 7.2 does not take back the callback of an instruction that leaves its block by a helper, as
 * x86's syscall does, and the next helpers of the kernel that touch memory, as iretq, call it too.
 */
static void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *userdata)
{
    uint64_t where = (uintptr_t)userdata;
    uint32_t kind = qemu_plugin_mem_is_store(info) ? ACCESS_STORE : ACCESS_LOAD;
    uint32_t number = (uint32_t)(instructions - (where >> 32));

    (void)vcpu;
    if (span == NO_SPAN || vaddr >= USER_END)
        return; /* the kernel's: at its own beginning it runs where RAM lies physically */
    put((struct access){.pc = (uint32_t)where,
                        .address = offset_in_ram(info, vaddr),
                        .span = span,
                        .place = kind << 28 | qemu_plugin_mem_size_shift(info) << 24 |
                                 (number & 0xffffffu)});
}

/* ---- when a block is translated ---- */

static void watch_kernel(struct qemu_plugin_tb *block)
{
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t pc = qemu_plugin_insn_vaddr(insn);
        if (pc == run)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_run, QEMU_PLUGIN_CB_NO_REGS, NULL);
        if (pc == leave || pc == leave_measured || pc == leave_nothing)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_leave, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
}

static void watch_user(struct qemu_plugin_tb *block)
{
    size_t n = qemu_plugin_tb_n_insns(block);

    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &instructions, n);
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t where = (uint64_t)(n - 1 - i) << 32 | (uint32_t)qemu_plugin_insn_vaddr(insn);
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_RW, (void *)(uintptr_t)where);
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    if (qemu_plugin_tb_vaddr(block) < USER_END)
        watch_user(block);
    else
        watch_kernel(block);
}

/* ---- at the start ---- */

static void open_log(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size != sizeof(struct access_log))
        give_up("the log is not there, or has another size than sizeof(struct access_log)");
    shared = mmap(NULL, sizeof(struct access_log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED || shared->magic != ACCESS_LOG_MAGIC ||
        shared->size != sizeof(struct access_log))
        give_up("the log does not begin as one");
}

static void take_argument(const char *argument)
{
    static const struct {
        const char *name;
        uint64_t *value;
    } addresses[] = {
        {"ram=", &ram},
        {"run=", &run},
        {"leave=", &leave},
        {"leave_measured=", &leave_measured},
        {"leave_nothing=", &leave_nothing},
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        size_t length = strlen(addresses[i].name);
        if (strncmp(argument, addresses[i].name, length) == 0)
            *addresses[i].value = strtoull(argument + length, NULL, 0);
    }
    if (strncmp(argument, "log=", 4) == 0)
        open_log(argument + 4);
    if (strcmp(argument, "probe=on") == 0)
        exit(0);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        take_argument(argv[i]);
    if (shared == NULL || ram == NOWHERE || run == NOWHERE || leave == NOWHERE ||
        leave_measured == NOWHERE)
        give_up("log, ram, run, leave and leave_measured must all be given");
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
