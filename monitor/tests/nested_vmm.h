/* faultline-vmm with an option of its own, in the Linux of the nested lane: what it says there. */
#ifndef FAULTLINE_TESTS_NESTED_VMM_H
#define FAULTLINE_TESTS_NESTED_VMM_H

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "backend/initrd.h"

#define NESTED_LIMIT "300" /* seconds; it takes a twentieth on a quiet machine */

static inline bool nested_vmm_initrd(const char *path)
{
    struct initrd_file files[] = {
        {"init", (char *)"build/nested/init"},
        {"faultline-vmm", (char *)"build/faultline-vmm"},
        {"irqbypass.ko", (char *)"build/nested/irqbypass.ko"},
        {"kvm.ko", (char *)"build/nested/kvm.ko"},
        {"kvm-amd.ko", (char *)"build/nested/kvm-amd.ko"},
        {"ccp.ko", (char *)"build/nested/ccp.ko"}, /* not with every kernel */
    };
    size_t n = G_N_ELEMENTS(files);
    n -= !g_file_test(files[n - 1].path, G_FILE_TEST_EXISTS);
    return initrd_write(path, files, n, NULL);
}

/* All that it writes, to be freed; *status is its exit status. NULL: it does not come to its end.
 * The init's line of the end comes over the second serial port, which is QEMU's standard output. */
static inline char *nested_vmm(const char *dir, const char *option, int *status)
{
    g_autofree char *initrd = g_build_filename(dir, "initrd", NULL);
    g_autofree char *console = g_build_filename(dir, "console", NULL);
    g_autofree char *command = g_strdup_printf(
        "exec timeout " NESTED_LIMIT
        " qemu-system-x86_64 -M q35 -accel tcg,thread=single -cpu max -m 128M -display none "
        "-monitor none -nodefaults -no-reboot -kernel build/nested/vmlinuz -initrd '%s' "
        "-serial file:'%s' -serial stdio -object memory-backend-ram,id=ram,size=16M,share=on "
        "-device ivshmem-plain,memdev=ram -append 'console=ttyS0 quiet panic=-1 rdinit=/init "
        "mitigations=off nokaslr no_timer_check tsc=reliable -- %s' </dev/null",
        initrd, console, option);
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", command, NULL};
    char line[600], *text = NULL;
    GPid pid;
    int out, said = 0;
    if (!nested_vmm_initrd(initrd) ||
        !g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                                  NULL, &out, NULL, NULL))
        return NULL;
    FILE *control = fdopen(out, "r");
    while (said != 1 && fgets(line, sizeof line, control) != NULL)
        said = sscanf(line, "gone %d", status);
    *status = WEXITSTATUS(*status);
    if (said == 1)
        g_file_get_contents(console, &text, NULL, NULL);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    fclose(control);
    return text;
}

/* What it left in the directory. */
static inline void nested_vmm_clean(const char *dir)
{
    g_autofree char *initrd = g_build_filename(dir, "initrd", NULL);
    g_autofree char *console = g_build_filename(dir, "console", NULL);
    unlink(initrd);
    unlink(console);
}

#endif
