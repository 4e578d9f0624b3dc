# The verbs. Each is a short name for what it runs; .ci/run is the gate itself.

.PHONY: test lab dice faults mutants hosts machines kernels portable modules adopt bench weight docs api figures ci

# Every test that runs here; those that need root or a tool say so and skip.
test:
	go test ./...

# The scenarios on a real kernel, as root, with nothing skipped.
lab:
	sudo -E env "PATH=$$PATH" LOWPORT_LAB=require go test -count=1 -timeout=40m ./internal/lab ./internal/lab/dice

# A drop in programs of other languages, a thousand times each, as root.
hosts:
	sudo -E env "PATH=$$PATH" LOWPORT_LAB=require LOWPORT_DROP_RUNS=1000 go test -count=1 -timeout=2h ./caps/drop -run TestHosts -v

# Situations that nobody chose, judged by the kernel, until it is interrupted; DICE="-n 500 -seed 7 -by unit".
dice:
	sudo -E env "PATH=$$PATH" go run ./internal/lab/dice/roll $(DICE)

# Faults planted in rules that are right, and how soon the dice find them.
faults:
	sudo -E env "PATH=$$PATH" LOWPORT_LAB=require go test -count=1 -timeout=40m -v ./internal/lab/dice -run Faults -faults

# Rules changed in one place each, which their own unit tests should notice: how many those reach,
# and how many they fail on. Hours for all; ROOMS=internal/facts is minutes.
GREMLINS = github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
ROOMS = internal/kernel internal/launch internal/facts internal/remedy caps

mutants:
	for room in $(ROOMS); do \
		echo "$$room:"; \
		GOFLAGS=-short go run $(GREMLINS) unleash --workers 1 --timeout-coefficient 20 -S lc -E 'testdata/|drop/|_other.go' ./$$room; \
	done

# N random units: what a preflight says of them, and what systemd then does, as root.
N = 500
units:
	sudo -E env "PATH=$$PATH" go run ./internal/lab/units/roll -n $(N)

# The machines of guard/guardtest, recorded anew in the lab, as root.
machines:
	sudo -E env "PATH=$$PATH" LOWPORT_LAB=require go test -count=1 ./internal/lab -run TestScenarios/machine- -update
	go test ./guard/guardtest -run Machines -update

# The tests on Linux 5.10, 6.1 and 6.12, with AppArmor, SELinux and no_file_caps, each in a
# machine under qemu: hours on a small machine; `.ci/kernels -q trixie` is minutes.
kernels:
	.ci/kernels

# The pure tests on a big-endian machine and on one of 32 bits, under qemu.
portable:
	.ci/portable

# What is in modules of their own: examples with dependencies that lowport has not. Without
# cgo, as the lab builds them, so that nothing is compiled twice.
MODULES = examples/manifest examples/dns examples/http3 examples/watch internal/adopt \
	internal/lab/dropin caps/drop/testdata/fakecgo

modules:
	set -e; for dir in $(MODULES); do \
		(cd $$dir && export CGO_ENABLED=0 && go mod tidy -diff && go build -o /dev/null . && go vet ./... && go test ./...); \
	done

# The servers of docs/adopt.md, with those that take minutes to build, as root.
adopt:
	cd internal/adopt/heavy && export CGO_ENABLED=0 && go mod tidy -diff && go vet ./...
	cd internal/adopt && sudo -E env "PATH=$$PATH" CGO_ENABLED=0 LOWPORT_ADOPT=all LOWPORT_LAB=require go test -count=1 -timeout=1h -run Servers .

# What a server that imports lowport pays: its go.mod, its size, what runs before main.
weight:
	LOWPORT_LAB=require go test -count=1 -run TestWeight -v .

# Speed beside the peers, in the module of their own, as root: the tables of its README.
bench:
	sudo -E env "PATH=$$PATH" CGO_ENABLED=0 go run -C internal/bench github.com/lowport/lowport/internal/bench/tables

# What is made of the code: the causes, and the reports of recorded machines.
docs:
	go test ./internal/kernel -run CausesPage -update
	go test ./internal/audit -run AuditPage -update
	go test ./guard ./guard/guardtest -run 'Golden|Machines' -update

# What a program written for the last release would no longer compile with.
api:
	.ci/api

# internal/lab/README.md: what the tests tried, counted by the tests, as root; with
# TALLY=FILE also what `LOWPORT_TALLY=FILE make kernels` counted.
figures:
	.ci/figures $(TALLY)

# All that a change has to pass, on a Debian machine, as root.
ci:
	.ci/run
