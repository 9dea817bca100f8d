#include "refusal.h"
#include "dataspace.h"
#include "domain.h"
#include "frames.h"
#include "info.h"
#include "mapping.h"
#include "region.h"
#include "sys.h"
#include "vm_area.h"
#include "vm_file.h"
#include "vm_object.h"
#include "vm_task.h"

bool refusals_on;

void refusals_begin(void)
{
    refusals_on = info()->fails;
}

bool refusal_is_due(uint32_t kind)
{
    const struct fl_failure *failures = info()->failures;
    uint32_t nth = ++sys_utcb()->asked[kind];

    for (uint32_t i = 0; i < info()->n_failures; i++)
        if (failures[i].kind == kind && failures[i].nth == nth) {
            sys_tell(FL_EVENT_REFUSE, FL_SPACE_CORE, 0, kind, nth);
            return true;
        }
    return false;
}

/* ---- What is in use ---- */

struct totals {
    uint32_t frames, entries;
};

static struct totals noted;

/* Not devzero and its page, which are made once and stay. */
static struct totals totals(void)
{
    return (struct totals){
        .frames = frames_in_use() - vm_object_zero_frames(),
        .entries = dataspaces_in_use() + regions_in_use() + mappings_in_use() +
                   vm_objects_in_use() + vm_areas_in_use() + vm_tasks_in_use() + vm_files_in_use() +
                   domains_in_use(),
    };
}

void totals_note(void)
{
    if (refusals_on)
        noted = totals();
}

void totals_tell(void)
{
    if (!refusals_on)
        return;
    struct totals after = totals();
    sys_tell(FL_EVENT_TOTALS, FL_SPACE_CORE, noted.frames, noted.entries, 0);
    sys_tell(FL_EVENT_TOTALS, FL_SPACE_CORE, after.frames, after.entries, 1);
}
