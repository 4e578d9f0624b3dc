# What is in modules of their own: examples with dependencies that lowport has not.
MODULES = examples/dns examples/http3 internal/lab/dropin

.PHONY: modules
modules: # build, vet and test each
	set -e; for dir in $(MODULES); do \
		(cd $$dir && go mod tidy -diff && go build -o /dev/null . && go vet ./... && go test ./...); \
	done
