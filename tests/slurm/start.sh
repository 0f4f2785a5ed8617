#!/usr/bin/env bash
# Start a Slurm cluster of four one-core nodes on this machine: start.sh FOLDER [PORT]
#
# Everything is in FOLDER (configuration, keys, spool, logs) and on loopback, at PORT and the ports
# after it; nothing else on the machine is touched. To use it: . FOLDER/env. To end it: stop.sh FOLDER.
# Needs munged, slurmctld and slurmd (Debian: slurm-wlm and munge).
set -euo pipefail

mkdir -p "$1"
folder=$(cd "$1" && pwd)
port=${2:-16817}
host=$(hostname -s)
user=$(id -un)
export PATH=$PATH:/usr/sbin:/sbin
export SLURM_CONF=$folder/slurm.conf

for program in munged slurmctld slurmd sbatch; do
    command -v "$program" > /dev/null || { echo "no $program on this machine" >&2; exit 1; }
done

# munged wants its socket where everybody may look and its key where nobody else may.
chmod 755 "$folder"
mkdir -p "$folder"/{bin,log,run,state}
mkdir -pm 700 "$folder/munge"
head -c 128 /dev/urandom > "$folder/munge/key"
chmod 400 "$folder/munge/key"

cat > "$SLURM_CONF" << EOF2
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=1
KillWait=1
MinJobAge=3000
NodeName=n[1-4] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 4))] CPUs=1 RealMemory=8000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=night Nodes=ALL MaxTime=INFINITE State=UP
EOF2

# Within a job Snakemake drops SLURM_CONF before it calls srun.
printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$SLURM_CONF" "$(command -v srun)" > "$folder/bin/srun"
chmod 755 "$folder/bin/srun"
printf 'export SLURM_CONF=%q PATH=%q:$PATH\n' "$SLURM_CONF" "$folder/bin" > "$folder/env"

munged --force --key-file="$folder/munge/key" --socket="$folder/run/munge.socket" \
    --pid-file="$folder/run/munged.pid" --log-file="$folder/munge/log" \
    --seed-file="$folder/munge/seed" 2>> "$folder/log/munged.log"
slurmctld -c
for node in n1 n2 n3 n4; do
    slurmd -N "$node"
done
for _ in $(seq 100); do
    [ "$(sinfo --noheader --partition=main --states=idle --format=%D)" = 4 ] && exit 0
    sleep 0.1
done
tail -n 5 "$folder"/log/*.log >&2
echo "the nodes are not idle after 10 seconds" >&2
exit 1
