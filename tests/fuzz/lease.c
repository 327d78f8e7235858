/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbus/lease_record.h"
#include "tests/fuzz/fuzz.h"
#include "util/cleanup.h"

/* Any text is the record of a lease or none, and what is one is written as it was read. */

static void check_record(const struct lease_record *record) {
        _cleanup_(freep) char *text = lease_record_format(record);
        _cleanup_(freep) char *again = NULL;
        struct lease_record same;

        CHECK(text);
        CHECK(record->who[0] && strlen(record->who) <= LEASE_WHO_MAX);
        CHECK(record->why[0] && strlen(record->why) <= LEASE_WHY_MAX);
        CHECK(lease_text_is_printable(record->scope_text));
        CHECK(lease_text_is_printable(record->who) && lease_text_is_printable(record->why));
        CHECK((record->scope.kind == SCOPE_NAME || record->scope.kind == SCOPE_NODE) ==
              (record->scope.name != NULL));
        CHECK(lease_record_parse(text, &same) == 0);
        CHECK(same.scope.kind == record->scope.kind);
        CHECK(same.device_count == record->device_count);
        again = lease_record_format(&same);
        CHECK(again && strcmp(text, again) == 0);
        lease_record_done(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);
        struct lease_record record;
        int r;

        CHECK(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        r = lease_record_parse(text, &record);
        CHECK(r == 0 || r == -EINVAL);
        if (r == 0) {
                check_record(&record);
                lease_record_done(&record);
        }
        return 0;
}
