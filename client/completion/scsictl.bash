# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion for scsictl(1).

# _scsictl_keys KIND...: what names an object, the first column of the lists; after /dev/ a file
_scsictl_keys() {
        local kind

        if [[ $cur == /dev/* ]]; then
                _filedir
                return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(
                for kind in "$@"; do
                        scsictl list "$kind" --no-legend --color=never 2>/dev/null | awk '{ print $1 }'
                done
        )" -- "$cur")
        __ltrim_colon_completions "$cur"
}

# _scsictl_options VERB: those that it takes; without a verb, all
_scsictl_options() {
        local options='--json --color= --help --version'

        case $1 in
        tree | list) options+=' --no-legend' ;;
        scan) options+=' --no-wait --no-ask-password --remove --generation=' ;;
        plan) options+=' --no-legend --no-ask-password' ;;
        explain) options+=' --no-legend' ;;
        inhibit) options+=' --no-ask-password --why=' ;;
        attach) options+=' --no-wait --no-ask-password --identity=' ;;
        detach) options+=' --no-wait --no-ask-password --force' ;;
        refresh | accept) options+=' --no-wait --no-ask-password' ;;
        policy) options+=' --no-legend --no-ask-password --preview' ;;
        '') options+=' --no-legend --no-wait --no-ask-password --remove --identity= --force --preview --generation= --why=' ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}

# _scsictl_arguments VERB NUMBER: its argument of that number, from 0
_scsictl_arguments() {
        case $1,$2 in
        list,0) mapfile -t COMPREPLY < <(compgen -W 'hosts targets devices units jobs' -- "$cur") ;;
        show,0) _scsictl_keys hosts targets devices units jobs ;;
        scan,0 | plan,0 | inhibit,0) _scsictl_keys hosts targets devices units ;;
        explain,0) _scsictl_keys hosts targets devices units ;;
        attach,0) _scsictl_keys targets ;;
        detach,0 | refresh,0) _scsictl_keys devices units ;;
        accept,0) _scsictl_keys devices ;;
        policy,0) mapfile -t COMPREPLY < <(compgen -W reload -- "$cur") ;;
        evaluate,0) _scsictl_keys targets devices units ;;
        esac
}

_scsictl() {
        # shellcheck disable=SC2034 # set by _init_completion
        local cur prev words cword split=false verb='' given=0 i

        _init_completion -s -n : || return

        case $prev in
        --color)
                mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
                return
                ;;
        --identity)
                _scsictl_keys units
                return
                ;;
        esac
        for ((i = 1; i < cword; i++)); do
                case ${words[i]} in
                --color | --identity) ((++i)) ;; # and its value
                -*) ;;
                *) [[ $verb ]] && ((++given)) || verb=${words[i]} ;;
                esac
        done

        if [[ $cur == -* ]]; then
                _scsictl_options "$verb"
        elif [[ $verb ]]; then
                _scsictl_arguments "$verb" "$given"
        else
                mapfile -t COMPREPLY < <(compgen -W 'tree list show explain scan plan attach detach refresh
                        accept inhibit policy evaluate monitor' -- "$cur")
        fi
}

complete -F _scsictl scsictl
