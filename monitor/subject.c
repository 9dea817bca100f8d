#include "subject.h"

#include <stdio.h>
#include <string.h>
#include "backend/parts.h"
#include "cli.h"
#include "explore/crew.h"
#include "plan.h"

void subject_entries(struct subject_options *options, GOptionEntry entries[SUBJECT_ENTRIES])
{
    const GOptionEntry filled[SUBJECT_ENTRIES] = {
        {"guest", 0, 0, G_OPTION_ARG_FILENAME, &options->guest,
         "guest image (default: the one that came with this program)", "FILE"},
        {"backend", 0, 0, G_OPTION_ARG_STRING, &options->backend,
         "where the guest runs (default: the first that runs the image)", "ID"},
        {"watchdog", 0, 0, G_OPTION_ARG_DOUBLE, &options->watchdog,
         "seconds after which a guest that makes no progress is given up (default: 10)", "S"},
        {"spawn", 0, 0, G_OPTION_ARG_STRING, &options->spawn,
         "how QEMU is started: exec, as a child, or libvirt, as a domain (default: exec; step and "
         "up: libvirt, if it is there)",
         "HOW"},
        {"connect", 0, 0, G_OPTION_ARG_STRING, &options->connect,
         "libvirt's URI: qemu:///system, qemu:///session or qemu:///embed?root=DIR (default: an "
         "embedded driver of the session's own)",
         "URI"},
        G_OPTION_ENTRY_NULL,
    };
    memcpy(entries, filled, sizeof(filled));
}

void subject_options_free(struct subject_options *options)
{
    g_free(options->guest);
    g_free(options->backend);
    g_free(options->spawn);
    g_free(options->connect);
}

char *subject_default_guest(const char *arch)
{
    g_autofree char *built = g_strdup_printf("guest/%s.elf", arch);
    g_autofree char *installed = g_strdup_printf("share/faultline/%s", built);
    char *found = part_find(built, installed);
    return found != NULL ? found : g_strdup_printf("build/%s", built);
}

static const struct backend_ops *find_backend(const char *name, GError **error)
{
    const struct backend_ops *found = backend_find(name);
    if (found != NULL)
        return found;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (size_t i = 0; backends[i] != NULL; i++)
        g_ptr_array_add(ids, (char *)backends[i]->id);
    cli_unknown("back end", name, ids, "faultline doctor", error);
    return NULL;
}

static bool same_arch(const struct backend_ops *backend, const struct image *image, GError **error)
{
    if (strcmp(backend->arch, image->arch) == 0)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "back end %s runs %s guests, %s is one for %s; leave out --guest or --backend",
                backend->id, backend->arch, image->path, image->arch);
    return false;
}

/* What is given of the two chooses the other. */
bool subject_choose(const struct subject_options *options, struct image **image,
                    const struct backend_ops **backend, GError **error)
{
    *image = NULL;
    *backend = options->backend != NULL ? find_backend(options->backend, error) : backends[0];
    if (*backend == NULL)
        return false;
    g_autofree char *guest =
        options->guest != NULL ? g_strdup(options->guest) : subject_default_guest((*backend)->arch);
    *image = image_open(guest, error);
    if (*image == NULL)
        return false;
    if (options->backend == NULL)
        *backend = backend_for((*image)->arch);
    g_assert(*backend != NULL); /* images of architectures that none runs are not opened */
    return same_arch(*backend, *image, error);
}

static bool find_scenario(struct subject *subject, const char *id, GError **error)
{
    const int found = image_scenario(subject->image, id);
    if (found >= 0) {
        subject->scenario_index = (unsigned)found;
        subject->scenario = &subject->image->scenarios[found];
        return true;
    }
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (size_t i = 0; i < subject->image->n_scenarios; i++)
        g_ptr_array_add(ids, (char *)subject->image->scenarios[i].id);
    cli_unknown("scenario", id, ids, "faultline list", error);
    return false;
}

static bool find_variant(struct subject *subject, const char *id, GError **error)
{
    const struct fl_scenario *scenario = subject->scenario;
    const int found = scenario_variant(scenario, id);
    if (found >= 0) {
        subject->variant = (unsigned)found;
        return true;
    }
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (uint32_t i = 0; i < scenario->n_variants; i++)
        g_ptr_array_add(ids, (char *)scenario->variants[i].id);
    g_autofree char *what = g_strdup_printf("variant of %s", scenario->id);
    cli_unknown(what, id, ids, "faultline list", error);
    return false;
}

/* Back ends that run QEMU can leave a guest, if libvirt spawned it. */
static bool is_qemu(const struct backend_ops *backend)
{
    return backend->leave != NULL;
}

static bool find_spawn(struct subject *subject, const struct subject_options *options,
                       GError **error)
{
    const char *how = options->spawn;
    if (how == NULL)
        how = options->connect != NULL ? spawn_libvirt.id : spawns[0]->id;
    subject->spawn = (struct spawn){.ops = spawn_find(how), .connect = options->connect};
    if (subject->spawn.ops == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "--spawn must be exec or libvirt, not \"%s\"", how);
    else if (options->connect != NULL && subject->spawn.ops != &spawn_libvirt)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "--connect is for --spawn libvirt, not for %s; leave out one of the two", how);
    else if (subject->spawn.ops != spawns[0] && !is_qemu(subject->backend))
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "guests of back end %s are not spawned by %s; those of qemu and qemu-x86_64 "
                    "can be",
                    subject->backend->id, how);
    else
        return true;
    return false;
}

void subject_prefer_libvirt(struct subject *subject, const struct subject_options *options,
                            const char *who)
{
    if (options->spawn != NULL || options->connect != NULL || !is_qemu(subject->backend) ||
        !spawn_libvirt_built())
        return;
    subject->spawn.ops = &spawn_libvirt;
    subject->prefers = who;
}

bool subject_open(struct subject *subject, const struct subject_options *options, const char *name,
                  GError **error)
{
    *subject = (struct subject){.watchdog = options->watchdog};
    if (!subject_choose(options, &subject->image, &subject->backend, error) ||
        !find_spawn(subject, options, error))
        return false;
    g_auto(GStrv) parts = g_strsplit(name, "/", 2);
    if (parts[0] == NULL || !find_scenario(subject, parts[0], error))
        return false;
    if (parts[1] != NULL)
        return find_variant(subject, parts[1], error);
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "which variant of %s? For example %s/%s; `faultline list` lists them", parts[0],
                parts[0], subject->scenario->variants[0].id);
    return false;
}

void subject_close(struct subject *subject)
{
    if (subject->image != NULL)
        image_close(subject->image);
    subject->image = NULL;
}

static struct session_options options_of(const struct subject *subject)
{
    return (struct session_options){
        .backend = subject->backend,
        .image = subject->image,
        .watchdog = subject->watchdog,
        .spawn = &subject->spawn,
    };
}

struct crew *subject_crew(const struct subject *subject, unsigned jobs)
{
    const struct session_options options = options_of(subject);
    return crew_new(&options, jobs);
}

struct session *subject_session(const struct subject *subject, GError **error)
{
    struct session_options options = options_of(subject);
    GError *reason = NULL;
    struct session *session = session_open(&options, &reason);
    if (session != NULL)
        return session;
    if (subject->prefers == NULL) {
        g_propagate_error(error, reason);
        return NULL;
    }
    fprintf(stderr, "%s: without libvirt: %s\n", subject->prefers, reason->message);
    g_error_free(reason);
    options.spawn = NULL;
    return session_open(&options, error);
}

bool subject_takes(const struct subject *subject, const struct fl_plan *plan, GError **error)
{
    const unsigned can = subject->backend->capabilities;
    bool between = false;
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        between = between || plan->preemptions[i].k > 0;
    const char *lacks = NULL;
    if (between && !(can & BACKEND_INSN))
        lacks = "preempt between instructions";
    else if ((plan->mode & FL_MODE_ONLINE) && !(can & BACKEND_ONLINE))
        lacks = "decide online";
    if (lacks == NULL)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "back end %s cannot %s; choose another one (`faultline doctor` lists them)",
                subject->backend->id, lacks);
    return false;
}

void subject_say_telling(const struct subject *subject, const char *who)
{
    const struct backend_ops *telling = backend_telling(subject->backend);
    if (telling != NULL && telling != subject->backend)
        fprintf(stderr,
                "%s: %s cannot tell accesses to memory: they come from runs of the same image on "
                "%s\n",
                who, subject->backend->id, telling->id);
}

bool subject_params(const struct subject *subject, char **assignments, struct fl_plan *plan,
                    GError **error)
{
    for (; assignments != NULL && *assignments != NULL; assignments++)
        if (!plan_set_param(plan, subject->scenario, *assignments, error))
            return false;
    return true;
}
