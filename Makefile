# Each verb is a script in scripts/; this file names them. `make help` lists the verbs.
SHELL := /bin/sh
NODE := node_modules/.bin/node
.DEFAULT_GOAL := help
.PHONY: help setup build check test rootfs agent-tarball test-osbuilder osbuilder-run test-vm test-vm-images footprint demo bench bench-forwarder soak picture package audit image-oci clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing on this machine (system packages only as root)
	@scripts/setup.sh

build: setup ## executables in build/: kata-agent, kata-trace-forwarder, agentctl
	@$(NODE) scripts/build.ts

check: setup ## types, lint, format, import rules, generated code, shell syntax
	@scripts/check.sh

test: ## everything CI runs: set-up, build, check, all tests (T="path …" for some; JAEGER=1: Jaeger too)
	@scripts/setup.sh try-vm
	@$(NODE) scripts/build.ts
	@scripts/check.sh
	@$(NODE) scripts/prepare-vm.ts --optional
	@$(NODE) scripts/package/package.ts
	@$(NODE) scripts/package/clean-root.ts --optional
	@$(NODE) scripts/backends.ts $(if $(JAEGER),--jaeger)
	@$(NODE) scripts/cluster/tools.ts
	@$(NODE) scripts/cluster/images.ts || echo "no container images, their tests will be skipped"
	@$(NODE) scripts/test.ts $(T)

rootfs: ## the guest's image in build/guest/ (FORMAT=initrd|ext4|erofs INIT=agent|systemd DAX=1 ARCH=amd64|arm64)
	@scripts/setup.sh $(if $(ARCH),cross,vm)
	@$(NODE) scripts/build.ts
	@$(if $(ARCH),$(NODE) scripts/build.ts --arch $(ARCH))
	@$(NODE) scripts/image/rootfs.ts $(if $(FORMAT),--format $(FORMAT)) $(if $(INIT),--init $(INIT)) \
		$(if $(DAX),--dax) $(if $(ARCH),--arch $(ARCH))

agent-tarball: ## the tarball for osbuilder's AGENT_TARBALL, in build/ (ARCH=aarch64; WITH="crun iproute2", or none)
	@scripts/setup.sh $(if $(ARCH),cross,vm)
	@$(NODE) scripts/build.ts
	@$(if $(ARCH),$(NODE) scripts/build.ts --arch $(ARCH))
	@WITH="$(WITH)" $(NODE) scripts/package/agent-tarball.ts $(ARCH)

test-osbuilder: ## boot what osbuilder would make of the tarball, the agent as init and under systemd (as root)
	@scripts/setup.sh vm
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/prepare-vm.ts
	@$(NODE) scripts/package/osbuilder-guest.ts no
	@$(NODE) scripts/test.ts test/vm/osbuilder.test.ts

osbuilder-run: ## guests by osbuilder itself, of Debian and Ubuntu, built and booted (KATA=checkout; ROOTS="debian-yes …" for some; as root, an hour)
	@scripts/setup.sh osbuilder
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/prepare-vm.ts
	@$(NODE) scripts/package/osbuilder-run.ts $(or $(KATA),.) $(ROOTS)
	@for root in $(or $(ROOTS),debian-yes debian-no ubuntu-yes ubuntu-no); do \
		OSBUILDER_ROOT=$$root $(NODE) scripts/test.ts test/vm/osbuilder-run.test.ts || exit; done

package: build ## what is installed on a node: tarball and Debian package, in build/release/ (ARCH=amd64|arm64)
	@$(if $(ARCH),$(NODE) scripts/build.ts --arch $(ARCH))
	@$(NODE) scripts/package/package.ts $(if $(ARCH),--arch $(ARCH))

audit: setup ## known weaknesses of the npm packages that are shipped; asks the registry
	@npm audit --omit=dev

test-vm: ## only the tests that boot a VM
	@scripts/setup.sh vm
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/prepare-vm.ts
	@$(NODE) scripts/test.ts test/vm

test-vm-images: ## each kind of image booted: ext4 and erofs, with and without DAX, agent and systemd as init
	@scripts/setup.sh vm
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/prepare-vm.ts --all-images
	@$(NODE) scripts/test.ts test/vm/image-kinds.test.ts

footprint: ## memory of guests at idle and size of their images, as docs/footprint.md has them
	@scripts/setup.sh vm
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/prepare-vm.ts --all-images
	@$(NODE) scripts/image/rootfs.ts
	@$(NODE) scripts/image/footprint.ts

demo: ## a real pod and its trace (VM=1: in a QEMU guest)
	@scripts/setup.sh $(if $(VM),vm)
	@$(NODE) scripts/build.ts
	@$(if $(VM),$(NODE) scripts/prepare-vm.ts)
	@scripts/demo.sh $(if $(VM),vm)

bench: build ## measure beside the baselines
	@$(NODE) scripts/bench/agent.ts

soak: build ## 500 container lives, compared before and after
	@SOAK_CYCLES=500 $(NODE) scripts/test.ts test/agent/soak.test.ts

bench-forwarder: build ## what a span costs the forwarder, by encoding (M=millions of spans)
	@$(NODE) scripts/bench/forwarder.ts $(M)

picture: build ## the picture of a trace in the README, docs/trace.png (as root, with chromium)
	@scripts/docs/picture.sh

image-oci: ## container images for a cluster's nodes: the forwarder and, after make rootfs, the guest
	@scripts/setup.sh vm
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/cluster/images.ts

.PHONY: test-cluster
test-cluster: ## chart, manifests and pages on a real Kubernetes control plane (as root; Go compiles it once, for long)
	@scripts/setup.sh try-vm
	@$(NODE) scripts/build.ts
	@$(NODE) scripts/image/rootfs.ts
	@$(NODE) scripts/cluster/tools.ts
	@$(NODE) scripts/cluster/images.ts
	@$(NODE) scripts/cluster/control-plane.ts
	@$(NODE) scripts/test.ts test/cluster

.PHONY: reproduce
reproduce: ## build everything twice, in two folders, and compare every file
	@scripts/setup.sh vm
	@$(NODE) scripts/reproduce.ts

.PHONY: scale
scale: build ## forwarders behind a gateway of real Collectors, measured (N=nodes SANDBOXES=on each)
	@$(NODE) scripts/backends.ts
	@$(NODE) scripts/cluster/scale.ts $(or $(N),50) $(SANDBOXES)

clean: ## remove build/ (downloads in .cache/ stay)
	rm -rf build
