# make demo: see it work.  make test: see it proven.  The rest is in CONTRIBUTING.md.

.PHONY: demo test soak release install deb bench style lint build target packages lab test-lab

# What the tests drive for real. On another distribution, install the same by its own means.
PACKAGES = e2fsprogs xfsprogs btrfs-progs rsync openssh-client openssh-server samba samba-common-bin smbclient iproute2 \
           procps util-linux curl python3-venv docker.io docker-registry busybox-static podman \
           libvirt-daemon libvirt-clients libvirt-daemon-driver-qemu cpio kmod tmux etcd-server systemd debhelper \
           lintian rsyslog

# What the demo needs beyond a compiler.
demo: PACKAGES = e2fsprogs iproute2
demo: packages build
	cargo run --locked --quiet --bin om -- demo

test: target packages lab
	cargo test --workspace --locked

# A million schedules of the simulator, from another seed each day. A violation names its seed. Before that, all orders of requests
# and faults in the small worlds of host/core/ownership, as far as the memory goes: some 4 GB. At the end, ten minutes of mutated
# inputs for everything that reads foreign text (tests/fuzz).
soak: target
	HOSTLER_MODEL_STATES=2000000 cargo test --release --locked -p hostler-ownership --lib -- --nocapture
	HOSTLER_SIM_SCHEDULES=1000000 HOSTLER_SIM_SEED=$$(date +%Y%m%d)000000 cargo test --release --locked -p hostler-sim --test schedules
	HOSTLER_SOAK_EVENTS=1000000 cargo test --release --locked -p hostler-om --test scenarios -- event_readers
	HOSTLER_FUZZ_SECONDS=600 cargo test --release --locked -p hostler-fuzz --test inputs -- --nocapture

# Storage that needs another kernel, in virtual machines: tests/lab. `make test` runs it too; HOSTLER_LAB=off leaves it out.
test-lab: target lab
	cargo test --locked -p hostler-om --test lab

# The program as it is to be installed. It is linked twice, the second time with the functions that short commands call side by
# side, which host/om/link_order.py finds by watching the first. Where they are known from the last time, it is linked once.
OM = $(or $(CARGO_TARGET_DIR),target)/release/om
LINK_ORDER = $(CURDIR)/target/link-order
release: PACKAGES = binutils $(ALSO)
release: target packages
	HOSTLER_LINK_ORDER=$(LINK_ORDER) cargo build --release --locked --bin om
	python3 -B host/om/link_order.py $(OM) $(LINK_ORDER)
	HOSTLER_LINK_ORDER=$(LINK_ORDER) cargo build --release --locked --bin om

# The program, its completion and manual pages, and the daemon as a unit of systemd. DESTDIR puts them below another directory.
install: release
	packaging/install.sh $(OM) $(DESTDIR)

# The same as a Debian package, which lintian has judged.
deb: ALSO = debhelper lintian
deb: release
	packaging/deb.sh $(OM) $(or $(CARGO_TARGET_DIR),target)/deb $(VERSION)
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

# The version that `make bench` compares with, built once beside the target directory's own profiles. HOSTLER_BENCH_BASE names
# an `om` that is already built.
BASE = c526a76
BASE_OM = $(if $(HOSTLER_BENCH_BASE),$(HOSTLER_BENCH_BASE),$(CURDIR)/target/bench-base/$(BASE)/release/om)

bench: target packages release $(BASE_OM)
	HOSTLER_LINK_ORDER=$(LINK_ORDER) HOSTLER_BENCH_BASE=$(BASE_OM) cargo bench --locked -p hostler-om --bench bench
	HOSTLER_LINK_ORDER=$(LINK_ORDER) HOSTLER_BENCH_BASE=$(BASE_OM) cargo bench --locked -p hostler-om --test scenarios
	cargo bench --locked -p hostler-store-redb --bench store
	cargo bench --locked -p hostler-orchestrate
	cargo bench --locked -p hostler-daemon --bench daemon

# How the code reads, in figures. No gate.
style:
	@python3 tests/style.py

$(CURDIR)/target/bench-base/%/release/om:
	rm -rf $(CURDIR)/target/bench-base/$*/source && mkdir -p $(CURDIR)/target/bench-base/$*/source
	git archive $* | tar -x -C $(CURDIR)/target/bench-base/$*/source
	cd $(CURDIR)/target/bench-base/$*/source && CARGO_TARGET_DIR=$(CURDIR)/target/bench-base/$* cargo build --release --locked

lint: target
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; \
	else echo "lint: cargo-deny is not installed: licences and duplicate crates were not checked"; fi

build: target
	cargo build --locked

# The drivers are WebAssembly: the compiler needs its standard library for it once.
target:
	@rustc --print target-libdir --target wasm32-wasip2 2>/dev/null | xargs -r test -d \
	|| rustup target add wasm32-wasip2

# The image that the machines boot is made by the test, once, and kept in ~/.cache/hostler-lab.
lab:
	@missing=""; for program in qemu-system-x86_64 mmdebstrap cpio busybox depmod; do \
	  command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	if [ "$$HOSTLER_LAB" = off ] || [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  sh tests/lab/install || echo "lab: not installed: its scenarios will be skipped, and say so"; \
	else echo "lab: not installed:$$missing: tests/lab/install says from where"; fi

# Debian and its kin, as root. Elsewhere the tests say what they miss.
packages:
	@missing=""; for package in $(PACKAGES); do \
	  dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing; \
	else echo "test: not installed:$$missing: what needs them will be skipped, and say so"; fi
