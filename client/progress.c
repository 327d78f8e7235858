/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "client/cleanup.h"
#include "client/document.h"
#include "client/progress.h"
#include "client/text.h"

#define ERASE_LINE "\r\033[K"

static const struct words {
        const char *doing, *done, *name;
} words[] = {
        [PROGRESS_SCAN] = {"Scanning", "Scanned", "Scan"},
        [PROGRESS_ATTACH] = {"Attaching", "Attached", "Attach"},
        [PROGRESS_DETACH] = {"Detaching", "Detached", "Detach"},
        [PROGRESS_REFRESH] = {"Refreshing", "Refreshed", "Refresh"},
        [PROGRESS_ACCEPT] = {"Accepting", "Accepted", "Acceptance"},
};

/* What it is about, "LUN 5 of 3:0:1". */
static void what_print(const struct progress *progress, const struct options *options) {
        if (progress->lun)
                fprintf(options->out, "LUN %s of ", progress->lun);
        fputs(text_scope(progress->scope), options->out);
}

static const char *property_string(const struct progress *progress, const char *name) {
        struct json_object *value;

        if (json_object_object_get_ex(progress->properties, name, &value) &&
            json_object_is_type(value, json_type_string))
                return json_object_get_string(value);
        return "";
}

static uint64_t property_number(const struct progress *progress, const char *name) {
        struct json_object *value;

        return json_object_object_get_ex(progress->properties, name, &value)
                       ? json_object_get_uint64(value)
                       : 0;
}

bool progress_succeeded(const struct progress *progress) {
        return strcmp(property_string(progress, "Result"), "done") == 0;
}

bool progress_ended(const struct progress *progress) {
        return *property_string(progress, "Result") != '\0';
}

static int property_copy(const struct progress *progress, const char *name,
                         struct json_object *document, const char *member) {
        struct json_object *value;

        if (!json_object_object_get_ex(progress->properties, name, &value))
                return 0;
        return json_object_object_add(document, member, json_object_get(value));
}

static struct json_object *event_new(const struct progress *progress, const char *event) {
        struct json_object *document = json_object_new_object();

        if (!document)
                return NULL;
        json_object_object_add(document, "event", json_object_new_string(event));
        if (progress->job)
                json_object_object_add(document, "job", json_object_new_string(progress->job));
        json_object_object_add(document, "scope", json_object_new_string(progress->scope));
        if (progress->lun)
                json_object_object_add(document, "lun", json_object_new_string(progress->lun));
        return document;
}

static int print_event(const struct progress *progress, const char *event,
                       const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = event_new(progress, event);

        return document ? document_print_line(document, options) : -ENOMEM;
}

static int print_step_json(const struct progress *progress, const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = event_new(progress, "progress");

        if (!document)
                return -ENOMEM;
        property_copy(progress, "State", document, "state");
        property_copy(progress, "StepsDone", document, "steps_done");
        property_copy(progress, "StepsTotal", document, "steps_total");
        property_copy(progress, "Progress", document, "progress");
        return document_print_line(document, options);
}

static int print_end_json(const struct progress *progress, const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = event_new(progress, "finished");

        if (!document)
                return -ENOMEM;
        property_copy(progress, "Result", document, "result");
        json_object_object_add(document, "message", json_object_new_string(progress->message));
        json_object_object_add(document, "elapsed_usec",
                               json_object_new_uint64(progress->elapsed_usec));
        property_copy(progress, "Summary", document, "summary");
        return document_print_line(document, options);
}

void progress_erase(struct progress *progress, const struct options *options) {
        if (progress->drawn)
                fputs(ERASE_LINE, options->out);
        fflush(options->out); /* what follows may go to standard error */
        progress->drawn = false;
}

int progress_print_start(const struct progress *progress, const struct options *options) {
        return options->json ? print_event(progress, "started", options) : 0;
}

int progress_print_job(const struct progress *progress, const struct options *options) {
        if (!options->json)
                fprintf(options->out, "%s\n", progress->job);
        return progress_print_start(progress, options);
}

int progress_print_step(struct progress *progress, const struct options *options) {
        uint64_t done = property_number(progress, "StepsDone");
        uint64_t total = property_number(progress, "StepsTotal");

        if (options->json)
                return print_step_json(progress, options);
        if (!options->terminal)
                return 0;
        progress_erase(progress, options);
        fprintf(options->out, "%s ", words[progress->verb].doing);
        what_print(progress, options);
        if (total > 0)
                fprintf(options->out, ": %lu of %lu step%s, %lu%%", done, total,
                        total == 1 ? "" : "s", done * 100 / total);
        else
                fprintf(options->out, ": %s",
                        progress->job ? property_string(progress, "State") : "waiting");
        progress->drawn = true;
        fflush(options->out);
        return 0;
}

static void result_print(const struct progress *progress, const struct options *options) {
        const char *result = property_string(progress, "Result");
        const char *color = options->color ? text_color_sequence(text_state_color(result)) : "";
        double seconds = (double)progress->elapsed_usec / 1e6;

        if (progress_succeeded(progress)) {
                fprintf(options->out, "%s ", words[progress->verb].done);
                what_print(progress, options);
                fprintf(options->out, " in %.1f s", seconds);
        } else {
                fprintf(options->out, "%s of ", words[progress->verb].name);
                what_print(progress, options);
                fprintf(options->out, " %s%s%s after %.1f s", color, *result ? result : "ended",
                        *color ? TEXT_COLOR_RESET : "", seconds);
        }
        if (*progress->message)
                fprintf(options->out, " (%s)", progress->message);
}

int progress_print_end(struct progress *progress, const struct options *options) {
        _cleanup_(freep) char *summary = NULL;
        struct json_object *counts = NULL;

        if (options->json)
                return print_end_json(progress, options);
        json_object_object_get_ex(progress->properties, "Summary", &counts);
        summary = text_from_summary(counts, progress->verb == PROGRESS_SCAN);
        if (!summary)
                return -ENOMEM;
        progress_erase(progress, options);
        result_print(progress, options);
        fprintf(options->out, "%s%s\n", *summary ? ": " : "", summary);
        return 0;
}

int progress_print_failure(struct progress *progress, const char *error,
                           const struct options *options) {
        _cleanup_(json_object_putp) struct json_object *document = NULL;

        progress_erase(progress, options);
        if (!options->json)
                return 0;
        document = event_new(progress, "refused");
        if (!document)
                return -ENOMEM;
        json_object_object_add(document, "error", json_object_new_string(error));
        json_object_object_add(document, "message", json_object_new_string(progress->message));
        return document_print_line(document, options);
}

int progress_print_left(struct progress *progress, const struct options *options) {
        if (options->json)
                return print_event(progress, "left", options);
        progress_erase(progress, options);
        fprintf(options->out, "%s ", words[progress->verb].doing);
        what_print(progress, options);
        fprintf(options->out, " goes on; see: scsictl %s%s\n",
                progress->job ? "show " : "list jobs", progress->job ? progress->job : "");
        return 0;
}
