/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "sim/test_support.h"

static void on_uevent(void *userdata, const char *action, const char *devpath,
                      const char *subsystem, const char *devtype, const char *const *extra) {
        struct fixture *f = userdata;

        g_string_append_printf(f->events, "%s@%s %s", action, devpath, subsystem);
        if (devtype)
                g_string_append_printf(f->events, " %s", devtype);
        for (; *extra; extra++)
                g_string_append_printf(f->events, " %s", *extra);
        g_string_append_c(f->events, '\n');
}

void fixture_set_up(struct fixture *f, const void *unused) {
        f->machine = sim_machine_new(1);
        f->events = g_string_new(NULL);
        f->host = sim_add_host(f->machine, &(struct sim_host){0});
        f->target = sim_add_target(f->machine, f->host, &(struct sim_target){0});
        sim_machine_on_uevent(f->machine, on_uevent, f);
}

void fixture_tear_down(struct fixture *f, const void *unused) {
        sim_machine_free(f->machine);
        g_string_free(f->events, TRUE);
        g_free(f->attribute);
}

void assert_events(struct fixture *f, const char *expected) {
        g_assert_cmpstr(f->events->str, ==, expected);
        g_string_truncate(f->events, 0);
}

enum sim_fate serve_flagged(struct fixture *f, uint32_t kind, uint64_t lun, uint32_t flags,
                            uint64_t instance) {
        struct worker_request request = {.version = WORKER_VERSION,
                                         .kind = kind,
                                         .id = 7,
                                         .address = {f->target, lun},
                                         .timeout_ms = 1000,
                                         .flags = flags,
                                         .instance = instance};
        enum sim_fate fate = sim_machine_serve(f->machine, &request, &f->reply, f->data);

        g_assert_cmpuint(f->reply.id, ==, 7);
        g_assert_cmpuint(f->reply.kind, ==, kind);
        return fate;
}

enum sim_fate serve(struct fixture *f, uint32_t kind, uint64_t lun) {
        return serve_flagged(f, kind, lun, 0, 0);
}

int ask_flagged(struct fixture *f, uint32_t kind, uint64_t lun, uint32_t flags, uint64_t instance) {
        g_assert_cmpint(serve_flagged(f, kind, lun, flags, instance), ==, SIM_ANSWERED);
        return f->reply.error;
}

int ask(struct fixture *f, uint32_t kind, uint64_t lun) {
        g_assert_cmpint(serve(f, kind, lun), ==, SIM_ANSWERED);
        return f->reply.error;
}

void command(struct fixture *f, uint64_t lun, struct scsi_command cdb) {
        struct worker_request request = {.version = WORKER_VERSION,
                                         .kind = WORKER_COMMAND,
                                         .address = {f->target, lun},
                                         .timeout_ms = 1000,
                                         .command = cdb};

        g_assert_cmpint(sim_machine_serve(f->machine, &request, &f->reply, f->data), ==,
                        SIM_ANSWERED);
        g_assert_cmpint(f->reply.error, ==, 0);
}

void assert_sense(const struct fixture *f, uint8_t key, uint8_t asc, uint8_t ascq) {
        g_assert_cmphex(f->reply.scsi_status, ==, 2);
        g_assert_cmphex(f->reply.sense[2], ==, key);
        g_assert_cmphex(f->reply.sense[12], ==, asc);
        g_assert_cmphex(f->reply.sense[13], ==, ascq);
}

const uint8_t *attribute_bytes(const struct fixture *f, const char *name, size_t *ret) {
        const uint8_t *at = f->data, *end = f->data + f->reply.data_length;
        g_autofree char *directory = g_strdup("");

        while (at < end) {
                struct worker_record record;
                g_autofree char *found = NULL, *path = NULL;

                memcpy(&record, at, sizeof(record));
                found = g_strndup((const char *)at + sizeof(record), record.name_length);
                path = g_strconcat(directory, found, NULL);
                at += sizeof(record) + record.name_length;
                *ret = record.value_length;
                if (strcmp(path, name) == 0 || strcmp(found, name) == 0)
                        return at;
                at += record.value_length;
                if (g_str_has_suffix(found, "/")) {
                        g_free(directory);
                        directory = g_steal_pointer(&found);
                }
        }
        return NULL;
}

const char *attribute(struct fixture *f, const char *name) {
        size_t length;
        const uint8_t *bytes = attribute_bytes(f, name, &length);

        if (!bytes)
                return NULL;
        g_free(f->attribute);
        f->attribute = g_strndup((const char *)bytes, length);
        return g_strchomp(f->attribute);
}

uint64_t reply_instance(const struct fixture *f) {
        size_t length;
        const uint8_t *bytes = attribute_bytes(f, "instance", &length);
        uint64_t instance;

        g_assert_nonnull(bytes);
        g_assert_cmpuint(length, ==, sizeof(instance));
        memcpy(&instance, bytes, sizeof(instance));
        return instance;
}

void map_disks(struct fixture *f, uint32_t count) {
        sim_map_disks(f->machine, f->target, count, 100);
}

void assert_attached(struct fixture *f, const char *expected) {
        g_autofree char *attached = sim_attached(f->machine);

        g_assert_cmpstr(attached, ==, expected);
}
