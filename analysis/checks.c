#include "check.h"

#define CHECK(name) extern const struct check check_##name;
#include "checks.def"
#undef CHECK

#define CHECK(name) &check_##name,
const struct check *const checks[] = {
#include "checks.def"
    NULL,
};
#undef CHECK
