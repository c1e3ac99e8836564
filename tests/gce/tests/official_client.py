"""Drives the stand-in through Google's own client library, as a program would drive the real service.

Its arguments: the address of the API, that of the metadata server without its path, and the directory where devices appear.
"""

import os
import sys

API, METADATA, DEVICES = sys.argv[1:4]
os.environ["GCE_METADATA_HOST"] = METADATA

from google.api_core import exceptions  # noqa: E402
from google.api_core.future import polling  # noqa: E402
from google.auth import compute_engine  # noqa: E402
from google.auth.transport.requests import Request  # noqa: E402
from google.cloud import compute_v1 as c  # noqa: E402

QUICK = polling.DEFAULT_POLLING.with_delay(initial=0.02, multiplier=1.5, maximum=0.2)
PROJECT, ZONE = "stand-in", "europe-west1-b"
PLACE = {"project": PROJECT, "zone": ZONE}

credentials = compute_engine.Credentials()
credentials.refresh(Request())
assert credentials.token.startswith("ya29."), credentials.token


def client(kind):
    return kind(credentials=credentials, client_options={"api_endpoint": API}, transport="rest")


zone_operations, global_operations = client(c.ZoneOperationsClient), client(c.GlobalOperationsClient)
disks, snapshots, instances, routes = map(client, (c.DisksClient, c.SnapshotsClient, c.InstancesClient, c.RoutesClient))
# The library would poll the real service: it builds the client of operations itself, and without the endpoint.
for one in (disks, instances):
    one._transport._extended_operations_services = {"zone_operations": zone_operations}
for one in (routes, snapshots):
    one._transport._extended_operations_services = {"global_operations": global_operations}


def fails(kind, reason, call):
    try:
        call()
    except kind as error:
        assert any(one.get("reason") == reason for one in error.errors), (reason, error.errors)
        return
    raise AssertionError(f"{kind.__name__} was expected")


# A disk: made, there, listed, grown, labelled by its fingerprint.
disk = c.Disk(name="d1", size_gb=1, type_=f"zones/{ZONE}/diskTypes/pd-standard")
operation = disks.insert(**PLACE, disk_resource=disk)
assert operation.status == c.Operation.Status.PENDING, operation.status
operation.result(timeout=30, polling=QUICK)
found = disks.get(**PLACE, disk="d1")
assert (found.status, found.size_gb) == ("READY", 1), found
fails(exceptions.Conflict, "alreadyExists", lambda: disks.insert(**PLACE, disk_resource=disk))
assert [one.name for one in disks.list(**PLACE)] == ["d1"]
assert not list(disks.list(request={**PLACE, "filter": 'name = "d2"'}))
disks.resize(**PLACE, disk="d1", disks_resize_request_resource=c.DisksResizeRequest(size_gb=2)).result(timeout=30, polling=QUICK)
assert disks.get(**PLACE, disk="d1").size_gb == 2
labels = c.ZoneSetLabelsRequest(label_fingerprint=found.label_fingerprint, labels={"app": "spider"})
disks.set_labels(**PLACE, resource="d1", zone_set_labels_request_resource=labels).result(timeout=30, polling=QUICK)
fails(
    exceptions.PreconditionFailed,
    "conditionNotMet",
    lambda: disks.set_labels(**PLACE, resource="d1", zone_set_labels_request_resource=labels),
)

# Attached, its device is there; it cannot be deleted, nor attached elsewhere.
attached = c.AttachedDisk(source=found.self_link, device_name="data-0", auto_delete=False)
instances.attach_disk(**PLACE, instance="n1", attached_disk_resource=attached).result(timeout=30, polling=QUICK)
device = os.path.join(DEVICES, "google-data-0")
with open(device, "rb") as opened:
    assert opened.seek(0, os.SEEK_END) == 2 << 20, "the stand-in was started with a GB of a MiB"
assert [user.rsplit("/", 1)[1] for user in disks.get(**PLACE, disk="d1").users] == ["n1"]
assert [one.device_name for one in instances.get(**PLACE, instance="n1").disks] == ["data-0"]
fails(exceptions.BadRequest, "resourceInUseByAnotherResource", lambda: disks.delete(**PLACE, disk="d1"))
fails(
    exceptions.BadRequest,
    "resourceInUseByAnotherResource",
    lambda: instances.attach_disk(**PLACE, instance="n2", attached_disk_resource=attached),
)

# A snapshot, and a disk of it.
with open(device, "r+b") as opened:
    opened.write(b"kept")
disks.create_snapshot(**PLACE, disk="d1", snapshot_resource=c.Snapshot(name="s1")).result(timeout=30, polling=QUICK)
assert snapshots.get(project=PROJECT, snapshot="s1").disk_size_gb == 2
assert [one.name for one in snapshots.list(project=PROJECT)] == ["s1"]
instances.detach_disk(**PLACE, instance="n1", device_name="data-0").result(timeout=30, polling=QUICK)
assert not os.path.lexists(device)
copy = c.Disk(name="d2", source_snapshot="global/snapshots/s1")
disks.insert(**PLACE, disk_resource=copy).result(timeout=30, polling=QUICK)
attached = c.AttachedDisk(source=f"zones/{ZONE}/disks/d2", device_name="copy-0")
instances.attach_disk(**PLACE, instance="n1", attached_disk_resource=attached).result(timeout=30, polling=QUICK)
with open(os.path.join(DEVICES, "google-copy-0"), "rb") as opened:
    assert opened.read(4) == b"kept"
instances.detach_disk(**PLACE, instance="n1", device_name="copy-0").result(timeout=30, polling=QUICK)
snapshots.delete(project=PROJECT, snapshot="s1").result(timeout=30, polling=QUICK)
for name in ("d1", "d2"):
    disks.delete(**PLACE, disk=name).result(timeout=30, polling=QUICK)
fails(exceptions.NotFound, "notFound", lambda: disks.get(**PLACE, disk="d1"))

# The same request twice is one operation.
again = {**PLACE, "disk_resource": c.Disk(name="d3", size_gb=1), "request_id": "6b9c1d3e-0000-4000-8000-000000000001"}
first, second = disks.insert_unary(request=again), disks.insert_unary(request=again)
assert first.name == second.name
zone_operations.wait(**PLACE, operation=first.name)
assert zone_operations.get(**PLACE, operation=first.name).status == c.Operation.Status.DONE
assert first.name in [one.name for one in zone_operations.list(**PLACE)]
disks.delete(**PLACE, disk="d3").result(timeout=30, polling=QUICK)

# A route.
route = c.Route(
    name="rt-1",
    network="global/networks/default",
    dest_range="10.0.0.33/32",
    next_hop_instance=f"zones/{ZONE}/instances/n1",
    priority=1000,
)
operation = routes.insert(project=PROJECT, route_resource=route)
operation.result(timeout=30, polling=QUICK)
assert global_operations.get(project=PROJECT, operation=operation.name).status == c.Operation.Status.DONE
global_operations.wait(project=PROJECT, operation=operation.name)
assert operation.name in [one.name for one in global_operations.list(project=PROJECT)]
assert routes.get(project=PROJECT, route="rt-1").next_hop_instance.endswith("/instances/n1")
fails(exceptions.Conflict, "alreadyExists", lambda: routes.insert(project=PROJECT, route_resource=route))
assert [one.name for one in routes.list(project=PROJECT)] == ["rt-1"]
routes.delete(project=PROJECT, route="rt-1").result(timeout=30, polling=QUICK)
fails(exceptions.NotFound, "notFound", lambda: routes.get(project=PROJECT, route="rt-1"))

# An instance: made with its boot disk, stopped, started, given metadata, deleted.
boot = c.AttachedDisk(
    boot=True,
    auto_delete=True,
    initialize_params=c.AttachedDiskInitializeParams(
        source_image="projects/debian-cloud/global/images/family/debian-12", disk_size_gb=1
    ),
)
instance = c.Instance(
    name="vm1",
    machine_type=f"zones/{ZONE}/machineTypes/e2-small",
    disks=[boot],
    network_interfaces=[c.NetworkInterface(network="global/networks/default")],
    metadata=c.Metadata(items=[c.Items(key="role", value="web")]),
)
operation = instances.insert(**PLACE, instance_resource=instance)
assert instances.get(**PLACE, instance="vm1").status == "PROVISIONING"
operation.result(timeout=30, polling=QUICK)
assert sorted(one.name for one in instances.list(**PLACE)) == ["n1", "n2", "vm1"]
instances.stop(**PLACE, instance="vm1").result(timeout=30, polling=QUICK)
assert instances.get(**PLACE, instance="vm1").status == "TERMINATED"
instances.start(**PLACE, instance="vm1").result(timeout=30, polling=QUICK)
running = instances.get(**PLACE, instance="vm1")
assert running.status == "RUNNING"
instances.suspend(**PLACE, instance="vm1").result(timeout=30, polling=QUICK)
assert instances.get(**PLACE, instance="vm1").status == "SUSPENDED"
instances.resume(**PLACE, instance="vm1").result(timeout=30, polling=QUICK)
changed = c.Metadata(fingerprint=running.metadata.fingerprint, items=[c.Items(key="role", value="db")])
instances.set_metadata(**PLACE, instance="vm1", metadata_resource=changed).result(timeout=30, polling=QUICK)
assert instances.get(**PLACE, instance="vm1").metadata.items[0].value == "db"
instances.delete(**PLACE, instance="vm1").result(timeout=30, polling=QUICK)
fails(exceptions.NotFound, "notFound", lambda: disks.get(**PLACE, disk="vm1"))

print("every call was understood")
