module github.com/lowport/lowport/internal/bench

go 1.26.0

require (
	github.com/coreos/go-systemd/v22 v22.7.0
	github.com/lowport/lowport v0.0.0
	github.com/moby/sys/capability v0.5.0
	github.com/prometheus/procfs v0.23.0
	github.com/syndtr/gocapability v0.0.0-20200815063812-42c35b437635
	golang.org/x/sys v0.49.0
	kernel.org/pub/linux/libs/security/libcap/cap v1.2.78
)

require kernel.org/pub/linux/libs/security/libcap/psx v1.2.78 // indirect

replace github.com/lowport/lowport => ../..
