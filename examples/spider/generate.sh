#!/bin/sh
# Writes the configuration of a sharded MariaDB and Spider cluster, in the syntax of 2016:
#
#   sh generate.sh > spdsvc01.conf
#
# What can be set, in the environment: svcname, app, nodes, npods, dism and didb (the images), myrootpwd.
set -eu
svcname=${svcname:-spdsvc01} app=${app:-RIVER_SPD} nodes=${nodes:-spd01 spd02 spd03 spd04} npods=${npods:-32}
dism=${dism:-tanji/spdc} didb=${didb:-mariadb} myrootpwd=${myrootpwd:-changeme}

primary=${nodes%% *}
cat <<END
[DEFAULT]
app = $app
service_type = PRD
nodes = $nodes
autostart_node = $nodes
docker_data_dir = /$svcname/docker
flex_primary = $primary
cluster_type = flex
show_disabled = false
rollback = false

# factorize gce resource params here
gce_zone = europe-west1-b

[disk#00]
type = gce
subset = gce
size = 20g
always_on = nodes
END
for node in $nodes; do
    echo "names@$node = $svcname-$node"
done
cat <<END

[fs#00]
type = btrfs
dev = LABEL=$svcname
mnt = /$svcname
mnt_opt = defaults,rw

[subset#disk:cge]
parallel = true

[subset#ip:cge]
parallel = true

[subset#container:containers]
parallel = true
END

# The three resources of one server of a pod: Google route, address, container. $1: sm or db, $2: address, $3: image.
server() {
    cat <<END

[ip#$pod${1}g]
tags = $1 pod$pod
subset = cge
type = gce
ipname = 10.0.0.$2
ipdev = br0
routename = rt-ip$2
disable = true
disable@$node = false

[ip#$pod$1]
tags = $1 $1.container $1.container.pod$pod pod$pod
type = docker
ipdev = br0
ipname = 10.0.0.$2
netmask = 255.255.255.0
network = 10.0.0.0
gateway = 10.0.0.$gateway
del_net_route = true
container_rid = container#$pod$1
disable = true
disable@$node = false

[container#$pod$1]
tags = $1 $1.container $1.container.pod$pod pod$pod
type = docker
subset = containers
run_image = $3
run_args = --net=none
    -e MYSQL_ROOT_PASSWORD=$myrootpwd
    -v /etc/localtime:/etc/localtime:ro
    -v /$svcname/pod$pod/$1/data:/var/lib/mysql:rw
    -v /$svcname/pod$pod/$1/conf:/etc/mysql/conf.d:rw
    -v /$svcname/pod$pod/$1/init:/docker-entrypoint-initdb.d:rw
disable = true
disable@$node = false
END
}

set -- $nodes
per_node=$((npods / $#)) number=1 address=33 gateway=0
for node in $nodes; do
    gateway=$((gateway + 1))
    last=$((gateway == $# ? npods : gateway * per_node))
    while [ "$number" -le "$last" ]; do
        pod=$(printf %02d "$number")
        folder=/$svcname/pod$pod
        cat <<END

#
# POD$pod
#
[disk#$pod]
subset = cge
tags = sm pod$pod
type = gce
names = $svcname-pod$number
size = 17g
always_on = nodes
disable = true
disable@$node = false

[fs#$pod]
tags = sm pod$pod
type = ext4
dev = /dev/disk/by-id/google-$svcname.disk.$pod.0
mnt = $folder
mnt_opt = defaults,rw
disable = true
disable@$node = false
post_provision = mkdir -p $folder/sm/init $folder/sm/conf $folder/sm/data $folder/db/init $folder/db/conf $folder/db/data && chown 999:999 $folder/*/*
END
        server sm "$address" "$dism"
        server db "$((address + 1))" "$didb"
        number=$((number + 1)) address=$((address + 2))
    done
done
