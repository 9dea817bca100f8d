/* certcheck on searches that are wrong: it accepts the certificate of dpor's search with the true
 * relation of what depends on what, and refuses that of one which misses runs since it takes too
 * much to be independent. Nothing is tampered with: each line of them is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include "backend/backend.h"
#include "explore/certificate.h"
#include "explore/drive.h"
#include "lane.h"
#include "plan.h"

static struct session_options lane;
static struct engine *engine;
static struct crew *crew;
static char *folder;

static bool note_run(void *certificate, const struct driven *driven)
{
    certificate_run(certificate, driven->report);
    return true;
}

static void make_runs(const struct strategy_config *config, struct certificate *certificate)
{
    GError *error = NULL;
    struct strategy *strategy = strategy_dpor.open(config, &error);
    struct depth *depths[FL_DEPTH_NEVER] = {NULL};
    struct drive drive = {.crew = crew,
                          .engine = engine,
                          .scenario = config->scenario,
                          .ops = &strategy_dpor,
                          .strategy = strategy,
                          .depths = depths,
                          .depth = FL_DEPTH_IPC,
                          .on_run = note_run,
                          .context = certificate};
    if (drive_run(&drive, &error) != DRIVE_FINISHED)
        fail_msg("%s", error != NULL ? error->message : "not finished");
    strategy_dpor.close(strategy);
    depth_free(depths[FL_DEPTH_IPC]);
}

/* Path of the certificate, to be freed. */
static char *search(const char *variant, const struct relation *relation, bool unqueued)
{
    GError *error = NULL;
    const int index = image_scenario(lane.image, "rig_orders");
    assert_true(index >= 0);
    struct strategy_config config = {.scenario = &lane.image->scenarios[index],
                                     .depth = FL_DEPTH_IPC,
                                     .relation = relation,
                                     .unqueued = unqueued};
    plan_init(&config.base, config.scenario, (unsigned)index,
              (unsigned)scenario_variant(config.scenario, variant));
    config.base.params[0] = 1;
    char *path = g_build_filename(folder, "certificate", NULL);
    const struct certificate_header header = {.image = lane.image->hash,
                                              .arch = lane.image->arch,
                                              .backend = lane.backend->id,
                                              .scenario = config.scenario,
                                              .base = &config.base,
                                              .depth = "ipc",
                                              .bound = FL_MAX_PREEMPTIONS,
                                              .orders = true,
                                              .unqueued = unqueued};
    struct certificate *certificate = certificate_open(path, &header, &error);
    assert_non_null(certificate);
    make_runs(&config, certificate);
    assert_true(certificate_close(certificate, &error));
    return path;
}

/* What certcheck says of such a search, to be freed. */
static char *checked(const char *variant, const struct relation *relation, bool unqueued)
{
    GError *error = NULL;
    g_autofree char *path = search(variant, relation, unqueued);
    char *command[] = {"build/certcheck", path, NULL};
    char *said = NULL;
    if (!g_spawn_sync(NULL, command, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, NULL, NULL, &error))
        fail_msg("%s", error->message);
    print_message("%s%s: %s", variant, relation != &relation_true ? ", wrongly" : "", said);
    return said;
}

static void a_search_that_misses_runs_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum object_kind kind;
        const char *variant;
    } wrong[] = {
        {OBJECT_MEMORY, "stores"}, {OBJECT_MEMORY, "counter"}, {OBJECT_RECEIVER, "messages"}};
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(wrong); i++) {
        const bool unqueued = i >= G_N_ELEMENTS(wrong);
        const char *variant = wrong[i % G_N_ELEMENTS(wrong)].variant;
        struct relation relation = relation_true;
        relation.depends[wrong[i % G_N_ELEMENTS(wrong)].kind].write_write = false;
        g_autofree char *right = checked(variant, &relation_true, unqueued);
        g_autofree char *lost = checked(variant, &relation, unqueued);
        assert_true(g_str_has_prefix(right, "ACCEPTED"));
        assert_true(g_str_has_prefix(lost, "REFUSED"));
        assert_non_null(strstr(lost, "no run makes the second of them first"));
    }
}

static int open_guests(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("faultline-certificate-XXXXXX", NULL);
    lane = lane_open(lane_name());
    engine = engine_new();
    crew = crew_new(&lane, 1);
    return folder != NULL ? 0 : -1;
}

static int close_guests(void **state)
{
    (void)state;
    g_autofree char *path = g_build_filename(folder, "certificate", NULL);
    g_unlink(path);
    g_rmdir(folder);
    g_free(folder);
    crew_free(crew);
    engine_free(engine);
    image_close((struct image *)lane.image);
    return 0;
}

static bool can_tell_accesses(void)
{
    char reason[256];
    const struct backend_ops *backend = backend_find(lane_name());
    return backend != NULL && backend->probe_accesses != NULL &&
           backend->probe_accesses(reason, sizeof(reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_that_misses_runs_is_refused),
    };
    if (!can_tell_accesses())
        return 77;
    return cmocka_run_group_tests(tests, open_guests, close_guests);
}
