#!/usr/bin/env bash
# Sets up real containers on a Debian 12 machine without Docker, builds both images, and starts a Docker-compatible
# socket. Safe to run again: what is there stays. Needs root, Debian's package archive and pip's package index.
#
#   tests/containers/setup.sh          set up; ends by printing the variables that a run needs (also in STATE/env)
#   tests/containers/setup.sh stop     stop the socket
#
# How pip reaches its index is read from pip's own configuration and given to the build as secrets and mounts under
# neutral names, so that nothing of this machine stays in an image.
set -euo pipefail
cd "$(dirname "$0")/../.."

STATE=${PLIMSOLL_CONTAINERS:-$PWD/.plimsoll/containers}
BASE=localhost/plimsoll-base:3.11
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
PYTHON=${PYTHON:-.venv/bin/python}
mkdir -p "$STATE"
STATE=$(cd "$STATE" && pwd)

stop() {
    if [ -f "$STATE/pid" ]; then
        kill "$(cat "$STATE/pid")" 2>/dev/null || true
        rm -f "$STATE/pid" "$STATE/podman.sock"
    fi
}

if [ "${1:-}" = stop ]; then
    stop
    exit 0
fi

# 1. podman, runc, and a registry for the test of a push, from Debian
missing=()
for tool in podman runc mmdebstrap docker-registry; do
    command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -q
    apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

# 2. settings that need neither systemd, nor a network of its own, nor high limits
cat >"$STATE/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=2000:2000"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
export CONTAINERS_CONF=$STATE/containers.conf

# 3. a base image from Debian's packages
if ! podman image exists "$BASE"; then
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
        bookworm "$STATE/base.tar" "$MIRROR"
    podman import --quiet --change 'CMD ["python3"]' "$STATE/base.tar" "$BASE"
    rm "$STATE/base.tar"
fi

# 4. how pip reaches its index: pip.conf, a CA bundle, and folders of packages
mapfile -t volumes < <("$PYTHON" tests/containers/pip_access.py "$STATE")

# 5. both images
CONTAINER_TOOL=podman BASE_IMAGE=$BASE PIP_CONF=$STATE/pip.conf CA_BUNDLE=$STATE/ca.crt \
    BUILD_OPTIONS="${volumes[*]}" "$PYTHON" images/build.py build

# 6. Docker's API on a socket
if ! { [ -f "$STATE/pid" ] && kill -0 "$(cat "$STATE/pid")" 2>/dev/null; }; then
    setsid podman system service --time 0 "unix://$STATE/podman.sock" >"$STATE/service.log" 2>&1 </dev/null &
    echo $! >"$STATE/pid"
    for _ in $(seq 50); do
        [ -S "$STATE/podman.sock" ] && break
        sleep 0.2
    done
fi
tee "$STATE/env" <<ENV
export CONTAINERS_CONF=$STATE/containers.conf
export DOCKER_HOST=unix://$STATE/podman.sock
ENV
