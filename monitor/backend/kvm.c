/* The VMM carries the processor and nothing else: its RAM is the file that the monitor maps.
 * Whether this host's KVM is good enough it finds out by itself (kvm/selftest.h). */
#include "kvm.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include "child.h"
#include "parts.h"

#define GUEST_DEAD   1    /* the VMM's exit status then (kvm/main.c) */
#define LAST_WORD_MS 5000 /* it takes less than one, but for a processor that is shared */

struct kvm {
    struct backend base; /* first: a back end is cast back to this */
    struct child vmm;
};

/* ---- what the self-test says: asked once, since a host does not change ---- */

static struct verdict {
    bool able;
    char text[600];
} verdict;

static void take_verdict(const char *out)
{
    json_t *told = json_loads(out, 0, NULL);
    const char *text = NULL, *limits = "";
    int able = 0;
    if (json_unpack(told, "{s:b, s:s, s:s}", "able", &able, "verdict", &text, "limits", &limits) !=
        0)
        text = "the self-test of " KVM_VMM " says nothing that can be understood: run `make`";
    verdict.able = able != 0;
    g_snprintf(verdict.text, sizeof verdict.text, "%s%s%s", text,
               verdict.able && limits[0] != '\0' ? "; " : "", verdict.able ? limits : "");
    json_decref(told);
}

static gpointer run_self_test(gpointer unused)
{
    (void)unused;
    g_autofree char *vmm = part_find(KVM_VMM, KVM_VMM_INSTALLED);
    g_autofree char *out = NULL;
    char *argv[] = {vmm, "--self-test", "--json", NULL};
    if (vmm == NULL)
        g_strlcpy(verdict.text, KVM_VMM " is not there: build it with `make`", sizeof verdict.text);
    else if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL,
                           NULL, NULL))
        g_snprintf(verdict.text, sizeof verdict.text, "%s cannot be started", vmm);
    else
        take_verdict(out);
    return &verdict;
}

static const struct verdict *self_test(void)
{
    static GOnce once = G_ONCE_INIT;
    return g_once(&once, run_self_test, NULL);
}

static bool kvm_probe(char *reason, size_t size)
{
    const struct verdict *told = self_test();
    g_strlcpy(reason, told->text, size);
    return told->able;
}

/* ---- the guest ---- */

static struct backend *kvm_start(const struct backend_config *config, GError **error)
{
    const struct verdict *told = self_test();
    if (!told->able) {
        g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, told->text);
        return NULL;
    }
    struct kvm *kvm = g_new0(struct kvm, 1);
    kvm->base.ops = &backend_kvm;
    g_autofree char *vmm = part_find(KVM_VMM, KVM_VMM_INSTALLED);
    char *const argv[] = {
        vmm,
        "--ram",
        (char *)guestmem_path(config->memory),
        "--image",
        (char *)config->image,
        config->debugger != NULL ? "--debug" : NULL,
        (char *)config->debugger,
        NULL,
    };
    int code = vmm != NULL ? child_start(&kvm->vmm, KVM_VMM, config->run_dir, argv) : ENOENT;
    if (code == 0)
        return &kvm->base;
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "cannot start " KVM_VMM ": %s",
                g_strerror(code));
    g_free(kvm);
    return NULL;
}

void kvm_say_end(int status, const char *line, char *reason, size_t size)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == GUEST_DEAD)
        g_strlcpy(reason, line, size);
    else
        child_say_end(KVM_VMM, status, line, reason, size);
}

static bool kvm_alive(struct backend *backend, char *reason, size_t size)
{
    struct kvm *kvm = (struct kvm *)backend;
    bool alive = child_alive(&kvm->vmm, reason, size);
    if (!alive) {
        g_autofree char *line = child_last_line(&kvm->vmm);
        kvm_say_end(kvm->vmm.status, line, reason, size);
    }
    return alive;
}

static void kvm_unpark(struct backend *backend)
{
    child_unpark(&((struct kvm *)backend)->vmm);
}

static void kvm_park(struct backend *backend)
{
    child_park(&((struct kvm *)backend)->vmm);
}

static double kvm_waited(struct backend *backend)
{
    return child_waited(&((struct kvm *)backend)->vmm);
}

static void kvm_end_telling(struct backend *backend, char *text, size_t size)
{
    struct kvm *kvm = (struct kvm *)backend;
    child_unpark(&kvm->vmm);
    if (!kvm->vmm.ended)
        kill(kvm->vmm.pid, SIGTERM);
    if (!child_wait(&kvm->vmm, LAST_WORD_MS))
        return;
    g_autofree char *line = child_last_line(&kvm->vmm);
    g_strlcpy(text, line, size);
}

static void kvm_stop(struct backend *backend)
{
    child_stop(&((struct kvm *)backend)->vmm);
    g_free(backend);
}

const struct backend_ops backend_kvm = {
    .id = "kvm",
    .arch = "x86_64",
    .capabilities = BACKEND_POSTED | BACKEND_ONLINE | BACKEND_INSN | BACKEND_GDB,
    .start = kvm_start,
    .alive = kvm_alive,
    .unpark = kvm_unpark,
    .park = kvm_park,
    .waited = kvm_waited,
    .end_telling = kvm_end_telling,
    .stop = kvm_stop,
    .probe = kvm_probe,
};
