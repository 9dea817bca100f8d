/* From what the guests of the self-test could, to what the rig can. */
#include "selftest.h"

#include <string.h>

#define INSTEAD "use --backend qemu-x86_64, or kvm-nested"

static const struct {
    const char *name;
    const char *without; /* what cannot be done without it, or is done how instead */
    bool needed;         /* no rig without it */
} needs[N_PROBES] = {
    [PROBE_DEVICE] = {"device", "there is no KVM", true},
    [PROBE_FEATURES] = {"features", "its processor lacks features", true},
    [PROBE_ENTER] = {"enter", "a guest cannot enter 64-bit mode", true},
    [PROBE_PORT] = {"port", "a guest cannot write to a port", true},
    [PROBE_RING3] = {"ring3", "a guest cannot run ring 3", true},
    [PROBE_SYSCALL] = {"syscall", "`syscall` from ring 3 is not delivered", true},
    [PROBE_FAULT] = {"fault", "a page fault of ring 3 is not delivered and resumed", true},
    [PROBE_NO_EXECUTE] = {"no-execute", "execute rights are not enforced", true},
    [PROBE_FLUSH] = {"flush", "a flushed page stays", true},
    [PROBE_KICK] = {"kick", "a guest that loops cannot be stopped", true},
    [PROBE_INTERRUPT] = {"interrupt", "interrupts are not delivered to ring 3", true},
    [PROBE_APIC] = {"apic", "a device's page cannot be written", true},
    [PROBE_SHUTDOWN] = {"shutdown", "a triple fault is not told", true},
    [PROBE_IMMEDIATE_EXIT] = {"immediate-exit", "immediate_exit does not work", true},
    [PROBE_TRAP_FLAG] = {"trap-flag", "preemptions with k >= 1 do not come where they should",
                         true},
    [PROBE_SINGLE_STEP] = {"single-step", "no steps by a debugger of the host", false},
    [PROBE_BREAKPOINT] = {"breakpoint", "break- and watchpoints are found by stepping", false},
    [PROBE_INT3] = {"int3", "breakpoints in code are found by stepping", false},
    [PROBE_DIRTY_LOG] = {"dirty-log", "no log of written pages", false},
};

const char *selftest_name(enum probe_id id)
{
    return needs[id].name;
}

static void append(char *text, size_t size, const char *part)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", part);
}

void selftest_judge(const struct probe_result results[N_PROBES], struct verdict *verdict)
{
    *verdict = (struct verdict){.able = true};
    if (results[PROBE_DEVICE].state != PROBE_OK) {
        verdict->able = false;
        snprintf(verdict->text, sizeof verdict->text, "%s; or " INSTEAD,
                 results[PROBE_DEVICE].what.text);
        return;
    }
    char missing[300] = "";
    for (unsigned i = 0; i < N_PROBES; i++) {
        if (results[i].state == PROBE_OK)
            continue;
        if (needs[i].needed)
            append(missing, sizeof missing, needs[i].without);
        else
            append(verdict->limits, sizeof verdict->limits, needs[i].without);
    }
    verdict->able = missing[0] == '\0';
    if (verdict->able)
        snprintf(verdict->text, sizeof verdict->text, "this KVM can carry the rig");
    else
        snprintf(verdict->text, sizeof verdict->text, "this KVM cannot carry the rig: %s; " INSTEAD,
                 missing);
}
