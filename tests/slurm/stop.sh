#!/usr/bin/env bash
# End the jobs and the programs of the cluster that start.sh started: stop.sh FOLDER
set -uo pipefail

export SLURM_CONF=$1/slurm.conf
timeout 10 scancel --user="$(id -un)" 2> /dev/null
pids=()
for name in slurmctld n1 n2 n3 n4 munged; do
    pid=$(cat "$1/run/$name.pid" 2> /dev/null) && kill "$pid" 2> /dev/null && pids+=("$pid")
done
for _ in $(seq 100); do
    kill -0 "${pids[@]:-0}" 2> /dev/null || break
    sleep 0.1
done
exit 0
