/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "client/agent.h"

/* polkit may have to be started first. */
#define READY_MSEC 10000

/* A desktop's dialog is better than a line on the terminal. Those belong to sessions; outside of
 * one (a container, a console without logind) polkit 122 finds no agent that is but a fallback. */
static const char *fallback(void) {
        return sd_pid_get_session(0, NULL) >= 0 ? "--fallback" : NULL;
}

/* It ends when we do, however that is; a call that is not waited for any more needs no password. */
static _Noreturn void agent_run(int ready, pid_t parent) {
        char descriptor[sizeof("2147483648")];
        sigset_t none;

        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
            fcntl(ready, F_SETFD, 0) < 0)
                _exit(EXIT_FAILURE);
        snprintf(descriptor, sizeof(descriptor), "%d", ready);
        execlp("pkttyagent", "pkttyagent", "--notify-fd", descriptor, fallback(), NULL);
        _exit(EXIT_FAILURE);
}

void agent_start(struct agent *agent, const struct options *options) {
        pid_t parent = getpid();
        struct pollfd ready = {};
        int ends[2];

        if (!options->ask || geteuid() == 0 || !isatty(STDIN_FILENO) || pipe2(ends, O_CLOEXEC) < 0)
                return;
        agent->pid = fork();
        if (agent->pid == 0)
                agent_run(ends[1], parent);
        close(ends[1]);
        ready.fd = ends[0];
        /* It closes its end when it is registered, or because it is gone. */
        if (agent->pid > 0)
                (void)poll(&ready, 1, READY_MSEC);
        else
                agent->pid = 0;
        close(ends[0]);
}

/* SIGTERM lets it give the terminal its echo back. */
void agent_stop(struct agent *agent) {
        if (agent->pid == 0)
                return;
        (void)kill(agent->pid, SIGTERM);
        (void)kill(agent->pid, SIGCONT);
        while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        agent->pid = 0;
}
