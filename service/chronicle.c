/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chronicle.h"
#include "util/log.h"

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
                /* Every attach raises that one. */
                log_write(event->attention == ATTENTION_POWER_ON_RESET ? LOG_DEBUG : LOG_INFO,
                          &fields, "%s: unit attention: %s", text,
                          unit_attention_name(event->attention));
                break;
        case EVENT_HOST_STUCK:
                fields.address = NULL;
                log_write(LOG_ERR, &fields,
                          "%s is stuck: a kernel call has outlived its deadline; other hosts go on",
                          host);
                break;
        case EVENT_HOST_RELEASED:
                fields.address = NULL;
                log_write(LOG_NOTICE, &fields, "%s is served again", host);
                break;
        case EVENT_HOST:
        case EVENT_DEVICE:
                log_write(LOG_DEBUG, &fields, "%s: something changed", text);
                break;
        }
}

static void chronicle_attach(const struct observation *observation,
                             const struct log_fields *fields) {
        const char *address = fields->address;

        switch (observation->observed) {
        case OBSERVED_GOOD:
                log_write(LOG_INFO, fields, "%s: attached", address);
                break;
        case OBSERVED_NOT_ATTACHED:
        case OBSERVED_OUT_OF_RANGE:
                log_write(LOG_DEBUG, fields, "%s: the kernel attached nothing (%s)", address,
                          observed_name(observation->observed));
                break;
        default:
                log_write(LOG_WARNING, fields, "%s: attach: %s", address,
                          observation->observed == OBSERVED_ERROR
                                  ? strerrordesc_np(-observation->error) ?: "error"
                                  : observed_name(observation->observed));
        }
}

void chronicle_observation(const struct observation *observation) {
        char text[SCSI_ADDRESS_TEXT_MAX], host[32];
        const struct log_fields fields = {
                .host = host,
                .address = scsi_address_format(&observation->step.address, text),
                .error = observation->observed == OBSERVED_ERROR ? observation->error : 0,
        };
        const char *step = step_kind_name(observation->step.kind);

        snprintf(host, sizeof(host), "host%" PRIu32, observation->step.address.target.host);
        if (observation->step.kind == STEP_ATTACH)
                chronicle_attach(observation, &fields);
        else if (observation->step.kind == STEP_READ_DEVICE &&
                 observation->observed == OBSERVED_GONE)
                log_write(LOG_INFO, &fields, "%s: no longer there", text);
        else if (observation->observed == OBSERVED_DEVICE)
                log_write(LOG_DEBUG, &fields, "%s: %s: %s (sense %x/%02x/%02x)", text, step,
                          scsi_outcome_name(observation->outcome), observation->sense.key,
                          observation->sense.asc, observation->sense.ascq);
        else
                log_write(LOG_DEBUG, &fields, "%s: %s: %s", text, step,
                          observed_name(observation->observed));
}

void chronicle_job(const struct job *job) {
        char number[24];
        struct log_fields fields = {.job = number};
        const char *scope = job->scope_text[0] ? job->scope_text : "everything";

        snprintf(number, sizeof(number), "%" PRIu64, job->id);
        log_write(job->state == JOB_FAILED ? LOG_WARNING : LOG_INFO, &fields,
                  "scan of %s (job %s, %s) %s: %" PRIu64 " attached, %" PRIu64 " changed, %" PRIu64
                  " unchanged, %" PRIu64 " failed, %" PRIu64 " skipped%s%s",
                  scope, number, job_cause_name(job->cause), job_state_name(job->state),
                  job->summary[SUMMARY_ATTACHED], job->summary[SUMMARY_CHANGED],
                  job->summary[SUMMARY_UNCHANGED], job->summary[SUMMARY_FAILED],
                  job->summary[SUMMARY_SKIPPED], job->message[0] ? ": " : "", job->message);
}
