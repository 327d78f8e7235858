# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion for scsictl(1).

# What names an object: the first column of the lists.
_scsictl_keys() {
        local kind

        for kind in "$@"; do
                scsictl list "$kind" --no-legend --color=never 2>/dev/null | awk '{ print $1 }'
        done
}

_scsictl() {
        # shellcheck disable=SC2034 # set by _init_completion
        local cur prev words cword split=false verb='' word i

        _init_completion -s -n : || return

        if [[ $prev == --color ]]; then
                mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
                return
        fi
        if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '--json --color= --no-legend --no-wait --remove
                        --identity= --force --help --version' -- "$cur")
                [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
                return
        fi
        for ((i = 1; i < cword; i++)); do
                word=${words[i]}
                [[ $word == -* ]] && continue
                [[ $verb ]] && return
                verb=$word
        done

        case $verb in
        '')
                mapfile -t COMPREPLY < <(compgen -W 'tree list show scan attach detach refresh accept
                        monitor' -- "$cur")
                ;;
        list)
                mapfile -t COMPREPLY < <(compgen -W 'hosts targets devices units jobs' -- "$cur")
                ;;
        show)
                if [[ $cur == /dev/* ]]; then
                        _filedir
                else
                        mapfile -t COMPREPLY < <(compgen -W \
                                "$(_scsictl_keys hosts targets devices units jobs)" -- "$cur")
                        __ltrim_colon_completions "$cur"
                fi
                ;;
        attach)
                mapfile -t COMPREPLY < <(compgen -W "$(_scsictl_keys targets)" -- "$cur")
                __ltrim_colon_completions "$cur"
                ;;
        accept)
                mapfile -t COMPREPLY < <(compgen -W "$(_scsictl_keys devices)" -- "$cur")
                __ltrim_colon_completions "$cur"
                ;;
        detach | refresh)
                if [[ $cur == /dev/* ]]; then
                        _filedir
                else
                        mapfile -t COMPREPLY < <(compgen -W "$(_scsictl_keys devices units)" \
                                -- "$cur")
                        __ltrim_colon_completions "$cur"
                fi
                ;;
        scan)
                if [[ $cur == /dev/* ]]; then
                        _filedir
                else
                        mapfile -t COMPREPLY < <(compgen -W \
                                "$(_scsictl_keys hosts targets devices units)" -- "$cur")
                        __ltrim_colon_completions "$cur"
                fi
                ;;
        esac
}

complete -F _scsictl scsictl
