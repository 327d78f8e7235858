/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chronicle.h"
#include "util/log.h"
#include "util/message_id.h"

void chronicle_event(const struct event *event) {
        char text[SCSI_ADDRESS_TEXT_MAX], host[32];
        struct log_fields fields = {
                .host = host,
                .address = scsi_address_format(&event->address, text),
        };

        snprintf(host, sizeof(host), "host%" PRIu32, event->address.target.host);
        switch (event->kind) {
        case EVENT_RESYNC:
                log_notice("uevents were lost, or none were seen yet: looking at everything");
                break;
        case EVENT_UNIT_ATTENTION:
                fields.message_id = MESSAGE_ID_UNIT_ATTENTION;
                fields.reason = unit_attention_name(event->attention);
                /* Every attach raises that one. */
                log_write(event->attention == ATTENTION_POWER_ON_RESET ? LOG_DEBUG : LOG_INFO,
                          &fields, "%s: unit attention: %s", text,
                          unit_attention_name(event->attention));
                break;
        case EVENT_HOST_STUCK:
                fields.address = NULL;
                fields.message_id = MESSAGE_ID_HOST_STUCK;
                log_write(LOG_ERR, &fields,
                          "%s is stuck: a kernel call has outlived its deadline; other hosts go on",
                          host);
                break;
        case EVENT_HOST_RELEASED:
                fields.address = NULL;
                fields.message_id = MESSAGE_ID_HOST_RELEASED;
                log_write(LOG_NOTICE, &fields, "%s is served again", host);
                break;
        case EVENT_HOLDER:
                log_debug("%s: something changed", event->holder);
                break;
        case EVENT_HOST:
        case EVENT_DEVICE:
                log_write(LOG_DEBUG, &fields, "%s: something changed", text);
                break;
        }
}

static void chronicle_attach(const struct observation *observation, struct log_fields *fields) {
        const char *address = fields->address;

        switch (observation->observed) {
        case OBSERVED_GOOD:
                fields->message_id = MESSAGE_ID_ATTACHED;
                log_write(LOG_INFO, fields, "%s: attached", address);
                break;
        case OBSERVED_NOT_ATTACHED:
        case OBSERVED_OUT_OF_RANGE:
                log_write(LOG_DEBUG, fields, "%s: the kernel attached nothing (%s)", address,
                          observed_name(observation->observed));
                break;
        default:
                fields->message_id = MESSAGE_ID_ATTACH_FAILED;
                log_write(LOG_WARNING, fields, "%s: attach: %s", address,
                          observation->observed == OBSERVED_ERROR
                                  ? strerrordesc_np(-observation->error) ?: "error"
                                  : observed_name(observation->observed));
        }
}

void chronicle_observation(const struct observation *observation) {
        char text[SCSI_ADDRESS_TEXT_MAX], host[32];
        struct log_fields fields = {
                .host = host,
                .address = scsi_address_format(&observation->step.address, text),
                .error = observation->observed == OBSERVED_ERROR ? observation->error : 0,
        };
        const char *step = step_kind_name(observation->step.kind);

        snprintf(host, sizeof(host), "host%" PRIu32, observation->step.address.target.host);
        if (observation->step.kind == STEP_ATTACH)
                chronicle_attach(observation, &fields);
        else if (observation->observed == OBSERVED_DEVICE)
                log_write(LOG_DEBUG, &fields, "%s: %s: %s (sense %x/%02x/%02x)", text, step,
                          scsi_outcome_name(observation->outcome), observation->sense.key,
                          observation->sense.asc, observation->sense.ascq);
        else
                log_write(LOG_DEBUG, &fields, "%s: %s: %s", text, step,
                          observed_name(observation->observed));
}

static void chronicle_detached(const struct change *change, struct log_fields *fields) {
        const char *reason = change->reason ?: "removed";
        bool ours = strcmp(reason, "unmapped") == 0 || strcmp(reason, "replaced") == 0 ||
                    strcmp(reason, "policy") == 0;

        fields->message_id = MESSAGE_ID_DETACHED;
        fields->reason = reason;
        log_write(ours ? LOG_NOTICE : LOG_INFO, fields, "%s: detached (%s)", fields->address,
                  reason);
}

static void chronicle_missing(const struct device *device, const struct log_fields *fields) {
        const char *holder = device->facts.holders[0];

        log_write(holder ? LOG_WARNING : LOG_NOTICE, fields,
                  "%s: missing: its target no longer reports it, and it says so itself%s%s",
                  fields->address, holder ? "; it stays, for it is in use by " : "", holder ?: "");
}

/* What no scan of ours can bring up: nobody would look for that. */
void chronicle_host(const struct host *host) {
        char name[32];

        snprintf(name, sizeof(name), "host%" PRIu32, host->number);
        if (host->discovery == DISCOVERY_KERNEL)
                log_write(LOG_WARNING,
                          &(struct log_fields){.message_id = MESSAGE_ID_HOST_DARK, .host = name},
                          "%s: the driver %s brings its links up only in the kernel's own scan, "
                          "which scsi_mod.scan keeps from happening: nothing is found there that "
                          "was not before",
                          name, host->facts.driver);
}

void chronicle_device(const struct change *change, const struct device *device) {
        char text[SCSI_ADDRESS_TEXT_MAX], host[32];
        struct log_fields fields = {
                .host = host,
                .address = scsi_address_format(&change->id.address, text),
        };

        snprintf(host, sizeof(host), "host%" PRIu32, change->id.address.target.host);
        if (change->removed) {
                fields.identity = change->identity_was;
                chronicle_detached(change, &fields);
                return;
        }
        if (!device || !(change->properties & DEVICE_PROPERTY_STANDING) ||
            device->standing != STANDING_MISSING)
                return;
        fields.message_id = MESSAGE_ID_MISSING;
        fields.identity = device->identity.name;
        chronicle_missing(device, &fields);
}

void chronicle_policy(const struct device *device, const char *reason) {
        bool quarantined = device->standing == STANDING_QUARANTINED;
        char text[SCSI_ADDRESS_TEXT_MAX], host[32];
        const struct log_fields fields = {
                .message_id = quarantined ? MESSAGE_ID_QUARANTINED : MESSAGE_ID_UNWANTED,
                .host = host,
                .address = scsi_address_format(&device->address, text),
                .identity = device->identity.name,
                .reason = reason,
        };

        snprintf(host, sizeof(host), "host%" PRIu32, device->address.target.host);
        if (quarantined)
                log_write(LOG_NOTICE, &fields,
                          "%s: quarantined, I/O to it is stopped until it is accepted: %s", text,
                          reason);
        else
                log_write(LOG_WARNING, &fields, "%s: attached as somebody asked for it, but %s",
                          text, reason);
}

static void chronicle_replaced(const struct notice *notice) {
        char text[SCSI_ADDRESS_TEXT_MAX], host[32];
        const struct log_fields fields = {
                .message_id = MESSAGE_ID_REPLACED,
                .host = host,
                .address = scsi_address_format(&notice->address, text),
                .identity = notice->identity_now,
        };

        snprintf(host, sizeof(host), "host%" PRIu32, notice->address.target.host);
        log_write(LOG_WARNING, &fields, "%s: replaced: was %s, is %s%s%s", text, notice->identity,
                  notice->identity_now,
                  notice->stopped ? ", I/O to it is stopped" : ", since it was last seen",
                  notice->stopped && notice->in_use ? "; in use, so it waits for somebody to decide"
                                                    : "");
}

void chronicle_notice(const struct notice *notice) {
        const struct log_fields fields = {
                .message_id = MESSAGE_ID_CAPACITY,
                .identity = notice->identity,
        };

        switch (notice->kind) {
        case NOTICE_REPLACED:
                chronicle_replaced(notice);
                break;
        case NOTICE_CAPACITY:
                log_write(LOG_NOTICE, &fields, "%s: %" PRIu64 " bytes, was %" PRIu64,
                          notice->identity, notice->size, notice->size_was);
                break;
        case NOTICE_ATTENTION: /* told when it came */
                break;
        }
}

/* What the service does by itself and brings nothing is no news. */
static int job_level(const struct job *job) {
        bool asked = job->cause == CAUSE_REQUEST || job->cause == CAUSE_BOOT;

        if (job->state == JOB_FAILED || job->message[0])
                return LOG_WARNING;
        return asked || job->summary[SUMMARY_ATTACHED] + job->summary[SUMMARY_DETACHED] +
                                       job->summary[SUMMARY_CHANGED] + job->summary[SUMMARY_FAILED]
                       ? LOG_INFO
                       : LOG_DEBUG;
}

static void scan_counts(const struct job *job, char *text, size_t size) {
        snprintf(text, size,
                 ": %" PRIu64 " attached, %" PRIu64 " detached, %" PRIu64 " changed, %" PRIu64
                 " unchanged, %" PRIu64 " failed, %" PRIu64 " skipped",
                 job->summary[SUMMARY_ATTACHED], job->summary[SUMMARY_DETACHED],
                 job->summary[SUMMARY_CHANGED], job->summary[SUMMARY_UNCHANGED],
                 job->summary[SUMMARY_FAILED], job->summary[SUMMARY_SKIPPED]);
}

void chronicle_job(const struct job *job) {
        char number[24], counts[256] = "";
        const struct log_fields fields = {
                .message_id = MESSAGE_ID_JOB_ENDED,
                .job = number,
        };
        const char *scope = job->scope_text[0] ? job->scope_text : "everything";
        bool scan = job->operation == JOB_SCAN;

        snprintf(number, sizeof(number), "%" PRIu64, job->id);
        if (scan)
                scan_counts(job, counts, sizeof(counts));
        log_write(job_level(job), &fields, "%s of %s (job %s%s%s) %s%s%s%s",
                  job_operation_name(job->operation), scope, number, scan ? ", " : "",
                  scan ? job_cause_name(job->cause) : "", job_state_name(job->state), counts,
                  job->message[0] ? ": " : "", job->message);
}
