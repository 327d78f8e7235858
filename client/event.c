/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "client/event.h"
#include "client/name.h"
#include "client/text.h"
#include "dbus/names.h"

/* More items of a list than this are counted, not named, in text. */
#define ITEMS_MAX 8

/* The contract's signals and their arguments. */
static const struct shape {
        const char *member;
        const char *names[5];
        const char *color;
} shapes[] = {
        {"Started", {"job", "scope", "cause"}, NULL},
        {"Finished", {"job", "scope", "result", "summary"}, NULL},
        {"Attached", {"device", "address", "identity"}, "green"},
        {"Detached", {"device", "address", "identity", "reason"}, "red"},
        {"UnitAttention", {"device", "address", "kind"}, "yellow"},
        {"Replaced", {"device", "address", "old_identity", "new_identity", "in_use"}, "red"},
        {"CapacityChanged", {"unit", "identity", "old_bytes", "new_bytes"}, "yellow"},
        {"Changed", {"generation", "added", "removed", "changed"}, NULL},
        {"Completed", {"success", "message"}, NULL},
        {"PropertiesChanged", {"interface", "changed", "invalidated"}, NULL},
        {"InterfacesAdded", {"key", "interfaces"}, "green"},
        {"InterfacesRemoved", {"key", "interfaces"}, "red"},
};

static const struct shape *shape_find(const char *member) {
        for (size_t i = 0; i < ELEMENTS_OF(shapes); i++)
                if (strcmp(shapes[i].member, member) == 0)
                        return &shapes[i];
        return NULL;
}

/* An argument's name, or NULL if the contract of this client's time did not know it. */
static const char *argument_name(const struct shape *shape, size_t index) {
        return shape && index < ELEMENTS_OF(shape->names) ? shape->names[index] : NULL;
}

static void string_print(const char *text, FILE *out) {
        _cleanup_(freep) char *key = path_to_key(text);
        const char *quote = !*text || strchr(text, ' ') ? "\"" : "";

        fprintf(out, "%s%s%s", quote, key ? key : text, quote);
}

static void scalar_print(struct json_object *value, FILE *out) {
        if (json_object_is_type(value, json_type_string))
                string_print(json_object_get_string(value), out);
        else
                fputs(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), out);
}

/* A structure, such as a row of Luns, in parentheses. */
static void item_print(struct json_object *item, FILE *out) {
        if (!json_object_is_type(item, json_type_array)) {
                scalar_print(item, out);
                return;
        }
        fputc('(', out);
        for (size_t i = 0; i < json_object_array_length(item); i++) {
                fputs(i > 0 ? " " : "", out);
                scalar_print(json_object_array_get_idx(item, i), out);
        }
        fputc(')', out);
}

static void array_print(struct json_object *array, FILE *out) {
        size_t count = json_object_array_length(array);

        if (count == 0)
                fputc('-', out);
        for (size_t i = 0; i < count && i < ITEMS_MAX; i++) {
                fputs(i > 0 ? "," : "", out);
                item_print(json_object_array_get_idx(array, i), out);
        }
        if (count > ITEMS_MAX)
                fprintf(out, ",(%zu more)", count - ITEMS_MAX);
}

static void value_print(struct json_object *value, FILE *out) {
        _cleanup_(freep) char *summary = NULL;

        if (json_object_is_type(value, json_type_array))
                array_print(value, out);
        else if (json_object_is_type(value, json_type_object)) {
                summary = text_from_summary(value, false);
                fprintf(out, "\"%s\"", summary ? summary : "");
        } else
                scalar_print(value, out);
}

static void properties_print(struct json_object *arguments, FILE *out) {
        struct json_object *changed = json_object_array_get_idx(arguments, 1);
        struct json_object *gone = json_object_array_get_idx(arguments, 2);

        if (json_object_is_type(changed, json_type_object)) {
                json_object_object_foreach(changed, name, value) {
                        fprintf(out, " %s=", name);
                        value_print(value, out);
                }
        }
        for (size_t i = 0; gone && i < json_object_array_length(gone); i++)
                fprintf(out, " %s", json_object_get_string(json_object_array_get_idx(gone, i)));
}

static void arguments_print(const struct event *event, const struct shape *shape, FILE *out) {
        for (size_t i = 0; i < json_object_array_length(event->arguments); i++) {
                struct json_object *value = json_object_array_get_idx(event->arguments, i);
                const char *name = argument_name(shape, i);

                /* A device's name is its address, a unit's its identity. */
                if (name && (strcmp(name, "device") == 0 || strcmp(name, "unit") == 0))
                        continue;
                fprintf(out, name ? " %s=" : " %s", name ? name : "");
                if (name && strcmp(name, "scope") == 0)
                        fputs(text_scope(json_object_get_string(value)), out);
                else
                        value_print(value, out);
        }
}

/* The object that came, went or changed; NULL for a signal of the service as a whole. */
static const char *event_object(const struct event *event) {
        if (strcmp(event->interface, "org.freedesktop.DBus.ObjectManager") == 0)
                return json_object_get_string(json_object_array_get_idx(event->arguments, 0));
        return strcmp(event->path, SCSISCAN_PATH) == 0 ? NULL : event->path;
}

static int head_print(uint64_t time_usec, const char *word, const char *color,
                      const struct options *options) {
        _cleanup_(freep) char *time = text_from_time(time_usec, true);

        if (!time)
                return -ENOMEM;
        color = options->color ? text_color_sequence(color) : "";
        fprintf(options->out, "%s %s%s%s", time, color, word, *color ? TEXT_COLOR_RESET : "");
        return 0;
}

static int event_print_text(const struct event *event, const struct options *options) {
        const struct shape *shape = shape_find(event->member);
        const char *object = event_object(event);
        int r = head_print(event->time_usec, event->member, shape ? shape->color : NULL, options);

        if (r < 0)
                return r;
        if (object) {
                fputc(' ', options->out);
                string_print(object, options->out);
        }
        if (strcmp(event->member, "PropertiesChanged") == 0)
                properties_print(event->arguments, options->out);
        else if (strcmp(event->interface, "org.freedesktop.DBus.ObjectManager") != 0)
                arguments_print(event, shape, options->out);
        fputc('\n', options->out);
        fflush(options->out);
        return 0;
}

static struct json_object *document_new(uint64_t time_usec, const char *signal) {
        struct json_object *document = json_object_new_object();

        if (!document)
                return NULL;
        json_object_object_add(document, "time_usec", json_object_new_uint64(time_usec));
        json_object_object_add(document, "signal", json_object_new_string(signal));
        return document;
}

/* {interface: properties} */
static struct json_object *interfaces_convert(struct json_object *interfaces) {
        struct json_object *document = json_object_new_object();

        json_object_object_foreach(interfaces, name, properties) {
                if (document)
                        json_object_object_add(document, name,
                                               document_from_properties(properties));
        }
        return document;
}

/* Properties and references are written as they are everywhere else. */
static int argument_add(struct json_object *document, const char *name, size_t index,
                        struct json_object *value) {
        bool dictionary = json_object_is_type(value, json_type_object);
        char numbered[32];

        if (!name) {
                snprintf(numbered, sizeof(numbered), "argument%zu", index);
                name = numbered;
        }
        if (dictionary && strcmp(name, "interfaces") == 0)
                value = interfaces_convert(value);
        else if (dictionary)
                value = document_from_properties(value);
        else
                value = document_from_reference(value);
        return json_object_object_add(document, name, value);
}

static int event_print_json(const struct event *event, const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = NULL;
        const struct shape *shape = shape_find(event->member);
        const char *object = event_object(event);
        _cleanup_(freep) char *key = object ? path_to_key(object) : NULL;

        document = document_new(event->time_usec, event->member);
        if (!document || (object && !key))
                return -ENOMEM;
        json_object_object_add(document, "path",
                               json_object_new_string(object ? object : event->path));
        if (key)
                json_object_object_add(document, "key", json_object_new_string(key));
        for (size_t i = 0; i < json_object_array_length(event->arguments); i++) {
                int r = argument_add(document, argument_name(shape, i), i,
                                     json_object_array_get_idx(event->arguments, i));

                if (r < 0)
                        return -ENOMEM;
        }
        return document_print_line(document, options);
}

int event_print(const struct event *event, const struct options *options) {
        return options->json ? event_print_json(event, options) : event_print_text(event, options);
}

int event_print_service(uint64_t time_usec, bool running, const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = NULL;
        int r;

        if (!options->json) {
                r = head_print(time_usec,
                               running ? "scsiscand is running" : "scsiscand is not running",
                               running ? "green" : "yellow", options);
                fputc('\n', options->out);
                fflush(options->out);
                return r;
        }
        document = document_new(time_usec, "NameOwnerChanged");
        if (!document)
                return -ENOMEM;
        json_object_object_add(document, "running", json_object_new_boolean(running));
        return document_print_line(document, options);
}
