#!/usr/bin/env bash
# Make sure that a Docker engine answers: use the one there is, else install and start Debian's.
#
#   engine.sh [start]   an engine answers when this ends with 0
#   engine.sh stop      end the engine that `start` started, and no other
#   engine.sh status    say which engine answers
#
# DOCKER_HOST names another engine. The pid and the log of an engine started here are kept in
# $SAGEDOCK_HOME/engine (by default $XDG_STATE_HOME/sagedock/engine).
set -euo pipefail

state=${SAGEDOCK_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/sagedock}/engine
pidfile=$state/dockerd.pid
log=$state/dockerd.log
start_s=30 # dockerd answers within a second or two; a first start on a slow disk takes longer
stop_s=60

say() { echo "engine: $*"; }
die() { say "$*" >&2; exit 1; }

answers() { docker info >/dev/null 2>&1; }
describe() { docker version --format '{{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}})'; }

our_pid() { # print the pid of the engine that we started, if it is running still
    local pid
    pid=$(cat "$pidfile" 2>/dev/null) || return 1
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] && echo "$pid"
}

any_dockerd() { grep -qsx dockerd /proc/[0-9]*/comm; }

is_debian() {
    # shellcheck source=/dev/null
    [[ -r /etc/os-release ]] && (. /etc/os-release && [[ " ${ID:-} ${ID_LIKE:-} " == *" debian "* ]])
}

explain_elsewhere() {
    [[ $(uname -s) == Linux ]] || die "no Docker engine answers: start Docker Desktop (or Colima," \
        "or Podman's Docker socket), or set DOCKER_HOST to one that runs"
    [[ -z ${DOCKER_HOST:-} ]] || die "DOCKER_HOST=$DOCKER_HOST does not answer: start that engine," \
        "or unset DOCKER_HOST to use this machine's own"
    ! any_dockerd || die "a dockerd is running, but does not answer you: join its group" \
        "(usermod -aG docker $(id -un), then log in again), or set DOCKER_HOST to its socket"
    [[ $(id -u) == 0 ]] || die "no Docker engine answers: run 'sudo systemctl start docker'," \
        "or run 'make engine' once as root to install one"
    is_debian || die "no Docker engine answers, and this is neither Debian nor Ubuntu:" \
        "install Docker as your distribution describes, then start it"
}

install_missing() {
    local missing=() program
    local -A package=([dockerd]=docker.io [iptables]=iptables [debootstrap]=debootstrap)
    for program in "${!package[@]}"; do
        command -v "$program" >/dev/null || missing+=("${package[$program]}")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    install_log=$(mktemp)
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
        --no-install-recommends "${missing[@]}"; } >"$install_log" 2>&1 ||
        { tail -n 20 "$install_log" >&2; die "apt-get could not install ${missing[*]}"; }
    rm -f "$install_log"
}

wait_until_it_answers() { # wait_until_it_answers SECONDS
    local tenths
    for ((tenths = $1 * 10; tenths > 0; tenths--)); do
        if answers; then return 0; fi
        sleep 0.1
    done
    return 1
}

close_inherited() { # what else the caller left open: a daemon would hold it for as long as it runs
    local path fd
    for path in /proc/self/fd/*; do
        fd=${path##*/}
        ((fd <= 2)) || exec {fd}>&-
    done
}

start_daemon() {
    say "starting dockerd (log: $log)"
    mkdir -p "$state"
    # `make --jobs` ends only when nobody holds the pipe of its jobs any more.
    (close_inherited && exec setsid dockerd --pidfile "$pidfile") >>"$log" 2>&1 </dev/null &
    wait_until_it_answers "$start_s" && return
    tail -n 15 "$log" >&2
    die "dockerd did not answer within $start_s s"
}

start() {
    if answers; then
        say "Docker $(describe) answers"
        return
    fi
    explain_elsewhere
    install_missing
    # The package may have started its own service.
    if any_dockerd; then wait_until_it_answers "$start_s" || die "dockerd does not answer"; fi
    answers || start_daemon
    say "Docker $(describe) answers"
}

stop() {
    local pid tenths
    pid=$(our_pid) || { say "no engine of ours is running"; return; }
    say "stopping dockerd, pid $pid"
    kill -TERM "$pid"
    for ((tenths = stop_s * 10; tenths > 0; tenths--)); do
        [[ -e /proc/$pid ]] || { rm -rf "$state"; say "stopped"; return; }
        sleep 0.1
    done
    die "dockerd, pid $pid, did not end within $stop_s s"
}

case ${1:-start} in
    start) start ;;
    stop) stop ;;
    status) if answers; then say "Docker $(describe) answers"; else die "no engine answers"; fi ;;
    *) die "unknown word '$1': say start, stop or status" ;;
esac
