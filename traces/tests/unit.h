/* What every unit test of this directory includes. */
#ifndef FAULTLINE_UNIT_H
#define FAULTLINE_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "sample.h"

#endif
