# shellcheck shell=bash
# What compose/up and compose/down share: where the stack's state is, and its processes. Sourced after lib.sh.

state=${GATEWAY_STATE:-$PWD/compose/.state}
project=${COMPOSE_PROJECT_NAME:-registry-gateway}
mkdir -p "$state/run" "$state/logs" "$state/data"
state=$(cd "$state" && pwd)
export GATEWAY_STATE=$state

# Two simultaneous runs would start everything twice. The lock ends with the process that holds file descriptor 9.
take_lock() {
    exec 9>"$state/run/lock"
    flock --timeout 600 9 ||
        fail "another compose/up or compose/down is busy" "$state/run/lock is held" "Wait for it to finish"
}

# Identifies a process permanently: after it exits, another process may get its id, at the latest after a reboot.
identity_of() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) } # the command in parentheses may itself hold blanks
    # shellcheck disable=SC2086
    set -- "$1" $stat
    [ "$2" != Z ] || return 1 # exited, and its parent has not waited for it
    echo "$1 ${21} $(cat /proc/sys/kernel/random/boot_id)"
}

pid_of() { # prints the id of the stack's process NAME; fails where it does not run
    local recorded
    recorded=$(cat "$state/run/$1.pid" 2>/dev/null) || return 1
    [ -n "$recorded" ] && [ "$(identity_of "${recorded%% *}")" = "$recorded" ] && echo "${recorded%% *}"
}

start_process() { # NAME COMMAND…
    local name=$1
    shift
    # A separate session: Ctrl-C reaches only the script, which then stops them in order.
    setsid "$@" >>"$state/logs/$name.log" 2>&1 </dev/null 9>&- &
    identity_of "$!" >"$state/run/$name.pid" || true # if it exited at once, waiting for it reports that
}

stop_process() { # NAME; waits until it has exited
    local pid waited=0
    if pid=$(pid_of "$1"); then
        kill -TERM "$pid" 2>/dev/null || true
        while pid_of "$1" >/dev/null; do
            # Longer than the time that the gateway gives to requests under way.
            if [ "$waited" -eq 500 ]; then
                say "$1 (process $pid) does not stop; killing it"
                kill -KILL "$pid" 2>/dev/null || true
            fi
            waited=$((waited + 1))
            sleep 0.1
        done
    fi
    rm -f "$state/run/$1.pid" "$state/run/$1.launch"
}

stop_native() { # the gateway first: it must not serve without the others
    local name
    for name in gateway redis registry; do
        stop_process "$name"
    done
}

# Docker's own plugin, else docker-compose; neither version must see a project name from elsewhere.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose --project-name "$project" --file compose/docker-compose.yml "$@"
    else
        docker-compose --project-name "$project" --file compose/docker-compose.yml "$@"
    fi
}

stop_containers() {
    local problem
    if problem=$(timeout 20 docker version 2>&1 >/dev/null); then
        quietly compose down --remove-orphans
        say "the containers are stopped and removed"
    else
        # Without an engine no container runs. Without permission containers may run: then their ports are still taken.
        say "no Docker engine answers, so the stack's containers were not stopped ($(tail -n 1 <<<"$problem"))"
        return 1
    fi
}

mode() { cat "$state/run/mode" 2>/dev/null || true; }
