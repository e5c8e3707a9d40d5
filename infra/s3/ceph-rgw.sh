#!/usr/bin/env bash
# A throw-away Ceph RADOS Gateway on loopback: a second, independent S3 server to test against.
# Debian 12: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common
#
#   ceph-rgw.sh start DIR [PORT]   start under DIR (data in memory), then print the test settings
#   ceph-rgw.sh stop DIR           stop it; DIR can then be deleted
set -euo pipefail

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
[[ $# -ge 2 ]] || usage
command=$1 port=${3:-7480}
mkdir -p "$2"
dir=$(cd "$2" && pwd)
conf=$dir/ceph.conf
access_key=mediaindex secret_key=mediaindex-secret

write_conf() {
  local fsid=$1
  cat >"$conf" <<CONF
[global]
fsid = $fsid
mon_host = v1:127.0.0.1:$((port + 1))
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = $dir
admin_socket = $dir/\$name.\$pid.asok
log_file = $dir/\$name.log
keyring = $dir/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
ms_bind_msgr2 = false
[mon.a]
mon_data = $dir/mon
[osd.0]
osd_objectstore = memstore
osd_data = $dir/osd
memstore_device_bytes = 2147483648
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$port
rgw_enable_usage_log = false
CONF
}

wait_for() { # SECONDS COMMAND...
  local left=$1
  shift
  until "$@" >/dev/null 2>&1; do
    ((left-- > 0)) || { echo "gave up waiting for: $*" >&2; exit 1; }
    sleep 1
  done
}

start() {
  local fsid osd
  fsid=$(cat /proc/sys/kernel/random/uuid) osd=$(cat /proc/sys/kernel/random/uuid)
  write_conf "$fsid"
  mkdir -p "$dir/mon" "$dir/osd"
  ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
  monmaptool --create --fsid "$fsid" --addv a "v1:127.0.0.1:$((port + 1))" "$dir/monmap" >/dev/null
  ceph-mon -c "$conf" --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
  ceph-mon -c "$conf" -i a --pid-file "$dir/mon.pid"
  wait_for 30 ceph -c "$conf" --connect-timeout 2 -s
  ceph -c "$conf" osd new "$osd" >/dev/null
  ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd" --no-mon-config >/dev/null 2>&1
  # Now and then its first command reaches the monitor before it knows the cluster's id.
  wait_for 5 ceph-osd -c "$conf" -i 0 --pid-file "$dir/osd.pid"
  wait_for 30 bash -c "ceph -c '$conf' osd stat | grep -q '1 up'"
  radosgw -c "$conf" -n client.rgw --pid-file "$dir/rgw.pid"
  wait_for 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
  radosgw-admin -c "$conf" -n client.rgw user create --uid tester --display-name Tester \
    --access-key "$access_key" --secret-key "$secret_key" >/dev/null
  cat <<SETTINGS
export MEDIA_INDEX_TEST_S3_ENDPOINT=http://127.0.0.1:$port
export AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key AWS_DEFAULT_REGION=us-east-1
SETTINGS
}

stop() {
  local name pid
  for name in rgw osd mon; do
    [[ -s $dir/$name.pid ]] || continue
    pid=$(cat "$dir/$name.pid")
    kill "$pid" 2>/dev/null || continue
    wait_for 30 bash -c "! kill -0 $pid"
  done
}

case $command in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
