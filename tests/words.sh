# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The words that scenarios of the lab and cases of the boot tests have in common. A word that fails
# ends the scenario.

# All times that are waited for something are what an idle machine needs at most, in seconds. Machines
# are shared, and have been seen eight times slower: each wait goes on for PATIENCE times its time (see
# tests/lab/run), which costs nothing where what is waited for comes.

# say WORDS: a line of the scenario's story
say() {
        echo "* $*"
}

fail() {
        echo "FAILED: $*" >&2
        trap - ERR
        exit 1
}

# skip WHY: end the scenario, as not run
skip() {
        echo "SKIPPED: $*"
        trap - ERR
        exit 77
}

# pause SECONDS: sleep without starting a process
exec {never_written}<> <(:)
pause() {
        read -rt "$1" -u "$never_written" || :
}

# wait_until CONDITION SECONDS: try a bash condition until it holds. Looking may cost the machine's one
# processor more than what is waited for: it is left alone for twice as long as looking took.
wait_until() {
        local seconds=$(($2 * PATIENCE)) begun=${EPOCHREALTIME/./} end now rest
        end=$((begun + seconds * 1000000))
        until eval "$1"; do
                now=${EPOCHREALTIME/./}
                ((now < end)) || fail "not within $seconds s: $1"
                rest=$((now - begun > 25000 ? 2 * (now - begun) : 50000))
                printf -v rest '%d.%06d' $((rest / 1000000)) $((rest % 1000000))
                pause "$rest"
                begun=${EPOCHREALTIME/./}
        done
}

# expect TEXT COMMAND...: the command succeeds and says the text
expect() {
        local text=$1 output
        shift
        output=$("$@" 2>&1) || fail "$*: $output"
        [[ $output == *"$text"* ]] || fail "$* does not say '$text' but: $output"
}
