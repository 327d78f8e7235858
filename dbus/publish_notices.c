/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/emit.h"
#include "dbus/names.h"
#include "dbus/paths.h"
#include "dbus/publisher.h"
#include "dbus/server_private.h"
#include "util/log.h"

/* Unit attentions told of at once; a storm of more says nothing more. */
#define ATTENTIONS_MAX 4096

static sd_bus_message *hotplug_begin(struct server *server, const char *member) {
        return emit_begin(server, SCSISCAN_PATH, SCSISCAN_INTERFACE_HOTPLUG, member);
}

static void emit_attention(struct server *server, const struct notice *notice, const char *path,
                           const char *address) {
        sd_bus_message *signal = hotplug_begin(server, "UnitAttention");

        if (signal)
                emit_end(server, signal,
                         sd_bus_message_append(signal, "oss", path, address,
                                               unit_attention_name(notice->attention)));
}

static void emit_replaced(struct server *server, const struct notice *notice, const char *path,
                          const char *address) {
        sd_bus_message *signal = hotplug_begin(server, "Replaced");

        if (signal)
                emit_end(server, signal,
                         sd_bus_message_append(signal, "osssb", path, address,
                                               notice->identity ?: "", notice->identity_now ?: "",
                                               notice->in_use));
}

static void emit_capacity(struct server *server, const struct notice *notice, const char *path) {
        sd_bus_message *signal = hotplug_begin(server, "CapacityChanged");

        if (signal)
                emit_end(server, signal,
                         sd_bus_message_append(signal, "ostt", path, notice->identity,
                                               notice->size_was, notice->size));
}

static void publish_notice(struct server *server, const struct notice *notice) {
        struct object_id id = {
                .kind = notice->kind == NOTICE_CAPACITY ? OBJECT_UNIT : OBJECT_DEVICE,
                .address = notice->address,
                .identity = notice->identity,
        };
        _cleanup_(freep) char *path = NULL;
        char address[SCSI_ADDRESS_TEXT_MAX];
        int r = path_format(&id, &path);

        if (r < 0) {
                emit_fail(server, r);
                return;
        }
        scsi_address_format(&notice->address, address);
        switch (notice->kind) {
        case NOTICE_ATTENTION:
                emit_attention(server, notice, path, address);
                break;
        case NOTICE_REPLACED:
                emit_replaced(server, notice, path, address);
                break;
        case NOTICE_CAPACITY:
                emit_capacity(server, notice, path);
                break;
        }
}

static void publish_next(struct server *server, struct publication *publication,
                         const struct notice *notice) {
        const struct server_handler *handler = &server->handler;

        publication->attentions += notice->kind == NOTICE_ATTENTION;
        if (notice->kind != NOTICE_ATTENTION || publication->attentions <= ATTENTIONS_MAX)
                publish_notice(server, notice);
        if (handler->noticed)
                handler->noticed(notice, handler->userdata);
}

bool publish_notices(struct server *server, struct publication *publication, uint64_t until) {
        struct notice *notice;

        if (publication->held)
                return true;
        while (!slice_is_over(until)) {
                notice = engine_take_notice(server->config.engine);
                if (!notice) {
                        if (publication->attentions > ATTENTIONS_MAX)
                                log_warning("%u unit attentions at once: told of %u",
                                            publication->attentions, ATTENTIONS_MAX);
                        return true;
                }
                publish_next(server, publication, notice);
                notice_free(notice);
        }
        return false;
}
