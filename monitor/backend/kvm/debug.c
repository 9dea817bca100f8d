#include "debug.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include "abi.h"
#include "debug_protocol.h"
#include "debug_step.h"

#define STEPS_A_POLL 64u

struct watched {
    bool changes; /* else a breakpoint */
    uint64_t address, size;
    const uint8_t *at; /* what is watched; NULL: not mapped, or not by this space */
    uint64_t before;
};

struct debug {
    struct stepped guest;
    int fd;
    uint64_t mark;
    struct watched watched[DEBUG_BREAKS];
    unsigned n_watched;
    struct debug_state state;
};

/* ---- the line ---- */

static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_port(const char *path)
{
    struct termios raw;
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &raw) != 0)
        return fd;
    cfmakeraw(&raw);
    tcsetattr(fd, TCSANOW, &raw);
    tcflush(fd, TCIOFLUSH);
    return fd;
}

int debug_open(const char *path, struct complaint *complaint)
{
    struct stat status;
    int fd = -1;
    if (stat(path, &status) == 0)
        fd = S_ISSOCK(status.st_mode) ? open_socket(path) : open_port(path);
    if (fd < 0)
        complain(complaint, "no debugger at %s: %s", path, strerror(errno));
    return fd;
}

static bool receive(int fd, struct debug_order *order)
{
    size_t had = 0;
    while (had < sizeof *order) {
        ssize_t n = read(fd, (uint8_t *)order + had, sizeof *order - had);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        had += n > 0 ? (size_t)n : 0;
    }
    return order->magic == DEBUG_MAGIC && order->verb < DEBUG_VERBS;
}

static bool send_all(int fd, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = write(fd, (const uint8_t *)data + sent, size - sent);
        if (n < 0 && errno != EINTR)
            return false;
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* ---- how it stands ---- */

static void register_order(struct kvm_regs *regs, __u64 *order[DEBUG_RFLAGS + 1])
{
    __u64 *const all[DEBUG_RFLAGS + 1] = {
        &regs->rax, &regs->rbx, &regs->rcx, &regs->rdx, &regs->rsi, &regs->rdi,
        &regs->rbp, &regs->rsp, &regs->r8,  &regs->r9,  &regs->r10, &regs->r11,
        &regs->r12, &regs->r13, &regs->r14, &regs->r15, &regs->rip, &regs->rflags,
    };
    memcpy(order, all, sizeof all);
}

static bool tell(struct debug *debug)
{
    struct kvm_sregs sregs;
    __u64 *order[DEBUG_RFLAGS + 1];
    uint64_t *registers = debug->state.registers;
    if (ioctl(debug->guest.vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
        return false;
    register_order(&debug->guest.regs, order);
    for (unsigned i = 0; i <= DEBUG_RFLAGS; i++)
        registers[i] = *order[i];
    const uint64_t others[] = {sregs.cs.selector, sregs.ss.selector, sregs.ds.selector,
                               sregs.es.selector, sregs.fs.selector, sregs.gs.selector,
                               sregs.fs.base,     sregs.gs.base};
    memcpy(registers + DEBUG_RFLAGS + 1, others, sizeof others);
    debug->state.magic = DEBUG_MAGIC;
    return send_all(debug->fd, &debug->state, sizeof debug->state);
}

/* ---- breakpoints ---- */

static void look_at(const struct debug *debug, struct watched *watched)
{
    watched->at = stepped_at(&debug->guest, watched->address, watched->size);
    watched->before = 0;
    if (watched->at != NULL)
        memcpy(&watched->before, watched->at, watched->size);
}

static void look_at_all(struct debug *debug)
{
    for (unsigned i = 0; i < debug->n_watched; i++)
        if (debug->watched[i].changes)
            look_at(debug, &debug->watched[i]);
}

static bool add(struct debug *debug, const struct debug_order *order)
{
    if (debug->n_watched == DEBUG_BREAKS || order->kind > 1 ||
        (order->kind == 1 && (order->count == 0 || order->count > 8)))
        return false;
    debug->watched[debug->n_watched++] = (struct watched){
        .changes = order->kind == 1, .address = order->address, .size = order->count};
    return true;
}

static bool hit(struct debug *debug)
{
    bool any = false;
    for (unsigned i = 0; i < debug->n_watched && !any; i++) {
        struct watched *watched = &debug->watched[i];
        uint64_t now = 0;
        if (watched->changes && watched->at != NULL) {
            memcpy(&now, watched->at, watched->size);
            any = now != watched->before;
        } else if (!watched->changes) {
            any = debug->guest.regs.rip == watched->address;
        }
        debug->state.address = watched->address;
        debug->state.reason = watched->changes ? DEBUG_CHANGED : DEBUG_AT_BREAK;
    }
    return any;
}

/* ---- orders ---- */

static bool there(const struct debug *debug, const struct debug_order *order)
{
    return debug->state.marks > order->marks ||
           (debug->state.marks == order->marks && debug->state.steps >= order->steps);
}

/* false: the guest's end. */
static bool step(struct debug *debug)
{
    struct debug_state *state = &debug->state;
    const bool user = stepped_is_user(&debug->guest);
    state->marks_before = state->marks;
    state->steps_before = state->steps;
    if (!stepped_step(&debug->guest))
        return false;
    state->steps++;
    if (debug->guest.regs.rip == debug->mark) {
        state->marks++;
        state->steps = 0;
    }
    if (!user && stepped_is_user(&debug->guest)) /* perhaps of another space */
        for (unsigned i = 0; i < debug->n_watched; i++)
            if (debug->watched[i].changes &&
                stepped_at(&debug->guest, debug->watched[i].address, debug->watched[i].size) !=
                    debug->watched[i].at)
                look_at(debug, &debug->watched[i]);
    return true;
}

static bool interrupted(const struct debug *debug)
{
    struct pollfd ready = {.fd = debug->fd, .events = POLLIN};
    return poll(&ready, 1, 0) > 0;
}

static bool steps(struct debug *debug, const struct debug_order *order)
{
    look_at_all(debug);
    debug->state.reason = DEBUG_THERE;
    for (uint64_t i = 0; i < order->count && !there(debug, order); i++) {
        if (!step(debug))
            return false;
        if (hit(debug))
            return true;
        debug->state.reason = DEBUG_THERE;
        if (i % STEPS_A_POLL == STEPS_A_POLL - 1 && interrupted(debug)) {
            debug->state.reason = DEBUG_STOPPED;
            return true;
        }
    }
    return true;
}

static bool marks(struct debug *debug, const struct debug_order *order)
{
    debug->mark = order->address;
    debug->state.reason = DEBUG_THERE;
    for (uint64_t i = 0; i < order->count; i++) {
        if (!stepped_run_to(&debug->guest, debug->mark))
            return false;
        debug->state.marks++;
        debug->state.steps = 0;
    }
    return true;
}

static bool set(struct debug *debug, const struct debug_order *order)
{
    __u64 *all[DEBUG_RFLAGS + 1];
    register_order(&debug->guest.regs, all);
    debug->state.reason = order->kind <= DEBUG_RFLAGS ? DEBUG_THERE : DEBUG_REFUSED;
    if (order->kind <= DEBUG_RFLAGS)
        *all[order->kind] = order->address;
    return stepped_write(&debug->guest);
}

static bool obey(struct debug *debug, const struct debug_order *order)
{
    debug->state.reason = DEBUG_THERE;
    switch (order->verb) {
    case DEBUG_MARK:
        return marks(debug, order);
    case DEBUG_RUN:
        return steps(debug, order);
    case DEBUG_SET:
        return set(debug, order);
    case DEBUG_WRITE:
        if (order->address < FL_RAM_SIZE)
            debug->guest.ram[order->address] = (uint8_t)order->kind;
        else
            debug->state.reason = DEBUG_REFUSED;
        return true;
    case DEBUG_BREAK:
        debug->state.reason = add(debug, order) ? DEBUG_THERE : DEBUG_REFUSED;
        return true;
    default:
        debug->n_watched = 0;
        return true;
    }
}

bool debug_run(struct vcpu *vcpu, int debugger, char text[EXIT_TEXT])
{
    struct debug debug = {
        .guest = {.vcpu = vcpu, .ram = (uint8_t *)(uintptr_t)vcpu->ram.userspace_addr},
        .fd = debugger,
    };
    struct debug_order order;
    bool alive = stepped_read(&debug.guest);
    errno = 0;
    bool heard = alive && tell(&debug);
    while (alive && heard && receive(debugger, &order)) {
        if (order.verb == DEBUG_STOP)
            continue;
        errno = 0;
        alive = obey(&debug, &order) && stepped_reveal(&debug.guest);
        heard = alive && tell(&debug);
    }
    if (!alive)
        exit_describe_vcpu(vcpu->fd, vcpu->run, errno, text);
    return alive;
}
