/* One guest after another. What a broken KVM does is not known beforehand: so each guest has a
 * process of its own, which may crash or hang, and of which only the result comes back. */
#include "selftest.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "trial.h"
#include "vcpu.h"

#define LIMIT_S 10 /* a guest takes a millisecond, nested on a busy machine some hundred */

static void run_probe(int kvm, enum probe_id id, struct probe_result *result)
{
    bool ok = trial_run(kvm, id, &result->what);
    result->state = ok ? PROBE_OK : PROBE_WRONG;
}

/* Waits for the child's end. false: it takes too long. */
static bool wait_for(pid_t child, int *status)
{
    const struct timespec limit = {.tv_sec = LIMIT_S};
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    for (;;) {
        if (waitpid(child, status, WNOHANG) == child)
            return true;
        if (sigtimedwait(&ended, NULL, &limit) < 0 && errno == EAGAIN)
            return waitpid(child, status, WNOHANG) == child;
    }
}

/* A child that KVM does not let go of does not even die, so it is not waited for. */
static void run_apart(int kvm, enum probe_id id, struct probe_result *result)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_probe(kvm, id, result);
        _exit(0);
    }
    struct complaint what = {"it crashes"};
    bool ended = child > 0 && wait_for(child, &status);
    if (child < 0)
        complain(&what, "no process for it: %s", strerror(errno));
    else if (!ended)
        complain(&what, "it hangs");
    if (child > 0 && !ended)
        kill(child, SIGKILL);
    if (!ended || status != 0 || result->state == PROBE_NOT_RUN)
        *result = (struct probe_result){PROBE_WRONG, what};
}

void selftest_run(struct probe_result results[N_PROBES])
{
    struct probe_result *shared = mmap(NULL, N_PROBES * sizeof *shared, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(results, 0, N_PROBES * sizeof *results);
    results[PROBE_DEVICE].state = PROBE_WRONG;
    if (shared == MAP_FAILED) {
        complain(&results[PROBE_DEVICE].what, "no memory for the self-test: %s", strerror(errno));
        return;
    }
    sigset_t ended, before;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, &before);
    int kvm = kvm_open(&results[PROBE_DEVICE].what);
    for (unsigned i = PROBE_DEVICE; kvm >= 0 && i < N_PROBES; i++) {
        run_apart(kvm, i, &shared[i]);
        results[i] = shared[i];
        if (results[PROBE_DEVICE].state != PROBE_OK)
            break;
    }
    if (kvm >= 0)
        close(kvm);
    sigprocmask(SIG_SETMASK, &before, NULL);
    munmap(shared, N_PROBES * sizeof *shared);
}
